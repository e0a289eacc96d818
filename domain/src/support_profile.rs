//! An organization's support profile (R-INFO-1): what support it has for each product, from whom, when and how soon, and
//! the private documents of exactly the products it is entitled to. Who may see it is asked elsewhere
//! ([`crate::Action::ReadSupportProfile`]).

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::access::Access;
use crate::calendar::Calendar;
use crate::catalogue::{
    Catalogue, Channel, Document, Links, Phone, Plan, Priority, Product, ProductMove, Provider,
    ResponseObjectives, SupportContact,
};
use crate::ids::ProductId;

/// What support an organization has at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupportProfile<'a> {
    /// The products it is entitled to, in the catalogue's order.
    pub products: Vec<ProductSupport<'a>>,
    /// Private documents and downloads of these products, and of no others.
    pub documents: Vec<&'a Document>,
    /// Whom to reach about what no case is filed for.
    pub contacts: &'a [SupportContact],
    /// Where to find what is not here.
    pub links: &'a Links,
}

/// Support of one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductSupport<'a> {
    /// The product.
    pub product: &'a Product,
    /// That its support moves, once it is announced (R-PLAN-2).
    pub moves: Option<&'a ProductMove>,
    /// The plans in force.
    pub plans: Vec<&'a Plan>,
    /// How soon support answers under each plan, by plan and priority. Of several plans the soonest counts.
    pub service_levels: Vec<ServiceLevel<'a>>,
    /// Ways to reach support that a plan brings and a provider offers.
    pub channels: BTreeSet<Channel>,
    /// Who supports it where the organization is; where nobody does, the default queue.
    pub providers: Vec<ProviderSupport<'a>>,
}

/// How soon support answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceLevel<'a> {
    /// The plan that promises it.
    pub plan: &'a Plan,
    /// The priority of a case.
    pub priority: Priority,
    /// The promise.
    pub objectives: ResponseObjectives,
}

/// A provider as the organization meets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSupport<'a> {
    /// The provider, with its languages.
    pub provider: &'a Provider,
    /// Its opening hours, with their time zone.
    pub calendar: &'a Calendar,
    /// Whether it is open.
    pub availability: Availability,
    /// Its numbers for the organization's country, or all where it has none for that; empty unless a plan in force
    /// brings the phone (R-ACCESS-6).
    pub phones: Vec<&'a Phone>,
}

/// Whether a provider is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It is.
    Open {
        /// Until when; `None`: it does not close within [`crate::calendar::SEARCH_DAYS`].
        closes_at: Option<Timestamp>,
    },
    /// It is not.
    Closed {
        /// When it opens; `None`: not within [`crate::calendar::SEARCH_DAYS`].
        opens_at: Option<Timestamp>,
    },
}

impl Availability {
    /// Whether a calendar is open at an instant, or when next.
    pub fn of(calendar: &Calendar, now: Timestamp) -> Self {
        if calendar.is_open_at(now) {
            Self::Open { closes_at: calendar.closes_at(now) }
        } else {
            Self::Closed { opens_at: calendar.next_opening(now) }
        }
    }
}

impl Access {
    /// The plans that hold for a product at an instant, each once, in the catalogue's order.
    pub fn plans_in_force<'a>(
        &self,
        product: &ProductId,
        catalogue: &'a Catalogue,
        now: Timestamp,
    ) -> Vec<&'a Plan> {
        let held = |plan: &Plan| {
            self.entitlements.iter().any(|entitlement| {
                entitlement.product == *product && entitlement.plan == plan.id && entitlement.holds_at(now)
            })
        };
        catalogue.plans.iter().filter(|plan| held(plan)).collect()
    }
}

impl<'a> SupportProfile<'a> {
    /// The profile of an organization at an instant.
    pub fn of(access: &Access, catalogue: &'a Catalogue, now: Timestamp) -> Self {
        let entitled = |product: &ProductId| access.eligible_entitlement(product, catalogue, now).is_ok();
        let products = catalogue.products.iter().filter(|product| entitled(&product.id));
        Self {
            products: products.map(|product| ProductSupport::of(product, access, catalogue, now)).collect(),
            documents: catalogue.documents.iter().filter(|document| entitled(&document.product)).collect(),
            contacts: &catalogue.contacts,
            links: &catalogue.links,
        }
    }
}

