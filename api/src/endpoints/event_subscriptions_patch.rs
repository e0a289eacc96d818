//! `organizations.supportEventSubscriptions.patch`: sending notifications to another topic.

use dossier_domain::event_subscription::{ChangeTopic, EventSubscriptionCommand};

use super::event_subscriptions_create::NewSupportEventSubscription;
use super::event_subscriptions_resource::{
    SupportEventSubscriptionResource, execute, subscription_id, topic,
};
use crate::call::{Call, Reply};
use crate::mask::Mask;
use crate::proto_json::Message;
use crate::status::ApiError;

/// What may be patched.
const PATHS: &[&str] = &["pub_sub_topic"];

/// Changes the topic, the one thing that can be changed.
///
/// # Errors
/// 400 for another field in the mask, what names no topic, and a deleted subscription; 404 when there is none.
#[utoipa::path(
    patch,
    path = "/v2/organizations/{organization}/supportEventSubscriptions/{subscription}",
    operation_id = "organizations.supportEventSubscriptions.patch",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("subscription" = String, Path, description = "Id of the subscription"),
        ("updateMask" = Option<String>, Query, description = "pubSubTopic, which is also meant when it is absent"),
        ("If-Match" = Option<String>, Header, description = "The ETag the subscription must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NewSupportEventSubscription,
    responses((status = 200, description = "The subscription", body = SupportEventSubscriptionResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let id = subscription_id(&call)?;
    Mask::parse(call.query.get("updateMask"), PATHS)?;
    let topic = topic(&Message::parse(&call.body)?)?;
    execute(&call, Some(id), &EventSubscriptionCommand::ChangeTopic(ChangeTopic { topic })).await
}
