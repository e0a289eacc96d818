//! `organizations.members.list`: the people of an organization, pending and listed ones too (R-ACCESS-4).

use serde::Serialize;
use utoipa::ToSchema;

use super::organizations_commands::Cursor;
use super::organizations_resources::MemberResource;
use crate::call::{Call, Reply};
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::ApiError;

/// Some members.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberList {
    /// The members, by account.
    pub members: Vec<MemberResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Lists the members of an organization.
///
/// # Errors
/// 400 for a bad page size or token.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/members",
    operation_id = "organizations.members.list",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same organization"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Members", body = MemberList)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let organization = &call.parent()?.organization;
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let scope = format!("organizations.members.list {organization}");
    let cursor = call.cursor::<Cursor<String>>(&scope)?;
    let after = cursor.as_ref().map(|cursor| cursor.after.as_str());
    let found = call.app.organizations.members(organization, after, limit).await;
    let found = found.map_err(|error| refusals::query(&error))?;
    let now = call.app.commands.now();
    Reply::json(&MemberList {
        members: found.members.iter().map(|row| MemberResource::of_row(row, now, call.enums())).collect(),
        next_page_token: found.next_after.map(|after| call.app.page_tokens.seal(&scope, &Cursor { after })),
    })
}
