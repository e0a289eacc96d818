//! The read model `satisfaction`: how content those are who answered surveys, by product, provider and month of the answer
//! (R-SURVEY-1). Counted as the answers come; who answered what is not kept here.

mod projector;
mod query;

pub use projector::Satisfaction;
pub use query::{SatisfactionFilter, SatisfactionQueries, SatisfactionRow};
