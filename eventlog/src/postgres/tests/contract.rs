//! The contracts of the event store and the key store on PostgreSQL.

mod event_store {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::super::patient;
    use crate::contract::Fresh;
    use crate::contract::servers::Postgres;
    use crate::postgres::PostgresStore;
    use crate::store::EventStore;

    async fn fresh() -> Fresh<dyn EventStore> {
        let url = Postgres::shared().fresh_database();
        let store = PostgresStore::open(&url, patient(), Uuid::nil()).await.unwrap();
        Fresh::new(Arc::new(store))
    }

    crate::event_store_contract!(fresh);
}

mod key_store {
    use std::sync::Arc;

    use uuid::Uuid;

    use crate::contract::servers::Postgres;
    use crate::contract::{Fresh, sample};
    use crate::postgres::PostgresKeyStore;
    use crate::sealing::KeyStore;

    async fn fresh() -> Fresh<dyn KeyStore> {
        let url = Postgres::shared().fresh_database();
        let store = PostgresKeyStore::open(&url, Uuid::nil(), true, &sample::entropy(3)).await.unwrap();
        Fresh::new(Arc::new(store))
    }

    crate::key_store_contract!(fresh);
}
