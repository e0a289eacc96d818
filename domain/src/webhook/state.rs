//! A webhook as its history left it.

use jiff::Timestamp;
use serde::Serialize;

use super::events::{DisableCause, WebhookEvent};
use super::secret::WebhookSecret;
use crate::event::Aggregate;
use crate::event_subscription::Topic;
use crate::ids::{OrganizationId, WebhookId};
use crate::personal::{Personal, PersonalFields, PersonalSlot};

/// A secret that is still good for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreviousSecret {
    /// The secret.
    pub secret: WebhookSecret,
    /// Before this instant messages are signed with it too.
    pub until: Timestamp,
}

/// A webhook that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hook {
    /// The webhook.
    pub webhook: WebhookId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Where it lies.
    pub url: Personal<String>,
    /// The topic that it serves.
    pub topic: Topic,
    /// What its messages are signed with.
    pub secret: WebhookSecret,
    /// The one before.
    pub previous: Option<PreviousSecret>,
    /// Why it gets no messages; `None`: it gets them.
    pub disabled: Option<DisableCause>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
}

impl Hook {
    /// The keys that a message is signed with at an instant, the newest first.
    pub fn signing_keys(&self, now: Timestamp) -> Vec<Vec<u8>> {
        let previous = self.previous.iter().filter(|previous| now < previous.until);
        let secrets = std::iter::once(&self.secret).chain(previous.map(|previous| &previous.secret));
        secrets.filter_map(WebhookSecret::key).collect()
    }
}

/// A webhook, nothing yet, or nothing any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Webhook {
    hook: Option<Hook>,
    deleted: bool,
}

impl Webhook {
    /// The webhook, if it is there.
    pub fn hook(&self) -> Option<&Hook> {
        self.hook.as_ref()
    }

    /// Whether it was ever made.
    pub(super) fn is_known(&self) -> bool {
        self.hook.is_some() || self.deleted
    }
}

impl PersonalFields for Webhook {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        if let Some(hook) = &mut self.hook {
            visit(&mut hook.url);
            hook.secret.for_each_personal(visit);
            if let Some(previous) = &mut hook.previous {
                previous.secret.for_each_personal(visit);
            }
        }
    }
}

impl Aggregate for Webhook {
    type Event = WebhookEvent;

    fn evolve(&mut self, event: &WebhookEvent, at: Timestamp) {
        if let WebhookEvent::WebhookCreated(created) = event {
            self.hook = Some(Hook {
                webhook: created.webhook,
                organization: created.organization.clone(),
                url: created.url.clone(),
                topic: created.topic.clone(),
                secret: created.secret.clone(),
                previous: None,
                disabled: None,
                created_at: at,
                updated_at: at,
            });
            return;
        }
        let Some(hook) = &mut self.hook else { return };
        hook.updated_at = at;
        match event {
            WebhookEvent::WebhookCreated(_) | WebhookEvent::WebhookTested(_) => {}
            WebhookEvent::WebhookUrlChanged(changed) => hook.url = changed.url.clone(),
            WebhookEvent::WebhookTopicChanged(changed) => hook.topic = changed.topic.clone(),
            WebhookEvent::WebhookSecretRotated(rotated) => {
                let secret = std::mem::replace(&mut hook.secret, rotated.secret.clone());
                hook.previous = Some(PreviousSecret { secret, until: rotated.previous_until });
            }
            WebhookEvent::WebhookDisabled(disabled) => hook.disabled = Some(disabled.cause),
            WebhookEvent::WebhookEnabled(_) => hook.disabled = None,
            WebhookEvent::WebhookDeleted(_) => {
                self.hook = None;
                self.deleted = true;
            }
        }
    }
}
