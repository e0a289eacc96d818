//! Why a command on a subscription to events is refused.

use crate::authority::AccessRefusal;
use crate::case::Kind;

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventSubscriptionRejection {
    /// The actor may not.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// The organization is not registered.
    #[error("the organization is not registered; register it first")]
    NotRegistered,
    /// There is none, or it is gone for good.
    #[error("there is no such subscription; list them with showDeleted=true")]
    NotFound,
    /// A deleted one does not change.
    #[error("the subscription is deleted; undelete it first")]
    Deleted,
    /// Only a deleted one can be brought back.
    #[error("the subscription is not deleted; nothing is to be undeleted")]
    NotDeleted,
    /// A value does not fit.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, camel case.
        field: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
}

impl EventSubscriptionRejection {
    /// Which of the caller's mistakes it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Access(_) => Kind::Forbidden,
            Self::NotRegistered | Self::NotFound => Kind::NotFound,
            Self::Deleted | Self::NotDeleted => Kind::Precondition,
            Self::Invalid { .. } => Kind::Invalid,
        }
    }

    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Access(refusal) => refusal.reason(),
            Self::NotRegistered => "NOT_REGISTERED",
            Self::NotFound => "SUBSCRIPTION_NOT_FOUND",
            Self::Deleted => "SUBSCRIPTION_DELETED",
            Self::NotDeleted => "SUBSCRIPTION_NOT_DELETED",
            Self::Invalid { .. } => "INVALID_FIELD",
        }
    }

    /// The field that does not fit, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            _ => None,
        }
    }

    /// Particulars for programs, by name.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Access(refusal) => refusal.metadata(),
            _ => Vec::new(),
        }
    }
}
