//! The work store in a SQLite file.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::sessions::{SealedSession, SessionRow, SessionStore, session_statements};
use super::timers::{TimerRow, micros_rounded_up, timer_json, timer_statements};
use super::{
    CaseTimers, CheckpointRow, Member, SetTimer, TimerStore, WorkCheckpoint, WorkStore, WorkStoreError,
    member_json, members, statements, stored,
};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS process_checkpoint (
    process TEXT PRIMARY KEY,
    log_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    event_id BLOB
) STRICT;
CREATE TABLE IF NOT EXISTS lease (
    lease TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until_micros INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS member (
    node TEXT PRIMARY KEY,
    seen_at_micros INTEGER NOT NULL,
    said TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS session (
    digest BLOB PRIMARY KEY,
    subject TEXT NOT NULL,
    sealed BLOB NOT NULL,
    ends_at_micros INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS session_by_subject ON session (subject);
CREATE INDEX IF NOT EXISTS session_by_end ON session (ends_at_micros);
CREATE TABLE IF NOT EXISTS completed_sign_in (
    digest BLOB PRIMARY KEY,
    until_micros INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS timer (
    case_id TEXT NOT NULL,
    timer TEXT NOT NULL,
    organization TEXT NOT NULL,
    due_micros INTEGER NOT NULL,
    PRIMARY KEY (case_id, timer)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS timer_by_due ON timer (due_micros);";

/// A work store in a SQLite file.
pub struct SqliteWorkStore {
    pool: SqlitePool,
}

type Adapter = SqliteWorkStore;
type Database = sqlx::Sqlite;

impl SqliteWorkStore {
    /// Opens or creates it.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`] when the file cannot be used.
    pub async fn open(path: &Path) -> Result<Self, WorkStoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What was done must not be done again after a crash of the machine.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5));
        // One connection: SQLite writes one at a time.
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        Ok(Self { pool })
    }
}

statements!("");
session_statements!("");
timer_statements!("");

#[cfg(test)]
mod tests {
    use super::*;

    super::super::contract::work_store_contract!(async {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteWorkStore::open(&folder.path().join("work.db")).await.unwrap();
        (store, folder)
    });
}
