//! Merges: decided on the source, told the target by a reactor, once each; at the end both sides tell the same, and no case
//! goes on in itself.

use std::collections::{BTreeMap, BTreeSet};

use dossier_domain::case::{CaseEvent, CaseState};
use dossier_domain::{Aggregate, CaseId, DomainEvent};
use dossier_eventlog::EventId;

use super::{Seen, seen};
use crate::nodes::Ground;

/// What the reactor that completes merges does, by the first event of its commands.
pub const EFFECTS: [&str; 3] = ["MergedCaseReceived", "MergedCaseReturned", "MergeUndone"];

/// What an event means for a merge.
enum Step {
    Merged(CaseId),
    Undone(CaseId),
    Received(CaseId),
    Returned(CaseId),
}

fn step(event: &CaseEvent) -> Option<Step> {
    Some(match event {
        CaseEvent::CaseMerged(merged) => Step::Merged(merged.target),
        CaseEvent::MergeUndone(undone) => Step::Undone(undone.target),
        CaseEvent::MergedCaseReceived(received) => Step::Received(received.source),
        CaseEvent::MergedCaseReturned(returned) => Step::Returned(returned.source),
        _ => return None,
    })
}

/// What triggers may have: the source, the target, whether it is a merge and not its undoing.
type Trigger = (CaseId, CaseId, bool);

#[derive(Default)]
struct Merges {
    cases: BTreeMap<CaseId, CaseState>,
    triggers: BTreeMap<EventId, Trigger>,
    /// Triggers that have had their effect.
    effected: BTreeSet<EventId>,
}

/// How many merges there were.
///
/// # Errors
/// One that is half done, was told twice or was undone for another, and a case that goes on in itself.
pub fn on_both_sides(ground: &Ground) -> Result<usize, String> {
    let mut merges = Merges::default();
    let exact = ground.log.guards_are_exact();
    for seen in seen(ground)?.iter().filter(|seen| seen.event.stream.category() == "case") {
        merges.follow(seen, exact)?;
    }
    merges.agree()?;
    merges.end(exact)?;
    Ok(merges.triggers.values().filter(|(.., is_merge)| *is_merge).count())
}

impl Merges {
    fn follow(&mut self, Seen { event, metadata }: &Seen, exact: bool) -> Result<(), String> {
        let case: CaseId = event.stream.id().parse().map_err(|error| format!("{error}"))?;
        let decoded = CaseEvent::decode(&event.event_type, event.version, &event.payload)
            .map_err(|error| error.to_string())?;
        let wrong = |why: &str| Err(format!("{decoded:?} at {} of case {case}: {why}", event.position));
        let cause = match &metadata.causation_id {
            Some(causation) => Some(EventId(causation.parse().map_err(|error| format!("{error}"))?)),
            None => None,
        };
        let triggered = cause.and_then(|cause| self.triggers.get(&cause).copied());
        let expected = match step(&decoded) {
            Some(Step::Merged(target)) => {
                let target_state = self.cases.get(&target).and_then(CaseState::filed);
                if exact && !target_state.is_some_and(|target| target.status.is_open()) {
                    return wrong("its target was not open then");
                }
                self.triggers.insert(event.event_id, (case, target, true));
                None
            }
            Some(Step::Undone(target)) => {
                self.triggers.insert(event.event_id, (case, target, false));
                // People undo merges, too.
                cause.map(|_| (case, target, true))
            }
            Some(Step::Received(source)) => Some((source, case, true)),
            Some(Step::Returned(source)) => Some((source, case, false)),
            None => None,
        };
        if let Some(expected) = expected {
            if triggered != Some(expected) {
                return wrong(&format!("it was caused by {triggered:?}"));
            }
            if !cause.is_some_and(|cause| self.effected.insert(cause)) {
                return wrong("its trigger has had its effect before");
            }
        }
        self.cases.entry(case).or_default().evolve(&decoded, event.recorded_at);
        Ok(())
    }

    /// Source and target tell the same.
    fn agree(&self) -> Result<(), String> {
        let filed = || self.cases.iter().filter_map(|(id, state)| Some((*id, state.filed()?)));
        let by_sources: BTreeSet<_> =
            filed().filter_map(|(id, case)| Some((id, case.merged_into?))).collect();
        let by_targets: BTreeSet<_> = filed()
            .flat_map(|(id, case)| case.merged_cases.iter().map(move |source| (*source, id)))
            .collect();
        match by_sources.symmetric_difference(&by_targets).next() {
            None => Ok(()),
            Some(half) => Err(format!("only one of both sides knows the merge {half:?}")),
        }
    }

    /// No case goes on in itself. Where guards are read before the append, only two cases are kept from it.
    fn end(&self, exact: bool) -> Result<(), String> {
        let next = |case: &CaseId| self.cases.get(case).and_then(CaseState::filed)?.merged_into;
        for start in self.cases.keys() {
            let steps = if exact { self.cases.len() } else { 2 };
            let mut way = std::iter::successors(next(start), next).take(steps);
            if way.any(|case| case == *start) {
                return Err(format!("case {start} goes on in itself"));
            }
        }
        Ok(())
    }
}
