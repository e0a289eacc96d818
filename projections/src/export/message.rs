//! An event as a message for NATS: CloudEvents in binary mode, the attributes as headers and the data as the body.

use dossier_eventlog::RecordedEvent;

use super::event::{AnalyticsEvent, ExportError, analytics_event};

/// What the subjects of all messages for analytics begin with.
pub const SUBJECT_PREFIX: &str = "dossier.analytics";
/// Stands in a subject where an event is no organization's fact. No organization can be called so.
pub const NO_ORGANIZATION: &str = "_";

/// A message for analytics jobs, ready to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalyticsMessage {
    /// Parts of the subject after [`SUBJECT_PREFIX`]: organization, category and type, each fit for a subject.
    pub subject: Vec<String>,
    /// The attributes, each `ce-` and its name, and the content type.
    pub headers: Vec<(&'static str, String)>,
    /// The data, as JSON.
    pub body: Vec<u8>,
}

impl AnalyticsMessage {
    /// The message of a stored event; `None` when the event is not for analytics.
    ///
    /// # Errors
    /// [`ExportError`] for an event that this release cannot read; whoever publishes stops there.
    pub fn of(recorded: &RecordedEvent) -> Result<Option<Self>, ExportError> {
        Ok(analytics_event(recorded)?.as_ref().map(Self::from))
    }

    /// The whole subject: `dossier.analytics.{organization}.{category}.{Type}`.
    pub fn full_subject(&self) -> String {
        format!("{SUBJECT_PREFIX}.{}", self.subject.join("."))
    }
}

impl From<&AnalyticsEvent> for AnalyticsMessage {
    fn from(event: &AnalyticsEvent) -> Self {
        let organization = event.organization.as_ref().map_or(NO_ORGANIZATION, |id| id.as_str());
        let mut headers = event.attributes();
        headers.push(("content-type", "application/json".to_owned()));
        Self {
            subject: [organization, event.category, event.event_type].map(str::to_owned).into(),
            headers,
            body: serde_json::to_vec(&event.data).expect("a JSON object has text for keys"),
        }
    }
}
