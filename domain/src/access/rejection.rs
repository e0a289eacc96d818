//! Why a command on an organization's access is refused.

use crate::authority::AccessRefusal;
use crate::ids::OrganizationId;

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessRejection {
    /// The actor may not.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// The organization is not registered.
    #[error("the organization is not registered; register it first")]
    NotRegistered,
    /// The organization is registered already.
    #[error("the organization is registered already")]
    AlreadyRegistered,
    /// A value does not fit.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, camel case.
        field: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
    /// Somebody who has a grant is not added again (R-ACCESS-1).
    #[error("this person has access already; change their roles instead")]
    AlreadyGranted,
    /// The organization is not managed by that reseller.
    #[error("organizations/{reseller} does not manage this organization")]
    NotTheManager {
        /// The reseller named.
        reseller: OrganizationId,
    },
}

impl AccessRejection {
    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Access(refusal) => refusal.reason(),
            Self::NotRegistered => "NOT_REGISTERED",
            Self::AlreadyRegistered => "ALREADY_REGISTERED",
            Self::Invalid { .. } => "INVALID_FIELD",
            Self::AlreadyGranted => "ALREADY_GRANTED",
            Self::NotTheManager { .. } => "NOT_THE_MANAGER",
        }
    }
}
