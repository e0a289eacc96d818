//! The relay on a bus that fails or forgets, and logs and buses that do not belong together.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use uuid::Uuid;

use super::*;
use crate::bus::{BusMessage, BusSubscription};
use crate::contract::sample::{after_events, append, stream};
use crate::envelope::EventId;
use crate::in_process::InProcessBus;
use crate::memory::MemoryStore;

/// A bus that keeps what was published for the test to see, and fails on demand.
struct TestBus {
    inner: Mutex<Arc<InProcessBus>>,
    published: Mutex<Vec<BusMessage>>,
    /// Publishes that hold but answer that they did not.
    answers_lost: AtomicUsize,
    down: AtomicBool,
    /// How often somebody asked what the bus holds last.
    looks: AtomicUsize,
    /// Held by a test while whoever uses the bus shall get no further.
    sleeping: tokio::sync::Mutex<()>,
}

impl TestBus {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::default(),
            published: Mutex::default(),
            answers_lost: AtomicUsize::new(0),
            down: AtomicBool::new(false),
            looks: AtomicUsize::new(0),
            sleeping: tokio::sync::Mutex::default(),
        })
    }

    fn inner(&self) -> Arc<InProcessBus> {
        self.inner.lock().unwrap().clone()
    }

    /// Forgets everything, as when somebody deletes the stream.
    fn empty(&self) {
        *self.inner.lock().unwrap() = Arc::default();
        self.published.lock().unwrap().clear();
    }

    fn positions(&self) -> Vec<(u64, u64)> {
        let published = self.published.lock().unwrap();
        published.iter().map(|message| (message.previous_position.0, message.event.position.0)).collect()
    }
}

#[async_trait]
impl Bus for TestBus {
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let _awake = self.sleeping.lock().await;
        if self.down.load(Ordering::SeqCst) {
            return Err(BusError::Unavailable("down".to_owned()));
        }
        self.inner().last_published().await
    }

    async fn publish(
        &self,
        expected_last: Option<Position>,
        messages: &[BusMessage],
    ) -> Result<(), PublishError> {
        let _awake = self.sleeping.lock().await;
        if self.down.load(Ordering::SeqCst) {
            return Err(PublishError::Unavailable("down".to_owned()));
        }
        self.inner().publish(expected_last, messages).await?;
        self.published.lock().unwrap().extend_from_slice(messages);
        let lost =
            self.answers_lost.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |times| times.checked_sub(1));
        if lost.is_ok() { Err(PublishError::Unavailable("no answer".to_owned())) } else { Ok(()) }
    }

    async fn subscribe(&self, consumer: &str) -> Result<Box<dyn BusSubscription>, BusError> {
        self.inner().subscribe(consumer).await
    }
}

fn quickly(when_empty: WhenEmpty) -> RelayOptions {
    RelayOptions {
        when_empty,
        batch_events: 4,
        idle_check: Duration::from_millis(20),
        shortest_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(5),
        ..RelayOptions::default()
    }
}

async fn log_of(events: u64) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new(Uuid::nil()));
    extend(&store, 0, events).await;
    store
}

async fn extend(store: &MemoryStore, from: u64, events: u64) {
    for n in from..from + events {
        store.append(append(&stream("case", 1), after_events(n), n + 1, 1)).await.unwrap();
    }
}

async fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..2000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited in vain until {what}");
}

fn chain(from: u64, to: u64) -> Vec<(u64, u64)> {
    (from..=to).map(|position| (position - 1, position)).collect()
}

