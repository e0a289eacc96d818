//! How deliveries go, as the system finds out.

use std::collections::BTreeSet;

use super::deliver::Receiver;
use super::state::Failing;
use super::{
    EventSubscriptionEvent, EventSubscriptionFailed, EventSubscriptionRecovered, FailureReason, Subscribed,
};

/// Says how a delivery went. Several receivers may serve a topic, and each is judged by itself: the subscription fails while
/// one of them does. What is known already is not written again: a subscription moves when a receiver begins to fail, when its
/// reason changes, and when it takes notifications again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportDelivery {
    /// It was not taken.
    Failed {
        /// By whom; `None`: nobody serves the topic.
        receiver: Option<Receiver>,
        /// Why.
        reason: FailureReason,
    },
    /// It was taken.
    Accepted {
        /// By whom.
        receiver: Receiver,
        /// Who else serves the topic: of others that once failed it counts no more.
        serving: BTreeSet<Receiver>,
    },
}

impl ReportDelivery {
    /// A deleted subscription gets no notifications: what was still on its way says nothing of it.
    pub(super) fn decide(&self, known: &Subscribed) -> Vec<EventSubscriptionEvent> {
        if known.deleted.is_some() {
            return Vec::new();
        }
        match self {
            Self::Failed { receiver, reason } => {
                let (receiver, reason) = (*receiver, *reason);
                if known.failing.contains(&Failing { receiver, reason }) {
                    return Vec::new();
                }
                vec![EventSubscriptionFailed { reason, receiver }.into()]
            }
            Self::Accepted { receiver, serving } => {
                let still_fails = |failing: &&Failing| {
                    failing.receiver.is_some_and(|one| one != *receiver && serving.contains(&one))
                };
                let (still, over): (Vec<&Failing>, Vec<_>) = known.failing.iter().partition(still_fails);
                let Some(last) = still.last() else {
                    // Nobody fails any more; whether somebody did decides whether that is news.
                    let news = !over.is_empty();
                    return news.then(|| EventSubscriptionRecovered::default().into()).into_iter().collect();
                };
                if over.is_empty() {
                    return Vec::new();
                }
                let receivers = over.iter().filter_map(|failing| failing.receiver).collect();
                vec![EventSubscriptionRecovered { receivers, still_failing: Some(last.reason) }.into()]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::super::testing::{after, created, decide_as, reason};
    use super::super::{
        DeleteEventSubscription, EventSubscription, EventSubscriptionCommand, SubscriptionState,
    };
    use super::*;
    use crate::ids::WebhookId;
    use crate::testing::at;

    fn webhook(number: u128) -> Receiver {
        Receiver::Webhook(WebhookId(Ulid::from(number)))
    }

    fn failed(number: u128, reason: FailureReason) -> EventSubscriptionCommand {
        let receiver = (number > 0).then(|| webhook(number));
        EventSubscriptionCommand::Report(ReportDelivery::Failed { receiver, reason })
    }

    fn accepted(number: u128, serving: &[u128]) -> EventSubscriptionCommand {
        let serving = serving.iter().map(|number| webhook(*number)).collect();
        EventSubscriptionCommand::Report(ReportDelivery::Accepted { receiver: webhook(number), serving })
    }

    fn stands(state: &EventSubscription) -> SubscriptionState {
        state.at(at(0)).unwrap().state()
    }

    #[test]
    fn a_subscription_fails_for_a_reason_and_works_again_when_something_arrives() {
        let state = after("system", &created(), &failed(0, FailureReason::TopicNotFound), 1);
        assert_eq!(stands(&state), SubscriptionState::Failing(FailureReason::TopicNotFound));
        let again = decide_as("system", &state, &failed(0, FailureReason::TopicNotFound), 2);
        assert_eq!(again, Ok(Vec::new()), "said once");
        let state = after("system", &state, &failed(1, FailureReason::PermissionDenied), 3);
        let state = after("system", &state, &failed(1, FailureReason::Other), 4);
        assert_eq!(stands(&state), SubscriptionState::Failing(FailureReason::Other), "the reason changed");
        let state = after("system", &state, &accepted(1, &[1]), 5);
        assert_eq!(stands(&state), SubscriptionState::Working);
        assert_eq!(decide_as("system", &state, &accepted(1, &[1]), 6), Ok(Vec::new()));
    }

    #[test]
    fn a_receiver_that_takes_messages_says_nothing_of_another_that_does_not() {
        let state = after("system", &created(), &failed(1, FailureReason::Other), 1);
        assert_eq!(decide_as("system", &state, &accepted(2, &[1, 2]), 2), Ok(Vec::new()));
        let state = after("system", &state, &failed(2, FailureReason::PermissionDenied), 3);
        let failing = SubscriptionState::Failing(FailureReason::PermissionDenied);
        assert_eq!(stands(&state), failing);
        assert_eq!(
            decide_as("system", &state, &failed(1, FailureReason::Other), 4),
            Ok(Vec::new()),
            "two that fail for two reasons do not take turns"
        );
        let one = after("system", &state, &accepted(1, &[1, 2]), 5);
        assert_eq!(stands(&one), failing, "the other one still fails");
        assert_eq!(decide_as("system", &one, &accepted(1, &[1, 2]), 6), Ok(Vec::new()), "said once");
        assert_eq!(stands(&after("system", &one, &accepted(2, &[1, 2]), 7)), SubscriptionState::Working);
        let other = after("system", &state, &accepted(2, &[1, 2]), 5);
        assert_eq!(stands(&other), SubscriptionState::Failing(FailureReason::Other));
    }

    #[test]
    fn a_receiver_that_serves_the_topic_no_more_does_not_keep_a_subscription_failing() {
        let state = after("system", &created(), &failed(1, FailureReason::Other), 1);
        let state = after("system", &state, &failed(2, FailureReason::Other), 2);
        let state = after("system", &state, &accepted(3, &[2, 3]), 3);
        assert_eq!(stands(&state), SubscriptionState::Failing(FailureReason::Other));
        assert_eq!(state.at(at(0)).unwrap().failing.len(), 1, "the first one is gone");
        let state = after("system", &state, &accepted(3, &[3]), 4);
        assert_eq!(stands(&state), SubscriptionState::Working);
    }

    #[test]
    fn only_the_system_says_how_deliveries_go() {
        for who in ["alice", "operator", "agent-north", "peter"] {
            assert!(reason(who, &created(), &failed(1, FailureReason::Other), 1).is_some(), "{who}");
        }
    }

    #[test]
    fn what_was_still_on_its_way_says_nothing_of_a_deleted_subscription() {
        let delete = EventSubscriptionCommand::Delete(DeleteEventSubscription {});
        let deleted = after("alice", &created(), &delete, 1);
        assert_eq!(decide_as("system", &deleted, &failed(1, FailureReason::Other), 2), Ok(Vec::new()));
    }
}
