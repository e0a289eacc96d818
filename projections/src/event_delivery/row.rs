//! Subscriptions and webhooks as the read side shows them, and how events change them.

use dossier_domain::event_subscription::{EventSubscriptionEvent, FailureReason};
use dossier_domain::webhook::{DisableCause, WebhookEvent};
use dossier_eventlog::Position;
use serde::Serialize;

use crate::database::stored;
use crate::event::ProjectedEvent;
use crate::model::{Column, Table};

/// A subscription to events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct EventSubscriptionRow {
    /// Its id.
    pub subscription: String,
    /// Position of its making: the order of the list.
    pub created_position: i64,
    /// Whose it is.
    pub organization: String,
    /// Where notifications go; empty once it is expunged.
    pub topic: String,
    /// The account that made it or last changed it: it is told of what that person may see.
    pub person: String,
    /// Why they do not arrive: `PERMISSION_DENIED`, `TOPIC_NOT_FOUND` or `OTHER`.
    pub failure_reason: Option<String>,
    /// When it was made, microseconds since 1970.
    pub created_at_micros: i64,
    /// When anything last happened to it.
    pub updated_at_micros: i64,
    /// When it was deleted.
    pub deleted_at_micros: Option<i64>,
    /// From when on it is gone.
    pub purge_at_micros: Option<i64>,
    /// Whether it is gone for good. The row stays, so that an event that comes twice does not bring it back.
    pub expunged: bool,
    /// Position of what let it get messages: its making or the latest undeleting. It is told of nothing before.
    pub live_since_position: i64,
    /// Revision of the stream.
    pub revision: i64,
}

/// A webhook. Its secret is not in any read model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct WebhookRow {
    /// Its id.
    pub webhook: String,
    /// Position of its making: the order of the list.
    pub created_position: i64,
    /// Whose it is.
    pub organization: String,
    /// Where it lies; `None` when it was erased.
    pub url: Option<String>,
    /// The topic that it serves.
    pub topic: String,
    /// The account that made it or last changed it: it is told of what that person may see.
    pub person: String,
    /// Why it gets no messages: `OWNER` or `GONE`.
    pub disabled_cause: Option<String>,
    /// When it was made, microseconds since 1970.
    pub created_at_micros: i64,
    /// When anything last happened to it.
    pub updated_at_micros: i64,
    /// Until when its old secret is good too.
    pub previous_secret_until_micros: Option<i64>,
    /// Whether there is none any more.
    pub deleted: bool,
    /// Position of what let it get messages: its making or the latest enabling. It is told of nothing before.
    pub live_since_position: i64,
    /// Revision of the stream.
    pub revision: i64,
}

pub(super) const SUBSCRIPTIONS: Table = Table {
    name: "event_subscriptions",
    columns: &[
        Column::text("subscription"),
        Column::integer("created_position"),
        Column::text("organization"),
        Column::text("topic"),
        Column::text("person"),
        Column::text("failure_reason").or_null(),
        Column::integer("created_at_micros"),
        Column::integer("updated_at_micros"),
        Column::integer("deleted_at_micros").or_null(),
        Column::integer("purge_at_micros").or_null(),
        Column::boolean("expunged"),
        Column::integer("live_since_position"),
        Column::integer("revision"),
    ],
    key: &["subscription"],
    indexes: &["organization, created_position"],
};

pub(super) const WEBHOOKS: Table = Table {
    name: "webhooks",
    columns: &[
        Column::text("webhook"),
        Column::integer("created_position"),
        Column::text("organization"),
        Column::text("url").or_null(),
        Column::text("topic"),
        Column::text("person"),
        Column::text("disabled_cause").or_null(),
        Column::integer("created_at_micros"),
        Column::integer("updated_at_micros"),
        Column::integer("previous_secret_until_micros").or_null(),
        Column::boolean("deleted"),
        Column::integer("live_since_position"),
        Column::integer("revision"),
    ],
    key: &["webhook"],
    indexes: &["organization, created_position"],
};

fn failure(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::PermissionDenied => "PERMISSION_DENIED",
        FailureReason::TopicNotFound => "TOPIC_NOT_FOUND",
        FailureReason::Other => "OTHER",
    }
}

fn cause(cause: DisableCause) -> &'static str {
    match cause {
        DisableCause::Owner => "OWNER",
        DisableCause::Gone => "GONE",
    }
}

/// Where an event stands: revision, position and instant, as rows hold them.
fn place(projected: &ProjectedEvent) -> (i64, i64, i64) {
    let revision = stored(Position(projected.revision.0));
    (revision, stored(projected.position), projected.recorded_at.as_microsecond())
}

