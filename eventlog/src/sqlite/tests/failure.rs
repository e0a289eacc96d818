//! Commits that fail: what was not stored is said to be not stored, what was is found, and the rest goes on.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tempfile::TempDir;

use super::{LOG_ID, all, extend, open, tamper};
use crate::contract::sample::{after_events, append, event, stream};
use crate::envelope::Revision;
use crate::sqlite::{SqliteOptions, SqliteStore};
use crate::store::{Append, AppendError, Appended, EventStore};

async fn together(store: &SqliteStore, appends: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
    futures::future::join_all(appends.into_iter().map(|append| store.append(append))).await
}

fn heavy(n: u64) -> Append {
    let mut append = append(&stream("case", 1), after_events(n), n + 1, 1);
    append.events[0].payload = Bytes::from(vec![b'x'; 3000]);
    append
}

#[tokio::test]
async fn a_full_disk_refuses_appends_and_takes_them_again_when_there_is_space() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let options = SqliteOptions { max_page_count: Some(64), ..SqliteOptions::default() };
    let store = SqliteStore::open(&path, options, LOG_ID).await.unwrap();
    let mut stored = 0;
    let refused = loop {
        match store.append(heavy(stored)).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    let AppendError::Unavailable(sentence) = &refused else { panic!("{refused:?}") };
    assert!(sentence.contains("the disk is full"), "{sentence}");
    assert!(stored > 10);
    // Reading goes on, and nothing half-written shows.
    assert_eq!(all(&store).await.len() as u64, stored);
    assert_eq!(store.stream_head(&stream("case", 1)).await, Ok(Some(Revision(stored - 1))));
    assert_eq!(store.append(heavy(stored)).await, Err(refused));

    tamper(&path, "DELETE FROM event WHERE position <= 5").await;
    store.append(heavy(stored)).await.unwrap();
    assert_eq!(store.stream_head(&stream("case", 1)).await, Ok(Some(Revision(stored))));
}

#[tokio::test]
async fn a_commit_that_held_though_its_answer_was_lost_is_acknowledged() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory.path().join("events.db")).await;
    extend(&store, 0, 2).await;
    store.faults().after_commit.store(1, Ordering::SeqCst);
    let appended = store.append(append(&stream("case", 1), after_events(2), 3, 2)).await.unwrap();
    assert_eq!(appended.last_revision, Revision(3));
    assert_eq!(store.head().await, Ok(appended.last_position));
    extend(&store, 4, 2).await;
    assert_eq!(all(&store).await.len(), 6);
}

#[tokio::test]
async fn a_commit_that_broke_and_left_nothing_is_known_not_to_be_stored() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory.path().join("events.db")).await;
    extend(&store, 0, 2).await;
    store.faults().before_commit.store(1, Ordering::SeqCst);
    let lost = store.append(append(&stream("case", 1), after_events(2), 3, 1)).await;
    assert!(matches!(lost, Err(AppendError::Unavailable(_))), "{lost:?}");
    extend(&store, 2, 2).await;
    assert_eq!(all(&store).await.len(), 4);
}

#[tokio::test]
async fn a_broken_commit_that_nobody_can_look_up_has_an_unknown_outcome() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let away = directory.path().join("away.db");
    let store = open(&path).await;
    extend(&store, 0, 1).await;
    store.faults().after_commit.store(1, Ordering::SeqCst);
    fs::rename(&path, &away).unwrap();
    let unknown = store.append(append(&stream("case", 1), after_events(1), 2, 1)).await;
    assert!(matches!(unknown, Err(AppendError::OutcomeUnknown(_))), "{unknown:?}");
    // While it cannot be reached, nothing is begun.
    let refused = store.append(append(&stream("case", 2), after_events(0), 3, 1)).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    fs::rename(&away, &path).unwrap();
    // Repeated, the command finds what it did.
    let repeated = store.append(append(&stream("case", 1), after_events(1), 2, 1)).await;
    assert_eq!(repeated, Err(AppendError::Conflict { actual: Some(Revision(1)) }));
    extend(&store, 2, 1).await;
}

