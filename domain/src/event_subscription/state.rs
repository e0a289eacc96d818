//! A subscription to events as its history left it.

use jiff::Timestamp;
use serde::Serialize;

use super::deliver::Receiver;
use super::events::{EventSubscriptionEvent, FailureReason};
use super::topic::Topic;
use crate::event::Aggregate;
use crate::ids::{EventSubscriptionId, OrganizationId};
use crate::personal::{PersonalFields, PersonalSlot};

/// Since when a subscription is deleted, and until when it can be brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Deletion {
    /// When it was deleted.
    pub at: Timestamp,
    /// From this instant on it is gone for good.
    pub purge_at: Timestamp,
}

/// A receiver that does not take notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Failing {
    /// Who; `None`: the topic has nobody, or it was not told.
    pub receiver: Option<Receiver>,
    /// Why.
    pub reason: FailureReason,
}

/// A subscription that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subscribed {
    /// The subscription.
    pub subscription: EventSubscriptionId,
    /// Whose cases it is about.
    pub organization: OrganizationId,
    /// Where notifications go.
    pub topic: Topic,
    /// Who does not take them, the latest last; none while they arrive.
    pub failing: Vec<Failing>,
    /// Whether it is deleted.
    pub deleted: Option<Deletion>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
}

/// Where a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionState {
    /// Notifications arrive, as far as is known.
    Working,
    /// They do not.
    Failing(FailureReason),
    /// It gets none.
    Deleted,
}

impl Subscribed {
    /// Where it stands.
    pub fn state(&self) -> SubscriptionState {
        match (self.deleted, self.failing.last()) {
            (Some(_), _) => SubscriptionState::Deleted,
            (None, Some(failing)) => SubscriptionState::Failing(failing.reason),
            (None, None) => SubscriptionState::Working,
        }
    }
}

/// A subscription, nothing yet, or nothing any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventSubscription {
    subscribed: Option<Subscribed>,
    expunged: bool,
}

impl EventSubscription {
    /// The subscription, unless it is gone for good at an instant.
    pub fn at(&self, now: Timestamp) -> Option<&Subscribed> {
        self.subscribed.as_ref().filter(|known| known.deleted.is_none_or(|deletion| now < deletion.purge_at))
    }

    /// Whether it was ever made.
    pub(super) fn is_known(&self) -> bool {
        self.subscribed.is_some() || self.expunged
    }
}

impl PersonalFields for EventSubscription {
    fn for_each_personal(&mut self, _visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {}
}

impl Aggregate for EventSubscription {
    type Event = EventSubscriptionEvent;

    fn evolve(&mut self, event: &EventSubscriptionEvent, at: Timestamp) {
        if let EventSubscriptionEvent::EventSubscriptionCreated(created) = event {
            self.subscribed = Some(Subscribed {
                subscription: created.subscription,
                organization: created.organization.clone(),
                topic: created.topic.clone(),
                failing: Vec::new(),
                deleted: None,
                created_at: at,
                updated_at: at,
            });
            return;
        }
        let Some(known) = &mut self.subscribed else { return };
        known.updated_at = at;
        match event {
            EventSubscriptionEvent::EventSubscriptionCreated(_) => {}
            EventSubscriptionEvent::EventSubscriptionTopicChanged(changed) => {
                known.topic = changed.topic.clone();
                // Nothing is known of the new topic yet.
                known.failing.clear();
            }
            EventSubscriptionEvent::EventSubscriptionDeleted(deleted) => {
                known.deleted = Some(Deletion { at, purge_at: deleted.purge_at });
            }
            EventSubscriptionEvent::EventSubscriptionUndeleted(_) => known.deleted = None,
            EventSubscriptionEvent::EventSubscriptionExpunged(_) => {
                self.subscribed = None;
                self.expunged = true;
            }
            EventSubscriptionEvent::EventSubscriptionFailed(failed) => {
                known.failing.retain(|failing| failing.receiver != failed.receiver);
                known.failing.push(Failing { receiver: failed.receiver, reason: failed.reason });
            }
            EventSubscriptionEvent::EventSubscriptionRecovered(recovered) => {
                let others_fail = recovered.still_failing.is_some();
                known.failing.retain(|failing| {
                    others_fail && failing.receiver.is_some_and(|one| !recovered.receivers.contains(&one))
                });
            }
        }
    }
}
