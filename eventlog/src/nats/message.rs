//! An event as a message: a line of JSON with what surrounds it, then the stored bytes of payload and metadata, unchanged.

use std::borrow::Cow;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bus::BusMessage;
use crate::envelope::{EventId, Position, RecordedEvent, Revision, StreamName};
use crate::outlet::OutgoingMessage;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head<'a> {
    previous_position: u64,
    position: u64,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    revision: u64,
    event_id: Uuid,
    #[serde(borrow, rename = "type")]
    event_type: Cow<'a, str>,
    version: u16,
    /// Microseconds since 1970, UTC.
    recorded_at: i64,
    /// Length of the payload; the rest is metadata.
    payload_bytes: usize,
}

/// Why a message is not one of the bus's.
#[derive(Debug, thiserror::Error)]
#[error("not an event as this release writes it: {0}")]
pub(super) struct NotAnEvent(String);

/// The message as the stream gets it.
pub(super) fn outgoing(message: &BusMessage) -> OutgoingMessage {
    let event = &message.event;
    let subject = [event.stream.category(), &event.event_type, event.stream.id()];
    OutgoingMessage {
        position: event.position,
        event_id: event.event_id,
        subject: subject.map(str::to_owned).to_vec(),
        headers: vec![],
        body: encode(message),
    }
}

fn encode(message: &BusMessage) -> Bytes {
    let event = &message.event;
    let head = Head {
        previous_position: message.previous_position.0,
        position: event.position.0,
        stream: event.stream.as_str().into(),
        revision: event.revision.0,
        event_id: event.event_id.0,
        event_type: (&*event.event_type).into(),
        version: event.version,
        recorded_at: event.recorded_at.as_microsecond(),
        payload_bytes: event.payload.len(),
    };
    let mut body = Vec::with_capacity(512 + event.payload.len() + event.metadata.len());
    serde_json::to_writer(&mut body, &head).expect("numbers and texts are serializable");
    body.push(b'\n');
    body.extend_from_slice(&event.payload);
    body.extend_from_slice(&event.metadata);
    body.into()
}

/// Reads a message's body; payload and metadata share its memory.
pub(super) fn decode(body: &Bytes) -> Result<BusMessage, NotAnEvent> {
    let other = |what: &dyn std::fmt::Display| NotAnEvent(what.to_string());
    let line = body.iter().position(|&byte| byte == b'\n').ok_or_else(|| other(&"no first line"))?;
    let head: Head<'_> = serde_json::from_slice(&body[..line]).map_err(|error| other(&error))?;
    let stored = body.slice(line + 1..);
    if head.payload_bytes > stored.len() {
        return Err(other(&"shorter than it says"));
    }
    Ok(BusMessage {
        previous_position: Position(head.previous_position),
        event: RecordedEvent {
            position: Position(head.position),
            stream: StreamName::new(&head.stream).map_err(|error| other(&error))?,
            revision: Revision(head.revision),
            event_id: EventId(head.event_id),
            event_type: (&*head.event_type).into(),
            version: head.version,
            recorded_at: Timestamp::from_microsecond(head.recorded_at).map_err(|error| other(&error))?,
            payload: stored.slice(..head.payload_bytes),
            metadata: stored.slice(head.payload_bytes..),
        }
        .into(),
    })
}

/// A text as one part of a subject: what would end or split it, or mean any, becomes `%` and two digits.
pub(super) fn subject_token(text: &str) -> Cow<'_, str> {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if text.is_empty() {
        return "_".into();
    }
    if text.bytes().all(safe) {
        return text.into();
    }
    let escaped = |byte: u8| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escaped).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::contract::sample::recorded;

    #[test]
    fn an_event_comes_back_byte_for_byte() {
        let mut event = recorded(7);
        event.event_type = "Strange\n\"Type\"".into();
        event.payload = Bytes::from_static(b"\n\0 not json \xff\n");
        for metadata in [&b""[..], b"{\"a\":1}\n"] {
            event.metadata = Bytes::from_static(metadata);
            let sent = BusMessage { previous_position: Position(3), event: Arc::new(event.clone()) };
            let received = decode(&encode(&sent)).unwrap();
            assert_eq!((received.previous_position, &*received.event), (Position(3), &event));
        }
    }

    #[test]
    fn the_first_line_is_kept_for_the_release_that_reads_it() {
        let body = encode(&BusMessage { previous_position: Position(6), event: Arc::new(recorded(7)) });
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert_eq!(
            text,
            "{\"previous_position\":6,\"position\":7,\"stream\":\"case-0001\",\"revision\":6,\
             \"event_id\":\"00000000-0000-0007-0000-000000000000\",\"type\":\"NoteTaken\",\"version\":1,\
             \"recorded_at\":1767225601123456,\"payload_bytes\":23}\n{\"command\":7,\"index\":0}{\"audience\":\"internal\"}"
        );
    }

    #[test]
    fn what_is_no_event_is_not_taken_for_one() {
        let whole = encode(&BusMessage { previous_position: Position(6), event: Arc::new(recorded(7)) });
        let line = whole.iter().position(|&byte| byte == b'\n').unwrap();
        for body in [&b""[..], b"hello", b"{}\n", &whole[..line], &whole[..line + 5]] {
            assert!(decode(&Bytes::copy_from_slice(body)).is_err());
        }
    }

    #[test]
    fn a_part_of_a_subject_stays_one_part() {
        assert_eq!(subject_token("case_Filed-7"), "case_Filed-7");
        assert_eq!(subject_token("acme.example"), "acme%2Eexample");
        assert_eq!(subject_token("a b*>é"), "a%20b%2A%3E%C3%A9");
        assert_eq!(subject_token(""), "_");
    }
}
