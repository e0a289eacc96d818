//! Timers (promise 10): each promise that came due while it stood has one event, at its instant or later, under the command id
//! that every node derives; and what is still to come due is in the work store.

use std::collections::{BTreeMap, BTreeSet};

use dossier_domain::case::{CaseEvent, CaseState, Timer, TimerKind, timers_of};
use dossier_domain::{Aggregate, CaseId, DomainEvent};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Seen, folded, seen};
use crate::nodes::Ground;

/// A promise of a case as an event names it: of a kind, until an instant or with a number.
type Promise = (String, TimerKind, Option<Timestamp>, u32);

/// What an event says that time did; `None` for all others. Whoever answers too late records the miss, too.
fn told(case: &str, event: &CaseEvent) -> Option<Promise> {
    let (kind, until, number) = match event {
        CaseEvent::ResponseWarned(warned) => (TimerKind::ResponseWarning, Some(warned.due_at), 0),
        CaseEvent::ResponseMissed(missed) => (TimerKind::ResponseMiss, Some(missed.due_at), 0),
        CaseEvent::ClosingAnnounced(announced) => (TimerKind::ClosingAnnouncement, None, announced.solution),
        CaseEvent::CaseClosed(closed) if closed.automatic => (TimerKind::AutomaticClosing, None, 0),
        CaseEvent::ReopenWindowEnded(ended) => (TimerKind::ReopenWindowEnd, None, ended.closing),
        _ => return None,
    };
    Some((case.to_owned(), kind, until, number))
}

fn is_of((_, kind, until, number): &Promise, timer: &Timer) -> bool {
    let same_until = until.is_none_or(|until| until == timer.promised);
    let same_number = *kind == TimerKind::AutomaticClosing || *number == timer.number;
    timer.kind == *kind && same_until && same_number
}

/// How many timers went off and recorded something.
///
/// # Errors
/// One that went off early, twice, for nothing, or under an id of its own.
pub fn gone_off(ground: &Ground) -> Result<usize, String> {
    let mut cases: BTreeMap<String, CaseState> = BTreeMap::new();
    // Timers that the case had when the command was decided whose events are being read.
    let mut standing: (Uuid, Vec<Timer>) = Default::default();
    let mut seen_promises = BTreeSet::new();
    let mut fired = BTreeSet::new();
    for Seen { event, metadata } in seen(ground)?.iter().filter(|seen| seen.event.stream.category() == "case")
    {
        let id = event.stream.id();
        let case: CaseId = id.parse().map_err(|error| format!("{error}"))?;
        let state = cases.entry(id.to_owned()).or_default();
        if standing.0 != metadata.command_id {
            standing = (metadata.command_id, state.filed().map(timers_of).unwrap_or_default());
        }
        let decoded = CaseEvent::decode(&event.event_type, event.version, &event.payload)
            .map_err(|error| error.to_string())?;
        state.evolve(&decoded, event.recorded_at);
        let Some(promise) = told(id, &decoded) else { continue };
        let wrong = |why: &str| Err(format!("{decoded:?} at {} of case {id}: {why}", event.position));
        let Some(timer) = standing.1.iter().find(|timer| is_of(&promise, timer)) else {
            return wrong("nothing of the kind was promised then");
        };
        if event.recorded_at < timer.due {
            return wrong(&format!("it was due at {} only", timer.due));
        }
        if timer.kind == TimerKind::ResponseWarning && event.recorded_at > timer.promised {
            return wrong("it is a warning after the miss");
        }
        if timer.command_id(case).0 == metadata.command_id {
            fired.insert(metadata.command_id);
        } else if timer.kind != TimerKind::ResponseMiss {
            return wrong("its command has another id than the timer's");
        }
        let key = (promise, (timer.kind == TimerKind::AutomaticClosing).then_some(timer.number));
        if !seen_promises.insert(key) {
            return wrong("it has happened before");
        }
    }
    Ok(fired.len())
}

/// Makes sure that the work store holds the timers that the cases have, and that none of them is due.
///
/// # Errors
/// One that is missing, one that no case has, one that has not gone off.
pub fn none_is_lost(ground: &Ground) -> Result<(), String> {
    let log = seen(ground)?;
    let done: BTreeSet<_> = log.iter().map(|seen| seen.metadata.command_id).collect();
    let mut kept: BTreeSet<_> = ground.work.timers().into_iter().map(|set| (set.case, set.timer)).collect();
    let now = ground.world.now();
    for (case, fold) in folded(&log)? {
        let id: CaseId = case.parse().map_err(|error| format!("{error}"))?;
        for timer in fold.state.filed().map(timers_of).unwrap_or_default() {
            let is_kept = kept.remove(&(id, timer));
            // Warned of once, and promised again for the same instant: the command is done.
            let done = done.contains(&timer.command_id(id).0);
            if timer.due <= now && !done {
                return Err(format!(
                    "{timer:?} of case {case} is due since {} and has done nothing",
                    timer.due
                ));
            }
            if timer.due > now && !is_kept {
                return Err(format!("{timer:?} of case {case} is not in the work store"));
            }
        }
    }
    kept.first().map_or(Ok(()), |left| Err(format!("the work store holds {left:?}, which no case has")))
}
