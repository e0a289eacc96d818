//! What is sent: a thin CloudEvent 1.0, made of the stored event alone, so that every attempt sends the same bytes.

use dossier_domain::event_subscription::notice::notice;
use dossier_domain::{CaseId, DomainEvent, OrganizationId, WebhookId, case::CaseEvent};
use dossier_eventlog::RecordedEvent;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Where events come from, as CloudEvents wants it: with the id it names an event in the world.
pub const SOURCE: &str = "/dossier";
/// How the body is to be read.
pub const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";
/// The type of the event that tries a webhook out.
pub const PING: &str = "Ping";

/// The body for a stored event; `None` when it is not for customers.
///
/// # Errors
/// Why this release cannot read it.
pub fn body(recorded: &RecordedEvent) -> Result<Option<Vec<u8>>, String> {
    let event = CaseEvent::decode(&recorded.event_type, recorded.version, &recorded.payload)
        .map_err(|error| error.to_string())?;
    let metadata = recorded.metadata().map_err(|error| format!("its metadata is not readable: {error}"))?;
    let organization = OrganizationId::new(&metadata.organization.unwrap_or_default());
    let organization = organization.map_err(|error| error.to_string())?;
    let case: CaseId = recorded.stream.id().parse().map_err(|error| format!("its stream: {error}"))?;
    let time = metadata.occurred_at.unwrap_or(recorded.recorded_at);
    Ok(notice(&event, &organization, case).map(|notice| {
        cloud_event(&recorded.event_id.to_string(), notice.event_type, &notice.subject, time, &notice.data)
    }))
}

/// The body that tries a webhook out.
pub fn ping(id: &str, organization: &OrganizationId, webhook: WebhookId, time: Timestamp) -> Vec<u8> {
    let mut data = Map::new();
    data.insert("organization".to_owned(), format!("organizations/{organization}").into());
    let subject = format!("organizations/{organization}/webhooks/{webhook}");
    cloud_event(id, PING, &subject, time, &data)
}

fn cloud_event(
    id: &str,
    event_type: &str,
    subject: &str,
    time: Timestamp,
    data: &Map<String, Value>,
) -> Vec<u8> {
    let event = json!({
        "specversion": "1.0",
        "id": id,
        "source": SOURCE,
        "type": event_type,
        "subject": subject,
        "time": time.to_string(),
        "datacontenttype": "application/json",
        "data": data,
    });
    event.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use dossier_domain::case::{CaseUnassigned, CommentAdded};
    use dossier_domain::{AccountId, CommentId, Contact, Personal, Side, Subject};
    use dossier_eventlog::{Audience, EventId, Metadata, Position, Revision, StreamName};
    use uuid::Uuid;

    use super::*;

    fn recorded(event: impl Into<CaseEvent>, organization: Option<&str>) -> RecordedEvent {
        let event = event.into();
        let metadata = Metadata {
            command_id: Uuid::from_u128(1),
            fingerprint: "f".into(),
            actor: "a".to_owned(),
            acting_for: None,
            organization: organization.map(str::to_owned),
            audience: Audience::Customer,
            occurred_at: Some(Timestamp::from_second(5).unwrap()),
            correlation_id: "c".to_owned(),
            causation_id: None,
            access_revision: None,
        };
        RecordedEvent {
            position: Position(9),
            stream: StreamName::new("case-00000000000000000000000001").unwrap(),
            revision: Revision(3),
            event_id: EventId(Uuid::from_u128(7)),
            event_type: event.event_type().into(),
            version: event.version(),
            recorded_at: Timestamp::from_second(8).unwrap(),
            payload: Bytes::from(event.encode()),
            metadata: metadata.encode(),
        }
    }

    fn commented() -> CommentAdded {
        let subject = Subject::contact(1);
        let author = Contact { email: "canary@acme.example".to_owned(), display_name: "Canary".to_owned() };
        CommentAdded {
            comment: "00000000000000000000000002".parse::<CommentId>().unwrap(),
            body: Personal::new(subject.clone(), "canary".to_owned()),
            author: Personal::new(subject, author),
            side: Side::Customer,
        }
    }

    #[test]
    fn the_body_is_a_cloud_event_of_names_and_nothing_that_somebody_wrote() {
        let body = body(&recorded(commented(), Some("acme"))).unwrap().unwrap();
        let text = String::from_utf8(body.clone()).unwrap();
        assert!(!text.to_lowercase().contains("canary"), "{text}");
        let event: Value = serde_json::from_slice(&body).unwrap();
        let case = "organizations/acme/cases/00000000000000000000000001";
        assert_eq!(event["id"], Uuid::from_u128(7).to_string());
        assert_eq!(
            [&event["specversion"], &event["source"], &event["type"], &event["subject"], &event["time"]],
            ["1.0", "/dossier", "CommentAdded", case, "1970-01-01T00:00:05Z"]
        );
        assert_eq!(event["data"]["comment"], format!("{case}/comments/00000000000000000000000002"));
    }

    /// R-COMMENT-3.
    #[test]
    fn r_comment_3_there_is_no_body_for_what_stays_with_support_and_none_for_what_is_not_readable() {
        let internal = recorded(
            CaseUnassigned { agent: "00000000000000000000000001".parse::<AccountId>().unwrap() },
            Some("acme"),
        );
        assert_eq!(body(&internal), Ok(None));
        assert!(body(&recorded(commented(), None)).is_err(), "whose is it?");
        let mut torn = recorded(commented(), Some("acme"));
        torn.payload = Bytes::from_static(b"{");
        assert!(body(&torn).is_err());
    }
}
