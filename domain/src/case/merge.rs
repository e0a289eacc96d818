//! Merging: a case goes on in another one of the same organization, and both histories are kept.
//!
//! It is decided on the **source**, on the state of the target as it was loaded; the append guards the target's revision, so
//! that a target that is closed or merged meanwhile is seen, and no two merges make a circle. A reactor then tells the
//! **target** ([`ReceiveMergedCase`]). Where a store only checks guards just before the append, two cases could be merged into
//! each other in the same instant: then each target refuses its source with [`super::CaseRejection::MergeRefused`], and the
//! reactor undoes the source's merge ([`UndoMerge`]). Undoing is decided on the source, too, and told the target
//! ([`ReturnMergedCase`]).

use super::events::{
    CaseEvent, CaseMerged, MergeUndone, MergedCaseReceived, MergedCaseReturned, ObjectiveCause,
};
use super::rejection::{CaseRejection, MergeRefusal};
use super::state::{Case, CaseState, check_open};
use super::{check_visible, response, route};
use crate::context::Context;
use crate::ids::CaseId;

/// Merges the case into another one.
#[derive(Clone, Debug)]
pub struct MergeInto {
    /// Where it goes on, as loaded; the append must guard its revision.
    pub target: CaseState,
}

impl MergeInto {
    /// Merging it again into the same case changes nothing.
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        let refused = |why| Err(CaseRejection::MergeRefused(why));
        let seen = |target: &&Case| check_visible(target, context.access, context).is_ok();
        let Some(target) = self.target.filed() else { return refused(MergeRefusal::TargetNotFound) };
        if target.id == case.id {
            return refused(MergeRefusal::Itself);
        }
        if case.merged_into == Some(target.id) {
            return Ok(Vec::new());
        }
        check_open(case)?;
        if target.organization != case.organization {
            return refused(MergeRefusal::OtherOrganization);
        }
        if !seen(&target) {
            return refused(MergeRefusal::TargetNotFound);
        }
        if let Some(into) = target.merged_into {
            return refused(MergeRefusal::TargetMerged { into });
        }
        if !target.status.is_open() {
            return refused(MergeRefusal::TargetClosed);
        }
        let merged = CaseMerged { target: target.id, escalation_ended: case.escalation.is_active() };
        Ok(response::missed(case, context.now).into_iter().chain([merged.into()]).collect())
    }
}

/// Undoes a merge: the case goes on by itself, in progress, and what the customer side waited for is promised anew.
#[derive(Clone, Debug)]
pub struct UndoMerge {
    /// Only if the case goes on in this one: whoever undoes a merge late must not undo a later one. `None`: wherever it goes on.
    pub target: Option<CaseId>,
}

impl UndoMerge {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        if self.target.is_some() && self.target != case.merged_into {
            return Ok(Vec::new());
        }
        let target = case.merged_into.ok_or(CaseRejection::NotMerged)?;
        let rerouted = route::rerouted(case, context);
        let provider = rerouted.as_ref().map(|routed| &routed.provider);
        let promise = if case.owed_when_merged.is_some() {
            response::awaits_with(case, provider, ObjectiveCause::MergeUndone, context)
        } else {
            Vec::new()
        };
        let undone = MergeUndone { target }.into();
        Ok([undone].into_iter().chain(rerouted.map(CaseEvent::from)).chain(promise).collect())
    }
}

/// Tells the target that a case goes on in it, whatever became of the target since.
#[derive(Clone, Debug)]
pub struct ReceiveMergedCase {
    /// The case that goes on in it.
    pub source: CaseId,
    /// Where that case goes on now, as loaded; the append must guard its revision.
    pub goes_on_in: Option<CaseId>,
}

impl ReceiveMergedCase {
    /// Nothing where the merge was undone since: whoever tells it late must not tell what is no longer so.
    pub(super) fn decide(&self, case: &Case) -> Result<Vec<CaseEvent>, CaseRejection> {
        let source = self.source;
        if source == case.id {
            return Err(CaseRejection::MergeRefused(MergeRefusal::Itself));
        }
        if self.goes_on_in != Some(case.id) {
            return Ok(Vec::new());
        }
        // They were merged into each other: the reactor undoes the merge that it meets first, and the other one holds.
        if case.merged_into == Some(source) {
            return Err(CaseRejection::MergeRefused(MergeRefusal::TargetMerged { into: source }));
        }
        let known = case.merged_cases.contains(&source);
        Ok(if known { Vec::new() } else { vec![MergedCaseReceived { source }.into()] })
    }
}

/// Tells the target that a case goes on by itself again.
#[derive(Clone, Debug)]
pub struct ReturnMergedCase {
    /// The case that went on in it.
    pub source: CaseId,
    /// Where that case goes on now, as loaded; the append must guard its revision.
    pub goes_on_in: Option<CaseId>,
}

