//! A file on its way in: taken in as it arrives and never whole in memory, whatever it is attached to.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use dossier_domain::case::{AttachFile, check_filename};
use dossier_domain::{CaseId, Personal};
use dossier_eventlog::blobs::BlobWriter;
use http_body_util::BodyExt;
use serde_json::json;

use crate::call::Call;
use crate::multipart::{Piece, Related};
use crate::proto_json::Message;
use crate::refusals;
use crate::status::{ApiError, Code};

/// The largest JSON part of an upload, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 64 * 1024;

/// An upload of which nothing is taken in yet: time to see whether there is anything to attach it to.
pub(super) struct Upload {
    form: Form,
    frames: Frames,
}

impl Upload {
    /// The upload of a request: `multipart/related` of JSON and content, or the content alone with `attachment.filename`.
    ///
    /// # Errors
    /// 400 without a file name where it must stand in the query, and for a resumable upload.
    pub(super) fn of(call: &Call) -> Result<Self, ApiError> {
        let body = call.upload.lock().ok().and_then(|mut upload| upload.take()).unwrap_or_default();
        let frames = Frames { body, patience: call.app.request_timeout };
        Ok(Self { form: form(call)?, frames })
    }

    /// Stores the content, sealed with the caller's key. From now on the call's body is what tells a repeat from another upload
    /// under the same key: the file, not the spelling of its envelope. Should the command be refused, the content belongs to
    /// nothing and the sweep removes it.
    ///
    /// # Errors
    /// 400 for a bad file name or a broken body; 413 for a file that is too large.
    pub(super) async fn take_in(self, call: &mut Call, case: CaseId) -> Result<AttachFile, ApiError> {
        let Self { form, mut frames } = self;
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
            Form::Related(related) => multipart(call, frames, related, &mut writer).await?,
        };
        let stored = writer.finish().await.map_err(|error| refusals::blob(&error))?;
        let body = json!([file.filename, file.media_type, stored.size_bytes, stored.sha256]);
        call.body = Bytes::from(body.to_string());
        Ok(AttachFile {
            filename: Personal::new(subject, file.filename),
            media_type: file.media_type,
            size_bytes: stored.size_bytes,
            sha256: stored.sha256,
            blob: stored.key,
        })
    }
}

/// Refuses a JSON body where a file is needed: the file goes to the same path under `/upload`.
pub(super) fn media_missing(to: &str) -> ApiError {
    ApiError::invalid_argument(format!(
        "an attachment needs its content: send it to /upload/v2/…/{to}, with attachment.filename in the query or as multipart/related"
    ))
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
