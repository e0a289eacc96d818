//! `media.download`: the content of an attachment, or a range of it.

use std::ops::Range;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    RANGE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use dossier_projections::case_history::{AttachmentRow, NoteAttachmentRow};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::call::{Call, Reply, attachment_not_found};
use crate::refusals;
use crate::status::{ApiError, Code};

/// Downloads a file. A browser is told to save it, never to show it: its media type is only what somebody said.
///
/// # Errors
/// 404 when there is none in this case, or none that the caller may see; 416 for a range outside the content.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}/attachments/{attachment}:download",
    operation_id = "media.download",
    tag = "attachments",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("attachment" = String, Path, description = "Id of the attachment"),
        ("alt" = Option<String>, Query, description = "`media`"),
        ("Range" = Option<String>, Header, description = "`bytes=A-B`, `bytes=A-` or `bytes=-N`"),
    ),
    responses(
        (status = 200, description = "The content", body = Vec<u8>, content_type = "*/*"),
        (status = 206, description = "A range of the content", body = Vec<u8>, content_type = "*/*"),
    ),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    check_alt(&call)?;
    let parent = call.parent()?;
    let row = call
        .app
        .attachments
        .get(&call.scope()?, &parent.organization, call.case_id()?, call.attachment_id()?)
        .await
        .map_err(|error| refusals::query(&error))?
        .ok_or_else(attachment_not_found)?;
    content(&call, &StoredFile::from(&row)).await
}

/// A file whose content is in the blob store.
pub(super) struct StoredFile<'a> {
    case: &'a str,
    blob: &'a str,
    subject: &'a str,
    size_bytes: i64,
    filename: Option<&'a str>,
    media_type: &'a str,
}

impl<'a> From<&'a AttachmentRow> for StoredFile<'a> {
    fn from(row: &'a AttachmentRow) -> Self {
        Self {
            case: &row.case_id,
            blob: &row.blob,
            subject: &row.subject,
            size_bytes: row.size_bytes,
            filename: row.filename.as_deref(),
            media_type: &row.media_type,
        }
    }
}

impl<'a> From<&'a NoteAttachmentRow> for StoredFile<'a> {
    fn from(row: &'a NoteAttachmentRow) -> Self {
        Self {
            case: &row.case_id,
            blob: &row.blob,
            subject: &row.subject,
            size_bytes: row.size_bytes,
            filename: row.filename.as_deref(),
            media_type: &row.media_type,
        }
    }
}

/// Refuses a download that asks for anything but the file.
pub(super) fn check_alt(call: &Call) -> Result<(), ApiError> {
    if call.query.text("alt").is_some_and(|alt| alt != "media") {
        return Err(ApiError::invalid_field("alt", "a download answers the file itself; ask with alt=media"));
    }
    Ok(())
}

/// The content of a file that the caller may see, or the range of it that they ask for.
pub(super) async fn content(call: &Call, file: &StoredFile<'_>) -> Result<Reply, ApiError> {
    let size = u64::try_from(file.size_bytes).unwrap_or_default();
    let wanted = range(&call.headers, size)?;
    let (status, bytes) = match &wanted {
        Some(range) => (StatusCode::PARTIAL_CONTENT, range.clone()),
        None => (StatusCode::OK, 0..size),
    };
    let content = call
        .app
        .blobs
        .read(file.case, file.blob, file.subject, size, bytes.clone())
        .await
        .map_err(|error| refusals::blob(&error))?;
    let filename = file.filename.unwrap_or("erased");
    let mut reply = Reply::stream(status, Body::from_stream(content))
        .with_header(CONTENT_TYPE, file.media_type)
        .with_header(CONTENT_LENGTH, &(bytes.end - bytes.start).to_string())
        .with_header(CONTENT_DISPOSITION, &disposition(filename))
        .with_header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .with_header(CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox")
        .with_header(ACCEPT_RANGES, "bytes");
    if let Some(range) = wanted {
        let text = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
        reply = reply.with_header(CONTENT_RANGE, &text);
    }
    Ok(reply)
}

/// The one range that is asked for; several, or none that can be read, mean the whole (RFC 9110, 14.2).
fn range(headers: &HeaderMap, size: u64) -> Result<Option<Range<u64>>, ApiError> {
    let Some(text) = headers.get(RANGE).and_then(|value| value.to_str().ok()) else { return Ok(None) };
    let Some((first, last)) = text.trim().strip_prefix("bytes=").and_then(|text| text.split_once('-')) else {
        return Ok(None);
    };
    let range = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.trim().is_empty() => first..size,
        (Err(_), Ok(count)) if first.trim().is_empty() => size.saturating_sub(count)..size,
        _ => return Ok(None),
    };
    if range.start >= size || range.is_empty() {
        return Err(ApiError::new(
            Code::RangeNotSatisfiable,
            format!("the file has {size} bytes; ask within them"),
        )
        .with_content_range(format!("bytes */{size}")));
    }
    Ok(Some(range))
}

/// Saved under its name, in the spelling that every client reads (RFC 6266).
fn disposition(filename: &str) -> String {
    const PLAIN: &AsciiSet = &CONTROLS.add(b'"').add(b'\\').add(b'%');
    let ascii: String = filename.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    let ascii = utf8_percent_encode(&ascii, PLAIN);
    format!(
        "attachment; filename=\"{ascii}\"; filename*=UTF-8''{}",
        utf8_percent_encode(filename, NON_ALPHANUMERIC)
    )
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn asked(text: &str, size: u64) -> Result<Option<Range<u64>>, u16> {
        let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_str(text).unwrap())]);
        range(&headers, size).map_err(|error| error.code().http_status().as_u16())
    }

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        assert_eq!(asked("bytes=0-3", 10), Ok(Some(0..4)));
        assert_eq!(asked("bytes=4-99", 10), Ok(Some(4..10)));
        assert_eq!(asked("bytes=4-", 10), Ok(Some(4..10)));
        assert_eq!(asked("bytes=-3", 10), Ok(Some(7..10)));
        assert_eq!(asked("bytes=-30", 10), Ok(Some(0..10)));
        for whole in ["bytes=3-1", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b", "bytes=-"] {
            assert_eq!(asked(whole, 10), Ok(None), "{whole}");
        }
        for outside in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(asked(outside, 10), Err(416), "{outside}");
        }
        assert_eq!(asked("bytes=0-99", 0), Err(416), "an empty file has no range");
    }

    #[test]
    fn a_name_is_saved_as_it_was_and_breaks_out_of_nothing() {
        assert_eq!(disposition("a b.txt"), "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b%2Etxt");
        let evil = disposition("x\"; y=\\z\u{e9}");
        assert!(evil.starts_with("attachment; filename=\"x%22; y=%5Cz_\";"), "{evil}");
        assert!(HeaderValue::from_str(&evil).is_ok());
    }
}
