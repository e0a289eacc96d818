//! Organizations, members, entitlements and domains as they are written, and the enums in which they are read.

use std::collections::BTreeMap;

use dossier_domain::access::{Access, Entitlement, Grant, ResellerRelation};
use dossier_domain::domain_claim::Claimant;
use dossier_domain::{AccountId, Contact, OrganizationId, ProductId, Role};
use dossier_projections::organizations::{EntitlementRow, MemberRow, MembershipRow, OrganizationRow};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::proto_json::{EnumEncoding, EnumTable, format_timestamp};

/// Roles on a product.
pub const ROLES: &EnumTable = &[("ROLE_UNSPECIFIED", 0), ("VIEWER", 1), ("EDITOR", 2), ("OWNER", 3)];

/// Where somebody's access stands: in force, beginning later, or none beside being listed.
pub const MEMBER_STATES: &EnumTable =
    &[("STATE_UNSPECIFIED", 0), ("EFFECTIVE", 1), ("PENDING", 2), ("LISTED", 3)];

/// Where an entitlement stands.
pub const ENTITLEMENT_STATES: &EnumTable =
    &[("STATE_UNSPECIFIED", 0), ("EFFECTIVE", 1), ("SCHEDULED", 2), ("ENDED", 3)];

/// Whether a domain is the organization's, or only claimed so far.
pub const DOMAIN_STATES: &EnumTable = &[("STATE_UNSPECIFIED", 0), ("CLAIMED", 1), ("VERIFIED", 2)];

/// The role that a number of [`ROLES`] stands for.
pub fn role_of(number: i32) -> Option<Role> {
    [(1, Role::Viewer), (2, Role::Editor), (3, Role::Owner)]
        .into_iter()
        .find_map(|(known, role)| (known == number).then_some(role))
}

fn role_number(role: Role) -> i32 {
    match role {
        Role::Viewer => 1,
        Role::Editor => 2,
        Role::Owner => 3,
    }
}

/// The name of an organization as a resource.
pub fn organization_name(id: impl std::fmt::Display) -> String {
    format!("organizations/{id}")
}

fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// How somebody is shown and reached.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContactResource {
    /// Email address.
    pub email: String,
    /// Name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

impl From<Contact> for ContactResource {
    fn from(contact: Contact) -> Self {
        Self { email: contact.email, display_name: Some(contact.display_name) }
    }
}

/// Whether the managing reseller is let in (R-RES-2).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResellerAccessResource {
    /// Either grant suffices.
    pub allowed: bool,
    /// By an owner, in the centre.
    pub allowed_in_centre: bool,
    /// By the operator, in account management.
    pub allowed_in_account_management: bool,
}

/// An organization (R-ORG-1).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationResource {
    /// `organizations/{organization}`.
    pub name: String,
    /// Name to show.
    pub display_name: String,
    /// ISO 3166 country or UN M49 region.
    pub country: String,
    /// Preferred language, BCP 47.
    pub language_code: String,
    /// Whether it is a reseller's own account.
    pub reseller: bool,
    /// Verified domains, in alphabetical order, as A-labels.
    pub domains: Vec<String>,
    /// Whom to reach about technical matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical_contact: Option<ContactResource>,
    /// Whether whoever signs in with an address of a verified domain gets an account.
    pub first_sign_in_opens_accounts: bool,
    /// The reseller that manages it, `organizations/{reseller}`; absent: direct.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// Since when it is managed so; absent: it was always direct.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management_start_time: Option<String>,
    /// Whether the manager is let in; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reseller_access: Option<ResellerAccessResource>,
    /// When anything last happened to its access.
    pub update_time: String,
}

impl OrganizationResource {
    /// As the read model has it.
    pub fn of_row(row: &OrganizationRow) -> Self {
        Self {
            name: organization_name(&row.organization),
            display_name: row.display_name.clone(),
            country: row.country.clone(),
            language_code: row.language.clone(),
            reseller: row.reseller,
            domains: row.domains(),
            technical_contact: row
                .technical_contact_email
                .clone()
                .map(|email| ContactResource { email, display_name: row.technical_contact_name.clone() }),
            first_sign_in_opens_accounts: row.first_sign_in_opens_accounts,
            manager: row.manager.as_ref().map(organization_name),
            management_start_time: row.manager_since_micros.map(instant).map(format_timestamp),
            reseller_access: row.manager.is_some().then_some(ResellerAccessResource {
                allowed: row.allowed_reseller.is_some(),
                allowed_in_centre: row.allowed_in_centre,
                allowed_in_account_management: row.allowed_in_account_management,
            }),
            update_time: format_timestamp(instant(row.updated_at_micros)),
        }
    }

