//! The log and the keys in PostgreSQL, for any number of nodes on one database.
//!
//! Every node has one task that writes. Each of its batches is one transaction that first takes an advisory lock of the
//! database, so that batches of all nodes commit one after the other: positions appear in their order, and what a
//! batch is judged by cannot move under it. Nobody is elected; whoever holds the lock and stalls loses its
//! transaction to the server's own limits.
//!
//! Never here: a snapshot older than the lock, a server that may forget what it has committed, a wait without an end, a
//! 'not stored' while the transaction may still commit.

mod batch;
mod follow;
mod heads;
mod keys;
mod known;
mod literal;
mod open;
mod page;
mod pool;
mod read;
mod recovery;
mod session;
mod store;
mod writer;

#[cfg(test)]
mod tests;

pub use keys::PostgresKeyStore;
pub use open::PostgresOpenError;
pub use store::{PostgresOptions, PostgresStore};
