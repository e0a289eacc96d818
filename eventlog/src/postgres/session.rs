//! The writer's connection: bounded by the server's own limits, so that whoever stalls lets go of the lock.

use sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError, PgSeverity};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};

use tokio::time::{Instant, timeout_at};

use super::open::Found;
use super::{batch, known};
use crate::envelope::Position;

/// Key of the advisory lock under which batches commit: "DOSSLOG".
const LOCK: i64 = 0x0044_4f53_534c_4f47;

/// A connection that writes, and the server's process behind it.
pub(super) struct Session {
    pub(super) connection: PgConnection,
    pub(super) backend: Backend,
}

/// A process of the server; its number alone may be given again.
#[derive(Clone, Debug)]
pub(super) struct Backend {
    pid: i32,
    began: String,
}

impl Session {
    /// Connects, and makes sure again that the server keeps what it commits: it may have been set otherwise.
    pub(super) async fn connect(options: &PgConnectOptions, server: &str) -> Result<Self, String> {
        let mut connection = options.connect().await.map_err(|error| sentence(&error))?;
        let found = Found::ask(&mut connection).await.map_err(|error| sentence(&error))?;
        found.check(server).map_err(|error| error.to_string())?;
        let prepare = format!("{}; {}", known::prepare(), batch::PREPARE);
        let prepared = sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut connection).await;
        prepared.map_err(|error| sentence(&error))?;
        let (pid, began) = found.backend;
        Ok(Self { connection, backend: Backend { pid, began } })
    }

    /// Begins a transaction and takes the lock, then runs a query that sees all that was committed under the lock
    /// before: every statement of the three has a snapshot of its own. One trip.
    pub(super) async fn begin(&mut self, query: &str) -> Result<Vec<sqlx::postgres::PgRow>, sqlx::Error> {
        let sql = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock({LOCK}); {query}"
        );
        let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.connection).await?;
        // The first row says that the lock was taken.
        if rows.is_empty() {
            return Err(sqlx::Error::RowNotFound);
        }
        rows.remove(0);
        Ok(rows)
    }

    /// Runs a statement and commits, in one trip. After an error nobody knows whether it held, but see [`is_refusal`].
    pub(super) async fn commit(&mut self, statement: String) -> Result<(), sqlx::Error> {
        let sql = statement + "; COMMIT";
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection).await.map(drop)
    }

    /// Tells the other nodes, outside of any transaction, how far the log goes.
    pub(super) async fn tell(&mut self, last: Position) -> Result<(), sqlx::Error> {
        let sql = format!("SELECT pg_notify('{}', '{last}')", batch::CHANNEL);
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection).await.map(drop)
    }

    /// Ends the transaction without a trace.
    pub(super) async fn roll_back(&mut self) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await.map(drop)
    }

    /// Ends the transaction, and says whether the connection is good for another one.
    pub(super) async fn roll_back_within(&mut self, limit: Instant) -> bool {
        matches!(timeout_at(limit, self.roll_back()).await, Ok(Ok(())))
    }

    /// Ends another process of the server, if it is still that one, so that its transaction is decided soon. It is
    /// decided when the lock can be taken, not before.
    pub(super) async fn end(&mut self, other: &Backend) -> Result<(), sqlx::Error> {
        let rows = sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2",
        )
        .bind(other.pid)
        .bind(other.began.as_str())
        .fetch_all(&mut self.connection)
        .await?;
        if rows.iter().any(|row| matches!(row.try_get(0), Ok(true))) {
            tracing::info!(backend = other.pid, "ended the server's process whose answer was lost");
        }
        Ok(())
    }
}

/// Says for the operator what a driver's error means.
pub(super) fn sentence(error: &sqlx::Error) -> String {
    match sql_state(error).as_deref() {
        Some("53100") => {
            format!("the disk is full: free some space, writing then goes on by itself ({error})")
        }
        Some("55P03") => format!("another node holds the log's lock ({error})"),
        Some("25006") => format!("the database is read-only: give the address of the primary ({error})"),
        _ => error.to_string(),
    }
}

/// The five letters by which PostgreSQL names what happened.
pub(super) fn sql_state(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Whether the server says that it did not do what it was asked for, and is still there: then nothing was committed, not even
/// by a commit.
pub(super) fn is_refusal(error: &sqlx::Error) -> bool {
    let said = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    said.is_some_and(|error| matches!(error.severity(), PgSeverity::Error))
}

/// Whether the connection is gone, the server said goodbye or went: what was not begun can be begun on a new one.
pub(super) fn is_connection_lost(error: &sqlx::Error) -> bool {
    match sql_state(error) {
        Some(state) => {
            ["57P01", "57P02", "25P03", "57P05"].contains(&state.as_str()) || state.starts_with("08")
        }
        None => matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed),
    }
}
