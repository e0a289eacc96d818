//! The work store in a SQLite file.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::HEXUPPER;
use dossier_eventlog::Position;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqliteConnection, SqlitePool};

use super::ledger::{ROWS_PER_STATEMENT, ledger_statements, restrict};
use super::ledger_rows::{AttemptRow, CountRow, ExpiredRow, MessageRow, instant, recipient_columns, settled};
use super::sessions::{SealedSession, SessionRow, SessionStore, session_statements};
use super::steps::{Step, Steps};
use super::timers::{TimerRow, micros_rounded_up, timer_json, timer_statements};
use super::{
    CaseTimers, CheckpointRow, Member, SetTimer, TimerStore, WorkCheckpoint, WorkStore, WorkStoreError,
    member_json, members, statements, stored,
};
use crate::notifications::ledger::{
    Attempt, AttemptOutcome, Channel, Claimed, IntendedMessage, LedgerEntry, LedgerFilter, LedgerPage,
    MessageCount, MessageId, NotificationLedger, Outcome, Recovered,
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
CREATE INDEX IF NOT EXISTS timer_by_due ON timer (due_micros);
CREATE TABLE IF NOT EXISTS message (
    id BLOB PRIMARY KEY,
    channel TEXT NOT NULL,
    stream TEXT NOT NULL,
    organization TEXT,
    command_id BLOB NOT NULL,
    first_revision INTEGER NOT NULL,
    last_revision INTEGER NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    recipient_kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    recipient_sealed BLOB,
    language TEXT NOT NULL,
    ordering_key TEXT,
    intended_at_micros INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'intended',
    due_micros INTEGER NOT NULL,
    trying_since_micros INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    handed_over INTEGER NOT NULL DEFAULT 0,
    node TEXT,
    lease_micros INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS message_by_due ON message (channel, due_micros, position, id) WHERE state = 'intended';
CREATE INDEX IF NOT EXISTS message_by_order ON message (ordering_key, channel, position, id)
    WHERE ordering_key IS NOT NULL AND state IN ('intended', 'sending');
CREATE INDEX IF NOT EXISTS message_by_lease ON message (lease_micros) WHERE state = 'sending';
CREATE INDEX IF NOT EXISTS message_by_stream ON message (stream, position, id);
CREATE INDEX IF NOT EXISTS message_by_state ON message (state, position, id);
CREATE INDEX IF NOT EXISTS message_by_endpoint ON message (recipient, position, id)
    WHERE recipient_kind = 'endpoint';
CREATE INDEX IF NOT EXISTS message_unsettled ON message (channel, state)
    WHERE state IN ('intended', 'sending', 'failed', 'unknown');
CREATE TABLE IF NOT EXISTS message_attempt (
    message_id BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    at_micros INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (message_id, attempt)
) STRICT, WITHOUT ROWID;";

// A plus keeps SQLite from looking messages up by anything but their ids: by their state it would read all that are on their way
// once for each step.

/// Of steps `[[id, attempt]]`: answers the messages that were marked.
const HAND_OVER: &str = "
UPDATE message SET handed_over = 1 FROM json_each($1) AS step
WHERE message.id = unhex(step.value ->> 0) AND attempt = step.value ->> 1 AND +state = 'sending' AND handed_over = 0
RETURNING message.id";
/// Of steps `[[id, attempt, state, due, at, outcome, detail]]`: answers the messages that were moved.
const FINISH: &str = "
UPDATE message SET state = step.value ->> 2, due_micros = COALESCE(step.value ->> 3, due_micros), node = NULL,
    lease_micros = NULL
FROM json_each($1) AS step
WHERE message.id = unhex(step.value ->> 0) AND attempt = step.value ->> 1 AND +state IN ('sending', 'unknown')
RETURNING message.id";
/// Of the same steps, as [`NOTE_ATTEMPT`] does of one.
const NOTE_ATTEMPTS: &str = "
INSERT INTO message_attempt AS noted (message_id, attempt, at_micros, outcome, detail)
SELECT message.id, step.value ->> 1, step.value ->> 4, step.value ->> 5, step.value ->> 6
FROM json_each($1) AS step CROSS JOIN message ON message.id = unhex(step.value ->> 0) AND attempt >= step.value ->> 1
WHERE TRUE
ON CONFLICT (message_id, attempt) DO UPDATE SET at_micros = excluded.at_micros, outcome = excluded.outcome,
    detail = excluded.detail
WHERE noted.outcome = 'unknown'";

/// A work store in a SQLite file.
pub struct SqliteWorkStore {
    pool: SqlitePool,
    steps: Steps,
}

type Adapter = SqliteWorkStore;
type Database = sqlx::Sqlite;
type Pool = SqlitePool;

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
            // A statement that changes several rows keeps what it may have to take back.
            .pragma("temp_store", "MEMORY")
            .busy_timeout(Duration::from_secs(5));
        // One connection: SQLite writes one at a time.
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        Ok(Self { pool, steps: Steps::default() })
    }

    /// Takes a step together with those that others wait for.
    async fn step(&self, step: Step) -> Result<bool, WorkStoreError> {
        self.steps.taken(step, |steps| self.write(steps)).await
    }

    /// Writes steps with one statement for all of a kind: each statement is a way to SQLite's thread and back.
    async fn write(&self, steps: Vec<Step>) -> Result<Vec<bool>, WorkStoreError> {
        let (mut handed_over, mut finished) = (Vec::new(), Vec::new());
        for step in &steps {
            match step {
                Step::HandOver { id, attempt } => handed_over.push(json!([hex(*id), attempt])),
                Step::Finish { id, attempt, now, outcome } => {
                    let (state, due, ended, detail) = settled(outcome);
                    let due = due.map(Timestamp::as_microsecond);
                    let (now, ended) = (now.as_microsecond(), ended.as_str());
                    finished.push(json!([hex(*id), attempt, state.as_str(), due, now, ended, detail]));
                }
            }
        }
        let mut transaction = self.pool.begin().await?;
        let mut marked = moved(&mut transaction, HAND_OVER, &handed_over).await?;
        let mut settled = moved(&mut transaction, FINISH, &finished).await?;
        moved(&mut transaction, NOTE_ATTEMPTS, &finished).await?;
        transaction.commit().await?;
        let done = steps.iter().map(|step| {
            let (id, moved) = match step {
                Step::HandOver { id, .. } => (id, &mut marked),
                Step::Finish { id, .. } => (id, &mut settled),
            };
            // Whoever comes second with the same step has not moved anything.
            let place = moved.iter().position(|moved| moved == id.0.as_bytes());
            place.map(|place| moved.swap_remove(place)).is_some()
        });
        Ok(done.collect())
    }
}

