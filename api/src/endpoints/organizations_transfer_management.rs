//! `organizations.transferManagement`: handing the management to a reseller, or making it direct (R-RES-3).

use dossier_domain::access::{AccessCommand, TransferManagement};
use utoipa::ToSchema;

use super::organizations_commands::{organization_field, organization_reply, outcome};
use super::organizations_resources::OrganizationResource;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::status::ApiError;

/// Who manages the organization from now on.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct TransferRequest {
    /// `organizations/{reseller}`; empty or absent: direct.
    #[schema(example = "organizations/stratus")]
    manager: Option<String>,
}

/// Hands the management over. It ends the former manager's access; to the same manager it changes nothing.
///
/// # Errors
/// 400 when the manager named is no reseller.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}:transferManagement",
    operation_id = "organizations.transferManagement",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("If-Match" = Option<String>, Header, description = "The ETag the organization must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = TransferRequest,
    responses((status = 200, description = "The organization", body = OrganizationResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let manager = organization_field(&message, "manager")?;
    let outcome = outcome(&call, &AccessCommand::TransferManagement(TransferManagement { manager })).await?;
    organization_reply(&call, &call.parent()?.organization, &outcome).await
}
