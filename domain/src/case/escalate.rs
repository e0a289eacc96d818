//! Escalating (R-ESC-1, R-ESC-2): by the customer side, in any open state, where the plan has the capability.

use super::events::{
    CaseEscalated, CaseEvent, CaseStateChanged, EscalationReason, ObjectiveCause, StateChangeCause,
};
use super::file::check_text;
use super::rejection::CaseRejection;
use super::response;
use super::state::{Case, Status, check_open};
use crate::authority::Side;
use crate::catalogue::Capability;
use crate::context::Context;
use crate::ids::PlanId;
use crate::personal::Personal;

/// Longest justification, in characters.
pub(super) const MAX_JUSTIFICATION_CHARS: usize = 12_800;

/// Escalates the case.
#[derive(Clone, Debug)]
pub struct EscalateCase {
    /// Why; must be given.
    pub reason: Option<EscalationReason>,
    /// In the caller's words.
    pub justification: Personal<String>,
}

impl EscalateCase {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        let reason = self.reason.ok_or_else(|| {
            CaseRejection::invalid(
                "escalation.reason",
                "give one of RESOLUTION_TIME, TECHNICAL_EXPERTISE, BUSINESS_IMPACT",
            )
        })?;
        check_text("escalation.justification", &self.justification, 1, MAX_JUSTIFICATION_CHARS)?;
        check(case, context)?;
        let escalated = CaseEscalated {
            reason,
            justification: self.justification.clone(),
            side: context.authority.side(),
        };
        let mut events = vec![escalated.into()];
        if case.status == Status::SolutionProvided {
            let (from, to) = (case.status, Status::InProgress);
            events.push(CaseStateChanged { from, to, cause: StateChangeCause::Escalation }.into());
            // It is support's turn again.
            events.extend(response::awaits(case, ObjectiveCause::Escalation, context));
        }
        Ok(events)
    }
}

/// Whether the case can be escalated: it is open, no escalation is active, and the plan has the capability; a reseller's
/// own plan, for whichever product, must have it too.
pub(super) fn check(case: &Case, context: &Context<'_>) -> Result<(), CaseRejection> {
    check_open(case)?;
    if case.escalation.is_active() {
        return Err(CaseRejection::EscalationActive);
    }
    require_capability(case, Capability::Escalate, context)?;
    let own = context.acting_for.filter(|_| context.authority.side() == Side::Reseller);
    if own.is_some_and(|own| {
        !own.access.has_capability_anywhere(Capability::Escalate, context.catalogue, context.now)
    }) {
        let plans = plans_with(Capability::Escalate, context);
        return Err(CaseRejection::ResellerCapabilityMissing { capability: Capability::Escalate, plans });
    }
    Ok(())
}

/// Whether the case's organization has an eligible plan (R-PLAN-4) and a plan with the capability (R-PLAN-3).
pub(super) fn require_capability(
    case: &Case,
    capability: Capability,
    context: &Context<'_>,
) -> Result<(), CaseRejection> {
    context.access.eligible_entitlement(&case.product, context.catalogue, context.now)?;
    if context.access.has_capability(&case.product, capability, context.catalogue, context.now) {
        return Ok(());
    }
    Err(CaseRejection::CapabilityMissing { capability, plans: plans_with(capability, context) })
}

