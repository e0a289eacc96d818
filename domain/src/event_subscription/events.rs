//! What is written about a subscription to events. These structs are the contract with the log; nothing of them leaves to
//! analytics.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::deliver::Receiver;
use super::topic::Topic;
use crate::event::domain_events;
use crate::ids::{EventSubscriptionId, OrganizationId};
use crate::personal::personal_fields;

/// Why notifications do not reach the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// Whoever receives does not let us.
    PermissionDenied,
    /// Nobody serves the topic.
    TopicNotFound,
    /// Anything else, such as an endpoint that does not answer.
    Other,
}

/// Somebody of the organization subscribed to what happens to its cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventSubscriptionCreated {
    /// The subscription.
    pub subscription: EventSubscriptionId,
    /// Whose cases it is about.
    pub organization: OrganizationId,
    /// Where notifications go.
    pub topic: Topic,
}
personal_fields!(EventSubscriptionCreated {});

/// Notifications go elsewhere from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventSubscriptionTopicChanged {
    /// Where to.
    pub topic: Topic,
}
personal_fields!(EventSubscriptionTopicChanged {});

/// It was deleted, and can be brought back for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventSubscriptionDeleted {
    /// From this instant on it is gone for good.
    pub purge_at: Timestamp,
}
personal_fields!(EventSubscriptionDeleted {});

/// It was brought back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventSubscriptionUndeleted {}
personal_fields!(EventSubscriptionUndeleted {});

/// It is gone for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventSubscriptionExpunged {}
personal_fields!(EventSubscriptionExpunged {});

/// Notifications do not arrive; the system found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventSubscriptionFailed {
    /// Why.
    pub reason: FailureReason,
    /// Who did not take them; `None`: the topic had nobody who could, or it was written before receivers were told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<Receiver>,
}
personal_fields!(EventSubscriptionFailed {});

/// Notifications arrive again: everywhere, or at some receivers while others still fail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventSubscriptionRecovered {
    /// While others still fail: the receivers that take them again, or serve the topic no more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub receivers: BTreeSet<Receiver>,
    /// Why notifications do not arrive at the others; `None`: they arrive everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub still_failing: Option<FailureReason>,
}
personal_fields!(EventSubscriptionRecovered {});

domain_events! {
    /// Everything that can have happened to a subscription.
    pub enum EventSubscriptionEvent {
        /// Somebody subscribed.
        EventSubscriptionCreated @ 1,
        /// Notifications go elsewhere.
        EventSubscriptionTopicChanged @ 1,
        /// It was deleted for a while.
        EventSubscriptionDeleted @ 1,
        /// It was brought back.
        EventSubscriptionUndeleted @ 1,
        /// It is gone for good.
        EventSubscriptionExpunged @ 1,
        /// Notifications do not arrive.
        EventSubscriptionFailed @ 1,
        /// They arrive again.
        EventSubscriptionRecovered @ 1,
    }
}
