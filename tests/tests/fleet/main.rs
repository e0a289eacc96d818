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
#[path = "../it/domains.rs"]
mod domains;
#[path = "../it/endpoints.rs"]
mod endpoints;
#[path = "../it/explain.rs"]
mod explain;
#[path = "../it/headers.rs"]
mod headers;
#[path = "../it/help.rs"]
mod help;
#[path = "../it/idempotency.rs"]
mod idempotency;
#[path = "../it/life.rs"]
mod life;
#[path = "../it/matrix.rs"]
mod matrix;
#[path = "../it/members.rs"]
mod members;
#[path = "../it/notes.rs"]
mod notes;
#[path = "../it/organizations.rs"]
mod organizations;
#[path = "../it/plans.rs"]
mod plans;
#[path = "../it/refusals.rs"]
mod refusals;
mod reseller_reads;
#[path = "../it/resellers.rs"]
mod resellers;
mod roles;
#[path = "../it/scim.rs"]
mod scim;
#[path = "../it/search.rs"]
mod search;
#[path = "../it/standing.rs"]
mod standing;
#[path = "../it/support.rs"]
mod support;
#[path = "../it/timers.rs"]
mod timers;
#[path = "../it/visibility.rs"]
mod visibility;
