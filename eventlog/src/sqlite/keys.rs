//! The key store of the embedded profile: a file of its own, so that it is backed up apart from the log.
//!
//! One task writes and shares each durable write among all callers that wait. An erased key leaves no trace in the
//! file: its bytes are overwritten and the write-ahead log is emptied before the erasure is answered.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::open::{
    Found, KEYS_APPLICATION_ID, Kind, OpenError, connect_options, create_schema, explain, inspect, log_id,
    meta, quick_check, writer_options,
};
use super::recovery::sentence;
use crate::sealing::{Entropy, KeyState, KeyStore, SealError, Secret};

const KEYS: Kind = Kind { name: "key store", application_id: KEYS_APPLICATION_ID, schema_version: 1 };

/// A subject without a key was erased.
const SCHEMA: &[&str] =
    &["CREATE TABLE subject_key (subject TEXT PRIMARY KEY, key BLOB) STRICT, WITHOUT ROWID"];

/// Callers that may wait for the writer.
const QUEUE: usize = 256;
/// Callers that share one durable write.
const BATCH: usize = 64;
/// Tries to empty the write-ahead log after an erasure, while readers are in the way.
const TRUNCATE_TRIES: u32 = 40;
const TRUNCATE_PAUSE: Duration = Duration::from_millis(50);

/// Keys in one SQLite file.
pub struct SqliteKeyStore {
    log_id: Uuid,
    pepper: Secret,
    reads: SqlitePool,
    queue: mpsc::Sender<Work>,
    closing: CancellationToken,
    done: CancellationToken,
}

enum Work {
    Create(Vec<(String, Secret)>, oneshot::Sender<Result<Vec<(String, KeyState)>, SealError>>),
    Erase(String, oneshot::Sender<Result<(), SealError>>),
}

impl SqliteKeyStore {
    /// Opens the keys of a log. With `create`, a missing store is made with a pepper from `entropy`; without, it is an
    /// error: pass `create` only when the log has no event. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`], one sentence that says what to do; [`OpenError::KeysMissing`] and
    /// [`OpenError::KeysOfAnotherLog`] among them.
    pub async fn open(path: &Path, log_id: Uuid, create: bool, entropy: &Entropy) -> Result<Self, OpenError> {
        let missing = || OpenError::KeysMissing { path: path.to_owned() };
        if !create && !path.exists() {
            return Err(missing());
        }
        // A write-ahead log that was left behind tells of a process that was killed.
        let killed = std::fs::metadata(side_file(path)).is_ok_and(|side| side.len() > 0);
        let options = writer_options(path).create_if_missing(create).pragma("secure_delete", "ON");
        let (mut connection, found) = inspect(path, &options, &KEYS).await?;
        match found {
            Found::Empty if !create => return Err(missing()),
            Found::Empty => {
                let mut pepper = Zeroizing::new([0; 32]);
                entropy(&mut pepper[..]);
                let meta = [("log_id", log_id.as_bytes().to_vec()), ("pepper", pepper.to_vec())];
                create_schema(&mut connection, &KEYS, SCHEMA, &meta)
                    .await
                    .map_err(|error| explain(path, &KEYS, &error))?;
            }
            Found::Ours if killed => quick_check(&mut connection, path, &KEYS).await?,
            Found::Ours => {}
        }
        let found = self::log_id(&mut connection, path, &KEYS).await?;
        if found != log_id {
            return Err(OpenError::KeysOfAnotherLog { path: path.to_owned(), found, wanted: log_id });
        }
        let pepper = Zeroizing::new(meta(&mut connection, path, &KEYS, "pepper").await?);
        let pepper: [u8; 32] = pepper.as_slice().try_into().map_err(|_| OpenError::Damaged {
            path: path.to_owned(),
            detail: "its pepper is cut".to_owned(),
        })?;
        let reads = SqlitePoolOptions::new()
            .max_connections(2)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(connect_options(path).read_only(true));
        let (queue, work) = mpsc::channel(QUEUE);
        let (closing, done) = (CancellationToken::new(), CancellationToken::new());
        let writer = Writer { options: options.create_if_missing(false), connection: Some(connection) };
        tokio::spawn(writer.run(work, reads.clone(), closing.clone(), done.clone()));
        Ok(Self { log_id, pepper: Zeroizing::new(pepper), reads, queue, closing, done })
    }

    /// Finishes what is queued and lets go of the file; later calls answer [`SealError::Unavailable`].
    pub async fn close(&self) {
        self.closing.cancel();
        self.done.cancelled().await;
    }

