//! A double and stores on it.

use std::sync::Arc;
use std::time::Duration;

use dossier_eventlog::{EventStore, KurrentOptions, KurrentStore, RecordedEvent};
use dossier_kurrentdb_double::Double;
use tokio::time::Instant;
use uuid::Uuid;

/// For what must happen, on however busy a machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// One more node on a server; it has time on however busy a machine.
pub(crate) async fn node(double: &Double) -> Arc<KurrentStore> {
    let patient =
        KurrentOptions { append_timeout: PATIENCE / 2, read_timeout: PATIENCE, ..KurrentOptions::default() };
    Arc::new(open(double, patient).await)
}

/// One more node on a server, with the bounds of production.
pub(crate) async fn hasty_node(double: &Double) -> Arc<KurrentStore> {
    Arc::new(open(double, KurrentOptions::default()).await)
}

pub(crate) async fn open(double: &Double, options: KurrentOptions) -> KurrentStore {
    KurrentStore::open(&double.url(), options, Uuid::from_u64_pair(7, 7)).await.expect("the double runs")
}

/// Every event of the log.
pub(crate) async fn all(store: &dyn EventStore) -> Vec<RecordedEvent> {
    store.read_all(dossier_eventlog::Position::START, usize::MAX).await.expect("readable")
}

/// Returns when something holds.
pub(crate) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let give_up = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < give_up, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
