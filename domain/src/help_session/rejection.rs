//! Why the assistant does not go on.

use super::step::{HelpMove, HelpStep};
use crate::authority::AccessRefusal;
use crate::case::Kind;
use crate::ids::CaseId;

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HelpSessionRejection {
    /// The actor may not.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// There is none, or it is somebody else's.
    #[error("there is no such help session")]
    NotFound,
    /// It is over.
    #[error("this help session has ended; start another one")]
    Ended {
        /// The case that came of it.
        case: Option<CaseId>,
    },
    /// That is not for this step.
    #[error("at the step {} one cannot {}; see nextSteps", .at.as_str(), .wanted.as_str())]
    WrongStep {
        /// Where they are.
        at: HelpStep,
        /// What they wanted.
        wanted: HelpMove,
    },
    /// A value does not fit.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, camel case.
        field: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
}

impl HelpSessionRejection {
    /// Which of the caller's mistakes it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Access(_) => Kind::Forbidden,
            Self::NotFound => Kind::NotFound,
            Self::Ended { .. } | Self::WrongStep { .. } => Kind::Precondition,
            Self::Invalid { .. } => Kind::Invalid,
        }
    }

    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Access(refusal) => refusal.reason(),
            Self::NotFound => "HELP_SESSION_NOT_FOUND",
            Self::Ended { .. } => "HELP_SESSION_ENDED",
            Self::WrongStep { .. } => "NOT_AT_THIS_STEP",
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

    /// What a program may want to know.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Ended { case: Some(case) } => vec![("case", case.to_string())],
            Self::WrongStep { at, .. } => vec![("step", at.as_str().to_owned())],
            _ => Vec::new(),
        }
    }

    pub(super) fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }
}
