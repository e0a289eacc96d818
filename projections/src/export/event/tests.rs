//! What leaves, event by event.

use dossier_domain::case::CaseEvent;
use dossier_domain::{DomainEvent, OrganizationId};
use dossier_eventlog::{Audience, EventId, Metadata, Position, RecordedEvent, Revision, StreamName};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::export::AnalyticsMessage;

fn metadata(audience: Audience) -> Metadata {
    Metadata {
        command_id: Uuid::from_u128(1),
        fingerprint: "f".into(),
        actor: "00000000000000000000000001".to_owned(),
        acting_for: None,
        organization: Some("acme".to_owned()),
        audience,
        occurred_at: None,
        correlation_id: "c".to_owned(),
        causation_id: None,
        access_revision: None,
    }
}

fn recorded(
    stream: &str,
    event_type: &str,
    version: u16,
    payload: &str,
    metadata: &Metadata,
) -> RecordedEvent {
    RecordedEvent {
        position: Position(7),
        stream: StreamName::new(stream).unwrap(),
        revision: Revision(0),
        event_id: EventId(Uuid::from_u128(2)),
        event_type: event_type.into(),
        version,
        recorded_at: Timestamp::UNIX_EPOCH,
        payload: payload.to_owned().into(),
        metadata: metadata.encode(),
    }
}

const COMMENT: &str = r#"{"comment":"00000000000000000000000003","body":{"subject":"s","sealed":"Y2FuYXJ5"},"author":{"subject":"s"},"side":"support"}"#;

fn comment(audience: Audience) -> RecordedEvent {
    recorded("case-1", "CommentAdded", 2, COMMENT, &metadata(audience))
}

/// R-ANALYTICS-1: the envelope, and of the payload what is marked.
#[test]
fn r_analytics_1_an_event_leaves_as_a_cloud_event_with_its_marked_fields() {
    let event = analytics_event(&comment(Audience::Customer)).unwrap().unwrap();
    assert_eq!(
        event.cloud_event(),
        json!({
            "specversion": "1.0",
            "id": "00000000-0000-0000-0000-000000000002",
            "type": "CommentAdded",
            "source": "/dossier",
            "subject": "case-1",
            "time": "1970-01-01T00:00:00Z",
            "dataschema": "urn:dossier:events:case:CommentAdded:2",
            "datacontenttype": "application/json",
            "position": "7",
            "organization": "acme",
            "data": {"comment": "00000000000000000000000003", "side": "support"},
        })
    );
}

/// R-COMMENT-3, R-ANALYTICS-1.
#[test]
fn r_comment_3_an_event_for_support_or_for_the_system_never_leaves_even_where_it_is_not_readable() {
    for audience in [Audience::Support, Audience::Internal] {
        assert_eq!(analytics_event(&comment(audience)), Ok(None));
        let unknown = recorded("note-1", "NoteWritten", 9, "not json", &metadata(audience));
        assert_eq!(analytics_event(&unknown), Ok(None));
    }
    // Whatever its audience: the system keeps it for itself.
    let export = recorded("export-1", "HistoryExported", 1, "{}", &metadata(Audience::Customer));
    assert_eq!(analytics_event(&export), Ok(None));
}

#[test]
fn a_payload_of_an_older_version_leaves_in_the_current_one() {
    let old = r#"{"comment":"00000000000000000000000003","body":{"subject":"s"},"author":{"subject":"s"}}"#;
    let old = recorded("case-1", "CommentAdded", 1, old, &metadata(Audience::Customer));
    let event = analytics_event(&old).unwrap().unwrap();
    assert_eq!(event.data["side"], "customer");
    assert_eq!(event.data_schema, "urn:dossier:events:case:CommentAdded:2");
}

#[test]
fn what_this_release_cannot_read_is_an_error_that_says_where() {
    let customer = metadata(Audience::Customer);
    let mut cut = comment(Audience::Customer);
    cut.payload = cut.payload.slice(..20);
    let mut unreadable_metadata = comment(Audience::Customer);
    unreadable_metadata.metadata = "{}".into();
    for event in [
        recorded("case-1", "CommentAdded", 9, COMMENT, &customer),
        recorded("case-1", "CaseMelted", 1, "{}", &customer),
        recorded("note-1", "NoteWritten", 1, "{}", &customer),
        cut,
        unreadable_metadata,
    ] {
        let error = analytics_event(&event).unwrap_err();
        assert_eq!((error.event_id, error.position), (event.event_id, event.position));
        assert!(error.to_string().contains("position 7"), "{error}");
    }
}

#[test]
fn the_instant_of_an_imported_event_is_when_it_happened() {
    let mut imported = metadata(Audience::Customer);
    imported.occurred_at = Some(Timestamp::from_second(-5).unwrap());
    let event = recorded("case-1", "CommentAdded", 2, COMMENT, &imported);
    assert_eq!(analytics_event(&event).unwrap().unwrap().time, Timestamp::from_second(-5).unwrap());
}

/// R-ANALYTICS-1: the names of the contract.
#[test]
fn r_analytics_1_a_message_has_the_subject_and_the_headers_of_the_contract() {
    let message = AnalyticsMessage::of(&comment(Audience::Customer)).unwrap().unwrap();
    assert_eq!(message.full_subject(), "dossier.analytics.acme.case.CommentAdded");
    let names: Vec<_> = message.headers.iter().map(|(name, _)| *name).collect();
    for name in ["ce-id", "ce-type", "ce-source", "ce-subject", "ce-time", "ce-dataschema", "ce-specversion"]
    {
        assert!(names.contains(&name), "{name}");
    }
    assert_eq!(message.body, br#"{"comment":"00000000000000000000000003","side":"support"}"#);
    let mut nobodys = metadata(Audience::Customer);
    nobodys.organization = None;
    let message = AnalyticsMessage::of(&recorded("case-1", "CommentAdded", 2, COMMENT, &nobodys));
    assert_eq!(message.unwrap().unwrap().full_subject(), "dossier.analytics._.case.CommentAdded");
    assert!(OrganizationId::new("_").is_err(), "no organization is called so");
}

#[test]
fn the_current_version_of_a_type_is_the_one_that_is_written() {
    for schema in CaseEvent::schemas() {
        let known = crate::export::analytics_schema("case", schema.event_type).unwrap();
        assert!(schema.version <= known.version);
    }
}
