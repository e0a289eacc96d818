//! Every endpoint: one line in the table, one file for the use case (handler, documentation, tests).
//!
//! To add an endpoint: its file, its line in [`ENDPOINTS`] with the [`Action`] it needs, its path in
//! [`crate::openapi`], and `make schemas` for the committed authorization table and description.

pub mod attachments_get;
pub mod attachments_list;
pub mod case_classifications_search;
mod case_commands;
pub mod cases_close;
pub mod cases_create;
pub mod cases_escalate;
pub mod cases_get;
pub mod cases_list;
pub mod cases_patch;
pub mod cases_search;
pub mod cases_show_feed;
pub mod comments_create;
pub mod comments_get;
pub mod comments_list;
pub mod events_feed;
pub mod events_list;
pub mod media_download;
pub mod media_upload;
pub mod priorities_list;

use axum::http::Method;
use dossier_domain::Action;
use futures::future::BoxFuture;

use crate::call::{Call, Params, Reply, Version};
use crate::path::{RawPath, unknown_path};
use crate::status::{ApiError, Code};

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
    /// The id of a case.
    Case,
    /// The id of a comment.
    Comment,
    /// The id of an attachment.
    Attachment,
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

use Segment::{Attachment, Case, Comment, Literal, Parent};

const BOTH: &[Version] = &[Version::V2, Version::V2Beta];
const CASES: &[Segment] = &[Parent, Literal("cases")];
const CASE: &[Segment] = &[Parent, Literal("cases"), Case];
const COMMENTS: &[Segment] = &[Parent, Literal("cases"), Case, Literal("comments")];
const COMMENT: &[Segment] = &[Parent, Literal("cases"), Case, Literal("comments"), Comment];
const CASE_EVENTS: &[Segment] = &[Parent, Literal("cases"), Case, Literal("events")];
const ACCESS_EVENTS: &[Segment] = &[Parent, Literal("access"), Literal("events")];
const ATTACHMENTS: &[Segment] = &[Parent, Literal("cases"), Case, Literal("attachments")];
const ATTACHMENT: &[Segment] = &[Parent, Literal("cases"), Case, Literal("attachments"), Attachment];

