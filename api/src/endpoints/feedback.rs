//! `feedback.create`, `.list` and `.get`: what people think of the support centre (R-FEEDBACK-1). Whoever is signed in sends
//! it, support reads it.

use dossier_domain::FeedbackId;
use dossier_domain::feedback::{Feedback, MAX_FEEDBACK_CHARS, SendFeedback};
use dossier_projections::feedback::FeedbackRow;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::{Call, Reply};
use crate::proto_json::{Message, format_timestamp};
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::{ApiError, Code};

/// What somebody thinks.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewFeedback {
    /// 1 to 10,000 characters.
    #[schema(min_length = 1, max_length = 10_000)]
    text: String,
}

const _: () = assert!(MAX_FEEDBACK_CHARS == 10_000, "as the OpenAPI document says");

/// What somebody thinks of the support centre. What was erased is absent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeedbackResource {
    /// `feedback/{id}`.
    pub name: String,
    /// Account of who sent it.
    pub sender: String,
    /// Their address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What they say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When they sent it.
    pub create_time: String,
}

impl FeedbackResource {
    fn of_row(row: FeedbackRow) -> Result<Self, ApiError> {
        let sent_at = Timestamp::from_microsecond(row.sent_at_micros);
        let sent_at = sent_at.map_err(|error| ApiError::internal(error.to_string()))?;
        Ok(Self {
            name: format!("feedback/{}", row.feedback),
            sender: row.sender,
            email: row.email,
            display_name: row.display_name,
            text: row.text,
            create_time: format_timestamp(sent_at),
        })
    }

    /// The same from the fold; `None` when nothing was sent.
    fn of_state(state: &Feedback) -> Option<Self> {
        let sent = state.sent()?;
        let contact = sent.contact.open();
        Some(Self {
            name: format!("feedback/{}", sent.feedback),
            sender: sent.sender.to_string(),
            email: contact.map(|contact| contact.email.clone()),
            display_name: contact.map(|contact| contact.display_name.clone()),
            text: sent.text.open().cloned(),
            create_time: format_timestamp(sent.at),
        })
    }
}

/// Some feedback.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeedbackList {
    /// The feedback, the newest first.
    pub feedback: Vec<FeedbackResource>,
    /// Where the next begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Continues before a sending.
#[derive(Serialize, Deserialize)]
struct Cursor {
    before: i64,
}

/// Sends feedback. Any valid sign-in may, whether or not it belongs to an organization.
///
/// # Errors
/// 400 for an empty or too long text; 403 for a deactivated account.
#[utoipa::path(
    post,
    path = "/v2/feedback",
    operation_id = "feedback.create",
    tag = "help",
    params(("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID")),
    request_body = NewFeedback,
    responses((status = 200, description = "What was sent", body = FeedbackResource)),
)]
pub async fn create(call: Call) -> Result<Reply, ApiError> {
    let text = Message::parse(&call.body)?.string("text")?.unwrap_or_default();
    let outcome = call.app.commands.send_feedback(&call.command_request()?, &SendFeedback { text }).await;
    let outcome = outcome.map_err(|error| refusals::command(&error, refusals::feedback))?;
    let resource = FeedbackResource::of_state(&outcome.folded.state)
        .ok_or_else(|| ApiError::internal("an accepted command left nothing"))?;
    Ok(Reply::json(&resource)?.after_command(outcome.folded.position, outcome.replayed))
}

/// Lists feedback, the newest first.
///
/// # Errors
/// 400 for a bad page size or token.
#[utoipa::path(
    get,
    path = "/v2/feedback",
    operation_id = "feedback.list",
    tag = "help",
    params(
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Feedback", body = FeedbackList)),
)]
pub async fn list(call: Call) -> Result<Reply, ApiError> {
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let scope = call.endpoint.id;
    let before = call.cursor::<Cursor>(scope)?.map(|cursor| cursor.before);
    let page = call.app.feedback.list(before, limit).await.map_err(|error| refusals::query(&error))?;
    let feedback = page.feedback.into_iter().map(FeedbackResource::of_row);
    Reply::json(&FeedbackList {
        feedback: feedback.collect::<Result<_, _>>()?,
        next_page_token: page.next_before.map(|before| call.app.page_tokens.seal(scope, &Cursor { before })),
    })
}

/// Gets feedback.
///
/// # Errors
/// 404 when there is none of this name.
#[utoipa::path(
    get,
    path = "/v2/feedback/{feedback}",
    operation_id = "feedback.get",
    tag = "help",
    params(
        ("feedback" = String, Path, description = "Id of the feedback"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The feedback", body = FeedbackResource)),
)]
pub async fn get(call: Call) -> Result<Reply, ApiError> {
    let not_found =
        || ApiError::new(Code::NotFound, "there is no such feedback").with_reason("FEEDBACK_NOT_FOUND");
    let id: FeedbackId = call.params.item.parse().map_err(|_| not_found())?;
    let found = call.app.feedback.get(id).await.map_err(|error| refusals::query(&error))?;
    Reply::json(&FeedbackResource::of_row(found.ok_or_else(not_found)?)?)
}
