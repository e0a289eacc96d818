//! What only the SQLite adapter can get wrong, and its runs of the contract suites.

mod contract;
mod damage;
mod failure;
mod keys;
mod model;
mod opening;

use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions, Connection};
use uuid::Uuid;

use super::open::connect_options;
use super::{SqliteOptions, SqliteStore};
use crate::contract::sample::{after_events, append, stream};
use crate::envelope::{Position, RecordedEvent};
use crate::store::EventStore;

/// Failures that no test can make the disk produce on demand.
#[derive(Default)]
pub(super) struct Faults {
    before_commit: AtomicU8,
    after_commit: AtomicU8,
}

impl Faults {
    pub(super) fn before_commit(&self) -> Result<(), sqlx::Error> {
        Self::strike(&self.before_commit)
    }

    pub(super) fn after_commit(&self) -> Result<(), sqlx::Error> {
        Self::strike(&self.after_commit)
    }

    fn strike(fault: &AtomicU8) -> Result<(), sqlx::Error> {
        let armed = fault.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |times| times.checked_sub(1));
        if armed.is_ok() { Err(sqlx::Error::Io(std::io::Error::other("injected"))) } else { Ok(()) }
    }
}

const LOG_ID: Uuid = Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001);

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, SqliteOptions::default(), LOG_ID).await.unwrap()
}

/// Appends events of commands `from..from + count` to one stream.
async fn extend(store: &SqliteStore, from: u64, count: u64) {
    for n in from..from + count {
        store.append(append(&stream("case", 1), after_events(n), n + 1, 1)).await.unwrap();
    }
}

async fn all(store: &dyn EventStore) -> Vec<RecordedEvent> {
    store.read_all(Position::START, usize::MAX).await.unwrap()
}

/// Does something to a database behind the store's back.
async fn tamper(path: &Path, sql: &'static str) {
    let mut connection: SqliteConnection = connect_options(path).connect().await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
