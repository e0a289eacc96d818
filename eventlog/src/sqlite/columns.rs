//! The tables of a log, and rows turned into events.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::open::{Kind, LOG_APPLICATION_ID};
use crate::envelope::{EventId, Position, RecordedEvent, Revision, StreamName};
use crate::store::ReadError;

/// What a log's file must be.
pub(super) const LOG: Kind =
    Kind { name: "event log", application_id: LOG_APPLICATION_ID, schema_version: 1 };

/// The tables of a new log. `recorded_at` counts microseconds since 1970.
pub(super) const SCHEMA: &[&str] = &[
    "CREATE TABLE event (
        position INTEGER PRIMARY KEY,
        stream TEXT NOT NULL,
        revision INTEGER NOT NULL,
        event_id BLOB NOT NULL,
        type TEXT NOT NULL,
        version INTEGER NOT NULL,
        recorded_at INTEGER NOT NULL,
        metadata BLOB NOT NULL,
        payload BLOB NOT NULL
    ) STRICT",
    "CREATE UNIQUE INDEX event_by_stream ON event (stream, revision)",
    "CREATE UNIQUE INDEX event_by_id ON event (event_id)",
];

/// Shares one text per event type: a log has few of them and many events.
#[derive(Default)]
pub(super) struct Interner {
    texts: RwLock<HashMap<Box<str>, Arc<str>>>,
}

/// A log of this system has some hundred types; more than this is someone else's bytes, not worth keeping.
const MOST_INTERNED: usize = 4096;

impl Interner {
    pub(super) fn intern(&self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.read().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Arc::clone(known);
        }
        let shared = Arc::<str>::from(text);
        let mut texts = self.texts.write().unwrap_or_else(PoisonError::into_inner);
        if texts.len() < MOST_INTERNED {
            texts.insert(text.into(), Arc::clone(&shared));
        }
        shared
    }
}

/// Bytes of events that share one allocation: few enough that one kept event does not pin much memory.
const ARENA_BYTES: usize = 64 * 1024;

/// Collects rows into events. Columns by index, in this order:
/// position, revision, event id, type, version, recorded at, metadata, payload, and the stream unless it is known.
pub(super) struct Page<'a> {
    types: &'a Interner,
    stream: Option<StreamName>,
    last_type: Option<Arc<str>>,
    arena: BytesMut,
    /// Where each event since the last freeze has its metadata and payload in the arena.
    slices: Vec<(usize, usize)>,
    events: Vec<RecordedEvent>,
}

impl<'a> Page<'a> {
    /// A page of one stream, or of the whole log.
    pub(super) fn new(types: &'a Interner, stream: Option<StreamName>) -> Self {
        Self { types, stream, last_type: None, arena: BytesMut::new(), slices: vec![], events: vec![] }
    }

    pub(super) fn push(&mut self, row: &SqliteRow) -> Result<(), ReadError> {
        let position = unsigned(row, 0)?;
        let stream = self.stream_of(row)?;
        let event_type = self.type_of(row)?;
        let damaged = |what: &str| ReadError::Damaged(format!("event at position {position} has {what}"));
        let id = Uuid::from_slice(blob(row, 2)?).map_err(|_| damaged("an id that is no UUID"))?;
        let version = u16::try_from(integer(row, 4)?).map_err(|_| damaged("an impossible version"))?;
        let recorded_at =
            Timestamp::from_microsecond(integer(row, 5)?).map_err(|_| damaged("an impossible instant"))?;
        let (metadata, payload) = (blob(row, 6)?, blob(row, 7)?);
        if self.arena.len() + metadata.len() + payload.len() > ARENA_BYTES {
            self.freeze();
        }
        self.arena.extend_from_slice(metadata);
        self.arena.extend_from_slice(payload);
        self.slices.push((metadata.len(), payload.len()));
        self.events.push(RecordedEvent {
            position: Position(position),
            stream,
            revision: Revision(unsigned(row, 1)?),
            event_id: EventId(id),
            event_type,
            version,
            recorded_at,
            payload: Bytes::new(),
            metadata: Bytes::new(),
        });
        Ok(())
    }

    pub(super) fn finish(mut self) -> Vec<RecordedEvent> {
        self.freeze();
        self.events
    }

    /// Gives the events since the last freeze their bytes.
    fn freeze(&mut self) {
        let mut bytes = std::mem::take(&mut self.arena).freeze();
        let first = self.events.len() - self.slices.len();
        for (event, (metadata, payload)) in self.events[first..].iter_mut().zip(self.slices.drain(..)) {
            event.metadata = bytes.split_to(metadata);
            event.payload = bytes.split_to(payload);
        }
    }

    fn stream_of(&mut self, row: &SqliteRow) -> Result<StreamName, ReadError> {
        if row.len() == 8 {
            return self.stream.clone().ok_or_else(|| ReadError::Damaged("a row without its stream".into()));
        }
        let name: &str = row.try_get_unchecked(8).map_err(|error| unreadable(&error))?;
        match &self.stream {
            Some(last) if last.as_str() == name => Ok(last.clone()),
            _ => {
                let stream = StreamName::new(name).map_err(|error| ReadError::Damaged(error.to_string()))?;
                self.stream = Some(stream.clone());
                Ok(stream)
            }
        }
    }

    fn type_of(&mut self, row: &SqliteRow) -> Result<Arc<str>, ReadError> {
        let name: &str = row.try_get_unchecked(3).map_err(|error| unreadable(&error))?;
        match &self.last_type {
            Some(last) if **last == *name => Ok(Arc::clone(last)),
            _ => {
                let shared = self.types.intern(name);
                self.last_type = Some(Arc::clone(&shared));
                Ok(shared)
            }
        }
    }
}

fn integer(row: &SqliteRow, index: usize) -> Result<i64, ReadError> {
    // The table is STRICT: the column's type needs no second check.
    row.try_get_unchecked(index).map_err(|error| unreadable(&error))
}

fn unsigned(row: &SqliteRow, index: usize) -> Result<u64, ReadError> {
    u64::try_from(integer(row, index)?)
        .map_err(|_| ReadError::Damaged("a negative position or revision".into()))
}

fn blob(row: &SqliteRow, index: usize) -> Result<&[u8], ReadError> {
    row.try_get_unchecked(index).map_err(|error| unreadable(&error))
}

fn unreadable(error: &sqlx::Error) -> ReadError {
    ReadError::Damaged(error.to_string())
}
