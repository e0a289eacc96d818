//! `organizations.domains.verify`: recording a domain as verified (R-ORG-1).

use dossier_domain::access::{AccessCommand, VerifyDomain};

use super::domains_create::parsed;
use super::organizations_commands::{outcome, reply};
use super::organizations_resources::DomainResource;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::status::ApiError;

/// Records that the organization has proved the domain to be its own, and claims it first where it has not. Repeating it
/// changes nothing.
///
/// # Errors
/// 400 for what is no domain, or belongs to consumer mail; 409 when another organization holds it.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/domains/{domain}:verify",
    operation_id = "organizations.domains.verify",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("domain" = String, Path, description = "The domain"),
        ("If-Match" = Option<String>, Header, description = "The ETag the organization must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The domain", body = DomainResource)),
)]
pub async fn handle(mut call: Call) -> Result<Reply, ApiError> {
    let domain = parsed(&call.params.item)?;
    Message::parse(&call.body)?;
    call.params.item = domain.to_string();
    let command = AccessCommand::VerifyDomain(VerifyDomain { domain: domain.to_string() });
    let outcome = outcome(&call, &command).await?;
    let organization = &call.parent()?.organization;
    reply(&DomainResource::verified(organization, domain.as_str(), call.enums()), &outcome)
}
