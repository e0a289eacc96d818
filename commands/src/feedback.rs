//! Sending feedback, which belongs to no organization (R-FEEDBACK-1).

use dossier_domain::FeedbackId;
use dossier_domain::feedback::{self, Feedback, FeedbackRejection, SendFeedback};

use crate::commands::{AccessSource, Commands, Outcome, stream_name};
use crate::error::CommandError;
use crate::request::Request;

/// What sending feedback did.
pub type FeedbackOutcome = Outcome<Feedback>;

impl Commands {
    /// Sends feedback.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn send_feedback(
        &self,
        request: &Request,
        command: &SendFeedback,
    ) -> Result<FeedbackOutcome, CommandError<FeedbackRejection>> {
        let stream = stream_name(&format!("feedback-{}", FeedbackId::derived(request.command_id)))?;
        let source = AccessSource::None;
        self.execute(&self.feedback, &stream, request, None, source, &[], |state, context| {
            feedback::decide(state, command, context)
        })
        .await
    }
}
