//! The event store on KurrentDB: opening it, and the port.

use std::sync::Arc;

use async_trait::async_trait;
use kurrentdb::{EventData, ReadStreamOptions, StreamPosition, StreamState};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::append::Appender;
use super::follow::Follower;
use super::known::Known;
use super::link::{Links, SendFailure, State};
use super::options::{KurrentOpenError, KurrentOptions, Names, place, settings};
use super::read::{Failure, Reader};
use crate::envelope::{EventId, Position, RecordedEvent, Revision, StreamName};
use crate::store::{Append, AppendError, Appended, EventStore, ReadError};

/// Pause between attempts to open a log whose server is down.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// The log in KurrentDB.
pub struct KurrentStore {
    log_id: Uuid,
    reader: Arc<Reader>,
    appender: Arc<Appender>,
    known: Arc<Known>,
    links: Links,
    closing: CancellationToken,
}

impl KurrentStore {
    /// Opens the log that a server holds under a namespace, or makes a new one with this id. Waits for a server that is down
    /// as long as the options say. Needs a tokio runtime, on which the connection is kept until the store is dropped or
    /// [`KurrentStore::close`]d.
    ///
    /// # Errors
    /// [`KurrentOpenError`], one sentence that says what to do.
    pub async fn open(
        url: &str,
        options: KurrentOptions,
        log_id_if_new: Uuid,
    ) -> Result<Self, KurrentOpenError> {
        let settings = settings(url)?;
        let names = Arc::new(Names::new(&options.namespace)?);
        let known = Arc::new(Known::new(options.known_heads, options.known_ids));
        let (sender, state) =
            watch::channel(State::Away { since: Instant::now(), reason: "not connected yet".to_owned() });
        let closing = CancellationToken::new();
        let follower = Follower::new(settings, Arc::clone(&names), Arc::clone(&known), sender);
        tokio::spawn(follower.run(closing.clone()));
        // Until the log is open.
        let giving_up = closing.clone().drop_guard();

        let links = Links { state, patience: options.append_timeout };
        let reader = Arc::new(Reader {
            names,
            known: Arc::clone(&known),
            links: links.clone(),
            timeout: options.read_timeout,
        });
        let log_id = identity(&reader, url, &options, log_id_if_new).await?;
        let appender = Appender::new(Arc::clone(&reader), Arc::clone(&known), links.clone(), &options);
        giving_up.disarm();
        Ok(Self { log_id, reader, appender: Arc::new(appender), known, links, closing })
    }

    /// Why there is no connection to the server at the moment; `None` when there is one.
    pub fn trouble(&self) -> Option<String> {
        self.links.trouble()
    }

    /// Answers the appends on their way, refuses later ones, and lets go of the server.
    pub async fn close(&self) {
        self.appender.close().await;
        self.closing.cancel();
    }
}

impl Drop for KurrentStore {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

/// The log's identity: the first event of a stream of its own. Of several nodes that make it, one wins.
async fn identity(
    reader: &Reader,
    url: &str,
    options: &KurrentOptions,
    log_id_if_new: Uuid,
) -> Result<Uuid, KurrentOpenError> {
    let until = Instant::now() + options.open_timeout;
    loop {
        let asked = reader.asked(until, |link| {
            let stream = reader.names.identity().to_owned();
            async move {
                let first = ReadStreamOptions::default().max_count(1).requires_leader(true);
                let first = match link
                    .client
                    .read_stream(stream.as_str(), &first.position(StreamPosition::Start))
                    .await
                {
                    Ok(mut events) => events.next().await,
                    Err(error) => Err(error),
                };
                match first {
                    Ok(resolved) => Ok(resolved.and_then(|resolved| resolved.event).map(|event| event.data)),
                    Err(kurrentdb::Error::ResourceNotFound) => {
                        let text = log_id_if_new.to_string().into();
                        let event = EventData::binary("LogCreated", text).id(log_id_if_new);
                        match link.send(&stream, StreamState::NoStream, vec![event]).await {
                            Err(SendFailure::Refused(reason)) => {
                                Err(Failure::Damaged(ReadError::Damaged(reason)))
                            }
                            // Whether it holds or another node was first: it is read again.
                            _ => Ok(None),
                        }
                    }
                    Err(error) => Err(Failure::Client(error)),
                }
            }
        });
        let reason = match asked.await {
            Ok(Some(text)) => {
                let id = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
                return id.ok_or_else(|| KurrentOpenError::Unusable {
                    place: place(url),
                    reason: format!(
                        "the stream {} does not begin with a log's identity",
                        reader.names.identity()
                    ),
                });
            }
            Ok(None) => "the log's identity could not be written".to_owned(),
            Err(ReadError::Unavailable(reason)) => reason,
            Err(ReadError::Damaged(reason)) => {
                return Err(KurrentOpenError::Unusable { place: place(url), reason });
            }
        };
        if Instant::now() >= until {
            return Err(KurrentOpenError::Unreachable {
                place: place(url),
                waited: options.open_timeout,
                reason,
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[async_trait]
impl EventStore for KurrentStore {
    fn log_id(&self) -> Uuid {
        self.log_id
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let appender = Arc::clone(&self.appender);
        // In a task of its own: a caller that goes away must not leave an append half followed.
        let task = tokio::spawn(async move { appender.append(&append).await });
        task.await.unwrap_or_else(|_| {
            Err(AppendError::OutcomeUnknown("the append's task ended before it answered".to_owned()))
        })
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        self.reader.stream(stream, from, limit, self.reader.deadline()).await
    }

    async fn stream_head(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        let last = self.reader.last(stream, self.reader.deadline()).await?;
        Ok(last.map(|head| head.revision))
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        self.reader.all(after, limit).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.reader.head().await
    }

    async fn event_id_at(&self, position: Position) -> Result<Option<EventId>, ReadError> {
        self.reader.event_id_at(position).await
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        self.known.watch()
    }
}
