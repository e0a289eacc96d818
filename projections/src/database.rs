//! The read database, in SQLite or PostgreSQL. It holds nothing that the log does not. What is in it, and which generation
//! of a model queries see, is in [`crate::generations`].

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

use dossier_eventlog::Position;
use sqlx::{Sqlite, SqliteConnection, Transaction};
use tokio::sync::MutexGuard;

use crate::error::{OpenError, ProjectionError, QueryError};
#[cfg(feature = "postgres")]
use crate::location::PostgresOptions;
use crate::location::ReadLocation;
use crate::sql::{AnyConnection, Engine, ReadRow, Sql, view_name};
#[cfg(feature = "postgres")]
use postgres::{Checked, PostgresDatabase, PostgresSnapshot};
use sqlite::SqliteDatabase;

/// The read models' database.
pub struct ReadDatabase {
    backend: Backend,
}

#[allow(clippy::large_enum_variant, reason = "there is one")]
enum Backend {
    Sqlite(SqliteDatabase),
    #[cfg(feature = "postgres")]
    Postgres(PostgresDatabase),
}

impl ReadDatabase {
    /// Opens the database, or makes it.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(location: &ReadLocation) -> Result<Self, OpenError> {
        let backend = match location {
            ReadLocation::Sqlite(path) => Backend::Sqlite(SqliteDatabase::open(path).await?),
            #[cfg(feature = "postgres")]
            ReadLocation::Postgres(options) => Backend::Postgres(PostgresDatabase::open(options).await?),
            #[cfg(not(feature = "postgres"))]
            ReadLocation::Postgres(_) => return Err(OpenError::NotBuilt),
        };
        Ok(Self { backend })
    }

    /// Which database it is.
    pub fn engine(&self) -> Engine {
        match &self.backend {
            Backend::Sqlite(_) => Engine::Sqlite,
            #[cfg(feature = "postgres")]
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// The rows of a query.
    pub(crate) async fn fetch_all<T: ReadRow>(&self, sql: &Sql) -> Result<Vec<T>, QueryError> {
        match &self.backend {
            Backend::Sqlite(database) => {
                let mut connection = database.readers.acquire().await?;
                Ok(AnyConnection::Sqlite(&mut connection).fetch_all(sql, &view_name).await?)
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => Ok(database.fetch_all(sql).await?),
        }
    }

    /// The first row of a query, if there is one.
    pub(crate) async fn fetch_optional<T: ReadRow>(&self, sql: &Sql) -> Result<Option<T>, QueryError> {
        Ok(self.fetch_all(sql).await?.into_iter().next())
    }

    /// The database at one moment, for several queries.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, QueryError> {
        Ok(match &self.backend {
            Backend::Sqlite(database) => Snapshot::Sqlite(database.readers.begin().await?),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => Snapshot::Postgres(database.snapshot().await?),
        })
    }

    /// A connection that writes: in SQLite the only one.
    pub(crate) async fn writer(&self) -> Result<Writer<'_>, ProjectionError> {
        Ok(match &self.backend {
            Backend::Sqlite(database) => Writer::Sqlite(database.writer.lock().await),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => Writer::Postgres(database.writer().await?),
        })
    }

    /// The options of a PostgreSQL database, and what tells this process from others.
    #[cfg(feature = "postgres")]
    pub(crate) fn postgres(&self) -> Option<(&PostgresOptions, &str)> {
        match &self.backend {
            Backend::Sqlite(_) => None,
            Backend::Postgres(database) => Some((database.options(), database.holder())),
        }
    }

    /// A connection that hears what projectors and rebuilds of all processes tell.
    #[cfg(feature = "postgres")]
    pub(crate) async fn listen(&self) -> Result<Option<sqlx::postgres::PgListener>, QueryError> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(None),
            Backend::Postgres(database) => Ok(Some(database.listen().await?)),
        }
    }

    /// Closes the connections; in SQLite also empties the write-ahead log.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(database) => database.close().await,
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => database.close().await,
        }
    }
}

