//! The key store: whose keys it holds, that nodes agree on them, and that an erasure reaches every node.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{LOG_ID, drop_connections, run};
use crate::contract::sample::entropy;
use crate::contract::servers::Postgres;
use crate::postgres::{PostgresKeyStore, PostgresOpenError};
use crate::sealing::{KeyState, KeyStore, Opened, Sealer, Secret};

async fn open(url: &str) -> Arc<PostgresKeyStore> {
    Arc::new(PostgresKeyStore::open(url, LOG_ID, true, &entropy(1)).await.unwrap())
}

async fn refusal(url: &str, log_id: Uuid, create: bool) -> PostgresOpenError {
    PostgresKeyStore::open(url, log_id, create, &entropy(1)).await.err().unwrap()
}

#[tokio::test]
async fn keys_and_pepper_are_there_when_the_store_is_opened_again() {
    let url = Postgres::shared().fresh_database();
    let store = open(&url).await;
    store.create(vec![("account-1".to_owned(), Secret::new([7; 32]))]).await.unwrap();
    store.erase("account-2").await.unwrap();
    let pepper = store.pepper().clone();
    store.close().await;
    let store = PostgresKeyStore::open(&url, LOG_ID, false, &entropy(2)).await.unwrap();
    assert_eq!(store.log_id(), LOG_ID);
    assert_eq!(**store.pepper(), *pepper);
    let mut states = store.keys(&["account-1".to_owned(), "account-2".to_owned()]).await.unwrap();
    states.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(matches!(&states[0].1, KeyState::Present(key) if **key == [7; 32]));
    assert!(matches!(states[1].1, KeyState::Erased));
}

#[tokio::test]
async fn a_missing_key_store_is_not_made_anew_beside_a_log_that_has_events() {
    let url = Postgres::shared().fresh_database();
    // The log is there, and even a schema of that name.
    super::open(&url).await.close().await;
    for sql in ["SELECT 1", "CREATE SCHEMA dossier_keys"] {
        run(&url, sql).await;
        let refused = refusal(&url, LOG_ID, false).await;
        assert!(matches!(refused, PostgresOpenError::KeysMissing { .. }), "{refused}");
    }
    open(&url).await.close().await;
    run(&url, "DELETE FROM dossier_keys.meta").await;
    let refused = refusal(&url, LOG_ID, false).await;
    assert!(matches!(refused, PostgresOpenError::KeysMissing { .. }), "{refused}");
}

#[tokio::test]
async fn the_keys_of_another_log_are_refused() {
    let url = Postgres::shared().fresh_database();
    open(&url).await.close().await;
    for create in [false, true] {
        let refused = refusal(&url, Uuid::from_u128(2), create).await;
        assert!(matches!(refused, PostgresOpenError::KeysOfAnotherLog { found: LOG_ID, .. }), "{refused}");
        assert!(refused.to_string().contains("backed up with this log"), "{refused}");
    }
}

#[tokio::test]
async fn nodes_that_make_the_store_at_once_share_one_pepper() {
    let url = Postgres::shared().fresh_database();
    let entropies = (1..=5).map(entropy).collect::<Vec<_>>();
    let opened = entropies.iter().map(|entropy| PostgresKeyStore::open(&url, LOG_ID, true, entropy));
    let peppers = join_all(opened).await.into_iter().map(|store| store.unwrap().pepper().clone());
    let peppers = peppers.collect::<Vec<_>>();
    assert!(peppers.iter().all(|pepper| **pepper == *peppers[0]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_make_the_keys_of_the_same_subjects_at_once_agree() {
    let url = Postgres::shared().fresh_database();
    let nodes = [open(&url).await, open(&url).await, open(&url).await];
    for round in 0..10 {
        let created = nodes.iter().zip([1, 2, 3]).map(|(node, byte)| {
            // In orders that would make them wait for each other.
            let mut subjects = (0..50).map(|n| format!("account-{round}-{n}")).collect::<Vec<_>>();
            if byte == 2 {
                subjects.reverse();
            }
            node.create(subjects.into_iter().map(|subject| (subject, Secret::new([byte; 32]))).collect())
        });
        let mut held = vec![];
        for created in join_all(created).await {
            let mut states = created.unwrap();
            states.sort_by(|one, other| one.0.cmp(&other.0));
            let keys = states.iter().map(|(_, state)| match state {
                KeyState::Present(key) => key[0],
                KeyState::Erased => 0,
            });
            held.push(keys.collect::<Vec<_>>());
        }
        assert_eq!(held[0].len(), 50);
        assert!(held.iter().all(|keys| *keys == held[0] && !keys.contains(&0)), "{held:?}");
    }
}

async fn opens_as_erased(sealer: &Sealer, subject: &str, sealed: &[u8]) {
    let erased = async {
        loop {
            sealer.prepare_open(&[subject.to_owned()]).await.unwrap();
            match sealer.open(subject, sealed).unwrap() {
                Opened::Erased => return,
                Opened::Plain(_) => sleep(Duration::from_millis(5)).await,
            }
        }
    };
    timeout(Duration::from_secs(20), erased).await.expect("the other node is told of the erasure");
}

async fn seals(sealer: &Sealer, subject: &str) -> Vec<u8> {
    sealer.prepare_seal(&[subject.to_owned()]).await.unwrap();
    sealer.seal(subject, b"Ada").unwrap()
}

#[tokio::test]
async fn an_erasure_by_another_node_ends_the_use_of_the_key_here() {
    let url = Postgres::shared().fresh_database();
    let (here, there) = (open(&url).await, open(&url).await);
    let sealer = Sealer::new(here, entropy(1));
    let (first, second) = (seals(&sealer, "account-1").await, seals(&sealer, "account-2").await);
    let other = Sealer::new(there, entropy(2));
    other.erase("account-1").await.unwrap();
    opens_as_erased(&sealer, "account-1", &first).await;
    assert_eq!(sealer.open("account-2", &second), Ok(Opened::Plain(b"Ada".to_vec())));
    // One too long to be told by name.
    let long = "a".repeat(5000);
    let sealed = seals(&sealer, &long).await;
    other.erase(&long).await.unwrap();
    opens_as_erased(&sealer, &long, &sealed).await;
}

#[tokio::test]
async fn an_erasure_that_was_missed_is_noticed_when_the_connection_is_back() {
    let url = Postgres::shared().fresh_database();
    let sealer = Sealer::new(open(&url).await, entropy(1));
    let sealed = seals(&sealer, "account-1").await;
    // Nobody tells of this one.
    run(&url, "UPDATE dossier_keys.subject_key SET key = NULL").await;
    assert!(drop_connections(&url, "dossier listener").await > 0);
    opens_as_erased(&sealer, "account-1", &sealed).await;
}

#[tokio::test]
async fn keys_survive_that_the_server_drops_the_connections() {
    let url = Postgres::shared().fresh_database();
    let store = open(&url).await;
    store.create(vec![("account-1".to_owned(), Secret::new([7; 32]))]).await.unwrap();
    assert!(drop_connections(&url, "dossier keys").await > 0);
    assert_eq!(store.keys(&["account-1".to_owned()]).await.unwrap().len(), 1);
    assert!(drop_connections(&url, "dossier keys").await > 0);
    store.erase("account-1").await.unwrap();
}

#[tokio::test]
async fn a_closed_key_store_says_so() {
    let url = Postgres::shared().fresh_database();
    let store = open(&url).await;
    store.close().await;
    assert!(store.keys(&["account-1".to_owned()]).await.is_err());
    assert!(store.create(vec![]).await.is_err());
    assert!(store.erase("account-1").await.is_err());
}
