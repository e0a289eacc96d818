//! The relay on JetStream: every event of the log on the stream, once and in order, whatever happens.

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::*;
use crate::contract::sample::{after_events, append, stream};
use crate::relay::{Relay, RelayError, RelayOptions, RelayState, RelayStatus};
use crate::store::EventStore;
use crate::{MemoryStore, Render};

struct Running {
    status: Arc<RelayStatus>,
    stop: CancellationToken,
    task: JoinHandle<Result<(), RelayError>>,
}

impl Running {
    fn start(relay: Relay) -> Self {
        let (status, stop) = (relay.status(), CancellationToken::new());
        Self { status, task: tokio::spawn(relay.run(stop.clone())), stop }
    }

    async fn has_published(&self, store: &MemoryStore) {
        let head = store.head().await.unwrap();
        let published = until("all is published", || async { self.status.last_published() == head });
        tokio::select! {
            biased;
            () = published => {}
            () = tokio::time::sleep(Duration::from_secs(50)) => panic!("{:?} on the way to {head}", self.status),
        }
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

fn quickly() -> RelayOptions {
    RelayOptions {
        take_over_after: Duration::from_millis(200),
        idle_check: Duration::from_millis(100),
        ..RelayOptions::shared()
    }
}

async fn relay(store: &Arc<MemoryStore>, url: &str, options: RelayOptions) -> Running {
    Running::start(Relay::new(store.clone(), connect(url).await, options))
}

fn log() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(Uuid::nil()))
}

async fn extend(store: &MemoryStore, events: u64) {
    let from = store.head().await.unwrap().0;
    for n in (from..from + events).step_by(100) {
        let count = 100.min(from + events - n);
        store.append(append(&stream("case", 1), after_events(n), n + 1, count)).await.unwrap();
    }
}

