//! The read model `case_history`: the comments and attachments of a case, in the order in which they were made.

mod attachments;
mod feed;
mod projector;
mod query;

pub use attachments::{AttachmentPage, AttachmentQueries, AttachmentRow};
pub use feed::{FeedItem, FeedOrder, FeedPage, FeedQueries};
pub use projector::CaseHistory;
pub use query::{CommentPage, CommentQueries, CommentRow};
