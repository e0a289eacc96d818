//! The read model `feedback`: what people think of the support centre (R-FEEDBACK-1). For support alone.

mod projector;
mod query;

pub use projector::{FeedbackModel, FeedbackRow};
pub use query::{FeedbackPage, FeedbackQueries};
