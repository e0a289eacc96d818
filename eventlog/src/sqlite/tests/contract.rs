//! The contracts of the event store and the key store on SQLite.

mod event_store {
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
}

mod key_store {
    use std::sync::Arc;

    use tempfile::TempDir;
    use uuid::Uuid;

    use crate::contract::{Fresh, sample};
    use crate::sealing::KeyStore;
    use crate::sqlite::SqliteKeyStore;

    async fn fresh() -> Fresh<dyn KeyStore> {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("keys.db");
        let store = SqliteKeyStore::open(&path, Uuid::nil(), true, &sample::entropy(3)).await.unwrap();
        Fresh::keeping(Arc::new(store), directory)
    }

    crate::key_store_contract!(fresh);
}