impl<'a> ProductSupport<'a> {
    fn of(product: &'a Product, access: &Access, catalogue: &'a Catalogue, now: Timestamp) -> Self {
        let plans = access.plans_in_force(&product.id, catalogue, now);
        let brought: BTreeSet<_> = plans.iter().flat_map(|plan| plan.offered_channels()).collect();
        let country = access.registration.as_ref().map_or("", |registration| registration.country.as_str());
        let providers: Vec<_> = providers_for(product, country, catalogue)
            .into_iter()
            .filter_map(|provider| {
                let calendar = catalogue.calendar(&provider.calendar)?;
                let phones = if brought.contains(&Channel::Phone) {
                    phones_for(provider, country, catalogue)
                } else {
                    Vec::new()
                };
                let availability = Availability::of(calendar, now);
                Some(ProviderSupport { provider, calendar, availability, phones })
            })
            .collect();
        let offered: BTreeSet<_> =
            providers.iter().flat_map(|support| support.provider.channels.iter().copied()).collect();
        let service_levels = plans
            .iter()
            .flat_map(|&plan| plan.priorities.iter().map(move |&priority| (plan, priority)))
            .map(|(plan, priority)| ServiceLevel { plan, priority, objectives: plan.response(priority) })
            .collect();
        Self {
            product,
            moves: catalogue.announced_move(&product.id, now),
            service_levels,
            channels: brought.intersection(&offered).copied().collect(),
            plans,
            providers,
        }
    }
}

/// Vetted and competent providers for a country, or the default queue.
fn providers_for<'a>(product: &Product, country: &str, catalogue: &'a Catalogue) -> Vec<&'a Provider> {
    let serves = |provider: &&Provider| {
        provider.vetted
            && provider.products.contains(&product.id)
            && provider.regions.iter().any(|region| catalogue.covers(region, country))
    };
    let serving: Vec<_> = catalogue.providers.iter().filter(serves).collect();
    if serving.is_empty() { catalogue.default_queue().into_iter().collect() } else { serving }
}

