//! Closing (R-CLOSE-1): the customer side when satisfied, from every open state; support with a solution.

use jiff::Timestamp;

use super::events::{CaseClosed, CaseEvent};
use super::rejection::CaseRejection;
use super::reopen::reopen_window_ends_at;
use super::response;
use super::state::{Case, Status, check_open};
use crate::authority::Side;
use crate::context::Context;

/// Closes the case.
#[derive(Clone, Debug)]
pub struct CloseCase {}

impl CloseCase {
    /// Closing a closed case changes nothing and is no mistake: clients repeat it after a lost answer.
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        let Self {} = self;
        if case.status == Status::Closed && case.merged_into.is_none() {
            return Ok(Vec::new());
        }
        check(case, context)?;
        Ok(closed(case, context.authority.side(), false, context.now))
    }
}

/// The closing, after the miss of what support had promised by then.
pub(super) fn closed(case: &Case, side: Side, automatic: bool, at: Timestamp) -> Vec<CaseEvent> {
    let closed = CaseClosed {
        closing: case.closings.saturating_add(1),
        side,
        reopen_window_ends_at: reopen_window_ends_at(at),
        escalation_ended: case.escalation.is_active(),
        automatic,
    };
    response::missed(case, at).into_iter().chain([closed.into()]).collect()
}

/// Whether there is a case to close: support needs a solution.
pub(super) fn check(case: &Case, context: &Context<'_>) -> Result<(), CaseRejection> {
    check_open(case)?;
    if context.authority.side() == Side::Support && case.status != Status::SolutionProvided {
        return Err(CaseRejection::SolutionRequired);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::EscalationStatus;
    use crate::testing::{Given, acme, ask, close, comment, escalate, propose};

    /// R-CASE-3.
    #[test]
    fn r_case_3_the_customer_side_closes_from_every_open_state() {
        let states = [
            Given::filed(),
            Given::filed().and("agent-north", 1, &comment("hello")),
            Given::filed().and("agent-north", 1, &ask()),
            Given::filed().and("agent-north", 1, &propose()),
        ];
        for given in states {
            let state = given.when("bob", 2, &close()).state();
            assert_eq!(state.filed().unwrap().status, Status::Closed);
        }
    }

    /// R-CLOSE-1.
    #[test]
    fn r_close_1_support_closes_with_a_solution_only() {
        assert_eq!(Given::filed().when("agent-north", 1, &close()).rejection().reason(), "SOLUTION_REQUIRED");
        let closed = Given::filed().and("agent-north", 1, &propose()).when("agent-north", 2, &close());
        assert_eq!(closed.events().len(), 1);
    }

    #[test]
    fn closing_a_closed_case_changes_nothing() {
        assert_eq!(Given::filed().and("alice", 1, &close()).when("alice", 2, &close()).events(), vec![]);
    }

    /// R-ESC-2.
    #[test]
    fn r_esc_2_closing_ends_an_active_escalation() {
        let outcome = Given::filed().and("alice", 1, &escalate()).when("alice", 2, &close());
        assert!(matches!(&outcome.events()[..], [CaseEvent::CaseClosed(closed)] if closed.escalation_ended));
        assert_eq!(outcome.state().filed().unwrap().escalation, EscalationStatus::None);
    }

    /// R-PLAN-4.
    #[test]
    fn r_plan_4_an_open_case_is_finished_without_a_plan() {
        let without = acme().without_entitlements().build();
        let given = Given::filed().in_access(without);
        assert_eq!(given.clone().when("alice", 1, &comment("more")).events().len(), 1);
        assert_eq!(given.when("alice", 1, &close()).events().len(), 1);
    }
}
