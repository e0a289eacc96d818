//! Why a command on a known issue is refused.

use super::KnownIssueStatus;
use crate::authority::AccessRefusal;
use crate::case::{CaseRejection, Kind};
use crate::ids::KnownIssueId;
use crate::personal::{Personal, Subject};

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KnownIssueRejection {
    /// The actor may not.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// There is none, or none that was published.
    #[error("there is no such known issue")]
    NotFound,
    /// A case would not be filed (R-KI-4).
    #[error(transparent)]
    Filing(Box<CaseRejection>),
    /// A value does not fit.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, camel case.
        field: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
    /// It must be confirmed first (R-KI-1).
    #[error("the issue is {}, not confirmed; confirm it first", .status.as_str())]
    NotConfirmed {
        /// Where it stands.
        status: KnownIssueStatus,
    },
    /// Only what has high impact is published (R-KI-1).
    #[error("only an issue of high customer impact is published; state its impact by confirming it again")]
    ImpactNotHigh,
    /// It was dismissed.
    #[error("the issue was dismissed; raise a new suspicion")]
    Dismissed,
    /// It is published already.
    #[error("the issue is published; post an update, or resolve it")]
    AlreadyPublished,
    /// It is not published.
    #[error("the issue is {}, not published; publish it first", .status.as_str())]
    NotPublished {
        /// Where it stands.
        status: KnownIssueStatus,
    },
    /// It is resolved (R-KI-5).
    #[error("the issue is resolved; if the problem is still there, file a case")]
    Resolved,
    /// They never said that it affects them.
    #[error("you have not said that this issue affects you; nothing was changed")]
    NotJoined,
}

impl From<CaseRejection> for KnownIssueRejection {
    fn from(rejection: CaseRejection) -> Self {
        match rejection {
            CaseRejection::Access(refusal) => Self::Access(refusal),
            other => Self::Filing(Box::new(other)),
        }
    }
}

impl KnownIssueRejection {
    pub(super) fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }

    /// Which of the caller's mistakes it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Access(_) => Kind::Forbidden,
            Self::NotFound => Kind::NotFound,
            Self::Filing(rejection) => rejection.kind(),
            Self::Invalid { .. } => Kind::Invalid,
            Self::NotConfirmed { .. }
            | Self::ImpactNotHigh
            | Self::Dismissed
            | Self::AlreadyPublished
            | Self::NotPublished { .. }
            | Self::Resolved
            | Self::NotJoined => Kind::Precondition,
        }
    }

    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Access(refusal) => refusal.reason(),
            Self::NotFound => "KNOWN_ISSUE_NOT_FOUND",
            Self::Filing(rejection) => rejection.reason(),
            Self::Invalid { .. } => "INVALID_FIELD",
            Self::NotConfirmed { .. } => "KNOWN_ISSUE_NOT_CONFIRMED",
            Self::ImpactNotHigh => "IMPACT_NOT_HIGH",
            Self::Dismissed => "KNOWN_ISSUE_DISMISSED",
            Self::AlreadyPublished => "KNOWN_ISSUE_PUBLISHED",
            Self::NotPublished { .. } => "KNOWN_ISSUE_NOT_PUBLISHED",
            Self::Resolved => "KNOWN_ISSUE_RESOLVED",
            Self::NotJoined => "NOT_JOINED",
        }
    }

    /// The field that does not fit, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::Filing(rejection) => rejection.field(),
            _ => None,
        }
    }

    /// Particulars for programs, by name.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Access(refusal) => refusal.metadata(),
            Self::Filing(rejection) => rejection.metadata(),
            Self::NotConfirmed { status } | Self::NotPublished { status } => {
                vec![("status", status.as_str().to_owned())]
            }
            _ => Vec::new(),
        }
    }
}

/// What support writes about an issue, under the issue's own subject; checked in characters, and not empty.
pub(super) fn text(
    issue: KnownIssueId,
    field: &'static str,
    text: &str,
    max_chars: usize,
) -> Result<Personal<String>, KnownIssueRejection> {
    if text.trim().is_empty() {
        return Err(KnownIssueRejection::invalid(field, "must not be empty"));
    }
    // Bytes bound characters from above.
    if text.len() > max_chars && text.chars().count() > max_chars {
        let why = format!("must have at most {max_chars} characters");
        return Err(KnownIssueRejection::invalid(field, why));
    }
    Ok(Personal::new(Subject::known_issue(issue), text.to_owned()))
}
