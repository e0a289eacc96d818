//! `cases.batch`: several commands on cases in one request, each with an answer of its own. One that is refused stops no other.

use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, HeaderValue, Method};
use bytes::Bytes;
use dossier_domain::{CaseId, CommandId, OrganizationId};
use dossier_eventlog::Position;
use serde::Serialize;
use serde_json::Value;
use std::sync::Mutex;
use utoipa::ToSchema;
use uuid::Uuid;

use super::support_commands::wrong;
use super::{Endpoint, Kind, Segment, endpoints};
use crate::call::{Call, IDEMPOTENCY_KEY, IDEMPOTENT_REPLAY, Params, Reply, ReplyBody, idempotency_key};
use crate::query::Query;
use crate::status::{ApiError, excerpt};
use crate::{help, pipeline};

/// Most commands of a batch.
const MAX_ITEMS: usize = 100;
/// The command that stands for a comment, which is no verb of a case.
const COMMENT: &str = "comment";

/// Commands to execute, one after the other.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct CaseBatch {
    /// At most 100.
    items: Vec<CaseBatchItem>,
}

/// A command on a case.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct CaseBatchItem {
    /// `organizations/{organization}/cases/{case}`.
    name: String,
    /// What stands behind the `:` of a case, such as `assign`; or `comment`.
    #[schema(example = "assign")]
    command: String,
    /// What would be the request's body; `{}` when absent.
    body: Option<Value>,
    /// The ETag the case must still have.
    if_match: Option<String>,
}

/// What became of the commands.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseBatchList {
    /// One answer per item, in their order.
    pub items: Vec<CaseBatchAnswerResource>,
}

/// What became of one command: either a body or an error.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseBatchAnswerResource {
    /// The HTTP status that it would have had by itself.
    pub status: u16,
    /// The body of a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The `error` of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// The ETag of the case after a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Whether it is the answer to a repeat.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
}

/// Executes commands on cases one after the other, and answers each. Under one Idempotency-Key each has an id of its own, by
/// its place: sent again, what was done is not done twice and what was not is tried again.
///
/// # Errors
/// 400 for a body without items or with more than 100; what is wrong with an item is its own answer.
#[utoipa::path(
    post,
    path = "/v2/cases:batch",
    operation_id = "cases.batch",
    tag = "support",
    params(("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID, for all of them")),
    request_body = CaseBatch,
    responses((status = 200, description = "An answer per item", body = CaseBatchList)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let key = call.headers.get(IDEMPOTENCY_KEY).map(idempotency_key).transpose()?;
    let body: Value = serde_json::from_slice(&call.body)
        .map_err(|error| ApiError::invalid_argument(format!("the body is no JSON: {error}")))?;
    let items = body["items"].as_array().filter(|items| (1..=MAX_ITEMS).contains(&items.len()));
    let items = items.ok_or_else(|| wrong("items", format!("must be given: 1 to {MAX_ITEMS} commands")))?;
    let mut answers = Vec::with_capacity(items.len());
    let mut position: Option<Position> = None;
    for (index, item) in items.iter().enumerate() {
        let answer = match execute(&call, item, key.as_deref(), index).await {
            Ok(reply) => {
                position = position.max(reply.position);
                CaseBatchAnswerResource::of_reply(&reply)
            }
            Err(error) => CaseBatchAnswerResource::of_error(&help::linked(error, &call.app)),
        };
        answers.push(answer);
    }
    let reply = Reply::json(&CaseBatchList { items: answers })?;
    Ok(match position {
        Some(position) => reply.after_command(position, false),
        None => reply,
    })
}

/// As a request of its own would be executed, from authorization on.
async fn execute(call: &Call, item: &Value, key: Option<&str>, index: usize) -> Result<Reply, ApiError> {
    call.app.rate_limit.check(call.actor.account)?;
    let text = |field: &str| item[field].as_str().unwrap_or_default();
    let params = params(text("name"))?;
    let endpoint = endpoint(text("command"))?;
    let admitted =
        pipeline::authorize(&call.app, endpoint, &params, &call.actor, call.acts_for.as_ref()).await?;
    let body = if item["body"].is_null() { "{}".to_owned() } else { item["body"].to_string() };
    let item_call = Call {
        app: call.app.clone(),
        endpoint,
        version: call.version,
        params,
        parent: admitted.parent,
        authority: admitted.authority,
        standpoint: admitted.standpoint,
        acts_for: call.acts_for.clone(),
        query: Query::parse(None)?,
        headers: headers(call, item, key, index)?,
        body: Bytes::from(body),
        upload: Mutex::new(None),
        actor: call.actor.clone(),
        principal: call.principal.clone(),
        token_expires_at: call.token_expires_at,
        draining: call.draining.clone(),
        request_id: call.request_id.clone(),
    };
    // A fault in one is not the end of the others.
    let done = tokio::spawn((endpoint.handler)(item_call)).await;
    done.map_err(|panic| {
        tracing::error!(%panic, "a command of a batch panicked");
        ApiError::internal("a fault on this side; repeat the request with the same Idempotency-Key")
            .with_reason("OUTCOME_UNKNOWN")
    })?
}

