//! Removing a subscription for good.

use super::{EventSubscriptionEvent, EventSubscriptionExpunged};

/// Removes a subscription for good, deleted or not: there is none any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpungeEventSubscription {}

impl ExpungeEventSubscription {
    #[expect(clippy::unused_self, reason = "a command like the others")]
    pub(super) fn decide(&self) -> Vec<EventSubscriptionEvent> {
        vec![EventSubscriptionExpunged {}.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{after, create, created, decide_as, reason};
    use super::super::{DeleteEventSubscription, EventSubscriptionCommand, UndeleteEventSubscription};
    use super::*;
    use crate::testing::at;

    #[test]
    fn an_expunged_subscription_is_gone_whatever_is_asked_of_it() {
        let expunge = EventSubscriptionCommand::Expunge(ExpungeEventSubscription {});
        let delete = EventSubscriptionCommand::Delete(DeleteEventSubscription {});
        let deleted = after("alice", &created(), &delete, 1);
        for state in [created(), deleted] {
            let gone = after("alice", &state, &expunge, 2);
            assert_eq!(gone.at(at(0)), None);
            let undelete = EventSubscriptionCommand::Undelete(UndeleteEventSubscription {});
            for command in [&expunge, &delete, &undelete] {
                assert_eq!(reason("alice", &gone, command, 3), Some("SUBSCRIPTION_NOT_FOUND"));
            }
            assert_eq!(
                decide_as("alice", &gone, &create("cases"), 3),
                Ok(Vec::new()),
                "nor is it made again"
            );
        }
    }
}
