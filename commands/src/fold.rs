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
    /// Revision of the last event that customers may learn of.
    pub customer_revision: Option<Revision>,
    /// When that event was recorded.
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
}

impl<A: Aggregate> Default for Folded<A> {
    fn default() -> Self {
        Self {
            state: Arc::default(),
            revision: None,
            position: Position::START,
            recorded_at: None,
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
        self.apply(&event, recorded.recorded_at, recorded.revision, recorded.position, metadata.audience);
        self.note(metadata.command_id, metadata.fingerprint, recorded.revision);
        Ok(event)
    }

    /// Takes an event in.
    pub(crate) fn apply(
        &mut self,
        event: &A::Event,
        recorded_at: Timestamp,
        revision: Revision,
        position: Position,
        audience: Audience,
    ) {
        let folded = &mut self.folded;
        Arc::make_mut(&mut folded.state).evolve(event, recorded_at);
        folded.revision = Some(revision);
        folded.position = position;
        folded.recorded_at = Some(recorded_at);
        if audience == Audience::Customer {
            folded.customer_revision = Some(revision);
            folded.customer_updated_at = Some(recorded_at);
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
