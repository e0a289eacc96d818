//! What either side says: comments, files, and the notes that support writes for itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::authority::Side;
use crate::ids::{AttachmentId, CommentId, NoteId};
use crate::personal::{Contact, Personal, personal_fields};

/// Somebody commented (R-COMMENT-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommentAdded {
    /// The comment.
    #[schemars(extend("x-analytics" = true))]
    pub comment: CommentId,
    /// The text.
    pub body: Personal<String>,
    /// Who wrote it.
    pub author: Personal<Contact>,
    /// From which side.
    #[schemars(extend("x-analytics" = true))]
    pub side: Side,
}
personal_fields!(CommentAdded { body, author });

/// Version 1 of [`CommentAdded`]: only the customer commented, so no side was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommentAddedV1 {
    /// The comment.
    #[schemars(extend("x-analytics" = true))]
    pub comment: CommentId,
    /// The text.
    pub body: Personal<String>,
    /// Who wrote it.
    pub author: Personal<Contact>,
}

impl From<CommentAddedV1> for CommentAdded {
    fn from(old: CommentAddedV1) -> Self {
        Self { comment: old.comment, body: old.body, author: old.author, side: Side::Customer }
    }
}

/// Somebody attached a file (R-ATTACH-1). The content lies outside the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttachmentAdded {
    /// The attachment.
    #[schemars(extend("x-analytics" = true))]
    pub attachment: AttachmentId,
    /// Name of the file, as given.
    pub filename: Personal<String>,
    /// Media type as told by whoever uploaded it; never trusted for display.
    pub media_type: String,
    /// Size of the content, in bytes.
    #[schemars(extend("x-analytics" = true))]
    pub size_bytes: u64,
    /// SHA-256 of the content, lower-case hexadecimal; sealed, since it tells a known content.
    pub sha256: Personal<String>,
    /// Where the sealed content lies, in the blob store.
    pub blob: String,
    /// Who attached it; their key seals the content.
    pub author: Personal<Contact>,
    /// From which side.
    #[schemars(extend("x-analytics" = true))]
    pub side: Side,
}
personal_fields!(AttachmentAdded { filename, sha256, author });

/// Support wrote a note that only support ever reads (R-COMMENT-3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InternalNoteAdded {
    /// The note.
    #[schemars(extend("x-analytics" = true))]
    pub note: NoteId,
    /// The text.
    pub body: Personal<String>,
    /// Who wrote it.
    pub author: Personal<Contact>,
}
personal_fields!(InternalNoteAdded { body, author });

/// Support attached a file to a note, which only support ever reads (R-COMMENT-3): an event of its own, so that no reader
/// of [`AttachmentAdded`] can meet one by mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoteAttachmentAdded {
    /// The note.
    #[schemars(extend("x-analytics" = true))]
    pub note: NoteId,
    /// The attachment.
    #[schemars(extend("x-analytics" = true))]
    pub attachment: AttachmentId,
    /// Name of the file, as given.
    pub filename: Personal<String>,
    /// Media type as told by whoever uploaded it; never trusted for display.
    pub media_type: String,
    /// Size of the content, in bytes.
    #[schemars(extend("x-analytics" = true))]
    pub size_bytes: u64,
    /// SHA-256 of the content, lower-case hexadecimal.
    pub sha256: Personal<String>,
    /// Where the sealed content lies, in the blob store.
    pub blob: String,
    /// Who attached it; their key seals the content.
    pub author: Personal<Contact>,
}
personal_fields!(NoteAttachmentAdded { filename, sha256, author });
