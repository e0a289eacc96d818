//! What only the PostgreSQL adapters can get wrong, and their runs of the contract suites.

mod contract;
mod failure;
mod keys;
mod knowing;
mod load;
mod lost_answers;
mod nodes;
mod opening;

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use uuid::Uuid;

use super::{PostgresOptions, PostgresStore};
use crate::contract::sample::{after_events, append, stream};
use crate::envelope::{Position, RecordedEvent};
use crate::store::EventStore;

const LOG_ID: Uuid = Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001);

/// For tests of what is stored, not of how fast the answer comes: the machine may be busy.
fn patient() -> PostgresOptions {
    let patience = Duration::from_mins(1);
    PostgresOptions { answer_within: patience, read_patience: patience, ..PostgresOptions::default() }
}

async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(url, patient(), LOG_ID).await.unwrap()
}

/// With the limits that a node runs with.
async fn open_in_haste(url: &str) -> PostgresStore {
    PostgresStore::open(url, PostgresOptions::default(), LOG_ID).await.unwrap()
}

/// What an answer in haste takes at most, and a little more for a busy machine.
fn assert_in_time(since: Instant) {
    let took = since.elapsed();
    assert!(took < Duration::from_millis(2500), "answered after {took:?}");
}

/// Appends events of commands `from..from + count` to one stream.
async fn extend(store: &PostgresStore, from: u64, count: u64) {
    for n in from..from + count {
        store.append(append(&stream("case", 1), after_events(n), n + 1, 1)).await.unwrap();
    }
}

async fn all(store: &dyn EventStore) -> Vec<RecordedEvent> {
    store.read_all(Position::START, usize::MAX).await.unwrap()
}

/// Does something to a database behind the store's back.
async fn run(url: &str, sql: &str) {
    let mut connection = url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
}

/// Ends the connections of one use, such as `dossier reader`; answers how many there were.
async fn drop_connections(url: &str, name: &str) -> usize {
    let mut connection = url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    let ended = sqlx::query(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
         WHERE application_name = $1 AND datname = current_database()",
    )
    .bind(name)
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(ended.iter().all(|row| row.get::<bool, _>(0)));
    ended.len()
}
