//! The fold of an organization's access events, and what it answers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::events::{AccessEvent, EntitlementEnded};
use crate::access::relation::ResellerRelation;
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

    /// Ends it, where it is meant and does not end before. Whether anything of it is left: one that would have begun later
    /// never begins.
    pub fn end(&mut self, event: &EntitlementEnded) -> bool {
        let ends = self.product == event.product
            && self.plan == event.plan
            && self.until.is_none_or(|until| event.until < until);
        if ends {
            self.until = Some(event.until);
        }
        !(ends && event.until <= self.from)
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

impl Grant {
    /// Whether it makes an owner of a product, once it is in force.
    fn owns(&self, product: &ProductId) -> bool {
        self.support_privilege && self.roles.get(product) == Some(&Role::Owner)
    }
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
    /// The managing reseller, and whether it is let in.
    pub relation: ResellerRelation,
    /// Whom to reach about technical matters.
    pub technical_contact: Option<Personal<Contact>>,
    /// Whether whoever signs in with an address of the organization gets an account.
    pub first_sign_in_opens_accounts: bool,
}

impl Access {
    /// The reseller that manages the organization now; `None`: direct.
    pub fn manager(&self) -> Option<&OrganizationId> {
        self.relation.manager.as_ref()
    }

    /// The reseller that manages the organization and is let in (R-RES-2).
    pub fn allowed_reseller(&self) -> Option<&OrganizationId> {
        self.relation.allowed()
    }

    /// Whether it is a reseller's own account.
    pub fn is_reseller(&self) -> bool {
        self.registration.as_ref().is_some_and(|registration| registration.reseller)
    }

    /// Whether an account is an owner of a product whose grant is in force, with the support privilege.
    pub fn is_effective_owner(&self, account: AccountId, product: &ProductId, now: Timestamp) -> bool {
        let grant = self.members.get(&account).and_then(|member| member.grant.as_ref());
        grant.is_some_and(|grant| grant.owns(product) && grant.effective_at <= now)
    }

    /// Whether an account is the only effective owner of a product (R-ACCESS-2).
    pub(super) fn is_last_effective_owner(
        &self,
        account: AccountId,
        product: &ProductId,
        now: Timestamp,
    ) -> bool {
        self.is_effective_owner(account, product, now)
            && !self
                .members
                .keys()
                .any(|other| *other != account && self.is_effective_owner(*other, product, now))
    }

    /// Whether any product has an eligible plan at an instant (R-RES-6).
    pub fn has_eligible_plan(&self, catalogue: &Catalogue, now: Timestamp) -> bool {
        self.entitlements.iter().any(|entitlement| {
            entitlement.holds_at(now)
                && catalogue
                    .product(&entitlement.product)
                    .is_some_and(|product| product.eligible_plans.contains(&entitlement.plan))
        })
    }

    /// Whether a plan held at an instant, for whichever product, brings a capability.
    pub fn has_capability_anywhere(
        &self,
        capability: Capability,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> bool {
        self.entitlements.iter().any(|entitlement| {
            entitlement.holds_at(now)
                && catalogue
                    .plan(&entitlement.plan)
                    .is_some_and(|plan| plan.capabilities.contains(&capability))
        })
    }

    /// The entitlement that a new case on a product relies on (R-PLAN-1), unless its support has moved (R-PLAN-2).
    ///
    /// # Errors
    /// [`AccessRefusal::ProductMoved`] with the pointer, [`AccessRefusal::NoEligiblePlan`] with the plans that would do.
    pub fn entitlement_to_file<'a>(
        &'a self,
        product: &'a ProductId,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> Result<&'a Entitlement, AccessRefusal> {
        if let Some(moved) = catalogue.announced_move(product, now).filter(|moved| moved.ends_at <= now)
            && !moved.exempting_products.iter().any(|exempting| self.valid(exempting, now).next().is_some())
        {
            return Err(AccessRefusal::ProductMoved {
                product: product.clone(),
                successor: moved.successor.clone(),
                url: moved.url.clone(),
            });
        }
        self.eligible_entitlement(product, catalogue, now)
    }

    /// The products that it is entitled to support of at an instant.
    pub fn entitled_products(&self, catalogue: &Catalogue, now: Timestamp) -> BTreeSet<ProductId> {
        let products = catalogue.products.iter().map(|product| &product.id);
        products
            .filter(|product| self.eligible_entitlement(product, catalogue, now).is_ok())
            .cloned()
            .collect()
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
        self.technical_contact.for_each_personal(visit);
    }
}

impl Aggregate for Access {
    type Event = AccessEvent;

    fn evolve(&mut self, event: &AccessEvent, at: Timestamp) {
        self.relation.evolve(event);
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
            }
            AccessEvent::ResellerAccessAllowed(_) | AccessEvent::ResellerAccessWithdrawn(_) => {}
            AccessEvent::OrganizationChanged(event) => {
                if let Some(registration) = &mut self.registration {
                    registration.display_name.clone_from(&event.display_name);
                    registration.country.clone_from(&event.country);
                    registration.language.clone_from(&event.language);
                }
            }
            AccessEvent::TechnicalContactChanged(event) => self.technical_contact.clone_from(&event.contact),
            AccessEvent::FirstSignInPolicyChanged(event) => {
                self.first_sign_in_opens_accounts = event.opens_accounts;
            }
            AccessEvent::EntitlementEnded(event) => {
                self.entitlements.retain_mut(|entitlement| entitlement.end(event));
            }
            AccessEvent::MemberAccessChanged(event) => {
                if let Some(grant) =
                    self.members.get_mut(&event.account).and_then(|member| member.grant.as_mut())
                {
                    grant.roles.clone_from(&event.roles);
                    grant.support_privilege = event.support_privilege;
                }
            }
            AccessEvent::MemberRemoved(event) => {
                self.members.remove(&event.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    /// R-PLAN-1: an end cuts short what holds longer, and never lengthens what ends before.
    #[test]
    fn r_plan_1_an_end_cuts_short_what_holds_longer_and_lengthens_nothing() {
        let (product, plan) = (ProductId::new("compute").unwrap(), PlanId::new("gold").unwrap());
        let after_end_at_50 = |from, until: Option<i64>| {
            let (product, plan) = (product.clone(), plan.clone());
            let ended = EntitlementEnded { product: product.clone(), plan: plan.clone(), until: at(50) };
            let mut held = Entitlement { product, plan, from: at(from), until: until.map(at) };
            held.end(&ended).then_some(held.until)
        };
        assert_eq!(after_end_at_50(0, None), Some(Some(at(50))));
        assert_eq!(after_end_at_50(0, Some(80)), Some(Some(at(50))));
        assert_eq!(after_end_at_50(0, Some(50)), Some(Some(at(50))));
        assert_eq!(after_end_at_50(0, Some(30)), Some(Some(at(30))), "it had ended before");
        assert_eq!(after_end_at_50(60, Some(80)), None, "what would have begun later never begins");
        assert_eq!(after_end_at_50(50, None), None);
    }
}
