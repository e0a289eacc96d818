//! Events as KurrentDB keeps them: the payload as it is, and before the metadata one line that holds what the server has no
//! place for.

use bytes::{BufMut, Bytes, BytesMut};
use jiff::Timestamp;
use kurrentdb::EventData;

use super::options::Names;
use crate::envelope::{EventId, NewEvent, Position, RecordedEvent, Revision};
use crate::store::ReadError;

/// Begins the line; another layout takes another word.
const LAYOUT: &str = "dossier1";
/// The line is far shorter: whoever reads further looks at something else.
const MAX_LINE_BYTES: usize = 64;

/// The event to send.
pub(super) fn encode(event: &NewEvent) -> EventData {
    let line = format!("{LAYOUT} {} {}\n", event.version, event.recorded_at.as_microsecond());
    let mut metadata = BytesMut::with_capacity(line.len() + event.metadata.len());
    metadata.put_slice(line.as_bytes());
    metadata.put_slice(&event.metadata);
    EventData::binary(&event.event_type, event.payload.clone())
        .id(event.event_id.0)
        .metadata(metadata.freeze())
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
    let (version, recorded_at, metadata) = split(&event.custom_metadata)
        .ok_or_else(|| damaged("its metadata was not written by this program"))?;
    Ok(Some(RecordedEvent {
        position: Position(event.position.commit),
        revision: Revision(event.revision),
        event_id: EventId(event.id),
        event_type: event.event_type.into(),
        version,
        recorded_at,
        payload: event.data,
        metadata,
        stream,
    }))
}

fn split(bytes: &Bytes) -> Option<(u16, Timestamp, Bytes)> {
    let end = bytes.iter().take(MAX_LINE_BYTES).position(|byte| *byte == b'\n')?;
    let mut words = std::str::from_utf8(&bytes[..end]).ok()?.split(' ');
    let (LAYOUT, version, micros, None) = (words.next()?, words.next()?, words.next()?, words.next()) else {
        return None;
    };
    let recorded_at = Timestamp::from_microsecond(micros.parse().ok()?).ok()?;
    Some((version.parse().ok()?, recorded_at, bytes.slice(end + 1..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_that_another_program_wrote_is_told_apart() {
        let line = |text: &str| split(&Bytes::copy_from_slice(text.as_bytes()));
        let (version, recorded_at, metadata) = line("dossier1 7 -5\n\n{}").expect("ours");
        assert_eq!((version, recorded_at.as_microsecond(), &metadata[..]), (7, -5, &b"\n{}"[..]));
        for other in [
            "",
            "{}",
            "{}\n",
            "dossier1 7\n",
            "dossier2 7 5\n",
            "dossier1 70000 5\n",
            "dossier1 7 5 9\n",
            "dossier1 7 5",
        ] {
            assert_eq!(line(other), None, "{other:?}");
        }
        assert_eq!(line(&format!("dossier1 7 {:0>80}\n", 5)), None);
    }
}
