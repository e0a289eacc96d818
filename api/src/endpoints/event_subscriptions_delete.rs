//! `organizations.supportEventSubscriptions.delete`, `.undelete` and `.expunge`: deleting a subscription for a while, bringing it
//! back, and removing it for good.

use dossier_domain::event_subscription::{
    DeleteEventSubscription, EventSubscriptionCommand, ExpungeEventSubscription, UndeleteEventSubscription,
};
use serde_json::json;

use super::event_subscriptions_resource::{
    SupportEventSubscriptionResource, execute, outcome, subscription_id,
};
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::status::ApiError;

/// Deletes a subscription for a while: it gets no notifications, and can be undeleted until its purge time. Deleting again
/// changes nothing.
///
/// # Errors
/// 404 when there is none.
#[utoipa::path(
    delete,
    path = "/v2/organizations/{organization}/supportEventSubscriptions/{subscription}",
    operation_id = "organizations.supportEventSubscriptions.delete",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("subscription" = String, Path, description = "Id of the subscription"),
        ("If-Match" = Option<String>, Header, description = "The ETag the subscription must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The subscription", body = SupportEventSubscriptionResource)),
)]
pub async fn delete(call: Call) -> Result<Reply, ApiError> {
    let command = EventSubscriptionCommand::Delete(DeleteEventSubscription {});
    execute(&call, Some(subscription_id(&call)?), &command).await
}

/// Brings a deleted subscription back.
///
/// # Errors
/// 400 when it is not deleted; 404 when there is none, or it was purged.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/supportEventSubscriptions/{subscription}:undelete",
    operation_id = "organizations.supportEventSubscriptions.undelete",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("subscription" = String, Path, description = "Id of the subscription"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The subscription", body = SupportEventSubscriptionResource)),
)]
pub async fn undelete(call: Call) -> Result<Reply, ApiError> {
    Message::parse(&call.body)?;
    let command = EventSubscriptionCommand::Undelete(UndeleteEventSubscription {});
    execute(&call, Some(subscription_id(&call)?), &command).await
}

/// Removes a subscription for good, deleted or not.
///
/// # Errors
/// 404 when there is none.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/supportEventSubscriptions/{subscription}:expunge",
    operation_id = "organizations.supportEventSubscriptions.expunge",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("subscription" = String, Path, description = "Id of the subscription"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "Nothing more to say", body = Object)),
)]
pub async fn expunge(call: Call) -> Result<Reply, ApiError> {
    Message::parse(&call.body)?;
    let command = EventSubscriptionCommand::Expunge(ExpungeEventSubscription {});
    let done = outcome(&call, Some(subscription_id(&call)?), &command).await?;
    Ok(Reply::json(&json!({}))?.after_command(done.folded.position, done.replayed))
}
