//! What is shown of subscriptions and webhooks is the fold of their events, each within its organization.

use std::collections::BTreeMap;

use dossier_domain::event_subscription::deliver::Receiver;
use dossier_domain::event_subscription::{
    EventSubscription, EventSubscriptionCreated, EventSubscriptionDeleted, EventSubscriptionEvent,
    EventSubscriptionExpunged, EventSubscriptionFailed, EventSubscriptionRecovered,
    EventSubscriptionTopicChanged, EventSubscriptionUndeleted, FailureReason, SubscriptionState, Topic,
};
use dossier_domain::webhook::{
    DisableCause, Webhook, WebhookCreated, WebhookDeleted, WebhookDisabled, WebhookEnabled, WebhookEvent,
    WebhookSecret, WebhookSecretRotated, WebhookTested, WebhookTopicChanged, WebhookUrlChanged,
};
use dossier_domain::{Aggregate, EventSubscriptionId, Personal, Subject, WebhookId};
use dossier_projections::event_delivery::{EventDeliveryQueries, ShownState, SubscriptionCondition};
use proptest::prelude::*;
use ulid::Ulid;

use crate::engines::block_on_each_engine;
use crate::samples::*;
use crate::world::{Running, World};

fn subscription(number: u64) -> EventSubscriptionId {
    EventSubscriptionId(Ulid::from(u128::from(number) + 3_000_000))
}

fn webhook(number: u64) -> WebhookId {
    WebhookId(Ulid::from(u128::from(number) + 4_000_000))
}

fn topic(number: u64) -> Topic {
    format!("projects/p/topics/t{number}").parse().unwrap()
}

fn words(number: u64, text: String) -> Personal<String> {
    Personal::new(Subject::webhook(webhook(number)), text)
}

/// As a log holds it: the words below are looked for in every row.
fn secret(number: u64) -> WebhookSecret {
    serde_json::from_value(serde_json::to_value(words(number, "whsec_secret".to_owned())).unwrap()).unwrap()
}

fn subscribed(number: u64, of: &str, to: u64) -> Fact {
    let created = EventSubscriptionCreated {
        subscription: subscription(number),
        organization: organization(of),
        topic: topic(to),
    };
    Fact::of_subscription(subscription(number), created)
}

fn hooked(number: u64, of: &str, to: u64) -> Fact {
    let created = WebhookCreated {
        webhook: webhook(number),
        organization: organization(of),
        url: words(number, format!("https://hooks.acme.example/{number}")),
        topic: topic(to),
        secret: secret(number),
    };
    Fact::of_webhook(webhook(number), created)
}

/// Anything that happens to one of a few subscriptions and webhooks; what comes before the making means nothing.
pub(crate) fn delivery_fact(kind: u8, number: u64) -> Fact {
    let (of, name) = (number % 3, if number % 3 == 2 { "globex" } else { "acme" });
    let other = topic(number % 2);
    let event: EventSubscriptionEvent = match kind % 18 {
        0 | 1 => return subscribed(of, name, of),
        2 | 3 => return hooked(of, name, of),
        4 => EventSubscriptionTopicChanged { topic: other }.into(),
        5 => EventSubscriptionDeleted { purge_at: at(1_000_000) }.into(),
        6 => EventSubscriptionUndeleted {}.into(),
        7 => EventSubscriptionFailed { reason: FailureReason::TopicNotFound, receiver: None }.into(),
        8 => EventSubscriptionRecovered::default().into(),
        9 => EventSubscriptionExpunged {}.into(),
        later => return Fact::of_webhook(webhook(of), webhook_event(later - 10, of, other)),
    };
    Fact::of_subscription(subscription(of), event)
}

fn webhook_event(kind: u8, number: u64, topic: Topic) -> WebhookEvent {
    match kind {
        0 => WebhookUrlChanged { url: words(number, "https://hooks.acme.example/new".to_owned()) }.into(),
        1 => WebhookTopicChanged { topic }.into(),
        2 => WebhookSecretRotated { secret: secret(number), previous_until: at(500) }.into(),
        3 => WebhookDisabled { cause: DisableCause::Gone }.into(),
        4 => WebhookEnabled {}.into(),
        5 => WebhookTested {}.into(),
        6 => WebhookDisabled { cause: DisableCause::Owner }.into(),
        _ => WebhookDeleted {}.into(),
    }
}

