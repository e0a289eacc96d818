//! The relay to an outlet, which carries only some events.

use super::*;
use crate::outlet::OutgoingMessage;

#[derive(Default)]
struct TestOutlet {
    messages: Mutex<Vec<OutgoingMessage>>,
    fences: AtomicUsize,
    looks: AtomicUsize,
}

impl TestOutlet {
    fn positions(&self) -> Vec<u64> {
        self.messages.lock().unwrap().iter().map(|message| message.position.0).collect()
    }
}

#[async_trait]
impl Outlet for TestOutlet {
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let messages = self.messages.lock().unwrap();
        Ok(messages.last().map(|message| (message.position, message.event_id)))
    }

    async fn publish(
        &self,
        expected_last: Option<Position>,
        new: &[OutgoingMessage],
    ) -> Result<(), PublishError> {
        let mut messages = self.messages.lock().unwrap();
        let actual = messages.last().map(|message| message.position);
        if actual != expected_last {
            self.fences.fetch_add(1, Ordering::SeqCst);
            return Err(PublishError::Fenced { actual });
        }
        messages.extend_from_slice(new);
        Ok(())
    }
}

/// What comes later cannot be read.
const UNREADABLE_AFTER: u64 = 1_000;

/// Carries every third event.
fn thirds() -> Render {
    Arc::new(|event| {
        if event.position.0 > UNREADABLE_AFTER {
            return Err("a type of a later release".to_owned());
        }
        Ok((event.position.0 % 3 == 0).then(|| OutgoingMessage {
            position: event.position,
            event_id: event.event_id,
            subject: vec!["case".to_owned(), event.event_type.to_string()],
            headers: vec![("ce-id", event.event_id.to_string())],
            body: event.payload.clone(),
        }))
    })
}

fn relay(store: &Arc<MemoryStore>, outlet: &Arc<TestOutlet>, take_over_after: Duration) -> Relay {
    let options = RelayOptions { take_over_after, ..quickly(WhenEmpty::FromBeginning) };
    Relay::to_outlet(store.clone(), outlet.clone(), thirds(), options.named("analytics"))
}

#[tokio::test]
async fn an_outlet_gets_what_is_made_of_the_events_it_carries() {
    let (store, outlet, stop) = (log_of(20).await, Arc::new(TestOutlet::default()), CancellationToken::new());
    let relay = relay(&store, &outlet, Duration::ZERO);
    let status = relay.status();
    tokio::spawn(relay.run(stop.clone()));
    until("all is looked at", || status.last_published() == Position(20)).await;
    assert_eq!(outlet.positions(), [3, 6, 9, 12, 15, 18]);
    assert_eq!((status.published_events(), outlet.fences.load(Ordering::SeqCst)), (6, 0));
    stop.cancel();
}

#[tokio::test]
async fn a_new_relay_goes_on_where_the_outlet_stands() {
    let (store, outlet) = (log_of(0).await, Arc::new(TestOutlet::default()));
    for upto in [8, 16] {
        extend(&store, upto - 8, 8).await;
        let stop = CancellationToken::new();
        let relay = relay(&store, &outlet, Duration::ZERO);
        let status = relay.status();
        let running = tokio::spawn(relay.run(stop.clone()));
        until("all is looked at", || status.last_published() == Position(upto)).await;
        stop.cancel();
        running.await.unwrap().unwrap();
    }
    assert_eq!(outlet.positions(), [3, 6, 9, 12, 15]);
}

#[tokio::test]
async fn who_stands_by_takes_over_only_for_an_event_that_the_outlet_carries() {
    let (store, outlet, stop) = (log_of(2).await, Arc::new(TestOutlet::default()), CancellationToken::new());
    let relay = relay(&store, &outlet, Duration::from_millis(8));
    let status = relay.status();
    tokio::spawn(relay.run(stop.clone()));
    until("it stands by", || status.state() == RelayState::StandingBy).await;
    // Long after it would have taken over: the outlet is looked at again and again.
    until("it has looked often", || outlet.looks.load(Ordering::SeqCst) > 20).await;
    assert_eq!(status.state(), RelayState::StandingBy);
    extend(&store, 2, 1).await;
    until("it publishes", || outlet.positions() == [3]).await;
    assert_eq!(status.state(), RelayState::Active);
    stop.cancel();
}

#[tokio::test]
async fn an_event_that_cannot_be_read_stops_the_relay_and_is_not_passed_over() {
    let first_unreadable = UNREADABLE_AFTER + 1;
    let store = log_of(first_unreadable + 5).await;
    let (outlet, stop) = (Arc::new(TestOutlet::default()), CancellationToken::new());
    let relay = relay(&store, &outlet, Duration::ZERO);
    let status = relay.status();
    let ended = relay.run(stop).await;
    assert!(
        matches!(&ended, Err(RelayError::Unreadable { position, .. }) if position.0 == first_unreadable),
        "{ended:?}"
    );
    assert_eq!(status.state(), RelayState::Stopped);
    assert!(status.last_error().is_some_and(|error| error.contains("a type of a later release")));
    let last = outlet.last_published().await.unwrap().map(|(position, _)| position.0);
    assert_eq!(last, Some(UNREADABLE_AFTER / 3 * 3), "what comes before it is published");
}
