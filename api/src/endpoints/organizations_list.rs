//! `organizations.list`: the organizations that one has to do with (R-ORG-1): one's own; the customers of the reseller
//! that one acts for; for an operator, all.

use dossier_domain::{Action, VisibilityScope};
use serde::Serialize;
use utoipa::ToSchema;

use super::organizations_commands::{Cursor, page};
use super::organizations_resources::OrganizationEntryResource;
use crate::call::{Call, Reply, max_wait};
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::ApiError;

/// Some organizations.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationList {
    /// The organizations, by id.
    pub organizations: Vec<OrganizationEntryResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Lists organizations.
///
/// # Errors
/// 403 where the caller may not act for whom they say; 503 while it is not known whom that one manages now.
#[utoipa::path(
    get,
    path = "/v2/organizations",
    operation_id = "organizations.list",
    tag = "organizations",
    params(
        ("Dossier-Acting-For" = Option<String>, Header, description = "A reseller: then its customers are listed"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer to the same person"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Organizations", body = OrganizationList)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let acting_for = call.acts_for.as_ref().map_or("", |acts_for| acts_for.organization.as_str());
    let scope = format!("organizations.list {} {acting_for}", call.actor.account);
    let is_operator = call.authority.open_to(Action::AdministerOrganizations).is_ok();
    if !is_operator && call.acts_for.is_none() {
        return mine(&call, &scope).await;
    }
    let cursor = call.cursor::<Cursor<String>>(&scope)?;
    let after = cursor.as_ref().map(|cursor| cursor.after.as_str());
    let found = if is_operator {
        call.app.organizations.list(after, limit).await
    } else {
        call.authority.open_to(Action::ReadCases).map_err(|refusal| refusals::access(&refusal))?;
        let VisibilityScope::Reseller { reseller, .. } = call.authority.visibility() else {
            return mine(&call, &scope).await;
        };
        // A customer that has left, or lets nobody in any more, is not shown as it was (R-RES-2).
        let head = call.app.store.head().await.map_err(|error| refusals::load(error.into()))?;
        let arrived = call.app.read_models.wait_for(head, max_wait(&call.headers)?).await;
        arrived.map_err(|error| refusals::wait(&error))?;
        call.app.organizations.managed_by(&reseller, after, limit).await
    };
    let found = found.map_err(|error| refusals::query(&error))?;
    Reply::json(&OrganizationList {
        organizations: found.organizations.iter().map(OrganizationEntryResource::of_row).collect(),
        next_page_token: found.next_after.map(|after| call.app.page_tokens.seal(&scope, &Cursor { after })),
    })
}

/// Those that the caller belongs to.
async fn mine(call: &Call, scope: &str) -> Result<Reply, ApiError> {
    let rows = call.app.organizations.of_member(call.actor.account).await;
    let rows = rows.map_err(|error| refusals::query(&error))?;
    let (rows, next_page_token) = page(call, scope, rows, |row| row.member.organization.clone())?;
    let now = call.app.commands.now();
    let entry = |row| OrganizationEntryResource::of_membership(row, now, call.enums());
    Reply::json(&OrganizationList { organizations: rows.iter().map(entry).collect(), next_page_token })
}
