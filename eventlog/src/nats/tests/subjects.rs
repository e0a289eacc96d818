//! Single messages for readers outside.

use bytes::Bytes;

use super::*;
use crate::subjects::{SubjectMessage, Subjects};

fn told(id: &str, topic: &str) -> SubjectMessage {
    SubjectMessage {
        id: id.to_owned(),
        subject: ["acme", "p", topic].map(str::to_owned).into(),
        headers: vec![("content-type", "application/cloudevents+json".to_owned())],
        body: Bytes::from_static(b"{}"),
    }
}

#[tokio::test]
async fn a_message_is_kept_once_on_its_subject_whatever_its_parts_are() {
    let url = fresh_url(&Nats::shared().url());
    let subjects = NatsSubjects::connect(&options(&url)).await.unwrap();
    let name = format!("{}_NOTIFICATIONS", options(&url).stream);
    for message in [told("1", "t"), told("1", "t"), told("2", "a.b>c *"), told("3", "")] {
        subjects.publish(&message).await.unwrap();
    }
    let stream = operator(&url).await.get_stream(&name).await.unwrap();
    assert_eq!(stream.cached_info().state.messages, 3, "the repeat is the same message");
    let prefix = options(&url).stream.to_ascii_lowercase();
    let mut found = Vec::new();
    for sequence in 1..=3 {
        let message = stream.get_raw_message(sequence).await.unwrap();
        assert_eq!(message.headers.get("content-type").unwrap().as_str(), "application/cloudevents+json");
        found.push(
            message.subject.strip_prefix(&format!("{prefix}.notifications.acme.p.")).unwrap().to_owned(),
        );
    }
    assert_eq!(found, ["t", "a%2Eb%3Ec%20%2A", "_"]);
}

#[tokio::test]
async fn a_stream_that_was_deleted_is_made_again_by_trying_again() {
    let url = fresh_url(&Nats::shared().url());
    let subjects = NatsSubjects::connect(&options(&url)).await.unwrap();
    let name = format!("{}_NOTIFICATIONS", options(&url).stream);
    subjects.publish(&told("1", "t")).await.unwrap();
    operator(&url).await.delete_stream(&name).await.unwrap();
    assert!(matches!(subjects.publish(&told("2", "t")).await, Err(BusError::Unavailable(_))));
    subjects.publish(&told("2", "t")).await.unwrap();
    let mut torn = told("3", "t");
    torn.headers = vec![("content-type", "a\nb".to_owned())];
    assert!(matches!(subjects.publish(&torn).await, Err(BusError::Refused(_))));
}
