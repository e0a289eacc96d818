//! What somebody thinks of the support centre (R-FEEDBACK-1): `feedback-{ULID}`. Any valid sign-in may send it, member or
//! not; support reads it. It belongs to no organization, and nothing is done with it here but keeping it.

mod events;
mod rejection;
mod send;

pub use events::{FeedbackEvent, FeedbackSent};
pub use rejection::FeedbackRejection;
pub use send::{MAX_FEEDBACK_CHARS, SendFeedback};

use jiff::Timestamp;
use serde::Serialize;

use crate::authority::Action;
use crate::context::Context;
use crate::event::{Aggregate, EventAudience};
use crate::ids::{AccountId, FeedbackId};
use crate::personal::{Contact, Personal, PersonalFields, PersonalSlot};

/// What was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SentFeedback {
    /// The feedback.
    pub feedback: FeedbackId,
    /// Who sent it.
    pub sender: AccountId,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
    /// What they say.
    pub text: Personal<String>,
    /// When.
    pub at: Timestamp,
}

/// Feedback, or nothing yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Feedback {
    sent: Option<SentFeedback>,
}

impl Feedback {
    /// What was sent.
    pub fn sent(&self) -> Option<&SentFeedback> {
        self.sent.as_ref()
    }
}

impl PersonalFields for Feedback {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        if let Some(sent) = &mut self.sent {
            visit(&mut sent.contact);
            visit(&mut sent.text);
        }
    }
}

impl Aggregate for Feedback {
    type Event = FeedbackEvent;

    fn evolve(&mut self, event: &FeedbackEvent, at: Timestamp) {
        let FeedbackEvent::FeedbackSent(event) = event;
        self.sent = Some(SentFeedback {
            feedback: event.feedback,
            sender: event.sender,
            contact: event.contact.clone(),
            text: event.text.clone(),
            at,
        });
    }

    fn audience(_event: &FeedbackEvent) -> EventAudience {
        EventAudience::Support
    }
}

/// Decides the sending of feedback; the context has no organization.
///
/// # Errors
/// [`FeedbackRejection`] says why nothing is sent.
pub fn decide(
    state: &Feedback,
    command: &SendFeedback,
    context: &Context<'_>,
) -> Result<Vec<FeedbackEvent>, FeedbackRejection> {
    context.authority.open_to(Action::SendFeedback)?;
    command.decide(state, context)
}
