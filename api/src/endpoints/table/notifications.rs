//! Which mails people want, and what became of messages.

use axum::http::Method;
use dossier_domain::Action;

use super::super::Segment::{Case, Item, Literal, Parent};
use super::super::{
    Endpoint, Kind, Segment, case_notifications, me_notification_preferences, notifications_operator,
};
use super::BOTH;

const PREFERENCES: &[Segment] = &[Literal("me"), Literal("notificationPreferences")];
const CASE: &[Segment] = &[Parent, Literal("cases"), Case];

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        id: "me.notificationPreferences.get",
        method: Method::GET,
        path: PREFERENCES,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadOneself,
        handler: |call| Box::pin(me_notification_preferences::get(call)),
    },
    Endpoint {
        id: "me.notificationPreferences.patch",
        method: Method::PATCH,
        path: PREFERENCES,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::ReadOneself,
        handler: |call| Box::pin(me_notification_preferences::patch(call)),
    },
    Endpoint {
        id: "cases.notifications.list",
        method: Method::GET,
        path: &[Parent, Literal("cases"), Case, Literal("notifications")],
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadNotifications,
        handler: |call| Box::pin(case_notifications::list(call)),
    },
    Endpoint {
        id: "cases.stopNotifications",
        method: Method::POST,
        path: CASE,
        verb: Some("stopNotifications"),
        kind: Kind::Command,
        versions: BOTH,
        action: Action::ChangeNotifications,
        handler: |call| Box::pin(case_notifications::stop(call)),
    },
    Endpoint {
        id: "cases.resumeNotifications",
        method: Method::POST,
        path: CASE,
        verb: Some("resumeNotifications"),
        kind: Kind::Command,
        versions: BOTH,
        action: Action::ChangeNotifications,
        handler: |call| Box::pin(case_notifications::resume(call)),
    },
    Endpoint {
        id: "notifications.list",
        method: Method::GET,
        path: &[Literal("notifications")],
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::HandleNotifications,
        handler: |call| Box::pin(notifications_operator::list(call)),
    },
    Endpoint {
        id: "notifications.retry",
        method: Method::POST,
        path: &[Literal("notifications"), Item],
        verb: Some("retry"),
        kind: Kind::Command,
        versions: BOTH,
        action: Action::HandleNotifications,
        handler: |call| Box::pin(notifications_operator::retry(call)),
    },
];
