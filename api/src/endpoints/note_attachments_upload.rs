//! `cases.notes.attachments.upload`: a file on a note that support alone reads (R-COMMENT-3).

use dossier_domain::case::{AttachToNote, CaseCommand, CaseEvent};

use super::case_commands::outcome;
use super::note_attachments_read::{note_id, note_not_found};
use super::upload::{Upload, media_missing};
use crate::call::{Call, Reply};
use crate::comment_resource::NoteAttachmentResource;
use crate::refusals;
use crate::status::ApiError;

/// Uploads a file to a note, as `media.upload` does to a case: only who reads the note ever sees it.
///
/// # Errors
/// 404 without such a note; 400 without a file name, for a broken body or a resumable upload; 413 for a file that is too large.
#[utoipa::path(
    post,
    path = "/upload/v2/organizations/{organization}/cases/{case}/notes/{note}/attachments",
    operation_id = "cases.notes.attachments.upload",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("note" = String, Path, description = "Id of the note"),
        ("attachment.filename" = Option<String>, Query, description = "Name of the file, where the body is only its content"),
        ("uploadType" = Option<String>, Query, description = "`multipart` or `media`; resumable uploads are not offered"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "The attachment", body = NoteAttachmentResource)),
)]
pub async fn handle(mut call: Call) -> Result<Reply, ApiError> {
    let (case, note) = (call.case_id()?, note_id(&call)?);
    let upload = Upload::of(&call)?;
    // Nothing is taken in for a note that the caller cannot see. Whoever names one has it from this read model.
    let organization = call.parent()?.organization.clone();
    let exists = call.app.notes.exists(&call.scope()?, &organization, case, note).await;
    if !exists.map_err(|error| refusals::query(&error))? {
        return Err(note_not_found());
    }

    let file = upload.take_in(&mut call, case).await?;
    let command = CaseCommand::AttachToNote(AttachToNote { note, file });
    let outcome = outcome(&call, Some(case), &command).await?;
    let added = outcome.events.iter().find_map(|event| match event {
        CaseEvent::NoteAttachmentAdded(added) => Some(added),
        _ => None,
    });
    let added = added.ok_or_else(|| ApiError::internal("an accepted attachment left no event"))?;
    Ok(Reply::json(&NoteAttachmentResource::of_event(added, organization.as_str(), case, outcome.at))?
        .after_command(outcome.folded.position, outcome.replayed))
}

/// Refuses a JSON body where a file is needed: the file goes to `/upload`.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}/notes/{note}/attachments",
    operation_id = "cases.notes.attachments.upload.withoutMedia",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("note" = String, Path, description = "Id of the note"),
    ),
    responses((status = 400, description = "Always: reason MEDIA_MISSING")),
)]
pub fn without_media() -> ApiError {
    media_missing("notes/…/attachments")
}
