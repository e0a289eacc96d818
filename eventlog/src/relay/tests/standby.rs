//! Several relays on one log and bus: one publishes, the others stand by.

use super::*;

fn standing_by(after: Duration) -> RelayOptions {
    RelayOptions { take_over_after: after, ..quickly(WhenEmpty::FromBeginning) }
}

struct Running {
    status: Arc<RelayStatus>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), RelayError>>,
}

fn start(store: &Arc<MemoryStore>, bus: &Arc<TestBus>, options: RelayOptions) -> Running {
    let relay = Relay::new(store.clone(), bus.clone(), options);
    let (status, stop) = (relay.status(), CancellationToken::new());
    Running { status, task: tokio::spawn(relay.run(stop.clone())), stop }
}

impl Running {
    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_second_relay_stands_by_while_the_first_publishes() {
    let (store, bus) = (log_of(5).await, TestBus::new());
    let first = start(&store, &bus, standing_by(Duration::from_millis(40)));
    until("the first publishes", || first.status.last_published() == Position(5)).await;
    let second = start(&store, &bus, standing_by(Duration::from_hours(1)));
    until("the second stands by", || second.status.state() == RelayState::StandingBy).await;
    extend(&store, 5, 20).await;
    until("the second sees the bus move", || second.status.last_published() == Position(25)).await;
    assert_eq!(first.status.state(), RelayState::Active);
    assert_eq!(second.status.state(), RelayState::StandingBy);
    assert_eq!((first.status.published_events(), second.status.published_events()), (25, 0));
    first.end().await;
    second.end().await;
}

#[tokio::test]
async fn a_relay_that_stands_by_takes_over_when_the_bus_stands_still() {
    let (store, bus) = (log_of(5).await, TestBus::new());
    let first = start(&store, &bus, standing_by(Duration::from_millis(10)));
    until("the first publishes", || first.status.last_published() == Position(5)).await;
    let second = start(&store, &bus, standing_by(Duration::from_millis(40)));
    until("the second stands by", || second.status.state() == RelayState::StandingBy).await;
    first.end().await;
    extend(&store, 5, 5).await;
    until("the second publishes", || bus.positions().len() == 10).await;
    assert_eq!(bus.positions(), chain(1, 10));
    assert_eq!(second.status.state(), RelayState::Active);
    second.end().await;
}

#[tokio::test]
async fn a_relay_that_stands_by_publishes_nothing_while_there_is_nothing_to_publish() {
    let (store, bus) = (log_of(5).await, TestBus::new());
    let first = start(&store, &bus, standing_by(Duration::from_millis(10)));
    until("the first publishes", || first.status.last_published() == Position(5)).await;
    first.end().await;
    let second = start(&store, &bus, standing_by(Duration::from_millis(1)));
    until("the second stands by", || second.status.state() == RelayState::StandingBy).await;
    // Long after it would have taken over: the bus is looked at again and again.
    let looks = bus.looks.load(Ordering::SeqCst) + 20;
    until("it has looked often", || bus.looks.load(Ordering::SeqCst) > looks).await;
    assert_eq!(second.status.state(), RelayState::StandingBy);
    second.end().await;
}

#[tokio::test]
async fn a_relay_that_was_overtaken_stands_by() {
    let (store, bus) = (log_of(5).await, TestBus::new());
    let first = start(&store, &bus, standing_by(Duration::from_millis(10)));
    until("the first publishes", || first.status.last_published() == Position(5)).await;
    // Another relay publishes what the first has not seen yet, as if the first had slept.
    let asleep = bus.sleeping.lock().await;
    extend(&store, 5, 1).await;
    let next = store.read_all(Position(5), 1).await.unwrap().remove(0);
    let message = BusMessage { previous_position: Position(5), event: Arc::new(next) };
    bus.inner().publish(Some(Position(5)), &[message]).await.unwrap();
    drop(asleep);
    until("the first stands by", || first.status.state() == RelayState::StandingBy).await;
    assert_eq!(first.status.published_events(), 5);
    assert_eq!(first.status.last_error(), None);
    first.end().await;
}

#[tokio::test]
async fn an_idle_relay_that_finds_the_bus_elsewhere_stands_by() {
    let (store, bus) = (log_of(5).await, TestBus::new());
    let first = start(&store, &bus, standing_by(Duration::from_millis(200)));
    until("the first publishes", || first.status.last_published() == Position(5)).await;
    bus.empty();
    let event = store.read_all(Position::START, 1).await.unwrap().remove(0);
    let message = BusMessage { previous_position: Position::START, event: Arc::new(event) };
    bus.inner().publish(None, &[message]).await.unwrap();
    until("it stands by", || first.status.state() == RelayState::StandingBy).await;
    until("nobody else fills the bus", || bus.positions().len() == 4).await;
    assert_eq!(bus.positions(), chain(2, 5));
    first.end().await;
}

#[tokio::test]
async fn an_emptied_bus_is_filled_by_the_relay_that_stands_by() {
    let (store, bus) = (log_of(8).await, TestBus::new());
    let first = start(&store, &bus, standing_by(Duration::from_millis(10)));
    until("the first publishes", || first.status.last_published() == Position(8)).await;
    first.end().await;
    let second = start(&store, &bus, standing_by(Duration::from_millis(10)));
    until("the second stands by", || second.status.state() == RelayState::StandingBy).await;
    bus.empty();
    until("it is filled again", || bus.positions().len() == 8).await;
    assert_eq!(bus.positions(), chain(1, 8));
    second.end().await;
}

#[tokio::test]
async fn two_relays_publish_each_event_once_and_in_order() {
    for after in [Duration::ZERO, Duration::from_millis(10)] {
        let (store, bus) = (log_of(0).await, TestBus::new());
        let relays = [(); 2].map(|()| start(&store, &bus, standing_by(after)));
        for n in 0..50 {
            extend(&store, n, 1).await;
            tokio::task::yield_now().await;
        }
        until("all is published", || bus.positions().len() >= 50).await;
        assert_eq!(bus.positions(), chain(1, 50));
        for relay in relays {
            relay.end().await;
        }
    }
}
