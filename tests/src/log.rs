//! Looking into the log.

use std::path::Path;

use dossier_eventlog::{EventStore, Position, RecordedEvent, SqliteStore};

/// Events read at once.
const BATCH_EVENTS: usize = 1_000;

/// Every event of a log, in order.
pub async fn all(store: &dyn EventStore) -> Vec<RecordedEvent> {
    let mut events: Vec<RecordedEvent> = Vec::new();
    loop {
        let after = events.last().map_or(Position::START, |event| event.position);
        let batch = store.read_all(after, BATCH_EVENTS).await.expect("a log that can be read");
        if batch.is_empty() {
            return events;
        }
        events.extend(batch);
    }
}

/// Every event of the log in a data directory, opened for reading only.
pub async fn of_data(data: &Path) -> Vec<RecordedEvent> {
    let store = SqliteStore::open_read_only(&data.join("events.db")).await.expect("a log");
    let events = all(&store).await;
    store.close().await;
    events
}
