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
pub struct UndoMerge {}

impl UndoMerge {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        let Self {} = self;
        let target = case.merged_into.ok_or(CaseRejection::NotMerged)?;
        let rerouted = route::rerouted(case, context);
        let provider = rerouted.as_ref().map(|routed| &routed.provider);
        let promise = if case.merged_while_awaiting {
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
}

impl ReceiveMergedCase {
    pub(super) fn decide(&self, case: &Case) -> Result<Vec<CaseEvent>, CaseRejection> {
        let source = self.source;
        if source == case.id {
            return Err(CaseRejection::MergeRefused(MergeRefusal::Itself));
        }
        // They were merged into each other: neither goes on anywhere, so the reactor undoes both.
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
}

impl ReturnMergedCase {
    /// What never arrived does not go back.
    pub(super) fn decide(&self, case: &Case) -> Vec<CaseEvent> {
        let source = self.source;
        let known = case.merged_cases.contains(&source);
        if known { vec![MergedCaseReturned { source }.into()] } else { Vec::new() }
    }
}
