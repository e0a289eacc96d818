//! `organizations.domains.create`: claiming a domain (R-ORG-1).

use axum::http::header::IF_MATCH;
use dossier_domain::address::DomainName;
use utoipa::ToSchema;

use super::organizations_commands::invalid;
use super::organizations_resources::DomainResource;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::refusals;
use crate::status::ApiError;

/// What to claim.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewDomain {
    /// The domain, in Unicode or as A-labels, in any case.
    #[schema(example = "acme.example")]
    domain: String,
}

/// Claims a domain. The answer says what to publish in a TXT record; then the operator verifies it. Claiming again what one
/// holds shows the claim. An unverified claim keeps others out for seven days.
///
/// # Errors
/// 400 for what is no domain, reads like another one, or belongs to consumer mail; 409 when another organization holds it.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/domains",
    operation_id = "organizations.domains.create",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NewDomain,
    responses((status = 200, description = "The domain", body = DomainResource)),
)]
pub async fn handle(mut call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let domain = parsed(&message.string("domain")?.unwrap_or_default())?;
    refuse_condition(&call)?;
    // The resource that the idempotency key is for.
    call.params.item = domain.to_string();
    let parent = call.parent()?;
    let request = call.command_request()?;
    let claimed = call.app.commands.claim_domain(&request, &parent.organization, &domain).await;
    let claimed = claimed.map_err(|error| refusals::command(&error, refusals::organization))?;
    let resource = match &claimed.folded.state.holder {
        Some(claim) if !parent.access.domains.contains(domain.as_str()) => {
            DomainResource::claimed(claim, domain.as_str(), call.enums())
        }
        _ => DomainResource::verified(&parent.organization, domain.as_str(), call.enums()),
    };
    Ok(Reply::json(&resource)?.after_command(claimed.folded.position, claimed.replayed))
}

/// A domain in its one form.
pub(super) fn parsed(text: &str) -> Result<DomainName, ApiError> {
    DomainName::parse(text).map_err(|why| invalid("domain", why.to_string()))
}

/// A claim has no revision that its holder could know.
pub(super) fn refuse_condition(call: &Call) -> Result<(), ApiError> {
    if call.headers.contains_key(IF_MATCH) {
        let why = "a claim has no ETag; send the request without it";
        return Err(ApiError::invalid_field("If-Match", why).with_reason("INVALID_ETAG"));
    }
    Ok(())
}
