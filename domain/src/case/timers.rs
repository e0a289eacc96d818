//! What happens to a case by the passing of time: which timers it has, and what each records when it goes off. Every command
//! names what it was set for and is decided on the state, so a timer that comes late, twice, or for what has moved does nothing.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::automatic_closing::{self, AnnounceClosing, CloseUnanswered};
use super::events::{CaseEvent, ReopenWindowEnded, ResponseWarned};
use super::state::{Case, Status};
use super::{CaseCommand, response};
use crate::context::Context;
use crate::ids::{CaseId, CommandId};

/// The steps of the log's clock: what is due inclusive is over one step later.
const STEP: SignedDuration = SignedDuration::from_micros(1);

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// Support is warned that it is about to break a promise.
    ResponseWarning,
    /// The promise is broken.
    ResponseMiss,
    /// It is announced that the case closes by itself.
    ClosingAnnouncement,
    /// The case closes by itself.
    AutomaticClosing,
    /// Nothing reopens the case any more.
    ReopenWindowEnd,
}

impl TimerKind {
    /// The name in the work store and in command ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResponseWarning => "response_warning",
            Self::ResponseMiss => "response_miss",
            Self::ClosingAnnouncement => "closing_announcement",
            Self::AutomaticClosing => "automatic_closing",
            Self::ReopenWindowEnd => "reopen_window_end",
        }
    }
}

/// A timer that a case has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timer {
    /// What it is for.
    pub kind: TimerKind,
    /// The first instant at which its command does something.
    pub due: Timestamp,
    /// What the command names: the promise's instant.
    pub promised: Timestamp,
    /// What the command names: the solution or closing, from 1; 0 where it names a promise.
    pub number: u32,
}

impl Timer {
    /// The id of its command: of kind, case and promised instant, so that it is one command on every node and after every
    /// crash.
    pub fn command_id(&self, case: CaseId) -> CommandId {
        let (kind, due) = (self.kind.as_str(), self.promised.as_nanosecond());
        let purpose = format!("timer/{kind}/case-{case}/{due}");
        CommandId(Uuid::new_v8(CommandId(Uuid::nil()).derive(&purpose).to_be_bytes()))
    }

    /// What it asks for.
    pub fn command(&self) -> CaseCommand {
        match self.kind {
            TimerKind::ResponseWarning => {
                CaseCommand::RecordResponseWarning(RecordResponseWarning { due_at: self.promised })
            }
            TimerKind::ResponseMiss => {
                CaseCommand::RecordResponseMiss(RecordResponseMiss { due_at: self.promised })
            }
            TimerKind::ClosingAnnouncement => {
                CaseCommand::AnnounceClosing(AnnounceClosing { solution: self.number })
            }
            TimerKind::AutomaticClosing => {
                CaseCommand::CloseUnanswered(CloseUnanswered { solution: self.number })
            }
            TimerKind::ReopenWindowEnd => {
                CaseCommand::RecordReopenWindowEnd(RecordReopenWindowEnd { closing: self.number })
            }
        }
    }
}

/// The timers that a case has now, whether or not they are due: a function of its state, so that they are the same after any
/// downtime.
pub fn timers_of(case: &Case) -> Vec<Timer> {
    let mut timers = Vec::new();
    let mut timer = |kind, due, promised, number| timers.push(Timer { kind, due, promised, number });
    if let Some(open) = case.objective.as_ref().filter(|open| !open.missed) {
        if let Some(warn_at) = open.warn_at.filter(|_| !open.warned) {
            timer(TimerKind::ResponseWarning, warn_at, open.due_at, 0);
        }
        timer(TimerKind::ResponseMiss, just_after(open.due_at), open.due_at, 0);
    }
    if let Some((from, _)) = automatic_closing::announcement(case) {
        timer(TimerKind::ClosingAnnouncement, from, from, case.solutions);
    }
    if let Some(closes_at) = automatic_closing::closing(case) {
        timer(TimerKind::AutomaticClosing, closes_at, closes_at, case.solutions);
    }
    if let Some(ends_at) = open_window(case) {
        timer(TimerKind::ReopenWindowEnd, just_after(ends_at), ends_at, case.closings);
    }
    timers
}

