//! `cases.comments.list`: the comments of a case, oldest first, with what support asked and proposed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::{Call, Reply, case_not_found};
use crate::comment_resource::CommentResource;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::ApiError;

/// Some comments.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommentList {
    /// The comments, oldest first.
    pub comments: Vec<CommentResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Continues after a comment.
#[derive(Serialize, Deserialize)]
struct Cursor {
    after: i64,
}

/// Lists the comments of a case.
///
/// # Errors
/// 404 when there is no such case; 400 for a bad page size or token.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}/comments",
    operation_id = "cases.comments.list",
    tag = "comments",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same case"),
    ),
    responses((status = 200, description = "Comments", body = CommentList)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let organization = &call.parent()?.organization;
    let case = call.case_id()?;
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let scope = format!("cases.comments.list {organization} {case}");
    let cursor = call.cursor::<Cursor>(&scope)?;
    let page = call
        .app
        .comments
        .list(&call.scope()?, organization, case, cursor.map(|cursor| cursor.after), limit)
        .await
        .map_err(|error| refusals::query(&error))?
        .ok_or_else(case_not_found)?;
    Reply::json(&CommentList {
        comments: page
            .comments
            .iter()
            .map(|row| CommentResource::of_row(row, organization.as_str(), call.enums()))
            .collect(),
        next_page_token: page.next_after.map(|after| call.app.page_tokens.seal(&scope, &Cursor { after })),
    })
}
