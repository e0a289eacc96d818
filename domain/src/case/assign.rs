//! Who has a case: an agent of its provider, or nobody in particular. Customers learn only that it is in progress.

use super::events::{CaseAssigned, CaseEvent, CaseStateChanged, CaseUnassigned, StateChangeCause};
use super::rejection::CaseRejection;
use super::state::{Case, Status, check_open};
use crate::context::Context;
use crate::ids::{AccountId, ProviderId};
use crate::personal::{Contact, Personal};

/// An agent who may have a case.
#[derive(Clone, Debug)]
pub struct Assignee {
    /// Their account.
    pub account: AccountId,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
    /// The provider that they work for.
    pub provider: Option<ProviderId>,
}

/// Assigns the case.
#[derive(Clone, Debug)]
pub struct AssignCase {
    /// To another agent; `None`: to the actor.
    pub to: Option<Assignee>,
}

impl AssignCase {
    /// Assigning it to who has it changes nothing.
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        check_open(case)?;
        let agent = self.to.clone().unwrap_or_else(|| Assignee {
            account: context.actor.account,
            contact: context.actor.contact.clone(),
            provider: context.actor.provider.clone(),
        });
        if case.assignment.as_ref().is_some_and(|assignment| assignment.agent == agent.account) {
            return Ok(Vec::new());
        }
        if let Some(provider) = &case.provider
            && agent.provider.as_ref() != Some(provider)
        {
            return Err(CaseRejection::AssigneeNotOfProvider { provider: provider.clone() });
        }
        let assigned =
            CaseAssigned { agent: agent.account, contact: agent.contact, provider: agent.provider };
        let taken_up = (case.status == Status::New).then(|| {
            let (from, to) = (Status::New, Status::InProgress);
            CaseStateChanged { from, to, cause: StateChangeCause::TakenUp }.into()
        });
        Ok([assigned.into()].into_iter().chain(taken_up).collect())
    }
}

/// Takes the case from whoever has it.
#[derive(Clone, Debug)]
pub struct UnassignCase {}

impl UnassignCase {
    pub(super) fn decide(&self, case: &Case) -> Result<Vec<CaseEvent>, CaseRejection> {
        let Self {} = self;
        check_open(case)?;
        let had = case.assignment.as_ref();
        Ok(had.map(|assignment| CaseUnassigned { agent: assignment.agent }.into()).into_iter().collect())
    }
}
