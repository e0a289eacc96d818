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
