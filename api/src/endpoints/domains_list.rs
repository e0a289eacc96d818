//! `organizations.domains.list`: the verified domains of an organization (R-ORG-1).

use serde::Serialize;
use utoipa::ToSchema;

use super::organizations_commands::{organization_not_found, page};
use super::organizations_resources::DomainResource;
use crate::call::{Call, Reply};
use crate::refusals;
use crate::status::ApiError;

/// Some domains.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DomainList {
    /// The domains, in alphabetical order.
    pub domains: Vec<DomainResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Lists the verified domains of an organization. A claim is shown by claiming again.
///
/// # Errors
/// 400 for a bad page size or token.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/domains",
    operation_id = "organizations.domains.list",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same organization"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Domains", body = DomainList)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let organization = &call.parent()?.organization;
    let row = call.app.organizations.get(organization).await.map_err(|error| refusals::query(&error))?;
    let domains = row.ok_or_else(organization_not_found)?.domains();
    let scope = format!("organizations.domains.list {organization}");
    let (domains, next_page_token) = page(&call, &scope, domains, String::clone)?;
    let verified = |domain: &String| DomainResource::verified(organization, domain, call.enums());
    Reply::json(&DomainList { domains: domains.iter().map(verified).collect(), next_page_token })
}
