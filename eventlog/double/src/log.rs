//! The log in memory, and what the server decides about an append: the same as `CheckCommit` of its `IndexWriter`.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use bytes::Bytes;
use tokio::sync::watch;
use uuid::Uuid;

/// Where the log of a new server begins to grow.
const FIRST_POSITION: u64 = 1_387;
/// What every record takes beside its bytes.
const RECORD_BYTES: u64 = 157;
/// Events whose ids are compared where the append does not name a revision. The server keeps more.
const RECENT_EVENTS: usize = 100;

/// Where the stream must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Any,
    StreamExists,
    NoStream,
    Revision(u64),
}

/// An event to be written.
#[derive(Clone, Debug)]
pub(crate) struct Proposed {
    pub(crate) id: Uuid,
    pub(crate) event_type: String,
    pub(crate) content_type: String,
    pub(crate) custom_metadata: Bytes,
    pub(crate) data: Bytes,
}

/// An event as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) position: u64,
    pub(crate) stream: String,
    pub(crate) revision: u64,
    pub(crate) event: Proposed,
}

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Written {
        last_revision: u64,
        position: u64,
    },
    /// All of it was there already; answered like the first time.
    Idempotent {
        last_revision: u64,
        position: u64,
    },
    WrongExpectedVersion {
        current: Option<u64>,
    },
    /// Some of it was there already.
    CorruptedIdempotency,
}

/// Everything that was written.
pub(crate) struct Log {
    state: Mutex<State>,
    length: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    records: Vec<Record>,
    streams: HashMap<String, Vec<usize>>,
    recent: VecDeque<(Uuid, usize)>,
    next_position: u64,
}

impl Default for Log {
    fn default() -> Self {
        let log = Self {
            state: Mutex::new(State { next_position: FIRST_POSITION, ..State::default() }),
            length: watch::Sender::new(0),
        };
        // A real server's log never begins with its users' events.
        for n in 0..3 {
            log.append("$stats-127.0.0.1:2113", Expected::Any, &[system_event(n)]);
        }
        log
    }
}

fn system_event(n: u64) -> Proposed {
    Proposed {
        id: Uuid::from_u64_pair(u64::MAX, n),
        event_type: "$statsCollected".to_owned(),
        content_type: "application/json".to_owned(),
        custom_metadata: Bytes::new(),
        data: Bytes::from_static(b"{}"),
    }
}

impl Log {
    /// Decides about an append and writes it, or not.
    pub(crate) fn append(&self, stream: &str, expected: Expected, events: &[Proposed]) -> Decision {
        let mut state = self.state();
        let decision = state.decide(stream, expected, events);
        let Decision::Written { .. } = decision else { return decision };
        let mut last = (0, 0);
        for event in events {
            last = state.write(stream, event.clone());
        }
        self.length.send_replace(state.records.len());
        Decision::Written { last_revision: last.0, position: last.1 }
    }

    /// A stream's events; empty when there is no stream.
    pub(crate) fn stream(&self, stream: &str) -> Vec<Record> {
        let state = self.state();
        let indexes = state.streams.get(stream).map_or(&[][..], Vec::as_slice);
        indexes.iter().map(|index| state.records[*index].clone()).collect()
    }

    /// The events from an index on.
    pub(crate) fn beginning_at(&self, index: usize) -> Vec<Record> {
        self.state().records[index..].to_vec()
    }

    /// The index of the first event at a position or after it; whether it is exactly there, or the log's end.
    pub(crate) fn find(&self, position: u64) -> (usize, bool) {
        let state = self.state();
        let index = state.records.partition_point(|record| record.position < position);
        let exact = state.records.get(index).map_or(state.next_position, |record| record.position);
        (index, exact == position)
    }

    pub(crate) fn length(&self) -> watch::Receiver<usize> {
        self.length.subscribe()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the lock panics")
    }
}

impl State {
    fn write(&mut self, stream: &str, event: Proposed) -> (u64, u64) {
        let (index, position) = (self.records.len(), self.next_position);
        self.next_position += RECORD_BYTES + (event.data.len() + event.custom_metadata.len()) as u64;
        self.recent.push_back((event.id, index));
        if self.recent.len() > RECENT_EVENTS {
            self.recent.pop_front();
        }
        let of_stream = self.streams.entry(stream.to_owned()).or_default();
        let revision = of_stream.len() as u64;
        of_stream.push(index);
        self.records.push(Record { position, stream: stream.to_owned(), revision, event });
        (revision, position)
    }

    fn decide(&self, stream: &str, expected: Expected, events: &[Proposed]) -> Decision {
        let written = Decision::Written { last_revision: 0, position: 0 };
        let of_stream = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let length = of_stream.len() as u64;
        let wrong = Decision::WrongExpectedVersion { current: length.checked_sub(1) };
        let first = match expected {
            Expected::StreamExists if length == 0 => return wrong,
            // No revision says where to look: only ids of late are known.
            Expected::Any | Expected::StreamExists => {
                return self.decide_by_recent_ids(stream, events, written);
            }
            Expected::NoStream => 0,
            Expected::Revision(revision) => revision.saturating_add(1),
        };
        if first > length {
            return wrong;
        }
        if first == length {
            return written;
        }
        // It would be written in the past: is it there already, event by event?
        let mut last = None;
        for (revision, event) in (first..).zip(events) {
            let there = usize::try_from(revision).ok().and_then(|revision| of_stream.get(revision));
            match there.map(|index| &self.records[*index]) {
                Some(record) if record.event.id == event.id => last = Some(record),
                _ if last.is_none() => return wrong,
                _ => return Decision::CorruptedIdempotency,
            }
        }
        last.map_or(wrong, idempotent)
    }

    fn decide_by_recent_ids(&self, stream: &str, events: &[Proposed], written: Decision) -> Decision {
        let mut last = None;
        for event in events {
            let recent = self.recent.iter().rev().find(|(id, _)| *id == event.id);
            match recent.map(|(_, index)| &self.records[*index]) {
                Some(record) if record.stream == stream => last = Some(record),
                _ if last.is_none() => return written,
                _ => return Decision::CorruptedIdempotency,
            }
        }
        last.map_or(written, idempotent)
    }
}

fn idempotent(record: &Record) -> Decision {
    Decision::Idempotent { last_revision: record.revision, position: record.position }
}

#[cfg(test)]
mod tests;
