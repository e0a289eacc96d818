//! Who gets a message for an event of a case: which of the organization's webhooks, and which subject of the bus.
//!
//! A message belongs to one event and one receiver. Several subscriptions to one topic do not multiply it: the webhook that
//! serves the topic, and the topic's subject, get it once.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Topic;
use super::notice::is_told;
use crate::case::CaseEvent;
use crate::ids::{AccountId, EventSubscriptionId, WebhookId};

/// A subscription that gets notifications: neither deleted nor gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSubscription {
    /// The subscription.
    pub subscription: EventSubscriptionId,
    /// Where its notifications go.
    pub topic: Topic,
    /// Who made it or last changed it; `None`: nobody with an account.
    pub person: Option<AccountId>,
    /// Position in the log of the event that made it, or undeleted it last: what happened before is not told.
    pub since: u64,
}

/// A webhook that is enabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveWebhook {
    /// The webhook.
    pub webhook: WebhookId,
    /// The topic that it serves.
    pub topic: Topic,
    /// Who made it or last changed it; `None`: nobody with an account.
    pub person: Option<AccountId>,
    /// Position in the log of the event that made it, or enabled it last.
    pub since: u64,
}

/// Who receives a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Receiver {
    /// A webhook of the organization.
    Webhook(WebhookId),
    /// The topic's subject on the bus, for the first of the subscriptions to it.
    Subject(EventSubscriptionId),
}

/// One message to one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Who gets it.
    pub receiver: Receiver,
    /// The topic that it is for.
    pub topic: Topic,
}

/// What becomes of one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// The messages, one a receiver, webhooks first.
    pub messages: Vec<Delivery>,
    /// Subscriptions whose topic nobody serves: they are failing, because their topic is not found.
    pub without_receiver: Vec<EventSubscriptionId>,
}

