//! The key store's file: whose keys it holds, and that an erased key is gone from it.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use uuid::Uuid;

use super::LOG_ID;
use crate::contract::sample::entropy;
use crate::sealing::{KeyState, KeyStore, Secret};
use crate::sqlite::{OpenError, SqliteKeyStore};

async fn open(path: &Path) -> SqliteKeyStore {
    SqliteKeyStore::open(path, LOG_ID, true, &entropy(1)).await.unwrap()
}

async fn refusal(path: &Path, log_id: Uuid) -> OpenError {
    SqliteKeyStore::open(path, log_id, false, &entropy(1)).await.err().unwrap()
}

#[tokio::test]
async fn keys_and_pepper_are_there_when_the_store_is_opened_again() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("keys.db");
    let store = open(&path).await;
    store.create(vec![("account-1".to_owned(), Secret::new([7; 32]))]).await.unwrap();
    store.erase("account-2").await.unwrap();
    let pepper = store.pepper().clone();
    store.close().await;
    let store = SqliteKeyStore::open(&path, LOG_ID, false, &entropy(2)).await.unwrap();
    assert_eq!(store.log_id(), LOG_ID);
    assert_eq!(**store.pepper(), *pepper);
    let mut states = store.keys(&["account-1".to_owned(), "account-2".to_owned()]).await.unwrap();
    states.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(matches!(&states[0].1, KeyState::Present(key) if **key == [7; 32]));
    assert!(matches!(states[1].1, KeyState::Erased));
}

#[tokio::test]
async fn a_missing_key_store_is_not_made_anew_beside_a_log_that_has_events() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("keys.db");
    let refused = refusal(&path, LOG_ID).await;
    assert!(matches!(refused, OpenError::KeysMissing { .. }), "{refused}");
    assert!(!path.exists());
    fs::write(&path, b"").unwrap();
    let refused = refusal(&path, LOG_ID).await;
    assert!(matches!(refused, OpenError::KeysMissing { .. }), "{refused}");
}

#[tokio::test]
async fn the_keys_of_another_log_are_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("keys.db");
    open(&path).await.close().await;
    let other = Uuid::from_u128(2);
    let refused = refusal(&path, other).await;
    assert!(matches!(refused, OpenError::KeysOfAnotherLog { found: LOG_ID, .. }), "{refused}");
    assert!(refused.to_string().contains("backed up with this log"), "{refused}");
}

#[tokio::test]
async fn a_log_is_not_taken_for_a_key_store() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    super::open(&path).await.close().await;
    let refused = refusal(&path, LOG_ID).await;
    assert!(matches!(refused, OpenError::Foreign { wanted: "key store", .. }), "{refused}");
}

#[tokio::test]
async fn an_erased_key_leaves_no_trace_in_the_files() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("keys.db");
    let store = open(&path).await;
    let secret = *b"this very key must be gone soon.";
    // Neighbours keep the freed bytes from being tidied away by chance.
    let neighbours = (0..40).map(|n| (format!("account-{n:02}"), Secret::new([n; 32])));
    store.create(neighbours.collect()).await.unwrap();
    store.create(vec![("account-20-gone".to_owned(), Secret::new(secret))]).await.unwrap();
    // Half a key would be a trace as well.
    let traces = || {
        let files =
            fs::read_dir(directory.path()).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
        files.filter(|bytes| bytes.windows(8).any(|part| secret.windows(8).any(|of| part == of))).count()
    };
    assert!(traces() > 0, "the key is stored");
    store.erase("account-20-gone").await.unwrap();
    assert_eq!(traces(), 0);
}

#[tokio::test]
async fn a_closed_key_store_says_so() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory.path().join("keys.db")).await;
    store.close().await;
    assert!(store.keys(&["account-1".to_owned()]).await.is_err());
    assert!(store.create(vec![]).await.is_err());
    assert!(store.erase("account-1").await.is_err());
}