impl EventSubscriptionRow {
    /// The row after an event; what the row has already changes nothing.
    pub(super) fn after(
        row: Option<Self>,
        event: &EventSubscriptionEvent,
        projected: &ProjectedEvent,
    ) -> Option<Self> {
        let (revision, position, at) = place(projected);
        if let EventSubscriptionEvent::EventSubscriptionCreated(created) = event {
            return row.or_else(|| {
                Some(Self {
                    subscription: created.subscription.to_string(),
                    created_position: position,
                    organization: created.organization.to_string(),
                    topic: created.topic.to_string(),
                    person: projected.metadata.actor.clone(),
                    failure_reason: None,
                    created_at_micros: at,
                    updated_at_micros: at,
                    deleted_at_micros: None,
                    purge_at_micros: None,
                    expunged: false,
                    live_since_position: position,
                    revision,
                })
            });
        }
        let mut row = row?;
        if row.revision >= revision {
            return Some(row);
        }
        row.revision = revision;
        row.updated_at_micros = at;
        if matches!(
            event,
            EventSubscriptionEvent::EventSubscriptionTopicChanged(_)
                | EventSubscriptionEvent::EventSubscriptionUndeleted(_)
        ) {
            row.person.clone_from(&projected.metadata.actor);
        }
        match event {
            EventSubscriptionEvent::EventSubscriptionCreated(_) => {}
            EventSubscriptionEvent::EventSubscriptionTopicChanged(changed) => {
                row.topic = changed.topic.to_string();
                row.failure_reason = None;
            }
            EventSubscriptionEvent::EventSubscriptionDeleted(deleted) => {
                row.deleted_at_micros = Some(at);
                row.purge_at_micros = Some(deleted.purge_at.as_microsecond());
            }
            EventSubscriptionEvent::EventSubscriptionUndeleted(_) => {
                (row.deleted_at_micros, row.purge_at_micros) = (None, None);
                row.live_since_position = position;
            }
            EventSubscriptionEvent::EventSubscriptionExpunged(_) => {
                row.expunged = true;
                row.topic.clear();
            }
            EventSubscriptionEvent::EventSubscriptionFailed(failed) => {
                row.failure_reason = Some(failure(failed.reason).to_owned());
            }
            EventSubscriptionEvent::EventSubscriptionRecovered(recovered) => {
                row.failure_reason = recovered.still_failing.map(|reason| failure(reason).to_owned());
            }
        }
        Some(row)
    }
}

impl WebhookRow {
    /// The row after an event; what the row has already changes nothing.
    pub(super) fn after(row: Option<Self>, event: &WebhookEvent, projected: &ProjectedEvent) -> Option<Self> {
        let (revision, position, at) = place(projected);
        if let WebhookEvent::WebhookCreated(created) = event {
            return row.or_else(|| {
                Some(Self {
                    webhook: created.webhook.to_string(),
                    created_position: position,
                    organization: created.organization.to_string(),
                    url: created.url.open().cloned(),
                    topic: created.topic.to_string(),
                    person: projected.metadata.actor.clone(),
                    disabled_cause: None,
                    created_at_micros: at,
                    updated_at_micros: at,
                    previous_secret_until_micros: None,
                    deleted: false,
                    live_since_position: position,
                    revision,
                })
            });
        }
        let mut row = row?;
        if row.revision >= revision {
            return Some(row);
        }
        row.revision = revision;
        row.updated_at_micros = at;
        // Whoever has it lie elsewhere, or learns its secret, gets what it is told; that it is gone the system writes.
        if matches!(
            event,
            WebhookEvent::WebhookUrlChanged(_)
                | WebhookEvent::WebhookTopicChanged(_)
                | WebhookEvent::WebhookSecretRotated(_)
                | WebhookEvent::WebhookEnabled(_)
        ) {
            row.person.clone_from(&projected.metadata.actor);
        }
        match event {
            WebhookEvent::WebhookCreated(_) | WebhookEvent::WebhookTested(_) => {}
            WebhookEvent::WebhookUrlChanged(changed) => row.url = changed.url.open().cloned(),
            WebhookEvent::WebhookTopicChanged(changed) => row.topic = changed.topic.to_string(),
            WebhookEvent::WebhookSecretRotated(rotated) => {
                row.previous_secret_until_micros = Some(rotated.previous_until.as_microsecond());
            }
            WebhookEvent::WebhookDisabled(disabled) => {
                row.disabled_cause = Some(cause(disabled.cause).to_owned());
            }
            WebhookEvent::WebhookEnabled(_) => {
                row.disabled_cause = None;
                row.live_since_position = position;
            }
            WebhookEvent::WebhookDeleted(_) => {
                row.deleted = true;
                row.url = None;
            }
        }
        Some(row)
    }
}
