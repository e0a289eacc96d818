//! The event store on PostgreSQL: opening, appending through the writer, reading through the pool.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::follow::{Head, listen};
use super::known::Known;
use super::open::{Address, PostgresOpenError};
use super::read::Reader;
use super::session::Session;
use super::writer::{Queued, Telling, Writer, server_limits};
use crate::admission::check_bounds;
use crate::envelope::{EventId, Position, RecordedEvent, Revision, StreamName};
use crate::store::{Append, AppendError, Appended, EventStore, ReadError};

const SCHEMA: &str = "dossier_log";

/// Bounds of a store on PostgreSQL.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
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
    /// How long an append may take before it is answered, whatever the server does. Another node that stalls while it
    /// holds the log's lock loses it after two fifths of this.
    pub answer_within: Duration,
    /// How long a read waits for a connection, and for each next row.
    pub read_patience: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            queue_appends: 1024,
            batch_events: 512,
            batch_bytes: 4 * 1024 * 1024,
            read_connections: 8,
            known_heads: 64 * 1024,
            answer_within: Duration::from_millis(1800),
            read_patience: Duration::from_millis(1800),
        }
    }
}

/// The log in the schema `dossier_log` of a PostgreSQL database, for any number of nodes.
pub struct PostgresStore {
    log_id: Uuid,
    reader: Reader,
    head: Arc<Head>,
    queue: mpsc::Sender<Queued>,
    answer_within: Duration,
    closing: CancellationToken,
    done: CancellationToken,
}

impl PostgresStore {
    /// Opens the log, or makes a new one with this id; of several nodes that do so at once, one makes it. Needs a tokio
    /// runtime, on which the writer and a listener run until [`PostgresStore::close`].
    ///
    /// # Errors
    /// [`PostgresOpenError`], one sentence that says what to do.
    pub async fn open(
        url: &str,
        options: PostgresOptions,
        log_id_if_new: Uuid,
    ) -> Result<Self, PostgresOpenError> {
        let address = Address::parse(url)?;
        let mut connection = address.connect().await?;
        address.migrate(&mut connection, SCHEMA, sqlx::migrate!("src/postgres/migrations/log")).await?;
        sqlx::query(
            "INSERT INTO dossier_log.meta (name, value) VALUES ('log_id', $1) ON CONFLICT DO NOTHING",
        )
        .bind(log_id_if_new.as_bytes().as_slice())
        .execute(&mut connection)
        .await
        .map_err(|error| address.unreachable(&error))?;
        let log_id = address.meta(&mut connection, SCHEMA, "log_id").await?;
        let log_id = log_id.and_then(|bytes| Uuid::from_slice(&bytes).ok());
        let log_id = log_id.ok_or_else(|| address.damaged(SCHEMA, "its id is no UUID"))?;
        // Its place is taken by connections of one use each.
        drop(connection);

        let reader = Reader::new(&address, options.read_connections, options.read_patience);
        let last = reader.head().await.map_err(|error| PostgresOpenError::Unreachable {
            server: address.server.clone(),
            detail: error.to_string(),
        })?;
        let head = Arc::new(Head::new(last));
        let (queue, queued) = mpsc::channel(options.queue_appends.max(1));
        let (closing, done) = (CancellationToken::new(), CancellationToken::new());
        let answer_within = options.answer_within;
        let connect = address.used_as("dossier writer", &server_limits(answer_within));
        let session = Session::connect(&connect, &address.server)
            .await
            .map_err(|detail| PostgresOpenError::Unreachable { server: address.server.clone(), detail })?;
        let writer = Writer {
            connect,
            server: address.server.clone(),
            session: Some(session),
            known: Known::new(options.known_heads),
            head: Arc::clone(&head),
            bounds: options,
            telling: Telling::new(),
        };
        tokio::spawn(writer.run(queued, closing.clone(), done.clone()));
        let listens_on = address.used_as("dossier listener", &[]);
        tokio::spawn(listen(listens_on, Arc::clone(&head), closing.clone()));
        Ok(Self { log_id, reader, head, queue, answer_within, closing, done })
    }

    /// Stores and answers what is queued, refuses what comes later, and lets go of the database. Returns when all of that
    /// is done; reads answer [`ReadError::Unavailable`] afterwards.
    pub async fn close(&self) {
        self.closing.cancel();
        self.done.cancelled().await;
        self.reader.close().await;
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

#[async_trait]
impl EventStore for PostgresStore {
    fn log_id(&self) -> Uuid {
        self.log_id
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let bytes = check_bounds(&append)?;
        if let Some(event) = append.events.iter().find(|event| event.event_type.contains('\0')) {
            return Err(AppendError::Invalid(format!(
                "the type of event {} has the letter zero, which PostgreSQL has no way to hold",
                event.event_id
            )));
        }
        let (answer, answered) = oneshot::channel();
        let since = Instant::now();
        let queued = Queued { append, bytes, since, answer };
        match timeout_at(since + self.answer_within, self.queue.send(queued)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(AppendError::Unavailable("the log is closed".to_owned())),
            Err(_) => {
                return Err(AppendError::Unavailable("too many appends wait for the event log".to_owned()));
            }
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
        // Never from memory: another node may have extended it.
        self.reader.stream_head(stream).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        self.reader.read_all(after, limit).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.reader.head().await
    }

    async fn event_id_at(&self, position: Position) -> Result<Option<EventId>, ReadError> {
        self.reader.event_id_at(position).await
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        self.head.watch()
    }
}
