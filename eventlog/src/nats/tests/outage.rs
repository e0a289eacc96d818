//! The server away at the start, killed, stopped and back.

use std::time::Instant;

use super::*;

/// An answer that the server is away must come within the bound, and some room for a busy machine.
const SOON: Duration = Duration::from_secs(4);

async fn all_say_unavailable(bus: &NatsBus) {
    let before = Instant::now();
    assert!(matches!(bus.last_published().await, Err(BusError::Unavailable(_))));
    assert!(before.elapsed() < SOON, "{:?}", before.elapsed());
    let before = Instant::now();
    assert!(matches!(bus.subscribe("reader").await, Err(BusError::Unavailable(_))));
    assert!(before.elapsed() < SOON, "{:?}", before.elapsed());
    let before = Instant::now();
    let answer = bus.publish(Some(Position(3)), &messages(4, 4)).await;
    assert!(matches!(answer, Err(PublishError::Unavailable(_))), "{answer:?}");
    assert!(before.elapsed() < 2 * SOON, "{:?}", before.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_at_the_start_is_found_when_it_comes() {
    let mut server = Nats::start();
    let url = fresh_url(&server.url());
    server.kill();
    let bus = connect(&url).await;
    all_say_unavailable(&bus).await;
    server.restart();
    until("the server is found", || async { bus.last_published().await == Ok(None) }).await;
    bus.publish(None, &messages(1, 3)).await.unwrap();
    assert_eq!(bus.last_published().await, Ok(Some(place(3))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_found_again_with_what_it_held() {
    let mut server = Nats::start();
    let url = fresh_url(&server.url());
    let bus = connect(&url).await;
    let mut subscription = bus.subscribe("reader").await.unwrap();
    bus.publish(None, &messages(1, 3)).await.unwrap();
    assert_eq!(subscription.next(1).await.unwrap()[0].event.position, Position(1));
    server.kill();
    all_say_unavailable(&bus).await;
    server.restart();
    until("the server is found", || async { bus.last_published().await == Ok(Some(place(3))) }).await;
    bus.publish(Some(Position(3)), &messages(4, 5)).await.unwrap();
    let mut last = Position::START;
    let receiving = async {
        while last < Position(5) {
            for message in subscription.next(10).await.unwrap() {
                last = last.max(message.event.position);
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), receiving).await.expect("the subscription never went on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_is_unavailable_within_a_bounded_time() {
    let server = Nats::start();
    let url = fresh_url(&server.url());
    let bus = connect(&url).await;
    bus.publish(None, &messages(1, 3)).await.unwrap();
    server.signal("STOP");
    all_say_unavailable(&bus).await;
    let before = Instant::now();
    let answer = bus.publish(Some(Position(3)), &messages(4, 2000)).await;
    assert!(matches!(answer, Err(PublishError::Unavailable(_))), "{answer:?}");
    assert!(before.elapsed() < 2 * SOON, "{:?}", before.elapsed());
    server.signal("CONT");
    until("the server answers", || async { bus.last_published().await.is_ok() }).await;
    // What was on its way may have arrived meanwhile: in order and once, or not at all.
    until("publishing goes on", || async {
        let Ok(Some((last, _))) = bus.last_published().await else { return false };
        bus.publish(Some(last), &messages(last.0 + 1, last.0 + 5)).await.is_ok()
    })
    .await;
    let last = bus.last_published().await.unwrap().unwrap().0;
    let expected: Vec<u64> = (1..=last.0).collect();
    assert_eq!(positions(&operator(&url).await, bus.stream_name()).await, expected);
}
