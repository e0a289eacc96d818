//! Numbers, duplicates and subjects.

use super::*;

#[tokio::test]
async fn a_known_event_at_a_wrong_place_is_no_success() {
    let (url, stale) = fresh_bus().await;
    stale.publish(None, &messages(1, 3)).await.unwrap();
    connect(&url).await.publish(Some(Position(3)), &messages(4, 6)).await.unwrap();
    // JetStream answers each of these as a duplicate, before it looks at the numbers.
    let answer = stale.publish(Some(Position(3)), &messages(4, 6)).await;
    assert_eq!(answer, Err(PublishError::Fenced { actual: Some(Position(6)) }));
    assert_eq!(positions(&operator(&url).await, stale.stream_name()).await, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_stale_publisher_adds_nothing_behind_what_is_known_already() {
    let (url, stale) = fresh_bus().await;
    stale.publish(None, &messages(1, 3)).await.unwrap();
    connect(&url).await.publish(Some(Position(3)), &messages(4, 4)).await.unwrap();
    // The first is a duplicate; the others on their way with it would follow it, and are in order.
    let answer = stale.publish(Some(Position(3)), &messages(4, 6)).await;
    assert!(answer.is_err(), "{answer:?}");
    let last = stale.last_published().await.unwrap().unwrap().0;
    let expected: Vec<u64> = (1..=last.0).collect();
    assert_eq!(positions(&operator(&url).await, stale.stream_name()).await, expected);
    stale.publish(Some(last), &messages(last.0 + 1, last.0 + 2)).await.unwrap();
}

#[tokio::test]
async fn a_stale_publisher_with_new_events_is_fenced_and_stores_nothing() {
    let (url, stale) = fresh_bus().await;
    stale.publish(None, &messages(1, 3)).await.unwrap();
    connect(&url).await.publish(Some(Position(3)), &messages(4, 6)).await.unwrap();
    let answer = stale.publish(Some(Position(3)), &messages(7, 1200)).await;
    assert_eq!(answer, Err(PublishError::Fenced { actual: Some(Position(6)) }));
    assert_eq!(stale.last_published().await, Ok(Some(place(6))));
    stale.publish(Some(Position(6)), &messages(7, 9)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_on_connections_of_their_own_keep_the_order() {
    let (url, one) = fresh_bus().await;
    let two = connect(&url).await;
    for round in 0..10 {
        let last = one.last_published().await.unwrap().map(|(position, _)| position);
        let from = last.map_or(1, |last| last.0 + 1);
        let (batch, other) = (messages(from, from + 600), messages(from, from + 300));
        let (one, two) = tokio::join!(one.publish(last, &batch), two.publish(last, &other));
        assert!(one.is_err() || two.is_err(), "round {round}: both believe to be alone");
        let fenced = |answer: &Result<(), PublishError>| matches!(answer, Err(PublishError::Fenced { .. }));
        assert!(!(fenced(&one) && fenced(&two)), "round {round}: nobody goes on");
    }
    let last = one.last_published().await.unwrap().unwrap().0;
    let expected: Vec<u64> = (1..=last.0).collect();
    assert_eq!(positions(&operator(&url).await, one.stream_name()).await, expected);
}

#[tokio::test]
async fn a_stream_that_was_emptied_goes_on_at_its_own_number() {
    let (url, bus) = fresh_bus().await;
    bus.publish(None, &messages(1, 3)).await.unwrap();
    operator(&url).await.get_stream(bus.stream_name()).await.unwrap().purge().await.unwrap();
    assert_eq!(bus.last_published().await, Ok(None));
    bus.publish(None, &messages(4, 5)).await.unwrap();
    assert_eq!(bus.last_published().await, Ok(Some(place(5))));
}

#[tokio::test]
async fn the_largest_event_and_names_with_dots_are_carried() {
    let (url, bus) = fresh_bus().await;
    let mut subscription = bus.subscribe("reader").await.unwrap();
    let mut event = recorded(1);
    event.payload = vec![7_u8; crate::store::MAX_EVENT_BYTES - 100].into();
    event.metadata = vec![b'm'; 100].into();
    event.stream = crate::StreamName::new("domain-.acme..example").unwrap();
    let sent = BusMessage { previous_position: Position::START, event: Arc::new(event) };
    bus.publish(None, std::slice::from_ref(&sent)).await.unwrap();
    let received = subscription.next(10).await.unwrap();
    assert_eq!(received[0].event, sent.event);
    let stream = operator(&url).await.get_stream(bus.stream_name()).await.unwrap();
    let stored = stream.get_raw_message(1).await.unwrap();
    let prefix = bus.stream_name().to_ascii_lowercase();
    assert_eq!(stored.subject.as_str(), format!("{prefix}.events.domain.NoteTaken.%2Eacme%2E%2Eexample"));
    assert_eq!(stored.headers.get("Nats-Msg-Id").unwrap().as_str(), sent.event.event_id.to_string());
}

#[tokio::test]
async fn a_foreign_message_at_the_end_is_refused_with_its_number() {
    let (url, bus) = fresh_bus().await;
    bus.publish(None, &messages(1, 2)).await.unwrap();
    let subject = format!("{}.events.hello", bus.stream_name().to_ascii_lowercase());
    operator(&url).await.publish(subject, "hello".into()).await.unwrap().await.unwrap();
    let Err(BusError::Refused(why)) = bus.last_published().await else { panic!("taken for an event") };
    assert!(why.contains("number 3"), "{why}");
    assert!(matches!(bus.publish(Some(Position(2)), &messages(3, 3)).await, Err(PublishError::Refused(_))));
}

#[tokio::test]
async fn an_outlet_carries_subject_headers_and_body_as_rendered() {
    let url = fresh_url(&Nats::shared().url());
    let outlet = NatsOutlet::connect(&options(&url)).await.unwrap();
    let message = OutgoingMessage {
        position: Position(9),
        event_id: recorded(9).event_id,
        subject: ["acme", "case", "CaseFiled"].map(str::to_owned).to_vec(),
        headers: vec![("ce-type", "CaseFiled".to_owned())],
        body: "{}".into(),
    };
    outlet.publish(None, std::slice::from_ref(&message)).await.unwrap();
    assert_eq!(outlet.last_published().await, Ok(Some(place(9))));
    let again = outlet.publish(None, std::slice::from_ref(&message)).await;
    assert_eq!(again, Err(PublishError::Fenced { actual: Some(Position(9)) }));
    let stream = operator(&url).await.get_stream(outlet.stream_name()).await.unwrap();
    let stored = stream.get_raw_message(1).await.unwrap();
    let name = options(&url).stream;
    assert_eq!(outlet.stream_name(), format!("{name}_ANALYTICS"));
    assert_eq!(
        stored.subject.as_str(),
        format!("{}.analytics.acme.case.CaseFiled", name.to_ascii_lowercase())
    );
    assert_eq!(stored.headers.get("ce-type").unwrap().as_str(), "CaseFiled");
    assert_eq!(stored.payload, "{}");

    let broken = OutgoingMessage {
        position: Position(10),
        event_id: recorded(10).event_id,
        headers: vec![("ce-type", "Case\r\nFiled".to_owned())],
        ..message
    };
    let refused = outlet.publish(Some(Position(9)), &[broken]).await;
    assert!(matches!(&refused, Err(PublishError::Refused(why)) if why.contains("ce-type")), "{refused:?}");
}
