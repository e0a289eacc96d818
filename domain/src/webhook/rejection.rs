//! Why a command on a webhook is refused.

use crate::authority::AccessRefusal;
use crate::case::Kind;

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRejection {
    /// The actor may not.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// The organization is not registered.
    #[error("the organization is not registered; register it first")]
    NotRegistered,
    /// There is none, or none any more.
    #[error("there is no such webhook")]
    NotFound,
    /// A value does not fit.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, camel case.
        field: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
}

impl WebhookRejection {
    /// Which of the caller's mistakes it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Access(_) => Kind::Forbidden,
            Self::NotRegistered | Self::NotFound => Kind::NotFound,
            Self::Invalid { .. } => Kind::Invalid,
        }
    }

    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Access(refusal) => refusal.reason(),
            Self::NotRegistered => "NOT_REGISTERED",
            Self::NotFound => "WEBHOOK_NOT_FOUND",
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
