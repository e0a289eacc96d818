//! The HTTP specifications again on PostgreSQL and NATS (the harness tells by this binary's name), and what only several
//! processes can show.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails it")]

#[path = "../it/account_recovery.rs"]
mod account_recovery;
mod analytics;
#[path = "../it/attachments.rs"]
mod attachments;
#[path = "../it/day.rs"]
mod day;
#[path = "../it/desk.rs"]
mod desk;
#[path = "../it/domains.rs"]
mod domains;
#[path = "../it/endpoints.rs"]
mod endpoints;
#[path = "../it/event_subscriptions.rs"]
mod event_subscriptions;
#[path = "../it/explain.rs"]
mod explain;
#[path = "../it/feedback.rs"]
mod feedback;
#[path = "../it/headers.rs"]
mod headers;
#[path = "../it/help.rs"]
mod help;
#[path = "../it/help_sessions.rs"]
mod help_sessions;
#[path = "../it/idempotency.rs"]
mod idempotency;
#[path = "../it/import.rs"]
mod import;
#[path = "../it/known_issue_story.rs"]
mod known_issue_story;
#[path = "../it/known_issues.rs"]
mod known_issues;
#[path = "../it/life.rs"]
mod life;
#[path = "../it/matrix.rs"]
mod matrix;
#[path = "../it/members.rs"]
mod members;
#[path = "../it/note_attachments.rs"]
mod note_attachments;
#[path = "../it/notes.rs"]
mod notes;
#[path = "../it/notifications.rs"]
mod notifications;
#[path = "../it/notifications_trouble.rs"]
mod notifications_trouble;
#[path = "../it/organizations.rs"]
mod organizations;
#[path = "../it/plans.rs"]
mod plans;
#[path = "../it/queues.rs"]
mod queues;
#[path = "../it/refusals.rs"]
mod refusals;
mod reseller_reads;
#[path = "../it/resellers.rs"]
mod resellers;
mod roles;
#[path = "../it/routing.rs"]
mod routing;
#[path = "../it/satisfaction.rs"]
mod satisfaction;
#[path = "../it/scim.rs"]
mod scim;
#[path = "../it/search.rs"]
mod search;
#[path = "../it/standing.rs"]
mod standing;
#[path = "../it/stats.rs"]
mod stats;
#[path = "../it/support.rs"]
mod support;
#[path = "../it/survey_link.rs"]
mod survey_link;
#[path = "../it/timers.rs"]
mod timers;
#[path = "../it/visibility.rs"]
mod visibility;
#[path = "../it/watch.rs"]
mod watch;
#[path = "../it/webhooks.rs"]
mod webhooks;
