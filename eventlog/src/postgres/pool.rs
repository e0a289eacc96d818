//! Connections for what changes nothing when it is done twice. Every wait has an end.

use std::time::Duration;

use futures::TryStreamExt;
use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::query::Query;
use tokio::time::timeout;

use super::session::{is_connection_lost, sentence, sql_state};
use crate::store::ReadError;

/// When the server gives up on a statement that nobody may be waiting for any more.
pub(super) const STATEMENT_MILLIS: u32 = 30_000;

/// A statement, and the values it asks with.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) sql: &'static str,
    pub(super) values: &'a [Value<'a>],
}

/// A value of a statement.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Text(&'a str),
    /// PostgreSQL counts to 2⁶³: beyond that nothing is stored.
    Number(u64),
    Texts(&'a [&'a str]),
    Blobs(&'a [&'a [u8]]),
}

impl<'a> Ask<'a> {
    fn query(self) -> Query<'a, Postgres, PgArguments> {
        self.values.iter().fold(sqlx::query(self.sql), |query, value| match *value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(i64::try_from(number).unwrap_or(i64::MAX)),
            Value::Texts(texts) => query.bind(texts),
            Value::Blobs(blobs) => query.bind(blobs),
        })
    }
}

/// A pool whose connections may be lost at any time.
pub(super) struct Pool {
    inner: PgPool,
    connections: u32,
    /// How long a statement waits for a connection, and then for each next row.
    patience: Duration,
}

impl Pool {
    /// Connects when first asked.
    pub(super) fn new(options: PgConnectOptions, connections: u32, patience: Duration) -> Self {
        let connections = connections.max(1);
        let inner = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(patience)
            // A connection that was lost meanwhile is noticed by the statement itself, which then takes another.
            .test_before_acquire(false)
            .connect_lazy_with(options);
        Self { inner, connections, patience }
    }

    pub(super) async fn close(&self) {
        self.inner.close().await;
    }

    /// Runs a statement that changes nothing when it is run twice. Connections that the server has dropped are found out
    /// one by one, before the first row; then it is begun again.
    pub(super) async fn rows(
        &self,
        ask: Ask<'_>,
        mut each: impl FnMut(&PgRow) -> Result<(), ReadError> + Send,
    ) -> Result<(), ReadError> {
        let mut stale = 0;
        loop {
            let mut connection = self.inner.acquire().await.map_err(|error| unavailable(&error))?;
            let mut begun = false;
            let ended = {
                let mut rows = ask.query().fetch(&mut *connection);
                loop {
                    match self.within(rows.try_next()).await {
                        Ok(Some(row)) => each(&row)?,
                        Ok(None) => return Ok(()),
                        Err(error) => break error,
                    }
                    begun = true;
                }
            };
            // Whatever it met, nobody waits for its end: the place in the pool is free at once.
            drop(connection.detach());
            if begun || !is_connection_lost(&ended) || is_late(&ended) || stale == self.connections {
                return Err(unavailable(&ended));
            }
            stale += 1;
        }
    }

    async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        timeout(self.patience, answer).await.unwrap_or_else(|_| {
            let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "the database does not answer");
            Err(sqlx::Error::Io(late))
        })
    }
}

fn is_late(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut)
}

fn unavailable(error: &sqlx::Error) -> ReadError {
    match sql_state(error).as_deref() {
        // data_corrupted, index_corrupted
        Some("XX001" | "XX002") => ReadError::Damaged(error.to_string()),
        _ => ReadError::Unavailable(sentence(error)),
    }
}
