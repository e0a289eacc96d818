//! What is written about a webhook. These structs are the contract with the log; nothing of them leaves to analytics.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret::WebhookSecret;
use crate::event::domain_events;
use crate::event_subscription::Topic;
use crate::ids::{OrganizationId, WebhookId};
use crate::personal::{Personal, personal_fields};

/// Why a webhook gets no messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisableCause {
    /// Its people switched it off.
    Owner,
    /// It answered 410 Gone.
    Gone,
}

/// Somebody of the organization made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookCreated {
    /// The webhook.
    pub webhook: WebhookId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Where it lies; it may hold a secret of its own.
    pub url: Personal<String>,
    /// The topic that it serves.
    pub topic: Topic,
    /// What its messages are signed with.
    pub secret: WebhookSecret,
}
personal_fields!(WebhookCreated { url, secret });

/// It lies elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookUrlChanged {
    /// Where.
    pub url: Personal<String>,
}
personal_fields!(WebhookUrlChanged { url });

/// It serves another topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookTopicChanged {
    /// Which.
    pub topic: Topic,
}
personal_fields!(WebhookTopicChanged {});

/// Its messages are signed with another secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookSecretRotated {
    /// The new one.
    pub secret: WebhookSecret,
    /// Before this instant they are signed with the one before it too.
    pub previous_until: Timestamp,
}
personal_fields!(WebhookSecretRotated { secret });

/// It gets no messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDisabled {
    /// Why.
    pub cause: DisableCause,
}
personal_fields!(WebhookDisabled {});

/// It gets messages again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookEnabled {}
personal_fields!(WebhookEnabled {});

/// Somebody had it tried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookTested {}
personal_fields!(WebhookTested {});

/// There is none any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDeleted {}
personal_fields!(WebhookDeleted {});

domain_events! {
    /// Everything that can have happened to a webhook.
    pub enum WebhookEvent {
        /// Somebody made it.
        WebhookCreated @ 1,
        /// It lies elsewhere.
        WebhookUrlChanged @ 1,
        /// It serves another topic.
        WebhookTopicChanged @ 1,
        /// It has another secret.
        WebhookSecretRotated @ 1,
        /// It gets no messages.
        WebhookDisabled @ 1,
        /// It gets messages again.
        WebhookEnabled @ 1,
        /// It was tried out.
        WebhookTested @ 1,
        /// There is none any more.
        WebhookDeleted @ 1,
    }
}
