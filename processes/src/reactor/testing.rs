//! A log, a work store, and a reactor whose orders are written down instead of executed. Only built for tests.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use dossier_commands::{Clock, Request};
use dossier_domain::access::{AccessCommand, VerifyDomain};
use dossier_domain::{Actor, OrganizationId};
use dossier_eventlog::contract::sample::{after_events, append, entropy, stream};
use dossier_eventlog::{
    EventId, EventStore, MemoryKeyStore, MemoryStore, Metadata, Position, Sealer, Secret,
};
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::lead::Pace;
use super::{
    Begin, Issue, IssueError, Issued, Order, ReactError, Reactor, ReactorState, ReactorStatus, Reactors,
    StartError, Trigger, system_actor,
};
use crate::work_store::{SqliteWorkStore, WorkStore};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Everything that outlives a process with reactors.
pub(super) struct World {
    pub(super) store: Arc<MemoryStore>,
    pub(super) work: Arc<SqliteWorkStore>,
    pub(super) orders: Arc<Orders>,
    second: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

impl World {
    /// A log of so many events, beside an empty work store.
    pub(super) async fn of_events(count: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let work = Arc::new(SqliteWorkStore::open(&folder.path().join("work.db")).await.unwrap());
        let world = Self {
            store: Arc::new(MemoryStore::new(Uuid::from_u128(1))),
            work,
            orders: Arc::default(),
            second: Arc::default(),
            _folder: folder,
        };
        world.extend(count).await;
        world
    }

    /// A log of no event, with the work store that belongs to it.
    pub(super) async fn new() -> Self {
        let world = Self::of_events(0).await;
        super::claim_new_log(&*world.store, &*world.work).await.unwrap();
        world
    }

    /// Another log, restored to so many events, beside the same work store.
    pub(super) async fn restored_to(&mut self, log: u128, count: u64) {
        self.store = Arc::new(MemoryStore::new(Uuid::from_u128(log)));
        self.extend(count).await;
    }

    pub(super) async fn extend(&self, count: u64) {
        let from = self.store.head().await.unwrap().0;
        for number in from..from + count {
            self.append(number, metadata()).await;
        }
    }

    /// An event whose metadata makes no sense.
    pub(super) async fn append_unreadable(&self) {
        let number = self.store.head().await.unwrap().0;
        self.append(number, b"?"[..].into()).await;
    }

    async fn append(&self, number: u64, metadata: bytes::Bytes) {
        let mut append = append(&stream("note", 1), after_events(number), number + 1, 1);
        append.events[0].metadata = metadata;
        self.store.append(append).await.unwrap();
    }

