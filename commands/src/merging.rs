//! Both halves of a merge rest on another case: it is loaded, and must not move before the append.

use dossier_domain::case::{
    CaseCommand, CaseRejection, CaseState, MergeInto, ReceiveMergedCase, ReturnMergedCase,
};
use dossier_domain::{CaseId, OrganizationId};
use dossier_eventlog::Guard;

use crate::commands::{CaseOutcome, Commands, MAX_ATTEMPTS, case_stream};
use crate::error::CommandError;
use crate::request::Request;

impl Commands {
    /// Merges a case into another one, by what that is now.
    pub(crate) async fn merge_into(
        &self,
        request: &Request,
        organization: &OrganizationId,
        id: CaseId,
        merge: &MergeInto,
        command: &CaseCommand,
    ) -> Result<CaseOutcome, CommandError<CaseRejection>> {
        let Some(target) = merge.target.filed().map(|target| (target.id, target.organization.clone())) else {
            return self.on_case(request, organization, id, command, &[]).await;
        };
        for _ in 0..MAX_ATTEMPTS {
            let view = self.case_view(&target.1, target.0).await?;
            let guard = Guard { stream: case_stream(target.0)?, revision: view.revision };
            let merge = MergeInto { target: CaseState::clone(&view.state) };
            let command = CaseCommand::MergeInto(Box::new(merge));
            match self.on_case(request, organization, id, &command, &[guard]).await {
                // Something happened to the target: what it is now decides.
                Err(CommandError::Contention) => {}
                answer => return answer,
            }
        }
        Err(CommandError::Contention)
    }

    /// Tells a case that another one goes on in it, or no longer, by where the other one goes on now.
    pub(crate) async fn tell_target(
        &self,
        request: &Request,
        organization: &OrganizationId,
        id: CaseId,
        source: CaseId,
        command: &CaseCommand,
    ) -> Result<CaseOutcome, CommandError<CaseRejection>> {
        for _ in 0..MAX_ATTEMPTS {
            let view = self.case_view(organization, source).await?;
            let guard = Guard { stream: case_stream(source)?, revision: view.revision };
            let goes_on_in = view.state.filed().and_then(|source| source.merged_into);
            let command = match command {
                CaseCommand::ReceiveMergedCase(_) => {
                    CaseCommand::ReceiveMergedCase(ReceiveMergedCase { source, goes_on_in })
                }
                _ => CaseCommand::ReturnMergedCase(ReturnMergedCase { source, goes_on_in }),
            };
            match self.on_case(request, organization, id, &command, &[guard]).await {
                // Something happened to the source: where it goes on now decides.
                Err(CommandError::Contention) => {}
                answer => return answer,
            }
        }
        Err(CommandError::Contention)
    }
}
