//! History and the stream of events.

use axum::http::Method;
use dossier_domain::Action;

use super::super::Segment::{Case, Literal, Parent};
use super::super::{Endpoint, Kind, Segment, events_feed, events_list};
use super::BOTH;

const CASE_EVENTS: &[Segment] = &[Parent, Literal("cases"), Case, Literal("events")];
const ACCESS_EVENTS: &[Segment] = &[Parent, Literal("access"), Literal("events")];

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        id: "cases.events.list",
        method: Method::GET,
        path: CASE_EVENTS,
        verb: None,
        kind: Kind::Export,
        versions: BOTH,
        action: Action::ReadHistory,
        handler: |call| Box::pin(events_list::of_case(call)),
    },
    Endpoint {
        id: "access.events.list",
        method: Method::GET,
        path: ACCESS_EVENTS,
        verb: None,
        kind: Kind::Export,
        versions: BOTH,
        action: Action::ReadHistory,
        handler: |call| Box::pin(events_list::of_access(call)),
    },
    Endpoint {
        id: "events.list",
        method: Method::GET,
        path: &[Literal("events")],
        verb: None,
        kind: Kind::Export,
        versions: BOTH,
        action: Action::ReadEventFeed,
        handler: |call| Box::pin(events_feed::handle(call)),
    },
];
