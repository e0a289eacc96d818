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