    /// As a command left it; `None` where nothing is registered.
    pub fn of_fold(
        organization: &OrganizationId,
        access: &Access,
        contact: Option<Contact>,
        updated_at: Timestamp,
    ) -> Option<Self> {
        let registration = access.registration.as_ref()?;
        let relation: &ResellerRelation = &access.relation;
        Some(Self {
            name: organization_name(organization),
            display_name: registration.display_name.clone(),
            country: registration.country.clone(),
            language_code: registration.language.clone(),
            reseller: registration.reseller,
            domains: access.domains.iter().cloned().collect(),
            technical_contact: contact.map(ContactResource::from),
            first_sign_in_opens_accounts: access.first_sign_in_opens_accounts,
            manager: relation.manager.as_ref().map(organization_name),
            management_start_time: access.management.last().map(|period| format_timestamp(period.from)),
            reseller_access: relation.manager.is_some().then_some(ResellerAccessResource {
                allowed: relation.allowed().is_some(),
                allowed_in_centre: relation.allowed_in_centre,
                allowed_in_account_management: relation.allowed_in_account_management,
            }),
            update_time: format_timestamp(updated_at),
        })
    }
}

/// Somebody's roles, privilege and when they begin, in the words of the API.
struct GrantShown {
    roles: BTreeMap<String, Value>,
    support_privilege: bool,
    state: Value,
    effective_time: Option<String>,
}

impl GrantShown {
    fn new(
        roles: &BTreeMap<ProductId, Role>,
        support_privilege: bool,
        effective_at: Option<Timestamp>,
        now: Timestamp,
        enums: EnumEncoding,
    ) -> Self {
        let role = |role: &Role| enums.encode(role_number(*role), ROLES);
        let state = match effective_at {
            None => 3,
            // Inclusive (R-ACCESS-3).
            Some(at) if at <= now => 1,
            Some(_) => 2,
        };
        Self {
            roles: roles.iter().map(|(product, given)| (product.to_string(), role(given))).collect(),
            support_privilege,
            state: enums.encode(state, MEMBER_STATES),
            effective_time: effective_at.map(format_timestamp),
        }
    }

    fn of_row(row: &MemberRow, now: Timestamp, enums: EnumEncoding) -> Self {
        let effective_at = row.effective_at_micros.map(instant);
        Self::new(&row.roles(), row.support_privilege, effective_at, now, enums)
    }
}

/// Somebody of an organization (R-ACCESS-4).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberResource {
    /// `organizations/{organization}/members/{account}`.
    pub name: String,
    /// Email address; absent when it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// VIEWER, EDITOR or OWNER by product.
    #[schema(value_type = BTreeMap<String, String>)]
    pub roles: BTreeMap<String, Value>,
    /// Whether they may contact support, once the access is in force (R-ACCESS-7).
    pub support_privilege: bool,
    /// EFFECTIVE, PENDING, or LISTED in the directory without access.
    #[schema(value_type = String)]
    pub state: Value,
    /// When the access takes effect, inclusive (R-ACCESS-3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_time: Option<String>,
}

impl MemberResource {
    /// As the read model has them.
    pub fn of_row(row: &MemberRow, now: Timestamp, enums: EnumEncoding) -> Self {
        let shown = GrantShown::of_row(row, now, enums);
        let contact = (row.email.clone(), row.display_name.clone());
        Self::new(&row.organization, &row.account, contact, shown)
    }

    /// As a command left them.
    pub fn of_fold(
        organization: &OrganizationId,
        account: AccountId,
        contact: Option<&Contact>,
        grant: Option<&Grant>,
        now: Timestamp,
        enums: EnumEncoding,
    ) -> Self {
        let shown = match grant {
            None => GrantShown::new(&BTreeMap::new(), false, None, now, enums),
            Some(grant) => {
                GrantShown::new(&grant.roles, grant.support_privilege, Some(grant.effective_at), now, enums)
            }
        };
        let contact = contact.map(|contact| (contact.email.clone(), contact.display_name.clone())).unzip();
        Self::new(organization.as_str(), &account.to_string(), contact, shown)
    }

    fn new(
        organization: &str,
        account: &str,
        (email, display_name): (Option<String>, Option<String>),
        shown: GrantShown,
    ) -> Self {
        Self {
            name: format!("organizations/{organization}/members/{account}"),
            email,
            display_name,
            roles: shown.roles,
            support_privilege: shown.support_privilege,
            state: shown.state,
            effective_time: shown.effective_time,
        }
    }
}

/// An organization among those that somebody has to do with: as a member, for a reseller that manages it, or as an
/// operator. What does not apply is absent.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationEntryResource {
    /// `organizations/{organization}`.
    pub name: String,
    /// Name to show.
    pub display_name: String,
    /// Whether it is a reseller's own account.
    pub reseller: bool,
    /// One's own roles, VIEWER, EDITOR or OWNER by product.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub roles: Option<BTreeMap<String, Value>>,
    /// Whether one may contact support, once the access is in force (R-ACCESS-7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_privilege: Option<bool>,
    /// EFFECTIVE, PENDING, or LISTED in the directory without access.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub state: Option<Value>,
    /// When one's access takes effect, inclusive (R-ACCESS-3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_time: Option<String>,
    /// The reseller that manages it, `organizations/{reseller}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// Whether that reseller is let in (R-RES-2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reseller_access_allowed: Option<bool>,
}

