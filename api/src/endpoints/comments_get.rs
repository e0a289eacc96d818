//! `cases.comments.get`: one comment.

use crate::call::{Call, Reply, comment_not_found};
use crate::comment_resource::CommentResource;
use crate::refusals;
use crate::status::ApiError;

/// Gets a comment.
///
/// # Errors
/// 404 when there is none in this case, or none that the caller may see.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}/comments/{comment}",
    operation_id = "cases.comments.get",
    tag = "comments",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("comment" = String, Path, description = "Id of the comment"),
    ),
    responses((status = 200, description = "The comment", body = CommentResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let organization = &call.parent()?.organization;
    let row = call
        .app
        .comments
        .get(&call.scope()?, organization, call.case_id()?, call.comment_id()?)
        .await
        .map_err(|error| refusals::query(&error))?
        .ok_or_else(comment_not_found)?;
    Reply::json(&CommentResource::of_row(&row, organization.as_str(), call.enums()))
}
