//! What support writes for itself (R-COMMENT-3): notes, and files attached to them, at any time.

use super::attach::AttachFile;
use super::comment::MAX_COMMENT_CHARS;
use super::events::{AttachmentAdded, CaseEvent, InternalNoteAdded, NoteAttachmentAdded};
use super::file::check_text;
use super::rejection::CaseRejection;
use super::state::Case;
use crate::context::Context;
use crate::ids::NoteId;
use crate::personal::Personal;

/// Adds an internal note.
#[derive(Clone, Debug)]
pub struct AddInternalNote {
    /// The text.
    pub body: Personal<String>,
}

impl AddInternalNote {
    pub(super) fn decide(&self, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        check_text("body", &self.body, 1, MAX_COMMENT_CHARS)?;
        Ok(vec![
            InternalNoteAdded {
                note: NoteId::derived(context.command_id),
                body: self.body.clone(),
                author: context.actor.contact.clone(),
            }
            .into(),
        ])
    }
}

/// Attaches a file to an internal note: whoever may not read the note never learns of the file.
#[derive(Clone, Debug)]
pub struct AttachToNote {
    /// The note.
    pub note: NoteId,
    /// The file.
    pub file: AttachFile,
}

impl AttachToNote {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        if !case.notes.contains(&self.note) {
            return Err(CaseRejection::invalid("note", "there is no such note on this case"));
        }
        let AttachmentAdded { attachment, filename, media_type, size_bytes, sha256, blob, author, side: _ } =
            self.file.added(context)?;
        let note = self.note;
        Ok(vec![
            NoteAttachmentAdded { note, attachment, filename, media_type, size_bytes, sha256, blob, author }
                .into(),
        ])
    }
}
