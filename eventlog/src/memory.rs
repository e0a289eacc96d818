//! An event store in memory, for tests: the same answers as the durable ones, nothing kept.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use crate::admission::{Admission, StreamHead, check_bounds};
use crate::envelope::{EventId, Position, RecordedEvent, Revision, StreamName};
use crate::store::{Append, AppendError, Appended, EventStore, ReadError};

/// A log that lives as long as the value.
pub struct MemoryStore {
    log_id: Uuid,
    log: Mutex<Log>,
    head: watch::Sender<Position>,
}

#[derive(Default)]
struct Log {
    events: Vec<RecordedEvent>,
    streams: HashMap<StreamName, Vec<usize>>,
    ids: HashSet<EventId>,
}

impl MemoryStore {
    /// An empty log.
    pub fn new(log_id: Uuid) -> Self {
        Self { log_id, log: Mutex::default(), head: watch::Sender::new(Position::START) }
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().expect("no holder of the lock panics")
    }
}

impl Log {
    fn head_of(&self, stream: &StreamName) -> Option<StreamHead> {
        let last = self.streams.get(stream)?.last()?;
        let event = &self.events[*last];
        Some(StreamHead { revision: event.revision, recorded_at_micros: event.recorded_at.as_microsecond() })
    }

    fn append(&mut self, append: Append) -> Result<Appended, AppendError> {
        let mut admission = Admission::default();
        for stream in append.guards.iter().map(|guard| &guard.stream).chain([&append.stream]) {
            admission.tell(stream.clone(), self.head_of(stream));
        }
        let first = admission.admit(&append)?;
        if let Some(known) = append.events.iter().find(|event| self.ids.contains(&event.event_id)) {
            return Err(AppendError::Duplicate { event_id: known.event_id });
        }
        let of_stream = self.streams.entry(append.stream.clone()).or_default();
        for (revision, event) in (first.0..).zip(append.events) {
            let index = self.events.len();
            of_stream.push(index);
            self.ids.insert(event.event_id);
            self.events.push(RecordedEvent {
                position: Position(index as u64 + 1),
                stream: append.stream.clone(),
                revision: Revision(revision),
                event_id: event.event_id,
                event_type: event.event_type.into(),
                version: event.version,
                recorded_at: whole_microseconds(event.recorded_at),
                payload: event.payload,
                metadata: event.metadata,
            });
        }
        let last = self.events.last().expect("an append has at least one event");
        Ok(Appended { last_revision: last.revision, last_position: last.position })
    }
}

/// Cuts an instant to what every store keeps.
fn whole_microseconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant)
}

#[async_trait]
impl EventStore for MemoryStore {
    fn log_id(&self) -> Uuid {
        self.log_id
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        check_bounds(&append)?;
        let mut log = self.log();
        let appended = log.append(append)?;
        // Under the lock, so that the hint never runs backwards.
        self.head.send_replace(appended.last_position);
        Ok(appended)
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let log = self.log();
        let indexes = log.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let from = usize::try_from(from.0).unwrap_or(usize::MAX).min(indexes.len());
        Ok(indexes[from..].iter().take(limit).map(|index| log.events[*index].clone()).collect())
    }

    async fn stream_head(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        Ok(self.log().head_of(stream).map(|head| head.revision))
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        let log = self.log();
        let from = usize::try_from(after.0).unwrap_or(usize::MAX).min(log.events.len());
        Ok(log.events[from..].iter().take(limit).cloned().collect())
    }

    async fn head(&self) -> Result<Position, ReadError> {
        Ok(Position(self.log().events.len() as u64))
    }

    async fn event_id_at(&self, position: Position) -> Result<Option<EventId>, ReadError> {
        let index = usize::try_from(position.0).ok().and_then(|position| position.checked_sub(1));
        Ok(index.and_then(|index| self.log().events.get(index).map(|event| event.event_id)))
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use super::*;
    use crate::contract::Fresh;

    fn fresh() -> Ready<Fresh<dyn EventStore>> {
        ready(Fresh::new(Arc::new(MemoryStore::new(Uuid::nil()))))
    }

    crate::event_store_contract!(fresh);
}
