//! Sending a subscription's notifications to another topic.

use super::{
    EventSubscriptionEvent, EventSubscriptionRejection, EventSubscriptionTopicChanged, Subscribed, Topic,
};

/// Sends notifications elsewhere, from the next event on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeTopic {
    /// Where to.
    pub topic: Topic,
}

impl ChangeTopic {
    /// The same topic again changes nothing.
    pub(super) fn decide(
        &self,
        known: &Subscribed,
    ) -> Result<Vec<EventSubscriptionEvent>, EventSubscriptionRejection> {
        if known.deleted.is_some() {
            return Err(EventSubscriptionRejection::Deleted);
        }
        if known.topic == self.topic {
            return Ok(Vec::new());
        }
        Ok(vec![EventSubscriptionTopicChanged { topic: self.topic.clone() }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{after, created, decide_as, reason, topic};
    use super::super::{
        DeleteEventSubscription, EventSubscription, EventSubscriptionCommand, FailureReason, ReportDelivery,
        SubscriptionState,
    };
    use super::*;
    use crate::testing::at;

    fn change(name: &str) -> EventSubscriptionCommand {
        EventSubscriptionCommand::ChangeTopic(ChangeTopic { topic: topic(name) })
    }

    #[test]
    fn another_topic_is_taken_over_and_what_failed_on_the_old_one_is_forgotten() {
        let failing = ReportDelivery::Failed { receiver: None, reason: FailureReason::TopicNotFound };
        let failing = EventSubscriptionCommand::Report(failing);
        let state = after("system", &created(), &failing, 1);
        let state = after("alice", &state, &change("other"), 2);
        let known = state.at(at(2)).unwrap();
        assert_eq!((&known.topic, known.state()), (&topic("other"), SubscriptionState::Working));
        assert_eq!((known.created_at, known.updated_at), (at(0), at(2)));
        assert_eq!(decide_as("alice", &state, &change("other"), 3), Ok(Vec::new()));
    }

    #[test]
    fn a_deleted_subscription_does_not_change_and_there_must_be_one() {
        let delete = EventSubscriptionCommand::Delete(DeleteEventSubscription {});
        let deleted = after("alice", &created(), &delete, 1);
        assert_eq!(reason("alice", &deleted, &change("other"), 2), Some("SUBSCRIPTION_DELETED"));
        let nothing = EventSubscription::default();
        assert_eq!(reason("alice", &nothing, &change("other"), 2), Some("SUBSCRIPTION_NOT_FOUND"));
        assert_eq!(
            reason("bob", &nothing, &change("other"), 2),
            Some("ROLE_TOO_LOW"),
            "who may is asked first"
        );
    }
}
