//! Samples of what happens to subscriptions to events and to webhooks.

use dossier_domain::event_subscription::{
    EventSubscriptionCreated, EventSubscriptionDeleted, EventSubscriptionEvent, EventSubscriptionExpunged,
    EventSubscriptionFailed, EventSubscriptionRecovered, EventSubscriptionTopicChanged,
    EventSubscriptionUndeleted, FailureReason, Topic,
};
use dossier_domain::webhook::{
    DisableCause, WebhookCreated, WebhookDeleted, WebhookDisabled, WebhookEnabled, WebhookEvent,
    WebhookSecret, WebhookSecretRotated, WebhookTested, WebhookTopicChanged, WebhookUrlChanged,
};
use dossier_domain::{EventSubscriptionId, Personal, Subject, WebhookId};
use ulid::Ulid;

use super::{at, organization};

fn topic() -> Topic {
    "projects/acme/topics/cases".parse().unwrap()
}

fn words(text: &str) -> Personal<String> {
    Personal::new(Subject::webhook(WebhookId(Ulid::from(22))), text.to_owned())
}

fn secret() -> WebhookSecret {
    serde_json::from_value(serde_json::to_value(words("whsec_sample")).unwrap()).unwrap()
}

pub(super) fn subscription_events() -> Vec<EventSubscriptionEvent> {
    vec![
        EventSubscriptionCreated {
            subscription: EventSubscriptionId(Ulid::from(21)),
            organization: organization("acme"),
            topic: topic(),
        }
        .into(),
        EventSubscriptionTopicChanged { topic: topic() }.into(),
        EventSubscriptionDeleted { purge_at: at(60) }.into(),
        EventSubscriptionUndeleted {}.into(),
        EventSubscriptionExpunged {}.into(),
        EventSubscriptionFailed { reason: FailureReason::TopicNotFound, receiver: None }.into(),
        EventSubscriptionRecovered::default().into(),
    ]
}

pub(super) fn webhook_events() -> Vec<WebhookEvent> {
    vec![
        WebhookCreated {
            webhook: WebhookId(Ulid::from(22)),
            organization: organization("acme"),
            url: words("https://hooks.acme.example/dossier"),
            topic: topic(),
            secret: secret(),
        }
        .into(),
        WebhookUrlChanged { url: words("https://hooks.acme.example/new") }.into(),
        WebhookTopicChanged { topic: topic() }.into(),
        WebhookSecretRotated { secret: secret(), previous_until: at(60) }.into(),
        WebhookDisabled { cause: DisableCause::Gone }.into(),
        WebhookEnabled {}.into(),
        WebhookTested {}.into(),
        WebhookDeleted {}.into(),
    ]
}
