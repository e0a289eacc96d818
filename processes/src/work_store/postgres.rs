//! The work store in a PostgreSQL schema of its own, so that it may share a database with the read models and yet is never
//! touched by their rebuilds.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::sessions::{SealedSession, SessionRow, SessionStore, session_statements};
use super::timers::{TimerRow, micros_rounded_up, timer_json, timer_statements};
use super::{
    CaseTimers, CheckpointRow, Member, SetTimer, TimerStore, WorkCheckpoint, WorkStore, WorkStoreError,
    member_json, members, statements, stored,
};

/// Taken while the tables are made: `CREATE … IF NOT EXISTS` is not safe against itself.
const SCHEMA: &str = "
BEGIN;
SELECT pg_advisory_xact_lock(7235419968274190001);
CREATE SCHEMA IF NOT EXISTS dossier_work;
CREATE TABLE IF NOT EXISTS dossier_work.process_checkpoint (
    process TEXT PRIMARY KEY,
    log_id BYTEA NOT NULL,
    position BIGINT NOT NULL,
    event_id BYTEA
);
CREATE TABLE IF NOT EXISTS dossier_work.lease (
    lease TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until_micros BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS dossier_work.member (
    node TEXT PRIMARY KEY,
    seen_at_micros BIGINT NOT NULL,
    said TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS dossier_work.session (
    digest BYTEA PRIMARY KEY,
    subject TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    ends_at_micros BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS session_by_subject ON dossier_work.session (subject);
CREATE INDEX IF NOT EXISTS session_by_end ON dossier_work.session (ends_at_micros);
CREATE TABLE IF NOT EXISTS dossier_work.completed_sign_in (
    digest BYTEA PRIMARY KEY,
    until_micros BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS dossier_work.timer (
    case_id TEXT NOT NULL,
    timer TEXT NOT NULL,
    organization TEXT NOT NULL,
    due_micros BIGINT NOT NULL,
    PRIMARY KEY (case_id, timer)
);
CREATE INDEX IF NOT EXISTS timer_by_due ON dossier_work.timer (due_micros);
COMMIT;";

/// How long a connection may be waited for.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// Connections of one process.
const CONNECTIONS: u32 = 2;

/// A work store in PostgreSQL.
pub struct PostgresWorkStore {
    pool: PgPool,
}

type Adapter = PostgresWorkStore;
type Database = sqlx::Postgres;

impl PostgresWorkStore {
    /// Connects, and makes what is missing.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`] when the server does not answer or refuses.
    pub async fn open(url: &str) -> Result<Self, WorkStoreError> {
        let options: PgConnectOptions = url.parse()?;
        let options = options.application_name("dossier-work").options([("statement_timeout", "2000")]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        Ok(Self { pool })
    }
}

statements!("dossier_work.");
session_statements!("dossier_work.");
timer_statements!("dossier_work.");

#[cfg(test)]
mod tests {
    use dossier_eventlog::contract::servers::Postgres;

    use super::*;

    super::super::contract::work_store_contract!(async {
        (PostgresWorkStore::open(&Postgres::shared().fresh_database()).await.unwrap(), ())
    });

    #[tokio::test]
    async fn several_processes_may_make_the_tables_at_once() {
        let url = Postgres::shared().fresh_database();
        let opened = (0..4).map(|_| {
            let url = url.clone();
            tokio::spawn(async move { PostgresWorkStore::open(&url).await })
        });
        for opened in opened.collect::<Vec<_>>() {
            assert!(opened.await.unwrap().is_ok());
        }
    }
}
