//! `cases.events.list`, `access.events.list`, `knownIssues.events.list`: the history of a resource for auditors (R-AUDIT-1), event by event, or its
//! state at an instant.
//!
//! To open the history of another kind of resource: its row beside [`CASE`], its function with its path, and its line in the
//! endpoint table.

use dossier_domain::export::{ExportKind, ExportScope};
use dossier_eventlog::{Revision, StreamName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::known_issues_read::{issue_id, not_found as issue_not_found};
use crate::call::{Call, DOSSIER_POSITION, Reply, case_not_found};
use crate::exports::Exporter;
use crate::history::{HistoryEvent, Source};
use crate::proto_json::parse_timestamp;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals::history;
use crate::status::{ApiError, Code, excerpt};

/// How a resource of a path is found in the log.
struct Named {
    /// The resource's name, below the organization where it has one, from the path.
    name: fn(&Call) -> Result<String, ApiError>,
    /// The stream that holds its history.
    stream: fn(&Call) -> Result<String, ApiError>,
    /// What is answered where there is none.
    missing: fn() -> ApiError,
}

const CASE: Named = Named {
    name: |call| Ok(format!("cases/{}", call.case_id()?)),
    stream: |call| Ok(format!("case-{}", call.case_id()?)),
    missing: case_not_found,
};

const ACCESS: Named = Named {
    name: |_| Ok("access".to_owned()),
    stream: |call| Ok(format!("access-{}", call.parent()?.organization)),
    missing: || {
        ApiError::new(Code::NotFound, "there is no such organization").with_reason("ORGANIZATION_NOT_FOUND")
    },
};

const KNOWN_ISSUE: Named = Named {
    name: |call| Ok(format!("knownIssues/{}", issue_id(call)?)),
    stream: |call| Ok(format!("known_issue-{}", issue_id(call)?)),
    missing: issue_not_found,
};

/// Some events of a history. With `at` the answer is the state instead.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEventList {
    /// The events, the first one first.
    #[schema(required = false)]
    pub events: Vec<HistoryEventResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Something that happened, with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEventResource {
    /// Identity of the event.
    pub event_id: String,
    /// Past-tense type name.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Version of the payload as it was stored.
    pub version: u16,
    /// The stream it belongs to.
    pub stream: String,
    /// Its number in that stream, from 0.
    pub revision: u64,
    /// Its place in the log.
    pub position: String,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Timestamp,
    /// When it happened, where that is another instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub occurred_at: Option<Timestamp>,
    /// Account of who acted, or `system-…`.
    pub actor: String,
    /// The organization for which they acted, where that is not the event's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<String>,
    /// Whose fact it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Who may ever learn of it: `customer`, `support` or `internal`.
    #[schema(value_type = String)]
    pub audience: dossier_eventlog::Audience,
    /// The command that caused it.
    pub command_id: String,
    /// Ties together what one request set in motion.
    pub correlation_id: String,
    /// The event or request that made the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<String>,
    /// Revision of the organization's access that the decision relied on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_revision: Option<u64>,
    /// The payload in the current version of its schema. A personal value has its `subject` and, unless it was erased, is
    /// `open`.
    #[schema(value_type = Object)]
    pub data: Value,
}

impl From<HistoryEvent> for HistoryEventResource {
    fn from(HistoryEvent { recorded, metadata, payload }: HistoryEvent) -> Self {
        Self {
            event_id: recorded.event_id.to_string(),
            event_type: recorded.event_type.to_string(),
            version: recorded.version,
            stream: recorded.stream.to_string(),
            revision: recorded.revision.0,
            position: recorded.position.to_string(),
            recorded_at: recorded.recorded_at,
            occurred_at: metadata.occurred_at,
            actor: metadata.actor,
            acting_for: metadata.acting_for,
            organization: metadata.organization,
            audience: metadata.audience,
            command_id: metadata.command_id.to_string(),
            correlation_id: metadata.correlation_id,
            causation_id: metadata.causation_id,
            access_revision: metadata.access_revision,
            data: payload,
        }
    }
}

/// Continues from a revision.
#[derive(Serialize, Deserialize)]
struct Cursor {
    from: u64,
}

/// Lists the events of a case, internal ones too, or answers its state at an instant. The reading is itself recorded.
///
/// # Errors
/// 404 when there is no such case in the organization, or was none yet; 400 for a bad instant, page size or token.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}/events",
    operation_id = "cases.events.list",
    tag = "history",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("at" = Option<String>, Query, description = "An instant (RFC 3339): answers the state as it stood then"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same case"),
    ),
    responses((status = 200, description = "The events, or the state", body = HistoryEventList)),
)]
pub async fn of_case(call: Call) -> Result<Reply, ApiError> {
    answer(&call, &CASE).await
}

