//! `organizations.entitlements.end`: ending a product's plan, from an instant on (R-PLAN-1, R-PLAN-4).

use dossier_domain::access::{AccessCommand, EndEntitlement};
use utoipa::ToSchema;

use super::entitlements_create::product_and_plan;
use super::entitlements_list::EntitlementList;
use super::organizations_commands::{as_of, outcome, reply};
use super::organizations_resources::EntitlementResource;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::status::ApiError;

/// What to end.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct EndEntitlementRequest {
    /// The product.
    product: String,
    /// The plan.
    plan: String,
    /// From this instant on, inclusive, never earlier than now; now when absent.
    end_time: Option<String>,
}

/// Ends every entitlement of the organization to the product with the plan. Ending what has ended changes nothing; what
/// would have begun later never begins. The answer shows what is left of them.
///
/// # Errors
/// 400 naming the field that does not fit.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/entitlements:end",
    operation_id = "organizations.entitlements.end",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("If-Match" = Option<String>, Header, description = "The ETag the organization must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = EndEntitlementRequest,
    responses((status = 200, description = "The entitlements to the product with the plan", body = EntitlementList)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let (product, plan) = product_and_plan(&message)?;
    let until = message.timestamp("endTime")?;
    let command = EndEntitlement { product: product.clone(), plan: plan.clone(), until };
    let outcome = outcome(&call, &AccessCommand::EndEntitlement(command)).await?;
    let now = as_of(&call, &outcome);
    let meant = outcome
        .folded
        .state
        .entitlements
        .iter()
        .filter(|entitlement| entitlement.product == product && entitlement.plan == plan);
    let entitlements =
        meant.map(|entitlement| EntitlementResource::of_fold(entitlement, now, call.enums())).collect();
    reply(&EntitlementList { entitlements, next_page_token: None }, &outcome)
}
