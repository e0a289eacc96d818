//! Bringing a deleted subscription back.

use super::{EventSubscriptionEvent, EventSubscriptionRejection, EventSubscriptionUndeleted, Subscribed};

/// Brings a deleted subscription back; what happened meanwhile is not made up for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndeleteEventSubscription {}

impl UndeleteEventSubscription {
    #[expect(clippy::unused_self, reason = "a command like the others")]
    pub(super) fn decide(
        &self,
        known: &Subscribed,
    ) -> Result<Vec<EventSubscriptionEvent>, EventSubscriptionRejection> {
        match known.deleted {
            None => Err(EventSubscriptionRejection::NotDeleted),
            Some(_) => Ok(vec![EventSubscriptionUndeleted {}.into()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{after, created, reason};
    use super::super::{
        DeleteEventSubscription, EventSubscriptionCommand, PURGE_AFTER_DAYS, SubscriptionState,
    };
    use super::*;
    use crate::testing::at;

    #[test]
    fn a_deleted_subscription_comes_back_without_its_times_and_another_is_refused() {
        let undelete = EventSubscriptionCommand::Undelete(UndeleteEventSubscription {});
        let delete = EventSubscriptionCommand::Delete(DeleteEventSubscription {});
        assert_eq!(reason("alice", &created(), &undelete, 1), Some("SUBSCRIPTION_NOT_DELETED"));
        let deleted = after("alice", &created(), &delete, 1);
        let back = after("alice", &deleted, &undelete, 2);
        let known = back.at(at(2)).unwrap();
        assert_eq!((known.state(), known.deleted), (SubscriptionState::Working, None));
        let late = 1 + PURGE_AFTER_DAYS * 24 * 3_600;
        assert_eq!(reason("alice", &deleted, &undelete, late), Some("SUBSCRIPTION_NOT_FOUND"));
    }
}
