//! Why a command on a case is refused.

use jiff::Timestamp;

use super::reopen::FollowUpOffer;
use crate::authority::AccessRefusal;
use crate::catalogue::{Capability, Priority};
use crate::ids::PlanId;

/// Which of the caller's mistakes a rejection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value does not fit.
    Invalid,
    /// The actor may not.
    Forbidden,
    /// The state forbids it.
    Precondition,
    /// There is no such thing, or none that the actor may see.
    NotFound,
    /// There is one already.
    AlreadyExists,
}

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseRejection {
    /// The actor may not.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// No such case, or none that the actor may see.
    #[error("there is no such case")]
    NotFound,
    /// The case exists already.
    #[error("a case with this id is filed already")]
    AlreadyFiled,
    /// A value does not fit.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, camel case.
        field: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
    /// The plan does not offer the priority (R-PLAN-3).
    #[error("priority: {} is not offered by the organization's plan; one of these offers it: {}", .priority.as_str(), join(.plans))]
    PriorityNotOffered {
        /// The priority.
        priority: Priority,
        /// Plans that offer it.
        plans: Vec<PlanId>,
    },
    /// The plan does not bring the capability (R-PLAN-3).
    #[error("the organization's plan does not include {}; one of these does: {}", .capability.as_str(), join(.plans))]
    CapabilityMissing {
        /// The capability.
        capability: Capability,
        /// Plans that bring it.
        plans: Vec<PlanId>,
    },
    /// The reseller's own plan does not bring the capability (R-ESC-1).
    #[error("the reseller's own plan does not include {}; one of these does: {}", .capability.as_str(), join(.plans))]
    ResellerCapabilityMissing {
        /// The capability.
        capability: Capability,
        /// Plans that bring it.
        plans: Vec<PlanId>,
    },
    /// The case is closed.
    #[error("the case is closed; a comment within 30 days of the closing reopens it")]
    CaseClosed,
    /// An escalation is active already (R-ESC-2).
    #[error("the case is escalated already; nothing was changed")]
    EscalationActive,
    /// No escalation to act on.
    #[error("no escalation is waiting for this; nothing was changed")]
    NoEscalation,
    /// Too late to reopen (R-REOPEN-2).
    #[error(
        "the case was closed more than 30 days ago: its window for reopening ended at {ended_at}; file a new case as a follow-up"
    )]
    ReopenWindowEnded {
        /// When the window ended.
        ended_at: Timestamp,
        /// What the new case would start with.
        follow_up: Box<FollowUpOffer>,
    },
    /// Support closes with a solution only (R-CLOSE-1).
    #[error("support closes a case with a solution; propose one first")]
    SolutionRequired,
    /// Support changes a priority with a reason only (R-PRIO-1).
    #[error("support changes a priority with a reason; give one")]
    ReasonRequired,
}

fn join(plans: &[PlanId]) -> String {
    if plans.is_empty() {
        return "none in the catalogue".to_owned();
    }
    plans.iter().map(PlanId::as_str).collect::<Vec<_>>().join(", ")
}

impl CaseRejection {
    pub(super) fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }

    /// Which of the caller's mistakes it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Access(_) | Self::CapabilityMissing { .. } | Self::ResellerCapabilityMissing { .. } => {
                Kind::Forbidden
            }
            Self::NotFound => Kind::NotFound,
            Self::AlreadyFiled => Kind::AlreadyExists,
            Self::Invalid { .. } | Self::PriorityNotOffered { .. } => Kind::Invalid,
            Self::CaseClosed
            | Self::EscalationActive
            | Self::NoEscalation
            | Self::ReopenWindowEnded { .. }
            | Self::SolutionRequired
            | Self::ReasonRequired => Kind::Precondition,
        }
    }

    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Access(refusal) => refusal.reason(),
            Self::NotFound => "CASE_NOT_FOUND",
            Self::AlreadyFiled => "CASE_ALREADY_FILED",
            Self::Invalid { .. } => "INVALID_FIELD",
            Self::PriorityNotOffered { .. } => "PRIORITY_NOT_OFFERED",
            Self::CapabilityMissing { .. } | Self::ResellerCapabilityMissing { .. } => "CAPABILITY_MISSING",
            Self::CaseClosed => "CASE_CLOSED",
            Self::EscalationActive => "ESCALATION_ACTIVE",
            Self::NoEscalation => "NO_ESCALATION",
            Self::ReopenWindowEnded { .. } => "REOPEN_WINDOW_ENDED",
            Self::SolutionRequired => "SOLUTION_REQUIRED",
            Self::ReasonRequired => "REASON_REQUIRED",
        }
    }

    /// The field that does not fit, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::PriorityNotOffered { .. } => Some("priority"),
            _ => None,
        }
    }

    /// Particulars for programs, by name.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Access(refusal) => refusal.metadata(),
            Self::PriorityNotOffered { plans, .. } => vec![("plans", join(plans))],
            Self::CapabilityMissing { capability, plans } => {
                vec![("capability", capability.as_str().to_owned()), ("plans", join(plans))]
            }
            Self::ResellerCapabilityMissing { capability, plans } => vec![
                ("capability", capability.as_str().to_owned()),
                ("plans", join(plans)),
                ("of", "reseller".to_owned()),
            ],
            Self::ReopenWindowEnded { ended_at, follow_up } => {
                let mut metadata = vec![("windowEndedAt", ended_at.to_string())];
                metadata.extend(follow_up.metadata());
                metadata
            }
            _ => Vec::new(),
        }
    }
}
