//! The fold of an organization's access events, and what it answers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::events::AccessEvent;
use crate::authority::{AccessRefusal, Role};
use crate::catalogue::{Capability, Catalogue, Priority};
use crate::event::Aggregate;
use crate::ids::{AccountId, OrganizationId, PlanId, ProductId};
use crate::personal::{Contact, Personal, PersonalFields, PersonalSlot};

/// Who the organization is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Registration {
    /// Name to show.
    pub display_name: String,
    /// ISO 3166 country or region.
    pub country: String,
    /// Preferred language.
    pub language: String,
    /// Whether it is a reseller's own account.
    pub reseller: bool,
}

/// A product with a plan for a period, [from, until).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entitlement {
    /// The product.
    #[schemars(extend("x-analytics" = true))]
    pub product: ProductId,
    /// The plan.
    #[schemars(extend("x-analytics" = true))]
    pub plan: PlanId,
    /// From this instant on, inclusive.
    #[schemars(extend("x-analytics" = true))]
    pub from: Timestamp,
    /// Until this instant, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub until: Option<Timestamp>,
}

impl Entitlement {
    /// Whether it holds at an instant.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

/// What a member may do, and from when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// Role on each product.
    pub roles: BTreeMap<ProductId, Role>,
    /// Whether they may contact support (R-ACCESS-7).
    pub support_privilege: bool,
    /// From this instant on, inclusive (R-ACCESS-3).
    pub effective_at: Timestamp,
}

/// Somebody of the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
    /// Their access; without one they are only listed.
    pub grant: Option<Grant>,
}

/// Who managed the organization from an instant on, until the next period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManagementPeriod {
    /// The reseller; `None`: direct.
    pub manager: Option<OrganizationId>,
    /// From this instant on.
    pub from: Timestamp,
}

/// An organization's access.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Access {
    /// Who it is, once registered.
    pub registration: Option<Registration>,
    /// Verified domains, lower case.
    pub domains: BTreeSet<String>,
    /// Everything it is or was entitled to.
    pub entitlements: Vec<Entitlement>,
    /// Its people.
    pub members: BTreeMap<AccountId, Member>,
    /// Management periods in order; direct before the first.
    pub management: Vec<ManagementPeriod>,
    /// The reseller that is allowed to see cases.
    pub reseller_access: Option<OrganizationId>,
}

impl Access {
    /// The reseller that manages the organization now; `None`: direct.
    pub fn manager(&self) -> Option<&OrganizationId> {
        self.management.last().and_then(|period| period.manager.as_ref())
    }

    /// The entitlement that makes a product eligible at an instant (R-PLAN-1).
    ///
    /// # Errors
    /// [`AccessRefusal::NoEligiblePlan`] with the plans that would do.
    pub fn eligible_entitlement<'a>(
        &'a self,
        product: &'a ProductId,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> Result<&'a Entitlement, AccessRefusal> {
        let eligible = catalogue.product(product).map(|product| &product.eligible_plans);
        self.valid(product, now)
            .find(|entitlement| eligible.is_some_and(|plans| plans.contains(&entitlement.plan)))
            .ok_or_else(|| AccessRefusal::NoEligiblePlan {
                product: product.clone(),
                plans: eligible.cloned().unwrap_or_default(),
            })
    }

    /// Whether a plan held for the product at an instant brings a capability (R-PLAN-3).
    pub fn has_capability(
        &self,
        product: &ProductId,
        capability: Capability,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> bool {
        self.valid(product, now)
            .filter_map(|entitlement| catalogue.plan(&entitlement.plan))
            .any(|plan| plan.capabilities.contains(&capability))
    }

    /// Whether a plan held for the product at an instant offers a priority (R-PLAN-3).
    pub fn offers_priority(
        &self,
        product: &ProductId,
        priority: Priority,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> bool {
        self.valid(product, now)
            .filter_map(|entitlement| catalogue.plan(&entitlement.plan))
            .any(|plan| plan.priorities.contains(&priority))
    }

    fn valid<'a>(&'a self, product: &'a ProductId, now: Timestamp) -> impl Iterator<Item = &'a Entitlement> {
        self.entitlements
            .iter()
            .filter(move |entitlement| entitlement.product == *product && entitlement.holds_at(now))
    }
}

impl PersonalFields for Access {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        for member in self.members.values_mut() {
            visit(&mut member.contact);
        }
    }
}

impl Aggregate for Access {
    type Event = AccessEvent;

    fn evolve(&mut self, event: &AccessEvent, at: Timestamp) {
        match event {
            AccessEvent::OrganizationRegistered(event) => {
                self.registration = Some(Registration {
                    display_name: event.display_name.clone(),
                    country: event.country.clone(),
                    language: event.language.clone(),
                    reseller: event.reseller,
                });
            }
            AccessEvent::DomainVerified(event) => {
                self.domains.insert(event.domain.clone());
            }
            AccessEvent::EntitlementGranted(event) => self.entitlements.push(Entitlement {
                product: event.product.clone(),
                plan: event.plan.clone(),
                from: event.from,
                until: event.until,
            }),
            AccessEvent::MemberListed(event) => {
                let grant = self.members.remove(&event.account).and_then(|member| member.grant);
                self.members.insert(event.account, Member { contact: event.contact.clone(), grant });
            }
            AccessEvent::AccessGranted(event) => {
                if let Some(member) = self.members.get_mut(&event.account) {
                    member.grant = Some(Grant {
                        roles: event.roles.clone(),
                        support_privilege: event.support_privilege,
                        effective_at: event.effective_at,
                    });
                }
            }
            AccessEvent::ManagementTransferred(event) => {
                self.management.push(ManagementPeriod { manager: event.manager.clone(), from: at });
                self.reseller_access = None;
            }
            AccessEvent::ResellerAccessAllowed(event) => self.reseller_access = Some(event.reseller.clone()),
            AccessEvent::ResellerAccessWithdrawn(event) => {
                if self.reseller_access.as_ref() == Some(&event.reseller) {
                    self.reseller_access = None;
                }
            }
        }
    }
}
