//! `organizations.webhooks.rotateSecret`: another secret, without a message that its receiver could not check.

use dossier_domain::webhook::{DEFAULT_OVERLAP_SECONDS, RotateSecret, WebhookCommand};
use utoipa::ToSchema;

use super::webhooks_resource::{WebhookResource, new_secret, outcome, reply, webhook_id};
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::status::ApiError;

/// How to change over.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct SecretRotation {
    /// How long messages are signed with the old secret too: 0 to 604,800 seconds; a day when absent.
    #[schema(minimum = 0, maximum = 604_800)]
    overlap_seconds: Option<i64>,
}

/// Gives a webhook another secret, which the answer shows this once.
///
/// # Errors
/// 400 for an overlap that is longer than a week; 404 when there is none.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/webhooks/{webhook}:rotateSecret",
    operation_id = "organizations.webhooks.rotateSecret",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("webhook" = String, Path, description = "Id of the webhook"),
        ("If-Match" = Option<String>, Header, description = "The ETag the webhook must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = SecretRotation,
    responses((status = 200, description = "The webhook, with its new secret", body = WebhookResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let id = webhook_id(&call)?;
    let message = Message::parse(&call.body)?;
    let overlap_seconds = message.int64("overlapSeconds")?.unwrap_or(DEFAULT_OVERLAP_SECONDS);
    let command = WebhookCommand::RotateSecret(RotateSecret { secret: new_secret(&call), overlap_seconds });
    reply(&call, &outcome(&call, Some(id), &command).await?, true)
}