impl ReturnMergedCase {
    /// What never arrived does not go back, nor does what was merged again since.
    pub(super) fn decide(&self, case: &Case) -> Vec<CaseEvent> {
        let source = self.source;
        let returned = case.merged_cases.contains(&source) && self.goes_on_in != Some(case.id);
        if returned { vec![MergedCaseReturned { source }.into()] } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::case::invariants::{other_case, supported_case};
    use crate::case::{CaseCommand, Status};
    use crate::event::Aggregate;
    use crate::ids::{OrganizationId, ProviderId};
    use crate::testing::{
        Given, answer_survey, at, change_priority, close, comment, escalate, merge, note, propose,
    };

    fn other() -> CaseState {
        other_case(supported_case().state().filed().unwrap())
    }

    fn merged() -> Given {
        supported_case().and("agent-north", 1, &merge(&other()))
    }

    fn undo() -> CaseCommand {
        CaseCommand::UndoMerge(UndoMerge { target: None })
    }

    fn receive(source: CaseId) -> CaseCommand {
        let goes_on_in = other().filed().map(|target| target.id);
        CaseCommand::ReceiveMergedCase(ReceiveMergedCase { source, goes_on_in })
    }

    #[test]
    fn a_merged_case_is_closed_to_its_customers_with_a_pointer_and_support_may_still_add_something() {
        let escalated = supported_case().and("alice", 0, &escalate());
        let state = escalated.when("agent-north", 1, &merge(&other())).state();
        let case = state.filed().unwrap();
        assert_eq!((case.status, case.closings), (Status::Closed, 0), "it is no closing");
        assert!(!case.escalation.is_active() && case.objective.is_none());
        let into = other().filed().unwrap().id.to_string();
        for command in [comment("more"), close(), escalate()] {
            let refused = merged().when("alice", 2, &command).rejection();
            assert_eq!(refused.reason(), "CASE_MERGED");
            assert_eq!(refused.metadata(), [("mergedInto", into.clone())]);
        }
        for command in [propose(), change_priority(crate::catalogue::Priority::P1)] {
            assert_eq!(merged().when("agent-north", 2, &command).rejection().reason(), "CASE_MERGED");
        }
        assert_eq!(merged().when("alice", 2, &answer_survey(1)).rejection().reason(), "CLOSING_NOT_FOUND");
        for command in [comment("for the record"), note("psst")] {
            let state = merged().when("agent-north", 2, &command).state();
            assert_eq!(state.filed().unwrap().status, Status::Closed);
        }
    }

    #[test]
    fn only_into_another_open_unmerged_case_of_the_same_organization_that_one_sees() {
        let refused = |target: CaseState| {
            let rejection = supported_case().when("agent-north", 1, &merge(&target)).rejection();
            assert_eq!(rejection.field(), Some("target"));
            rejection.reason()
        };
        let changed = |change: fn(&mut Case)| {
            let mut target = other();
            change(target.0.as_mut().unwrap());
            target
        };
        assert_eq!(refused(CaseState::default()), "MERGE_TARGET_NOT_FOUND");
        assert_eq!(refused(supported_case().state()), "MERGE_INTO_ITSELF");
        let foreign = changed(|case| case.organization = OrganizationId::new("globex").unwrap());
        assert_eq!(refused(foreign), "MERGE_ACROSS_ORGANIZATIONS");
        let souths = changed(|case| case.provider = ProviderId::new("south").ok());
        assert_eq!(refused(souths), "MERGE_TARGET_NOT_FOUND");
        assert_eq!(refused(changed(|case| case.status = Status::Closed)), "MERGE_TARGET_CLOSED");
        let merged = changed(|case| {
            (case.status, case.merged_into) = (Status::Closed, Some(CaseId(ulid::Ulid::from(9_u128))));
        });
        assert_eq!(refused(merged), "MERGE_TARGET_MERGED");
        let closed = supported_case().and("alice", 1, &close());
        assert_eq!(closed.when("agent-north", 2, &merge(&other())).rejection().reason(), "CASE_CLOSED");
        assert_eq!(supported_case().when("alice", 1, &merge(&other())).rejection().reason(), "NOT_FOR_YOU");
    }

    #[test]
    fn of_two_cases_only_one_goes_on_in_the_other() {
        let back = merge(&merged().state());
        let target = supported_case().with_case(other());
        assert_eq!(target.clone().when("agent-north", 2, &back).rejection().reason(), "MERGE_TARGET_MERGED");
        // Where a store saw neither merge in time, each target refuses while it is merged itself.
        let stale = target.and("agent-north", 2, &merge(&supported_case().state()));
        let source = supported_case().state().filed().unwrap().id;
        assert_eq!(stale.when("system", 3, &receive(source)).rejection().reason(), "MERGE_TARGET_MERGED");
        let (one, two) = (merged().and("agent-north", 2, &undo()), merged());
        assert_eq!(one.state().filed().unwrap().status, Status::InProgress);
        assert_eq!(two.when("agent-north", 2, &merge(&other())).events(), vec![], "repeated");
    }

    #[test]
    fn an_undone_merge_leaves_the_case_in_progress_and_promises_anew_what_was_open() {
        let outcome = merged().when("agent-north", 3_600, &undo());
        let events = outcome.events();
        assert!(matches!(
            &events[..],
            [CaseEvent::MergeUndone(_), CaseEvent::ResponseObjectiveSet(set), CaseEvent::ResponseClockSet(_)]
                if set.from == at(3_600) && set.cause == ObjectiveCause::MergeUndone
        ));
        let state = outcome.state();
        assert_eq!(
            (state.filed().unwrap().status, state.filed().unwrap().merged_into),
            (Status::InProgress, None)
        );
        let answered = supported_case().and("agent-north", 1, &comment("hello"));
        let undone = answered.and("agent-north", 2, &merge(&other())).when("agent-north", 3, &undo());
        assert_eq!(undone.events().len(), 1, "nobody waited");
        assert_eq!(supported_case().when("agent-north", 1, &undo()).rejection().reason(), "NOT_MERGED");
    }

    #[test]
    fn a_target_that_is_told_late_goes_by_where_the_case_goes_on_now() {
        let source = merged().state().filed().unwrap().id;
        let target = supported_case().with_case(other());
        let here = other().filed().map(|target| target.id);
        for goes_on_in in [None, Some(source)] {
            let undone = CaseCommand::ReceiveMergedCase(ReceiveMergedCase { source, goes_on_in });
            assert_eq!(target.clone().when("system", 2, &undone).events(), vec![]);
        }
        let told = target.and("system", 2, &receive(source));
        let merged_again = CaseCommand::ReturnMergedCase(ReturnMergedCase { source, goes_on_in: here });
        assert_eq!(told.when("system", 3, &merged_again).events(), vec![]);
    }

    #[test]
    fn undoing_the_merge_into_one_case_leaves_a_merge_into_another_alone() {
        let into = |target| CaseCommand::UndoMerge(UndoMerge { target: Some(target) });
        let target = other().filed().unwrap().id;
        assert_eq!(merged().when("system", 2, &into(CaseId(ulid::Ulid::from(9_u128)))).events(), vec![]);
        assert_eq!(
            supported_case().when("system", 2, &into(target)).events(),
            vec![],
            "it is undone already"
        );
        let undone = merged().when("system", 2, &into(target)).events();
        assert!(matches!(&undone[0], CaseEvent::MergeUndone(undone) if undone.target == target));
    }

    #[test]
    fn the_target_keeps_what_goes_on_in_it_whatever_became_of_it_and_each_telling_counts_once() {
        let source = merged().state().filed().unwrap().id;
        let give_back = CaseCommand::ReturnMergedCase(ReturnMergedCase { source, goes_on_in: None });
        let target = supported_case().with_case(other()).and("alice", 1, &close());
        assert_eq!(target.clone().when("system", 2, &give_back).events(), vec![]);
        let told = target.and("system", 2, &receive(source));
        assert_eq!(told.clone().when("system", 3, &receive(source)).events(), vec![]);
        assert!(told.clone().state().filed().unwrap().merged_cases.contains(&source));
        let back = told.clone().when("system", 3, &give_back).state();
        assert!(back.filed().unwrap().merged_cases.is_empty());
        assert_eq!(told.when("agent-north", 3, &receive(source)).rejection().reason(), "NOT_FOR_YOU");
        let mut untouched = CaseState::default();
        untouched.evolve(&MergedCaseReceived { source }.into(), at(0));
        assert!(untouched.filed().is_none());
    }

    /// Follows where a case goes on, and says whether it ever ends.
    fn ends(cases: &[CaseState], start: usize) -> bool {
        let id = |index: usize| cases[index].filed().map(|case| case.id);
        let next = |index: usize| {
            let into = cases[index].filed().and_then(|case| case.merged_into)?;
            (0..cases.len()).find(|other| id(*other) == Some(into))
        };
        std::iter::successors(Some(start), |index| next(*index)).take(cases.len() + 1).count() <= cases.len()
    }

    proptest! {
        /// Decided on the target's current state, as the guard has it.
        #[test]
        fn no_order_of_merging_and_undoing_makes_a_circle(
            acts in prop::collection::vec((0_usize..4, 0_usize..4, any::<bool>()), 0..30)
        ) {
            let mut cases: Vec<CaseState> = (1_u128..5)
                .map(|number| {
                    let mut state = other();
                    state.0.as_mut().unwrap().id = CaseId(ulid::Ulid::from(number));
                    state
                })
                .collect();
            for (source, target, is_merge) in acts {
                let command = if is_merge { merge(&cases[target]) } else { undo() };
                let given = supported_case().with_case(cases[source].clone());
                cases[source] = given.when("agent-north", 1, &command).clone_state();
                prop_assert!((0..cases.len()).all(|start| ends(&cases, start)));
            }
        }
    }
}