/// All endpoints, in the order of the committed tables.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        id: "caseClassifications.search",
        method: Method::GET,
        path: &[Literal("caseClassifications")],
        verb: Some("search"),
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadClassifications,
        handler: |call| Box::pin(std::future::ready(case_classifications_search::handle(&call))),
    },
    Endpoint {
        id: "priorities.list",
        method: Method::GET,
        path: &[Literal("priorities")],
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadClassifications,
        handler: |call| Box::pin(std::future::ready(priorities_list::handle(&call))),
    },
    Endpoint {
        id: "cases.create",
        method: Method::POST,
        path: CASES,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::FileCase,
        handler: |call| Box::pin(cases_create::handle(call)),
    },
    Endpoint {
        id: "cases.get",
        method: Method::GET,
        path: CASE,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadCases,
        handler: |call| Box::pin(cases_get::handle(call)),
    },
    Endpoint {
        id: "cases.list",
        method: Method::GET,
        path: CASES,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadCases,
        handler: |call| Box::pin(cases_list::handle(call)),
    },
    Endpoint {
        id: "cases.search",
        method: Method::GET,
        path: CASES,
        verb: Some("search"),
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadCases,
        handler: |call| Box::pin(cases_search::handle(call)),
    },
    Endpoint {
        id: "cases.search.byQuery",
        method: Method::GET,
        path: &[Literal("cases")],
        verb: Some("search"),
        kind: Kind::Query,
        versions: &[Version::V2Beta],
        action: Action::ReadCases,
        handler: |call| Box::pin(cases_search::handle_by_query(call)),
    },
    Endpoint {
        id: "cases.patch",
        method: Method::PATCH,
        path: CASE,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::EditCase,
        handler: |call| Box::pin(cases_patch::handle(call)),
    },
    Endpoint {
        id: "cases.escalate",
        method: Method::POST,
        path: CASE,
        verb: Some("escalate"),
        kind: Kind::Command,
        versions: BOTH,
        action: Action::EscalateCase,
        handler: |call| Box::pin(cases_escalate::handle(call)),
    },
    Endpoint {
        id: "cases.close",
        method: Method::POST,
        path: CASE,
        verb: Some("close"),
        kind: Kind::Command,
        versions: BOTH,
        action: Action::CloseCase,
        handler: |call| Box::pin(cases_close::handle(call)),
    },
    Endpoint {
        id: "cases.comments.create",
        method: Method::POST,
        path: COMMENTS,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::CommentOnCase,
        handler: |call| Box::pin(comments_create::handle(call)),
    },
    Endpoint {
        id: "cases.comments.get",
        method: Method::GET,
        path: COMMENT,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadCases,
        handler: |call| Box::pin(comments_get::handle(call)),
    },
    Endpoint {
        id: "cases.comments.list",
        method: Method::GET,
        path: COMMENTS,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadCases,
        handler: |call| Box::pin(comments_list::handle(call)),
    },
    Endpoint {
        id: "cases.showFeed",
        method: Method::GET,
        path: CASE,
        verb: Some("showFeed"),
        kind: Kind::Query,
        versions: &[Version::V2Beta],
        action: Action::ReadCases,
        handler: |call| Box::pin(cases_show_feed::handle(call)),
    },
    Endpoint {
        id: "cases.attachments.get",
        method: Method::GET,
        path: ATTACHMENT,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadCases,
        handler: |call| Box::pin(attachments_get::handle(call)),
    },
    Endpoint {
        id: "cases.attachments.list",
        method: Method::GET,
        path: ATTACHMENTS,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadCases,
        handler: |call| Box::pin(attachments_list::handle(call)),
    },
    Endpoint {
        id: "media.upload",
        method: Method::POST,
        path: ATTACHMENTS,
        verb: None,
        kind: Kind::Upload,
        versions: BOTH,
        action: Action::AttachToCase,
        handler: |call| Box::pin(media_upload::handle(call)),
    },
    Endpoint {
        id: "media.upload.withoutMedia",
        method: Method::POST,
        path: ATTACHMENTS,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::AttachToCase,
        handler: |_| Box::pin(std::future::ready(Err(media_upload::without_media()))),
    },
    Endpoint {
        id: "media.download",
        method: Method::GET,
        path: ATTACHMENT,
        verb: Some("download"),
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadCases,
        handler: |call| Box::pin(media_download::handle(call)),
    },
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
        Some((version, rest)) if version == "v2" => (Version::V2, rest),
        Some((version, rest)) if version == "v2beta" => (Version::V2Beta, rest),
        _ => return Err(unknown_path()),
    };
    let mut allowed = Vec::new();
    for endpoint in ENDPOINTS {
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
        let (first, rest) = segments.split_first()?;
        segments = rest;
        match segment {
            Literal(text) => (first == text).then_some(())?,
            Parent => {
                let (second, rest) = segments.split_first()?;
                segments = rest;
                params.parent = Some((first.clone(), second.clone()));
            }
            Case => params.case.clone_from(first),
            Comment => params.comment.clone_from(first),
            Attachment => params.attachment.clone_from(first),
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
        for path in [
            "/",
            "/v3/organizations/acme/cases",
            "/v2/organizations/acme",
            "/v2/organizations/acme/cases/1:fly",
        ] {
            assert_eq!(id(&Method::GET, path), Err(404), "{path}");
        }
        assert_eq!(id(&Method::PUT, "/v2/organizations/acme/cases/1"), Err(405));
        assert_eq!(id(&Method::GET, "/v2/organizations/acme/cases/1:close"), Err(405));
    }

    #[test]
    fn endpoint_ids_are_unique() {
        let mut ids: Vec<_> = ENDPOINTS.iter().map(|endpoint| endpoint.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ENDPOINTS.len());
    }
}