/// Every event of the log is on the stream, once and in order.
async fn is_whole(url: &str, store: &MemoryStore) {
    let head = store.head().await.unwrap().0;
    let name = options(url).stream;
    assert_eq!(positions(&operator(url).await, &name).await, (1..=head).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_log_gets_on_the_stream_and_stays_there_over_restarts_of_the_relay() {
    let (store, url) = (log(), fresh_url(&Nats::shared().url()));
    for _ in 0..3 {
        extend(&store, 3_000).await;
        let running = relay(&store, &url, quickly()).await;
        running.has_published(&store).await;
        running.end().await;
    }
    is_whole(&url, &store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_server_is_killed_under_publishing() {
    let mut server = Nats::start();
    let (store, url) = (log(), fresh_url(&server.url()));
    let running = relay(&store, &url, quickly()).await;
    for _ in 0..3 {
        let before = running.status.published_events();
        let (appending, publishing) = (store.clone(), running.status.clone());
        let load = tokio::spawn(async move {
            for _ in 0..40 {
                extend(&appending, 100).await;
                tokio::task::yield_now().await;
            }
        });
        until("some is published", || async { publishing.published_events() > before }).await;
        server.kill();
        load.await.unwrap();
        until("the failure shows", || async { publishing.last_error().is_some() }).await;
        server.restart();
        running.has_published(&store).await;
        assert_eq!(running.status.last_error(), None);
    }
    is_whole(&url, &store).await;
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_stream_is_made_and_filled_again() {
    let (store, url) = (log(), fresh_url(&Nats::shared().url()));
    extend(&store, 500).await;
    let running = relay(&store, &url, quickly()).await;
    running.has_published(&store).await;
    let (name, operator) = (options(&url).stream, operator(&url).await);
    // With nothing new in the log, and with something.
    for new in [0, 300] {
        operator.delete_stream(&name).await.unwrap();
        extend(&store, new).await;
        let head = store.head().await.unwrap().0;
        until("it is filled again", || async {
            match operator.get_stream(&name).await {
                Ok(stream) => stream.cached_info().state.messages == head,
                Err(_) => false,
            }
        })
        .await;
        is_whole(&url, &store).await;
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_relays_one_publishes_and_the_other_takes_over_when_it_ends() {
    let (store, url) = (log(), fresh_url(&Nats::shared().url()));
    extend(&store, 100).await;
    let first = relay(&store, &url, quickly()).await;
    first.has_published(&store).await;
    let second = relay(&store, &url, quickly()).await;
    until("the second stands by", || async { second.status.state() == RelayState::StandingBy }).await;
    for _ in 0..20 {
        extend(&store, 50).await;
        first.has_published(&store).await;
    }
    assert_eq!((first.status.state(), second.status.published_events()), (RelayState::Active, 0));
    first.end().await;
    extend(&store, 500).await;
    second.has_published(&store).await;
    assert_eq!(second.status.state(), RelayState::Active);
    is_whole(&url, &store).await;
    second.end().await;
}

/// A relay on a thread of its own that can be put to sleep with everything it uses, as by SIGSTOP.
struct Sleeper {
    status: Arc<RelayStatus>,
    stop: CancellationToken,
    orders: tokio::sync::mpsc::UnboundedSender<std::sync::mpsc::Receiver<()>>,
    thread: std::thread::JoinHandle<()>,
}

impl Sleeper {
    fn start(store: Arc<MemoryStore>, url: String, options: RelayOptions) -> Self {
        let (orders, mut ordered) = tokio::sync::mpsc::unbounded_channel::<std::sync::mpsc::Receiver<()>>();
        let (say, said) = std::sync::mpsc::channel();
        let stop = CancellationToken::new();
        let until = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let relay = Relay::new(store, connect(&url).await, options);
                say.send(relay.status()).unwrap();
                let sleeping = async {
                    while let Some(woken) = ordered.recv().await {
                        // Blocks the only thread: nothing here gets on, not even the connection.
                        let _ = woken.recv();
                    }
                };
                tokio::select! {
                    ended = relay.run(until) => ended.unwrap(),
                    () = sleeping => {}
                }
            });
        });
        Self { status: said.recv().unwrap(), stop, orders, thread }
    }

    /// Asleep until what is answered is dropped.
    fn sleep(&self) -> std::sync::mpsc::Sender<()> {
        let (wake, woken) = std::sync::mpsc::channel();
        self.orders.send(woken).unwrap();
        wake
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_wakes_up_is_fenced_and_stands_by() {
    let (store, url) = (log(), fresh_url(&Nats::shared().url()));
    let first = Sleeper::start(store.clone(), url.clone(), quickly());
    extend(&store, 100).await;
    until("the first publishes", || async { first.status.last_published() == Position(100) }).await;
    let second = relay(&store, &url, quickly()).await;
    until("the second stands by", || async { second.status.state() == RelayState::StandingBy }).await;
    let asleep = first.sleep();
    until("the second takes over", || async {
        extend(&store, 100).await;
        second.status.state() == RelayState::Active
    })
    .await;
    second.has_published(&store).await;
    drop(asleep);
    until("the first stands by", || async { first.status.state() == RelayState::StandingBy }).await;
    extend(&store, 1_000).await;
    second.has_published(&store).await;
    assert_eq!(second.status.state(), RelayState::Active);
    is_whole(&url, &store).await;
    first.stop.cancel();
    first.thread.join().unwrap();
    second.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_that_all_believe_to_be_alone_keep_the_order_and_get_on() {
    let (store, url) = (log(), fresh_url(&Nats::shared().url()));
    let alone = RelayOptions { take_over_after: Duration::ZERO, ..quickly() };
    let relays = [
        relay(&store, &url, alone.clone()).await,
        relay(&store, &url, alone.clone()).await,
        relay(&store, &url, alone).await,
    ];
    for _ in 0..20 {
        extend(&store, 700).await;
        tokio::task::yield_now().await;
    }
    for relay in &relays {
        relay.has_published(&store).await;
    }
    is_whole(&url, &store).await;
    for relay in relays {
        relay.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outlet_is_fed_beside_the_bus() {
    let (store, url) = (log(), fresh_url(&Nats::shared().url()));
    extend(&store, 1_000).await;
    let render: Render = Arc::new(|event| {
        Ok((event.position.0 % 10 == 0).then(|| OutgoingMessage {
            position: event.position,
            event_id: event.event_id,
            subject: vec![
                "acme".to_owned(),
                event.stream.category().to_owned(),
                event.event_type.to_string(),
            ],
            headers: vec![("ce-id", event.event_id.to_string())],
            body: event.payload.clone(),
        }))
    });
    let outlet = Arc::new(NatsOutlet::connect(&options(&url)).await.unwrap());
    let name = outlet.stream_name().to_owned();
    let feeding = Relay::to_outlet(store.clone(), outlet, render, quickly().named("analytics"));
    let (bus, outlet) = (relay(&store, &url, quickly()).await, Running::start(feeding));
    bus.has_published(&store).await;
    outlet.has_published(&store).await;
    is_whole(&url, &store).await;
    let tens: Vec<u64> = (1..=100).map(|n| n * 10).collect();
    assert_eq!(positions(&operator(&url).await, &name).await, tens);
    bus.end().await;
    outlet.end().await;
}
