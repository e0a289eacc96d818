//! `organizations.members.get`: one member of an organization (R-ACCESS-4).

use super::organizations_commands::{account_id, no_such_member};
use super::organizations_resources::MemberResource;
use crate::call::{Call, Reply};
use crate::refusals;
use crate::status::ApiError;

/// Gets a member.
///
/// # Errors
/// 404 when there is none of this account.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/members/{member}",
    operation_id = "organizations.members.get",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("member" = String, Path, description = "Id of the member's account"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The member", body = MemberResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let row = call.app.organizations.member(&call.parent()?.organization, account_id(&call)?).await;
    let row = row.map_err(|error| refusals::query(&error))?.ok_or_else(no_such_member)?;
    Reply::json(&MemberResource::of_row(&row, call.app.commands.now(), call.enums()))
}
