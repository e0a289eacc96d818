//! `cases.notes.attachments.list`, `.get`, `.download`: the files of a note, for whoever reads the note (R-COMMENT-3).

use dossier_domain::NoteId;
use dossier_projections::case_history::NoteAttachmentRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::media_download::{StoredFile, check_alt, content};
use crate::call::{Call, Reply, attachment_not_found};
use crate::comment_resource::NoteAttachmentResource;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::{ApiError, Code};

/// Some files of a note.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoteAttachmentList {
    /// The files, oldest first.
    pub attachments: Vec<NoteAttachmentResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Continues after a file.
#[derive(Serialize, Deserialize)]
struct Cursor {
    after: i64,
}

/// Lists the files of a note, for the agents who work on its case.
///
/// # Errors
/// 404 when there is no such note, or its case is not with the agent's provider; 400 for a bad page size or token.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}/notes/{note}/attachments",
    operation_id = "cases.notes.attachments.list",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("note" = String, Path, description = "Id of the note"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same note"),
    ),
    responses((status = 200, description = "Files", body = NoteAttachmentList)),
)]
pub async fn list(call: Call) -> Result<Reply, ApiError> {
    let organization = &call.parent()?.organization;
    let (case, note) = (call.case_id()?, note_id(&call)?);
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let scope = format!("cases.notes.attachments.list {organization} {case} {note}");
    let cursor = call.cursor::<Cursor>(&scope)?;
    let page = call
        .app
        .notes
        .attachments(&call.scope()?, organization, case, note, cursor.map(|cursor| cursor.after), limit)
        .await
        .map_err(|error| refusals::query(&error))?
        .ok_or_else(note_not_found)?;
    Reply::json(&NoteAttachmentList {
        attachments: page
            .attachments
            .iter()
            .map(|row| NoteAttachmentResource::of_row(row, organization.as_str()))
            .collect(),
        next_page_token: page.next_after.map(|after| call.app.page_tokens.seal(&scope, &Cursor { after })),
    })
}

/// Gets a file of a note; its content is downloaded with `:download`.
///
/// # Errors
/// 404 when there is none on this note, or its case is not with the agent's provider.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}/notes/{note}/attachments/{attachment}",
    operation_id = "cases.notes.attachments.get",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("note" = String, Path, description = "Id of the note"),
        ("attachment" = String, Path, description = "Id of the attachment"),
    ),
    responses((status = 200, description = "The file", body = NoteAttachmentResource)),
)]
pub async fn get(call: Call) -> Result<Reply, ApiError> {
    let row = row(&call).await?;
    Reply::json(&NoteAttachmentResource::of_row(&row, call.parent()?.organization.as_str()))
}

/// Downloads a file of a note, as `media.download` does one of a case.
///
/// # Errors
/// 404 when there is none on this note, or its case is not with the agent's provider; 416 for a range outside the content.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}/notes/{note}/attachments/{attachment}:download",
    operation_id = "cases.notes.attachments.download",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("note" = String, Path, description = "Id of the note"),
        ("attachment" = String, Path, description = "Id of the attachment"),
        ("alt" = Option<String>, Query, description = "`media`"),
        ("Range" = Option<String>, Header, description = "`bytes=A-B`, `bytes=A-` or `bytes=-N`"),
    ),
    responses(
        (status = 200, description = "The content", body = Vec<u8>, content_type = "*/*"),
        (status = 206, description = "A range of the content", body = Vec<u8>, content_type = "*/*"),
    ),
)]
pub async fn download(call: Call) -> Result<Reply, ApiError> {
    check_alt(&call)?;
    let row = row(&call).await?;
    content(&call, &StoredFile::from(&row)).await
}

/// The file of the path.
async fn row(call: &Call) -> Result<NoteAttachmentRow, ApiError> {
    let (case, note, attachment) = (call.case_id()?, note_id(call)?, call.attachment_id()?);
    call.app
        .notes
        .attachment(&call.scope()?, &call.parent()?.organization, case, note, attachment)
        .await
        .map_err(|error| refusals::query(&error))?
        .ok_or_else(attachment_not_found)
}

/// The note of the path.
///
/// # Errors
/// 404 when the text cannot be a note's id.
pub(super) fn note_id(call: &Call) -> Result<NoteId, ApiError> {
    call.params.item.parse().map_err(|_| note_not_found())
}

/// No note of this name on this case, or none that the caller may see.
pub(super) fn note_not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such note on this case; list its notes for those that are")
        .with_reason("NOTE_NOT_FOUND")
}