fn params(name: &str) -> Result<Params, ApiError> {
    let known = name.strip_prefix("organizations/").and_then(|rest| rest.split_once("/cases/"));
    let known = known.filter(|(organization, case)| {
        OrganizationId::new(organization).is_ok() && case.parse::<CaseId>().is_ok()
    });
    let (organization, case) = known.ok_or_else(|| {
        wrong("name", format!("{} is not of the form organizations/…/cases/…", excerpt(name)))
    })?;
    Ok(Params {
        parent: Some(("organizations".to_owned(), organization.to_owned())),
        case: case.to_owned(),
        ..Params::default()
    })
}

/// The endpoint of a command: a verb of a case, or a comment.
fn endpoint(command: &str) -> Result<&'static Endpoint, ApiError> {
    let is_on_case = |endpoint: &&Endpoint| {
        let verb = matches!(endpoint.path, [Segment::Parent, Segment::Literal("cases"), Segment::Case])
            && endpoint.verb == Some(command);
        let is_it = if command == COMMENT { endpoint.id == "cases.comments.create" } else { verb };
        is_it && endpoint.kind == Kind::Command && endpoint.method == Method::POST
    };
    endpoints().find(is_on_case).ok_or_else(|| {
        wrong("command", format!("{} is no command on a case, such as assign or comment", excerpt(command)))
    })
}

fn headers(call: &Call, item: &Value, key: Option<&str>, index: usize) -> Result<HeaderMap, ApiError> {
    let mut headers = call.headers.clone();
    headers.remove(IF_MATCH);
    headers.remove(IDEMPOTENCY_KEY);
    let value = |field, text: &str| {
        HeaderValue::from_str(text).map_err(|_| wrong(field, "must be the ETag of an earlier answer"))
    };
    if let Some(if_match) = item["ifMatch"].as_str() {
        headers.insert(IF_MATCH, value("ifMatch", if_match)?);
    }
    if let Some(key) = key.and_then(|key| Uuid::try_parse(key).ok()) {
        let own = CommandId(key).step(&format!("item {index} of a batch"));
        headers.insert(IDEMPOTENCY_KEY, value("Idempotency-Key", &own.0.to_string())?);
    }
    Ok(headers)
}

impl CaseBatchAnswerResource {
    fn of_reply(reply: &Reply) -> Self {
        let header = |name| {
            let mut found = reply.headers.iter().filter(|(known, _)| *known == name);
            found.next().and_then(|(_, value)| value.to_str().ok()).map(str::to_owned)
        };
        Self {
            status: reply.status.as_u16(),
            etag: header(axum::http::header::ETAG),
            replayed: header(IDEMPOTENT_REPLAY).is_some(),
            body: match &reply.body {
                ReplyBody::Json(bytes) => serde_json::from_slice(bytes).ok(),
                ReplyBody::Stream(_) => None,
            },
            error: None,
        }
    }

    fn of_error(error: &ApiError) -> Self {
        let status = error.code().http_status().as_u16();
        let mut body = error.body();
        Self { status, body: None, error: Some(body["error"].take()), etag: None, replayed: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Code;

    #[test]
    fn commands_of_a_batch_are_those_on_a_case_and_nothing_else() {
        for (command, id) in
            [("assign", "cases.assign"), ("close", "cases.close"), ("comment", "cases.comments.create")]
        {
            assert_eq!(endpoint(command).map(|endpoint| endpoint.id).ok(), Some(id));
        }
        for nonsense in ["", "allowedActions", "batch", "search", "explainAccess", "nonsense"] {
            assert_eq!(endpoint(nonsense).err().map(|error| error.code()), Some(Code::InvalidArgument));
        }
    }
}
