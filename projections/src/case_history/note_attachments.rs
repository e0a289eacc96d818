//! The files of support's notes (R-COMMENT-3), in a table of their own: like the notes it is read by [`super::NoteQueries`]
//! alone, which answer no customer and no reseller.

use dossier_domain::case::CaseEvent;
use serde::Serialize;

use crate::database::stored;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Table};

pub(super) const NOTE_ATTACHMENTS: Table = Table {
    name: "case_note_attachments",
    columns: &[
        Column::text("attachment_id"),
        Column::text("note_id"),
        Column::text("case_id"),
        Column::integer("sequence"),
        Column::text("filename").or_null(),
        Column::text("media_type"),
        Column::integer("size_bytes"),
        Column::text("sha256").or_null(),
        Column::text("blob"),
        Column::text("subject"),
        Column::text("author_email").or_null(),
        Column::text("author_name").or_null(),
        Column::integer("created_at_micros"),
    ],
    key: &["attachment_id"],
    indexes: &["note_id, sequence", "blob"],
};

/// A file of a note as the read side shows it. Erased values are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct NoteAttachmentRow {
    /// Id of the attachment.
    pub attachment_id: String,
    /// The note that it hangs on.
    pub note_id: String,
    /// The case of the note.
    pub case_id: String,
    /// Position of the event: lists are ordered by it.
    pub sequence: i64,
    /// Name of the file.
    pub filename: Option<String>,
    /// Media type as told.
    pub media_type: String,
    /// Size of the content, in bytes.
    pub size_bytes: i64,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: Option<String>,
    /// Where the sealed content lies.
    pub blob: String,
    /// Whose key seals it.
    pub subject: String,
    /// Address of who attached it.
    pub author_email: Option<String>,
    /// Name of who attached it.
    pub author_name: Option<String>,
    /// When, microseconds since 1970.
    pub created_at_micros: i64,
}

impl NoteAttachmentRow {
    pub(super) fn of_event(projected: &ProjectedEvent) -> Option<Self> {
        let ReadEvent::Case(CaseEvent::NoteAttachmentAdded(added)) = &projected.event else { return None };
        Some(Self {
            attachment_id: added.attachment.to_string(),
            note_id: added.note.to_string(),
            case_id: projected.stream.id().to_owned(),
            sequence: stored(projected.position),
            filename: added.filename.open().cloned(),
            media_type: added.media_type.clone(),
            size_bytes: i64::try_from(added.size_bytes).unwrap_or(i64::MAX),
            sha256: added.sha256.open().cloned(),
            blob: added.blob.clone(),
            subject: added.author.subject().as_str().to_owned(),
            author_email: added.author.open().map(|author| author.email.clone()),
            author_name: added.author.open().map(|author| author.display_name.clone()),
            created_at_micros: projected.occurred_at().as_microsecond(),
        })
    }
}

/// Some files of a note, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteAttachmentPage {
    /// The files, oldest first.
    pub attachments: Vec<NoteAttachmentRow>,
    /// Sequence of the last one, when more follow.
    pub next_after: Option<i64>,
}
