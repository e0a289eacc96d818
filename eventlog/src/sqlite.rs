//! The embedded profile: the log in one SQLite file, written by one task that shares each durable write among all
//! appends that wait for it.
//!
//! Never here: a second writer (an exclusive lock file forbids it), a read on the writer's connection, an
//! acknowledgement before the commit, a position seen before its commit.

mod columns;
mod heads;
mod insert;
mod keys;
mod lock;
mod open;
mod read;
mod recovery;
mod store;
mod writer;

#[cfg(test)]
mod tests;

pub use keys::SqliteKeyStore;
pub use open::OpenError;
pub use store::{SqliteOptions, SqliteStore};
