//! Why a command on an account is refused.

use crate::authority::AccessRefusal;
use crate::case::Kind;

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountRejection {
    /// The actor may not.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// No such account, or one of another organization.
    #[error("there is no such account")]
    NotFound,
    /// The account exists.
    #[error("there is an account of this person already")]
    AlreadyOpen,
    /// The address belongs to another account.
    #[error("this address belongs to another account")]
    EmailTaken,
    /// The organization does not open accounts at a first sign-in.
    #[error("your organization does not open accounts by signing in; ask its administrator for one")]
    FirstSignInNotAllowed,
    /// A value does not fit.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, camel case.
        field: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
}

impl AccountRejection {
    pub(super) fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }

    /// Which of the caller's mistakes it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Access(_) | Self::FirstSignInNotAllowed => Kind::Forbidden,
            Self::NotFound => Kind::NotFound,
            Self::AlreadyOpen | Self::EmailTaken => Kind::AlreadyExists,
            Self::Invalid { .. } => Kind::Invalid,
        }
    }

    /// The stable reason. Whose organization opens no accounts has none, as far as they may know.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Access(refusal) => refusal.reason(),
            Self::NotFound => "ACCOUNT_NOT_FOUND",
            Self::AlreadyOpen => "ACCOUNT_ALREADY_OPEN",
            Self::EmailTaken => "EMAIL_TAKEN",
            Self::FirstSignInNotAllowed => "NO_ACCOUNT",
            Self::Invalid { .. } => "INVALID_FIELD",
        }
    }

    /// Particulars for programs, by name.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Access(refusal) => refusal.metadata(),
            _ => Vec::new(),
        }
    }

    /// The field that does not fit, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::EmailTaken => Some("email"),
            _ => None,
        }
    }
}
