//! Commands on saved views, which belong to no organization.

use dossier_domain::SavedViewId;
use dossier_domain::saved_view::{self, SavedView, SavedViewCommand, SavedViewRejection};

use crate::commands::{AccessSource, Commands, Outcome, stream_name};
use crate::error::CommandError;
use crate::request::Request;

/// What a command on a saved view did.
pub type SavedViewOutcome = Outcome<SavedView>;

impl Commands {
    /// Executes a command on a saved view; `view` is `None` for saving, which derives it.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn saved_view(
        &self,
        request: &Request,
        view: Option<SavedViewId>,
        command: &SavedViewCommand,
    ) -> Result<SavedViewOutcome, CommandError<SavedViewRejection>> {
        let id = view.unwrap_or_else(|| SavedViewId::derived(request.command_id));
        let stream = stream_name(&format!("saved_view-{id}"))?;
        let source = AccessSource::None;
        self.execute(&self.saved_views, &stream, request, None, source, &[], |state, context| {
            saved_view::decide(state, command, context)
        })
        .await
    }
}