fn just_after(instant: Timestamp) -> Timestamp {
    instant.checked_add(STEP).unwrap_or(Timestamp::MAX)
}

/// When the window for reopening ends, where that is not recorded.
fn open_window(case: &Case) -> Option<Timestamp> {
    case.reopen_window_ends_at.filter(|_| case.status == Status::Closed && !case.reopen_window_end_recorded)
}

/// Records that a promise is about to be missed: nothing where it was answered, moved, warned of or missed meanwhile.
#[derive(Clone, Debug)]
pub struct RecordResponseWarning {
    /// The promise.
    pub due_at: Timestamp,
}

impl RecordResponseWarning {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Vec<CaseEvent> {
        let open = case.objective.as_ref().filter(|open| {
            open.due_at == self.due_at
                && !open.warned
                && !open.missed
                && open.warn_at.is_some_and(|warn_at| warn_at <= context.now)
                // A warning after the miss would be none.
                && context.now <= open.due_at
        });
        open.map(|open| ResponseWarned { kind: open.kind, due_at: open.due_at }.into()).into_iter().collect()
    }
}

/// Records that a promise was missed: nothing where it was answered, moved or missed before.
#[derive(Clone, Debug)]
pub struct RecordResponseMiss {
    /// The promise.
    pub due_at: Timestamp,
}

impl RecordResponseMiss {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Vec<CaseEvent> {
        let same = case.objective.as_ref().is_some_and(|open| open.due_at == self.due_at);
        response::missed(case, context.now).filter(|_| same).into_iter().collect()
    }
}

/// Records that nothing reopens the case any more: nothing where it was reopened, or closed again.
#[derive(Clone, Debug)]
pub struct RecordReopenWindowEnd {
    /// The closing, from 1.
    pub closing: u32,
}

