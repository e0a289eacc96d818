//! Consumers: coming back, redelivery, a follower that is slow, a stream that goes away.

use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::PullConsumer;
use futures::StreamExt;

use super::*;

async fn receive(subscription: &mut Box<dyn BusSubscription>, count: usize) -> Vec<u64> {
    let mut received = Vec::new();
    let receiving = async {
        while received.len() < count {
            let next = subscription.next(count - received.len()).await.unwrap();
            received.extend(next.iter().map(|message| message.event.position.0));
        }
    };
    tokio::time::timeout(Duration::from_mins(1), receiving).await.expect("the messages never came");
    received
}

/// How many delivered messages wait for an acknowledgement.
async fn unacknowledged(url: &str, stream: &str, consumer: &str) -> usize {
    let stream = operator(url).await.get_stream(stream).await.unwrap();
    let mut consumer: PullConsumer = stream.get_consumer(consumer).await.unwrap();
    consumer.info().await.unwrap().num_ack_pending
}

#[tokio::test]
async fn a_consumer_that_comes_back_goes_on_after_what_it_acknowledged() {
    let (url, bus) = fresh_bus().await;
    let mut subscription = bus.subscribe("reader").await.unwrap();
    bus.publish(None, &messages(1, 10)).await.unwrap();
    assert_eq!(receive(&mut subscription, 10).await, (1..=10).collect::<Vec<_>>());
    subscription.acknowledge(Position(10)).await.unwrap();
    let name = bus.stream_name();
    until("all ten are acknowledged by one answer", || async {
        unacknowledged(&url, name, "projector-reader").await == 0
    })
    .await;
    drop(subscription);
    bus.publish(Some(Position(10)), &messages(11, 15)).await.unwrap();
    let mut again = connect(&url).await.subscribe("reader").await.unwrap();
    assert_eq!(receive(&mut again, 5).await, [11, 12, 13, 14, 15]);
}

#[tokio::test]
async fn what_was_not_applied_is_not_acknowledged() {
    let (url, bus) = fresh_bus().await;
    let mut subscription = bus.subscribe("reader").await.unwrap();
    bus.publish(None, &messages(1, 10)).await.unwrap();
    receive(&mut subscription, 10).await;
    subscription.acknowledge(Position(4)).await.unwrap();
    let name = bus.stream_name();
    until("four are acknowledged", || async { unacknowledged(&url, name, "projector-reader").await == 6 })
        .await;
    subscription.acknowledge(Position(3)).await.unwrap();
    subscription.acknowledge(Position(100)).await.unwrap();
    until("all are acknowledged", || async { unacknowledged(&url, name, "projector-reader").await == 0 })
        .await;
}

#[tokio::test]
async fn a_redelivered_message_comes_late_and_is_acknowledged_again() {
    let (url, bus) = fresh_bus().await;
    let mut subscription = bus.subscribe("reader").await.unwrap();
    let name = bus.stream_name();
    bus.publish(None, &messages(1, 2)).await.unwrap();
    // Another process takes the first two and gives them back.
    let stream = operator(&url).await.get_stream(name).await.unwrap();
    let consumer: PullConsumer = stream.get_consumer("projector-reader").await.unwrap();
    let mut taken: Vec<_> = consumer.fetch().max_messages(2).messages().await.unwrap().collect().await;
    bus.publish(Some(Position(2)), &messages(3, 4)).await.unwrap();
    assert_eq!(receive(&mut subscription, 2).await, [3, 4]);
    for message in taken.drain(..).rev() {
        message.unwrap().ack_with(AckKind::Nak(None)).await.unwrap();
    }
    let mut late = receive(&mut subscription, 2).await;
    late.sort_unstable();
    assert_eq!(late, [1, 2]);
    subscription.acknowledge(Position(4)).await.unwrap();
    until("all are acknowledged", || async { unacknowledged(&url, name, "projector-reader").await == 0 })
        .await;
}

#[tokio::test]
async fn a_follower_slower_than_the_relay_gets_everything_in_order() {
    let (_, bus) = fresh_bus().await;
    let mut subscription = bus.subscribe("slow").await.unwrap();
    // More than are asked for at once, and more than may wait for acknowledgement.
    let all = 10_000;
    let mut last = None;
    for from in (1..=all).step_by(2000) {
        bus.publish(last, &messages(from, from + 1999)).await.unwrap();
        last = Some(Position(from + 1999));
    }
    let mut received = Vec::new();
    while received.len() < 10_000 {
        let next = receive(&mut subscription, 500).await;
        subscription.acknowledge(Position(*next.last().unwrap())).await.unwrap();
        received.extend(next);
    }
    assert_eq!(received, (1..=all).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_deleted_stream_ends_the_subscription_and_is_made_again_by_the_next() {
    let (url, bus) = fresh_bus().await;
    let mut subscription = bus.subscribe("reader").await.unwrap();
    bus.publish(None, &messages(1, 3)).await.unwrap();
    receive(&mut subscription, 3).await;
    operator(&url).await.delete_stream(bus.stream_name()).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), subscription.next(10)).await.unwrap();
    assert!(matches!(ended, Err(BusError::Ended | BusError::Unavailable(_))), "{ended:?}");
    until("it is there again", || async { bus.subscribe("reader").await.is_ok() }).await;
    let mut subscription = bus.subscribe("reader").await.unwrap();
    bus.publish(None, &messages(1, 3)).await.unwrap();
    assert_eq!(receive(&mut subscription, 3).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_message_of_somebody_else_is_left_out() {
    let (url, bus) = fresh_bus().await;
    let mut subscription = bus.subscribe("reader").await.unwrap();
    let subject = format!("{}.events.hello", bus.stream_name().to_ascii_lowercase());
    operator(&url).await.publish(subject, "hello".into()).await.unwrap().await.unwrap();
    let stream = operator(&url).await.get_stream(bus.stream_name()).await.unwrap();
    stream.delete_message(1).await.ok();
    bus.publish(None, &messages(1, 2)).await.unwrap();
    assert_eq!(receive(&mut subscription, 2).await, [1, 2]);
}
