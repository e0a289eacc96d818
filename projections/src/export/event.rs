//! An event as analytics sees it.

use dossier_domain::{Category, OrganizationId};
use dossier_eventlog::{Audience, EventId, Position, RecordedEvent, StreamName};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::schemas::{AnalyticsSchema, analytics_schema};

/// Where events come from, as CloudEvents wants it: with the id it names an event in the world.
pub(super) const SOURCE: &str = "/dossier";

/// An event that may leave, and what of it.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalyticsEvent {
    /// Identity of the event, for telling a repeat.
    pub id: EventId,
    /// Past-tense type name.
    pub event_type: &'static str,
    /// The category of its stream.
    pub category: &'static str,
    /// The stream it belongs to.
    pub subject: StreamName,
    /// When it happened.
    pub time: Timestamp,
    /// The name of its data's schema, with the version.
    pub data_schema: String,
    /// Place in the log.
    pub position: Position,
    /// Whose fact it is.
    pub organization: Option<OrganizationId>,
    /// The marked fields of the payload.
    pub data: Map<String, Value>,
}

/// Why an event cannot be told: by a release that does not know it, or because its bytes make no sense. Whoever follows the
/// log stops here and never skips it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {event_id} at position {position}: {why}")]
pub struct ExportError {
    /// The event.
    pub event_id: EventId,
    /// Its place.
    pub position: Position,
    /// What is wrong with it.
    pub why: String,
}

/// The metadata that decides: the rest is skipped.
#[derive(Deserialize)]
struct ExportMetadata {
    audience: Audience,
    #[serde(default)]
    organization: Option<OrganizationId>,
    #[serde(default)]
    occurred_at: Option<Timestamp>,
}

/// What analytics sees of a stored event; `None` when it is not for analytics.
///
/// # Errors
/// [`ExportError`] for an event that this release cannot read.
pub fn analytics_event(recorded: &RecordedEvent) -> Result<Option<AnalyticsEvent>, ExportError> {
    let unreadable =
        |why: String| ExportError { event_id: recorded.event_id, position: recorded.position, why };
    let metadata: ExportMetadata = serde_json::from_slice(&recorded.metadata)
        .map_err(|error| unreadable(format!("its metadata is not readable: {error}")))?;
    if metadata.audience != Audience::Customer {
        return Ok(None);
    }
    let category = recorded.stream.category();
    if Category::named(category).is_some_and(|category| category.is_internal) {
        return Ok(None);
    }
    let schema = analytics_schema(category, &recorded.event_type).ok_or_else(|| {
        unreadable(format!("{category} {} is not known to this release", recorded.event_type))
    })?;
    Ok(Some(AnalyticsEvent {
        id: recorded.event_id,
        event_type: schema.event_type,
        category: schema.category,
        subject: recorded.stream.clone(),
        time: metadata.occurred_at.unwrap_or(recorded.recorded_at),
        data_schema: schema.data_schema(),
        position: recorded.position,
        organization: metadata.organization,
        data: data(recorded, schema).map_err(unreadable)?,
    }))
}

/// The marked fields, in the current version.
fn data(recorded: &RecordedEvent, schema: &AnalyticsSchema) -> Result<Map<String, Value>, String> {
    let readable = |error: serde_json::Error| format!("its payload is not readable: {error}");
    // The stored bytes of the current version are what a reader would write again.
    if recorded.version == schema.version {
        return schema.fields.filter(&recorded.payload).map_err(readable);
    }
    let category = Category::named(schema.category).ok_or("its category is not known")?;
    let (_, payload) = (category.upcast)(&recorded.event_type, recorded.version, &recorded.payload)
        .map_err(|error| error.to_string())?;
    schema.fields.filter(&payload).map_err(readable)
}

impl AnalyticsEvent {
    /// Its attributes beside the data, each with the name of its header. Positions are text: they outgrow the integers
    /// that CloudEvents has.
    pub fn attributes(&self) -> Vec<(&'static str, String)> {
        let mut attributes = vec![
            ("ce-specversion", "1.0".to_owned()),
            ("ce-id", self.id.to_string()),
            ("ce-type", self.event_type.to_owned()),
            ("ce-source", SOURCE.to_owned()),
            ("ce-subject", self.subject.to_string()),
            ("ce-time", self.time.to_string()),
            ("ce-dataschema", self.data_schema.clone()),
            ("ce-position", self.position.to_string()),
        ];
        let organization = self.organization.as_ref();
        attributes.extend(organization.map(|organization| ("ce-organization", organization.to_string())));
        attributes
    }

    /// The event as one JSON document, in the structured mode of CloudEvents.
    pub fn cloud_event(&self) -> Value {
        let attributes = self.attributes().into_iter();
        let mut document: Map<String, Value> = attributes
            .map(|(name, value)| (name.trim_start_matches("ce-").to_owned(), value.into()))
            .collect();
        document.insert("datacontenttype".to_owned(), "application/json".into());
        document.insert("data".to_owned(), json!(self.data));
        Value::Object(document)
    }
}

#[cfg(test)]
mod tests;
