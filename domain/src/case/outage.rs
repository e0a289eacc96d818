//! What the customer side may ask for after an outage (R-RESOLVE-1): a service credit, an incident report, each once per
//! solution, also once the case is closed.

use super::events::{CaseEvent, IncidentReportRequested, ServiceCreditRequested, SolutionKind};
use super::rejection::CaseRejection;
use super::state::{Case, ProposedSolution, check_not_merged};
use crate::context::Context;

/// Asks for a service credit.
#[derive(Clone, Debug)]
pub struct RequestServiceCredit {}

impl RequestServiceCredit {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        let Self {} = self;
        check_credit(case)?;
        let (solution, side) = (case.solutions, context.authority.side());
        Ok(vec![ServiceCreditRequested { solution, side }.into()])
    }
}

/// Whether a service credit can be asked for.
pub(super) fn check_credit(case: &Case) -> Result<(), CaseRejection> {
    if outage(case)?.credit_requested { Err(CaseRejection::AlreadyRequested) } else { Ok(()) }
}

/// Asks for an incident report.
#[derive(Clone, Debug)]
pub struct RequestIncidentReport {}

impl RequestIncidentReport {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        let Self {} = self;
        check_report(case)?;
        let (solution, side) = (case.solutions, context.authority.side());
        Ok(vec![IncidentReportRequested { solution, side }.into()])
    }
}

/// Whether an incident report can be asked for.
pub(super) fn check_report(case: &Case) -> Result<(), CaseRejection> {
    if outage(case)?.report_requested { Err(CaseRejection::AlreadyRequested) } else { Ok(()) }
}

fn outage(case: &Case) -> Result<&ProposedSolution, CaseRejection> {
    check_not_merged(case)?;
    let latest = case.solution.as_ref().filter(|solution| solution.kind == SolutionKind::Outage);
    latest.ok_or(CaseRejection::NoOutage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CaseCommand;
    use crate::testing::{Given, acme, close, comment, propose, propose_outage};

    fn credit() -> CaseCommand {
        CaseCommand::RequestServiceCredit(RequestServiceCredit {})
    }

    fn report() -> CaseCommand {
        CaseCommand::RequestIncidentReport(RequestIncidentReport {})
    }

    /// R-RESOLVE-1.
    #[test]
    fn r_resolve_1_after_an_outage_the_customer_side_asks_for_each_once_per_solution_also_when_closed() {
        let outage = Given::filed().and("agent-north", 1, &propose_outage()).and("bob", 2, &close());
        let asked = outage.and("bob", 3, &credit());
        assert_eq!(asked.clone().when("bob", 4, &credit()).rejection().reason(), "ALREADY_REQUESTED");
        let both = asked.and("bob", 4, &report());
        assert_eq!(both.clone().when("bob", 5, &report()).rejection().reason(), "ALREADY_REQUESTED");
        let again = both.and("alice", 6, &comment("still down")).and("agent-north", 7, &propose_outage());
        let events = again.when("alice", 8, &credit()).events();
        assert!(matches!(&events[..], [CaseEvent::ServiceCreditRequested(event)] if event.solution == 2));
    }

    /// R-RESOLVE-1.
    #[test]
    fn r_resolve_1_without_an_outage_there_is_nothing_to_ask_for_and_support_asks_for_nobody() {
        let no_outage = [
            Given::filed(),
            Given::filed().and("agent-north", 1, &propose()),
            Given::filed().and("agent-north", 1, &propose_outage()).and("agent-north", 2, &propose()),
        ];
        for given in no_outage {
            assert_eq!(given.clone().when("alice", 3, &credit()).rejection().reason(), "NO_OUTAGE");
            assert_eq!(given.when("alice", 3, &report()).rejection().reason(), "NO_OUTAGE");
        }
        let outage = Given::filed().and("agent-north", 1, &propose_outage());
        assert_eq!(outage.clone().when("agent-north", 2, &credit()).rejection().reason(), "NOT_FOR_YOU");
        assert_eq!(outage.clone().when("carol", 2, &credit()).rejection().reason(), "ROLE_TOO_LOW");
        let without = outage.in_access(acme().without_entitlements().build());
        assert_eq!(without.when("alice", 2, &report()).events().len(), 1, "R-PLAN-4: it is finished");
    }
}
