//! `dossier replay`: every event of a stream, or its state at an instant, as JSON lines. Opens the log read-only.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dossier_domain::access::{Access, AccessEvent};
use dossier_domain::case::{CaseEvent, CaseState};
use dossier_domain::personal::{open_all, subjects_to_open};
use dossier_domain::{Aggregate, DomainEvent, PersonalFields};
use dossier_eventlog::{
    Entropy, EventStore, OpenError, Opened, ReadError, RecordedEvent, Revision, SealError, Sealer,
    SqliteKeyStore, SqliteStore, StreamName,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::engines::keys_path;

/// Events read at once.
const BATCH_EVENTS: usize = 1_000;

/// Why a stream was not replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The name is none.
    #[error(transparent)]
    Name(#[from] dossier_eventlog::envelope::InvalidStreamName),
    /// The log or the key store was not opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log does not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The stream has no event.
    #[error("there is no stream {0} in {path}; cases are case-ID, organizations access-ID", path = .1.display())]
    NoStream(String, PathBuf),
    /// An event is not readable by this release.
    #[error("{0}")]
    Event(String),
    /// The output ended.
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

impl From<SealError> for ReplayError {
    fn from(error: SealError) -> Self {
        Self::Event(error.to_string())
    }
}

/// Writes the events of a stream, or its state at an instant.
///
/// # Errors
/// [`ReplayError`].
pub async fn replay(
    data: &Path,
    stream: &str,
    at: Option<Timestamp>,
    entropy: &Entropy,
    output: &mut impl Write,
) -> Result<(), ReplayError> {
    let name = StreamName::new(stream)?;
    let path = data.join("events.db");
    let store = SqliteStore::open_read_only(&path).await?;
    let keys = SqliteKeyStore::open(&keys_path(&path), store.log_id(), false, entropy).await?;
    let sealer = Sealer::new(Arc::new(keys), entropy.clone());
    let mut events = Vec::new();
    loop {
        let from = events.last().map_or(Revision(0), |event: &RecordedEvent| event.revision.next());
        let batch = store.read_stream(&name, from, BATCH_EVENTS).await?;
        let full = batch.len() == BATCH_EVENTS;
        events.extend(batch);
        if !full {
            break;
        }
    }
    if events.is_empty() {
        return Err(ReplayError::NoStream(stream.to_owned(), path));
    }
    match name.category() {
        "access" => print::<Access, AccessEvent>(&events, at, &sealer, output).await,
        "case" => print::<CaseState, CaseEvent>(&events, at, &sealer, output).await,
        other => Err(ReplayError::Event(format!("this release knows no streams of category {other}"))),
    }
}

async fn print<A, E>(
    events: &[RecordedEvent],
    at: Option<Timestamp>,
    sealer: &Sealer,
    output: &mut impl Write,
) -> Result<(), ReplayError>
where
    A: Aggregate<Event = E> + Serialize,
    E: DomainEvent,
{
    let mut state = A::default();
    for recorded in events {
        if at.is_some_and(|at| recorded.recorded_at > at) {
            break;
        }
        let mut event = E::decode(&recorded.event_type, recorded.version, &recorded.payload)
            .map_err(|error| ReplayError::Event(format!("event {}: {error}", recorded.event_id)))?;
        open(&mut event, sealer).await?;
        if at.is_some() {
            state.evolve(&event, recorded.recorded_at);
        } else {
            writeln!(output, "{}", line(recorded, &event)?)?;
        }
    }
    if at.is_some() {
        let state = serde_json::to_string(&state).map_err(|error| ReplayError::Event(error.to_string()))?;
        writeln!(output, "{state}")?;
    }
    Ok(())
}

fn line(recorded: &RecordedEvent, event: &impl DomainEvent) -> Result<serde_json::Value, ReplayError> {
    let unreadable =
        |error: serde_json::Error| ReplayError::Event(format!("event {}: {error}", recorded.event_id));
    Ok(json!({
        "position": recorded.position,
        "stream": recorded.stream,
        "revision": recorded.revision,
        "eventId": recorded.event_id,
        "type": recorded.event_type,
        "version": recorded.version,
        "recordedAt": recorded.recorded_at,
        "metadata": recorded.metadata().map_err(unreadable)?,
        "payload": serde_json::from_slice::<serde_json::Value>(&event.encode()).map_err(unreadable)?,
    }))
}

async fn open<F: PersonalFields + Send>(fields: &mut F, sealer: &Sealer) -> Result<(), ReplayError> {
    let subjects = subjects_to_open(fields);
    sealer.prepare_open(&subjects).await?;
    open_all(fields, |subject, sealed| {
        Ok::<_, OpenFailure>(match sealer.open(subject, sealed)? {
            Opened::Plain(plain) => Some(plain),
            Opened::Erased => None,
        })
    })
    .map_err(|OpenFailure(why)| ReplayError::Event(why))
}

struct OpenFailure(String);

impl From<SealError> for OpenFailure {
    fn from(error: SealError) -> Self {
        Self(error.to_string())
    }
}

impl From<dossier_domain::personal::InvalidPlain> for OpenFailure {
    fn from(error: dossier_domain::personal::InvalidPlain) -> Self {
        Self(error.to_string())
    }
}
