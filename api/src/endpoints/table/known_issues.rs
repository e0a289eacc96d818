//! Known issues, for support and for users, and the watch over the volume.

use axum::http::Method;
use dossier_domain::Action;

use super::super::Segment::{Item, Literal, Organization};
use super::super::{
    Endpoint, Handler, Kind, Segment, events_list, known_issues_members, known_issues_read,
    known_issues_support, phone_calls_create, volume_watch_dry_run,
};
use super::BOTH;

const ISSUES: &[Segment] = &[Literal("knownIssues")];
const ISSUE: &[Segment] = &[Literal("knownIssues"), Item];
const OWN_ISSUES: &[Segment] = &[Organization, Literal("knownIssues")];
const OWN_ISSUE: &[Segment] = &[Organization, Literal("knownIssues"), Item];

pub(super) static ENDPOINTS: &[Endpoint] = &[
    command("knownIssues.create", ISSUES, None, Action::RaiseKnownIssue, |call| {
        Box::pin(known_issues_support::create(call))
    }),
    query("knownIssues.list", ISSUES, None, Action::ReadKnownIssues, |call| {
        Box::pin(known_issues_read::list(call))
    }),
    query("knownIssues.get", ISSUE, None, Action::ReadKnownIssues, |call| {
        Box::pin(known_issues_read::get(call))
    }),
    command("knownIssues.confirm", ISSUE, Some("confirm"), Action::WorkOnKnownIssue, |call| {
        Box::pin(known_issues_support::confirm(call))
    }),
    command("knownIssues.dismiss", ISSUE, Some("dismiss"), Action::WorkOnKnownIssue, |call| {
        Box::pin(known_issues_support::dismiss(call))
    }),
    command("knownIssues.publish", ISSUE, Some("publish"), Action::WorkOnKnownIssue, |call| {
        Box::pin(known_issues_support::publish(call))
    }),
    command("knownIssues.postUpdate", ISSUE, Some("postUpdate"), Action::WorkOnKnownIssue, |call| {
        Box::pin(known_issues_support::post_update(call))
    }),
    command("knownIssues.resolve", ISSUE, Some("resolve"), Action::WorkOnKnownIssue, |call| {
        Box::pin(known_issues_support::resolve(call))
    }),
    Endpoint {
        id: "knownIssues.events.list",
        method: Method::GET,
        path: &[Literal("knownIssues"), Item, Literal("events")],
        verb: None,
        kind: Kind::Export,
        versions: BOTH,
        action: Action::ReadKnownIssueHistory,
        handler: |call| Box::pin(events_list::of_known_issue(call)),
    },
    query("organizations.knownIssues.list", OWN_ISSUES, None, Action::FollowKnownIssues, |call| {
        Box::pin(known_issues_members::list(call))
    }),
    query(
        "organizations.knownIssues.banner",
        OWN_ISSUES,
        Some("banner"),
        Action::FollowKnownIssues,
        |call| Box::pin(known_issues_members::banner(call)),
    ),
    query("organizations.knownIssues.get", OWN_ISSUE, None, Action::FollowKnownIssues, |call| {
        Box::pin(known_issues_members::get(call))
    }),
    command("organizations.knownIssues.meToo", OWN_ISSUE, Some("meToo"), Action::JoinKnownIssue, |call| {
        Box::pin(known_issues_members::me_too(call))
    }),
    command(
        "organizations.knownIssues.notAffected",
        OWN_ISSUE,
        Some("notAffected"),
        Action::LeaveKnownIssue,
        |call| Box::pin(known_issues_members::not_affected(call)),
    ),
    command(
        "organizations.knownIssues.unsubscribe",
        OWN_ISSUE,
        Some("unsubscribe"),
        Action::LeaveKnownIssue,
        |call| Box::pin(known_issues_members::unsubscribe(call)),
    ),
    command("phoneCalls.create", &[Literal("phoneCalls")], None, Action::RecordPhoneCall, |call| {
        Box::pin(phone_calls_create::handle(call))
    }),
    query("volumeWatch.dryRun", &[Literal("volumeWatch")], Some("dryRun"), Action::ReadKnownIssues, |call| {
        Box::pin(volume_watch_dry_run::handle(call))
    }),
];

const fn query(
    id: &'static str,
    path: &'static [Segment],
    verb: Option<&'static str>,
    action: Action,
    handler: Handler,
) -> Endpoint {
    Endpoint { id, method: Method::GET, path, verb, kind: Kind::Query, versions: BOTH, action, handler }
}

const fn command(
    id: &'static str,
    path: &'static [Segment],
    verb: Option<&'static str>,
    action: Action,
    handler: Handler,
) -> Endpoint {
    Endpoint { id, method: Method::POST, path, verb, kind: Kind::Command, versions: BOTH, action, handler }
}
