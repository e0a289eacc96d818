//! Proposing the resolution of a known issue on every linked open case (R-KI-6): each its own command, repeated by nobody. A
//! reactor of its own, so that thousands of cases keep no 'me too' waiting for its case.

use std::sync::Arc;

use async_trait::async_trait;
use dossier_commands::{Commands, LinkedCaseAct, LoadError};
use dossier_domain::known_issue::{AffectedUsers, KnownIssueEvent, KnownIssueState};
use dossier_domain::{Actor, KnownIssueId, StaffRole};
use dossier_eventlog::{Revision, Sealer};

use crate::reactor::{Begin, Order, ReactError, Reactor, Trigger, system_actor};

/// The reactor's name.
pub const NAME: &str = "known_issue_solutions";

/// Where a known issue as it once stood comes from.
#[async_trait]
pub trait KnownIssueHistory: Send + Sync + 'static {
    /// A known issue right after an event of its stream: the same for ever.
    ///
    /// # Errors
    /// [`ReactError`].
    async fn known_issue_then(
        &self,
        issue: KnownIssueId,
        revision: Revision,
    ) -> Result<Arc<KnownIssueState>, ReactError>;
}

#[async_trait]
impl KnownIssueHistory for Commands {
    async fn known_issue_then(
        &self,
        issue: KnownIssueId,
        revision: Revision,
    ) -> Result<Arc<KnownIssueState>, ReactError> {
        self.known_issue_at(issue, revision).await.map_err(|error| match error {
            LoadError::Unavailable(why) => ReactError::Unavailable(why),
            LoadError::Damaged(why) => ReactError::Unreadable(why),
        })
    }
}

/// Proposes resolutions.
pub struct KnownIssueSolutions {
    actor: Actor,
    history: Arc<dyn KnownIssueHistory>,
}

impl KnownIssueSolutions {
    /// The reactor, with the name of the system's actor made by a sealer.
    pub fn new(sealer: &Sealer, history: Arc<dyn KnownIssueHistory>) -> Self {
        Self { actor: system_actor(sealer, NAME, [StaffRole::System]), history }
    }
}

#[async_trait]
impl Reactor for KnownIssueSolutions {
    fn name(&self) -> &'static str {
        NAME
    }

    /// No issue was resolved before this reactor was there, and no case may miss its resolution.
    fn begins(&self) -> Begin {
        Begin::AtBeginning
    }

    fn actor(&self) -> &Actor {
        &self.actor
    }

    /// One order for each who was affected at that moment.
    async fn react(&self, trigger: &Trigger<'_>) -> Result<Vec<Order>, ReactError> {
        let Some((issue, KnownIssueEvent::KnownIssueResolved(_))) = trigger.known_issue()? else {
            return Ok(Vec::new());
        };
        let then = self.history.known_issue_then(issue, trigger.event.revision).await?;
        let affected = then.suspected().map(|issue| &issue.affected);
        let orders = affected.into_iter().flat_map(AffectedUsers::affected).map(|user| Order::LinkedCase {
            organization: user.organization.clone(),
            case: user.case,
            issue,
            act: LinkedCaseAct::ProposeResolution { account: user.account },
        });
        Ok(orders.collect())
    }
}
