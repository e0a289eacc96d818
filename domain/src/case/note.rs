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
            return Err(CaseRejection::NoteNotFound);
        }
        let (author, side) = (&context.actor.contact, context.authority.side());
        let added = self.file.added(context.command_id, author, side)?;
        Ok(vec![of_note(self.note, added).into()])
    }
}

/// A file of a note.
pub(super) fn of_note(note: NoteId, added: AttachmentAdded) -> NoteAttachmentAdded {
    let AttachmentAdded { attachment, filename, media_type, size_bytes, sha256, blob, author, side: _ } =
        added;
    NoteAttachmentAdded { note, attachment, filename, media_type, size_bytes, sha256, blob, author }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseCommand, Kind};
    use crate::event::EventAudience;
    use crate::testing::{Given, attach, close, note, personal};

    fn attach_to(note: NoteId, filename: &str) -> CaseCommand {
        let CaseCommand::Attach(mut file) = attach() else { unreachable!() };
        file.filename = personal(filename);
        CaseCommand::AttachToNote(AttachToNote { note, file })
    }

    /// R-COMMENT-3.
    #[test]
    fn r_comment_3_a_note_and_its_files_are_for_support_alone_on_closed_cases_too() {
        let given = Given::filed().and("alice", 1, &close()).and("agent-north", 2, &note("psst"));
        let on = *given.clone().state().filed().unwrap().notes.first().unwrap();
        let events = given.clone().when("agent-north", 3, &attach_to(on, "trace.log")).events();
        let [CaseEvent::NoteAttachmentAdded(added)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((added.note, added.size_bytes), (on, 7));
        assert_eq!(events[0].audience(), EventAudience::Support);
        let noted = given.when("agent-north", 3, &note("more")).events();
        assert_eq!(noted[0].audience(), EventAudience::Support);
    }

    /// R-COMMENT-3.
    #[test]
    fn r_comment_3_customers_write_none_and_a_file_hangs_on_a_note_that_is_there() {
        let given = Given::filed();
        assert_eq!(given.clone().when("alice", 1, &note("psst")).rejection().reason(), "NOT_FOR_YOU");
        assert_eq!(given.clone().when("agent-north", 1, &note(" ")).rejection().field(), Some("body"));
        let nowhere = attach_to(NoteId(ulid::Ulid::nil()), "trace.log");
        let refused = given.clone().when("agent-north", 1, &nowhere).rejection();
        assert_eq!((refused.reason(), refused.kind()), ("NOTE_NOT_FOUND", Kind::NotFound));
        let noted = given.and("agent-north", 1, &note("psst"));
        let on = *noted.clone().state().filed().unwrap().notes.first().unwrap();
        let bad = noted.clone().when("agent-north", 2, &attach_to(on, "../x")).rejection();
        assert_eq!(bad.field(), Some("attachment.filename"));
        assert_eq!(noted.when("bob", 2, &attach_to(on, "x")).rejection().reason(), "NOT_FOR_YOU");
    }
}
