//! `organizations.members.delete`: removing a member, at once (R-ACCESS-2).

use dossier_domain::access::{AccessCommand, RemoveMember};

use super::organizations_commands::{account_id, done, outcome};
use crate::call::{Call, Reply};
use crate::status::ApiError;

/// Removes a member.
///
/// # Errors
/// 400 for the last owner of a product, and for oneself; 403 for whoever does not own every product of the member; 404
/// when there is none.
#[utoipa::path(
    delete,
    path = "/v2/organizations/{organization}/members/{member}",
    operation_id = "organizations.members.delete",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("member" = String, Path, description = "Id of the member's account"),
        ("If-Match" = Option<String>, Header, description = "The ETag the organization must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "Nothing more to say", body = Object)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let account = account_id(&call)?;
    done(&outcome(&call, &AccessCommand::RemoveMember(RemoveMember { account })).await?)
}
