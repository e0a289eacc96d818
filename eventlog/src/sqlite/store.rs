//! The event store on SQLite: opening, appending through the writer, reading through the pool.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::columns::{LOG, SCHEMA};
use super::heads::Heads;
use super::insert::Inserts;
use super::lock::LockFile;
use super::open::{
    Found, OpenError, connect_options, create_schema, explain, inspect, log_id, meta, quick_check,
    writer_options,
};
use super::read::Reader;
use super::recovery::last_position;
use super::writer::{Queued, Writer, set_closed_cleanly};
use crate::admission::check_bounds;
use crate::envelope::{EventId, Position, RecordedEvent, Revision, StreamName};
use crate::store::{Append, AppendError, Appended, EventStore, ReadError};

/// Bounds of a store on SQLite. The default fits the embedded profile.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// Appends that may wait for the writer; further callers wait to queue.
    pub queue_appends: usize,
    /// Events after which a batch takes no further append.
    pub batch_events: usize,
    /// Bytes after which a batch takes no further append.
    pub batch_bytes: usize,
    /// Connections for reading.
    pub read_connections: u32,
    /// Streams whose head is kept in memory.
    pub known_heads: usize,
    /// Most pages of the file (4 KiB each), for tests of a full disk; `None` leaves it to the disk.
    pub max_page_count: Option<u32>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            queue_appends: 1024,
            batch_events: 512,
            batch_bytes: 4 * 1024 * 1024,
            read_connections: 4,
            known_heads: 64 * 1024,
            max_page_count: None,
        }
    }
}

/// The log in one SQLite file.
pub struct SqliteStore {
    log_id: Uuid,
    reader: Arc<Reader>,
    head: watch::Receiver<Position>,
    /// `None` when the log was opened for reading only.
    writing: Option<Writing>,
}

/// The way to the writer.
struct Writing {
    queue: mpsc::Sender<Queued>,
    heads: Arc<Heads>,
    closing: CancellationToken,
    done: CancellationToken,
    #[cfg(test)]
    faults: Arc<super::tests::Faults>,
}

impl SqliteStore {
    /// Opens the log for this process alone, or makes a new one with this id. Needs a tokio runtime, on which the writer
    /// runs until [`SqliteStore::close`].
    ///
    /// # Errors
    /// [`OpenError`], one sentence that says what to do.
    pub async fn open(path: &Path, options: SqliteOptions, log_id_if_new: Uuid) -> Result<Self, OpenError> {
        let lock = LockFile::acquire(path)?;
        let connect = writer_options(path).pragma("journal_size_limit", "67108864");
        let connect = match options.max_page_count {
            Some(pages) => connect.pragma("max_page_count", pages.to_string()),
            None => connect,
        };
        let (mut connection, found) = inspect(path, &connect, &LOG).await?;
        let to_sentence = |error: sqlx::Error| explain(path, &LOG, &error);
        match found {
            Found::Empty => {
                let meta = [
                    ("log_id", log_id_if_new.as_bytes().to_vec()),
                    ("closed_cleanly", vec![0]),
                    ("fence", vec![]),
                ];
                create_schema(&mut connection, &LOG, SCHEMA, &meta).await.map_err(to_sentence)?;
            }
            Found::Ours => take_over(&mut connection, path).await?,
        }
        let log_id = log_id(&mut connection, path, &LOG).await?;
        let last = last_position(&mut connection).await.map_err(to_sentence)?;

        let reader = Arc::new(Reader::new(path, options.read_connections, false));
        let heads = Arc::new(Heads::new(options.known_heads));
        let (queue, queued) = mpsc::channel(options.queue_appends.max(1));
        let (head_sender, head) = watch::channel(last);
        let (closing, done) = (CancellationToken::new(), CancellationToken::new());
        #[cfg(test)]
        let faults = Arc::<super::tests::Faults>::default();
        let writer = Writer {
            options: connect.create_if_missing(false),
            connection: Some(connection),
            last: Some(last),
            heads: Arc::clone(&heads),
            head: head_sender,
            reader: Arc::clone(&reader),
            inserts: Inserts::new(),
            bounds: options,
            #[cfg(test)]
            faults: Arc::clone(&faults),
            lock,
        };
        tokio::spawn(writer.run(queued, closing.clone(), done.clone()));
        let writing = Writing {
            queue,
            heads,
            closing,
            done,
            #[cfg(test)]
            faults,
        };
        Ok(Self { log_id, reader, head, writing: Some(writing) })
    }

