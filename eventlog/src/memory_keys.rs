//! A key store in memory, for tests.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use uuid::Uuid;

use crate::sealing::{KeyState, KeyStore, SealError, Secret};

/// Keys that live as long as the value.
pub struct MemoryKeyStore {
    log_id: Uuid,
    pepper: Secret,
    keys: Mutex<HashMap<String, KeyState>>,
}

impl MemoryKeyStore {
    /// An empty key store of a log.
    pub fn new(log_id: Uuid, pepper: Secret) -> Self {
        Self { log_id, pepper, keys: Mutex::default() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, KeyState>> {
        self.keys.lock().expect("no holder of the lock panics")
    }
}

#[async_trait]
impl KeyStore for MemoryKeyStore {
    fn log_id(&self) -> Uuid {
        self.log_id
    }

    fn pepper(&self) -> &Secret {
        &self.pepper
    }

    async fn keys(&self, subjects: &[String]) -> Result<Vec<(String, KeyState)>, SealError> {
        let keys = self.lock();
        Ok(subjects
            .iter()
            .filter_map(|subject| Some((subject.clone(), keys.get(subject)?.clone())))
            .collect())
    }

    async fn create(&self, new: Vec<(String, Secret)>) -> Result<Vec<(String, KeyState)>, SealError> {
        let mut keys = self.lock();
        Ok(new
            .into_iter()
            .map(|(subject, key)| {
                let state = keys.entry(subject.clone()).or_insert(KeyState::Present(key)).clone();
                (subject, state)
            })
            .collect())
    }

    async fn erase(&self, subject: &str) -> Result<(), SealError> {
        self.lock().insert(subject.to_owned(), KeyState::Erased);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use super::*;
    use crate::contract::Fresh;

    fn fresh() -> Ready<Fresh<dyn KeyStore>> {
        ready(Fresh::new(Arc::new(MemoryKeyStore::new(Uuid::nil(), Secret::new([9; 32])))))
    }

    crate::key_store_contract!(fresh);
}
