//! Streams, events and appends for the checks: all of a number, nothing random.

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use crate::envelope::{EventId, NewEvent, Revision, StreamName};
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
