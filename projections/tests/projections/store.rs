//! A log in memory that remembers how it was read, and can be made to say nothing, to grow while it is read, or to give
//! other events than were appended.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use dossier_eventlog::{
    Append, AppendError, Appended, EventId, EventStore, Expected, MemoryStore, NewEvent, Position, ReadError,
    RecordedEvent, Revision, StreamName,
};
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) struct TestStore {
    inner: MemoryStore,
    /// Positions after which the log was read.
    pub(crate) reads: Mutex<Vec<Position>>,
    /// The head's hint never moves.
    pub(crate) without_hint: AtomicBool,
    /// Every read finds one event more than the one before.
    pub(crate) growing: AtomicBool,
    grown: AtomicU64,
    unmoved: watch::Sender<Position>,
    replaced: Mutex<HashMap<Position, RecordedEvent>>,
}

impl TestStore {
    pub(crate) fn new(log_id: Uuid) -> Self {
        Self {
            inner: MemoryStore::new(log_id),
            reads: Mutex::default(),
            without_hint: AtomicBool::new(false),
            growing: AtomicBool::new(false),
            grown: AtomicU64::new(0),
            unmoved: watch::Sender::new(Position::START),
            replaced: Mutex::default(),
        }
    }

    /// From now on this event stands at its position.
    pub(crate) fn replace(&self, event: RecordedEvent) {
        self.replaced.lock().unwrap().insert(event.position, event);
    }

    /// From now on the log is as it was appended.
    pub(crate) fn restore(&self) {
        self.replaced.lock().unwrap().clear();
    }

    async fn grow(&self) {
        let number = self.grown.fetch_add(1, Ordering::Relaxed);
        let append = Append {
            stream: StreamName::new(&format!("note-{number}")).unwrap(),
            expected: Expected::NoStream,
            events: vec![NewEvent {
                event_id: EventId(Uuid::from_u64_pair(0xF0F0, number)),
                event_type: "NoteTaken".into(),
                version: 1,
                recorded_at: crate::samples::at(0),
                payload: b"{}"[..].into(),
                metadata: b"{}"[..].into(),
            }],
            guards: Vec::new(),
        };
        self.inner.append(append).await.unwrap();
    }
}

#[async_trait]
impl EventStore for TestStore {
    fn log_id(&self) -> Uuid {
        self.inner.log_id()
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.inner.append(append).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        self.inner.read_stream(stream, from, limit).await
    }

    async fn stream_head(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        self.inner.stream_head(stream).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        self.reads.lock().unwrap().push(after);
        if self.growing.load(Ordering::Relaxed) {
            self.grow().await;
        }
        let mut events = self.inner.read_all(after, limit).await?;
        let replaced = self.replaced.lock().unwrap();
        for event in &mut events {
            if let Some(other) = replaced.get(&event.position) {
                *event = other.clone();
            }
        }
        Ok(events)
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.inner.head().await
    }

    async fn event_id_at(&self, position: Position) -> Result<Option<EventId>, ReadError> {
        if let Some(event) = self.replaced.lock().unwrap().get(&position) {
            return Ok(Some(event.event_id));
        }
        self.inner.event_id_at(position).await
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        if self.without_hint.load(Ordering::Relaxed) {
            return self.unmoved.subscribe();
        }
        self.inner.watch_head()
    }
}
