//! Streams, events, appends and repeatable randomness for the checks: all of a number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::envelope::{EventId, NewEvent, Position, RecordedEvent, Revision, StreamName};
use crate::sealing::Entropy;
use crate::store::{Append, Expected};

/// The stream `category-number`.
pub fn stream(category: &str, number: u64) -> StreamName {
    StreamName::new(&format!("{category}-{number:04}")).expect("a category and a number make a stream name")
}

/// Event `index` of command `command`: the same numbers give the same id.
pub fn event(command: u64, index: u64) -> NewEvent {
    NewEvent {
        event_id: EventId(Uuid::from_u64_pair(command, index)),
        event_type: "NoteTaken".into(),
        version: 1,
        recorded_at: instant(1),
        payload: Bytes::from(format!("{{\"command\":{command},\"index\":{index}}}")),
        metadata: Bytes::from_static(b"{\"audience\":\"internal\"}"),
    }
}

/// So many seconds into the year 2026, and some microseconds.
pub fn instant(second: i64) -> Timestamp {
    Timestamp::from_microsecond((1_767_225_600 + second) * 1_000_000 + 123_456)
        .expect("2026 lies within what a timestamp can say")
}

/// `count` events of a command, appended where `expected` says.
pub fn append(stream: &StreamName, expected: Expected, command: u64, count: u64) -> Append {
    Append {
        stream: stream.clone(),
        expected,
        events: (0..count).map(|index| event(command, index)).collect(),
        guards: vec![],
    }
}

/// What an append must expect after so many events.
pub fn after_events(count: u64) -> Expected {
    count.checked_sub(1).map_or(Expected::NoStream, |last| Expected::Exact(Revision(last)))
}

/// An event as a log would give it back from a position.
pub fn recorded(position: u64) -> RecordedEvent {
    let event = event(position, 0);
    RecordedEvent {
        position: Position(position),
        stream: stream("case", 1),
        revision: Revision(position - 1),
        event_id: event.event_id,
        event_type: event.event_type.into(),
        version: event.version,
        recorded_at: event.recorded_at,
        payload: event.payload,
        metadata: event.metadata,
    }
}

/// Bytes that look random and are the same for the same seed; never for anything but tests.
pub fn entropy(seed: u64) -> Entropy {
    let drawn = AtomicU64::new(0);
    Arc::new(move |buffer| {
        for chunk in buffer.chunks_mut(32) {
            let n = drawn.fetch_add(1, Ordering::Relaxed);
            let block = Sha256::digest([seed.to_be_bytes(), n.to_be_bytes()].concat());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    })
}
