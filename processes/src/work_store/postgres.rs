//! The work store in a PostgreSQL schema of its own, so that it may share a database with the read models and yet is never
//! touched by their rebuilds.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use dossier_eventlog::Position;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::ledger::{ROWS_PER_STATEMENT, ledger_statements, restrict};
use super::ledger_rows::{AttemptRow, CountRow, ExpiredRow, MessageRow, instant, recipient_columns, settled};
use super::sessions::{SealedSession, SessionRow, SessionStore, session_statements};
use super::steps::Step;
use super::timers::{TimerRow, micros_rounded_up, timer_json, timer_statements};
use super::{
    CaseTimers, CheckpointRow, Member, SetTimer, TimerStore, WorkCheckpoint, WorkStore, WorkStoreError,
    member_json, members, statements, stored,
};
use crate::notifications::ledger::{
    Attempt, AttemptOutcome, Channel, Claimed, IntendedMessage, LedgerEntry, LedgerFilter, LedgerPage,
    MessageCount, MessageId, NotificationLedger, Outcome, Recovered,
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
CREATE TABLE IF NOT EXISTS dossier_work.message (
    id BYTEA PRIMARY KEY,
    channel TEXT NOT NULL,
    stream TEXT NOT NULL,
    organization TEXT,
    command_id BYTEA NOT NULL,
    first_revision BIGINT NOT NULL,
    last_revision BIGINT NOT NULL,
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    recipient_kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    recipient_sealed BYTEA,
    language TEXT NOT NULL,
    ordering_key TEXT,
    intended_at_micros BIGINT NOT NULL,
    state TEXT NOT NULL DEFAULT 'intended',
    due_micros BIGINT NOT NULL,
    trying_since_micros BIGINT NOT NULL,
    attempt BIGINT NOT NULL DEFAULT 0,
    tries BIGINT NOT NULL DEFAULT 0,
    handed_over BIGINT NOT NULL DEFAULT 0,
    node TEXT,
    lease_micros BIGINT
);
CREATE INDEX IF NOT EXISTS message_by_due ON dossier_work.message (channel, due_micros, position, id) WHERE state = 'intended';
CREATE INDEX IF NOT EXISTS message_by_order ON dossier_work.message (ordering_key, channel, position, id)
    WHERE ordering_key IS NOT NULL AND state IN ('intended', 'sending');
CREATE INDEX IF NOT EXISTS message_by_lease ON dossier_work.message (lease_micros) WHERE state = 'sending';
CREATE INDEX IF NOT EXISTS message_by_stream ON dossier_work.message (stream, position, id);
CREATE INDEX IF NOT EXISTS message_by_state ON dossier_work.message (state, position, id);
CREATE INDEX IF NOT EXISTS message_by_endpoint ON dossier_work.message (recipient, position, id)
    WHERE recipient_kind = 'endpoint';
CREATE INDEX IF NOT EXISTS message_unsettled ON dossier_work.message (channel, state)
    WHERE state IN ('intended', 'sending', 'failed', 'unknown');
CREATE TABLE IF NOT EXISTS dossier_work.message_attempt (
    message_id BYTEA NOT NULL,
    attempt BIGINT NOT NULL,
    at_micros BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (message_id, attempt)
);
COMMIT;";

const HAND_OVER: &str = "
UPDATE dossier_work.message SET handed_over = 1
WHERE id = $1 AND attempt = $2 AND state = 'sending' AND handed_over = 0";
const FINISH: &str = "
UPDATE dossier_work.message
SET state = $3, due_micros = COALESCE($4, due_micros), node = NULL, lease_micros = NULL
WHERE id = $1 AND attempt = $2 AND state IN ('sending', 'unknown')";

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
type Pool = PgPool;

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

    /// Takes a step. The server itself makes those of several connections durable together.
    async fn step(&self, step: Step) -> Result<bool, WorkStoreError> {
        let done = match step {
            Step::HandOver { id, attempt } => {
                let mark = sqlx::query(HAND_OVER).bind(id.0.as_bytes().to_vec()).bind(i64::from(attempt));
                mark.execute(&self.pool).await?
            }
            Step::Finish { id, attempt, now, outcome } => {
                let (state, due, ended, detail) = settled(&outcome);
                let (bytes, attempt) = (id.0.as_bytes(), i64::from(attempt));
                let mut transaction = self.pool.begin().await?;
                let moved = sqlx::query(FINISH)
                    .bind(bytes.to_vec())
                    .bind(attempt)
                    .bind(state.as_str())
                    .bind(due.map(Timestamp::as_microsecond))
                    .execute(&mut *transaction)
                    .await?;
                note_attempt(&mut *transaction, bytes, attempt, now, ended, detail).await?;
                transaction.commit().await?;
                moved
            }
        };
        Ok(done.rows_affected() == 1)
    }
}

statements!("dossier_work.");
session_statements!("dossier_work.");
timer_statements!("dossier_work.");
ledger_statements!(
    "dossier_work.",
    " FOR UPDATE OF m SKIP LOCKED",
    "SELECT jsonb_array_elements_text($6::jsonb)",
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
);

#[cfg(test)]
mod tests {
    use dossier_eventlog::contract::servers::Postgres;

    use super::*;

    super::super::contract::work_store_contract!(async {
        (PostgresWorkStore::open(&Postgres::shared().fresh_database()).await.unwrap(), ())
    });

    crate::notifications::ledger::contract::ledger_contract!(async {
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
