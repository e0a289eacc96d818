//! Opening: what is ours, what is not, and what each refusal tells the operator.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use uuid::Uuid;

use super::{LOG_ID, all, extend, open, tamper};
use crate::contract::sample::{after_events, append, event, stream};
use crate::envelope::{Position, Revision};
use crate::sqlite::{OpenError, SqliteOptions, SqliteStore};
use crate::store::{AppendError, EventStore, Expected};

async fn refusal(path: &Path) -> OpenError {
    match SqliteStore::open(path, SqliteOptions::default(), LOG_ID).await {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_log_keeps_its_id_and_its_events_when_it_is_opened_again() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let store = open(&path).await;
    assert_eq!(store.log_id(), LOG_ID);
    extend(&store, 0, 5).await;
    let before = all(&store).await;
    store.close().await;

    let store = SqliteStore::open(&path, SqliteOptions::default(), Uuid::nil()).await.unwrap();
    assert_eq!(store.log_id(), LOG_ID);
    assert_eq!(all(&store).await, before);
    assert_eq!(store.head().await, Ok(before[4].position));
    assert_eq!(*store.watch_head().borrow(), before[4].position);
    extend(&store, 5, 1).await;
}

/// What is asked for again after a start is answered from memory, and never lags behind what was stored.
#[tokio::test]
async fn the_head_of_a_stream_that_was_read_is_known_and_follows_what_is_appended() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let store = open(&path).await;
    extend(&store, 0, 8).await;
    store.close().await;
    let store = open(&path).await;
    let case = stream("case", 1);
    let head = store.stream_head(&case).await.unwrap().unwrap();
    assert_eq!(store.known_head(&case), Some(head));
    let appended = append(&case, Expected::Exact(head), 90, 1);
    store.append(appended).await.unwrap();
    assert_eq!(store.stream_head(&case).await, Ok(Some(head.next())));
}

#[tokio::test]
async fn a_second_opening_is_refused_until_the_first_is_closed() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let first = open(&path).await;
    let refused = refusal(&path).await;
    assert!(matches!(refused, OpenError::Locked { .. }), "{refused}");
    assert!(refused.to_string().contains("another process"), "{refused}");
    first.close().await;
    open(&path).await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let text = "Dear diary, ".repeat(1000);
    fs::write(&path, &text).unwrap();
    let refused = refusal(&path).await;
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_database_of_another_application_is_refused_and_left_alone() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    {
        use sqlx::{ConnectOptions, Connection};
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        sqlx::query("CREATE TABLE diary (entry TEXT)").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
    let before = fs::read(&path).unwrap();
    let refused = refusal(&path).await;
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_log_of_a_later_release_is_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    open(&path).await.close().await;
    tamper(&path, "PRAGMA user_version = 99").await;
    let refused = refusal(&path).await;
    assert!(matches!(refused, OpenError::NewerSchema { found: 99, known: 1, .. }), "{refused}");
    assert!(refused.to_string().contains("start the release"), "{refused}");
}

#[tokio::test]
async fn a_directory_that_does_not_exist_is_told_in_one_sentence() {
    let directory = TempDir::new().unwrap();
    let refused = refusal(&directory.path().join("missing/events.db")).await;
    assert!(matches!(refused, OpenError::Unavailable { .. }), "{refused}");
    assert!(!refused.to_string().contains('\n'));
}

#[tokio::test]
async fn a_reader_reads_beside_the_writer_and_never_appends() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let missing = SqliteStore::open_read_only(&path).await.err().unwrap();
    assert!(matches!(missing, OpenError::NoLog { .. }), "{missing}");
    let writer = open(&path).await;
    extend(&writer, 0, 3).await;
    let reader = SqliteStore::open_read_only(&path).await.unwrap();
    assert_eq!(reader.log_id(), LOG_ID);
    extend(&writer, 3, 1).await;
    assert_eq!(all(&reader).await, all(&writer).await);
    assert_eq!(reader.head().await, writer.head().await);
    assert_eq!(reader.stream_head(&stream("case", 1)).await, Ok(Some(Revision(3))));
    let refused = reader.append(append(&stream("case", 1), after_events(4), 9, 1)).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    reader.close().await;
    writer.close().await;
    let alone = SqliteStore::open_read_only(&path).await.unwrap();
    assert_eq!(all(&alone).await.len(), 4);
}

#[tokio::test]
async fn what_is_queued_when_the_store_closes_is_stored_and_what_comes_later_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let store = Arc::new(open(&path).await);
    let queued = (0..50).map(|n| {
        let store = Arc::clone(&store);
        async move { store.append(append(&stream("case", n), after_events(0), n + 1, 1)).await }
    });
    let (answers, ()) = tokio::join!(futures::future::join_all(queued), store.close());
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let late = store.append(append(&stream("late", 1), after_events(0), 99, 1)).await;
    assert!(matches!(late, Err(AppendError::Unavailable(_))), "{late:?}");
    assert_eq!(all(&open(&path).await).await.len(), 50);
}

#[test]
fn a_killed_process_loses_nothing_that_was_acknowledged() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let acknowledged = Arc::new(Mutex::new(vec![]));
    for life in 0..3 {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let store = Arc::new(runtime.block_on(open(&path)));
        let stored =
            runtime.block_on(all(&*store)).into_iter().map(|event| event.event_id).collect::<Vec<_>>();
        for id in acknowledged.lock().unwrap().iter() {
            assert!(stored.contains(id), "{id} was acknowledged and is gone");
        }
        for task in 0..8 {
            let (store, acknowledged) = (Arc::clone(&store), Arc::clone(&acknowledged));
            runtime.spawn(async move {
                let stream = stream("case", life * 8 + task);
                for n in 0.. {
                    let command = (life * 8 + task) * 1_000_000 + n;
                    store.append(append(&stream, after_events(n), command, 1)).await.unwrap();
                    acknowledged.lock().unwrap().push(event(command, 0).event_id);
                }
            });
        }
        while acknowledged.lock().unwrap().len() < (usize::try_from(life).unwrap() + 1) * 200 {
            std::thread::yield_now();
        }
        // The writer ends in the middle of whatever it does.
        runtime.shutdown_background();
        drop(store);
        // The lock is gone when the last task is; a real kill takes it at once.
        while std::fs::File::open(directory.path().join("events.db.lock")).unwrap().try_lock().is_err() {
            std::thread::yield_now();
        }
    }
}

#[tokio::test]
async fn an_abandoned_creation_is_begun_again() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    fs::write(&path, b"").unwrap();
    let store = open(&path).await;
    assert_eq!(store.head().await, Ok(Position::START));
    extend(&store, 0, 1).await;
}
