//! `cases.watch`: the cases of an organization as they change, from the read models: as a stream of server-sent events, or what
//! has changed since a position.

mod catch_up;
mod stream;

use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use dossier_eventlog::Position;
use serde::Serialize;
use utoipa::ToSchema;

use super::events_feed::{EVENT_STREAM, accepts_event_stream, after_position};
use crate::call::{Call, Reply, max_wait};
use crate::refusals;
use crate::resources::CaseResource;
use crate::status::{ApiError, Code};
use catch_up::{Missed, missed};
use stream::CaseStream;

/// How long a new stream waits for the log to be followed.
const JOIN_PATIENCE: Duration = Duration::from_secs(5);

/// Cases that have changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangedCaseList {
    /// The cases as they are now, each once, in the order of their latest change.
    pub cases: Vec<CaseResource>,
    /// Ask for what has changed `after` this position next.
    pub next_position: String,
    /// Whether too much has changed since: then list all cases anew.
    pub reset: bool,
}

/// Watches the cases of an organization. With `Accept: text/event-stream` it goes on: `event: ready` when everything that
/// happens from now on will be told, `event: case` with a case as it is now, `event: reset` when too much was missed to be told
/// (list the cases anew), `event: end` with the refusal when the caller may not watch any more. Each has a position as `id`,
/// and the stream resumes by `Last-Event-ID`. Without, it answers what has changed `after` a position.
///
/// # Errors
/// 400 for a bad position, or one beyond the end of this log; 403 as for listing.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases:watch",
    operation_id = "cases.watch",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("after" = Option<String>, Query, description = "A position; nothing but the position of now when absent"),
        ("Last-Event-ID" = Option<String>, Header, description = "Instead of `after`, for a stream that goes on"),
    ),
    responses((status = 200, description = "Cases that change", content(
        (ChangedCaseList = "application/json"),
        (String = "text/event-stream"),
    ))),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let streamed = accepts_event_stream(&call.headers);
    let after = after_position(&call, streamed)?;
    let head = call.app.store.head().await.map_err(|error| refusals::history(error.into()))?;
    if after.is_some_and(|after| after > head) {
        return Err(ApiError::new(
            Code::FailedPrecondition,
            format!("this position is beyond the end of this log, {head}; list the cases anew"),
        )
        .with_reason("POSITION_BEYOND_END"));
    }
    if streamed {
        let listener = call.app.watch.join(JOIN_PATIENCE).await.ok_or_else(|| {
            ApiError::unavailable("changes cannot be followed at the moment; try again shortly", 2)
        })?;
        let stream = CaseStream::new(call, listener, after);
        return Ok(Reply::stream(StatusCode::OK, Body::from_stream(stream.into_stream()))
            .with_header(CONTENT_TYPE, EVENT_STREAM)
            .with_header(HeaderName::from_static("x-accel-buffering"), "no"));
    }
    since(&call, after.unwrap_or(head), head).await
}

/// What has changed between two positions.
async fn since(call: &Call, after: Position, head: Position) -> Result<Reply, ApiError> {
    let patience = max_wait(&call.headers)?;
    call.app.read_models.wait_for_cases(head, patience).await.map_err(|error| refusals::wait(&error))?;
    let parent = call.parent()?;
    let Missed { cases, reset } = missed(call, parent, after, head).await?;
    let shown = stream::shown(call, parent, cases.into_iter().map(|(case, _)| case)).await?;
    Reply::json(&ChangedCaseList {
        cases: shown.into_iter().map(|(_, resource)| resource).collect(),
        next_position: head.to_string(),
        reset,
    })
}
