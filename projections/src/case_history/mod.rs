//! The read model `case_history`: what was said about a case and attached to it, in the order in which it was made, and
//! the notes that support alone reads, with their files.
//!
//! What support asks and proposes stands among the comments.

mod attachments;
mod blobs;
mod comments;
mod feed;
mod note_attachments;
mod notes;
mod projector;
mod query;

pub use attachments::{AttachmentPage, AttachmentQueries, AttachmentRow};
pub use blobs::BlobReferences;
pub use comments::{
    CommentPage, CommentQueries, CommentRow, INFORMATION_REQUEST, PLAIN, SOLUTION, SolutionDetails,
};
pub use feed::{FeedItem, FeedOrder, FeedPage, FeedQueries};
pub use note_attachments::{NoteAttachmentPage, NoteAttachmentRow};
pub use notes::{NotePage, NoteQueries, NoteRow};
pub use projector::CaseHistory;
