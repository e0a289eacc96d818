//! To whom a case goes (R-ROUTE-1, R-ROUTE-2), and why: a function of the case and the catalogue. What it answers goes
//! into the event of the routing, so that a later catalogue changes no verdict.
//!
//! Only vetted providers that are competent for the product, speak the language, serve the country and have the channel
//! receive a case. By phone or chat it must also be open; what is written waits, and goes to who is open now, or opens
//! first. Of several the one that the catalogue names first.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalogue::{Catalogue, Channel, Provider};
use crate::ids::{ProductId, ProviderId};

/// What of a case decides to whom it goes.
#[derive(Clone, Copy, Debug)]
pub struct RoutingFacts<'a> {
    /// The product.
    pub product: &'a ProductId,
    /// The case's language.
    pub language: &'a str,
    /// The organization's country.
    pub country: &'a str,
    /// How it was filed.
    pub channel: Channel,
    /// When it is routed.
    pub at: Timestamp,
}

/// Why a provider does not get a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// It is not recorded as vetted (R-ROUTE-2).
    NotVetted,
    /// It is not competent for the product (R-ROUTE-2).
    NotCompetent,
    /// It does not speak the language.
    Language,
    /// It does not serve the country.
    Region,
    /// It does not have the channel.
    Channel,
    /// It is closed, and the channel does not wait.
    Closed,
}

impl Exclusion {
    /// The name in events and refusals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotVetted => "not_vetted",
            Self::NotCompetent => "not_competent",
            Self::Language => "language",
            Self::Region => "region",
            Self::Channel => "channel",
            Self::Closed => "closed",
        }
    }
}

/// A provider, and why it does not get the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Considered {
    /// The provider.
    pub provider: ProviderId,
    /// All that speaks against it; nothing: it could get the case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Exclusion>,
}

/// To whom a case goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Routing {
    /// The provider.
    pub provider: ProviderId,
    /// Whether it gets the case as the default queue, because none fits.
    pub default_queue: bool,
    /// All providers, in the catalogue's order, with what speaks against each.
    pub considered: Vec<Considered>,
}

/// Routes a case; `None` where the catalogue has no providers.
pub fn route(facts: &RoutingFacts<'_>, catalogue: &Catalogue) -> Option<Routing> {
    let considered: Vec<_> = catalogue
        .providers
        .iter()
        .map(|provider| Considered {
            provider: provider.id.clone(),
            excluded: exclusions(provider, facts, catalogue),
        })
        .collect();
    let fitting = catalogue.providers.iter().zip(&considered).filter(|(_, why)| why.excluded.is_empty());
    // The first of equals: who is open now has opened by the case's own instant.
    let chosen = fitting.min_by_key(|(provider, _)| opens_at(provider, facts, catalogue));
    let (provider, default_queue) = match chosen {
        Some((provider, _)) => (provider, false),
        None => (catalogue.default_queue()?, true),
    };
    Some(Routing { provider: provider.id.clone(), default_queue, considered })
}

fn exclusions(provider: &Provider, facts: &RoutingFacts<'_>, catalogue: &Catalogue) -> Vec<Exclusion> {
    let waits = matches!(facts.channel, Channel::Web | Channel::Email);
    let serves = provider.regions.iter().any(|region| catalogue.covers(region, facts.country));
    [
        (Exclusion::NotVetted, !provider.vetted),
        (Exclusion::NotCompetent, !provider.products.contains(facts.product)),
        (Exclusion::Language, !provider.languages.contains(facts.language)),
        (Exclusion::Region, !serves),
        (Exclusion::Channel, !provider.channels.contains(&facts.channel)),
        (Exclusion::Closed, !waits && opens_at(provider, facts, catalogue) > facts.at),
    ]
    .into_iter()
    .filter_map(|(exclusion, holds)| holds.then_some(exclusion))
    .collect()
}

