//! What changes about a case: where it stands, its title, subscribers and priority, and escalations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::state::Status;
use crate::authority::Side;
use crate::catalogue::Priority;
use crate::personal::{Personal, personal_fields};

/// What moved an open case from one open state to another (R-CASE-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateChangeCause {
    /// The customer side commented, which answers outstanding requests (R-COMMENT-1).
    CustomerComment,
    /// Support answered.
    SupportAnswer,
    /// The case was escalated (R-ESC-1).
    Escalation,
    /// Support took it up; by whom is support's own affair.
    TakenUp,
    /// The proposed solution was that of a known issue which it is not about (R-KI-5).
    KnownIssueUnlinked,
}

/// An open case moved to another open state by what was done to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseStateChanged {
    /// Before.
    #[schemars(extend("x-analytics" = true))]
    pub from: Status,
    /// After.
    #[schemars(extend("x-analytics" = true))]
    pub to: Status,
    /// Why.
    #[schemars(extend("x-analytics" = true))]
    pub cause: StateChangeCause,
}
personal_fields!(CaseStateChanged {});

/// The title changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseRenamed {
    /// The new title.
    pub title: Personal<String>,
}
personal_fields!(CaseRenamed { title });

/// The list of subscribers changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscribersChanged {
    /// The whole new list.
    pub subscribers: Vec<Personal<String>>,
}
personal_fields!(SubscribersChanged { subscribers });

/// The priority changed (R-PRIO-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PriorityChanged {
    /// Before.
    #[schemars(extend("x-analytics" = true))]
    pub from: Priority,
    /// After.
    #[schemars(extend("x-analytics" = true))]
    pub to: Priority,
    /// From which side.
    #[schemars(extend("x-analytics" = true))]
    pub side: Side,
    /// Support says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<String>>,
}
personal_fields!(PriorityChanged { reason });

/// Why somebody escalates (R-ESC-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EscalationReason {
    /// It takes too long.
    ResolutionTime,
    /// The expertise is missing.
    TechnicalExpertise,
    /// The business suffers.
    BusinessImpact,
}

/// The customer side escalated (R-ESC-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseEscalated {
    /// Why.
    #[schemars(extend("x-analytics" = true))]
    pub reason: EscalationReason,
    /// In their words.
    pub justification: Personal<String>,
    /// From which side.
    #[schemars(extend("x-analytics" = true))]
    pub side: Side,
}
personal_fields!(CaseEscalated { justification });

/// Support took the escalation up (R-ESC-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EscalationAcknowledged {}
personal_fields!(EscalationAcknowledged {});

/// Support finished the escalation (R-ESC-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EscalationResolved {}
personal_fields!(EscalationResolved {});
