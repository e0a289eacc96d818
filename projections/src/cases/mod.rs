//! The read model `cases`: one row per case, with everything that getting and listing show.

mod counts;
mod current;
mod projector;
mod query;
mod row;
mod text;

pub use counts::{CaseCount, CountBy};
pub use current::CurrentCases;
pub use projector::Cases;
pub use query::{CaseCondition, CasePage, CaseQueries};
pub use row::CaseRow;
