//! The event store's contract on SQLite.

use std::sync::Arc;

use tempfile::TempDir;
use uuid::Uuid;

use crate::contract::Fresh;
use crate::sqlite::{SqliteOptions, SqliteStore};
use crate::store::EventStore;

async fn fresh() -> Fresh<dyn EventStore> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let store = SqliteStore::open(&path, SqliteOptions::default(), Uuid::nil()).await.unwrap();
    Fresh::keeping(Arc::new(store), directory)
}

crate::event_store_contract!(fresh);