/// Lists the events of an organization's access, or answers its state at an instant. The reading is itself recorded.
///
/// # Errors
/// 404 when there is no such organization, or was none yet; 400 for a bad instant, page size or token.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/access/events",
    operation_id = "access.events.list",
    tag = "history",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("at" = Option<String>, Query, description = "An instant (RFC 3339): answers the state as it stood then"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same organization"),
    ),
    responses((status = 200, description = "The events, or the state", body = HistoryEventList)),
)]
pub async fn of_access(call: Call) -> Result<Reply, ApiError> {
    answer(&call, &ACCESS).await
}

/// Lists the events of a known issue, who said that it affects them included, or answers its state at an instant. The reading is
/// itself recorded.
///
/// # Errors
/// 404 when there is no such known issue, or was none yet; 400 for a bad instant, page size or token.
#[utoipa::path(
    get,
    path = "/v2/knownIssues/{issue}/events",
    operation_id = "knownIssues.events.list",
    tag = "history",
    params(
        ("issue" = String, Path, description = "Id of the known issue"),
        ("at" = Option<String>, Query, description = "An instant (RFC 3339): answers the state as it stood then"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same known issue"),
    ),
    responses((status = 200, description = "The events, or the state", body = HistoryEventList)),
)]
pub async fn of_known_issue(call: Call) -> Result<Reply, ApiError> {
    answer(&call, &KNOWN_ISSUE).await
}

async fn answer(call: &Call, named: &Named) -> Result<Reply, ApiError> {
    let organization = call.parent.as_ref().map(|parent| parent.organization.as_str());
    let below = (named.name)(call)?;
    let name = organization.map_or_else(|| below.clone(), |id| format!("organizations/{id}/{below}"));
    let stream = StreamName::new(&(named.stream)(call)?).map_err(|_| (named.missing)())?;
    let at = call.query.text("at").map(instant).transpose()?;
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let token_scope = format!("{} {name}", call.endpoint.id);
    let from = call.cursor::<Cursor>(&token_scope)?.map_or(0, |cursor| cursor.from);

    let source = Source { store: &*call.app.store, sealer: call.app.commands.sealer() };
    // A resource is addressed under its organization, where it has one: elsewhere there is none of this name.
    let first =
        source.store.read_stream(&stream, Revision(0), 1).await.map_err(|error| history(error.into()))?;
    let first = first.first().ok_or_else(named.missing)?;
    let owner = first.metadata().map_err(|error| history(error.into()))?.organization;
    if owner.as_deref() != organization {
        return Err((named.missing)());
    }
    let scope = ExportScope { name: Some(name), ..ExportScope::default() };
    Exporter::new(call, ExportKind::Audit, scope).record(from, at).await?;

    if let Some(at) = at {
        let found = source.state_at(&stream, at).await.map_err(history)?;
        let (revision, position) = found.last.ok_or_else(named.missing)?;
        let position = position.to_string();
        return Ok(Reply::json(&found.state)?
            .with_header(DOSSIER_POSITION, &position)
            .with_etag(i64::try_from(revision.0).unwrap_or(i64::MAX)));
    }
    let wanted = usize::try_from(limit).unwrap_or_default();
    let mut events = source.events(&stream, Revision(from), wanted + 1).await.map_err(history)?;
    let next = events.get(wanted).map(|event| Cursor { from: event.recorded.revision.0 });
    events.truncate(wanted);
    Reply::json(&HistoryEventList {
        events: events.into_iter().map(HistoryEventResource::from).collect(),
        next_page_token: next.map(|cursor| call.app.page_tokens.seal(&token_scope, &cursor)),
    })
}

fn instant(text: &str) -> Result<Timestamp, ApiError> {
    parse_timestamp(text).ok_or_else(|| {
        let wanted = "is not an instant such as 2026-01-31T09:00:00Z";
        ApiError::invalid_field("at", format!("{} {wanted}", excerpt(text))).with_reason("INVALID_QUERY")
    })
}
