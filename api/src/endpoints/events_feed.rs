//! `events.list`: the events of all organizations for analytics (R-ANALYTICS-1), from any position, as pages or as a stream of
//! server-sent events.

mod filter;
mod stream;

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use dossier_domain::export::ExportKind;
use dossier_eventlog::{EventStore, Position};
use dossier_projections::export::{ExportError, analytics_event};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::call::{Call, Reply};
use crate::exports::Exporter;
use crate::refusals::history;
use crate::status::{ApiError, Code, excerpt};
use filter::EventFilter;

/// Events of a page when none is asked for.
const DEFAULT_PAGE_SIZE: u32 = 100;
/// The largest page that is served.
const MAX_PAGE_SIZE: u32 = 1_000;
/// Events read from the log at once. The largest allowed are 256 KiB, so this bounds what a request keeps in memory.
const BATCH_EVENTS: usize = 64;
/// Events looked at for one page: a page may be short, and says where the next one begins.
const MOST_SCANNED: usize = 10_000;
/// Where a stream of server-sent events goes on.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
pub(super) const EVENT_STREAM: &str = "text/event-stream";

/// Some events for analytics.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnalyticsEventList {
    /// The events, each a CloudEvent, in the order of the log.
    #[schema(value_type = Vec<CloudEventResource>)]
    pub events: Vec<Value>,
    /// Ask for the events `after` this position next. It moves over events that are not for analytics too.
    pub next_position: String,
    /// Whether that was all there was.
    pub up_to_date: bool,
}

/// A CloudEvent 1.0 in structured mode.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the message for the OpenAPI document; it is written by the projections"
)]
pub struct CloudEventResource {
    /// `1.0`.
    specversion: String,
    /// Identity of the event: tells a repeat.
    id: String,
    /// Past-tense type name.
    r#type: String,
    /// `/dossier`.
    source: String,
    /// The stream it belongs to.
    subject: String,
    /// When it happened.
    #[schema(format = DateTime)]
    time: String,
    /// Name of the data's schema, with its version; `/asyncapi.json` has them all.
    dataschema: String,
    /// `application/json`.
    datacontenttype: String,
    /// Place in the log.
    position: String,
    /// Whose fact it is; absent where it is no organization's.
    #[schema(required = false)]
    organization: String,
    /// The fields that the schema lets analytics see.
    #[schema(value_type = Object)]
    data: Value,
}

/// Lists events for analytics after a position; with `Accept: text/event-stream` it goes on as they happen, each with its
/// position as `id`, and resumes by `Last-Event-ID`. The reading is itself recorded.
///
/// # Errors
/// 400 for a bad position, filter or page size, or a position beyond the end of this log.
#[utoipa::path(
    get,
    path = "/v2/events",
    operation_id = "events.list",
    tag = "history",
    params(
        ("after" = Option<String>, Query, description = "A position; from the beginning when absent"),
        ("organization" = Option<String>, Query, description = "Only of this organization, by its id"),
        ("category" = Option<String>, Query, description = "Only of this category: `case`, `access`"),
        ("type" = Option<String>, Query, description = "Only of this event type, such as `CaseFiled`"),
        ("pageSize" = Option<i32>, Query, description = "At most 1000; 100 when absent"),
        ("Last-Event-ID" = Option<String>, Header, description = "Instead of `after`, for a stream that goes on"),
    ),
    responses((status = 200, description = "Events", content(
        (AnalyticsEventList = "application/json"),
        (String = "text/event-stream"),
    ))),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let streamed = accepts_event_stream(&call.headers);
    let filter = EventFilter::of(&call.query)?;
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let after = after_position(&call, streamed)?.unwrap_or(Position::START);
    let head = call.app.store.head().await.map_err(|error| history(error.into()))?;
    if after > head {
        // Waiting for it would skip what comes before: the log was restored, or the position is of another one.
        return Err(ApiError::new(
            Code::FailedPrecondition,
            format!(
                "position {after} is beyond the end of this log, {head}; begin again from an earlier one"
            ),
        )
        .with_reason("POSITION_BEYOND_END"));
    }
    let exporter = Exporter::new(&call, ExportKind::Analytics, filter.scope());
    let day = exporter.record(after.0, None).await?;
    if streamed {
        let feed = stream::Feed::new(&call, filter, after, exporter, day);
        return Ok(Reply::stream(StatusCode::OK, Body::from_stream(feed.into_stream()))
            .with_header(CONTENT_TYPE, EVENT_STREAM)
            .with_header(HeaderName::from_static("x-accel-buffering"), "no"));
    }
    Reply::json(&page(&*call.app.store, &filter, after, usize::try_from(limit).unwrap_or(1)).await?)
}

/// The events after a position that pass a filter, at most `limit`.
async fn page(
    store: &dyn EventStore,
    filter: &EventFilter,
    after: Position,
    limit: usize,
) -> Result<AnalyticsEventList, ApiError> {
    let mut list = AnalyticsEventList { events: Vec::new(), next_position: String::new(), up_to_date: false };
    let mut position = after;
    let mut scanned = 0;
    'reading: while list.events.len() < limit && scanned < MOST_SCANNED {
        let batch = store.read_all(position, BATCH_EVENTS).await.map_err(|error| history(error.into()))?;
        for recorded in &batch {
            if list.events.len() == limit {
                break 'reading;
            }
            if filter.may_pass(recorded) {
                match analytics_event(recorded) {
                    Ok(Some(event)) if filter.passes(&event) => list.events.push(event.cloud_event()),
                    Ok(_) => {}
                    // What stands before it is told first.
                    Err(_) if !list.events.is_empty() => break 'reading,
                    Err(error) => return Err(unreadable(&error)),
                }
            }
            position = recorded.position;
        }
        scanned += batch.len();
        if batch.len() < BATCH_EVENTS {
            list.up_to_date = true;
            break;
        }
    }
    list.next_position = position.to_string();
    Ok(list)
}

/// Where to begin: after a position that was told before; `None` where none is named.
///
/// # Errors
/// 400 for what is no position.
pub(super) fn after_position(call: &Call, streamed: bool) -> Result<Option<Position>, ApiError> {
    let resumed = call.headers.get(LAST_EVENT_ID).filter(|_| streamed);
    let (name, text) = match (resumed, call.query.text("after")) {
        (Some(value), _) => ("Last-Event-ID", value.to_str().unwrap_or("?")),
        (None, Some(text)) => ("after", text),
        (None, None) => return Ok(None),
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).map(|position| Some(Position(position))).ok_or_else(|| {
        ApiError::invalid_field(name, format!("{} is not the position of an earlier answer", excerpt(text)))
            .with_reason("INVALID_POSITION")
    })
}

/// Whether the caller wants a stream rather than a page.
pub(super) fn accepts_event_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .any(|one| one.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(EVENT_STREAM)))
}

/// An event that this release cannot read stops the feed: it is never skipped.
fn unreadable(error: &ExportError) -> ApiError {
    tracing::error!(%error, "an event cannot be told to analytics");
    ApiError::internal("an event is not readable by this release; the operator must act")
        .with_reason("LOG_NOT_READABLE")
        .with_metadata("position", error.position.to_string())
}

#[cfg(test)]
mod tests;
