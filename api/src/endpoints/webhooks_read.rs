//! `organizations.webhooks.get` and `.list`: an organization's webhooks, without their secrets.

use serde::Serialize;
use utoipa::ToSchema;

use super::organizations_commands::Cursor;
use super::webhooks_resource::{WebhookResource, webhook_id, webhook_not_found};
use crate::call::{Call, Reply};
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::ApiError;

/// Some webhooks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookList {
    /// The webhooks, the oldest first.
    pub webhooks: Vec<WebhookResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Gets a webhook.
///
/// # Errors
/// 404 when there is none.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/webhooks/{webhook}",
    operation_id = "organizations.webhooks.get",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("webhook" = String, Path, description = "Id of the webhook"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The webhook", body = WebhookResource)),
)]
pub async fn get(call: Call) -> Result<Reply, ApiError> {
    let (id, organization) = (webhook_id(&call)?, &call.parent()?.organization);
    let found = call.app.event_delivery.webhook(organization, id).await;
    let row = found.map_err(|error| refusals::query(&error))?.ok_or_else(webhook_not_found)?;
    let resource = WebhookResource::of_row(&row, call.app.commands.now(), call.enums())?;
    Ok(Reply::json(&resource)?.with_etag(row.revision))
}

/// Lists the webhooks of an organization.
///
/// # Errors
/// 400 for a bad page size or token.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/webhooks",
    operation_id = "organizations.webhooks.list",
    tag = "events to machines",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same organization"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Webhooks", body = WebhookList)),
)]
pub async fn list(call: Call) -> Result<Reply, ApiError> {
    let organization = &call.parent()?.organization;
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let scope = format!("{} {organization}", call.endpoint.id);
    let after = call.cursor::<Cursor<i64>>(&scope)?.map(|cursor| cursor.after);
    let page = call.app.event_delivery.webhooks(organization, after, limit).await;
    let page = page.map_err(|error| refusals::query(&error))?;
    let now = call.app.commands.now();
    let shown = |row| WebhookResource::of_row(row, now, call.enums());
    Reply::json(&WebhookList {
        webhooks: page.webhooks.iter().map(shown).collect::<Result<_, _>>()?,
        next_page_token: page.next_after.map(|after| call.app.page_tokens.seal(&scope, &Cursor { after })),
    })
}
