//! The envelope around a folded state: where its stream stands and which commands it has seen.

use std::collections::HashMap;
use std::sync::Arc;

use dossier_domain::{Aggregate, DomainEvent};
use dossier_eventlog::{Audience, Position, RecordedEvent, Revision};
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use crate::error::LoadError;

/// What a stored command left: enough to answer a repeat.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    pub(crate) fingerprint: Box<str>,
    pub(crate) first: Revision,
    pub(crate) last: Revision,
}

/// A stream, folded up to a revision.
#[derive(Clone, Debug)]
pub struct Folded<A> {
    /// The aggregate's state.
    pub state: Arc<A>,
    /// Revision of the last event; `None` when there is none.
    pub revision: Option<Revision>,
    /// Position of the last event.
    pub position: Position,
    /// When the last event was recorded.
    pub recorded_at: Option<Timestamp>,
    /// When it happened: long before that where it was taken over from elsewhere.
    pub occurred_at: Option<Timestamp>,
    /// Revision of the last event that customers may learn of.
    pub customer_revision: Option<Revision>,
    /// When that event happened.
    pub customer_updated_at: Option<Timestamp>,
}

/// A stream as the cache keeps it: folded, with a receipt for every command it has seen.
#[derive(Debug)]
pub(crate) struct Loaded<A> {
    pub(crate) folded: Folded<A>,
    pub(crate) receipts: HashMap<Uuid, Receipt>,
    /// Whether it was ever compared with the log: a stream without an event is known too.
    pub(crate) seen: bool,
}

/// The metadata that folding needs, borrowed: the rest is skipped.
#[derive(Deserialize)]
struct FoldMetadata<'a> {
    command_id: Uuid,
    #[serde(borrow)]
    fingerprint: &'a str,
    audience: Audience,
    #[serde(default)]
    occurred_at: Option<Timestamp>,
}

/// When an event was recorded, and when it happened where that is another instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instants {
    pub(crate) recorded_at: Timestamp,
    pub(crate) occurred_at: Option<Timestamp>,
}

impl<A: Aggregate> Default for Folded<A> {
    fn default() -> Self {
        Self {
            state: Arc::default(),
            revision: None,
            position: Position::START,
            recorded_at: None,
            occurred_at: None,
            customer_revision: None,
            customer_updated_at: None,
        }
    }
}

impl<A: Aggregate> Default for Loaded<A> {
    fn default() -> Self {
        Self { folded: Folded::default(), receipts: HashMap::new(), seen: false }
    }
}

impl<A: Aggregate> Loaded<A> {
    /// Takes a stored event in, and answers it decoded.
    pub(crate) fn apply_recorded(&mut self, recorded: &RecordedEvent) -> Result<A::Event, LoadError> {
        let event = A::Event::decode(&recorded.event_type, recorded.version, &recorded.payload)?;
        let metadata: FoldMetadata<'_> = serde_json::from_slice(&recorded.metadata)?;
        let at = Instants { recorded_at: recorded.recorded_at, occurred_at: metadata.occurred_at };
        self.apply(&event, at, recorded.revision, recorded.position, metadata.audience);
        self.note(metadata.command_id, metadata.fingerprint, recorded.revision);
        Ok(event)
    }

    /// Takes an event in.
    pub(crate) fn apply(
        &mut self,
        event: &A::Event,
        at: Instants,
        revision: Revision,
        position: Position,
        audience: Audience,
    ) {
        let folded = &mut self.folded;
        let occurred_at = at.occurred_at.unwrap_or(at.recorded_at);
        Arc::make_mut(&mut folded.state).evolve(event, occurred_at);
        folded.revision = Some(revision);
        folded.position = position;
        folded.recorded_at = Some(at.recorded_at);
        folded.occurred_at = Some(occurred_at);
        if audience == Audience::Customer {
            folded.customer_revision = Some(revision);
            folded.customer_updated_at = Some(occurred_at);
        }
    }

    /// Remembers that an event came from a command.
    pub(crate) fn note(&mut self, command_id: Uuid, fingerprint: &str, revision: Revision) {
        self.receipts
            .entry(command_id)
            .and_modify(|receipt| receipt.last = revision)
            .or_insert_with(|| Receipt { fingerprint: fingerprint.into(), first: revision, last: revision });
    }
}

/// When a stored event happened.
///
/// # Errors
/// [`LoadError::Damaged`] for metadata that is not readable.
pub fn occurred_at(recorded: &RecordedEvent) -> Result<Timestamp, LoadError> {
    #[derive(Deserialize)]
    struct Occurred {
        #[serde(default)]
        occurred_at: Option<Timestamp>,
    }
    let metadata: Occurred = serde_json::from_slice(&recorded.metadata)?;
    Ok(metadata.occurred_at.unwrap_or(recorded.recorded_at))
}
