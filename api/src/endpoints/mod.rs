//! Every endpoint: one line in the table, one file for the use case (handler, documentation, tests).
//!
//! To add an endpoint: its file, its row in a group of [`table`] with the [`Action`] it needs, its path in
//! [`crate::openapi`], and `make schemas` for the committed authorization table and description.

pub mod account_recovery_close;
pub mod account_recovery_list;
pub mod account_recovery_request;
pub mod agents_list;
pub mod attachments_get;
pub mod attachments_list;
pub mod case_classifications_search;
mod case_commands;
pub mod case_notifications;
pub mod cases_allowed_actions;
pub mod cases_batch;
pub mod cases_close;
pub mod cases_create;
pub mod cases_escalate;
pub mod cases_explain_access;
pub mod cases_get;
pub mod cases_list;
pub mod cases_patch;
pub mod cases_search;
pub mod cases_show_feed;
pub mod cases_watch;
pub mod comments_create;
pub mod comments_get;
pub mod comments_list;
pub mod domains_create;
pub mod domains_delete;
pub mod domains_list;
pub mod domains_verify;
pub mod entitlements_create;
pub mod entitlements_end;
pub mod entitlements_list;
pub mod event_subscriptions_create;
pub mod event_subscriptions_delete;
pub mod event_subscriptions_patch;
pub mod event_subscriptions_read;
pub mod event_subscriptions_resource;
pub mod events_feed;
pub mod events_list;
pub mod feedback;
pub mod help_sessions;
pub mod known_issues_members;
pub mod known_issues_read;
pub mod known_issues_resources;
pub mod known_issues_support;
pub mod me_get;
pub mod me_notification_preferences;
pub mod media_download;
pub mod media_upload;
pub mod members_create;
pub mod members_delete;
pub mod members_get;
pub mod members_list;
pub mod members_patch;
pub mod note_attachments_read;
pub mod note_attachments_upload;
pub mod notification_resource;
pub mod notifications_operator;
mod organizations_commands;
pub mod organizations_create;
pub mod organizations_get;
pub mod organizations_list;
pub mod organizations_patch;
pub mod organizations_reseller_access;
pub mod organizations_resources;
pub mod organizations_support_profile;
pub mod organizations_transfer_management;
pub mod phone_calls_create;
pub mod priorities_list;
pub mod queues;
pub mod satisfaction_get;
pub mod saved_views;
pub mod scim_discovery;
pub mod scim_users;
pub mod support_answers;
pub mod support_assignment;
mod support_commands;
pub mod support_edits;
pub mod support_escalations;
pub mod support_follow_up;
pub mod support_links;
pub mod support_notes_create;
pub mod support_notes_list;
pub mod support_objective;
pub mod support_outages;
pub mod support_stats;
pub mod support_survey;
pub mod table;
mod upload;
pub mod volume_watch_dry_run;
pub mod webhooks_change;
pub mod webhooks_create;
pub mod webhooks_read;
pub mod webhooks_resource;
pub mod webhooks_rotate_secret;
pub mod webhooks_test;

use axum::http::Method;
use dossier_domain::Action;
use futures::future::BoxFuture;

use crate::call::{Call, Params, Reply, Version};
use crate::path::{RawPath, unknown_path};
use crate::status::{ApiError, Code};
pub use table::endpoints;

/// A use case.
pub type Handler = fn(Call) -> BoxFuture<'static, Result<Reply, ApiError>>;

/// Whether an endpoint changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Reads read models; waits for `Dossier-Min-Position`.
    Query,
    /// Reads the log itself, and leaves a record of it.
    Export,
    /// Executes a command; may carry an idempotency key and a condition.
    Command,
    /// A command whose body is taken in as it arrives, under `/upload`.
    Upload,
}

/// A piece of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// This very text.
    Literal(&'static str),
    /// Kind and id of a parent: two segments.
    Parent,
    /// The same, or `organizations/-` for all that the caller acts for.
    ParentOrAll,
    /// No piece: all that the caller acts for.
    All,
    /// An organization: two segments, of which the first is `organizations`.
    Organization,
    /// The id of a case.
    Case,
    /// The id of a comment.
    Comment,
    /// The id of an attachment.
    Attachment,
    /// The id of anything else, in the collection before it.
    Item,
}

/// One endpoint.
pub struct Endpoint {
    /// Method id of the public API, or one in its style.
    pub id: &'static str,
    /// HTTP method.
    pub method: Method,
    /// The path after the version.
    pub path: &'static [Segment],
    /// What stands behind the last `:`.
    pub verb: Option<&'static str>,
    /// Whether it changes something.
    pub kind: Kind,
    /// The versions that have it.
    pub versions: &'static [Version],
    /// What the caller must be allowed to do.
    pub action: Action,
    /// The use case.
    pub handler: Handler,
}

impl Endpoint {
    /// Whether the request's query names the parent, instead of the path: then the use case authorizes.
    pub fn names_parent_in_query(&self) -> bool {
        self.id == "cases.search.byQuery"
    }

    /// Whether it is about all organizations that the caller acts for.
    pub fn is_about_all(&self) -> bool {
        self.path.contains(&Segment::All)
    }

    /// Whether directories call it: then it is about the organization that the caller's token binds them to, and open to
    /// nobody who is bound to none.
    pub fn is_for_directories(&self) -> bool {
        self.versions == [Version::Scim]
    }