fn plans_with(capability: Capability, context: &Context<'_>) -> Vec<PlanId> {
    let plans = context.catalogue.plans.iter();
    plans.filter(|plan| plan.capabilities.contains(&capability)).map(|plan| plan.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseCommand, EscalationStatus};
    use crate::testing::{
        Given, acknowledge, acme, ask, close, comment, escalate, file_case, personal, propose, reseller,
        resolve_escalation,
    };

    /// R-ESC-1.
    #[test]
    fn r_esc_1_the_customer_side_escalates_in_any_open_state() {
        let states = [
            Given::filed(),
            Given::filed().and("agent-north", 1, &comment("hello")),
            Given::filed().and("agent-north", 1, &ask()),
        ];
        for given in states {
            let before = given.clone().state().filed().unwrap().status;
            let state = given.when("bob", 2, &escalate()).state();
            assert_eq!(state.filed().unwrap().escalation, EscalationStatus::Requested);
            assert_eq!(state.filed().unwrap().status, before);
        }
    }

    /// R-ESC-1.
    #[test]
    fn r_esc_1_an_escalated_solution_goes_back_in_progress() {
        let outcome = Given::filed().and("agent-north", 1, &propose()).when("alice", 2, &escalate());
        assert!(matches!(&outcome.events()[1], CaseEvent::CaseStateChanged(change)
            if change.from == Status::SolutionProvided && change.cause == StateChangeCause::Escalation));
        assert_eq!(outcome.state().filed().unwrap().status, Status::InProgress);
    }

    /// R-ESC-1.
    #[test]
    fn r_esc_1_a_closed_case_is_not_escalated() {
        let rejection = Given::filed().and("alice", 1, &close()).when("alice", 2, &escalate()).rejection();
        assert_eq!(rejection.reason(), "CASE_CLOSED");
    }

    /// R-ESC-1.
    #[test]
    fn r_esc_1_a_plan_without_the_capability_refuses_and_names_those_with_it() {
        let silver = acme().without_entitlements().entitled("compute", "silver").build();
        let rejection = Given::filed().in_access(silver).when("alice", 1, &escalate()).rejection();
        assert_eq!(rejection.reason(), "CAPABILITY_MISSING");
        assert_eq!(rejection.metadata()[0], ("capability", "escalate".to_owned()));
    }

    /// R-ESC-1.
    #[test]
    fn r_esc_1_a_reseller_escalates_where_the_customers_plan_and_its_own_have_the_capability() {
        let with = |customer: &str, own: &str| {
            let access =
                acme().without_entitlements().entitled("compute", customer).letting_in("nimbus").build();
            let given = Given::nothing().in_access(access);
            let given = given
                .for_reseller(reseller("nimbus").without_entitlements().entitled("storage", own).build());
            let given = given.and("nina", 0, &CaseCommand::File(Box::new(file_case())));
            given
                .when("nina", 1, &escalate())
                .result()
                .err()
                .map(|refused| (refused.reason(), refused.metadata()))
        };
        assert_eq!(with("gold", "platinum"), None);
        let (reason, metadata) = with("gold", "silver").unwrap();
        assert_eq!((reason, &metadata[2]), ("CAPABILITY_MISSING", &("of", "reseller".to_owned())));
        let (reason, metadata) = with("silver", "gold").unwrap();
        assert_eq!((reason, metadata.len()), ("CAPABILITY_MISSING", 2));
    }

    /// R-ESC-1.
    #[test]
    fn r_esc_1_reason_and_justification_are_needed() {
        let without_reason =
            CaseCommand::Escalate(EscalateCase { reason: None, justification: personal("why") });
        let without_words = CaseCommand::Escalate(EscalateCase {
            reason: Some(EscalationReason::BusinessImpact),
            justification: personal(""),
        });
        for (command, field) in
            [(without_reason, "escalation.reason"), (without_words, "escalation.justification")]
        {
            assert_eq!(Given::filed().when("alice", 1, &command).rejection().field(), Some(field));
        }
    }

    /// R-ESC-1.
    #[test]
    fn r_esc_1_support_does_not_escalate_for_the_customer() {
        assert_eq!(Given::filed().when("agent-north", 1, &escalate()).rejection().reason(), "NOT_FOR_YOU");
    }

    /// R-ESC-2.
    #[test]
    fn r_esc_2_a_second_escalation_while_one_is_active_changes_nothing_and_says_so() {
        let requested = Given::filed().and("alice", 1, &escalate());
        let acknowledged = requested.clone().and("agent-north", 2, &acknowledge());
        for given in [requested, acknowledged.clone()] {
            assert_eq!(given.when("bob", 3, &escalate()).rejection().reason(), "ESCALATION_ACTIVE");
        }
        let resolved = acknowledged.and("agent-north", 3, &resolve_escalation());
        assert_eq!(resolved.when("alice", 4, &escalate()).events().len(), 1);
    }

    /// R-PLAN-4.
    #[test]
    fn r_plan_4_without_a_plan_nothing_is_escalated() {
        let without = acme().without_entitlements().build();
        assert_eq!(
            Given::filed().in_access(without).when("alice", 1, &escalate()).rejection().reason(),
            "NO_ELIGIBLE_PLAN"
        );
    }
}
