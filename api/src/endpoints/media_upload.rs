//! `media.upload`: attaching a file (R-ATTACH-1).

use dossier_domain::case::{CaseCommand, CaseEvent};

use super::case_commands::outcome;
use super::upload::{Upload, media_missing};
use crate::call::{Call, Reply, case_not_found};
use crate::refusals;
use crate::resources::AttachmentResource;
use crate::status::ApiError;

/// Uploads a file: `multipart/related` of JSON and content, or the content alone with `attachment.filename`.
///
/// # Errors
/// 400 without a file name, for a broken body or a resumable upload; 413 for a file that is too large.
#[utoipa::path(
    post,
    path = "/upload/v2/organizations/{organization}/cases/{case}/attachments",
    operation_id = "media.upload",
    tag = "attachments",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("attachment.filename" = Option<String>, Query, description = "Name of the file, where the body is only its content"),
        ("uploadType" = Option<String>, Query, description = "`multipart` or `media`; resumable uploads are not offered"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "The attachment", body = AttachmentResource)),
)]
pub async fn handle(mut call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let upload = Upload::of(&call)?;
    // Nothing is taken in for a case that the caller cannot see.
    let organization = call.parent()?.organization.clone();
    let visible = call.app.cases.get(&call.scope()?, &organization, case).await;
    visible.map_err(|error| refusals::query(&error))?.ok_or_else(case_not_found)?;

    let command = CaseCommand::Attach(upload.take_in(&mut call, case).await?);
    let outcome = outcome(&call, Some(case), &command).await?;
    let added = outcome.events.iter().find_map(|event| match event {
        CaseEvent::AttachmentAdded(added) => Some(added),
        _ => None,
    });
    let added = added.ok_or_else(|| ApiError::internal("an accepted attachment left no event"))?;
    Ok(Reply::json(&AttachmentResource::of_event(added, organization.as_str(), case, outcome.at))?
        .after_command(outcome.folded.position, outcome.replayed))
}

/// Refuses a JSON body where a file is needed: the file goes to `/upload`.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}/attachments",
    operation_id = "media.upload.withoutMedia",
    tag = "attachments",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
    ),
    responses((status = 400, description = "Always: reason MEDIA_MISSING")),
)]
pub fn without_media() -> ApiError {
    media_missing("attachments")
}