#[tokio::test]
async fn a_broken_commit_that_might_come_back_has_an_unknown_outcome() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let store = open(&path).await;
    extend(&store, 0, 1).await;
    // No later write proves that the broken one is gone for good.
    tamper(
        &path,
        "CREATE TRIGGER no_fence BEFORE UPDATE ON meta WHEN new.name = 'fence' \
         BEGIN SELECT RAISE(ABORT, 'refused by a test'); END",
    )
    .await;
    store.faults().before_commit.store(1, Ordering::SeqCst);
    let unknown = store.append(append(&stream("case", 1), after_events(1), 2, 1)).await;
    assert!(matches!(unknown, Err(AppendError::OutcomeUnknown(_))), "{unknown:?}");
    extend(&store, 1, 1).await;
}

#[tokio::test]
async fn an_append_that_the_database_refuses_fails_alone() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let store = open(&path).await;
    tamper(
        &path,
        "CREATE TRIGGER refuse BEFORE INSERT ON event WHEN new.type = 'Refused' \
         BEGIN SELECT RAISE(ABORT, 'refused by a test'); END",
    )
    .await;
    let mut appends =
        (0..10).map(|n| append(&stream("case", n), after_events(0), n + 1, 3)).collect::<Vec<_>>();
    appends[4].events[2].event_type = "Refused".into();
    for (n, answer) in together(&store, appends).await.into_iter().enumerate() {
        match n {
            4 => assert!(matches!(answer, Err(AppendError::Unavailable(_))), "{answer:?}"),
            _ => assert!(answer.is_ok(), "{n}: {answer:?}"),
        }
    }
    assert_eq!(all(&store).await.len(), 27);
}

#[tokio::test]
async fn a_writer_that_ignored_the_lock_is_noticed() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let store = open(&path).await;
    extend(&store, 0, 2).await;
    tamper(
        &path,
        "INSERT INTO event SELECT 3, stream, 2, x'00112233445566778899aabbccddeeff', type, version, recorded_at, \
         metadata, payload FROM event WHERE position = 2",
    )
    .await;
    let conflict = store.append(append(&stream("case", 1), after_events(2), 3, 1)).await;
    assert_eq!(conflict, Err(AppendError::Conflict { actual: Some(Revision(2)) }));
    let elsewhere = store.append(append(&stream("case", 2), after_events(0), 40, 1)).await.unwrap();
    assert_eq!(store.event_id_at(elsewhere.last_position).await, Ok(Some(event(40, 0).event_id)));
    extend(&store, 3, 1).await;
    assert_eq!(all(&store).await.len(), 5);
}

#[tokio::test]
async fn appends_larger_than_one_statement_are_stored_whole() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory.path().join("events.db")).await;
    let counts = [1, 2, 3, 255, 256, 257, 511, 512, 513, 1025];
    for (n, count) in (0..).zip(counts) {
        store.append(append(&stream("case", n), after_events(0), n + 1, count)).await.unwrap();
    }
    assert_eq!(all(&store).await.len() as u64, counts.iter().sum::<u64>());
}

#[tokio::test]
async fn appends_that_wait_together_share_a_commit() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let store = Arc::new(open(&path).await);
    let before = fs::metadata(directory.path().join("events.db-wal")).map_or(0, |side| side.len());
    let appends = (0..200).map(|n| append(&stream("case", n), after_events(0), n + 1, 1)).collect();
    assert!(together(&store, appends).await.iter().all(Result::is_ok));
    let after = fs::metadata(directory.path().join("events.db-wal")).unwrap().len();
    // Each commit writes at least four pages: the table's, two indexes', and those that split.
    assert!(after - before < 200 * 4 * 4096 / 4, "{} bytes for 200 appends", after - before);
}
