//! The read model `case_history`: the comments of a case, in the order in which they were made.

mod projector;
mod query;

pub use projector::CaseHistory;
pub use query::{CommentPage, CommentQueries, CommentRow};
