//! The work store: how far each process has come, who holds which lease, which timers and messages there are, which processes, and
//! who is signed in with a browser. No rebuild touches it (promise 10): losing it would repeat effects, so it is durable, and its checkpoints name
//! the log they belong to.

use async_trait::async_trait;
use dossier_eventlog::{EventId, Position};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::notifications::ledger::NotificationLedger;

#[cfg(test)]
mod contract;
mod ledger;
mod ledger_rows;
#[cfg(feature = "postgres")]
mod postgres;
mod sessions;
mod sqlite;
mod steps;
mod timers;

#[cfg(feature = "postgres")]
pub use postgres::PostgresWorkStore;
pub use sessions::{SealedSession, SessionStore};
pub use sqlite::SqliteWorkStore;
pub use timers::{CaseTimers, SetTimer, TimerStore};

/// How far a process has come in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkCheckpoint {
    /// The log.
    pub log_id: Uuid,
    /// Position of the last event dealt with.
    pub position: Position,
    /// That event; `None` before the first.
    pub event_id: Option<EventId>,
}

/// A process of the system, as it last said of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// What it is called.
    pub node: String,
    /// The release it runs.
    pub release: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last said so.
    pub seen_at: Timestamp,
    /// Its parts and what they do, as `/readyz` shows them.
    pub parts: serde_json::Value,
}

/// Why the work store did not do what was asked.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum WorkStoreError {
    /// It cannot be reached or written. The caller repeats later.
    #[error("work store unavailable: {0}")]
    Unavailable(String),
    /// Another process has moved the checkpoint. The caller reads it again.
    #[error("another process has moved the checkpoint of {0}")]
    Fenced(String),
}

impl From<sqlx::Error> for WorkStoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Keeps what processes must not forget.
#[async_trait]
pub trait WorkStore: TimerStore + NotificationLedger {
    /// Where a process stands; `None` when it has never been here.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn checkpoint(&self, process: &str) -> Result<Option<WorkCheckpoint>, WorkStoreError>;

    /// Moves a checkpoint, durably, if it still stands where the caller read it.
    ///
    /// # Errors
    /// [`WorkStoreError::Fenced`] when it does not.
    async fn advance(
        &self,
        process: &str,
        from: Option<&WorkCheckpoint>,
        to: &WorkCheckpoint,
    ) -> Result<(), WorkStoreError>;

    /// Takes or keeps a lease until `now + ttl`, unless somebody else holds it; answers whether the caller holds it. An aid
    /// against double work, never what correctness rests on: clocks differ. One that ends later than two `ttl` from `now` was
    /// taken by a clock that is wrong, and counts as ended: else it would be waited for as long as that clock was ahead.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn take_lease(
        &self,
        lease: &str,
        holder: &str,
        now: Timestamp,
        ttl: SignedDuration,
    ) -> Result<bool, WorkStoreError>;

    /// Gives a lease back, so that the next one need not wait for its end.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn release_lease(&self, lease: &str, holder: &str) -> Result<(), WorkStoreError>;

    /// Says that a process is there, in place of what it said before, and forgets those not seen since `forget_before`.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn announce(&self, member: &Member, forget_before: Timestamp) -> Result<(), WorkStoreError>;

    /// Says that a process is gone.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn withdraw(&self, node: &str) -> Result<(), WorkStoreError>;

    /// Every process that is there, by name.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn members(&self) -> Result<Vec<Member>, WorkStoreError>;

    /// Closes the connections.
    async fn close(&self);
}

/// A position as the databases keep it; logs of 2^63 events do not occur.
fn stored(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}

/// What both databases' rows of a checkpoint hold.
#[derive(sqlx::FromRow)]
struct CheckpointRow {
    log_id: Vec<u8>,
    position: i64,
    event_id: Option<Vec<u8>>,
}

impl From<CheckpointRow> for WorkCheckpoint {
    fn from(row: CheckpointRow) -> Self {
        let uuid = |bytes: &[u8]| Uuid::from_slice(bytes).unwrap_or_default();
        Self {
            log_id: uuid(&row.log_id),
            position: Position(u64::try_from(row.position).unwrap_or(0)),
            event_id: row.event_id.map(|bytes| EventId(uuid(&bytes))),
        }
    }
}

/// Reads what [`Member`]s were written as; one of another release that this one cannot read is left out.
fn members(rows: Vec<String>) -> Vec<Member> {
    rows.into_iter().filter_map(|row| serde_json::from_str(&row).ok()).collect()
}

fn member_json(member: &Member) -> String {
    serde_json::to_string(member).expect("a member is serializable")
}

