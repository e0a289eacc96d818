//! Why somebody may not do what they want: data that the API turns into an answer with links (R-ACCESS-6).

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Role;
use crate::ids::{PlanId, ProductId};

/// Why somebody may not do what they want; says only what they may know (R-ACCESS-6).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// The sign-in is valid, but nobody here knows the person; or their account was deactivated.
    #[error("{}", if *.deactivated {
        "your account is deactivated; ask your organization's administrator"
    } else {
        "there is no account for you yet; ask one of your organization's product owners to have one opened"
    })]
    NoAccount {
        /// Whether there is one that was deactivated.
        deactivated: bool,
    },
    /// No relation to the organization, or there is no such organization: the answer is the same.
    #[error(
        "you have no access to this organization; ask one of its product owners to add you, or check its name"
    )]
    NotAMember,
    /// The grant begins later (R-ACCESS-3).
    #[error("your access starts at {from}; try again then")]
    AccessPending {
        /// When it begins.
        from: Timestamp,
    },
    /// Listed in the organization, without the support privilege (R-ACCESS-7).
    #[error(
        "you do not have the support privilege of this organization; ask one of its product owners for it"
    )]
    NoSupportPrivilege,
    /// The role on the product is too low (R-CASE-4).
    #[error("this needs the role {needed} or higher on the product; ask one of its owners", needed = .needed.as_str())]
    RoleTooLow {
        /// The lowest role that would do.
        needed: Role,
    },
    /// The action belongs to the other side.
    #[error("this is not open to you: it needs a role that only {who} have")]
    NotForYou {
        /// Who may.
        who: &'static str,
    },
    /// No valid entitlement for the product (R-PLAN-1).
    #[error("the organization has no plan for {product} that allows this; one of these would: {}", join(.plans))]
    NoEligiblePlan {
        /// The product.
        product: ProductId,
        /// The plans that would do.
        plans: BTreeSet<PlanId>,
    },
    /// The product's support has moved (R-PLAN-2).
    #[error("support for {product} has moved to {successor}: {url}")]
    ProductMoved {
        /// The product.
        product: ProductId,
        /// Who supports it now.
        successor: String,
        /// Where to find them.
        url: String,
    },
    /// A reseller who manages the organization may not act for it (R-RES-2, R-RES-6).
    #[error("{}", .because.sentence())]
    ResellerNotAllowed {
        /// Why.
        because: ResellerRefusal,
    },
}

/// Why a reseller may not act for a customer that it manages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResellerRefusal {
    /// The customer does not let it in (R-RES-2).
    NotLetIn,
    /// Neither the reseller nor a customer of its own has an eligible plan (R-RES-6).
    NoEligiblePlan,
}

impl ResellerRefusal {
    /// The name used in refusals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotLetIn => "NOT_LET_IN",
            Self::NoEligiblePlan => "NO_ELIGIBLE_PLAN",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::NotLetIn => {
                "this customer does not let its reseller see cases; one of its product owners can allow it"
            }
            Self::NoEligiblePlan => {
                "a reseller uses the centre while it, or a customer that it manages, has an eligible plan; none has now"
            }
        }
    }
}

fn join(plans: &BTreeSet<PlanId>) -> String {
    plans.iter().map(PlanId::as_str).collect::<Vec<_>>().join(", ")
}

impl AccessRefusal {
    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoAccount { .. } => "NO_ACCOUNT",
            Self::NotAMember => "NOT_A_MEMBER",
            Self::AccessPending { .. } => "ACCESS_PENDING",
            Self::NoSupportPrivilege => "NO_SUPPORT_PRIVILEGE",
            Self::RoleTooLow { .. } => "ROLE_TOO_LOW",
            Self::NotForYou { .. } => "NOT_FOR_YOU",
            Self::NoEligiblePlan { .. } => "NO_ELIGIBLE_PLAN",
            Self::ProductMoved { .. } => "PRODUCT_MOVED",
            Self::ResellerNotAllowed { .. } => "RESELLER_NOT_ALLOWED",
        }
    }

    /// Particulars for programs, by name.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::AccessPending { from } => vec![("from", from.to_string())],
            Self::RoleTooLow { needed } => vec![("needed", needed.as_str().to_owned())],
            Self::NoEligiblePlan { product, plans } => {
                vec![("product", product.to_string()), ("plans", join(plans))]
            }
            Self::ProductMoved { product, successor, url } => {
                vec![("product", product.to_string()), ("successor", successor.clone()), ("url", url.clone())]
            }
            Self::ResellerNotAllowed { because } => vec![("because", because.as_str().to_owned())],
            Self::NoAccount { deactivated } => vec![("deactivated", deactivated.to_string())],
            Self::NotAMember | Self::NoSupportPrivilege | Self::NotForYou { .. } => Vec::new(),
        }
    }
}
