//! Events as KurrentDB keeps them: the payload as it is, and before the metadata one line that holds what the server has no
//! place for, the event's id among it.
//!
//! The server recognises an event by the id that it was given, whatever the bytes. So it is given a digest of id and bytes:
//! what is sent again is recognised, and another decision under the same id, by a node that lags behind, is a conflict and
//! no success.

use bytes::{BufMut, Bytes, BytesMut};
use jiff::Timestamp;
use kurrentdb::EventData;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::options::Names;
use crate::envelope::{EventId, NewEvent, Position, RecordedEvent, Revision};
use crate::store::ReadError;

/// Begins the line; another layout takes another word.
const LAYOUT: &str = "dossier1";
/// The line is far shorter: whoever reads further looks at something else.
const MAX_LINE_BYTES: usize = 96;

/// The event to send.
pub(super) fn encode(event: &NewEvent) -> EventData {
    let metadata = with_line(event);
    EventData::binary(&event.event_type, event.payload.clone())
        .id(digest(&metadata, event))
        .metadata(metadata)
}

/// The metadata as the server keeps it.
fn with_line(event: &NewEvent) -> Bytes {
    let (id, version, micros) = (event.event_id.0, event.version, event.recorded_at.as_microsecond());
    let line = format!("{LAYOUT} {id} {version} {micros}\n");
    let mut metadata = BytesMut::with_capacity(line.len() + event.metadata.len());
    metadata.put_slice(line.as_bytes());
    metadata.put_slice(&event.metadata);
    metadata.freeze()
}

fn digest(metadata: &[u8], event: &NewEvent) -> Uuid {
    let mut digest = Sha256::new();
    for part in [metadata, event.event_type.as_bytes(), &event.payload] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&digest.finalize()[..16]);
    Uuid::new_v8(id)
}

/// The event that was read; `None` when it is not of this log.
pub(super) fn decode(
    names: &Names,
    event: kurrentdb::RecordedEvent,
) -> Result<Option<RecordedEvent>, ReadError> {
    let Some(stream) = names.of_log(event.stream_id()) else { return Ok(None) };
    let damaged = |what: &str| ReadError::Damaged(format!("event {} of {stream}: {what}", event.revision));
    // So a server older than 22.10 shows the events of a stream.
    if event.position.commit == u64::MAX {
        return Err(damaged("the server does not tell its position; version 22.10 or newer is needed"));
    }
    let (event_id, version, recorded_at, metadata) = split(&event.custom_metadata)
        .ok_or_else(|| damaged("its metadata was not written by this program"))?;
    Ok(Some(RecordedEvent {
        position: Position(event.position.commit),
        revision: Revision(event.revision),
        event_id,
        event_type: event.event_type.into(),
        version,
        recorded_at,
        payload: event.data,
        metadata,
        stream,
    }))
}

/// Our id of an event of this log; the server's own is a digest.
pub(super) fn event_id(event: &kurrentdb::RecordedEvent) -> Option<EventId> {
    split(&event.custom_metadata).map(|(event_id, ..)| event_id)
}

fn split(bytes: &Bytes) -> Option<(EventId, u16, Timestamp, Bytes)> {
    let end = bytes.iter().take(MAX_LINE_BYTES).position(|byte| *byte == b'\n')?;
    let mut words = std::str::from_utf8(&bytes[..end]).ok()?.split(' ');
    let (LAYOUT, id, version, micros, None) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next())
    else {
        return None;
    };
    let recorded_at = Timestamp::from_microsecond(micros.parse().ok()?).ok()?;
    Some((EventId(id.parse().ok()?), version.parse().ok()?, recorded_at, bytes.slice(end + 1..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_that_another_program_wrote_is_told_apart() {
        let line = |text: &str| split(&Bytes::copy_from_slice(text.as_bytes()));
        let id = Uuid::from_u128(3);
        let (event_id, version, recorded_at, metadata) =
            line(&format!("dossier1 {id} 7 -5\n\n{{}}")).expect("ours");
        assert_eq!(
            (event_id.0, version, recorded_at.as_microsecond(), &metadata[..]),
            (id, 7, -5, &b"\n{}"[..])
        );
        for other in [
            String::new(),
            "{}".to_owned(),
            "{}\n".to_owned(),
            "dossier1 7 5\n".to_owned(),
            format!("dossier1 {id} 7\n"),
            format!("dossier2 {id} 7 5\n"),
            format!("dossier1 {id} 70000 5\n"),
            format!("dossier1 {id} 7 5 9\n"),
            format!("dossier1 {id} 7 5"),
            format!("dossier1 {id} 7 {:0>80}\n", 5),
        ] {
            assert_eq!(line(&other), None, "{other:?}");
        }
    }

    #[test]
    fn the_server_recognises_the_same_bytes_only() {
        let event = crate::contract::sample::event(1, 7);
        let id = |event: &NewEvent| digest(&with_line(event), event);
        assert_eq!(id(&event), id(&event.clone()));
        let otherwise = NewEvent { payload: Bytes::from_static(b"{}"), ..event.clone() };
        assert_ne!(id(&event), id(&otherwise));
        let later = NewEvent {
            recorded_at: event.recorded_at + jiff::SignedDuration::from_micros(1),
            ..event.clone()
        };
        assert_ne!(id(&event), id(&later));
    }
}
