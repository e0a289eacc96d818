//! Deleting a subscription, softly: it gets no notifications and can be brought back for a while.

use jiff::{SignedDuration, Timestamp};

use super::{EventSubscriptionDeleted, EventSubscriptionEvent, Subscribed};
use crate::context::Context;

/// How long a deleted subscription can be brought back, in days.
pub const PURGE_AFTER_DAYS: i64 = 30;

/// Deletes a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteEventSubscription {}

impl DeleteEventSubscription {
    /// Clients repeat deletions: one that is deleted stays as it is, its purge time too.
    #[expect(clippy::unused_self, reason = "a command like the others")]
    pub(super) fn decide(&self, known: &Subscribed, context: &Context<'_>) -> Vec<EventSubscriptionEvent> {
        if known.deleted.is_some() {
            return Vec::new();
        }
        let kept = SignedDuration::from_hours(24 * PURGE_AFTER_DAYS);
        let purge_at = context.now.saturating_add(kept).unwrap_or(Timestamp::MAX);
        vec![EventSubscriptionDeleted { purge_at }.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{after, created, decide_as, reason};
    use super::super::{EventSubscriptionCommand, SubscriptionState};
    use super::*;
    use crate::testing::at;

    const KEPT_SECONDS: i64 = PURGE_AFTER_DAYS * 24 * 3_600;

    fn delete() -> EventSubscriptionCommand {
        EventSubscriptionCommand::Delete(DeleteEventSubscription {})
    }

    #[test]
    fn a_deleted_subscription_is_shown_as_that_until_it_is_purged() {
        let state = after("alice", &created(), &delete(), 5);
        let known = state.at(at(5)).unwrap();
        assert_eq!(known.state(), SubscriptionState::Deleted);
        let deletion = known.deleted.unwrap();
        assert_eq!((deletion.at, deletion.purge_at), (at(5), at(5 + KEPT_SECONDS)));
        assert!(state.at(at(5 + KEPT_SECONDS - 1)).is_some());
        assert_eq!(state.at(at(5 + KEPT_SECONDS)), None, "gone from the very instant on");
        assert_eq!(reason("alice", &state, &delete(), 5 + KEPT_SECONDS), Some("SUBSCRIPTION_NOT_FOUND"));
    }

    #[test]
    fn deleting_again_changes_nothing() {
        let state = after("alice", &created(), &delete(), 5);
        assert_eq!(decide_as("alice", &state, &delete(), 9), Ok(Vec::new()));
    }
}
