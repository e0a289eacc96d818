//! The contract of the event store.

use std::sync::Arc;

use dossier_eventlog::EventStore;
use dossier_eventlog::contract::Fresh;
use dossier_kurrentdb_double::Double;

use crate::harness::node;

async fn fresh() -> Fresh<dyn EventStore> {
    let double = Double::started().await;
    let store: Arc<dyn EventStore> = node(&double).await;
    Fresh::keeping(store, double)
}

dossier_eventlog::event_store_contract!(fresh);
