//! The AsyncAPI document of what analytics jobs can consume, generated from the event schemas (R-ANALYTICS-1): a channel and
//! a message for each event type, the message with the fields that may leave and no others.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use dossier_projections::export::{AnalyticsSchema, NO_ORGANIZATION, SUBJECT_PREFIX, analytics_schemas};
use serde_json::{Map, Value, json};

/// The document.
pub fn document() -> Value {
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for schema in analytics_schemas() {
        let id = format!("{}.{}", schema.category, schema.event_type);
        channels.insert(id.clone(), channel(schema, &id));
        operations.insert(format!("publish.{id}"), operation(schema, &id));
        messages.insert(id, message(schema));
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Dossier: events for analytics",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "CloudEvents 1.0 in binary mode on the NATS JetStream stream DOSSIER_ANALYTICS, at least once and in the order of the log: `ce-id` tells a repeat. The same events are served in structured mode under `/v2/events`. A message carries exactly the fields of its schema: nothing personal, nothing that customers may not know of.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "messageTraits": { "cloudEvent": { "headers": headers() } },
            "parameters": { "organization": { "description": format!(
                "Id of the organization whose fact it is; `{NO_ORGANIZATION}` where it is no organization's"
            ) } },
        },
    })
}

fn channel(schema: &AnalyticsSchema, id: &str) -> Value {
    let (category, event_type) = (schema.category, schema.event_type);
    json!({
        "address": format!("{SUBJECT_PREFIX}.{{organization}}.{category}.{event_type}"),
        "parameters": { "organization": { "$ref": "#/components/parameters/organization" } },
        "messages": { event_type: { "$ref": format!("#/components/messages/{id}") } },
    })
}

fn operation(schema: &AnalyticsSchema, id: &str) -> Value {
    json!({
        "action": "send",
        "channel": { "$ref": format!("#/channels/{id}") },
        "messages": [{ "$ref": format!("#/channels/{id}/messages/{}", schema.event_type) }],
    })
}

fn message(schema: &AnalyticsSchema) -> Value {
    json!({
        "name": schema.event_type,
        "title": schema.event_type,
        "summary": schema.fields.schema()["description"].as_str().unwrap_or(schema.event_type),
        "contentType": "application/json",
        "traits": [{ "$ref": "#/components/messageTraits/cloudEvent" }],
        "headers": { "type": "object", "properties": {
            "ce-type": { "const": schema.event_type },
            "ce-dataschema": { "const": schema.data_schema() },
        } },
        "payload": schema.fields.schema(),
    })
}

/// The headers of every message. Their values are text, as all of NATS's headers.
fn headers() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "object",
        "required": [
            "ce-specversion", "ce-id", "ce-type", "ce-source", "ce-subject", "ce-time", "ce-dataschema", "ce-position",
        ],
        "properties": {
            "ce-specversion": { "const": "1.0" },
            "ce-id": text("Identity of the event, a UUID: the same for a repeat"),
            "ce-type": text("Past-tense type name"),
            "ce-source": text("`/dossier`"),
            "ce-subject": text("The stream it belongs to, such as case-01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            "ce-time": { "type": "string", "format": "date-time", "description": "When it happened" },
            "ce-dataschema": text("Name of the payload's schema, with its version"),
            "ce-position": text("Place in the log, a number: each is greater than the one before"),
            "ce-organization": text("Whose fact it is; absent where it is no organization's"),
            "content-type": { "const": "application/json" },
        },
    })
}

/// The document as committed: sorted, indented, with a line break at the end.
pub fn rendered() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

/// `/asyncapi.json`.
pub async fn serve() -> Response {
    ([(CONTENT_TYPE, "application/json")], rendered()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R-ANALYTICS-1.
    #[test]
    fn r_analytics_1_every_event_type_that_may_leave_has_its_channel_and_every_reference_leads_somewhere() {
        let document = document();
        let channels = document["channels"].as_object().unwrap();
        assert_eq!(channels.len(), analytics_schemas().count());
        assert_eq!(channels["case.CaseFiled"]["address"], "dossier.analytics.{organization}.case.CaseFiled");
        assert!(!channels.keys().any(|id| id.starts_with("export.")), "what the system keeps for itself");
        assert_references_lead_somewhere(&document, &document);
    }

    fn assert_references_lead_somewhere(value: &Value, document: &Value) {
        if let Some(reference) = value["$ref"].as_str() {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
        }
        let fields = value.as_object().into_iter().flat_map(Map::values);
        for below in fields.chain(value.as_array().into_iter().flatten()) {
            assert_references_lead_somewhere(below, document);
        }
    }

    #[test]
    fn a_message_names_the_fields_that_may_leave_and_no_others() {
        let payload = &document()["components"]["messages"]["case.CaseFiled"]["payload"];
        let fields = payload["properties"].as_object().unwrap();
        assert!(fields.contains_key("priority") && fields.contains_key("product"));
        for field in ["title", "description", "filer", "subscribers", "contact_email", "time_zone"] {
            assert!(!fields.contains_key(field), "{field}");
        }
        assert_eq!(payload["additionalProperties"], false);
    }
}
