//! `media.upload`: attaching a file (R-ATTACH-1), taken in as it arrives and never whole in memory.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use dossier_domain::Personal;
use dossier_domain::case::{AttachFile, CaseCommand, CaseEvent, check_filename};
use dossier_eventlog::blobs::{BlobWriter, Stored};
use http_body_util::BodyExt;
use serde_json::json;

use super::case_commands::outcome;
use crate::call::{Call, Reply, case_not_found};
use crate::multipart::{Piece, Related};
use crate::proto_json::Message;
use crate::refusals;
use crate::resources::AttachmentResource;
use crate::status::{ApiError, Code};

/// The largest JSON part of an upload, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 64 * 1024;

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
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let body = call.upload.lock().ok().and_then(|mut upload| upload.take()).unwrap_or_default();
    let mut frames = Frames { body, patience: call.app.request_timeout };
    let form = form(&call)?;
    // Nothing is taken in for a case that the caller cannot see.
    let organization = call.parent()?.organization.clone();
    let visible = call.app.cases.get(&call.scope()?, &organization, case).await;
    visible.map_err(|error| refusals::query(&error))?.ok_or_else(case_not_found)?;

    let subject = call.actor.contact.subject().clone();
    let mut writer = call
        .app
        .blobs
        .writer(&case.to_string(), subject.as_str(), call.app.max_upload_bytes)
        .await
        .map_err(|error| refusals::blob(&error))?;
    let file = match form {
        Form::Raw { filename, media_type } => {
            check_filename(&filename).map_err(|rejection| refusals::case(&rejection))?;
            while let Some(bytes) = frames.next().await? {
                write(&mut writer, bytes).await?;
            }
            File { filename, media_type }
        }
        Form::Related(related) => multipart(&call, frames, related, &mut writer).await?,
    };
    let stored = writer.finish().await.map_err(|error| refusals::blob(&error))?;
    attach(call, case, &organization, file, stored).await
}

async fn attach(
    mut call: Call,
    case: dossier_domain::CaseId,
    organization: &dossier_domain::OrganizationId,
    file: File,
    stored: Stored,
) -> Result<Reply, ApiError> {
    // What tells a repeat from another upload under the same key: the file, not the spelling of its envelope.
    let body = json!([file.filename, file.media_type, stored.size_bytes, stored.sha256]);
    call.body = Bytes::from(body.to_string());
    let command = CaseCommand::Attach(AttachFile {
        filename: Personal::new(call.actor.contact.subject().clone(), file.filename),
        media_type: file.media_type,
        size_bytes: stored.size_bytes,
        sha256: stored.sha256,
        blob: stored.key,
    });
    // Should it be refused, the content belongs to nothing and the sweep removes it.
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
    ApiError::invalid_argument(
        "an attachment needs its content: send it to /upload/v2/…/attachments, with attachment.filename in the query or as multipart/related",
    )
    .with_reason("MEDIA_MISSING")
}

/// How the upload comes.
enum Form {
    /// Only the content.
    Raw { filename: String, media_type: String },
    /// JSON, then the content.
    Related(Related),
}

/// What is known of the file beside its content.
struct File {
    filename: String,
    media_type: String,
}

fn form(call: &Call) -> Result<Form, ApiError> {
    let content_type =
        call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_related = content_type
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("multipart/related"));
    match call.query.text("uploadType") {
        Some("resumable") => Err(ApiError::invalid_field(
            "uploadType",
            "resumable uploads are not offered; send the file at once with uploadType=multipart or media",
        )
        .with_reason("RESUMABLE_UPLOAD")),
        Some("multipart") => Ok(Form::Related(Related::new(content_type)?)),
        None if is_related => Ok(Form::Related(Related::new(content_type)?)),
        Some("media") | None => {
            let filename =
                call.query.text("attachment.filename").map(str::to_owned).ok_or_else(filename_missing)?;
            Ok(Form::Raw { filename, media_type: content_type.to_owned() })
        }
        Some(_) => Err(ApiError::invalid_field("uploadType", "must be multipart or media")),
    }
}

fn filename_missing() -> ApiError {
    ApiError::invalid_field(
        "attachment.filename",
        "give the file a name: in the query, or as attachment.filename in the JSON part",
    )
    .with_reason("FILENAME_MISSING")
}

/// The body, frame by frame; each must arrive in time.
struct Frames {
    body: Body,
    patience: Duration,
}

impl Frames {
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            let frame = tokio::time::timeout(self.patience, self.body.frame()).await.map_err(|_| {
                ApiError::new(Code::DeadlineExceeded, "the file took too long to arrive; send it again")
            })?;
            match frame {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
                Some(Err(_)) => {
                    return Err(ApiError::invalid_argument("the upload ended early; send it again")
                        .with_reason("BODY_CUT"));
                }
            }
        }
    }
}

async fn write(writer: &mut BlobWriter, bytes: Bytes) -> Result<(), ApiError> {
    writer.write(bytes).await.map_err(|error| refusals::blob(&error))
}

/// Reads JSON and content from a multipart body.
async fn multipart(
    call: &Call,
    mut frames: Frames,
    mut related: Related,
    writer: &mut BlobWriter,
) -> Result<File, ApiError> {
    let two_parts =
        || ApiError::invalid_argument("wanted two parts: JSON and the file").with_reason("INVALID_MULTIPART");
    let mut parts = 0;
    let mut description = Vec::new();
    let mut file = None;
    while let Some(bytes) = frames.next().await? {
        for piece in related.push(bytes)? {
            match piece {
                Piece::PartHeaders(headers) => {
                    parts += 1;
                    if parts == 2 {
                        let media_type = headers.content_type().unwrap_or_default().to_owned();
                        file = Some(File { filename: named(call, &description)?, media_type });
                    }
                }
                Piece::Data(data) if parts == 1 => {
                    if description.len() + data.len() > MAX_DESCRIPTION_BYTES {
                        return Err(ApiError::new(Code::PayloadTooLarge, "the JSON part is too large"));
                    }
                    description.extend_from_slice(&data);
                }
                Piece::Data(data) if parts == 2 => write(writer, data).await?,
                Piece::Data(_) => return Err(two_parts()),
                Piece::PartEnd | Piece::End => {}
            }
        }
    }
    related.finish()?;
    file.ok_or_else(two_parts)
}

/// The name in the JSON part, else in the query.
fn named(call: &Call, description: &[u8]) -> Result<String, ApiError> {
    let message = Message::parse(description)?;
    let attachment = message.message("attachment")?;
    let given = attachment.map(|attachment| attachment.string("filename")).transpose()?.flatten();
    let filename = given
        .filter(|name| !name.is_empty())
        .or_else(|| call.query.text("attachment.filename").map(str::to_owned))
        .ok_or_else(filename_missing)?;
    check_filename(&filename).map_err(|rejection| refusals::case(&rejection))?;
    Ok(filename)
}
