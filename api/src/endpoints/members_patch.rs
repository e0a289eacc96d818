//! `organizations.members.patch`: changing what a member may do (R-ACCESS-2).

use std::collections::BTreeMap;

use dossier_domain::access::{AccessCommand, ChangeMember};
use utoipa::ToSchema;

use super::organizations_commands::{account_id, invalid, member_reply, outcome, roles};
use super::organizations_resources::MemberResource;
use crate::call::{Call, Reply};
use crate::mask::Mask;
use crate::proto_json::Message;
use crate::status::ApiError;

/// What may be patched.
const PATHS: &[&str] = &["roles", "support_privilege"];

/// The fields of a member that can be patched.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct MemberPatch {
    /// VIEWER, EDITOR or OWNER by product, null to take the role away; products that are not named stay.
    roles: Option<BTreeMap<String, Option<String>>>,
    /// Whether they may contact support (R-ACCESS-7).
    support_privilege: Option<bool>,
}

/// Changes a member's access, at once.
///
/// # Errors
/// 400 for the last owner of a product, and for one's own access; 403 for whoever is no owner of the product; 404 for
/// somebody without access.
#[utoipa::path(
    patch,
    path = "/v2/organizations/{organization}/members/{member}",
    operation_id = "organizations.members.patch",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("member" = String, Path, description = "Id of the member's account"),
        ("updateMask" = Option<String>, Query, description = "Some of roles, supportPrivilege; what the body has when absent"),
        ("If-Match" = Option<String>, Header, description = "The ETag the organization must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = MemberPatch,
    responses((status = 200, description = "The member", body = MemberResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let account = account_id(&call)?;
    let mask = Mask::parse(call.query.get("updateMask"), PATHS)?;
    let message = Message::parse(&call.body)?;
    let privilege = message.bool("supportPrivilege")?;
    if mask.is_explicit() && mask.contains("support_privilege") && privilege.is_none() {
        return Err(invalid("supportPrivilege", "give true or false, or leave it out of updateMask"));
    }
    let command = AccessCommand::ChangeMember(ChangeMember {
        account,
        roles: roles(&message)?.filter(|_| mask.contains("roles")).unwrap_or_default(),
        support_privilege: privilege.filter(|_| mask.contains("support_privilege")),
    });
    let outcome = outcome(&call, &command).await?;
    member_reply(&call, account, &outcome).await
}