    async fn ask<T>(
        &self,
        work: impl FnOnce(oneshot::Sender<Result<T, SealError>>) -> Work,
    ) -> Result<T, SealError> {
        let closed = || SealError::Unavailable("the key store is closed".to_owned());
        let (answer, answered) = oneshot::channel();
        self.queue.send(work(answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

#[async_trait]
impl KeyStore for SqliteKeyStore {
    fn log_id(&self) -> Uuid {
        self.log_id
    }

    fn pepper(&self) -> &Secret {
        &self.pepper
    }

    async fn keys(&self, subjects: &[String]) -> Result<Vec<(String, KeyState)>, SealError> {
        states(&self.reads, subjects).await.map_err(|error| unavailable(&error))
    }

    async fn create(&self, keys: Vec<(String, Secret)>) -> Result<Vec<(String, KeyState)>, SealError> {
        self.ask(|answer| Work::Create(keys, answer)).await
    }

    async fn erase(&self, subject: &str) -> Result<(), SealError> {
        self.ask(|answer| Work::Erase(subject.to_owned(), answer)).await
    }
}

struct Writer {
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
}

impl Writer {
    async fn run(
        mut self,
        mut queue: mpsc::Receiver<Work>,
        reads: SqlitePool,
        closing: CancellationToken,
        done: CancellationToken,
    ) {
        let _done = done.drop_guard();
        loop {
            let mut batch = vec![];
            tokio::select! {
                biased;
                () = closing.cancelled(), if !queue.is_closed() => {
                    queue.close();
                    continue;
                }
                taken = queue.recv_many(&mut batch, BATCH) => if taken == 0 { break },
            }
            let stored = self.store(&batch).await;
            if stored.is_err() {
                // Whatever is wrong with the connection, the next batch begins with a new one.
                self.connection = None;
            }
            for work in batch {
                self.answer(work, stored.as_ref().copied().map_err(unavailable)).await;
            }
        }
        reads.close().await;
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the key store was not closed cleanly");
        }
    }

    /// Stores a batch in one transaction. Doing it twice changes nothing, so a broken commit needs no look-up.
    async fn store(&mut self, batch: &[Work]) -> Result<(), sqlx::Error> {
        let connection = self.connected().await?;
        connection.execute("BEGIN IMMEDIATE").await?;
        let mut erased = false;
        for work in batch {
            match work {
                Work::Create(keys, _) => {
                    for (subject, key) in keys {
                        sqlx::query(
                            "INSERT INTO subject_key (subject, key) VALUES (?, ?) ON CONFLICT DO NOTHING",
                        )
                        .bind(subject.as_str())
                        .bind(key.as_slice())
                        .execute(&mut *connection)
                        .await?;
                    }
                }
                Work::Erase(subject, _) => {
                    erased = true;
                    sqlx::query(
                        "INSERT INTO subject_key (subject, key) VALUES (?, NULL) \
                         ON CONFLICT (subject) DO UPDATE SET key = NULL",
                    )
                    .bind(subject.as_str())
                    .execute(&mut *connection)
                    .await?;
                }
            }
        }
        connection.execute("COMMIT").await?;
        if erased { empty_write_ahead_log(connection).await } else { Ok(()) }
    }

    async fn answer(&mut self, work: Work, stored: Result<(), SealError>) {
        // Nobody may be waiting any more; what is stored is stored.
        match (work, stored) {
            (Work::Create(_, answer), Err(error)) => drop(answer.send(Err(error))),
            (Work::Erase(_, answer), stored) => drop(answer.send(stored)),
            (Work::Create(keys, answer), Ok(())) => {
                let subjects = keys.into_iter().map(|(subject, _)| subject).collect::<Vec<_>>();
                let states = match self.connected().await {
                    Ok(connection) => states(connection, &subjects).await,
                    Err(error) => Err(error),
                };
                drop(answer.send(states.map_err(|error| unavailable(&error))));
            }
        }
    }

    async fn connected(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        if self.connection.is_none() {
            self.connection = Some(self.options.connect().await?);
        }
        self.connection.as_mut().ok_or(sqlx::Error::WorkerCrashed)
    }
}

async fn states<'e>(
    executor: impl Executor<'e, Database = sqlx::Sqlite>,
    subjects: &[String],
) -> Result<Vec<(String, KeyState)>, sqlx::Error> {
    let names = serde_json::to_string(subjects).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let rows =
        sqlx::query("SELECT subject, key FROM subject_key WHERE subject IN (SELECT value FROM json_each(?))")
            .bind(names)
            .fetch_all(executor)
            .await?;
    rows.iter()
        .map(|row| {
            let state = match row.try_get::<Option<&[u8]>, _>(1)? {
                None => KeyState::Erased,
                Some(key) => {
                    let key = <[u8; 32]>::try_from(key).map_err(|error| sqlx::Error::Decode(error.into()))?;
                    KeyState::Present(Zeroizing::new(key))
                }
            };
            Ok((row.try_get(0)?, state))
        })
        .collect()
}

/// Moves everything into the file and cuts the write-ahead log to nothing, so that no older page stays behind.
async fn empty_write_ahead_log(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    for _ in 0..TRUNCATE_TRIES {
        let busy: i64 = sqlx::query(AssertSqlSafe("PRAGMA wal_checkpoint(TRUNCATE)"))
            .fetch_one(&mut *connection)
            .await?
            .try_get(0)?;
        if busy == 0 {
            return Ok(());
        }
        tokio::time::sleep(TRUNCATE_PAUSE).await;
    }
    Err(sqlx::Error::PoolTimedOut)
}

fn unavailable(error: &sqlx::Error) -> SealError {
    SealError::Unavailable(sentence(error))
}

fn side_file(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}
