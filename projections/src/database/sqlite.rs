//! SQLite: one writer, many readers, and a view per table that shows the active generation.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::Mutex;

use crate::error::OpenError;

/// Connections that read at the same time.
const READERS: u32 = 4;
/// The write-ahead log is cut back to this after a burst, such as a rebuild.
const WAL_BYTES_KEPT: &str = "67108864";

const BOOKKEEPING: &str = "
CREATE TABLE IF NOT EXISTS read_models (
    name TEXT PRIMARY KEY,
    schema_version INTEGER NOT NULL,
    active_generation INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS checkpoints (
    model TEXT NOT NULL,
    generation INTEGER NOT NULL,
    log_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    event_id BLOB,
    PRIMARY KEY (model, generation)
) STRICT;
CREATE TABLE IF NOT EXISTS generation_tables (
    table_name TEXT PRIMARY KEY,
    view_name TEXT NOT NULL,
    model TEXT NOT NULL,
    generation INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS projector_reports (
    model TEXT PRIMARY KEY,
    halted TEXT,
    last_error TEXT
) STRICT;";

/// The connections to a file.
pub(super) struct SqliteDatabase {
    pub(super) writer: Mutex<SqliteConnection>,
    pub(super) readers: SqlitePool,
}

impl SqliteDatabase {
    pub(super) async fn open(path: &Path) -> Result<Self, OpenError> {
        let unusable =
            |error: sqlx::Error| OpenError::Unusable { path: path.to_owned(), cause: error.to_string() };
        // A crash may lose the last transactions: they are projected again.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .pragma("journal_size_limit", WAL_BYTES_KEPT)
            .busy_timeout(std::time::Duration::from_secs(5))
            // Indexes on random ids touch many pages: keep them in memory, the statement journal too.
            .pragma("cache_size", "-65536")
            .pragma("temp_store", "MEMORY")
            .pragma("wal_autocheckpoint", "4000");
        let mut writer = options.connect().await.map_err(unusable)?;
        sqlx::raw_sql(BOOKKEEPING).execute(&mut writer).await.map_err(unusable)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(1)
            .connect_with(options.create_if_missing(false).read_only(true).pragma("cache_size", "-16384"))
            .await
            .map_err(unusable)?;
        Ok(Self { writer: Mutex::new(writer), readers })
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        let mut writer = self.writer.lock().await;
        // What a checkpoint of the database leaves undone is done at the next start.
        let _ = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut *writer).await;
    }
}

/// Begins to write at once: a transaction that reads first and writes later fails, without waiting, when another process
/// has written in between.
pub(super) async fn begin(writer: &mut SqliteConnection) -> Result<Transaction<'_, Sqlite>, sqlx::Error> {
    writer.begin_with("BEGIN IMMEDIATE").await
}
