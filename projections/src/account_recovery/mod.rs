//! The read model `account_recovery`: who asks for their account back, and what came of it (R-ACCESS-6). For support alone; it
//! knows nothing of accounts.

mod projector;
mod query;

pub use projector::{AccountRecoveries, AccountRecoveryRow};
pub use query::{AccountRecoveryPage, AccountRecoveryQueries};
