//! The help assistant, and feedback.

use axum::http::Method;
use dossier_domain::Action;

use super::super::Segment::{Item, Literal, Parent};
use super::super::help_sessions::{start_case, stats, steps};
use super::super::{Endpoint, Handler, Kind, Segment, feedback};
use super::BOTH;

const SESSIONS: &[Segment] = &[Parent, Literal("helpSessions")];
const SESSION: &[Segment] = &[Parent, Literal("helpSessions"), Item];
const HELP: Action = Action::UseHelpAssistant;
const FEEDBACK: &[Segment] = &[Literal("feedback")];

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        id: "helpSessions.create",
        method: Method::POST,
        path: SESSIONS,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::UseHelpAssistant,
        handler: |call| Box::pin(steps::create(call)),
    },
    Endpoint {
        id: "helpSessions.get",
        method: Method::GET,
        path: SESSION,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::UseHelpAssistant,
        handler: |call| Box::pin(steps::get(call)),
    },
    step("helpSessions.describe", "describe", HELP, |call| Box::pin(steps::describe(call))),
    step("helpSessions.open", "open", HELP, |call| Box::pin(steps::open(call))),
    step("helpSessions.helped", "helped", HELP, |call| Box::pin(steps::helped(call))),
    step("helpSessions.notHelped", "notHelped", HELP, |call| Box::pin(steps::not_helped(call))),
    step("helpSessions.chooseCase", "chooseCase", HELP, |call| Box::pin(steps::choose_case(call))),
    step("helpSessions.chooseKind", "chooseKind", HELP, |call| Box::pin(steps::choose_kind(call))),
    step("helpSessions.chooseContact", "chooseContact", HELP, |call| Box::pin(steps::choose_contact(call))),
    step("helpSessions.back", "back", HELP, |call| Box::pin(steps::back(call))),
    step("helpSessions.searchAgain", "searchAgain", HELP, |call| Box::pin(steps::search_again(call))),
    // Whoever may not file gets help, and no case.
    step("helpSessions.startCase", "startCase", Action::FileCase, |call| Box::pin(start_case::handle(call))),
    Endpoint {
        id: "helpStats.get",
        method: Method::GET,
        path: &[Literal("helpStats")],
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadHelpStats,
        handler: |call| Box::pin(stats::handle(call)),
    },
    Endpoint {
        id: "feedback.create",
        method: Method::POST,
        path: FEEDBACK,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::SendFeedback,
        handler: |call| Box::pin(feedback::create(call)),
    },
    Endpoint {
        id: "feedback.list",
        method: Method::GET,
        path: FEEDBACK,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadFeedback,
        handler: |call| Box::pin(feedback::list(call)),
    },
    Endpoint {
        id: "feedback.get",
        method: Method::GET,
        path: &[Literal("feedback"), Item],
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadFeedback,
        handler: |call| Box::pin(feedback::get(call)),
    },
];

/// A step of a session, by what stands behind the last `:`.
const fn step(id: &'static str, verb: &'static str, action: Action, handler: Handler) -> Endpoint {
    Endpoint {
        id,
        method: Method::POST,
        path: SESSION,
        verb: Some(verb),
        kind: Kind::Command,
        versions: BOTH,
        action,
        handler,
    }
}
