//! Questions to the log that no command asks: what a caller may do with a case now, and the histories that explain who sees
//! it (R-RES-5, R-ESC-1).

use dossier_domain::access::Access;
use dossier_domain::account::Account;
use dossier_domain::authority::explain::PastEvent;
use dossier_domain::case::{AllowedAction, CaseRejection, CaseState, allowed_actions};
use dossier_domain::{AccountId, Aggregate, CaseId, CommandId, Context, DomainEvent, OrganizationId};
use dossier_eventlog::{Revision, StreamName};
use uuid::Uuid;

use crate::commands::{Commands, access_stream, case_stream};
use crate::error::{CommandError, LoadError};
use crate::fold::{Folded, occurred_at};
use crate::request::ActsFor;
use crate::standpoint::account_stream;

/// Events read at once.
const READ_BATCH_EVENTS: usize = 1_000;

/// A stream's events, the first one first; personal values are sealed.
pub type History<A> = Vec<PastEvent<<A as Aggregate>::Event>>;

impl Commands {
    /// Every button of a case, for an actor at this instant, and the case that they are for, personal values open: at least
    /// as new as anything acknowledged before the call.
    ///
    /// # Errors
    /// [`CommandError::Rejected`] for whoever does not see the case, or where there is none.
    pub async fn allowed_actions(
        &self,
        actor: &dossier_domain::Actor,
        acts_for: Option<&ActsFor>,
        organization: &OrganizationId,
        case: CaseId,
    ) -> Result<(Vec<AllowedAction>, Folded<CaseState>), CommandError<CaseRejection>> {
        let view = self.access_view(organization).await?;
        let standpoint = self.standpoint(actor, acts_for, Some((organization, &view))).await?;
        let folded = self.cases.view(&case_stream(case)?, true).await?;
        let now = self.now().max(folded.recorded_at.unwrap_or(jiff::Timestamp::MIN));
        let authority = standpoint.authority(actor, Some((organization, &view.access)), now);
        let context = Context {
            now,
            // Nothing is created, so nothing is derived from it.
            command_id: CommandId(Uuid::nil()),
            actor,
            authority: &authority,
            acting_for: standpoint.acting_for(),
            organization: Some(organization),
            access: &view.access,
            access_revision: view.revision.map(|revision| revision.0),
            catalogue: self.catalogue(),
        };
        // A case is addressed under its organization: elsewhere there is no such case.
        if folded.state.filed().is_some_and(|case| case.organization != *organization) {
            return Err(CommandError::Rejected(CaseRejection::NotFound));
        }
        let actions = allowed_actions(&folded.state, &context).map_err(CommandError::Rejected)?;
        Ok((actions, folded))
    }

    /// The history of a case.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn case_history(&self, case: CaseId) -> Result<History<CaseState>, LoadError> {
        self.history::<CaseState>(&case_stream(case)?).await
    }

    /// The history of an organization's access.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn access_history(&self, organization: &OrganizationId) -> Result<History<Access>, LoadError> {
        self.history::<Access>(&access_stream(organization)?).await
    }

    /// The history of an account.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn account_history(&self, account: AccountId) -> Result<History<Account>, LoadError> {
        self.history::<Account>(&account_stream(account)?).await
    }

    async fn history<A: Aggregate>(&self, stream: &StreamName) -> Result<History<A>, LoadError> {
        let mut history = Vec::new();
        let mut next = Revision(0);
        loop {
            let batch = self.store.read_stream(stream, next, READ_BATCH_EVENTS).await?;
            for recorded in &batch {
                history.push(PastEvent {
                    revision: recorded.revision.0,
                    recorded_at: recorded.recorded_at,
                    occurred_at: occurred_at(recorded)?,
                    event: A::Event::decode(&recorded.event_type, recorded.version, &recorded.payload)?,
                });
            }
            match batch.last() {
                Some(last) if batch.len() == READ_BATCH_EVENTS => next = last.revision.next(),
                _ => return Ok(history),
            }
        }
    }
}
