//! An event as projectors see it: decoded to its current version, personal values open.

use dossier_domain::access::AccessEvent;
use dossier_domain::account::AccountEvent;
use dossier_domain::account_recovery::AccountRecoveryEvent;
use dossier_domain::case::CaseEvent;
use dossier_domain::event_subscription::EventSubscriptionEvent;
use dossier_domain::feedback::FeedbackEvent;
use dossier_domain::help_session::HelpSessionEvent;
use dossier_domain::known_issue::KnownIssueEvent;
use dossier_domain::personal::{InvalidPlain, open_all, subjects_to_open};
use dossier_domain::phone_call::PhoneCallEvent;
use dossier_domain::saved_view::SavedViewEvent;
use dossier_domain::webhook::WebhookEvent;
use dossier_domain::{DomainEvent, PersonalFields, PersonalSlot};
use dossier_eventlog::{EventId, Metadata, Opened, Position, RecordedEvent, Revision, Sealer, StreamName};
use jiff::Timestamp;

use crate::error::ProjectionError;

/// The events of every aggregate.
#[allow(clippy::large_enum_variant, reason = "it lives for one batch, which reads every case event anyway")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadEvent {
    /// Of a case.
    Case(CaseEvent),
    /// Of an organization's access.
    Access(AccessEvent),
    /// Of somebody's account.
    Account(AccountEvent),
    /// Of the recovery of an account.
    AccountRecovery(AccountRecoveryEvent),
    /// Of a subscription to events.
    EventSubscription(EventSubscriptionEvent),
    /// Of a webhook.
    Webhook(WebhookEvent),
    /// Of a known issue.
    KnownIssue(KnownIssueEvent),
    /// Of a phone call.
    PhoneCall(PhoneCallEvent),
    /// Of a saved view.
    SavedView(SavedViewEvent),
    /// Of feedback.
    Feedback(FeedbackEvent),
    /// Of a session with the help assistant.
    HelpSession(HelpSessionEvent),
}

impl PersonalFields for ReadEvent {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        match self {
            Self::Case(event) => event.for_each_personal(visit),
            Self::Access(event) => event.for_each_personal(visit),
            Self::Account(event) => event.for_each_personal(visit),
            Self::AccountRecovery(event) => event.for_each_personal(visit),
            Self::EventSubscription(event) => event.for_each_personal(visit),
            Self::Webhook(event) => event.for_each_personal(visit),
            Self::KnownIssue(event) => event.for_each_personal(visit),
            Self::PhoneCall(event) => event.for_each_personal(visit),
            Self::SavedView(event) => event.for_each_personal(visit),
            Self::Feedback(event) => event.for_each_personal(visit),
            Self::HelpSession(event) => event.for_each_personal(visit),
        }
    }
}

/// An event with its place and metadata.
#[derive(Clone, Debug)]
pub struct ProjectedEvent {
    /// Its id.
    pub event_id: EventId,
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

impl ProjectedEvent {
    /// When it happened: for what was taken over from elsewhere that is long before it was recorded.
    pub fn occurred_at(&self) -> Timestamp {
        self.metadata.occurred_at.unwrap_or(self.recorded_at)
    }
}

/// Decodes and opens events of the wanted categories; the others are left out. Where one is not readable, answers those
/// before it, and how many of the recorded ones stand before it, with why.
pub(crate) async fn read_events(
    recorded: &[&RecordedEvent],
    categories: &[&str],
    sealer: &Sealer,
) -> (Vec<ProjectedEvent>, Option<(usize, ProjectionError)>) {
    let halted = |recorded: &RecordedEvent, why: String| {
        ProjectionError::Halted(format!(
            "event {} at position {}: {why}",
            recorded.event_id, recorded.position
        ))
    };
    let mut events = Vec::with_capacity(recorded.len());
    let mut indexes = Vec::with_capacity(recorded.len());
    let mut failure = None;
    for (index, recorded) in recorded.iter().enumerate() {
        if !categories.contains(&recorded.stream.category()) {
            continue;
        }
        match decode(recorded) {
            Ok(event) => {
                events.push(event);
                indexes.push(index);
            }
            Err(why) => {
                failure = Some((index, halted(recorded, why)));
                break;
            }
        }
    }
    if let Err(error) = prepare(&mut events, sealer).await {
        return (Vec::new(), Some((0, error)));
    }
    let unopened =
        events.iter_mut().enumerate().find_map(|(number, event)| Some((number, open(event, sealer).err()?)));
    if let Some((number, why)) = unopened {
        events.truncate(number);
        let index = indexes[number];
        failure = Some((index, halted(recorded[index], why)));
    }
    (events, failure)
}

fn decode(recorded: &RecordedEvent) -> Result<ProjectedEvent, String> {
    let (event_type, version, payload) = (&recorded.event_type, recorded.version, &recorded.payload);
    let event = match recorded.stream.category() {
        "access" => AccessEvent::decode(event_type, version, payload).map(ReadEvent::Access),
        "account" => AccountEvent::decode(event_type, version, payload).map(ReadEvent::Account),
        "account_recovery" => {
            AccountRecoveryEvent::decode(event_type, version, payload).map(ReadEvent::AccountRecovery)
        }
        "saved_view" => SavedViewEvent::decode(event_type, version, payload).map(ReadEvent::SavedView),
        "case" => CaseEvent::decode(event_type, version, payload).map(ReadEvent::Case),
        "event_subscription" => {
            EventSubscriptionEvent::decode(event_type, version, payload).map(ReadEvent::EventSubscription)
        }
        "webhook" => WebhookEvent::decode(event_type, version, payload).map(ReadEvent::Webhook),
        "known_issue" => KnownIssueEvent::decode(event_type, version, payload).map(ReadEvent::KnownIssue),
        "phone_call" => PhoneCallEvent::decode(event_type, version, payload).map(ReadEvent::PhoneCall),
        "feedback" => FeedbackEvent::decode(event_type, version, payload).map(ReadEvent::Feedback),
        "help_session" => HelpSessionEvent::decode(event_type, version, payload).map(ReadEvent::HelpSession),
        other => return Err(format!("no reader of the category {other}")),
    }
    .map_err(|error| error.to_string())?;
    Ok(ProjectedEvent {
        event_id: recorded.event_id,
        position: recorded.position,
        stream: recorded.stream.clone(),
        revision: recorded.revision,
        recorded_at: recorded.recorded_at,
        metadata: recorded.metadata().map_err(|error| format!("its metadata is not readable: {error}"))?,
        event,
    })
}

/// Fetches the keys of all subjects at once.
async fn prepare(events: &mut [ProjectedEvent], sealer: &Sealer) -> Result<(), ProjectionError> {
    let mut subjects = Vec::new();
    for event in events {
        subjects.extend(subjects_to_open(&mut event.event));
    }
    subjects.sort_unstable();
    subjects.dedup();
    sealer.prepare_open(&subjects).await.map_err(|error| ProjectionError::Unavailable(error.to_string()))
}

fn open(event: &mut ProjectedEvent, sealer: &Sealer) -> Result<(), String> {
    open_all(&mut event.event, |subject, sealed| match sealer.open(subject, sealed) {
        Ok(Opened::Plain(plain)) => Ok(Some(plain)),
        Ok(Opened::Erased) => Ok(None),
        Err(error) => Err(Unopened(error.to_string())),
    })
    .map_err(|Unopened(why)| why)
}

struct Unopened(String);

impl From<InvalidPlain> for Unopened {
    fn from(error: InvalidPlain) -> Self {
        Self(error.to_string())
    }
}
