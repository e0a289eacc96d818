//! The read model `known_issues`: issues with their updates, and who said that they affect them (R-KI-1..7). Who may ask, and
//! the products whose issues an organization sees, is decided before; who else is affected leaves here as a number only.

mod projector;
mod query;
mod row;

pub use projector::KnownIssues;
pub use query::{KnownIssuePage, KnownIssueQueries, KnownIssueWanted};
pub use row::{IssueUpdateRow, IssueUserRow, KnownIssueRow, ShownIssueRow};
