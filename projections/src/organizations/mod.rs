//! The read model `organizations`: who each organization is, who manages it, its people and what it is entitled to
//! (R-ORG-1, R-ACCESS-4). It shows, and decides nothing but what a list needs: authority is folded from the log.

mod projector;
mod query;
mod row;

pub use projector::Organizations;
pub use query::{MemberPage, OrganizationPage, OrganizationQueries};
pub use row::{EntitlementRow, MemberRow, MembershipRow, OrganizationRow};
