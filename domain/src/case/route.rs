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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseCommand, Status};
    use crate::event::EventAudience;
    use crate::testing::{Given, ask, close, comment, file_case, hand_over, personal, supported_catalogue};

    fn provider(given: &Given) -> Option<ProviderId> {
        given.clone().state().filed().unwrap().provider.clone()
    }

    fn named(name: &str) -> Option<ProviderId> {
        ProviderId::new(name).ok()
    }

    /// R-ROUTE-1.
    #[test]
    fn r_route_1_a_case_is_routed_in_the_very_append_that_files_it_and_says_why_to_support_alone() {
        let file = |language: &str| {
            let mut command = file_case();
            language.clone_into(&mut command.language);
            let given = Given::nothing().in_catalogue(supported_catalogue());
            let events = given.when("alice", 0, &CaseCommand::File(Box::new(command))).events();
            let [CaseEvent::CaseFiled(_), CaseEvent::CaseRouted(routed), ..] = &events[..] else {
                panic!("{events:?}");
            };
            assert_eq!(events[1].audience(), EventAudience::Support);
            let routing = routed.routing.as_ref().unwrap();
            assert_eq!((routed.cause, routing.considered.len()), (RoutingCause::Filing, 3));
            (routed.provider.to_string(), routed.default_queue)
        };
        assert_eq!(file("fr"), ("north".to_owned(), false));
        assert_eq!(file("ja"), ("north".to_owned(), true), "nobody speaks it there");
        let unrouted = Given::nothing().when("alice", 0, &CaseCommand::File(Box::new(file_case())));
        assert_eq!(unrouted.events().len(), 1, "without providers");
    }

    /// R-ROUTE-1.
    #[test]
    fn r_route_1_every_hand_over_is_an_event_with_its_reason_and_moves_who_sees_the_case() {
        let given = Given::supported();
        assert_eq!(
            given.clone().when("agent-south", 1, &comment("hi")).rejection().reason(),
            "CASE_NOT_FOUND"
        );
        let events = given.clone().when("agent-north", 1, &hand_over("south")).events();
        let [CaseEvent::CaseRouted(routed)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((routed.from.clone(), routed.cause), (named("north"), RoutingCause::HandOver));
        let handed = given.and("agent-north", 1, &hand_over("south"));
        assert_eq!(handed.clone().when("agent-north", 2, &ask()).rejection().reason(), "CASE_NOT_FOUND");
        let state = handed.when("agent-south", 2, &ask()).state();
        assert_eq!(state.filed().unwrap().status, Status::ActionRequired);
    }

    /// R-ROUTE-2.
    #[test]
    fn r_route_2_a_case_is_handed_only_to_the_vetted_and_competent() {
        let given = Given::supported();
        let refused = given.clone().when("agent-north", 1, &hand_over("newcomer")).rejection();
        assert_eq!((refused.reason(), refused.field()), ("PROVIDER_UNSUITABLE", Some("provider")));
        assert_eq!(refused.metadata()[1], ("excluded", "not_vetted".to_owned()));
        let nobody = given.clone().when("agent-north", 1, &hand_over("mars")).rejection();
        assert_eq!((nobody.reason(), nobody.field()), ("INVALID_FIELD", Some("provider")));
        assert_eq!(given.clone().when("agent-north", 1, &hand_over("north")).events(), vec![]);
        let silent = RouteCase { provider: named("south").unwrap(), reason: personal(" ") };
        let silent = given.clone().when("agent-north", 1, &CaseCommand::Route(silent)).rejection();
        assert_eq!(silent.field(), Some("reason"));
        assert_eq!(given.clone().when("alice", 1, &hand_over("south")).rejection().reason(), "NOT_FOR_YOU");
        let closed = given.and("alice", 1, &close());
        assert_eq!(closed.when("agent-north", 2, &hand_over("south")).rejection().reason(), "CASE_CLOSED");
    }

    /// R-REOPEN-3.
    #[test]
    fn r_reopen_3_a_reopened_case_is_routed_again_where_its_provider_is_gone_and_only_there() {
        let handed = Given::supported().and("agent-north", 1, &hand_over("south")).and("alice", 2, &close());
        let stays = handed.clone().and("alice", 3, &comment("again"));
        assert_eq!(provider(&stays), named("south"));
        let mut without = supported_catalogue();
        without.providers.remove(1);
        let mut distrusted = supported_catalogue();
        distrusted.providers[1].vetted = false;
        for catalogue in [without, distrusted] {
            let given = handed.clone().in_catalogue(catalogue);
            let events = given.clone().when("alice", 3, &comment("again")).events();
            assert!(matches!(
                &events[..3],
                [CaseEvent::CommentAdded(_), CaseEvent::ReopenedWithin30Days(_), CaseEvent::CaseRouted(routed)]
                    if routed.cause == RoutingCause::Reopening && routed.from == named("south")
            ));
            assert_eq!(provider(&given.and("alice", 3, &comment("again"))), named("north"));
        }
    }
}
