//! `dossier replay`: every event of a stream, or its state at an instant, as JSON lines. Opens the log read-only.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dossier_commands::LoadError;
use dossier_eventlog::{
    Entropy, EventStore, OpenError, ReadError, Revision, Sealer, SqliteKeyStore, SqliteStore, StreamName,
};
use jiff::Timestamp;
use serde_json::json;

use crate::engines::keys_path;
use crate::history::{HistoryEvent, Source};

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
    let source = Source { store: &store, sealer: &sealer };
    if store.stream_head(&name).await?.is_none() {
        return Err(ReplayError::NoStream(stream.to_owned(), path));
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
