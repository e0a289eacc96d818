//! `organizations.webhooks.test`: sending a ping, to see whether a webhook takes it.

use dossier_domain::webhook::{TestWebhook, WebhookCommand};
use dossier_processes::notifications::webhooks::{Answer, Post, payload};
use serde::Serialize;
use utoipa::ToSchema;

use super::webhooks_resource::{outcome, webhook_id};
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::status::ApiError;

/// What came of a ping.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookTestResource {
    /// Whether it was taken.
    pub accepted: bool,
    /// The status of the answer, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// What happened.
    pub detail: String,
}

/// Sends a ping, signed like every message, and tells what came of it. One that is disabled is tried out too. A repeat with
/// the same Idempotency-Key sends nothing.
///
/// # Errors
/// 404 when there is none.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/webhooks/{webhook}:test",
    operation_id = "organizations.webhooks.test",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("webhook" = String, Path, description = "Id of the webhook"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "What came of it", body = WebhookTestResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let id = webhook_id(&call)?;
    Message::parse(&call.body)?;
    let done = outcome(&call, Some(id), &WebhookCommand::Test(TestWebhook {})).await?;
    let result = if done.replayed {
        let detail = "this ping was sent before; for another one use another Idempotency-Key";
        WebhookTestResource { accepted: false, http_status: None, detail: detail.to_owned() }
    } else {
        ping(&call, &done).await?
    };
    Ok(Reply::json(&result)?.after_command(done.folded.position, done.replayed))
}

async fn ping(call: &Call, done: &dossier_commands::WebhookOutcome) -> Result<WebhookTestResource, ApiError> {
    let hook = done.folded.state.hook();
    let hook = hook.ok_or_else(|| ApiError::internal("an accepted command left nothing"))?;
    let erased = || ApiError::not_found("its address was erased").with_reason("CONTENT_ERASED");
    let (now, id) = (call.app.commands.now(), uuid::Uuid::from_u128(call.app.random_id()).to_string());
    let post = Post {
        url: hook.url.open().cloned().ok_or_else(erased)?,
        keys: hook.signing_keys(now),
        body: payload::ping(&id, &hook.organization, hook.webhook, now),
        id,
    };
    let answer = call.app.webhooks.send(&post, now).await;
    let http_status = match &answer {
        Answer::Accepted { status } | Answer::Refused { status, .. } => Some(*status),
        Answer::Gone => Some(410),
        Answer::Unreached { .. } => None,
    };
    let accepted = matches!(answer, Answer::Accepted { .. });
    Ok(WebhookTestResource { accepted, http_status, detail: answer.detail() })
}
