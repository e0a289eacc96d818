//! The rows of the model.

use std::collections::{BTreeMap, BTreeSet};

use dossier_domain::access::{
    AccessGranted, Entitlement, EntitlementGranted, OrganizationRegistered, ResellerRelation,
};
use dossier_domain::personal::{Contact, Personal};
use dossier_domain::{OrganizationId, PlanId, ProductId, Role};
use dossier_eventlog::Position;
use jiff::Timestamp;
use serde::Serialize;

use crate::database::stored;
use crate::error::ProjectionError;
use crate::event::ProjectedEvent;

/// An organization as the read side shows it. Erased values are `None`.
#[allow(clippy::struct_excessive_bools, reason = "each is a column, independent of the others")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct OrganizationRow {
    /// Its id.
    pub organization: String,
    /// Name to show.
    pub display_name: String,
    /// ISO 3166 country or UN M49 region.
    pub country: String,
    /// Preferred language, BCP 47.
    pub language: String,
    /// Whether it is a reseller's own account.
    pub reseller: bool,
    /// The reseller that manages it; `None`: direct.
    pub manager: Option<String>,
    /// Since when it is managed so, microseconds since 1970; `None`: it was always direct.
    pub manager_since_micros: Option<i64>,
    /// The managing reseller, where it is let in.
    pub allowed_reseller: Option<String>,
    /// Whether the manager is let in by an owner, in the centre.
    pub allowed_in_centre: bool,
    /// Whether the manager is let in by the operator, in account management.
    pub allowed_in_account_management: bool,
    /// Verified domains, a JSON array in alphabetical order.
    pub domains: String,
    /// Address of the technical contact.
    pub technical_contact_email: Option<String>,
    /// Name of the technical contact.
    pub technical_contact_name: Option<String>,
    /// Whether whoever signs in with an address of the organization gets an account.
    pub first_sign_in_opens_accounts: bool,
    /// When it was registered, microseconds since 1970.
    pub registered_at_micros: i64,
    /// When anything last happened to its access.
    pub updated_at_micros: i64,
    /// Revision of the stream.
    pub revision: i64,
}

/// Somebody of an organization. Erased values are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct MemberRow {
    /// Whose member.
    pub organization: String,
    /// The person's account.
    pub account: String,
    /// Address.
    pub email: Option<String>,
    /// Name to show.
    pub display_name: Option<String>,
    /// Role on each product, a JSON object.
    pub roles: String,
    /// Whether they may contact support (R-ACCESS-7), once the grant is in force.
    pub support_privilege: bool,
    /// When the grant takes effect, inclusive, microseconds since 1970 (R-ACCESS-3); `None`: only listed.
    pub effective_at_micros: Option<i64>,
}

/// A membership with what it is a membership of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct MembershipRow {
    /// What the organization is called.
    pub organization_name: String,
    /// Whether it is a reseller's own account.
    pub organization_is_reseller: bool,
    /// The membership.
    #[sqlx(flatten)]
    pub member: MemberRow,
}

/// A product with a plan for a period, [from, until).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct EntitlementRow {
    /// Whose entitlement.
    pub organization: String,
    /// Revision of the event that granted it: tells them apart, in the order in which they were granted.
    pub ordinal: i64,
    /// The product.
    pub product: String,
    /// The plan.
    pub plan: String,
    /// From this instant on, inclusive, microseconds since 1970.
    pub from_micros: i64,
    /// Until this instant, exclusive; `None`: open.
    pub until_micros: Option<i64>,
}

impl OrganizationRow {
    pub(super) fn registered(registered: &OrganizationRegistered, by: &ProjectedEvent) -> Self {
        let at_micros = by.recorded_at.as_microsecond();
        Self {
            organization: by.stream.id().to_owned(),
            display_name: registered.display_name.clone(),
            country: registered.country.clone(),
            language: registered.language.clone(),
            reseller: registered.reseller,
            manager: None,
            manager_since_micros: None,
            allowed_reseller: None,
            allowed_in_centre: false,
            allowed_in_account_management: false,
            domains: "[]".to_owned(),
            technical_contact_email: None,
            technical_contact_name: None,
            first_sign_in_opens_accounts: false,
            registered_at_micros: at_micros,
            updated_at_micros: at_micros,
            revision: stored(Position(by.revision.0)),
        }
    }

