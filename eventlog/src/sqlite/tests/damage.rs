//! Torn writes: what reopens is a clean prefix of what was written, or a sentence.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{LOG_ID, all, extend, open};
use crate::envelope::Position;
use crate::sqlite::{OpenError, SqliteOptions, SqliteStore};
use crate::store::EventStore;

const EVENTS: u64 = 30;

/// The files of a log as a crash leaves them, after each append: the database, and the write-ahead log.
async fn crashed() -> (Vec<u8>, Vec<u8>, Vec<crate::envelope::RecordedEvent>) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let store = open(&path).await;
    extend(&store, 0, EVENTS).await;
    let log = all(&store).await;
    let side = fs::read(directory.path().join("events.db-wal")).unwrap();
    assert!(side.len() > 20 * 4096, "the events are in the write-ahead log");
    (fs::read(&path).unwrap(), side, log)
}

fn lay_out(directory: &Path, database: &[u8], side: &[u8]) -> std::path::PathBuf {
    let path = directory.join("events.db");
    fs::write(&path, database).unwrap();
    fs::write(directory.join("events.db-wal"), side).unwrap();
    path
}

async fn reopens_with_a_clean_prefix(
    database: &[u8],
    side: &[u8],
    log: &[crate::envelope::RecordedEvent],
) -> usize {
    let directory = TempDir::new().unwrap();
    let path = lay_out(directory.path(), database, side);
    // However much is lost: the file knows which log it is, and does not take the id of a new one.
    let store = SqliteStore::open(&path, SqliteOptions::default(), uuid::Uuid::nil()).await.unwrap();
    assert_eq!(store.log_id(), LOG_ID);
    let found = all(&store).await;
    assert_eq!(found, log[..found.len()], "a prefix, event by event");
    let kept = found.len() as u64;
    assert_eq!(store.head().await, Ok(found.last().map_or(Position::START, |last| last.position)));
    // What was lost can be written again, with the same ids.
    extend(&store, kept, EVENTS - kept + 1).await;
    store.close().await;
    assert_eq!(all(&open(&path).await).await.len() as u64, EVENTS + 1);
    found.len()
}

#[tokio::test]
async fn a_write_ahead_log_cut_anywhere_reopens_with_a_clean_prefix() {
    let (database, side, log) = crashed().await;
    let mut longest = 0;
    for cut in (0..=20).map(|n| side.len() * n / 20) {
        let kept = reopens_with_a_clean_prefix(&database, &side[..cut], &log).await;
        assert!(kept >= longest, "a longer file keeps no less");
        longest = kept;
    }
    assert_eq!(longest as u64, EVENTS, "the whole file keeps everything");
    let last_frame_torn = reopens_with_a_clean_prefix(&database, &side[..side.len() - 100], &log).await;
    assert_eq!(last_frame_torn as u64, EVENTS - 1, "only the torn write is lost");
}

#[tokio::test]
async fn a_garbled_write_ahead_log_reopens_with_a_clean_prefix() {
    let (database, side, log) = crashed().await;
    for at in (1..20).map(|n| side.len() * n / 20) {
        let mut garbled = side.clone();
        for byte in garbled.iter_mut().skip(at).take(64) {
            *byte ^= 0xa5;
        }
        let kept = reopens_with_a_clean_prefix(&database, &garbled, &log).await;
        assert!((kept as u64) < EVENTS);
    }
}

#[tokio::test]
async fn a_torn_database_that_was_not_closed_is_refused_with_a_sentence() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("events.db");
    let store = open(&path).await;
    extend(&store, 0, 200).await;
    store.close().await;
    // As if it had been copied while it was open: the mark of a clean end is missing.
    super::tamper(&path, "UPDATE meta SET value = x'00' WHERE name = 'closed_cleanly'").await;
    let mut torn = fs::read(&path).unwrap();
    let page = torn.len() / 2 / 4096 * 4096;
    torn[page..page + 4096].fill(0xa5);
    fs::write(&path, &torn).unwrap();
    let refused = SqliteStore::open(&path, SqliteOptions::default(), LOG_ID).await.err().unwrap();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains("restore it from the last backup"), "{refused}");
}
