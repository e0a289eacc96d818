//! To whom a case goes (R-ROUTE-1, R-ROUTE-2): by the catalogue when it is filed, and when it is reopened after its provider
//! is gone (R-REOPEN-3); by hand when a provider hands it over.

use super::edit::MAX_REASON_CHARS;
use super::events::{CaseEvent, CaseRouted, RoutingCause};
use super::file::check_text;
use super::rejection::CaseRejection;
use super::state::{Case, check_open};
use crate::catalogue::{Catalogue, Channel, Provider};
use crate::context::Context;
use crate::ids::{ProductId, ProviderId};
use crate::personal::Personal;
use crate::routing::{Exclusion, RoutingFacts, route};

/// Hands the case over to a provider.
#[derive(Clone, Debug)]
pub struct RouteCase {
    /// To whom.
    pub provider: ProviderId,
    /// Why.
    pub reason: Personal<String>,
}

impl RouteCase {
    /// Handing it over to who has it changes nothing.
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        check_text("reason", &self.reason, 1, MAX_REASON_CHARS)?;
        check_open(case)?;
        let provider = context
            .catalogue
            .provider(&self.provider)
            .ok_or_else(|| CaseRejection::invalid("provider", "no such provider in the catalogue"))?;
        if case.provider.as_ref() == Some(&self.provider) {
            return Ok(Vec::new());
        }
        let excluded = unfit(provider, &case.product);
        if !excluded.is_empty() {
            return Err(CaseRejection::ProviderUnsuitable { provider: self.provider.clone(), excluded });
        }
        Ok(vec![
            CaseRouted {
                provider: self.provider.clone(),
                from: case.provider.clone(),
                cause: RoutingCause::HandOver,
                default_queue: false,
                routing: None,
                reason: Some(self.reason.clone()),
            }
            .into(),
        ])
    }
}

/// What keeps a provider from receiving cases of a product at all (R-ROUTE-2).
fn unfit(provider: &Provider, product: &ProductId) -> Vec<Exclusion> {
    let mut excluded = Vec::new();
    if !provider.vetted {
        excluded.push(Exclusion::NotVetted);
    }
    if !provider.products.contains(product) {
        excluded.push(Exclusion::NotCompetent);
    }
    excluded
}

/// The facts of a case of the context's organization, now.
pub(super) fn facts<'a>(
    product: &'a ProductId,
    language: &'a str,
    channel: Channel,
    context: &Context<'a>,
) -> RoutingFacts<'a> {
    let registration = context.access.registration.as_ref();
    let country = registration.map_or("", |registration| registration.country.as_str());
    RoutingFacts { product, language, country, channel, at: context.now }
}

/// Routes a case; nothing where the catalogue has no providers.
pub(super) fn routed(
    facts: &RoutingFacts<'_>,
    from: Option<&ProviderId>,
    cause: RoutingCause,
    catalogue: &Catalogue,
) -> Option<CaseRouted> {
    let routing = route(facts, catalogue)?;
    Some(CaseRouted {
        provider: routing.provider.clone(),
        from: from.cloned(),
        cause,
        default_queue: routing.default_queue,
        routing: Some(routing),
        reason: None,
    })
}

/// The routing of a case that is reopened, where its provider is gone from the catalogue, or receives no such cases any more.
pub(super) fn rerouted(case: &Case, context: &Context<'_>) -> Option<CaseRouted> {
    let had = case.provider.as_ref().and_then(|provider| context.catalogue.provider(provider));
    if had.is_some_and(|provider| unfit(provider, &case.product).is_empty()) {
        return None;
    }
    let facts = facts(&case.product, &case.language, case.channel, context);
    // What is written waits: a reopened case is not refused because the phone is not staffed now.
    let facts = RoutingFacts { channel: written(facts.channel), ..facts };
    routed(&facts, case.provider.as_ref(), RoutingCause::Reopening, context.catalogue)
}

fn written(channel: Channel) -> Channel {
    if channel == Channel::Email { Channel::Email } else { Channel::Web }
}
