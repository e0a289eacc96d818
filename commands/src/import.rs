//! Taking over the history of a case from elsewhere: one append, each event with its instant and its actor of then.

use dossier_domain::OrganizationId;
use dossier_domain::case::import::{ImportHistory, import};
use dossier_domain::case::{CaseRejection, CaseState};

use crate::commands::{AccessSource, CaseOutcome, Commands, case_stream};
use crate::error::CommandError;
use crate::identity;
use crate::request::Request;

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

    /// The id of the command that takes over a case of a source, whatever is told of it.
    pub fn import_id(&self, source: &str, external_id: &str) -> dossier_domain::CommandId {
        identity::command_id(self.sealer(), &["import", source], external_id)
    }
}
