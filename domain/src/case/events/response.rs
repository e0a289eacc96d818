//! What support promised as to when it answers, and what became of it (R-RESPONSE-1). The customer side sees the promise and
//! the verdict; by whose calendar it was counted, and when support is warned, is support's own affair.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::OpenInterval;
use crate::catalogue::{Priority, ResponseObjective};
use crate::ids::{CalendarId, PlanId};
use crate::personal::personal_fields;

/// To what support answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseKind {
    /// To the filing.
    First,
    /// To what the customer side said later.
    Next,
}

impl ResponseKind {
    /// The name in read models and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Next => "next",
        }
    }
}

/// What a promise was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectiveCause {
    /// The filing.
    Filing,
    /// A comment of the customer side.
    Comment,
    /// A change of priority, which brings it forward and never puts it off.
    PriorityChange,
    /// An escalation of a case with a proposed solution.
    Escalation,
    /// A merge that was undone while the customer side waited.
    MergeUndone,
    /// It turned out not to be about a known issue, whose solution was proposed (R-KI-5).
    KnownIssueUnlinked,
}

/// Support promised to answer by an instant. It replaces the promise before, where one was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResponseObjectiveSet {
    /// To what.
    #[schemars(extend("x-analytics" = true))]
    pub kind: ResponseKind,
    /// The last instant at which the answer is on time.
    #[schemars(extend("x-analytics" = true))]
    pub due_at: Timestamp,
    /// From when it was counted.
    #[schemars(extend("x-analytics" = true))]
    pub from: Timestamp,
    /// The priority of that moment.
    #[schemars(extend("x-analytics" = true))]
    pub priority: Priority,
    /// The plan that promises.
    #[schemars(extend("x-analytics" = true))]
    pub plan: PlanId,
    /// What the plan promises.
    pub objective: ResponseObjective,
    /// What it was made for.
    #[schemars(extend("x-analytics" = true))]
    pub cause: ObjectiveCause,
}
personal_fields!(ResponseObjectiveSet {});

/// By which calendar a promise was counted, and when support is warned; always right after the promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResponseClockSet {
    /// To what.
    #[schemars(extend("x-analytics" = true))]
    pub kind: ResponseKind,
    /// The promise.
    #[schemars(extend("x-analytics" = true))]
    pub due_at: Timestamp,
    /// When support is warned.
    #[schemars(extend("x-analytics" = true))]
    pub warn_at: Timestamp,
    /// The calendar of the provider.
    pub calendar: CalendarId,
    /// What was counted, in order; the first [`super::super::MAX_COUNTED_INTERVALS`] of it.
    pub counted: Vec<OpenInterval>,
}
personal_fields!(ResponseClockSet {});

/// A promise is about to be missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResponseWarned {
    /// To what.
    #[schemars(extend("x-analytics" = true))]
    pub kind: ResponseKind,
    /// The promise.
    #[schemars(extend("x-analytics" = true))]
    pub due_at: Timestamp,
}
personal_fields!(ResponseWarned {});

/// A promise was missed, which stays so whatever comes later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResponseMissed {
    /// To what.
    #[schemars(extend("x-analytics" = true))]
    pub kind: ResponseKind,
    /// The promise.
    #[schemars(extend("x-analytics" = true))]
    pub due_at: Timestamp,
}
personal_fields!(ResponseMissed {});

/// Support answered what it had promised to answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResponseGiven {
    /// To what.
    #[schemars(extend("x-analytics" = true))]
    pub kind: ResponseKind,
    /// The promise.
    #[schemars(extend("x-analytics" = true))]
    pub due_at: Timestamp,
    /// When it answered.
    #[schemars(extend("x-analytics" = true))]
    pub at: Timestamp,
    /// Whether that was in time.
    #[schemars(extend("x-analytics" = true))]
    pub on_time: bool,
}
personal_fields!(ResponseGiven {});