/// The database at one moment.
pub(crate) enum Snapshot {
    Sqlite(Transaction<'static, Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(PostgresSnapshot),
}

impl Snapshot {
    pub(crate) async fn fetch_all<T: ReadRow>(&mut self, sql: &Sql) -> Result<Vec<T>, QueryError> {
        Ok(match self {
            Self::Sqlite(transaction) => {
                AnyConnection::Sqlite(transaction).fetch_all(sql, &view_name).await?
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(snapshot) => snapshot.fetch_all(sql).await?,
        })
    }

    /// Gives the connection back; one that is dropped without has to be closed.
    pub(crate) async fn end(self) -> Result<(), QueryError> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await?,
            #[cfg(feature = "postgres")]
            Self::Postgres(mut snapshot) => snapshot.connection.end("ROLLBACK").await?,
        }
        Ok(())
    }
}

/// A connection that writes.
pub(crate) enum Writer<'a> {
    Sqlite(MutexGuard<'a, SqliteConnection>),
    #[cfg(feature = "postgres")]
    Postgres(Checked),
}

impl Writer<'_> {
    /// Begins to write.
    pub(crate) async fn begin(&mut self) -> Result<WriteTransaction<'_>, ProjectionError> {
        Ok(match self {
            Self::Sqlite(connection) => {
                WriteTransaction { inner: Inner::Sqlite(sqlite::begin(connection).await?) }
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                connection.begin("BEGIN").await?;
                WriteTransaction { inner: Inner::Postgres(connection) }
            }
        })
    }
}

/// A transaction that writes rows; dropped before it commits, it leaves nothing.
pub struct WriteTransaction<'a> {
    inner: Inner<'a>,
}

enum Inner<'a> {
    Sqlite(Transaction<'a, Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(&'a mut Checked),
}

impl WriteTransaction<'_> {
    /// Which database it is of.
    pub fn engine(&self) -> Engine {
        match &self.inner {
            Inner::Sqlite(_) => Engine::Sqlite,
            #[cfg(feature = "postgres")]
            Inner::Postgres(_) => Engine::Postgres,
        }
    }

    /// The rows of a query. Tables are named with their generation.
    ///
    /// # Errors
    /// [`ProjectionError`].
    pub async fn fetch_all<T: ReadRow>(&mut self, sql: &Sql) -> Result<Vec<T>, ProjectionError> {
        Ok(match &mut self.inner {
            Inner::Sqlite(transaction) => {
                AnyConnection::Sqlite(transaction).fetch_all(sql, &view_name).await?
            }
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => connection.fetch_all(sql, &view_name).await?,
        })
    }

    /// Runs a statement and answers how many rows it has changed, or read.
    ///
    /// # Errors
    /// [`ProjectionError`].
    pub async fn execute(&mut self, sql: &Sql) -> Result<u64, ProjectionError> {
        Ok(match &mut self.inner {
            Inner::Sqlite(transaction) => AnyConnection::Sqlite(transaction).execute(sql, &view_name).await?,
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => connection.execute(sql, &view_name).await?,
        })
    }

    /// Creates or drops something.
    pub(crate) async fn define(&mut self, text: String) -> Result<(), ProjectionError> {
        match &mut self.inner {
            Inner::Sqlite(transaction) => AnyConnection::Sqlite(transaction).define(text).await?,
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => {
                connection.define(text).await?;
            }
        }
        Ok(())
    }

    /// Where those who look on listen, if they can.
    pub(crate) fn channel(&self) -> Option<&str> {
        match &self.inner {
            Inner::Sqlite(_) => None,
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => Some(&connection.schema),
        }
    }

    /// Makes it so.
    pub(crate) async fn commit(self) -> Result<(), ProjectionError> {
        match self.inner {
            Inner::Sqlite(transaction) => transaction.commit().await?,
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => connection.end("COMMIT").await?,
        }
        Ok(())
    }
}

/// A position as it is stored; logs of 2^63 events do not occur.
pub(crate) fn stored(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}
