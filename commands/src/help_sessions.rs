//! Commands of sessions with the help assistant (R-HELP-2). Each is decided on the organization's access, which the append
//! guards: what one is entitled to decides what one is offered.

use std::sync::Arc;

use dossier_domain::help_session::{self, HelpSession, HelpSessionCommand, HelpSessionRejection};
use dossier_domain::{CommandId, HelpSessionId, OrganizationId};
use uuid::Uuid;

use crate::commands::{AccessSource, Commands, Outcome, stream_name};
use crate::error::{CommandError, LoadError};
use crate::request::Request;

/// What a command of a session did.
pub type HelpSessionOutcome = Outcome<HelpSession>;

impl Commands {
    /// A session, at least as new as anything acknowledged before the call; an empty one where there is none.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn help_session_view(&self, session: HelpSessionId) -> Result<Arc<HelpSession>, LoadError> {
        let stream = stream_name(&format!("help_session-{session}"))?;
        Ok(self.help_sessions.view(&stream, true).await?.state)
    }

    /// Executes a command of a session; `session` is `None` for beginning one, which derives it.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn help_session(
        &self,
        request: &Request,
        organization: &OrganizationId,
        session: Option<HelpSessionId>,
        command: &HelpSessionCommand,
    ) -> Result<HelpSessionOutcome, CommandError<HelpSessionRejection>> {
        let id = session.unwrap_or_else(|| HelpSessionId::derived(request.command_id));
        let stream = stream_name(&format!("help_session-{id}"))?;
        let source = AccessSource::Guarded(organization);
        self.execute(
            &self.help_sessions,
            &stream,
            request,
            Some(organization),
            source,
            &[],
            |state, context| help_session::decide(state, command, context),
        )
        .await
    }
}

/// The command that files the case of a session, or goes on in the one that was chosen: made of the session, so that however
/// often one starts the case, under whichever key, there is one.
pub fn command_of_session(session: HelpSessionId) -> CommandId {
    CommandId(Uuid::from_u128(session.0.0)).step("start-case")
}
