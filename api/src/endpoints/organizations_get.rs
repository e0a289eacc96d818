//! `organizations.get`: one organization (R-ORG-1).

use super::organizations_commands::organization_not_found;
use super::organizations_resources::OrganizationResource;
use crate::call::{Call, Reply};
use crate::refusals;
use crate::status::ApiError;

/// Gets an organization.
///
/// # Errors
/// 403 for whoever has no access, whether or not there is one; 404 for an operator.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}",
    operation_id = "organizations.get",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The organization", body = OrganizationResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let row = call.app.organizations.get(&call.parent()?.organization).await;
    let row = row.map_err(|error| refusals::query(&error))?.ok_or_else(organization_not_found)?;
    Ok(Reply::json(&OrganizationResource::of_row(&row))?.with_etag(row.revision))
}
