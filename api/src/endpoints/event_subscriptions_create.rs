//! `organizations.supportEventSubscriptions.create`: subscribing to what happens to an organization's cases.

use dossier_domain::event_subscription::{CreateEventSubscription, EventSubscriptionCommand};
use utoipa::ToSchema;

use super::event_subscriptions_resource::{SupportEventSubscriptionResource, execute, topic};
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::status::ApiError;

/// A subscription to make or to change.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewSupportEventSubscription {
    /// `projects/{project}/topics/{topic}`: which of the organization's webhooks, and which subject, get notifications.
    #[schema(example = "projects/acme/topics/cases")]
    pub_sub_topic: String,
}

/// Makes a subscription. Its notifications go to the organization's webhooks that serve the topic and, where the system runs
/// on NATS, to the subject `dossier.notifications.{organization}.{project}.{topic}`.
///
/// # Errors
/// 400 for what names no topic.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/supportEventSubscriptions",
    operation_id = "organizations.supportEventSubscriptions.create",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NewSupportEventSubscription,
    responses((status = 200, description = "The subscription", body = SupportEventSubscriptionResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let topic = topic(&Message::parse(&call.body)?)?;
    execute(&call, None, &EventSubscriptionCommand::Create(CreateEventSubscription { topic })).await
}
