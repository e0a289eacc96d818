//! What this node knows of the log without asking: heads of streams, ids of events, and how far the log reaches. All of it is
//! true, none of it is complete.

use tokio::sync::watch;

use crate::admission::StreamHead;
use crate::envelope::{EventId, NewEvent, Position, RecordedEvent, Revision, StreamName};

pub(super) struct Known {
    heads: quick_cache::sync::Cache<StreamName, StreamHead>,
    ids: quick_cache::sync::Cache<EventId, ()>,
    head: watch::Sender<Position>,
}

impl Known {
    pub(super) fn new(heads: usize, ids: usize) -> Self {
        Self {
            heads: quick_cache::sync::Cache::new(heads.max(1)),
            ids: quick_cache::sync::Cache::new(ids.max(1)),
            head: watch::Sender::new(Position::START),
        }
    }

    /// The last event that this node knows of a stream; it may have more.
    pub(super) fn stream(&self, stream: &StreamName) -> Option<StreamHead> {
        self.heads.get(stream)
    }

    /// The first of some events that is in the log already, as far as this node knows.
    pub(super) fn duplicate(&self, events: &[NewEvent]) -> Option<EventId> {
        events.iter().map(|event| event.event_id).find(|id| self.ids.get(id).is_some())
    }

    /// Takes in an event of the log.
    pub(super) fn saw(&self, event: &RecordedEvent) {
        self.ids.insert(event.event_id, ());
        self.stands(&event.stream, event.revision, event.recorded_at.as_microsecond());
    }

    /// Takes in what was appended.
    pub(super) fn appended(&self, stream: &StreamName, last: Revision, events: &[NewEvent]) {
        for event in events {
            self.ids.insert(event.event_id, ());
        }
        if let Some(event) = events.last() {
            self.stands(stream, last, event.recorded_at.as_microsecond());
        }
    }

    /// The log reaches at least this far.
    pub(super) fn reaches(&self, position: Position) {
        self.head.send_if_modified(|head| {
            let further = position > *head;
            *head = position.max(*head);
            further
        });
    }

    pub(super) fn watch(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn stands(&self, stream: &StreamName, revision: Revision, recorded_at_micros: i64) {
        // Two at once may leave the older: then the stream is read once more than needed.
        if self.heads.get(stream).is_none_or(|head| head.revision < revision) {
            self.heads.insert(stream.clone(), StreamHead { revision, recorded_at_micros });
        }
    }
}
