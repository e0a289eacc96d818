//! `organizations.domains.delete`: giving up a claim that is not verified (R-ORG-1).

use serde_json::json;

use super::domains_create::{parsed, refuse_condition};
use crate::call::{Call, Reply};
use crate::refusals;
use crate::status::ApiError;

/// Gives up a claim. Giving up what one does not hold changes nothing.
///
/// # Errors
/// 400 once the domain is verified: people may have access by it.
#[utoipa::path(
    delete,
    path = "/v2/organizations/{organization}/domains/{domain}",
    operation_id = "organizations.domains.delete",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("domain" = String, Path, description = "The domain"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "Nothing more to say", body = Object)),
)]
pub async fn handle(mut call: Call) -> Result<Reply, ApiError> {
    let domain = parsed(&call.params.item)?;
    refuse_condition(&call)?;
    call.params.item = domain.to_string();
    let request = call.command_request()?;
    let released = call.app.commands.release_domain(&request, &call.parent()?.organization, &domain).await;
    let released = released.map_err(|error| refusals::command(&error, refusals::organization))?;
    Ok(Reply::json(&json!({}))?.after_command(released.folded.position, released.replayed))
}
