//! Why a command on the recovery of an account is refused. None of it tells whether an account exists.

use crate::authority::AccessRefusal;
use crate::case::Kind;

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountRecoveryRejection {
    /// The actor may not.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// Nobody asked for it.
    #[error("there is no such account recovery")]
    NotFound,
    /// Somebody was quicker.
    #[error("this account recovery is closed already; look at what came of it")]
    AlreadyClosed,
    /// A value does not fit.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, camel case.
        field: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
}

impl AccountRecoveryRejection {
    /// Which of the caller's mistakes it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Access(_) => Kind::Forbidden,
            Self::NotFound => Kind::NotFound,
            Self::AlreadyClosed => Kind::Precondition,
            Self::Invalid { .. } => Kind::Invalid,
        }
    }

    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Access(refusal) => refusal.reason(),
            Self::NotFound => "ACCOUNT_RECOVERY_NOT_FOUND",
            Self::AlreadyClosed => "ACCOUNT_RECOVERY_CLOSED",
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

/// Checks the length of a text in characters; one of blanks only counts as empty.
pub(super) fn check_text(
    field: &'static str,
    text: &str,
    max_chars: usize,
) -> Result<(), AccountRecoveryRejection> {
    if text.trim().is_empty() {
        return Err(AccountRecoveryRejection::Invalid { field, why: "must not be empty".to_owned() });
    }
    // Bytes bound characters from above.
    if text.len() > max_chars && text.chars().count() > max_chars {
        let why = format!("must have at most {max_chars} characters");
        return Err(AccountRecoveryRejection::Invalid { field, why });
    }
    Ok(())
}
