//! `phoneCalls.create`: support's tooling records that somebody called (R-KI-2).

use dossier_domain::OrganizationId;
use dossier_domain::phone_call::RecordPhoneCall;
use serde::Serialize;
use utoipa::ToSchema;

use super::known_issues_read::product;
use crate::call::{Call, Reply};
use crate::proto_json::{Message, format_timestamp};
use crate::refusals;
use crate::status::ApiError;

/// A phone call. Nothing is kept of who called or what was said.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewPhoneCall {
    /// Key of the product that it was about.
    product: String,
    /// When it was, within the last 24 hours; now when absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    call_time: Option<String>,
    /// From where, where that is known: `organizations/{organization}`.
    organization: Option<String>,
}

/// A recorded phone call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhoneCallResource {
    /// `phoneCalls/{id}`.
    pub name: String,
    /// Key of the product that it was about.
    pub product: String,
    /// When it was.
    pub call_time: String,
    /// From where, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
}

/// Records a phone call, for the watch over the volume.
///
/// # Errors
/// 400 naming the field that does not fit.
#[utoipa::path(
    post,
    path = "/v2/phoneCalls",
    operation_id = "phoneCalls.create",
    tag = "known issues",
    params(("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID; repeating it counts nothing again")),
    request_body = NewPhoneCall,
    responses((status = 200, description = "The phone call", body = PhoneCallResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let organization = message.string("organization")?.filter(|name| !name.is_empty());
    let command = RecordPhoneCall {
        product: product(&message.string("product")?.unwrap_or_default())?,
        at: message.timestamp("callTime")?,
        organization: organization.as_deref().map(organization_of).transpose()?,
    };
    let outcome = call.app.commands.phone_call(&call.command_request()?, &command).await;
    let outcome = outcome.map_err(|error| refusals::command(&error, refusals::phone_call))?;
    let recorded = outcome.folded.state.recorded();
    let recorded = recorded.ok_or_else(|| ApiError::internal("an accepted command left nothing"))?;
    let reply = Reply::json(&PhoneCallResource {
        name: format!("phoneCalls/{}", recorded.call),
        product: recorded.product.to_string(),
        call_time: format_timestamp(recorded.at),
        organization: recorded.organization.as_ref().map(|id| format!("organizations/{id}")),
    })?;
    Ok(reply.after_command(outcome.folded.position, outcome.replayed))
}

fn organization_of(name: &str) -> Result<OrganizationId, ApiError> {
    name.strip_prefix("organizations/")
        .and_then(|id| OrganizationId::new(id).ok())
        .ok_or_else(|| ApiError::invalid_field("organization", "wanted a name such as organizations/acme"))
}
