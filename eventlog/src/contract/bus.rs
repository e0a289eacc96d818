//! The bus's contract: messages with their previous positions, fencing of a second publisher, subscribers that lag.

use std::sync::Arc;
use std::time::Duration;

use super::sample::recorded;
use crate::bus::{Bus, BusMessage, BusSubscription, PublishError};
use crate::envelope::Position;

type SomeBus = Arc<dyn Bus>;

/// Runs every check of the bus's contract against what a factory makes: an `async fn() -> Fresh<dyn Bus>`.
#[macro_export]
macro_rules! bus_contract {
    ($factory:expr) => {
        $crate::contract_tests!(
            $factory,
            $crate::contract::bus,
            [
                a_new_bus_holds_no_message,
                messages_arrive_whole_with_their_previous_positions,
                the_last_message_is_known,
                a_publisher_that_expects_another_last_message_is_fenced,
                messages_that_are_there_already_are_not_published_again,
                of_two_publishers_at_once_one_is_fenced,
                every_consumer_gets_every_message,
                at_most_so_many_messages_come_at_once,
                a_subscriber_that_lags_sees_the_gap_and_the_newest_message,
                waiting_can_be_given_up_without_losing_a_message,
            ]
        );
    };
}

fn messages(from: u64, to: u64) -> Vec<BusMessage> {
    (from..=to)
        .map(|position| BusMessage {
            previous_position: Position(position - 1),
            event: Arc::new(recorded(position)),
        })
        .collect()
}

async fn publish(bus: &SomeBus, from: u64, to: u64) {
    let expected = (from > 1).then_some(Position(from - 1));
    bus.publish(expected, &messages(from, to)).await.expect("the bus stands where it is expected");
}

/// Receives until the message at a position has come; answers all messages on the way.
async fn receive_until(subscription: &mut Box<dyn BusSubscription>, position: u64) -> Vec<BusMessage> {
    let mut received = vec![];
    let receiving = async {
        while !received.iter().any(|message: &BusMessage| message.event.position == Position(position)) {
            let next = subscription.next(100).await.expect("the subscription lives");
            assert!(!next.is_empty(), "waiting for messages answers at least one");
            if let Some(last) = next.last() {
                subscription.acknowledge(last.event.position).await.expect("acknowledged");
            }
            received.extend(next);
        }
    };
    tokio::time::timeout(Duration::from_secs(30), receiving).await.expect("the message never came");
    received
}

/// Nothing yet.
pub async fn a_new_bus_holds_no_message(bus: SomeBus) {
    assert_eq!(bus.last_published().await, Ok(None));
    bus.publish(None, &[]).await.expect("nothing to publish is no error");
    assert_eq!(bus.last_published().await, Ok(None));
}

/// The bus carries an event as it is.
pub async fn messages_arrive_whole_with_their_previous_positions(bus: SomeBus) {
    let mut subscription = bus.subscribe("reader").await.expect("subscribed");
    publish(&bus, 1, 5).await;
    publish(&bus, 6, 6).await;
    let received = receive_until(&mut subscription, 6).await;
    for (received, sent) in received.iter().zip(messages(1, 6)) {
        assert_eq!(received.previous_position, sent.previous_position);
        assert_eq!(received.event, sent.event);
    }
    assert_eq!(received.len(), 6);
}

/// What a relay resumes from.
pub async fn the_last_message_is_known(bus: SomeBus) {
    publish(&bus, 1, 3).await;
    assert_eq!(bus.last_published().await, Ok(Some((Position(3), recorded(3).event_id))));
    publish(&bus, 4, 4).await;
    assert_eq!(bus.last_published().await, Ok(Some((Position(4), recorded(4).event_id))));
}

/// Behind, ahead, or as if the bus were new: nothing of it is published.
pub async fn a_publisher_that_expects_another_last_message_is_fenced(bus: SomeBus) {
    publish(&bus, 1, 3).await;
    for expected in [None, Some(Position(2)), Some(Position(4))] {
        let fenced = bus.publish(expected, &messages(5, 6)).await;
        assert_eq!(fenced, Err(PublishError::Fenced { actual: Some(Position(3)) }), "{expected:?}");
    }
    assert_eq!(bus.last_published().await, Ok(Some((Position(3), recorded(3).event_id))));
    publish(&bus, 4, 6).await;
}

/// A relay that slept while another published what it was about to.
pub async fn messages_that_are_there_already_are_not_published_again(bus: SomeBus) {
    let mut subscription = bus.subscribe("reader").await.expect("subscribed");
    publish(&bus, 1, 4).await;
    for (expected, again) in [(None, messages(1, 4)), (Some(Position(2)), messages(3, 6))] {
        let fenced = bus.publish(expected, &again).await;
        assert_eq!(fenced, Err(PublishError::Fenced { actual: Some(Position(4)) }), "{expected:?}");
    }
    publish(&bus, 5, 6).await;
    let received = receive_until(&mut subscription, 6).await;
    let positions: Vec<u64> = received.iter().map(|message| message.event.position.0).collect();
    assert_eq!(positions, [1, 2, 3, 4, 5, 6]);
}

/// Two relays that both believe to be the only one.
pub async fn of_two_publishers_at_once_one_is_fenced(bus: SomeBus) {
    publish(&bus, 1, 1).await;
    let batch = messages(2, 4);
    let other = messages(2, 3);
    let (one, two) =
        tokio::join!(bus.publish(Some(Position(1)), &batch), bus.publish(Some(Position(1)), &other));
    assert_eq!([one, two].iter().filter(|answer| answer.is_ok()).count(), 1);
}

/// Two consumers do not take messages from each other.
pub async fn every_consumer_gets_every_message(bus: SomeBus) {
    let mut one = bus.subscribe("one").await.expect("subscribed");
    let mut two = bus.subscribe("two").await.expect("subscribed");
    publish(&bus, 1, 10).await;
    assert_eq!(receive_until(&mut one, 10).await.len(), 10);
    assert_eq!(receive_until(&mut two, 10).await.len(), 10);
}

/// A follower says how much it takes.
pub async fn at_most_so_many_messages_come_at_once(bus: SomeBus) {
    let mut subscription = bus.subscribe("reader").await.expect("subscribed");
    publish(&bus, 1, 10).await;
    let mut received = 0;
    while received < 10 {
        let next = subscription.next(3).await.expect("the subscription lives");
        assert!((1..=3).contains(&next.len()));
        received += next.len();
        subscription.acknowledge(Position(received as u64)).await.expect("acknowledged");
    }
}

/// Messages may be missing, but a missing one always shows: in the previous position of the next.
pub async fn a_subscriber_that_lags_sees_the_gap_and_the_newest_message(bus: SomeBus) {
    let mut subscription = bus.subscribe("slow").await.expect("subscribed");
    for batch in 0..20 {
        publish(&bus, batch * 50 + 1, batch * 50 + 50).await;
    }
    let received = receive_until(&mut subscription, 1000).await;
    for message in received {
        assert_eq!(message.previous_position.0 + 1, message.event.position.0);
    }
}

/// Followers wait with a time limit or beside other work.
pub async fn waiting_can_be_given_up_without_losing_a_message(bus: SomeBus) {
    let mut subscription = bus.subscribe("reader").await.expect("subscribed");
    for position in 1..=5 {
        let given_up = tokio::time::timeout(Duration::from_millis(5), subscription.next(10)).await;
        assert!(given_up.is_err(), "nothing is published yet");
        publish(&bus, position, position).await;
        let received = receive_until(&mut subscription, position).await;
        assert_eq!(received.len(), 1);
    }
}
