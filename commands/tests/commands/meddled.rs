//! A log between a process and the others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dossier_eventlog::{
    Append, AppendError, Appended, EventId, EventStore, MemoryStore, Position, ReadError, RecordedEvent,
    Revision, StreamName,
};
use tokio::sync::watch;
use uuid::Uuid;

/// A log on which somebody else is faster once, and which counts the events of streams that are read.
pub(super) struct Meddled {
    inner: Arc<MemoryStore>,
    faster: Mutex<Option<Append>>,
    read: AtomicUsize,
}

impl Meddled {
    pub(super) fn with(inner: &Arc<MemoryStore>, faster: Option<Append>) -> Self {
        Self { inner: inner.clone(), faster: Mutex::new(faster), read: AtomicUsize::new(0) }
    }

    /// How many events were read since this was asked last.
    pub(super) fn read(&self) -> usize {
        self.read.swap(0, Ordering::Relaxed)
    }
}

#[async_trait]
impl EventStore for Meddled {
    fn log_id(&self) -> Uuid {
        self.inner.log_id()
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let faster = self.faster.lock().unwrap().take();
        if let Some(faster) = faster {
            self.inner.append(faster).await?;
        }
        self.inner.append(append).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let events = self.inner.read_stream(stream, from, limit).await?;
        self.read.fetch_add(events.len(), Ordering::Relaxed);
        Ok(events)
    }

    async fn stream_head(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        self.inner.stream_head(stream).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        self.inner.read_all(after, limit).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.inner.head().await
    }

    async fn event_id_at(&self, position: Position) -> Result<Option<EventId>, ReadError> {
        self.inner.event_id_at(position).await
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        self.inner.watch_head()
    }
}
