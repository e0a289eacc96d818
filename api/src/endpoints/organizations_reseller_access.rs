//! `organizations.allowResellerAccess` and `organizations.withdrawResellerAccess` (R-RES-2).

use dossier_domain::OrganizationId;
use dossier_domain::access::{AccessCommand, AllowResellerAccess, WithdrawResellerAccess};
use utoipa::ToSchema;

use super::organizations_commands::{invalid, organization_field, organization_reply, outcome};
use super::organizations_resources::OrganizationResource;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::status::ApiError;

/// Which reseller.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct ResellerRequest {
    /// `organizations/{reseller}`.
    #[schema(example = "organizations/nimbus")]
    reseller: String,
}

/// Lets the managing reseller see cases: in the centre by an owner, in account management by the operator.
///
/// # Errors
/// 400 when the reseller named does not manage the organization.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}:allowResellerAccess",
    operation_id = "organizations.allowResellerAccess",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("If-Match" = Option<String>, Header, description = "The ETag the organization must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = ResellerRequest,
    responses((status = 200, description = "The organization", body = OrganizationResource)),
)]
pub async fn allow(call: Call) -> Result<Reply, ApiError> {
    let reseller = reseller(&call)?;
    execute(&call, &AccessCommand::AllowResellerAccess(AllowResellerAccess { reseller })).await
}

/// Stops a reseller from seeing cases, at once. In the centre this ends the grant in account management too. Withdrawing
/// what is not given changes nothing.
///
/// # Errors
/// 400 without a reseller.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}:withdrawResellerAccess",
    operation_id = "organizations.withdrawResellerAccess",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("If-Match" = Option<String>, Header, description = "The ETag the organization must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = ResellerRequest,
    responses((status = 200, description = "The organization", body = OrganizationResource)),
)]
pub async fn withdraw(call: Call) -> Result<Reply, ApiError> {
    let reseller = reseller(&call)?;
    execute(&call, &AccessCommand::WithdrawResellerAccess(WithdrawResellerAccess { reseller })).await
}

fn reseller(call: &Call) -> Result<OrganizationId, ApiError> {
    let message = Message::parse(&call.body)?;
    organization_field(&message, "reseller")?
        .ok_or_else(|| invalid("reseller", "name the reseller, such as organizations/nimbus"))
}

async fn execute(call: &Call, command: &AccessCommand) -> Result<Reply, ApiError> {
    let outcome = outcome(call, command).await?;
    organization_reply(call, &call.parent()?.organization, &outcome).await
}