fn phones_for<'a>(provider: &'a Provider, country: &str, catalogue: &Catalogue) -> Vec<&'a Phone> {
    let fits =
        |phone: &&Phone| phone.region.as_deref().is_none_or(|region| catalogue.covers(region, country));
    let fitting: Vec<_> = provider.phones.iter().filter(fits).collect();
    if fitting.is_empty() { provider.phones.iter().collect() } else { fitting }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{AccessBuilder, acme, at, supported_catalogue};

    /// A Friday, 17:30 in Paris.
    fn friday() -> Timestamp {
        "2026-11-20T17:30:00+01".parse().unwrap()
    }

    fn with_plan(product: &str, plan: &str) -> AccessBuilder {
        acme().without_entitlements().entitled(product, plan)
    }

    fn of_country(builder: AccessBuilder, country: &str) -> Access {
        let mut access = builder.build();
        country.clone_into(&mut access.registration.as_mut().unwrap().country);
        access
    }

    /// What a test asks of a profile.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Shown {
        products: Vec<String>,
        providers: Vec<String>,
        phones: Vec<String>,
        documents: Vec<String>,
    }

    fn shown(access: &Access) -> Shown {
        let catalogue = supported_catalogue();
        let profile = SupportProfile::of(access, &catalogue, friday());
        let providers = || profile.products.iter().flat_map(|product| &product.providers);
        Shown {
            products: profile.products.iter().map(|support| support.product.id.to_string()).collect(),
            providers: providers().map(|support| support.provider.id.to_string()).collect(),
            phones: providers()
                .flat_map(|support| support.phones.iter().map(|phone| phone.language.clone()))
                .collect(),
            documents: profile.documents.iter().map(|document| document.id.to_string()).collect(),
        }
    }

    /// R-INFO-1.
    #[test]
    fn r_info_1_private_documents_are_those_of_the_products_entitled_to_and_no_others() {
        let documents = |access: AccessBuilder| shown(&access.build()).documents;
        assert_eq!(documents(acme()), ["compute-runbook", "compute-tool", "storage-guide"]);
        assert_eq!(documents(with_plan("storage", "silver")), ["storage-guide"]);
        assert_eq!(documents(with_plan("identity", "premium")), ["identity-sync"]);
        assert!(documents(acme().without_entitlements()).is_empty());
        assert!(documents(with_plan("compute", "premier")).is_empty(), "a plan on top of none");
        assert!(documents(with_plan("identity", "gold")).is_empty(), "a plan for other products");
    }

    /// R-INFO-1.
    #[test]
    fn r_info_1_with_the_plan_the_products_and_documents_end() {
        let mut access = with_plan("compute", "gold").build();
        access.entitlements[0].until = Some(friday());
        assert_eq!(shown(&access), Shown::default());
        access.entitlements[0].until = Some(friday() + jiff::SignedDuration::from_nanos(1));
        assert_eq!(shown(&access).products, ["compute"]);
        access.entitlements[0].from = friday() + jiff::SignedDuration::from_nanos(1);
        assert_eq!(shown(&access), Shown::default(), "not yet");
    }

    /// R-INFO-1, R-PLAN-3, R-ACCESS-6.
    #[test]
    fn r_info_1_phone_numbers_are_shown_where_a_plan_in_force_brings_the_phone() {
        let phones = |plan: &str| shown(&with_plan("compute", plan).build()).phones;
        assert_eq!(phones("gold"), ["fr", "en"]);
        assert_eq!(phones("platinum"), ["fr", "en"]);
        assert!(phones("silver").is_empty());
        let elsewhere = with_plan("compute", "silver").entitled("storage", "gold").build();
        let catalogue = supported_catalogue();
        let profile = SupportProfile::of(&elsewhere, &catalogue, friday());
        let [compute, storage] = &profile.products[..] else { panic!("{profile:?}") };
        assert!(compute.providers[0].phones.is_empty() && !compute.channels.contains(&Channel::Phone));
        assert!(!storage.providers[0].phones.is_empty() && storage.channels.contains(&Channel::Phone));
        let ended = at(0);
        let mut access = with_plan("compute", "silver").entitled("compute", "gold").build();
        access.entitlements[1].until = Some(ended);
        assert!(shown(&access).phones.is_empty(), "gold has ended");
    }

    /// R-INFO-1, R-ROUTE-2.
    #[test]
    fn r_info_1_providers_are_the_vetted_and_competent_ones_of_the_country_or_the_default_queue() {
        let providers =
            |product: &str, country: &str| shown(&of_country(with_plan(product, "gold"), country)).providers;
        assert_eq!(providers("compute", "FR"), ["north"], "the newcomer is not vetted");
        assert_eq!(providers("compute", "JP"), ["south"]);
        assert_eq!(providers("storage", "JP"), ["north"], "the one of the region is not competent");
        assert_eq!(providers("compute", "AQ"), ["north"], "nobody is there");
        let phones = |country: &str| shown(&of_country(with_plan("compute", "gold"), country)).phones;
        assert_eq!(phones("DE"), ["en"], "the French number is for France");
        assert_eq!(phones("JP"), ["ja"]);
        assert_eq!(phones("US"), ["ja"], "a number for elsewhere is better than none");
    }

    /// R-INFO-1.
    #[test]
    fn r_info_1_hours_say_whether_it_is_open_and_until_when_or_when_next() {
        let (access, catalogue) = (with_plan("compute", "gold").build(), supported_catalogue());
        let at = |text: &str| {
            let profile = SupportProfile::of(&access, &catalogue, text.parse().unwrap());
            let support = &profile.products[0].providers[0];
            assert_eq!(support.calendar.time_zone_name(), "Europe/Paris");
            assert!(support.provider.languages.contains("fr"));
            support.availability
        };
        let instant = |text: &str| Some(text.parse().unwrap());
        let closes_at = instant("2026-11-20T18:00:00+01");
        assert_eq!(at("2026-11-20T17:30:00+01"), Availability::Open { closes_at });
        let opens_at = instant("2026-11-23T09:00:00+01");
        assert_eq!(at("2026-11-20T18:00:00+01"), Availability::Closed { opens_at });
        let far = of_country(with_plan("compute", "gold"), "JP");
        let profile = SupportProfile::of(&far, &catalogue, friday());
        let always = profile.products[0].providers[0].availability;
        assert_eq!(always, Availability::Open { closes_at: None });
    }

    /// R-INFO-1.
    #[test]
    fn r_info_1_service_levels_are_told_for_each_priority_of_each_plan_in_force() {
        let (access, catalogue) =
            (with_plan("compute", "silver").entitled("compute", "premier"), supported_catalogue());
        let access = access.build();
        let profile = SupportProfile::of(&access, &catalogue, friday());
        let levels = &profile.products[0].service_levels;
        let names: Vec<_> =
            levels.iter().map(|level| format!("{} {}", level.plan.id, level.priority.as_str())).collect();
        let expected = [
            "silver P1",
            "silver P2",
            "silver P3",
            "silver P4",
            "premier P0",
            "premier P1",
            "premier P2",
            "premier P3",
            "premier P4",
        ];
        assert_eq!(names, expected);
        assert_eq!(levels[1].objectives.first.in_words(), "within 1 business day");
        assert_eq!(levels[4].objectives.first.in_words(), "within 24 hours, around the clock");
    }

    /// R-INFO-1, R-PLAN-2.
    #[test]
    fn r_info_1_an_announced_move_and_the_links_are_shown() {
        let (access, catalogue) = (with_plan("search", "gold").build(), supported_catalogue());
        let profile = SupportProfile::of(&access, &catalogue, friday());
        assert_eq!(profile.products[0].moves.map(|moves| moves.successor.as_str()), Some("Search Partners"));
        assert_eq!(SupportProfile::of(&access, &catalogue, at(0)).products[0].moves, None);
        assert_eq!(profile.links.given().next(), Some(("status_dashboard", "https://status.example/")));
        assert_eq!(profile.contacts.len(), 1);
    }
}
