//! What is written about an organization's access. These structs are the contract with the log.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::authority::Role;
use crate::event::domain_events;
use crate::ids::{AccountId, OrganizationId, PlanId, ProductId};
use crate::personal::{Contact, Personal, personal_fields};

/// The organization exists (R-ORG-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrganizationRegistered {
    /// The organization.
    #[schemars(extend("x-analytics" = true))]
    pub organization: OrganizationId,
    /// Name to show.
    pub display_name: String,
    /// ISO 3166 country or region.
    pub country: String,
    /// Preferred language, BCP 47.
    pub language: String,
    /// Whether it is a reseller's own account.
    pub reseller: bool,
}
personal_fields!(OrganizationRegistered {});

/// A domain belongs to the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DomainVerified {
    /// The domain, lower case.
    pub domain: String,
}
personal_fields!(DomainVerified {});

/// A product came with a plan for a period (R-PLAN-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntitlementGranted {
    /// The product.
    #[schemars(extend("x-analytics" = true))]
    pub product: ProductId,
    /// The plan.
    #[schemars(extend("x-analytics" = true))]
    pub plan: PlanId,
    /// From this instant on, inclusive.
    pub from: Timestamp,
    /// Until this instant, exclusive; open without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}
personal_fields!(EntitlementGranted {});

/// Somebody stands in the organization's directory, without access (R-ACCESS-7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberListed {
    /// The person.
    #[schemars(extend("x-analytics" = true))]
    pub account: AccountId,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
}
personal_fields!(MemberListed { contact });

/// A member got access, from an instant on (R-ACCESS-1, R-ACCESS-3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessGranted {
    /// The member.
    #[schemars(extend("x-analytics" = true))]
    pub account: AccountId,
    /// Role on each product.
    pub roles: BTreeMap<ProductId, Role>,
    /// Whether the support privilege is included.
    pub support_privilege: bool,
    /// From this instant on, inclusive.
    pub effective_at: Timestamp,
}
personal_fields!(AccessGranted {});

/// Another reseller manages the organization, or none does (R-RES-3). Ends a reseller's access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManagementTransferred {
    /// Who manages it now; nobody: it is direct.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub manager: Option<OrganizationId>,
}
personal_fields!(ManagementTransferred {});

/// The organization lets its managing reseller see cases (R-RES-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResellerAccessAllowed {
    /// The reseller.
    #[schemars(extend("x-analytics" = true))]
    pub reseller: OrganizationId,
}
personal_fields!(ResellerAccessAllowed {});

/// The organization no longer lets the reseller see cases (R-RES-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResellerAccessWithdrawn {
    /// The reseller.
    #[schemars(extend("x-analytics" = true))]
    pub reseller: OrganizationId,
}
personal_fields!(ResellerAccessWithdrawn {});

domain_events! {
    /// Everything that can have happened to an organization's access.
    pub enum AccessEvent {
        /// The organization exists.
        OrganizationRegistered @ 1,
        /// A domain is verified.
        DomainVerified @ 1,
        /// A product came with a plan.
        EntitlementGranted @ 1,
        /// Somebody stands in the directory.
        MemberListed @ 1,
        /// A member got access.
        AccessGranted @ 1,
        /// Another manager, or none.
        ManagementTransferred @ 1,
        /// The reseller may see cases.
        ResellerAccessAllowed @ 1,
        /// The reseller may no longer see cases.
        ResellerAccessWithdrawn @ 1,
    }
}
