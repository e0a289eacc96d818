//! Who has a case: an agent of its provider, or nobody in particular. Customers learn only that it is in progress.

use super::events::{CaseAssigned, CaseEvent, CaseStateChanged, CaseUnassigned, StateChangeCause};
use super::rejection::CaseRejection;
use super::state::{Case, Status, check_open};
use crate::account::{Account, RecognizedStaff};
use crate::context::Context;
use crate::ids::AccountId;

/// Somebody who may have a case, as their last sign-in said.
#[derive(Clone, Debug)]
pub struct Assignee {
    /// Their account.
    pub account: AccountId,
    /// What is known of them as an agent who is in; `None`: they are none.
    pub agent: Option<RecognizedStaff>,
}

impl Assignee {
    /// Somebody by their account.
    pub fn of(id: AccountId, account: &Account) -> Self {
        Self { account: id, agent: account.agent().cloned() }
    }
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
        let (agent, contact, provider) = match &self.to {
            None => (context.actor.account, context.actor.contact.clone(), context.actor.provider.clone()),
            Some(Assignee { account, agent: Some(known) }) => {
                (*account, known.contact.clone(), known.provider.clone())
            }
            Some(Assignee { agent: None, .. }) => return Err(CaseRejection::AssigneeNotAnAgent),
        };
        if case.assignment.as_ref().is_some_and(|assignment| assignment.agent == agent) {
            return Ok(Vec::new());
        }
        if let Some(of) = &case.provider
            && provider.as_ref() != Some(of)
        {
            return Err(CaseRejection::AssigneeNotOfProvider { provider: of.clone() });
        }
        let assigned = CaseAssigned { agent, contact, provider };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventAudience;
    use crate::testing::{Given, assign, assign_to, close, hand_over};

    fn unassign() -> crate::case::CaseCommand {
        crate::case::CaseCommand::Unassign(UnassignCase {})
    }

    /// R-CASE-3.
    #[test]
    fn r_case_3_assigning_takes_a_new_case_up_and_customers_learn_no_more_than_that() {
        let outcome = Given::supported().when("agent-north", 1, &assign());
        let events = outcome.events();
        let [CaseEvent::CaseAssigned(assigned), CaseEvent::CaseStateChanged(change)] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(assigned.agent, crate::testing::people("agent-north").account);
        assert_eq!((change.to, change.cause), (Status::InProgress, StateChangeCause::TakenUp));
        assert_eq!(
            events.iter().map(CaseEvent::audience).collect::<Vec<_>>(),
            [EventAudience::Support, EventAudience::Customer]
        );
        let again = Given::supported().and("agent-north", 1, &assign());
        let other = again.when("agent-north", 2, &assign_to("agent-north2")).events();
        assert_eq!(other.len(), 1, "it was in progress already");
    }

    /// R-ROUTE-1.
    #[test]
    fn r_route_1_a_case_goes_to_agents_of_its_provider_only_and_leaves_them_when_it_is_handed_over() {
        let given = Given::supported();
        let refused = given.clone().when("agent-north", 1, &assign_to("agent-south")).rejection();
        assert_eq!(refused.reason(), "ASSIGNEE_NOT_OF_PROVIDER");
        assert_eq!(refused.metadata(), [("provider", "north".to_owned())]);
        let assigned = given.and("agent-north", 1, &assign());
        assert_eq!(assigned.clone().when("agent-north", 2, &assign()).events(), vec![]);
        let state = assigned.when("agent-north", 2, &hand_over("south")).state();
        assert_eq!(state.filed().unwrap().assignment, None);
    }

    /// R-ROUTE-1.
    #[test]
    fn r_route_1_who_is_no_agent_or_out_or_unknown_gets_no_case() {
        let given = Given::supported();
        for who in ["alice", "engineer"] {
            let refused = given.clone().when("agent-north", 1, &assign_to(who)).rejection();
            assert_eq!(
                (refused.reason(), refused.field()),
                ("ASSIGNEE_NOT_AN_AGENT", Some("agent")),
                "{who}"
            );
        }
        let by_customer = given.when("alice", 1, &assign_to("agent-north2")).rejection();
        assert_eq!(by_customer.reason(), "NOT_FOR_YOU");
    }

    #[test]
    fn a_case_is_taken_from_its_agent_once_and_a_closed_one_is_not_assigned() {
        let given = Given::supported();
        assert_eq!(given.clone().when("agent-north", 1, &unassign()).events(), vec![]);
        let assigned = given.clone().and("agent-north", 1, &assign());
        assert_eq!(assigned.when("agent-north", 2, &unassign()).state().filed().unwrap().assignment, None);
        assert_eq!(given.clone().when("alice", 1, &assign()).rejection().reason(), "NOT_FOR_YOU");
        let closed = given.and("alice", 1, &close());
        assert_eq!(closed.when("agent-north", 2, &assign()).rejection().reason(), "CASE_CLOSED");
    }
}