    /// The verified domains.
    pub fn domains(&self) -> Vec<String> {
        serde_json::from_str(&self.domains).unwrap_or_default()
    }

    pub(super) fn add_domain(&mut self, domain: &str) {
        let domains: BTreeSet<String> = self.domains().into_iter().chain([domain.to_owned()]).collect();
        self.domains = serde_json::to_string(&domains).expect("strings are serializable");
    }

    pub(super) fn relation(&self) -> Result<ResellerRelation, ProjectionError> {
        Ok(ResellerRelation {
            manager: self.manager.as_deref().map(OrganizationId::new).transpose().map_err(damaged)?,
            allowed_in_centre: self.allowed_in_centre,
            allowed_in_account_management: self.allowed_in_account_management,
        })
    }

    pub(super) fn set_relation(&mut self, relation: &ResellerRelation) {
        self.manager = relation.manager.as_ref().map(ToString::to_string);
        self.allowed_reseller = relation.allowed().map(ToString::to_string);
        self.allowed_in_centre = relation.allowed_in_centre;
        self.allowed_in_account_management = relation.allowed_in_account_management;
    }

    pub(super) fn set_technical_contact(&mut self, contact: Option<&Personal<Contact>>) {
        let contact = contact.and_then(Personal::open);
        self.technical_contact_email = contact.map(|contact| contact.email.clone());
        self.technical_contact_name = contact.map(|contact| contact.display_name.clone());
    }
}

impl MemberRow {
    /// Somebody who is only listed.
    pub(super) fn listed(organization: &str, account: String) -> Self {
        Self {
            organization: organization.to_owned(),
            account,
            email: None,
            display_name: None,
            roles: "{}".to_owned(),
            support_privilege: false,
            effective_at_micros: None,
        }
    }

    /// The role on each product; none in a damaged row.
    pub fn roles(&self) -> BTreeMap<ProductId, Role> {
        serde_json::from_str(&self.roles).unwrap_or_default()
    }

    pub(super) fn set_contact(&mut self, contact: &Personal<Contact>) {
        self.email = contact.open().map(|contact| contact.email.clone());
        self.display_name = contact.open().map(|contact| contact.display_name.clone());
    }

    pub(super) fn set_grant(&mut self, granted: &AccessGranted) {
        self.set_access(&granted.roles, granted.support_privilege);
        self.effective_at_micros = Some(granted.effective_at.as_microsecond());
    }

    pub(super) fn set_access(&mut self, roles: &BTreeMap<ProductId, Role>, support_privilege: bool) {
        self.roles = serde_json::to_string(roles).expect("names are serializable");
        self.support_privilege = support_privilege;
    }
}

impl EntitlementRow {
    pub(super) fn granted(granted: &EntitlementGranted, by: &ProjectedEvent) -> Self {
        Self {
            organization: by.stream.id().to_owned(),
            ordinal: stored(Position(by.revision.0)),
            product: granted.product.to_string(),
            plan: granted.plan.to_string(),
            from_micros: granted.from.as_microsecond(),
            until_micros: granted.until.map(Timestamp::as_microsecond),
        }
    }

    pub(super) fn entitlement(&self) -> Result<Entitlement, ProjectionError> {
        Ok(Entitlement {
            product: ProductId::new(&self.product).map_err(damaged)?,
            plan: PlanId::new(&self.plan).map_err(damaged)?,
            from: Timestamp::from_microsecond(self.from_micros).map_err(damaged)?,
            until: self.until_micros.map(Timestamp::from_microsecond).transpose().map_err(damaged)?,
        })
    }
}

fn damaged(why: impl std::fmt::Display) -> ProjectionError {
    ProjectionError::Halted(format!("a damaged row: {why}"))
}
