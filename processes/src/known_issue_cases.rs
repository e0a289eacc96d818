//! The other half of 'me too' (R-KI-4, R-KI-5): who is affected is decided and counted on the known issue, and their case is
//! filed, linked and unlinked here, in the order in which they spoke.
//!
//! A case that is filed or linked late, when the issue is resolved already, gets the resolution at once: whoever proposes it on
//! all cases ([`crate::known_issue_solutions`]) passes over those that are not there yet. One of the two meets each case after
//! both the link and the resolution were stored, and the case takes the proposal once.

use async_trait::async_trait;
use dossier_commands::LinkedCaseAct;
use dossier_domain::known_issue::KnownIssueEvent;
use dossier_domain::{Actor, CaseId, KnownIssueId, OrganizationId, StaffRole};
use dossier_eventlog::Sealer;

use crate::reactor::{Begin, Order, ReactError, Reactor, Trigger, system_actor};

/// The reactor's name.
pub const NAME: &str = "known_issue_cases";

/// Files, links and unlinks the cases of those whom known issues affect.
pub struct KnownIssueCases {
    actor: Actor,
}

impl KnownIssueCases {
    /// The reactor, with the name of the system's actor made by a sealer.
    pub fn new(sealer: &Sealer) -> Self {
        Self { actor: system_actor(sealer, NAME, [StaffRole::System]) }
    }
}

#[async_trait]
impl Reactor for KnownIssueCases {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Nobody said 'me too' before this reactor was there, and no case may stay unfiled.
    fn begins(&self) -> Begin {
        Begin::AtBeginning
    }

    fn actor(&self) -> &Actor {
        &self.actor
    }

    async fn react(&self, trigger: &Trigger<'_>) -> Result<Vec<Order>, ReactError> {
        let Some((issue, event)) = trigger.known_issue()? else { return Ok(Vec::new()) };
        Ok(match event {
            KnownIssueEvent::AffectedUserJoined(joined) => {
                let (organization, case) = (joined.organization.clone(), joined.case);
                let resolution = LinkedCaseAct::ProposeResolution { account: joined.account };
                on_case(issue, &organization, case, [LinkedCaseAct::File(Box::new(joined)), resolution])
            }
            KnownIssueEvent::AffectedUserRejoined(joined) => {
                let resolution = LinkedCaseAct::ProposeResolution { account: joined.account };
                let acts = [LinkedCaseAct::Link, resolution];
                on_case(issue, &joined.organization, joined.case, acts)
            }
            KnownIssueEvent::AffectedUserLeft(left) => {
                on_case(issue, &left.organization, left.case, [LinkedCaseAct::Unlink])
            }
            _ => Vec::new(),
        })
    }
}

fn on_case(
    issue: KnownIssueId,
    organization: &OrganizationId,
    case: CaseId,
    acts: impl IntoIterator<Item = LinkedCaseAct>,
) -> Vec<Order> {
    let order = |act| Order::LinkedCase { organization: organization.clone(), case, issue, act };
    acts.into_iter().map(order).collect()
}

#[cfg(test)]
mod tests;
