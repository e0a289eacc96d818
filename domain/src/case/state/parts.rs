//! Parts of a case's state.

use jiff::Timestamp;
use serde::Serialize;

use super::super::events::{ObjectiveCause, ResponseKind, SolutionKind};
use crate::catalogue::Priority;
use crate::ids::{AccountId, KnownIssueId, PlanId, ProviderId};
use crate::personal::{Contact, Personal};

/// The agent who has a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assignment {
    /// The agent.
    pub agent: AccountId,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
    /// The provider that they work for.
    pub provider: Option<ProviderId>,
}

/// The known issue that a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LinkedIssue {
    /// The known issue.
    pub issue: KnownIssueId,
    /// The solution of the case that is the issue's resolution, from 1.
    pub resolved_by_solution: Option<u32>,
}

/// The latest solution of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProposedSolution {
    /// Which one of the case it is, from 1.
    pub number: u32,
    /// Of which kind.
    pub kind: SolutionKind,
    /// When it was proposed.
    pub proposed_at: Timestamp,
    /// When its automatic closing is announced, where the catalogue had one.
    pub announced_from: Option<Timestamp>,
    /// When the case closes by itself, where the catalogue had it so; put off by a late announcement.
    pub closes_at: Option<Timestamp>,
    /// Whether the closing was announced.
    pub announced: bool,
    /// Whether a service credit was asked for.
    pub credit_requested: bool,
    /// Whether an incident report was asked for.
    pub report_requested: bool,
}

/// A promise to answer that is open (R-RESPONSE-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenObjective {
    /// To what.
    pub kind: ResponseKind,
    /// The last instant at which the answer is on time.
    pub due_at: Timestamp,
    /// From when it was counted.
    pub from: Timestamp,
    /// The priority it was made for.
    pub priority: Priority,
    /// The plan that promises.
    pub plan: PlanId,
    /// What it was made for.
    pub cause: ObjectiveCause,
    /// When support is warned.
    pub warn_at: Option<Timestamp>,
    /// Whether support was warned.
    pub warned: bool,
    /// Whether it was recorded as missed.
    pub missed: bool,
}

/// The verdict on the first response (R-RESPONSE-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FirstResponse {
    /// The promise.
    pub due_at: Timestamp,
    /// When support answered; `None`: it has not, and the promise is missed.
    pub given_at: Option<Timestamp>,
    /// Whether that was in time.
    pub on_time: bool,
}
