//! Taking over the history of a case from elsewhere: one append, each event with its instant and its actor of then.

use dossier_domain::OrganizationId;
use dossier_domain::case::import::{ImportHistory, import};
use dossier_domain::case::{CaseRejection, CaseState};

use crate::commands::{AccessSource, CaseOutcome, Commands, case_stream};
use crate::error::CommandError;
use crate::identity;
use crate::request::Request;

/// What a history is to the log, when nothing speaks against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportCheck {
    /// It can be taken over.
    Fits,
    /// It was, just so.
    There,
}

/// Why a decision that only looks appends nothing.
enum Checked {
    Fits,
    Refused(CaseRejection),
}

impl Commands {
    /// Takes over a history of a case of an organization. The request's command id is made by [`Commands::import_id`], so that
    /// the same history changes nothing the second time, and another one of the same case is refused as
    /// [`CommandError::KeyReused`].
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn import_case(
        &self,
        request: &Request,
        organization: &OrganizationId,
        history: &ImportHistory,
    ) -> Result<CaseOutcome, CommandError<CaseRejection>> {
        let stream = case_stream(history.case())?;
        let source = AccessSource::Guarded(organization);
        let decide =
            |state: &CaseState, context: &dossier_domain::Context<'_>| import(state, history, context);
        self.execute(&self.cases, &stream, request, Some(organization), source, &[], decide).await
    }

    /// Whether a history fits, and is not there already: asked before the content of its files is stored, so that neither a
    /// repeat nor a line that does not fit reads any. Nothing is recorded. The request is that of [`Commands::import_case`].
    ///
    /// # Errors
    /// [`CommandError`] says who acts next, as for importing it.
    pub async fn check_import(
        &self,
        request: &Request,
        organization: &OrganizationId,
        history: &ImportHistory,
    ) -> Result<ImportCheck, CommandError<CaseRejection>> {
        let stream = case_stream(history.case())?;
        let source = AccessSource::Guarded(organization);
        // What fits ends as a refusal, too: then nothing is appended.
        let decide = |state: &CaseState, context: &dossier_domain::Context<'_>| {
            let events = import(state, history, context).map_err(Checked::Refused)?;
            if events.is_empty() { Ok(events) } else { Err(Checked::Fits) }
        };
        match self.execute(&self.cases, &stream, request, Some(organization), source, &[], decide).await {
            Ok(_) => Ok(ImportCheck::There),
            Err(CommandError::Rejected(Checked::Fits)) => Ok(ImportCheck::Fits),
            Err(CommandError::Rejected(Checked::Refused(rejection))) => {
                Err(CommandError::Rejected(rejection))
            }
            Err(CommandError::KeyReused) => Err(CommandError::KeyReused),
            Err(CommandError::PreconditionFailed) => Err(CommandError::PreconditionFailed),
            Err(CommandError::Contention) => Err(CommandError::Contention),
            Err(CommandError::TooLarge(why)) => Err(CommandError::TooLarge(why)),
            Err(CommandError::Unavailable(why)) => Err(CommandError::Unavailable(why)),
            Err(CommandError::OutcomeUnknown) => Err(CommandError::OutcomeUnknown),
            Err(CommandError::Damaged(why)) => Err(CommandError::Damaged(why)),
        }
    }

    /// The id of the command that takes over a case of a source, whatever is told of it.
    pub fn import_id(&self, source: &str, external_id: &str) -> dossier_domain::CommandId {
        identity::command_id(self.sealer(), &["import", source], external_id)
    }
}