    /// Opens an existing log for reading, beside a process that writes or not. Appends answer
    /// [`AppendError::Unavailable`]; [`EventStore::watch_head`] never changes.
    ///
    /// # Errors
    /// [`OpenError`], one sentence that says what to do.
    pub async fn open_read_only(path: &Path) -> Result<Self, OpenError> {
        if !path.exists() {
            return Err(OpenError::NoLog { path: path.to_owned() });
        }
        let options = connect_options(path).read_only(true);
        let (opened, immutable) = match inspect(path, &options, &LOG).await {
            // A log in write-ahead mode wants to make files beside it; where it may not, nobody writes either.
            Err(OpenError::Unavailable { .. }) => {
                (inspect(path, &options.immutable(true), &LOG).await?, true)
            }
            opened => (opened?, false),
        };
        let (mut connection, found) = opened;
        if matches!(found, Found::Empty) {
            return Err(OpenError::Foreign { path: path.to_owned(), wanted: LOG.name });
        }
        let log_id = log_id(&mut connection, path, &LOG).await?;
        let last = last_position(&mut connection).await.map_err(|error| explain(path, &LOG, &error))?;
        let (_, head) = watch::channel(last);
        Ok(Self { log_id, reader: Arc::new(Reader::new(path, 2, immutable)), head, writing: None })
    }

    /// Stores and answers what is queued, refuses what comes later, and lets go of the file. Returns when all of that is
    /// done; reads answer [`ReadError::Unavailable`] afterwards.
    pub async fn close(&self) {
        match &self.writing {
            Some(writing) => {
                writing.closing.cancel();
                writing.done.cancelled().await;
            }
            None => self.reader.close().await,
        }
    }

    #[cfg(test)]
    pub(super) fn known_head(&self, stream: &StreamName) -> Option<Revision> {
        self.writing.as_ref()?.heads.get(stream).map(|head| head.revision)
    }

    #[cfg(test)]
    pub(super) fn faults(&self) -> &super::tests::Faults {
        &self.writing.as_ref().expect("a store that writes").faults
    }
}

/// Checks a log that exists and marks it as open.
async fn take_over(connection: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    if meta(connection, path, &LOG, "closed_cleanly").await? != [1] {
        tracing::info!(path = %path.display(), "the event log was not closed cleanly: checking every page");
        quick_check(connection, path, &LOG).await?;
    }
    let to_sentence = |error: sqlx::Error| explain(path, &LOG, &error);
    // A copy made by other tools may have left the mode in which writing and reading exclude each other.
    sqlx::query(AssertSqlSafe("PRAGMA journal_mode = WAL"))
        .execute(&mut *connection)
        .await
        .map_err(to_sentence)?;
    set_closed_cleanly(connection, false).await.map_err(to_sentence)
}

#[async_trait]
impl EventStore for SqliteStore {
    fn log_id(&self) -> Uuid {
        self.log_id
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let bytes = check_bounds(&append)?;
        let Some(writing) = &self.writing else {
            return Err(AppendError::Unavailable("the log was opened for reading only".to_owned()));
        };
        let (answer, answered) = oneshot::channel();
        let queued = Queued { append, bytes, answer };
        if writing.queue.send(queued).await.is_err() {
            return Err(AppendError::Unavailable("the log is closed".to_owned()));
        }
        answered.await.unwrap_or_else(|_| {
            Err(AppendError::OutcomeUnknown("the log's writer ended before it answered".to_owned()))
        })
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        self.reader.read_stream(stream, from, limit).await
    }

    async fn stream_head(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        let heads = self.writing.as_ref().map(|writing| &writing.heads);
        if let Some(head) = heads.and_then(|heads| heads.get(stream)) {
            return Ok(Some(head.revision));
        }
        let quiet = heads.and_then(|heads| heads.quiet());
        let found = self.reader.stream_head(stream).await?;
        if let (Some(heads), Some(quiet), Some(found)) = (heads, quiet, found) {
            heads.learn(quiet, stream.clone(), found);
        }
        Ok(found.map(|head| head.revision))
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        self.reader.read_all(after, limit).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        match self.writing {
            Some(_) => Ok(*self.head.borrow()),
            None => self.reader.head().await,
        }
    }

    async fn event_id_at(&self, position: Position) -> Result<Option<EventId>, ReadError> {
        self.reader.event_id_at(position).await
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        self.head.clone()
    }
}