    /// Moves the clock.
    pub(super) fn pass(&self, seconds: i64) {
        self.second.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(super) async fn position(&self) -> Option<u64> {
        self.work.checkpoint(Echo::NAME).await.unwrap().map(|checkpoint| checkpoint.position.0)
    }

    /// A process with the reactor [`Echo`].
    pub(super) async fn start(&self, begins: Begin) -> Node {
        self.try_start("a", begins, None).await.expect("started")
    }

    pub(super) async fn try_start(
        &self,
        node: &str,
        begins: Begin,
        choice: Option<Begin>,
    ) -> Result<Node, StartError> {
        let pace = Pace {
            lease: SignedDuration::from_secs(10),
            renewal: Duration::from_millis(10),
            shortest_pause: Duration::from_millis(2),
            longest_pause: Duration::from_millis(10),
        };
        let second = self.second.clone();
        let clock: Clock =
            Arc::new(move || Timestamp::from_second(second.load(Ordering::SeqCst)).unwrap_or_default());
        let reactors = Reactors::new(self.store.clone(), self.work.clone(), self.orders.clone(), clock, node)
            .with(Echo { begins, actor: actor() })
            .paced(pace);
        let cancel = CancellationToken::new();
        let tasks = reactors.start(choice, &cancel).await?;
        Ok(Node { reactors, cancel, tasks })
    }
}

/// A process with reactors.
pub(super) struct Node {
    reactors: Reactors,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Node {
    pub(super) fn status(&self) -> ReactorStatus {
        self.reactors.statuses().remove(0).1
    }

    pub(super) async fn until(&self, wanted: impl Fn(&ReactorStatus) -> bool) -> ReactorStatus {
        let waiting = async {
            while !wanted(&self.status()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| panic!("the reactor stands at {:?}", self.status()));
        self.status()
    }

    pub(super) async fn caught_up(&self, position: u64) {
        self.until(|status| status.position == Position(position)).await;
    }

    pub(super) async fn is(&self, state: ReactorState) -> ReactorStatus {
        self.until(|status| status.state == state).await
    }

    /// Stops it in good order.
    pub(super) async fn stop(mut self) {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
    }

    /// Kills it where it stands.
    pub(super) async fn kill(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Orders something about each event.
struct Echo {
    begins: Begin,
    actor: Actor,
}

impl Echo {
    const NAME: &str = "echo";
}

#[async_trait]
impl Reactor for Echo {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn begins(&self) -> Begin {
        self.begins
    }

    fn actor(&self) -> &Actor {
        &self.actor
    }

    async fn react(&self, trigger: &Trigger<'_>) -> Result<Vec<Order>, ReactError> {
        let organization = trigger.organization()?;
        let domain = format!("event-{}.example", trigger.event.position);
        let command = Box::new(AccessCommand::VerifyDomain(VerifyDomain { domain }));
        Ok(vec![Order::Access { organization, command }])
    }
}

/// Writes down what was ordered, under which id, and answers as a test says; else that it was applied.
#[derive(Default)]
pub(super) struct Orders {
    taken: Mutex<Vec<(Uuid, String)>>,
    answers: Mutex<VecDeque<Result<Issued, IssueError>>>,
    held: Mutex<Option<Arc<tokio::sync::Semaphore>>>,
}

impl Orders {
    /// The next answers.
    pub(super) fn answer(&self, answers: impl IntoIterator<Item = Result<Issued, IssueError>>) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// From now on an order is written down, and its answer waits for a permit.
    pub(super) fn hold(&self) -> Arc<tokio::sync::Semaphore> {
        let held = Arc::new(tokio::sync::Semaphore::new(0));
        *self.held.lock().unwrap() = Some(held.clone());
        held
    }

    pub(super) fn release(&self) {
        *self.held.lock().unwrap() = None;
    }

    /// The events whose orders came, in that order.
    pub(super) fn events(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        taken
            .iter()
            .map(|(_, domain)| domain.trim_start_matches("event-").trim_end_matches(".example").to_owned())
            .collect()
    }

    pub(super) fn ids(&self) -> Vec<Uuid> {
        self.taken.lock().unwrap().iter().map(|(id, _)| *id).collect()
    }

    pub(super) async fn count(&self, count: usize) {
        let waiting = async {
            while self.ids().len() < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("so many orders");
    }
}

#[async_trait]
impl Issue for Orders {
    async fn issue(&self, request: &Request, order: &Order) -> Result<Issued, IssueError> {
        let Order::Access { command, .. } = order else { panic!("{order:?}") };
        let AccessCommand::VerifyDomain(verify) = &**command else { panic!("{command:?}") };
        self.taken.lock().unwrap().push((request.command_id.0, verify.domain.clone()));
        let held = self.held.lock().unwrap().clone();
        if let Some(held) = held {
            held.acquire().await.expect("never closed").forget();
        }
        self.answers.lock().unwrap().pop_front().unwrap_or(Ok(Issued::Applied))
    }
}

fn actor() -> Actor {
    let keys = MemoryKeyStore::new(Uuid::nil(), Secret::new([1; 32]));
    system_actor(&Sealer::new(Arc::new(keys), entropy(1)), Echo::NAME, [])
}

fn metadata() -> bytes::Bytes {
    Metadata {
        command_id: Uuid::from_u128(5),
        fingerprint: "fingerprint".into(),
        actor: "account-1".to_owned(),
        acting_for: None,
        organization: Some(OrganizationId::new("acme").unwrap().to_string()),
        audience: dossier_eventlog::Audience::Internal,
        occurred_at: None,
        correlation_id: "test".to_owned(),
        causation_id: None,
        access_revision: None,
    }
    .encode()
}

/// The id of the event at a position of the log.
pub(super) async fn event_at(world: &World, position: u64) -> EventId {
    world.store.event_id_at(Position(position)).await.unwrap().expect("there is an event")
}
