//! `organizations.patch`: changing what is known of an organization (R-ORG-1).

use dossier_domain::access::{AccessCommand, ChangeOrganization};
use utoipa::ToSchema;

use super::organizations_commands::{organization_reply, outcome, technical_contact};
use super::organizations_create::NewContact;
use super::organizations_resources::OrganizationResource;
use crate::call::{Call, Reply};
use crate::mask::Mask;
use crate::proto_json::Message;
use crate::status::ApiError;

/// What may be patched.
const PATHS: &[&str] =
    &["display_name", "country", "language_code", "technical_contact", "first_sign_in_opens_accounts"];

/// The fields of an organization that can be patched.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct OrganizationPatch {
    /// Name to show; the operator's to change.
    display_name: Option<String>,
    /// ISO 3166 country or UN M49 region; the operator's to change.
    country: Option<String>,
    /// Preferred language, BCP 47.
    language_code: Option<String>,
    /// Whom to reach about technical matters; named in the mask and absent here: nobody.
    technical_contact: Option<NewContact>,
    /// Whether whoever signs in with an address of a verified domain gets an account; the operator's to change.
    first_sign_in_opens_accounts: Option<bool>,
}

/// Changes an organization.
///
/// # Errors
/// 400 for another field in the mask, or a value that does not fit; nothing changes then.
#[utoipa::path(
    patch,
    path = "/v2/organizations/{organization}",
    operation_id = "organizations.patch",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("updateMask" = Option<String>, Query,
            description = "Some of displayName, country, languageCode, technicalContact, firstSignInOpensAccounts; what the body has when absent"),
        ("If-Match" = Option<String>, Header, description = "The ETag the organization must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = OrganizationPatch,
    responses((status = 200, description = "The organization", body = OrganizationResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let mask = Mask::parse(call.query.get("updateMask"), PATHS)?;
    let message = Message::parse(&call.body)?;
    let written = |path: &str, field: &str| {
        if mask.is_explicit() { mask.contains(path) } else { message.has(field) }
    };
    let text = |path, field| {
        Ok::<_, ApiError>(if written(path, field) {
            Some(message.string(field)?.unwrap_or_default())
        } else {
            None
        })
    };
    let command = AccessCommand::ChangeOrganization(ChangeOrganization {
        display_name: text("display_name", "displayName")?,
        country: text("country", "country")?,
        language: text("language_code", "languageCode")?,
        technical_contact: if written("technical_contact", "technicalContact") {
            Some(technical_contact(&call, &message)?)
        } else {
            None
        },
        first_sign_in_opens_accounts: if written("first_sign_in_opens_accounts", "firstSignInOpensAccounts") {
            Some(message.bool("firstSignInOpensAccounts")?.unwrap_or_default())
        } else {
            None
        },
    });
    let outcome = outcome(&call, &command).await?;
    organization_reply(&call, &call.parent()?.organization, &outcome).await
}
