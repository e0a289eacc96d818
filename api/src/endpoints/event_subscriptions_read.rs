//! `organizations.supportEventSubscriptions.get` and `.list`: an organization's subscriptions to events.

use serde::Serialize;
use utoipa::ToSchema;

use super::event_subscriptions_resource::{
    SupportEventSubscriptionResource, subscription_id, subscription_not_found,
};
use super::organizations_commands::Cursor;
use crate::call::{Call, Reply};
use crate::filter::subscriptions::subscription_condition;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::ApiError;

/// Some subscriptions.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SupportEventSubscriptionList {
    /// The subscriptions, the oldest first.
    pub support_event_subscriptions: Vec<SupportEventSubscriptionResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Gets a subscription; a deleted one too, until it is purged.
///
/// # Errors
/// 404 when there is none.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/supportEventSubscriptions/{subscription}",
    operation_id = "organizations.supportEventSubscriptions.get",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("subscription" = String, Path, description = "Id of the subscription"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The subscription", body = SupportEventSubscriptionResource)),
)]
pub async fn get(call: Call) -> Result<Reply, ApiError> {
    let (id, organization, now) =
        (subscription_id(&call)?, &call.parent()?.organization, call.app.commands.now());
    let found = call.app.event_delivery.subscription(organization, id, now).await;
    let row = found.map_err(|error| refusals::query(&error))?.ok_or_else(subscription_not_found)?;
    let resource = SupportEventSubscriptionResource::of_row(&row, call.enums())?;
    Ok(Reply::json(&resource)?.with_etag(row.revision))
}

/// Lists the subscriptions of an organization.
///
/// # Errors
/// 400 for a bad filter, page size or token.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/supportEventSubscriptions",
    operation_id = "organizations.supportEventSubscriptions.list",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("filter" = Option<String>, Query,
            description = "`pub_sub_topic=\"projects/p/topics/t\" AND state=WORKING`; both, one or none"),
        ("showDeleted" = Option<bool>, Query, description = "Whether deleted ones are listed too"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer to the same question"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Subscriptions", body = SupportEventSubscriptionList)),
)]
pub async fn list(call: Call) -> Result<Reply, ApiError> {
    let organization = &call.parent()?.organization;
    let condition = subscription_condition(call.query.get("filter"))?;
    let show_deleted = call.query.bool("showDeleted")?.unwrap_or_default();
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let scope = format!("{} {organization} {show_deleted} {condition:?}", call.endpoint.id);
    let after = call.cursor::<Cursor<i64>>(&scope)?.map(|cursor| cursor.after);
    let now = call.app.commands.now();
    let queries = &call.app.event_delivery;
    let page = queries.subscriptions(organization, &condition, show_deleted, now, after, limit).await;
    let page = page.map_err(|error| refusals::query(&error))?;
    let shown = |row| SupportEventSubscriptionResource::of_row(row, call.enums());
    Reply::json(&SupportEventSubscriptionList {
        support_event_subscriptions: page.subscriptions.iter().map(shown).collect::<Result<_, _>>()?,
        next_page_token: page.next_after.map(|after| call.app.page_tokens.seal(&scope, &Cursor { after })),
    })
}
