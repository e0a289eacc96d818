//! Attaching a file (R-ATTACH-1). The content is stored before the command is decided; the event says where.

use super::events::{AttachmentAdded, CaseEvent};
use super::rejection::CaseRejection;
use super::state::{Case, check_open};
use crate::authority::Side;
use crate::context::Context;
use crate::ids::{AttachmentId, CommandId};
use crate::personal::{Contact, Personal};

/// Longest name of a file, in characters.
pub const MAX_FILENAME_CHARS: usize = 255;
/// Longest media type, in bytes.
const MAX_MEDIA_TYPE_BYTES: usize = 127;
/// What a media type that says nothing becomes.
const UNKNOWN_MEDIA_TYPE: &str = "application/octet-stream";

/// Attaches a file whose content is stored already.
#[derive(Clone, Debug)]
pub struct AttachFile {
    /// Name of the file.
    pub filename: Personal<String>,
    /// Media type as told; may be empty.
    pub media_type: String,
    /// Size of the content, in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
    /// Where the sealed content lies.
    pub blob: String,
}

impl AttachFile {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        check(case, context)?;
        let (author, side) = (&context.actor.contact, context.authority.side());
        Ok(vec![self.added(context.command_id, author, side)?.into()])
    }

    /// The attachment that it makes, wherever it is attached.
    pub(super) fn added(
        &self,
        step: CommandId,
        author: &Personal<Contact>,
        side: Side,
    ) -> Result<AttachmentAdded, CaseRejection> {
        check_filename(self.filename.open().map(String::as_str).unwrap_or_default())?;
        Ok(AttachmentAdded {
            attachment: AttachmentId::derived(step),
            filename: self.filename.clone(),
            media_type: media_type(&self.media_type),
            size_bytes: self.size_bytes,
            sha256: Personal::new(author.subject().clone(), data_encoding::HEXLOWER.encode(&self.sha256)),
            blob: self.blob.clone(),
            author: author.clone(),
            side,
        })
    }
}

/// Whether a file can be attached: one alone reopens nothing (R-COMMENT-1), and on a closed case nobody would look at it.
pub(super) fn check(case: &Case, context: &Context<'_>) -> Result<(), CaseRejection> {
    check_side(case, context.authority.side())
}

/// The same for somebody of a side.
pub(super) fn check_side(case: &Case, side: Side) -> Result<(), CaseRejection> {
    if side == Side::Support { Ok(()) } else { check_open(case) }
}

/// Checks the name of a file; asked before the content is taken in, too.
///
/// # Errors
/// [`CaseRejection::Invalid`] for an empty or too long name, one with path parts, or one with control characters.
pub fn check_filename(filename: &str) -> Result<(), CaseRejection> {
    let refused = |why: String| Err(CaseRejection::invalid("attachment.filename", why));
    if filename.trim().is_empty() {
        return refused("give the file a name".to_owned());
    }
    if filename.chars().count() > MAX_FILENAME_CHARS {
        return refused(format!("must have at most {MAX_FILENAME_CHARS} characters"));
    }
    if filename.contains(['/', '\\']) || matches!(filename, "." | "..") {
        return refused("must be a name without path parts".to_owned());
    }
    if filename.chars().any(char::is_control) {
        return refused("must have no control characters".to_owned());
    }
    Ok(())
}

/// `type/subtype` in lower case, without parameters; whatever is not one is unknown.
fn media_type(told: &str) -> String {
    let essence = told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let token = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    let known = essence.len() <= MAX_MEDIA_TYPE_BYTES
        && essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    if known { essence } else { UNKNOWN_MEDIA_TYPE.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CaseCommand;
    use crate::testing::{Given, ask, attach, close, personal};

    fn attached(filename: &str) -> CaseCommand {
        let CaseCommand::Attach(mut command) = attach() else { unreachable!() };
        command.filename = personal(filename);
        CaseCommand::Attach(command)
    }

    /// R-ATTACH-1.
    #[test]
    fn r_attach_1_the_event_carries_name_media_type_size_and_digest() {
        let events = Given::filed().when("bob", 1, &attached("trace.log")).events();
        let [CaseEvent::AttachmentAdded(event)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(event.filename.open().map(String::as_str), Some("trace.log"));
        assert_eq!((event.media_type.as_str(), event.size_bytes), ("text/plain", 7));
        assert_eq!(event.sha256.open(), Some(&"07".repeat(32)));
        assert_eq!(event.blob, "cases/c/b");
    }

    /// R-COMMENT-1.
    #[test]
    fn r_comment_1_an_attachment_alone_answers_no_request() {
        let state = Given::filed().and("agent-north", 1, &ask()).when("alice", 2, &attach()).state();
        let case = state.filed().unwrap();
        assert_eq!((case.status, case.outstanding_requests), (crate::case::Status::ActionRequired, 1));
    }

    /// R-ATTACH-1.
    #[test]
    fn r_attach_1_viewers_and_outsiders_attach_nothing_and_a_closed_case_takes_none_of_the_customer() {
        assert_eq!(Given::filed().when("carol", 1, &attach()).rejection().reason(), "ROLE_TOO_LOW");
        assert_eq!(Given::filed().when("peter", 1, &attach()).rejection().reason(), "NOT_A_MEMBER");
        let closed = Given::filed().and("alice", 1, &close());
        assert_eq!(closed.clone().when("alice", 2, &attach()).rejection().reason(), "CASE_CLOSED");
        assert_eq!(closed.when("agent-north", 2, &attach()).events().len(), 1);
    }

    #[test]
    fn names_with_path_parts_or_control_characters_or_without_end_are_refused() {
        for good in ["a", "übersicht 1.log", "..hidden", "名.txt", &"x".repeat(255)] {
            assert!(check_filename(good).is_ok(), "{good:?}");
        }
        for bad in ["", "  ", "../etc/passwd", "a\\b", "a\u{7}b", "a\nb", ".", "..", &"x".repeat(10_000)] {
            assert_eq!(check_filename(bad).unwrap_err().field(), Some("attachment.filename"), "{bad:?}");
        }
    }

    #[test]
    fn a_media_type_is_taken_without_parameters_and_nonsense_is_unknown() {
        for (told, kept) in [
            ("Text/Plain; charset=utf-8", "text/plain"),
            ("image/svg+xml", "image/svg+xml"),
            ("", UNKNOWN_MEDIA_TYPE),
            ("text", UNKNOWN_MEDIA_TYPE),
            ("te xt/html", UNKNOWN_MEDIA_TYPE),
            ("text/html\r\nX-Evil: 1", UNKNOWN_MEDIA_TYPE),
        ] {
            assert_eq!(media_type(told), kept, "{told:?}");
        }
    }
}
