//! An event as projectors see it: decoded to its current version, personal values open.

use dossier_domain::access::AccessEvent;
use dossier_domain::case::CaseEvent;
use dossier_domain::personal::{open_all, subjects_to_open};
use dossier_domain::{DomainEvent, PersonalFields, PersonalSlot};
use dossier_eventlog::{Metadata, Opened, Position, RecordedEvent, Revision, SealError, Sealer, StreamName};
use jiff::Timestamp;

use crate::error::ProjectionError;

/// The events of every aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadEvent {
    /// Of a case.
    Case(CaseEvent),
    /// Of an organization's access.
    Access(AccessEvent),
}

impl PersonalFields for ReadEvent {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        match self {
            Self::Case(event) => event.for_each_personal(visit),
            Self::Access(event) => event.for_each_personal(visit),
        }
    }
}

/// An event with its place and metadata.
#[derive(Clone, Debug)]
pub struct ProjectedEvent {
    /// Place in the log.
    pub position: Position,
    /// The stream it belongs to.
    pub stream: StreamName,
    /// Its number in that stream.
    pub revision: Revision,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Its metadata.
    pub metadata: Metadata,
    /// The event.
    pub event: ReadEvent,
}

/// Decodes and opens events of the wanted categories; the others are left out.
///
/// # Errors
/// [`ProjectionError::Halted`] for the first event that is not readable, with how many readable ones stand before it.
pub(crate) async fn read_events(
    recorded: &[&RecordedEvent],
    categories: &[&str],
    sealer: &Sealer,
) -> (Vec<ProjectedEvent>, Option<(usize, ProjectionError)>) {
    let mut events = Vec::with_capacity(recorded.len());
    let mut failure = None;
    for (index, recorded) in recorded.iter().enumerate() {
        if !categories.contains(&recorded.stream.category()) {
            continue;
        }
        match decode(recorded) {
            Ok(event) => events.push(event),
            Err(why) => {
                let position = recorded.position;
                let why = format!("event {} at position {position}: {why}", recorded.event_id);
                failure = Some((index, ProjectionError::Halted(why)));
                break;
            }
        }
    }
    if let Err(error) = open(&mut events, sealer).await {
        return (Vec::new(), Some((0, error)));
    }
    (events, failure)
}

fn decode(recorded: &RecordedEvent) -> Result<ProjectedEvent, String> {
    let (event_type, version, payload) = (&recorded.event_type, recorded.version, &recorded.payload);
    let event = match recorded.stream.category() {
        "access" => AccessEvent::decode(event_type, version, payload).map(ReadEvent::Access),
        _ => CaseEvent::decode(event_type, version, payload).map(ReadEvent::Case),
    }
    .map_err(|error| error.to_string())?;
    Ok(ProjectedEvent {
        position: recorded.position,
        stream: recorded.stream.clone(),
        revision: recorded.revision,
        recorded_at: recorded.recorded_at,
        metadata: recorded.metadata().map_err(|error| format!("its metadata is not readable: {error}"))?,
        event,
    })
}

async fn open(events: &mut [ProjectedEvent], sealer: &Sealer) -> Result<(), ProjectionError> {
    let mut subjects = Vec::new();
    for event in events.iter_mut() {
        subjects.extend(subjects_to_open(&mut event.event));
    }
    subjects.sort_unstable();
    subjects.dedup();
    sealer.prepare_open(&subjects).await.map_err(seal_error)?;
    for event in events {
        open_all(&mut event.event, |subject, sealed| {
            sealer.open(subject, sealed).map_err(OpenFailure::Seal).map(|opened| match opened {
                Opened::Plain(plain) => Some(plain),
                Opened::Erased => None,
            })
        })
        .map_err(|failure| match failure {
            OpenFailure::Seal(error) => seal_error(error),
            OpenFailure::Plain(why) => {
                ProjectionError::Halted(format!("event at position {}: {why}", event.position))
            }
        })?;
    }
    Ok(())
}

enum OpenFailure {
    Seal(SealError),
    Plain(String),
}

impl From<dossier_domain::personal::InvalidPlain> for OpenFailure {
    fn from(error: dossier_domain::personal::InvalidPlain) -> Self {
        Self::Plain(error.to_string())
    }
}

fn seal_error(error: SealError) -> ProjectionError {
    match error {
        SealError::Unavailable(_) => ProjectionError::Unavailable(error.to_string()),
        SealError::Erased(_) | SealError::MissingKey(_) | SealError::Damaged(_) => {
            ProjectionError::Halted(error.to_string())
        }
    }
}
