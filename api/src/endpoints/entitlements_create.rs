//! `organizations.entitlements.create`: granting a product with a plan for a period (R-PLAN-1).

use dossier_domain::access::{AccessCommand, AccessEvent, Entitlement, GrantEntitlement};
use dossier_domain::{PlanId, ProductId};
use utoipa::ToSchema;

use super::organizations_commands::{as_of, invalid, outcome, reply};
use super::organizations_resources::EntitlementResource;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::status::ApiError;

/// What to grant. Unknown and output-only fields are ignored.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewEntitlement {
    /// A product of the catalogue.
    product: String,
    /// A plan of the catalogue.
    plan: String,
    /// From this instant on, inclusive; now when absent.
    start_time: Option<String>,
    /// Until this instant, exclusive; open when absent.
    end_time: Option<String>,
}

/// Grants an entitlement.
///
/// # Errors
/// 400 naming the field that does not fit.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/entitlements",
    operation_id = "organizations.entitlements.create",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("If-Match" = Option<String>, Header, description = "The ETag the organization must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID; repeating it grants nothing again"),
    ),
    request_body = NewEntitlement,
    responses((status = 200, description = "The entitlement", body = EntitlementResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let (product, plan) = product_and_plan(&message)?;
    let from = message.timestamp("startTime")?.unwrap_or_else(|| call.app.commands.now());
    let until = message.timestamp("endTime")?;
    let command = GrantEntitlement { product, plan, from, until };
    let outcome = outcome(&call, &AccessCommand::GrantEntitlement(command)).await?;
    let granted = outcome.events.iter().find_map(|event| match event {
        AccessEvent::EntitlementGranted(event) => Some(Entitlement {
            product: event.product.clone(),
            plan: event.plan.clone(),
            from: event.from,
            until: event.until,
        }),
        _ => None,
    });
    let granted = granted.ok_or_else(|| ApiError::internal("the command left no entitlement"))?;
    let now = as_of(&call, &outcome);
    reply(&EntitlementResource::of_fold(&granted, now, call.enums()), &outcome)
}

/// The product and the plan that a message names.
pub(super) fn product_and_plan(message: &Message) -> Result<(ProductId, PlanId), ApiError> {
    let text = |name| message.string(name).map(Option::unwrap_or_default);
    let product = ProductId::new(&text("product")?).map_err(|why| invalid("product", why.to_string()))?;
    let plan = PlanId::new(&text("plan")?).map_err(|why| invalid("plan", why.to_string()))?;
    Ok((product, plan))
}