/// Runs a statement on rows of steps, where there are any; answers the messages that it names.
async fn moved(
    connection: &mut SqliteConnection,
    statement: &'static str,
    rows: &[Value],
) -> Result<Vec<Vec<u8>>, WorkStoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let rows = json!(rows).to_string();
    Ok(sqlx::query_scalar(statement).bind(rows).fetch_all(connection).await?)
}

fn hex(id: MessageId) -> String {
    HEXUPPER.encode(id.0.as_bytes())
}

statements!("");
session_statements!("");
timer_statements!("");
ledger_statements!("", "", "SELECT value FROM json_each($6)", "BEGIN");

#[cfg(test)]
mod tests {
    use super::*;

    super::super::contract::work_store_contract!(async {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteWorkStore::open(&folder.path().join("work.db")).await.unwrap();
        (store, folder)
    });

    #[tokio::test]
    async fn steps_find_their_messages_by_id() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteWorkStore::open(&folder.path().join("work.db")).await.unwrap();
        for statement in [HAND_OVER, FINISH, NOTE_ATTEMPTS] {
            let explained = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(explained).bind("[]").fetch_all(&store.pool).await.unwrap();
            let plan: Vec<String> = plan.into_iter().map(|(.., line)| line).collect();
            assert!(plan[0].starts_with("SCAN step") && plan[1].ends_with("(id=?)"), "{plan:?}");
        }
    }

    crate::notifications::ledger::contract::ledger_contract!(async {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteWorkStore::open(&folder.path().join("work.db")).await.unwrap();
        (store, folder)
    });
}