impl OrganizationEntryResource {
    /// One that somebody belongs to.
    pub fn of_membership(row: &MembershipRow, now: Timestamp, enums: EnumEncoding) -> Self {
        let shown = GrantShown::of_row(&row.member, now, enums);
        Self {
            name: organization_name(&row.member.organization),
            display_name: row.organization_name.clone(),
            reseller: row.organization_is_reseller,
            roles: Some(shown.roles),
            support_privilege: Some(shown.support_privilege),
            state: Some(shown.state),
            effective_time: shown.effective_time,
            ..Self::default()
        }
    }

    /// One that a reseller manages, or that an operator sees.
    pub fn of_row(row: &OrganizationRow) -> Self {
        Self {
            name: organization_name(&row.organization),
            display_name: row.display_name.clone(),
            reseller: row.reseller,
            manager: row.manager.as_ref().map(organization_name),
            reseller_access_allowed: row.manager.is_some().then_some(row.allowed_reseller.is_some()),
            ..Self::default()
        }
    }
}

/// A product with a plan for a period (R-PLAN-1).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntitlementResource {
    /// The product.
    pub product: String,
    /// The plan.
    pub plan: String,
    /// From this instant on, inclusive.
    pub start_time: String,
    /// Until this instant, exclusive; absent: open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
    /// EFFECTIVE, SCHEDULED or ENDED.
    #[schema(value_type = String)]
    pub state: Value,
}

impl EntitlementResource {
    /// As the read model has it.
    pub fn of_row(row: &EntitlementRow, now: Timestamp, enums: EnumEncoding) -> Self {
        let period = (instant(row.from_micros), row.until_micros.map(instant));
        Self::new(row.product.clone(), row.plan.clone(), period, now, enums)
    }

    /// As a command left it.
    pub fn of_fold(entitlement: &Entitlement, now: Timestamp, enums: EnumEncoding) -> Self {
        let period = (entitlement.from, entitlement.until);
        Self::new(entitlement.product.to_string(), entitlement.plan.to_string(), period, now, enums)
    }

    fn new(
        product: String,
        plan: String,
        (from, until): (Timestamp, Option<Timestamp>),
        now: Timestamp,
        enums: EnumEncoding,
    ) -> Self {
        let state = if until.is_some_and(|until| until <= now) {
            3
        } else if now < from {
            2
        } else {
            1
        };
        Self {
            product,
            plan,
            start_time: format_timestamp(from),
            end_time: until.map(format_timestamp),
            state: enums.encode(state, ENTITLEMENT_STATES),
        }
    }
}

/// A domain that an organization has verified, or claims (R-ORG-1).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DomainResource {
    /// `organizations/{organization}/domains/{domain}`.
    pub name: String,
    /// The domain, as A-labels.
    pub domain: String,
    /// CLAIMED or VERIFIED.
    #[schema(value_type = String)]
    pub state: Value,
    /// What to publish in a TXT record of the domain, so that the operator can verify it; absent once it is verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// When an unverified claim stops keeping others out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_time: Option<String>,
}

impl DomainResource {
    /// A verified one.
    pub fn verified(organization: &OrganizationId, domain: &str, enums: EnumEncoding) -> Self {
        Self {
            name: format!("organizations/{organization}/domains/{domain}"),
            domain: domain.to_owned(),
            state: enums.encode(2, DOMAIN_STATES),
            challenge: None,
            expire_time: None,
        }
    }

    /// One that is claimed.
    pub fn claimed(claim: &Claimant, domain: &str, enums: EnumEncoding) -> Self {
        Self {
            state: enums.encode(1, DOMAIN_STATES),
            challenge: Some(format!("dossier-verification={}", claim.challenge)),
            expire_time: Some(format_timestamp(claim.unverified_until())),
            ..Self::verified(&claim.organization, domain, enums)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// R-ACCESS-3.
    #[test]
    fn r_access_3_a_grant_is_pending_before_its_instant_and_in_force_at_it() {
        let state = |effective_at| {
            GrantShown::new(&BTreeMap::new(), true, effective_at, at(10), EnumEncoding::Name).state
        };
        assert_eq!(
            [state(Some(at(11))), state(Some(at(10))), state(None)],
            ["PENDING", "EFFECTIVE", "LISTED"]
        );
    }

    /// R-PLAN-1.
    #[test]
    fn r_plan_1_an_entitlement_begins_with_its_first_instant_and_ends_before_its_last() {
        let state = |now| {
            let period = (at(10), Some(at(20)));
            EntitlementResource::new(String::new(), String::new(), period, at(now), EnumEncoding::Name).state
        };
        assert_eq!([9, 10, 19, 20].map(state), ["SCHEDULED", "EFFECTIVE", "EFFECTIVE", "ENDED"]);
    }

    #[test]
    fn every_role_has_its_number_and_no_other_number_is_one() {
        for role in [Role::Viewer, Role::Editor, Role::Owner] {
            assert_eq!(role_of(role_number(role)), Some(role));
        }
        assert_eq!([0, 4, -1].map(role_of), [None; 3]);
    }
}
