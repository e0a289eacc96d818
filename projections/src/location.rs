//! Where the read models are kept.

use std::path::PathBuf;
use std::time::Duration;

/// Where the read models are kept. They hold nothing that the log does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadLocation {
    /// A SQLite file of this process.
    Sqlite(PathBuf),
    /// A PostgreSQL database, which several processes may share. It needs the feature `postgres`.
    Postgres(PostgresOptions),
}

impl ReadLocation {
    /// A SQLite file.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite(path.into())
    }

    /// A PostgreSQL database by its URL, with the usual options.
    pub fn postgres(url: impl Into<String>) -> Self {
        Self::Postgres(PostgresOptions::new(url))
    }
}

/// How a PostgreSQL read database is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// `postgres://…`.
    pub url: String,
    /// The schema that holds all of it, so that the log may share the database: letters, digits and underscores.
    pub schema: String,
    /// Connections that queries of this process may use at the same time.
    pub query_connections: u32,
    /// Connections that write: one for each projector, two for a rebuild, and some for bookkeeping.
    pub write_connections: u32,
    /// How long a query, or a projector's transaction, waits for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement of a query may take.
    pub statement_timeout: Duration,
    /// How long a projector that says nothing is left in its place before another takes over.
    pub lease: Duration,
}

impl PostgresOptions {
    /// The usual options.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: "dossier_read".to_owned(),
            query_connections: 8,
            write_connections: 18,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(2),
            lease: Duration::from_secs(3),
        }
    }
}
