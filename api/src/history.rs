//! The history of one stream: its events with personal values open, and its state at an instant. Read from the log itself,
//! for auditors over HTTP and for `dossier replay`.

use dossier_commands::LoadError;
use dossier_domain::access::Access;
use dossier_domain::account::{Account, EmailClaim};
use dossier_domain::account_recovery::AccountRecovery;
use dossier_domain::case::CaseState;
use dossier_domain::domain_claim::DomainClaim;
use dossier_domain::event_subscription::EventSubscription;
use dossier_domain::export::Export;
use dossier_domain::feedback::Feedback;
use dossier_domain::help_session::HelpSession;
use dossier_domain::known_issue::KnownIssueState;
use dossier_domain::personal::{open_all, subjects_to_open};
use dossier_domain::phone_call::PhoneCall;
use dossier_domain::saved_view::SavedView;
use dossier_domain::webhook::Webhook;
use dossier_domain::{Aggregate, DomainEvent, PersonalFields};
use dossier_eventlog::{EventStore, Metadata, Opened, Position, RecordedEvent, Revision, Sealer, StreamName};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// Events read at once.
const BATCH_EVENTS: usize = 1_000;

/// An event with everything that is known of it.
#[derive(Clone, Debug)]
pub struct HistoryEvent {
    /// As it is stored.
    pub recorded: RecordedEvent,
    /// Its metadata.
    pub metadata: Metadata,
    /// Its payload in the current version. A personal value is `open`, or without that it was erased.
    pub payload: Value,
}

/// A stream's state at an instant.
#[derive(Clone, Debug)]
pub struct StateAt {
    /// The state, as JSON; what it is before the first event.
    pub state: Value,
    /// The last event that counted; `None` before the first.
    pub last: Option<(Revision, Position)>,
}

/// Reads streams of one category.
struct Reader {
    category: &'static str,
    payload: for<'a> fn(&'a Sealer, &'a RecordedEvent) -> BoxFuture<'a, Result<Value, LoadError>>,
    state: for<'a> fn(Source<'a>, &'a StreamName, Timestamp) -> BoxFuture<'a, Result<StateAt, LoadError>>,
}

/// Every category whose history can be read.
static READERS: [Reader; 14] = [
    reader::<Access>("access"),
    reader::<Account>("account"),
    reader::<EmailClaim>("account_email"),
    reader::<AccountRecovery>("account_recovery"),
    reader::<CaseState>("case"),
    reader::<DomainClaim>("domain"),
    reader::<EventSubscription>("event_subscription"),
    reader::<Export>("export"),
    reader::<KnownIssueState>("known_issue"),
    reader::<PhoneCall>("phone_call"),
    reader::<Webhook>("webhook"),
    reader::<SavedView>("saved_view"),
    reader::<Feedback>("feedback"),
    reader::<HelpSession>("help_session"),
];

const fn reader<A: Aggregate + Serialize>(category: &'static str) -> Reader {
    Reader {
        category,
        payload: |sealer, recorded| Box::pin(payload::<A::Event>(sealer, recorded)),
        state: |source, stream, at| Box::pin(state::<A>(source, stream, at)),
    }
}

/// Where history is read from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The log.
    pub store: &'a dyn EventStore,
    /// Opens personal values.
    pub sealer: &'a Sealer,
}

impl Source<'_> {
    /// The events of a stream from a revision on, at most so many.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn events(
        self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<HistoryEvent>, LoadError> {
        let reader = reader_of(stream)?;
        let mut events = Vec::new();
        for recorded in self.store.read_stream(stream, from, limit).await? {
            let payload = (reader.payload)(self.sealer, &recorded).await?;
            events.push(HistoryEvent { metadata: recorded.metadata()?, payload, recorded });
        }
        Ok(events)
    }

    /// A stream's state as it stood at an instant, what was recorded at that very instant included.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn state_at(self, stream: &StreamName, at: Timestamp) -> Result<StateAt, LoadError> {
        (reader_of(stream)?.state)(self, stream, at).await
    }
}

fn reader_of(stream: &StreamName) -> Result<&'static Reader, LoadError> {
    let category = stream.category();
    let reader = READERS.iter().find(|reader| reader.category == category);
    reader.ok_or_else(|| LoadError::Damaged(format!("this release knows no streams of category {category}")))
}

async fn payload<E: DomainEvent>(sealer: &Sealer, recorded: &RecordedEvent) -> Result<Value, LoadError> {
    let mut event = decode::<E>(recorded)?;
    open(&mut event, sealer).await?;
    Ok(serde_json::from_slice(&event.encode())?)
}

async fn state<A: Aggregate + Serialize>(
    source: Source<'_>,
    stream: &StreamName,
    at: Timestamp,
) -> Result<StateAt, LoadError> {
    let mut state = A::default();
    let mut last = None;
    'reading: loop {
        let from = last.map_or(Revision(0), |(revision, _): (Revision, _)| revision.next());
        let batch = source.store.read_stream(stream, from, BATCH_EVENTS).await?;
        for recorded in &batch {
            if recorded.recorded_at > at {
                break 'reading;
            }
            let at = dossier_commands::occurred_at(recorded)?;
            state.evolve(&decode(recorded)?, at);
            last = Some((recorded.revision, recorded.position));
        }
        if batch.len() < BATCH_EVENTS {
            break;
        }
    }
    open(&mut state, source.sealer).await?;
    Ok(StateAt { state: serde_json::to_value(&state)?, last })
}

fn decode<E: DomainEvent>(recorded: &RecordedEvent) -> Result<E, LoadError> {
    E::decode(&recorded.event_type, recorded.version, &recorded.payload)
        .map_err(|error| LoadError::Damaged(format!("event {}: {error}", recorded.event_id)))
}

/// Opens every sealed value; one whose subject was erased is marked as that.
pub(crate) async fn open<F: PersonalFields + Send>(fields: &mut F, sealer: &Sealer) -> Result<(), LoadError> {
    let subjects = subjects_to_open(fields);
    sealer.prepare_open(&subjects).await?;
    open_all(fields, |subject, sealed| {
        Ok::<_, LoadError>(match sealer.open(subject, sealed)? {
            Opened::Plain(plain) => Some(plain),
            Opened::Erased => None,
        })
    })
}

#[cfg(test)]
mod tests {
    use dossier_domain::CATEGORIES;

    use super::*;

    /// R-AUDIT-1.
    #[test]
    fn r_audit_1_the_history_of_every_category_can_be_read() {
        let readable: Vec<_> = READERS.iter().map(|reader| reader.category).collect();
        let known: Vec<_> = CATEGORIES.iter().map(|category| category.name).collect();
        assert_eq!(readable, known);
    }
}
