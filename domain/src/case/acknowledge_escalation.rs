//! Support's side of an escalation (R-ESC-2): requested → acknowledged → resolved.

use super::events::{CaseEvent, EscalationAcknowledged, EscalationResolved};
use super::rejection::CaseRejection;
use super::state::{Case, EscalationStatus};

/// Takes a requested escalation up.
#[derive(Clone, Debug)]
pub struct AcknowledgeEscalation {}

impl AcknowledgeEscalation {
    pub(super) fn decide(&self, case: &Case) -> Result<Vec<CaseEvent>, CaseRejection> {
        let Self {} = self;
        if case.escalation == EscalationStatus::Acknowledged {
            return Ok(Vec::new());
        }
        check_acknowledge(case)?;
        Ok(vec![EscalationAcknowledged {}.into()])
    }
}

/// Whether there is an escalation to take up.
pub(super) fn check_acknowledge(case: &Case) -> Result<(), CaseRejection> {
    if case.escalation == EscalationStatus::Requested { Ok(()) } else { Err(CaseRejection::NoEscalation) }
}

/// Finishes an active escalation.
#[derive(Clone, Debug)]
pub struct ResolveEscalation {}

impl ResolveEscalation {
    pub(super) fn decide(&self, case: &Case) -> Result<Vec<CaseEvent>, CaseRejection> {
        let Self {} = self;
        if case.escalation == EscalationStatus::Resolved {
            return Ok(Vec::new());
        }
        check_resolve(case)?;
        Ok(vec![EscalationResolved {}.into()])
    }
}

/// Whether there is an escalation to finish.
pub(super) fn check_resolve(case: &Case) -> Result<(), CaseRejection> {
    if case.escalation.is_active() { Ok(()) } else { Err(CaseRejection::NoEscalation) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Given, acknowledge, escalate, resolve_escalation};

    /// R-ESC-2.
    #[test]
    fn r_esc_2_an_escalation_goes_from_requested_to_acknowledged_to_resolved() {
        let status = |given: &Given| given.clone().state().filed().unwrap().escalation;
        let requested = Given::filed().and("alice", 1, &escalate());
        assert_eq!(status(&requested), EscalationStatus::Requested);
        let acknowledged = requested.and("agent-north", 2, &acknowledge());
        assert_eq!(status(&acknowledged), EscalationStatus::Acknowledged);
        let resolved = acknowledged.and("agent-north", 3, &resolve_escalation());
        assert_eq!(status(&resolved), EscalationStatus::Resolved);
    }

    /// R-ESC-2.
    #[test]
    fn r_esc_2_without_an_escalation_there_is_nothing_to_handle() {
        for command in [acknowledge(), resolve_escalation()] {
            assert_eq!(Given::filed().when("agent-north", 1, &command).rejection().reason(), "NO_ESCALATION");
        }
    }

    #[test]
    fn only_support_handles_an_escalation() {
        let given = Given::filed().and("alice", 1, &escalate());
        assert_eq!(given.when("alice", 2, &acknowledge()).rejection().reason(), "NOT_FOR_YOU");
    }
}
