//! Rows turned into events.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::envelope::{EventId, Position, RecordedEvent, Revision, StreamName};
use crate::store::ReadError;

/// Collects rows into events. Columns by index, in this order:
/// position, revision, event id, type, version, recorded at, metadata, payload, and the stream unless it is known.
pub(super) struct Page {
    stream: Option<StreamName>,
    types: HashSet<Arc<str>>,
    pub(super) events: Vec<RecordedEvent>,
}

impl Page {
    /// A page of one stream, or of the whole log.
    pub(super) fn new(stream: Option<StreamName>) -> Self {
        Self { stream, types: HashSet::new(), events: vec![] }
    }

    pub(super) fn push(&mut self, row: &PgRow) -> Result<(), ReadError> {
        let position = unsigned(column(row, 0)?)?;
        let damaged = |what: &str| ReadError::Damaged(format!("event at position {position} has {what}"));
        let version = u16::try_from(column::<i32>(row, 4)?).map_err(|_| damaged("an impossible version"))?;
        let recorded_at =
            Timestamp::from_microsecond(column(row, 5)?).map_err(|_| damaged("an impossible instant"))?;
        let (metadata, payload) = (column::<&[u8]>(row, 6)?, column::<&[u8]>(row, 7)?);
        let mut bytes = BytesMut::with_capacity(metadata.len() + payload.len());
        bytes.extend_from_slice(metadata);
        bytes.extend_from_slice(payload);
        let mut payload: Bytes = bytes.freeze();
        let metadata = payload.split_to(metadata.len());
        let stream = self.stream_of(row)?;
        let event_type = self.type_of(column(row, 3)?);
        self.events.push(RecordedEvent {
            position: Position(position),
            stream,
            revision: Revision(unsigned(column(row, 1)?)?),
            event_id: EventId(column::<Uuid>(row, 2)?),
            event_type,
            version,
            recorded_at,
            payload,
            metadata,
        });
        Ok(())
    }

    fn stream_of(&mut self, row: &PgRow) -> Result<StreamName, ReadError> {
        if row.len() == 8 {
            return self.stream.clone().ok_or_else(|| ReadError::Damaged("a row without its stream".into()));
        }
        let name: &str = column(row, 8)?;
        match &self.stream {
            Some(last) if last.as_str() == name => Ok(last.clone()),
            _ => {
                let stream = StreamName::new(name).map_err(|error| ReadError::Damaged(error.to_string()))?;
                self.stream = Some(stream.clone());
                Ok(stream)
            }
        }
    }

    /// Shares one text per event type: a page has few of them and many events.
    fn type_of(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.types.get(name) {
            return Arc::clone(known);
        }
        let shared = Arc::<str>::from(name);
        self.types.insert(Arc::clone(&shared));
        shared
    }
}

/// A column of the table's own type: it needs no second check.
pub(super) fn column<'r, T>(row: &'r PgRow, index: usize) -> Result<T, ReadError>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get_unchecked(index).map_err(|error| ReadError::Damaged(error.to_string()))
}

pub(super) fn unsigned(number: i64) -> Result<u64, ReadError> {
    u64::try_from(number).map_err(|_| ReadError::Damaged("a negative position or revision".into()))
}
