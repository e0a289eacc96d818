//! Why a command on a saved view is refused.

use crate::authority::AccessRefusal;
use crate::case::Kind;

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedViewRejection {
    /// The actor may not.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// There is none, or none that the actor sees.
    #[error("there is no such saved view")]
    NotFound,
    /// It is shared with the actor, and not theirs.
    #[error("this view belongs to somebody else; save one of your own")]
    NotTheOwner,
    /// A value does not fit.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, camel case.
        field: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
}

impl SavedViewRejection {
    pub(super) fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }

    /// Which of the caller's mistakes it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Access(_) | Self::NotTheOwner => Kind::Forbidden,
            Self::NotFound => Kind::NotFound,
            Self::Invalid { .. } => Kind::Invalid,
        }
    }

    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Access(refusal) => refusal.reason(),
            Self::NotFound => "SAVED_VIEW_NOT_FOUND",
            Self::NotTheOwner => "NOT_THE_OWNER",
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
}
