//! Why a command on an organization's access is refused.

use crate::authority::{AccessRefusal, Role};
use crate::case::Kind;
use crate::ids::{OrganizationId, ProductId};

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
    /// Only a registered reseller manages others.
    #[error("organizations/{organization} is not registered as a reseller")]
    NotAReseller {
        /// The organization named.
        organization: OrganizationId,
    },
    /// Another organization holds the domain.
    #[error("{domain} is claimed by another organization; if it is yours, ask the operator")]
    DomainTaken {
        /// The domain, as A-labels.
        domain: String,
    },
    /// Nobody with that address has an account, or it is deactivated (R-ACCESS-1).
    #[error("nobody with this address has an active account; they must sign in once first")]
    NoAccount,
    /// No such member, or one that is only listed.
    #[error("there is no such member with access")]
    NoSuchMember,
    /// Nobody grants a role above their own (R-ACCESS-1).
    #[error("you cannot grant a role above your own on {product}, which is {own}", own = .own.map_or("none", Role::as_str))]
    RoleAboveOwn {
        /// The product.
        product: ProductId,
        /// The role of whoever grants.
        own: Option<Role>,
    },
    /// Owners manage a product's other users (R-ACCESS-2).
    #[error("nobody changes or removes their own access; ask another owner")]
    OwnAccess,
    /// The last effective owner of a product stays (R-ACCESS-2).
    #[error("this is the last owner of {product}; make somebody else an owner first")]
    LastOwner {
        /// The product.
        product: ProductId,
    },
}

impl AccessRejection {
    pub(super) fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }

    /// Which of the caller's mistakes it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Access(_) | Self::RoleAboveOwn { .. } => Kind::Forbidden,
            Self::NotRegistered | Self::NoSuchMember => Kind::NotFound,
            Self::AlreadyRegistered | Self::AlreadyGranted | Self::DomainTaken { .. } => Kind::AlreadyExists,
            Self::Invalid { .. } | Self::NotAReseller { .. } => Kind::Invalid,
            Self::NotTheManager { .. } | Self::NoAccount | Self::OwnAccess | Self::LastOwner { .. } => {
                Kind::Precondition
            }
        }
    }

    /// The field that does not fit, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::NotAReseller { .. } => Some("manager"),
            _ => None,
        }
    }

    /// Particulars for programs, by name.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Access(refusal) => refusal.metadata(),
            Self::NotTheManager { reseller } => vec![("reseller", format!("organizations/{reseller}"))],
            Self::NotAReseller { organization } => {
                vec![("organization", format!("organizations/{organization}"))]
            }
            Self::DomainTaken { domain } => vec![("domain", domain.clone())],
            Self::RoleAboveOwn { product, own } => {
                let own = own.map_or("none", Role::as_str).to_owned();
                vec![("product", product.to_string()), ("own", own)]
            }
            Self::LastOwner { product } => vec![("product", product.to_string())],
            _ => Vec::new(),
        }
    }

    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Access(refusal) => refusal.reason(),
            Self::NotRegistered => "NOT_REGISTERED",
            Self::AlreadyRegistered => "ALREADY_REGISTERED",
            Self::Invalid { .. } => "INVALID_FIELD",
            Self::AlreadyGranted => "ALREADY_GRANTED",
            Self::NotTheManager { .. } => "NOT_THE_MANAGER",
            Self::NotAReseller { .. } => "NOT_A_RESELLER",
            Self::DomainTaken { .. } => "DOMAIN_TAKEN",
            Self::NoAccount => "NO_ACCOUNT",
            Self::NoSuchMember => "NO_SUCH_MEMBER",
            Self::RoleAboveOwn { .. } => "ROLE_ABOVE_OWN",
            Self::OwnAccess => "OWN_ACCESS",
            Self::LastOwner { .. } => "LAST_OWNER",
        }
    }
}
