//! What an organization's machines are told: subscriptions to events, and webhooks.

use axum::http::Method;
use dossier_domain::Action;

use super::super::Segment::{Item, Literal, Organization};
use super::super::{
    Endpoint, Kind, Segment, event_subscriptions_create, event_subscriptions_delete,
    event_subscriptions_patch, event_subscriptions_read, webhooks_change, webhooks_create, webhooks_read,
    webhooks_rotate_secret, webhooks_test,
};
use super::BOTH;

const SUBSCRIPTIONS: &[Segment] = &[Organization, Literal("supportEventSubscriptions")];
const SUBSCRIPTION: &[Segment] = &[Organization, Literal("supportEventSubscriptions"), Item];
const WEBHOOKS: &[Segment] = &[Organization, Literal("webhooks")];
const WEBHOOK: &[Segment] = &[Organization, Literal("webhooks"), Item];

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        id: "organizations.supportEventSubscriptions.create",
        method: Method::POST,
        path: SUBSCRIPTIONS,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::DirectEventDelivery,
        handler: |call| Box::pin(event_subscriptions_create::handle(call)),
    },
    Endpoint {
        id: "organizations.supportEventSubscriptions.get",
        method: Method::GET,
        path: SUBSCRIPTION,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ManageEventDelivery,
        handler: |call| Box::pin(event_subscriptions_read::get(call)),
    },
    Endpoint {
        id: "organizations.supportEventSubscriptions.list",
        method: Method::GET,
        path: SUBSCRIPTIONS,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ManageEventDelivery,
        handler: |call| Box::pin(event_subscriptions_read::list(call)),
    },
    Endpoint {
        id: "organizations.supportEventSubscriptions.patch",
        method: Method::PATCH,
        path: SUBSCRIPTION,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::DirectEventDelivery,
        handler: |call| Box::pin(event_subscriptions_patch::handle(call)),
    },
    Endpoint {
        id: "organizations.supportEventSubscriptions.delete",
        method: Method::DELETE,
        path: SUBSCRIPTION,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::ManageEventDelivery,
        handler: |call| Box::pin(event_subscriptions_delete::delete(call)),
    },
    Endpoint {
        id: "organizations.supportEventSubscriptions.undelete",
        method: Method::POST,
        path: SUBSCRIPTION,
        verb: Some("undelete"),
        kind: Kind::Command,
        versions: BOTH,
        action: Action::DirectEventDelivery,
        handler: |call| Box::pin(event_subscriptions_delete::undelete(call)),
    },
    Endpoint {
        id: "organizations.supportEventSubscriptions.expunge",
        method: Method::POST,
        path: SUBSCRIPTION,
        verb: Some("expunge"),
        kind: Kind::Command,
        versions: BOTH,
        action: Action::ManageEventDelivery,
        handler: |call| Box::pin(event_subscriptions_delete::expunge(call)),
    },
    Endpoint {
        id: "organizations.webhooks.create",
        method: Method::POST,
        path: WEBHOOKS,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::DirectEventDelivery,
        handler: |call| Box::pin(webhooks_create::handle(call)),
    },
    Endpoint {
        id: "organizations.webhooks.get",
        method: Method::GET,
        path: WEBHOOK,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ManageEventDelivery,
        handler: |call| Box::pin(webhooks_read::get(call)),
    },
    Endpoint {
        id: "organizations.webhooks.list",
        method: Method::GET,
        path: WEBHOOKS,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ManageEventDelivery,
        handler: |call| Box::pin(webhooks_read::list(call)),
    },
    Endpoint {
        id: "organizations.webhooks.patch",
        method: Method::PATCH,
        path: WEBHOOK,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        // All but switching it off needs more: the command says so.
        action: Action::ManageEventDelivery,
        handler: |call| Box::pin(webhooks_change::patch(call)),
    },
    Endpoint {
        id: "organizations.webhooks.delete",
        method: Method::DELETE,
        path: WEBHOOK,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::ManageEventDelivery,
        handler: |call| Box::pin(webhooks_change::delete(call)),
    },
    Endpoint {
        id: "organizations.webhooks.rotateSecret",
        method: Method::POST,
        path: WEBHOOK,
        verb: Some("rotateSecret"),
        kind: Kind::Command,
        versions: BOTH,
        action: Action::DirectEventDelivery,
        handler: |call| Box::pin(webhooks_rotate_secret::handle(call)),
    },
    Endpoint {
        id: "organizations.webhooks.test",
        method: Method::POST,
        path: WEBHOOK,
        verb: Some("test"),
        kind: Kind::Command,
        versions: BOTH,
        action: Action::ManageEventDelivery,
        handler: |call| Box::pin(webhooks_test::handle(call)),
    },
];