/// When a provider is open next, from the case's instant on; the end of time for never.
fn opens_at(provider: &Provider, facts: &RoutingFacts<'_>, catalogue: &Catalogue) -> Timestamp {
    let calendar = catalogue.calendar(&provider.calendar);
    calendar.and_then(|calendar| calendar.next_opening(facts.at)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{catalogue, supported_catalogue};

    use Exclusion::{Closed, Language, NotCompetent, NotVetted, Region};

    const FRIDAY_OPEN: &str = "2026-11-20T17:30:00+01";
    const FRIDAY_NIGHT: &str = "2026-11-20T23:00:00+01";

    fn routed_in(
        catalogue: &Catalogue,
        (product, language, country): (&str, &str, &str),
        channel: Channel,
        at: &str,
    ) -> Option<Routing> {
        let product = ProductId::new(product).unwrap();
        let facts = RoutingFacts { product: &product, language, country, channel, at: at.parse().unwrap() };
        route(&facts, catalogue)
    }

    fn routed(case: (&str, &str, &str), channel: Channel, at: &str) -> (String, bool) {
        let routing = routed_in(&supported_catalogue(), case, channel, at).unwrap();
        (routing.provider.to_string(), routing.default_queue)
    }

    fn north(default_queue: bool) -> (String, bool) {
        ("north".to_owned(), default_queue)
    }

    fn south() -> (String, bool) {
        ("south".to_owned(), false)
    }

    /// R-ROUTE-1.
    #[test]
    fn r_route_1_product_language_region_and_channel_decide_and_what_fits_none_goes_to_the_default_queue() {
        assert_eq!(routed(("compute", "fr", "FR"), Channel::Web, FRIDAY_OPEN), north(false));
        assert_eq!(routed(("compute", "ja", "JP"), Channel::Web, FRIDAY_OPEN), south());
        assert_eq!(routed(("compute", "en", "US"), Channel::Web, FRIDAY_OPEN), south());
        assert_eq!(routed(("storage", "en", "US"), Channel::Web, FRIDAY_OPEN), north(true), "product");
        assert_eq!(routed(("compute", "fr", "JP"), Channel::Web, FRIDAY_OPEN), north(true), "language");
        assert_eq!(routed(("compute", "en", "AQ"), Channel::Web, FRIDAY_OPEN), north(true), "region");
        assert_eq!(routed(("compute", "ja", "JP"), Channel::Email, FRIDAY_OPEN), north(true), "channel");
    }

    /// R-ROUTE-1.
    #[test]
    fn r_route_1_by_phone_the_provider_must_be_open_and_what_is_written_waits() {
        assert_eq!(routed(("compute", "fr", "FR"), Channel::Phone, FRIDAY_OPEN), north(false));
        assert_eq!(routed(("compute", "fr", "FR"), Channel::Phone, FRIDAY_NIGHT), north(true));
        assert_eq!(routed(("compute", "fr", "FR"), Channel::Web, FRIDAY_NIGHT), north(false));
        assert_eq!(routed(("compute", "ja", "JP"), Channel::Phone, FRIDAY_NIGHT), south());
    }

    /// R-ROUTE-1.
    #[test]
    fn r_route_1_of_several_who_is_open_or_opens_first_gets_it_and_else_the_one_named_first() {
        let mut catalogue = supported_catalogue();
        catalogue.providers[1].regions.insert("EMEA".to_owned());
        let provider = |at| {
            let routing = routed_in(&catalogue, ("compute", "en", "FR"), Channel::Web, at).unwrap();
            routing.provider.to_string()
        };
        assert_eq!(provider(FRIDAY_OPEN), "north", "both are open");
        assert_eq!(provider(FRIDAY_NIGHT), "south");
    }

    /// R-ROUTE-2.
    #[test]
    fn r_route_2_all_providers_are_listed_with_everything_that_speaks_against_them() {
        let case = ("storage", "fr", "FR");
        let routing = routed_in(&supported_catalogue(), case, Channel::Phone, FRIDAY_NIGHT).unwrap();
        let why: Vec<_> = routing.considered.iter().map(|one| one.excluded.clone()).collect();
        let expected = [
            vec![Closed],
            vec![NotCompetent, Language, Region],
            vec![NotVetted, NotCompetent, Exclusion::Channel],
        ];
        assert_eq!(why, expected);
        let json = serde_json::to_value(&routing).unwrap();
        assert_eq!(json["considered"][0]["excluded"][0], "closed");
        assert_eq!(serde_json::from_value::<Routing>(json).unwrap(), routing);
    }

    /// R-ROUTE-2.
    #[test]
    fn r_route_2_who_is_not_vetted_gets_nothing_however_well_it_fits() {
        let mut catalogue = supported_catalogue();
        let provider = |catalogue: &Catalogue| {
            let routing = routed_in(catalogue, ("compute", "fr", "FR"), Channel::Web, FRIDAY_NIGHT);
            routing.unwrap().provider.to_string()
        };
        assert_eq!(provider(&catalogue), "north", "the newcomer is open");
        catalogue.providers[2].vetted = true;
        assert_eq!(provider(&catalogue), "newcomer");
    }

    #[test]
    fn without_providers_nothing_is_routed() {
        assert_eq!(routed_in(&catalogue(), ("compute", "fr", "FR"), Channel::Web, FRIDAY_OPEN), None);
    }
}
