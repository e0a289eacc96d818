//! The raw limit: one bare SQLite writer that commits in groups, synchronous=FULL, the same rows, no checks.

use std::path::Path;
use std::sync::mpsc;

use dossier_eventlog::NewEvent;
use rusqlite::{Connection, params};
use tokio::sync::oneshot;

type Ask = (Vec<NewEvent>, u64, oneshot::Sender<()>);

/// A handle on the writer; clones share it.
#[derive(Clone)]
pub(crate) struct RawWriter {
    sender: mpsc::Sender<Ask>,
}

impl RawWriter {
    pub(crate) fn start(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
                 CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, revision INTEGER NOT NULL,
                     event_id BLOB NOT NULL, type TEXT NOT NULL, version INTEGER NOT NULL, recorded_at INTEGER NOT NULL,
                     payload BLOB NOT NULL, metadata BLOB NOT NULL) STRICT;
                 CREATE UNIQUE INDEX by_stream ON events (stream, revision);
                 CREATE UNIQUE INDEX by_id ON events (event_id);",
            )
            .unwrap();
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || write(&connection, &receiver));
        Self { sender }
    }

    /// Appends durably.
    pub(crate) async fn append(&self, stream: u64, events: Vec<NewEvent>) {
        let (done, committed) = oneshot::channel();
        self.sender.send((events, stream, done)).unwrap();
        committed.await.unwrap();
    }
}

fn write(connection: &Connection, receiver: &mpsc::Receiver<Ask>) {
    let mut position = 0_i64;
    while let Ok(first) = receiver.recv() {
        let mut batch = vec![first];
        while batch.len() < 512 {
            match receiver.try_recv() {
                Ok(next) => batch.push(next),
                Err(_) => break,
            }
        }
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut insert = connection
            .prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
            .unwrap();
        for (events, stream, _) in &batch {
            for event in events {
                position += 1;
                insert
                    .execute(params![
                        position,
                        format!("case-{stream}"),
                        position,
                        event.event_id.0.as_bytes(),
                        &*event.event_type,
                        event.version,
                        event.recorded_at.as_microsecond(),
                        &event.payload[..],
                        &event.metadata[..],
                    ])
                    .unwrap();
            }
        }
        drop(insert);
        connection.execute_batch("COMMIT").unwrap();
        for (.., done) in batch {
            let _ = done.send(());
        }
    }
}

/// Reads every payload of a log, and answers how many there were.
pub(crate) fn scan(path: &Path, stream: Option<&str>) -> u64 {
    let connection = Connection::open(path).unwrap();
    let sql = match stream {
        None => "SELECT position, revision, recorded_at, payload, metadata FROM event ORDER BY position",
        Some(_) => {
            "SELECT position, revision, recorded_at, payload, metadata FROM event WHERE stream = ?1 ORDER BY revision"
        }
    };
    let mut statement = connection.prepare(sql).unwrap();
    let mut rows = match stream {
        None => statement.query([]).unwrap(),
        Some(stream) => statement.query([stream]).unwrap(),
    };
    let (mut count, mut bytes) = (0, 0);
    while let Some(row) = rows.next().unwrap() {
        bytes += row.get_ref(3).unwrap().as_blob().unwrap().len()
            + row.get_ref(4).unwrap().as_blob().unwrap().len();
        count += 1;
    }
    assert!(bytes > 0);
    count
}
