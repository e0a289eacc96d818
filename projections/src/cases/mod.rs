//! The read model `cases`: one row per case, with everything that getting and listing show.

mod condition;
mod counts;
mod current;
mod found_texts;
mod projector;
mod query;
mod queues;
mod row;
mod text;

pub use condition::{CaseCondition, Compared, Moment};
pub use counts::{CaseCount, CaseCounts, CountBy};
pub use current::CurrentCases;
pub use projector::Cases;
pub(crate) use projector::NAME;
pub use query::{CasePage, CaseQueries};
pub use queues::{Count, DuePage, MAX_COUNTED, QueueCounts};
pub use row::CaseRow;
