//! `cases.attachments.get`: one attachment.

use crate::call::{Call, Reply, attachment_not_found};
use crate::refusals;
use crate::resources::AttachmentResource;
use crate::status::ApiError;

/// Gets an attachment; its content is downloaded with `:download`.
///
/// # Errors
/// 404 when there is none in this case, or none that the caller may see.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}/attachments/{attachment}",
    operation_id = "cases.attachments.get",
    tag = "attachments",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("attachment" = String, Path, description = "Id of the attachment"),
    ),
    responses((status = 200, description = "The attachment", body = AttachmentResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let organization = &call.parent()?.organization;
    let row = call
        .app
        .attachments
        .get(&call.scope()?, organization, call.case_id()?, call.attachment_id()?)
        .await
        .map_err(|error| refusals::query(&error))?
        .ok_or_else(attachment_not_found)?;
    Reply::json(&AttachmentResource::of_row(&row, organization.as_str()))
}
