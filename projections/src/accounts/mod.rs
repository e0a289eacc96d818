//! The read model `accounts`: who has an account, for which organization, and how they sign in and are reached. Their
//! directory lists it (SCIM), and support its agents; whether somebody is in is folded from the log, here it is only shown.

mod agents;
mod projector;
mod query;

pub use agents::{AgentPage, AgentRow};
pub use projector::{AccountRow, Accounts};
pub use query::{AccountFilter, AccountPage, AccountQueries};
