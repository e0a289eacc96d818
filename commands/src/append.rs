//! From a decision's events to an append, and back into the fold.

use bytes::Bytes;
use dossier_domain::case::CaseEvent;
use dossier_domain::case::import::ImportedEvent;
use dossier_domain::personal::{seal_all, subjects_to_seal};
use dossier_domain::{AccountId, Aggregate, DomainEvent, EventAudience, OrganizationId};
use dossier_eventlog::{
    Append, Audience, EventId, Expected, Guard, Metadata, NewEvent, Revision, SealError, StreamName,
};
use jiff::Timestamp;

use crate::commands::{AccessSource, AccessView, Commands, access_stream};
use crate::error::LoadError;
use crate::fold::{Folded, Instants, Loaded};
use crate::request::Request;

/// An event as decided, with who did it and when where that is not who asks and now.
#[derive(Clone, Debug)]
pub(crate) struct Decided<E> {
    pub(crate) event: E,
    pub(crate) then: Option<Then>,
}

/// When something happened that is taken over from elsewhere, and who did it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Then {
    pub(crate) at: Timestamp,
    pub(crate) actor: AccountId,
}

impl<E> From<E> for Decided<E> {
    fn from(event: E) -> Self {
        Self { event, then: None }
    }
}

impl From<ImportedEvent> for Decided<CaseEvent> {
    fn from(imported: ImportedEvent) -> Self {
        let then = Then { at: imported.occurred_at, actor: imported.actor };
        Self { event: imported.event, then: Some(then) }
    }
}

impl Commands {
    #[expect(clippy::too_many_arguments, reason = "one caller; a struct would only rename them")]
    pub(crate) async fn append_of<A: Aggregate>(
        &self,
        stream: &StreamName,
        request: &Request,
        folded: &Folded<A>,
        organization: Option<&OrganizationId>,
        source: &AccessSource<'_, A>,
        view: &AccessView,
        now: Timestamp,
        events: &[Decided<A::Event>],
    ) -> Result<Append, LoadError> {
        let mut metadata = Metadata {
            command_id: request.command_id.0,
            fingerprint: request.fingerprint.clone().into(),
            actor: request.actor.account.to_string(),
            acting_for: request.acting_for.as_ref().map(|acts_for| acts_for.organization.to_string()),
            organization: organization.map(OrganizationId::to_string),
            audience: Audience::Customer,
            occurred_at: None,
            correlation_id: request.correlation_id.clone(),
            causation_id: request.causation_id.clone(),
            access_revision: view.revision.map(|revision| revision.0),
        };
        let mut encoded = metadata.encode();
        let mut new_events = Vec::with_capacity(events.len());
        for (index, Decided { event, then }) in events.iter().enumerate() {
            let audience = audience_of::<A>(event);
            // As a rule all events of a command have the same.
            if audience != metadata.audience || then.is_some() {
                metadata.audience = audience;
                if let Some(then) = then {
                    metadata.actor = then.actor.to_string();
                    metadata.occurred_at = Some(then.at);
                }
                encoded = metadata.encode();
            }
            let mut sealed = event.clone();
            let subjects = subjects_to_seal(&mut sealed);
            self.sealer.prepare_seal(&subjects).await?;
            seal_all::<SealError>(&mut sealed, |subject, plain| self.sealer.seal(subject, plain))?;
            new_events.push(NewEvent {
                event_id: EventId(request.command_id.event_id(index)),
                event_type: sealed.event_type().into(),
                version: sealed.version(),
                recorded_at: now,
                payload: Bytes::from(sealed.encode()),
                metadata: encoded.clone(),
            });
        }
        let guards = match source {
            AccessSource::Guarded(organization) => {
                vec![Guard { stream: access_stream(organization)?, revision: view.revision }]
            }
            AccessSource::Own(_) | AccessSource::None => Vec::new(),
        };
        Ok(Append {
            stream: stream.clone(),
            expected: folded.revision.map_or(Expected::NoStream, Expected::Exact),
            events: new_events,
            guards,
        })
    }
}

/// Who may ever learn of an event, in the words of the envelope.
fn audience_of<A: Aggregate>(event: &A::Event) -> Audience {
    match A::audience(event) {
        EventAudience::Customer => Audience::Customer,
        EventAudience::Support => Audience::Support,
        EventAudience::Internal => Audience::Internal,
    }
}

pub(crate) fn take_in<A: Aggregate>(
    loaded: &mut Loaded<A>,
    request: &Request,
    events: &[Decided<A::Event>],
    now: Timestamp,
    position: dossier_eventlog::Position,
) {
    for Decided { event, then } in events {
        let at = Instants { recorded_at: now, occurred_at: then.map(|then| then.at) };
        let revision = loaded.folded.revision.map_or(Revision(0), Revision::next);
        loaded.apply(event, at, revision, position, audience_of::<A>(event));
        loaded.note(request.command_id.0, &request.fingerprint, revision);
    }
}