fn queries(running: &Running) -> EventDeliveryQueries {
    EventDeliveryQueries::new(running.models.database().clone())
}

async fn running_with(facts: &[Fact]) -> (World, Running) {
    let world = World::given(facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    (world, running)
}

fn anything() -> SubscriptionCondition {
    SubscriptionCondition::And(Vec::new())
}

/// Ids, topics and states of the subscriptions that are shown.
async fn shown(
    running: &Running,
    of: &str,
    condition: SubscriptionCondition,
) -> Vec<(String, String, &'static str)> {
    let page =
        queries(running).subscriptions(&organization(of), &condition, true, at(0), None, 99).await.unwrap();
    let state = |deleted: bool, failing: bool| match (deleted, failing) {
        (true, _) => "deleted",
        (_, true) => "failing",
        _ => "working",
    };
    let rows = page.subscriptions.into_iter();
    rows.map(|row| {
        let state = state(row.deleted_at_micros.is_some(), row.failure_reason.is_some());
        (row.subscription, row.topic, state)
    })
    .collect()
}

/// The same, as the domain folds them, in the order of ids.
fn folded(facts: &[Fact], of: &str) -> Vec<(String, String, &'static str)> {
    let mut all: BTreeMap<String, EventSubscription> = BTreeMap::new();
    for (fact, second) in facts.iter().zip(0..) {
        if let FactEvent::Subscription(event) = &fact.event {
            let state = all.entry(fact.stream.id().to_owned()).or_default();
            // A stream begins once.
            let begins = matches!(event, EventSubscriptionEvent::EventSubscriptionCreated(_));
            if !begins || *state == EventSubscription::default() {
                state.evolve(event, at(second));
            }
        }
    }
    let shown = all.into_iter().filter_map(|(id, state)| {
        let known = state.at(at(0)).filter(|known| known.organization == organization(of))?;
        let state = match known.state() {
            SubscriptionState::Working => "working",
            SubscriptionState::Failing(_) => "failing",
            SubscriptionState::Deleted => "deleted",
        };
        Some((id, known.topic.to_string(), state))
    });
    shown.collect()
}

/// Ids, topics and whether they get messages.
fn folded_webhooks(facts: &[Fact], of: &str) -> Vec<(String, String, bool)> {
    let mut all: BTreeMap<String, Webhook> = BTreeMap::new();
    for (fact, second) in facts.iter().zip(0..) {
        if let FactEvent::Webhook(event) = &fact.event {
            let state = all.entry(fact.stream.id().to_owned()).or_default();
            let begins = matches!(event, WebhookEvent::WebhookCreated(_));
            if !begins || *state == Webhook::default() {
                state.evolve(event, at(second));
            }
        }
    }
    let hooks = all.into_iter().filter_map(|(id, state)| {
        let hook = state.hook().filter(|hook| hook.organization == organization(of))?;
        Some((id, hook.topic.to_string(), hook.disabled.is_none()))
    });
    hooks.collect()
}

async fn rows_are_the_fold(running: &Running, facts: &[Fact]) {
    for of in ["acme", "globex"] {
        let expected = folded(facts, of);
        let mut rows = shown(running, of, anything()).await;
        rows.sort_unstable();
        assert_eq!(rows, expected, "{of}");
        for (state, name) in [
            (ShownState::Working, "working"),
            (ShownState::Failing, "failing"),
            (ShownState::Deleted, "deleted"),
        ] {
            let mut rows = shown(running, of, SubscriptionCondition::State(state)).await;
            rows.sort_unstable();
            assert_eq!(rows, expected.iter().filter(|row| row.2 == name).cloned().collect::<Vec<_>>());
        }
        let page = queries(running).webhooks(&organization(of), None, 99).await.unwrap();
        let rows =
            page.webhooks.into_iter().map(|row| (row.webhook, row.topic, row.disabled_cause.is_none()));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_unstable();
        assert_eq!(rows, folded_webhooks(facts, of), "{of}");
    }
}

proptest! {
    #![proptest_config(few(12))]

    #[test]
    fn rows_of_subscriptions_and_webhooks_are_the_fold_of_their_events_and_a_rebuild_changes_nothing(
        told in prop::collection::vec((0..18_u8, 0..9_u64), 1..60),
    ) {
        let mut begun = std::collections::BTreeSet::new();
        let facts = told.iter().map(|(kind, number)| delivery_fact(*kind, *number));
        // What is made once is not made again.
        let facts: Vec<Fact> = facts.filter(|fact| match &fact.event {
            FactEvent::Subscription(EventSubscriptionEvent::EventSubscriptionCreated(_))
            | FactEvent::Webhook(WebhookEvent::WebhookCreated(_)) => begun.insert(fact.stream.clone()),
            _ => true,
        }).collect();
        block_on_each_engine(async || {
            let (world, running) = running_with(&facts).await;
            rows_are_the_fold(&running, &facts).await;
            assert!(running.models.rebuild("event_delivery", &|_| {}).await.unwrap());
            rows_are_the_fold(&running, &facts).await;
            assert_eq!(running.dump().await, world.expected_dump().await);
            assert!(!running.dump().await.iter().any(|row| row.contains("whsec_")), "no secret is in a row");
        });
    }
}

async fn a_deleted_subscription_is_shown_until_it_is_purged_and_an_expunged_one_never() {
    let deleted = EventSubscriptionDeleted { purge_at: at(100) };
    let facts = [
        subscribed(1, "acme", 1),
        subscribed(2, "acme", 1),
        Fact::of_subscription(subscription(1), deleted),
        Fact::of_subscription(subscription(2), EventSubscriptionExpunged {}),
    ];
    let (_world, running) = running_with(&facts).await;
    let queries = queries(&running);
    let get =
        async |number, second| queries.subscription(&acme(), subscription(number), at(second)).await.unwrap();
    assert_eq!(get(1, 99).await.and_then(|row| row.purge_at_micros), Some(micros(100)));
    assert_eq!((get(1, 100).await, get(2, 0).await), (None, None));
    let hidden = queries.subscriptions(&acme(), &anything(), false, at(0), None, 9).await.unwrap();
    assert_eq!(hidden.subscriptions, [], "deleted ones are shown when asked for");
}

async fn a_subscription_says_why_it_fails_until_no_receiver_does() {
    let [one, other] = [1, 2].map(|number| Receiver::Webhook(webhook(number)));
    let failed = |receiver, reason| EventSubscriptionFailed { reason, receiver: Some(receiver) };
    let recovered = EventSubscriptionRecovered {
        receivers: [other].into(),
        still_failing: Some(FailureReason::PermissionDenied),
    };
    let told: [(EventSubscriptionEvent, Option<&str>); 4] = [
        (failed(one, FailureReason::PermissionDenied).into(), Some("PERMISSION_DENIED")),
        (failed(other, FailureReason::Other).into(), Some("OTHER")),
        (recovered.into(), Some("PERMISSION_DENIED")),
        (EventSubscriptionRecovered::default().into(), None),
    ];
    let mut facts = vec![subscribed(1, "acme", 1)];
    for (event, wanted) in told {
        facts.push(Fact::of_subscription(subscription(1), event));
        let (_world, running) = running_with(&facts).await;
        let row = queries(&running).subscription(&acme(), subscription(1), at(0)).await.unwrap().unwrap();
        assert_eq!(row.failure_reason.as_deref(), wanted);
        rows_are_the_fold(&running, &facts).await;
    }
}

async fn pages_of_subscriptions_and_webhooks_neither_repeat_nor_drop_and_stay_in_the_organization() {
    let mut facts: Vec<Fact> = (0..5).map(|number| subscribed(number, "acme", 1)).collect();
    facts.extend((0..5).map(|number| hooked(number, "acme", 1)));
    facts.extend([subscribed(8, "globex", 1), hooked(8, "globex", 1)]);
    let (_world, running) = running_with(&facts).await;
    for size in 1..7 {
        let (mut subscriptions, mut after) = (Vec::new(), None);
        loop {
            let condition = anything();
            let page = queries(&running).subscriptions(&acme(), &condition, false, at(0), after, size).await;
            let page = page.unwrap();
            subscriptions.extend(page.subscriptions.into_iter().map(|row| row.subscription));
            after = page.next_after;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(subscriptions, (0..5).map(|number| subscription(number).to_string()).collect::<Vec<_>>());
        let (mut webhooks, mut after) = (Vec::new(), None);
        loop {
            let page = queries(&running).webhooks(&acme(), after, size).await.unwrap();
            webhooks.extend(page.webhooks.into_iter().map(|row| row.webhook));
            after = page.next_after;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(webhooks, (0..5).map(|number| webhook(number).to_string()).collect::<Vec<_>>());
    }
    assert_eq!(queries(&running).subscription(&acme(), subscription(8), at(0)).await.unwrap(), None);
    assert_eq!(queries(&running).webhook(&acme(), webhook(8)).await.unwrap(), None);
}

async fn what_happened_while_one_got_no_messages_is_not_made_up_for() {
    let facts = [
        subscribed(1, "acme", 1),
        hooked(1, "acme", 1),
        Fact::of_subscription(subscription(1), EventSubscriptionDeleted { purge_at: at(1_000) }),
        Fact::of_webhook(webhook(1), WebhookDisabled { cause: DisableCause::Owner }),
        Fact::of_subscription(subscription(1), EventSubscriptionUndeleted {}),
        Fact::of_webhook(webhook(1), WebhookEnabled {}),
        Fact::of_webhook(webhook(1), WebhookTested {}),
    ];
    let (world, running) = running_with(&facts).await;
    let positions: Vec<u64> = world.recorded().await.iter().map(|event| event.position.0).collect();
    let (subscriptions, webhooks) = queries(&running).live(&acme()).await.unwrap();
    let since = (subscriptions[0].since, webhooks[0].since);
    assert_eq!(since, (positions[4], positions[5]), "who follows the log late asks for what came before");
}

async fn live_are_those_that_get_messages_with_the_position_that_made_them() {
    let facts = [
        subscribed(1, "acme", 1),
        subscribed(2, "acme", 2),
        hooked(1, "acme", 1),
        hooked(2, "acme", 2),
        Fact::of_subscription(subscription(2), EventSubscriptionDeleted { purge_at: at(1_000) }),
        Fact::of_webhook(webhook(2), WebhookDisabled { cause: DisableCause::Gone }),
        subscribed(3, "globex", 1),
    ];
    let (world, running) = running_with(&facts).await;
    let positions: Vec<u64> = world.recorded().await.iter().map(|event| event.position.0).collect();
    let (subscriptions, webhooks) = queries(&running).live(&acme()).await.unwrap();
    let [one] = &subscriptions[..] else { panic!("{subscriptions:?}") };
    assert_eq!((one.subscription, &one.topic, one.since), (subscription(1), &topic(1), positions[0]));
    let [one] = &webhooks[..] else { panic!("{webhooks:?}") };
    assert_eq!((one.webhook, &one.topic, one.since), (webhook(1), &topic(1), positions[2]));
    let subscribed = queries(&running).subscribed_to(&acme(), topic(1).as_str()).await.unwrap();
    assert_eq!(subscribed.len(), 1);
    assert_eq!(queries(&running).subscribed_to(&acme(), topic(2).as_str()).await.unwrap(), []);
}

on_each_engine!(
    a_deleted_subscription_is_shown_until_it_is_purged_and_an_expunged_one_never,
    a_subscription_says_why_it_fails_until_no_receiver_does,
    pages_of_subscriptions_and_webhooks_neither_repeat_nor_drop_and_stay_in_the_organization,
    what_happened_while_one_got_no_messages_is_not_made_up_for,
    live_are_those_that_get_messages_with_the_position_that_made_them,
);
