//! `organizations.webhooks.patch` and `.delete`: changing where a webhook lies, what it serves and whether it gets messages, and
//! removing it.

use dossier_domain::webhook::{ChangeWebhook, DeleteWebhook, WebhookCommand};
use serde_json::json;
use utoipa::ToSchema;

use super::event_subscriptions_resource::topic;
use super::organizations_commands::invalid;
use super::webhooks_resource::{WebhookResource, outcome, reply, url, webhook_id};
use crate::call::{Call, Reply};
use crate::mask::Mask;
use crate::proto_json::Message;
use crate::status::ApiError;

/// What may be patched.
const PATHS: &[&str] = &["url", "pub_sub_topic", "enabled"];

/// The fields of a webhook that can be patched.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct WebhookPatch {
    /// Where messages are sent.
    url: Option<String>,
    /// The topic that it serves.
    pub_sub_topic: Option<String>,
    /// Whether it gets messages; true also enables one that answered 410.
    enabled: Option<bool>,
}

/// Changes a webhook: the fields that the mask names, or without one those that are given.
///
/// # Errors
/// 400 for another field in the mask, or a value that does not fit; 404 when there is none.
#[utoipa::path(
    patch,
    path = "/v2/organizations/{organization}/webhooks/{webhook}",
    operation_id = "organizations.webhooks.patch",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("webhook" = String, Path, description = "Id of the webhook"),
        ("updateMask" = Option<String>, Query, description = "Some of url, pubSubTopic, enabled"),
        ("If-Match" = Option<String>, Header, description = "The ETag the webhook must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = WebhookPatch,
    responses((status = 200, description = "The webhook", body = WebhookResource)),
)]
pub async fn patch(call: Call) -> Result<Reply, ApiError> {
    let id = webhook_id(&call)?;
    let mask = Mask::parse(call.query.get("updateMask"), PATHS)?;
    let message = Message::parse(&call.body)?;
    let is_written =
        |path: &str, field: &str| mask.contains(path) && (mask.is_explicit() || message.has(field));
    let enabled = message.bool("enabled")?;
    if is_written("enabled", "enabled") && enabled.is_none() {
        return Err(invalid("enabled", "give true or false, or leave it out of updateMask"));
    }
    let change = ChangeWebhook {
        url: if is_written("url", "url") { Some(url(&call, &message)?) } else { None },
        topic: if is_written("pub_sub_topic", "pubSubTopic") { Some(topic(&message)?) } else { None },
        enabled: enabled.filter(|_| mask.contains("enabled")),
    };
    reply(&call, &outcome(&call, Some(id), &WebhookCommand::Change(change)).await?, false)
}

/// Removes a webhook. What was still to be sent to it is not sent.
///
/// # Errors
/// 404 when there is none.
#[utoipa::path(
    delete,
    path = "/v2/organizations/{organization}/webhooks/{webhook}",
    operation_id = "organizations.webhooks.delete",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("webhook" = String, Path, description = "Id of the webhook"),
        ("If-Match" = Option<String>, Header, description = "The ETag the webhook must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "Nothing more to say", body = Object)),
)]
pub async fn delete(call: Call) -> Result<Reply, ApiError> {
    let done = outcome(&call, Some(webhook_id(&call)?), &WebhookCommand::Delete(DeleteWebhook {})).await?;
    Ok(Reply::json(&json!({}))?.after_command(done.folded.position, done.replayed))
}
