//! `organizations.create`: registering an organization (R-ORG-1).

use dossier_domain::OrganizationId;
use dossier_domain::access::{AccessCommand, RegisterOrganization};
use utoipa::ToSchema;

use super::organizations_commands::{invalid, organization_reply, outcome_in, technical_contact};
use super::organizations_resources::OrganizationResource;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::status::ApiError;

/// What an organization is registered from. Unknown and output-only fields are ignored.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewOrganization {
    /// Name to show, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    display_name: String,
    /// ISO 3166 country or UN M49 region.
    country: String,
    /// Preferred language, BCP 47.
    language_code: String,
    /// Whether it is a reseller's own account.
    reseller: Option<bool>,
    /// Whom to reach about technical matters.
    technical_contact: Option<NewContact>,
}

/// Somebody to reach.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewContact {
    /// Email address.
    email: String,
    /// Name to show; the address when absent.
    display_name: Option<String>,
}

/// Registers an organization.
///
/// # Errors
/// 400 naming the field that does not fit; 409 when there is one of this id.
#[utoipa::path(
    post,
    path = "/v2/organizations",
    operation_id = "organizations.create",
    tag = "organizations",
    params(
        ("organizationId" = String, Query, description = "Its id: 1 to 63 lower-case letters, digits and dashes"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NewOrganization,
    responses((status = 200, description = "The organization", body = OrganizationResource)),
)]
pub async fn handle(mut call: Call) -> Result<Reply, ApiError> {
    let id = call.query.get("organizationId").unwrap_or_default();
    let organization = OrganizationId::new(id).map_err(|why| invalid("organizationId", why.to_string()))?;
    // The resource that the idempotency key is for.
    call.params.parent = Some(("organizations".to_owned(), organization.to_string()));
    let message = Message::parse(&call.body)?;
    let command = AccessCommand::RegisterOrganization(RegisterOrganization {
        organization: organization.clone(),
        display_name: message.string("displayName")?.unwrap_or_default(),
        country: message.string("country")?.unwrap_or_default(),
        language: message.string("languageCode")?.unwrap_or_default(),
        reseller: message.bool("reseller")?.unwrap_or_default(),
        technical_contact: technical_contact(&call, &message)?,
    });
    let outcome = outcome_in(&call, &call.command_request()?, &organization, &command).await?;
    organization_reply(&call, &organization, &outcome).await
}
