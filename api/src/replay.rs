//! `dossier replay`: every event of a stream, or its state at an instant, as JSON lines. Opens the log read-only.

use std::io::Write;

use dossier_commands::LoadError;
use dossier_eventlog::{Entropy, ReadError, Revision, Sealer, StreamName};
use jiff::Timestamp;
use serde_json::json;

use crate::config::Engines;
use crate::engines::open_for_reading;
use crate::history::{HistoryEvent, Source};
use crate::system::StartError;

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
    Open(#[from] StartError),
    /// The log does not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The stream has no event.
    #[error("there is no stream {0} in {1}; cases are case-ID, organizations access-ID")]
    NoStream(String, String),
    /// An event is not readable by this release.
    #[error("{0}")]
    Event(String),
    /// The output ended.
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

impl From<LoadError> for ReplayError {
    fn from(error: LoadError) -> Self {
        Self::Event(error.to_string())
    }
}

/// Writes the events of a stream, or its state at an instant.
///
/// # Errors
/// [`ReplayError`].
pub async fn replay(
    engines: &Engines,
    stream: &str,
    at: Option<Timestamp>,
    entropy: &Entropy,
    output: &mut impl Write,
) -> Result<(), ReplayError> {
    let name = StreamName::new(stream)?;
    let (store, keys) = open_for_reading(engines, entropy).await?;
    let sealer = Sealer::new(keys, entropy.clone());
    let source = Source { store: &*store, sealer: &sealer };
    if store.stream_head(&name).await?.is_none() {
        return Err(ReplayError::NoStream(stream.to_owned(), engines.event_store.shown()));
    }
    if let Some(at) = at {
        writeln!(output, "{}", source.state_at(&name, at).await?.state)?;
        return Ok(());
    }
    let mut next = Revision(0);
    loop {
        let events = source.events(&name, next, BATCH_EVENTS).await?;
        for event in &events {
            writeln!(output, "{}", line(event))?;
        }
        match events.last() {
            Some(last) if events.len() == BATCH_EVENTS => next = last.recorded.revision.next(),
            _ => return Ok(()),
        }
    }
}

fn line(HistoryEvent { recorded, metadata, payload }: &HistoryEvent) -> serde_json::Value {
    json!({
        "position": recorded.position,
        "stream": recorded.stream,
        "revision": recorded.revision,
        "eventId": recorded.event_id,
        "type": recorded.event_type,
        "version": recorded.version,
        "recordedAt": recorded.recorded_at,
        "metadata": metadata,
        "payload": payload,
    })
}