#[tokio::test]
async fn a_bus_that_keeps_gets_the_log_from_its_beginning() {
    let (store, bus, stop) = (log_of(10).await, TestBus::new(), CancellationToken::new());
    let relay = Relay::new(store.clone(), bus.clone(), quickly(WhenEmpty::FromBeginning));
    let status = relay.status();
    let running = tokio::spawn(relay.run(stop.clone()));
    until("the past is published", || status.last_published() == Position(10)).await;
    extend(&store, 10, 5).await;
    until("the rest is published", || status.last_published() == Position(15)).await;
    assert_eq!(bus.positions(), chain(1, 15));
    assert_eq!((status.last_error(), status.published_events()), (None, 15));
    stop.cancel();
    assert_eq!(running.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_bus_that_forgets_gets_the_log_from_its_head_at_start() {
    let (store, bus, stop) = (log_of(10).await, TestBus::new(), CancellationToken::new());
    let relay = Relay::new(store.clone(), bus.clone(), quickly(WhenEmpty::FromHead));
    let status = relay.status();
    tokio::spawn(relay.run(stop.clone()));
    until("the relay has looked", || status.last_published() == Position(10)).await;
    extend(&store, 10, 3).await;
    until("the rest is published", || status.last_published() == Position(13)).await;
    assert_eq!(bus.positions(), chain(11, 13));
    stop.cancel();
}

#[tokio::test]
async fn a_new_relay_goes_on_where_the_bus_stands() {
    let (store, bus) = (log_of(6).await, TestBus::new());
    for upto in [6, 9] {
        extend(&store, store.head().await.unwrap().0, upto - store.head().await.unwrap().0).await;
        let stop = CancellationToken::new();
        let relay = Relay::new(store.clone(), bus.clone(), quickly(WhenEmpty::FromBeginning));
        let status = relay.status();
        let running = tokio::spawn(relay.run(stop.clone()));
        until("all is published", || status.last_published() == Position(upto)).await;
        stop.cancel();
        running.await.unwrap().unwrap();
    }
    assert_eq!(bus.positions(), chain(1, 9));
}

#[tokio::test]
async fn a_lost_answer_publishes_nothing_twice() {
    let (store, bus, stop) = (log_of(20).await, TestBus::new(), CancellationToken::new());
    bus.answers_lost.store(3, Ordering::SeqCst);
    let relay = Relay::new(store.clone(), bus.clone(), quickly(WhenEmpty::FromBeginning));
    let status = relay.status();
    tokio::spawn(relay.run(stop.clone()));
    until("all is published", || status.last_published() == Position(20)).await;
    assert_eq!(bus.positions(), chain(1, 20));
    assert_eq!(status.last_error(), None);
    stop.cancel();
}

#[tokio::test]
async fn a_bus_that_is_down_shows_in_the_status_until_it_is_back() {
    let (store, bus, stop) = (log_of(2).await, TestBus::new(), CancellationToken::new());
    bus.down.store(true, Ordering::SeqCst);
    let relay = Relay::new(store.clone(), bus.clone(), quickly(WhenEmpty::FromBeginning));
    let status = relay.status();
    tokio::spawn(relay.run(stop.clone()));
    until("the failure shows", || status.last_error().is_some()).await;
    bus.down.store(false, Ordering::SeqCst);
    until("all is published", || status.last_published() == Position(2)).await;
    assert_eq!(status.last_error(), None);
    stop.cancel();
}

#[tokio::test]
async fn a_bus_that_keeps_is_filled_again_when_it_was_emptied_although_nothing_is_new() {
    let (store, bus, stop) = (log_of(10).await, TestBus::new(), CancellationToken::new());
    let relay = Relay::new(store, bus.clone(), quickly(WhenEmpty::FromBeginning));
    let status = relay.status();
    tokio::spawn(relay.run(stop.clone()));
    until("the past is published", || status.last_published() == Position(10)).await;
    bus.empty();
    until("it is there again", || bus.positions().len() == 10).await;
    assert_eq!(bus.positions(), chain(1, 10));
    stop.cancel();
}

#[tokio::test]
async fn a_bus_that_forgets_is_not_filled_again() {
    let (store, bus, stop) = (log_of(10).await, TestBus::new(), CancellationToken::new());
    let relay = Relay::new(store.clone(), bus.clone(), quickly(WhenEmpty::FromHead));
    let status = relay.status();
    tokio::spawn(relay.run(stop.clone()));
    until("the relay has looked", || status.last_published() == Position(10)).await;
    extend(&store, 10, 2).await;
    until("the rest is published", || status.last_published() == Position(12)).await;
    bus.empty();
    extend(&store, 12, 2).await;
    until("what is new is published", || bus.positions().len() == 2).await;
    assert_eq!(bus.positions(), chain(13, 14));
    stop.cancel();
}

#[tokio::test]
async fn a_relay_says_what_it_is_doing() {
    let (store, bus, stop) = (log_of(1).await, TestBus::new(), CancellationToken::new());
    let relay = Relay::new(store, bus, quickly(WhenEmpty::FromBeginning));
    let status = relay.status();
    assert_eq!(status.state(), RelayState::Starting);
    let running = tokio::spawn(relay.run(stop.clone()));
    until("it publishes", || status.state() == RelayState::Active).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(status.state(), RelayState::Stopped);
}

#[tokio::test]
async fn a_bus_ahead_of_a_restored_log_stops_the_relay() {
    let (store, bus) = (log_of(5).await, TestBus::new());
    let stop = CancellationToken::new();
    let relay = Relay::new(store, bus.clone(), quickly(WhenEmpty::FromBeginning));
    let status = relay.status();
    tokio::spawn(relay.run(stop.clone()));
    until("all is published", || status.last_published() == Position(5)).await;
    stop.cancel();

    let restored = Relay::new(log_of(3).await, bus, quickly(WhenEmpty::FromBeginning));
    let status = restored.status();
    let halted = restored.run(CancellationToken::new()).await;
    assert_eq!(halted, Err(RelayError::BusOfAnotherLog { position: Position(5) }));
    assert!(status.last_error().is_some_and(|error| error.contains("rebuild")));
}

mod outlet;
mod standby;
