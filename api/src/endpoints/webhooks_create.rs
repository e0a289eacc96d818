//! `organizations.webhooks.create`: a place of the organization's own where its machines are told.

use dossier_domain::webhook::{CreateWebhook, WebhookCommand};
use utoipa::ToSchema;

use super::event_subscriptions_resource::topic;
use super::webhooks_resource::{WebhookResource, new_secret, outcome, reply, url};
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::status::ApiError;

/// A webhook to make.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewWebhook {
    /// Where messages are sent: `https`, at a public address.
    #[schema(example = "https://hooks.acme.example/dossier")]
    url: String,
    /// The topic that it serves: `projects/{project}/topics/{topic}`.
    #[schema(example = "projects/acme/topics/cases")]
    pub_sub_topic: String,
}

/// Makes a webhook that serves a topic. Its messages are signed as Standard Webhooks has it, with the secret of the answer,
/// which is shown this once.
///
/// # Errors
/// 400 for an address that is not called here, and what names no topic.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/webhooks",
    operation_id = "organizations.webhooks.create",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NewWebhook,
    responses((status = 200, description = "The webhook, with its secret", body = WebhookResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let (url, topic) = (url(&call, &message)?, topic(&message)?);
    let command = WebhookCommand::Create(CreateWebhook { url, topic, secret: new_secret(&call) });
    reply(&call, &outcome(&call, None, &command).await?, true)
}