/// The statements, the same in both dialects, by the prefix of the tables' names.
macro_rules! statements {
    ($prefix:literal) => {
        const CHECKPOINT: &str =
            concat!("SELECT log_id, position, event_id FROM ", $prefix, "process_checkpoint WHERE process = $1");
        const FIRST_CHECKPOINT: &str = concat!(
            "INSERT INTO ",
            $prefix,
            "process_checkpoint (process, log_id, position, event_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
        );
        const ADVANCE: &str = concat!(
            "UPDATE ",
            $prefix,
            "process_checkpoint SET log_id = $2, position = $3, event_id = $4
             WHERE process = $1 AND log_id = $5 AND position = $6"
        );
        const TAKE_LEASE: &str = concat!(
            "INSERT INTO ",
            $prefix,
            "lease AS held (lease, holder, until_micros) VALUES ($1, $2, $3)
             ON CONFLICT (lease) DO UPDATE SET holder = $2, until_micros = $3
             WHERE held.holder = $2 OR held.until_micros <= $4 OR held.until_micros > $5"
        );
        const RELEASE_LEASE: &str = concat!("DELETE FROM ", $prefix, "lease WHERE lease = $1 AND holder = $2");
        const ANNOUNCE: &str = concat!(
            "INSERT INTO ",
            $prefix,
            "member (node, seen_at_micros, said) VALUES ($1, $2, $3)
             ON CONFLICT (node) DO UPDATE SET seen_at_micros = $2, said = $3"
        );
        const FORGET: &str = concat!("DELETE FROM ", $prefix, "member WHERE seen_at_micros < $1");
        const WITHDRAW: &str = concat!("DELETE FROM ", $prefix, "member WHERE node = $1");
        const MEMBERS: &str = concat!("SELECT said FROM ", $prefix, "member ORDER BY node");

        async fn move_checkpoint(
            executor: impl sqlx::Executor<'_, Database = Database>,
            process: &str,
            from: Option<&WorkCheckpoint>,
            to: &WorkCheckpoint,
        ) -> Result<(), WorkStoreError> {
            let mut query = sqlx::query(if from.is_some() { ADVANCE } else { FIRST_CHECKPOINT })
                .bind(process)
                .bind(to.log_id.as_bytes().to_vec())
                .bind(stored(to.position))
                .bind(to.event_id.map(|id| id.0.as_bytes().to_vec()));
            if let Some(from) = from {
                query = query.bind(from.log_id.as_bytes().to_vec()).bind(stored(from.position));
            }
            let moved = query.execute(executor).await?.rows_affected() == 1;
            if moved { Ok(()) } else { Err(WorkStoreError::Fenced(process.to_owned())) }
        }

        #[async_trait]
        impl WorkStore for Adapter {
            async fn checkpoint(&self, process: &str) -> Result<Option<WorkCheckpoint>, WorkStoreError> {
                let row: Option<CheckpointRow> =
                    sqlx::query_as(CHECKPOINT).bind(process).fetch_optional(&self.pool).await?;
                Ok(row.map(WorkCheckpoint::from))
            }

            async fn advance(
                &self,
                process: &str,
                from: Option<&WorkCheckpoint>,
                to: &WorkCheckpoint,
            ) -> Result<(), WorkStoreError> {
                move_checkpoint(&self.pool, process, from, to).await
            }

            async fn take_lease(
                &self,
                lease: &str,
                holder: &str,
                now: Timestamp,
                ttl: SignedDuration,
            ) -> Result<bool, WorkStoreError> {
                let until = now.saturating_add(ttl).unwrap_or(Timestamp::MAX);
                let latest = until.saturating_add(ttl).unwrap_or(Timestamp::MAX);
                let taken = sqlx::query(TAKE_LEASE)
                    .bind(lease)
                    .bind(holder)
                    .bind(until.as_microsecond())
                    .bind(now.as_microsecond())
                    .bind(latest.as_microsecond())
                    .execute(&self.pool)
                    .await?;
                Ok(taken.rows_affected() == 1)
            }

            async fn release_lease(&self, lease: &str, holder: &str) -> Result<(), WorkStoreError> {
                sqlx::query(RELEASE_LEASE).bind(lease).bind(holder).execute(&self.pool).await?;
                Ok(())
            }

            async fn announce(&self, member: &Member, forget_before: Timestamp) -> Result<(), WorkStoreError> {
                sqlx::query(ANNOUNCE)
                    .bind(&member.node)
                    .bind(member.seen_at.as_microsecond())
                    .bind(member_json(member))
                    .execute(&self.pool)
                    .await?;
                sqlx::query(FORGET).bind(forget_before.as_microsecond()).execute(&self.pool).await?;
                Ok(())
            }

            async fn withdraw(&self, node: &str) -> Result<(), WorkStoreError> {
                sqlx::query(WITHDRAW).bind(node).execute(&self.pool).await?;
                Ok(())
            }

            async fn members(&self) -> Result<Vec<Member>, WorkStoreError> {
                Ok(members(sqlx::query_scalar(MEMBERS).fetch_all(&self.pool).await?))
            }

            async fn close(&self) {
                self.pool.close().await;
            }
        }
    };
}
use statements;