impl RecordReopenWindowEnd {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Vec<CaseEvent> {
        let ended = open_window(case).is_some_and(|ends_at| ends_at < context.now);
        if ended && case.closings == self.closing {
            vec![ReopenWindowEnded { closing: self.closing }.into()]
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventAudience;
    use crate::testing::{Given, at, change_priority, close, comment};

    const WARN: i64 = 59_500;
    const DUE: i64 = 121_600;
    const WINDOW: i64 = 2_592_000;

    fn timers(given: &Given) -> Vec<(TimerKind, Timestamp)> {
        let state = given.clone().state();
        timers_of(state.filed().unwrap()).iter().map(|timer| (timer.kind, timer.due)).collect()
    }

    fn warn(due: i64) -> CaseCommand {
        CaseCommand::RecordResponseWarning(RecordResponseWarning { due_at: at(due) })
    }

    fn miss(due: i64) -> CaseCommand {
        CaseCommand::RecordResponseMiss(RecordResponseMiss { due_at: at(due) })
    }

    fn done(given: &Given, second: i64, command: &CaseCommand) -> Vec<CaseEvent> {
        given.clone().when("system", second, command).events()
    }

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_a_promise_is_warned_of_and_missed_once_each_and_only_support_learns_of_the_warning() {
        let given = Given::supported();
        let just_after_due = at(DUE).checked_add(STEP).unwrap();
        assert_eq!(
            timers(&given),
            [(TimerKind::ResponseWarning, at(WARN)), (TimerKind::ResponseMiss, just_after_due)]
        );
        assert_eq!(done(&given, WARN - 1, &warn(DUE)), []);
        let warned = done(&given, WARN, &warn(DUE));
        assert_eq!(warned[0].audience(), EventAudience::Support);
        let given = given.and("system", WARN, &warn(DUE));
        assert_eq!(done(&given, WARN + 1, &warn(DUE)), []);
        assert_eq!(done(&given, DUE, &miss(DUE)), [], "the last instant is on time");
        let missed = done(&given, DUE + 1, &miss(DUE));
        assert_eq!(missed[0].audience(), EventAudience::Customer);
        let given = given.and("system", DUE + 1, &miss(DUE));
        assert_eq!(done(&given, DUE + 2, &miss(DUE)), []);
        assert_eq!(timers(&given), []);
        let answered = given.when("agent-north", DUE + 9, &comment("sorry")).events();
        let late = answered.iter().filter(|event| matches!(event, CaseEvent::ResponseMissed(_))).count();
        assert_eq!(late, 0, "it was recorded before");
    }

    /// R-RESPONSE-1: what a timer finds after downtime.
    #[test]
    fn r_response_1_a_late_timer_does_nothing_once_the_promise_is_answered_moved_or_over() {
        let answered = Given::supported().and("agent-north", WARN, &comment("hello"));
        assert_eq!(done(&answered, DUE + 1, &miss(DUE)), []);
        assert_eq!(done(&answered, DUE, &warn(DUE)), []);
        let moved =
            Given::supported().and("agent-north", 0, &change_priority(crate::catalogue::Priority::P1));
        assert_eq!(done(&moved, DUE + 1, &miss(DUE)), []);
        assert_eq!(done(&moved, DUE + 1, &miss(86_400)).len(), 1);
        assert_eq!(done(&moved, 70_000, &warn(DUE)), []);
        assert_eq!(done(&moved, 70_000, &warn(86_400)).len(), 1);
        assert_eq!(done(&Given::supported(), DUE + 1, &warn(DUE)), [], "a warning after the miss is none");
        let closed = Given::supported().and("alice", WARN, &close());
        assert_eq!(done(&closed, DUE + 1, &miss(DUE)), []);
    }

    /// R-REOPEN-2.
    #[test]
    fn r_reopen_2_the_end_of_the_window_is_recorded_for_support_unless_the_case_was_reopened() {
        let end = |closing| CaseCommand::RecordReopenWindowEnd(RecordReopenWindowEnd { closing });
        let closed = Given::filed().and("alice", 0, &close());
        assert_eq!(timers(&closed).len(), 1);
        assert_eq!(done(&closed, WINDOW, &end(1)), []);
        let ended = done(&closed, WINDOW + 1, &end(1));
        assert_eq!(ended[0].audience(), EventAudience::Support);
        assert_eq!(done(&closed.clone().and("system", WINDOW + 1, &end(1)), WINDOW + 2, &end(1)), []);
        let again = closed.and("alice", WINDOW, &comment("again")).and("alice", WINDOW, &close());
        assert_eq!(done(&again, WINDOW + 1, &end(1)), []);
        assert_eq!(done(&again, 2 * WINDOW + 1, &end(1)), [], "that is the first closing's timer");
        assert_eq!(done(&again, 2 * WINDOW + 1, &end(2)).len(), 1);
    }

    #[test]
    fn a_timers_command_has_one_id_on_every_node_and_each_timer_its_own() {
        let state = Given::supported().state();
        let case = state.filed().unwrap();
        let [one, two] = &timers_of(case)[..] else { panic!("two timers") };
        assert_eq!(one.command_id(case.id), one.clone().command_id(case.id));
        assert_ne!(one.command_id(case.id), two.command_id(case.id));
        assert_ne!(one.command_id(case.id), one.command_id(CaseId(ulid::Ulid::nil())));
        let later = Timer { promised: at(DUE + 1), ..*one };
        assert_ne!(later.command_id(case.id), one.command_id(case.id));
    }

    #[test]
    fn nobody_but_the_system_records_what_time_does() {
        for command in [warn(DUE), miss(DUE)] {
            for who in ["alice", "agent-north"] {
                let refused = Given::supported().when(who, DUE + 1, &command).rejection();
                assert_eq!(refused.reason(), "NOT_FOR_YOU");
            }
        }
    }
}