    /// Whether it is about one organization, whoever asks: named by the path, by the query, or by who feeds its accounts.
    pub fn names_organization(&self) -> bool {
        let names = |segment: &Segment| {
            matches!(segment, Segment::Parent | Segment::ParentOrAll | Segment::Organization)
        };
        self.names_parent_in_query() || self.is_for_directories() || self.path.iter().any(names)
    }
}

/// Finds the endpoint of a method and a raw path.
///
/// # Errors
/// 404 for a path that nothing serves, 405 for one that is served with other methods.
pub fn route(method: &Method, raw_path: &str) -> Result<(&'static Endpoint, Version, Params), ApiError> {
    let path = RawPath::parse(raw_path)?;
    let (is_upload, segments) = match path.segments.split_first() {
        Some((first, rest)) if first == "upload" => (true, rest),
        _ => (false, &path.segments[..]),
    };
    let (version, segments) = match segments.split_first() {
        Some((scim, [version, rest @ ..])) if scim == "scim" && version == "v2" => (Version::Scim, rest),
        Some((version, rest)) if version == "v2" => (Version::V2, rest),
        Some((version, rest)) if version == "v2beta" => (Version::V2Beta, rest),
        _ => return Err(unknown_path()),
    };
    let mut allowed = Vec::new();
    for endpoint in endpoints() {
        if !endpoint.versions.contains(&version) || is_upload != (endpoint.kind == Kind::Upload) {
            continue;
        }
        if let Some(params) = matches(endpoint, segments, path.verb()) {
            if endpoint.method == *method {
                return Ok((endpoint, version, params));
            }
            allowed.push(endpoint.method.as_str());
        }
    }
    if allowed.is_empty() {
        return Err(unknown_path());
    }
    Err(ApiError::new(Code::MethodNotAllowed, format!("this path is served with {}", allowed.join(" and "))))
}

fn matches(endpoint: &Endpoint, mut segments: &[String], verb: Option<&str>) -> Option<Params> {
    if endpoint.verb != verb {
        return None;
    }
    let mut params = Params::default();
    for segment in endpoint.path {
        if *segment == Segment::All {
            params.across = true;
            continue;
        }
        let (first, rest) = segments.split_first()?;
        segments = rest;
        match segment {
            Segment::All => {}
            Segment::Literal(text) => (first == text).then_some(())?,
            Segment::Parent | Segment::ParentOrAll | Segment::Organization => {
                if *segment == Segment::Organization && first != "organizations" {
                    return None;
                }
                let (second, rest) = segments.split_first()?;
                segments = rest;
                params.across = *segment == Segment::ParentOrAll && first == "organizations" && second == "-";
                params.parent = Some((first.clone(), second.clone()));
            }
            Segment::Case => params.case.clone_from(first),
            Segment::Comment => params.comment.clone_from(first),
            Segment::Attachment => params.attachment.clone_from(first),
            Segment::Item => params.item.clone_from(first),
        }
    }
    segments.is_empty().then_some(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(method: &Method, path: &str) -> Result<&'static str, u16> {
        route(method, path)
            .map(|(endpoint, ..)| endpoint.id)
            .map_err(|error| error.code().http_status().as_u16())
    }

    #[test]
    fn paths_lead_to_their_endpoints_in_both_versions() {
        for version in ["v2", "v2beta"] {
            let id = |method: Method, path: &str| id(&method, &format!("/{version}/{path}"));
            assert_eq!(id(Method::POST, "organizations/acme/cases"), Ok("cases.create"));
            assert_eq!(id(Method::GET, "projects/p/cases"), Ok("cases.list"));
            assert_eq!(id(Method::GET, "organizations/acme/cases/1"), Ok("cases.get"));
            assert_eq!(id(Method::POST, "organizations/acme/cases/1:close"), Ok("cases.close"));
            assert_eq!(id(Method::POST, "organizations/acme/cases/1/comments"), Ok("cases.comments.create"));
            assert_eq!(id(Method::GET, "organizations/acme/cases/1/comments/2"), Ok("cases.comments.get"));
            assert_eq!(id(Method::GET, "caseClassifications:search"), Ok("caseClassifications.search"));
        }
    }

    #[test]
    fn an_escaped_colon_belongs_to_the_id() {
        let (endpoint, _, params) = route(&Method::GET, "/v2/organizations/acme/cases/a%3Aclose").unwrap();
        assert_eq!((endpoint.id, params.case.as_str()), ("cases.get", "a:close"));
    }

    #[test]
    fn unknown_paths_are_404_and_unknown_methods_405() {
        for path in
            ["/", "/v3/organizations/acme/cases", "/v2/projects/acme", "/v2/organizations/acme/cases/1:fly"]
        {
            assert_eq!(id(&Method::GET, path), Err(404), "{path}");
        }
        assert_eq!(id(&Method::PUT, "/v2/organizations/acme/cases/1"), Err(405));
        assert_eq!(id(&Method::GET, "/v2/organizations/acme/cases/1:close"), Err(405));
    }

    #[test]
    fn endpoint_ids_are_unique() {
        let mut ids: Vec<_> = endpoints().map(|endpoint| endpoint.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), endpoints().count());
    }
}
