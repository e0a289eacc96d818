//! Looking into the log.

use std::path::Path;

use dossier_eventlog::{EventStore, Position, RecordedEvent, SqliteStore};

/// Events of a filing: the case, where it was routed, and the promise to answer with its clock.
pub const FILING_EVENTS: usize = 4;

/// Whether an event is about who has a case, when they answer, and what timers record, and not about what was said and
/// done: it comes along with other events, or with the time.
pub fn comes_along(event: &RecordedEvent) -> bool {
    ["CaseRouted", "ReopenWindowEnded"].contains(&&*event.event_type)
        || event.event_type.starts_with("Response")
}

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
