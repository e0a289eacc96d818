//! `organizations.entitlements.list`: everything that an organization is, was or will be entitled to (R-PLAN-1).

use serde::Serialize;
use utoipa::ToSchema;

use super::organizations_commands::page;
use super::organizations_resources::EntitlementResource;
use crate::call::{Call, Reply};
use crate::refusals;
use crate::status::ApiError;

/// Some entitlements.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntitlementList {
    /// The entitlements, in the order in which they were granted.
    pub entitlements: Vec<EntitlementResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Lists the entitlements of an organization.
///
/// # Errors
/// 400 for a bad page size or token.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/entitlements",
    operation_id = "organizations.entitlements.list",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same organization"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Entitlements", body = EntitlementList)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let organization = &call.parent()?.organization;
    let rows = call.app.organizations.entitlements(organization).await;
    let rows = rows.map_err(|error| refusals::query(&error))?;
    let scope = format!("organizations.entitlements.list {organization}");
    let (rows, next_page_token) = page(&call, &scope, rows, |row| row.ordinal)?;
    let now = call.app.commands.now();
    let entitlements = rows.iter().map(|row| EntitlementResource::of_row(row, now, call.enums()));
    Reply::json(&EntitlementList { entitlements: entitlements.collect(), next_page_token })
}