/// Who gets a message for an event of a case at a position of the log, of all that one organization has. `has_subjects`:
/// whether the bus has subjects for readers outside. `may_see`: who of those that made or last changed any of it may see the
/// case; a webhook gets what both its person and a subscription's may see, a subject what a subscription's may (R-NOTIFY-3).
pub fn deliveries(
    event: &CaseEvent,
    position: u64,
    subscriptions: &[LiveSubscription],
    webhooks: &[LiveWebhook],
    has_subjects: bool,
    may_see: &BTreeSet<AccountId>,
) -> Deliveries {
    if !is_told(event) {
        return Deliveries::default();
    }
    let mut subscriptions: Vec<_> = subscriptions.iter().filter(|one| one.since < position).collect();
    subscriptions.sort_unstable_by_key(|one| (one.since, one.subscription));
    let mut webhooks: Vec<_> = webhooks.iter().filter(|one| one.since < position).collect();
    webhooks.sort_unstable_by_key(|one| (one.since, one.webhook));
    let sees = |person: Option<AccountId>| person.is_some_and(|person| may_see.contains(&person));
    let wanted: BTreeSet<&Topic> =
        subscriptions.iter().filter(|one| sees(one.person)).map(|one| &one.topic).collect();
    let served: BTreeSet<&Topic> = webhooks.iter().map(|one| &one.topic).collect();
    let of_webhooks = webhooks
        .iter()
        .filter(|one| wanted.contains(&one.topic) && sees(one.person))
        .map(|one| Delivery { receiver: Receiver::Webhook(one.webhook), topic: one.topic.clone() });
    let mut messages: Vec<_> = of_webhooks.collect();
    let mut published = BTreeSet::new();
    let mut without_receiver = Vec::new();
    for one in subscriptions {
        if has_subjects {
            if sees(one.person) && published.insert(&one.topic) {
                messages.push(Delivery {
                    receiver: Receiver::Subject(one.subscription),
                    topic: one.topic.clone(),
                });
            }
        } else if !served.contains(&one.topic) {
            without_receiver.push(one.subscription);
        }
    }
    Deliveries { messages, without_receiver }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ulid::Ulid;

    use super::super::testing::topic;
    use super::*;
    use crate::case::{CaseUnassigned, EscalationResolved};
    use crate::ids::AccountId;

    fn subscription(number: u128, name: &str, since: u64) -> LiveSubscription {
        LiveSubscription {
            subscription: EventSubscriptionId(Ulid::from(number)),
            topic: topic(name),
            person: Some(person(number)),
            since,
        }
    }

    fn webhook(number: u128, name: &str, since: u64) -> LiveWebhook {
        LiveWebhook {
            webhook: WebhookId(Ulid::from(number)),
            topic: topic(name),
            person: Some(person(number)),
            since,
        }
    }

    fn person(number: u128) -> AccountId {
        AccountId(Ulid::from(100 + number))
    }

    /// What everybody sees.
    fn deliveries(
        event: &CaseEvent,
        position: u64,
        subscriptions: &[LiveSubscription],
        webhooks: &[LiveWebhook],
        has_subjects: bool,
    ) -> Deliveries {
        let everybody = (0..20).map(person).collect();
        super::deliveries(event, position, subscriptions, webhooks, has_subjects, &everybody)
    }

    /// R-NOTIFY-3.
    #[test]
    fn r_notify_3_only_what_is_of_people_who_may_see_the_case_gets_a_message() {
        let asked = [subscription(1, "a", 1), subscription(2, "a", 2), subscription(3, "b", 3)];
        let served = [webhook(7, "a", 4), webhook(8, "a", 5), webhook(9, "b", 6)];
        let receivers_where = |numbers: &[u128], has_subjects| {
            let may_see = numbers.iter().copied().map(person).collect();
            let found = super::deliveries(&told(), 9, &asked, &served, has_subjects, &may_see);
            assert_eq!(
                found.without_receiver,
                [],
                "no subscription fails because somebody may not see a case"
            );
            receivers(&found)
        };
        let hook = |number| Receiver::Webhook(WebhookId(Ulid::from(number)));
        let subject = |number| Receiver::Subject(EventSubscriptionId(Ulid::from(number)));
        assert_eq!(receivers_where(&[2, 8, 9], false), [hook(8)]);
        assert_eq!(receivers_where(&[2, 8, 9], true), [hook(8), subject(2)]);
        assert_eq!(receivers_where(&[1, 2, 3], false), [], "subscribed, and the webhooks are of others");
        assert_eq!(receivers_where(&[7, 8, 9], true), [], "nobody who sees it subscribed");
    }

    fn told() -> CaseEvent {
        EscalationResolved {}.into()
    }

    fn receivers(deliveries: &Deliveries) -> Vec<Receiver> {
        deliveries.messages.iter().map(|delivery| delivery.receiver).collect()
    }

    #[test]
    fn every_enabled_webhook_of_a_topic_gets_one_message_however_many_subscribed() {
        let subscriptions = [subscription(1, "a", 1), subscription(2, "a", 2), subscription(3, "b", 3)];
        let webhooks = [webhook(7, "a", 4), webhook(8, "a", 5), webhook(9, "unsubscribed", 6)];
        let found = deliveries(&told(), 9, &subscriptions, &webhooks, false);
        assert_eq!(receivers(&found), [7, 8].map(|number| Receiver::Webhook(WebhookId(Ulid::from(number)))));
        assert_eq!(found.without_receiver, [subscriptions[2].subscription], "nobody serves b");
    }

    #[test]
    fn on_a_bus_with_subjects_every_topic_has_a_receiver() {
        let subscriptions = [subscription(2, "a", 2), subscription(1, "a", 1), subscription(3, "b", 3)];
        let found = deliveries(&told(), 9, &subscriptions, &[], true);
        let first = [1, 3].map(|number| Receiver::Subject(EventSubscriptionId(Ulid::from(number))));
        assert_eq!((receivers(&found), found.without_receiver), (first.to_vec(), vec![]));
    }

    /// R-COMMENT-3.
    #[test]
    fn r_comment_3_what_stays_with_support_is_told_to_nobody() {
        let internal: CaseEvent = CaseUnassigned { agent: AccountId(Ulid::from(1)) }.into();
        let found = deliveries(&internal, 9, &[subscription(1, "a", 1)], &[webhook(7, "a", 1)], true);
        assert_eq!(found, Deliveries::default());
        // Nor does anybody fail for it.
        assert_eq!(deliveries(&internal, 9, &[subscription(1, "a", 1)], &[], false), Deliveries::default());
    }

    #[test]
    fn what_happened_before_somebody_subscribed_is_not_told() {
        let (asked, served) = ([subscription(1, "a", 5)], [webhook(7, "a", 8)]);
        assert_eq!(deliveries(&told(), 5, &asked, &served, false), Deliveries::default());
        assert_eq!(deliveries(&told(), 6, &asked, &served, false).without_receiver.len(), 1);
        assert_eq!(deliveries(&told(), 9, &asked, &served, false).messages.len(), 1);
    }

    proptest! {
        #[test]
        fn no_receiver_is_named_twice_and_the_order_of_what_is_given_does_not_matter(
            asked in prop::collection::vec((0..6_u128, 0..3_usize, 0..9_u64), 0..6),
            served in prop::collection::vec((10..16_u128, 0..3_usize, 0..9_u64), 0..6),
            has_subjects: bool,
        ) {
            let name = |index: usize| ["a", "b", "c"][index];
            let mut asked: Vec<_> = asked.into_iter().map(|(n, t, at)| subscription(n, name(t), at)).collect();
            let mut served: Vec<_> = served.into_iter().map(|(n, t, at)| webhook(n, name(t), at)).collect();
            asked.sort_unstable_by_key(|one| one.subscription);
            asked.dedup_by_key(|one| one.subscription);
            served.sort_unstable_by_key(|one| one.webhook);
            served.dedup_by_key(|one| one.webhook);
            let found = deliveries(&told(), 5, &asked, &served, has_subjects);
            let named: BTreeSet<_> = receivers(&found).into_iter().collect();
            prop_assert_eq!(named.len(), found.messages.len());
            asked.reverse();
            served.reverse();
            prop_assert_eq!(deliveries(&told(), 5, &asked, &served, has_subjects), found.clone());
            prop_assert!(!has_subjects || found.without_receiver.is_empty());
        }
    }
}
