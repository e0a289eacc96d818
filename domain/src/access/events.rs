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

/// What the organization is called, where it is and which language it prefers changed (R-ORG-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrganizationChanged {
    /// Name to show.
    pub display_name: String,
    /// ISO 3166 country or UN M49 region.
    pub country: String,
    /// Preferred language, BCP 47.
    pub language: String,
}
personal_fields!(OrganizationChanged {});

/// Whom to reach about technical matters changed (R-ORG-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TechnicalContactChanged {
    /// The contact; none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Personal<Contact>>,
}
personal_fields!(TechnicalContactChanged { contact });

/// Whether whoever signs in with an address of the organization gets an account changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FirstSignInPolicyChanged {
    /// Whether they do.
    #[schemars(extend("x-analytics" = true))]
    pub opens_accounts: bool,
}
personal_fields!(FirstSignInPolicyChanged {});

/// A product with a plan ends, or never begins (R-PLAN-4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntitlementEnded {
    /// The product.
    #[schemars(extend("x-analytics" = true))]
    pub product: ProductId,
    /// The plan.
    #[schemars(extend("x-analytics" = true))]
    pub plan: PlanId,
    /// From this instant on, inclusive, it holds no more.
    pub until: Timestamp,
}
personal_fields!(EntitlementEnded {});

/// What a member may do changed, at once (R-ACCESS-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberAccessChanged {
    /// The member.
    #[schemars(extend("x-analytics" = true))]
    pub account: AccountId,
    /// Role on each product, all of them.
    pub roles: BTreeMap<ProductId, Role>,
    /// Whether the support privilege is included.
    #[schemars(extend("x-analytics" = true))]
    pub support_privilege: bool,
}
personal_fields!(MemberAccessChanged {});

/// Somebody is of the organization no more (R-ACCESS-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberRemoved {
    /// Who was a member.
    #[schemars(extend("x-analytics" = true))]
    pub account: AccountId,
}
personal_fields!(MemberRemoved {});

/// Where a customer lets its reseller in (R-RES-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantChannel {
    /// In the support centre, by an owner of the customer.
    Centre,
    /// In account management, by the operator.
    AccountManagement,
}

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
    /// Where; either suffices.
    #[schemars(extend("x-analytics" = true))]
    pub channel: GrantChannel,
}
personal_fields!(ResellerAccessAllowed {});

/// Version 1 of [`ResellerAccessAllowed`]: only account management let resellers in, so no channel was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResellerAccessAllowedV1 {
    /// The reseller.
    #[schemars(extend("x-analytics" = true))]
    pub reseller: OrganizationId,
}

impl From<ResellerAccessAllowedV1> for ResellerAccessAllowed {
    fn from(old: ResellerAccessAllowedV1) -> Self {
        Self { reseller: old.reseller, channel: GrantChannel::AccountManagement }
    }
}

/// The organization no longer lets the reseller see cases (R-RES-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResellerAccessWithdrawn {
    /// The reseller.
    #[schemars(extend("x-analytics" = true))]
    pub reseller: OrganizationId,
    /// Where: in the centre it ends both grants, in account management only the one given there.
    #[schemars(extend("x-analytics" = true))]
    pub channel: GrantChannel,
}
personal_fields!(ResellerAccessWithdrawn {});

/// Version 1 of [`ResellerAccessWithdrawn`]: there was one grant, and the withdrawal ended it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResellerAccessWithdrawnV1 {
    /// The reseller.
    #[schemars(extend("x-analytics" = true))]
    pub reseller: OrganizationId,
}

impl From<ResellerAccessWithdrawnV1> for ResellerAccessWithdrawn {
    fn from(old: ResellerAccessWithdrawnV1) -> Self {
        Self { reseller: old.reseller, channel: GrantChannel::Centre }
    }
}

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
        ResellerAccessAllowed @ 2 { 1: ResellerAccessAllowedV1 },
        /// The reseller may no longer see cases.
        ResellerAccessWithdrawn @ 2 { 1: ResellerAccessWithdrawnV1 },
        /// Its name, country or language changed.
        OrganizationChanged @ 1,
        /// The technical contact changed.
        TechnicalContactChanged @ 1,
        /// Whether a first sign-in opens an account changed.
        FirstSignInPolicyChanged @ 1,
        /// A product with a plan ends.
        EntitlementEnded @ 1,
        /// What a member may do changed.
        MemberAccessChanged @ 1,
        /// Somebody is a member no more.
        MemberRemoved @ 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DomainEvent;

    #[test]
    fn version_1_of_a_grant_was_given_in_account_management_and_its_withdrawal_ended_all() {
        let v1 = br#"{"reseller":"nimbus"}"#;
        let AccessEvent::ResellerAccessAllowed(allowed) =
            AccessEvent::decode("ResellerAccessAllowed", 1, v1).unwrap()
        else {
            panic!("another type");
        };
        assert_eq!(allowed.channel, GrantChannel::AccountManagement);
        let AccessEvent::ResellerAccessWithdrawn(withdrawn) =
            AccessEvent::decode("ResellerAccessWithdrawn", 1, v1).unwrap()
        else {
            panic!("another type");
        };
        assert_eq!(withdrawn.channel, GrantChannel::Centre);
    }
}
