//! `cases.notes.list`: what support wrote for itself about a case (R-COMMENT-3).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::{Call, Reply, case_not_found};
use crate::comment_resource::NoteResource;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::ApiError;

/// Some notes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoteList {
    /// The notes, oldest first.
    pub notes: Vec<NoteResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Continues after a note.
#[derive(Serialize, Deserialize)]
struct Cursor {
    after: i64,
}

/// Lists the notes on a case, for the agents who work on it.
///
/// # Errors
/// 404 when there is no such case, or none that is with the agent's provider; 400 for a bad page size or token.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}/notes",
    operation_id = "cases.notes.list",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same case"),
    ),
    responses((status = 200, description = "Notes", body = NoteList)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let organization = &call.parent()?.organization;
    let case = call.case_id()?;
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let scope = format!("cases.notes.list {organization} {case}");
    let cursor = call.cursor::<Cursor>(&scope)?;
    let page = call
        .app
        .notes
        .list(&call.scope()?, organization, case, cursor.map(|cursor| cursor.after), limit)
        .await
        .map_err(|error| refusals::query(&error))?
        .ok_or_else(case_not_found)?;
    Reply::json(&NoteList {
        notes: page.notes.iter().map(|row| NoteResource::of_row(row, organization.as_str())).collect(),
        next_page_token: page.next_after.map(|after| call.app.page_tokens.seal(&scope, &Cursor { after })),
    })
}
