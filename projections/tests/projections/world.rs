//! Given events in a log, when projectors follow it, then queries answer: the world in which that is said.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dossier_domain::personal::{seal_all, subjects_to_seal};
use dossier_domain::{DomainEvent, PersonalFields};
use dossier_eventlog::{
    Append, Audience, Bus, BusMessage, EventId, EventStore, Expected, MemoryKeyStore, Metadata, NewEvent,
    Position, RecordedEvent, SealError, Sealer, Secret, StreamName,
};
use dossier_projections::case_history::CommentQueries;
use dossier_projections::cases::CaseQueries;
use dossier_projections::satisfaction::SatisfactionQueries;
use dossier_projections::{LogFollower, ModelStatus, ReadLocation, ReadModel, ReadModels};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::buses::SilentBus;
use crate::engines;
use crate::samples::{Fact, FactEvent, at};
use crate::store::TestStore;

/// Every read model.
pub(crate) const MODELS: [&str; 13] = [
    "cases",
    "case_history",
    "reseller_visibility",
    "organizations",
    "accounts",
    "account_recovery",
    "satisfaction",
    "known_issues",
    "volume",
    "event_delivery",
    "saved_views",
    "feedback",
    "help_sessions",
];
/// Those that take in cases.
pub(crate) const CASE_MODELS: [&str; 4] = ["cases", "case_history", "satisfaction", "volume"];
/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) store: Arc<TestStore>,
    pub(crate) sealer: Arc<Sealer>,
    location: ReadLocation,
    _directory: tempfile::TempDir,
    events: AtomicU64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of_log(1)
    }

    pub(crate) fn of_log(log: u128) -> Self {
        let log_id = Uuid::from_u128(log);
        let directory = tempfile::tempdir().unwrap();
        Self {
            store: Arc::new(TestStore::new(log_id)),
            sealer: sealer(log_id),
            location: engines::fresh_location(directory.path()),
            _directory: directory,
            events: AtomicU64::new(0),
        }
    }

    pub(crate) async fn given(facts: &[Fact]) -> Self {
        let world = Self::new();
        world.append(facts).await;
        world
    }

    /// The same with read models elsewhere.
    #[cfg(feature = "postgres")]
    pub(crate) fn at(mut self, location: ReadLocation) -> Self {
        self.location = location;
        self
    }

    /// Where its read models are kept.
    pub(crate) fn location(&self) -> ReadLocation {
        self.location.clone()
    }

    /// Appends facts, one second after the other, and answers the position of the last.
    pub(crate) async fn append(&self, facts: &[Fact]) -> Position {
        self.append_sealed_by(&self.sealer, facts).await
    }

    pub(crate) async fn append_sealed_by(&self, sealer: &Sealer, facts: &[Fact]) -> Position {
        let mut last = Position::START;
        for fact in facts {
            let number = self.events.fetch_add(1, Ordering::Relaxed);
            let (event_type, version, payload) = match fact.event.clone() {
                FactEvent::Case(event) => sealed(sealer, *event).await,
                FactEvent::Access(event) => sealed(sealer, event).await,
                FactEvent::Account(event) => sealed(sealer, event).await,
                FactEvent::Subscription(event) => sealed(sealer, event).await,
                FactEvent::Webhook(event) => sealed(sealer, event).await,
                FactEvent::KnownIssue(event) => sealed(sealer, *event).await,
                FactEvent::PhoneCall(event) => sealed(sealer, event).await,
                FactEvent::Feedback(event) => sealed(sealer, event).await,
                FactEvent::HelpSession(event) => sealed(sealer, event).await,
                FactEvent::SavedView(event) => sealed(sealer, event).await,
                FactEvent::Raw { event_type, version, payload } => (event_type, version, payload),
            };
            let event = NewEvent {
                event_id: EventId(Uuid::from_u64_pair(0xE0E0, number)),
                event_type: event_type.into(),
                version,
                recorded_at: at(i64::try_from(number).unwrap()),
                payload: payload.into(),
                metadata: fact.metadata.clone().unwrap_or_else(|| metadata(number, fact.audience)).into(),
            };
            let head = self.store.stream_head(&fact.stream).await.unwrap();
            let append = Append {
                stream: fact.stream.clone(),
                expected: head.map_or(Expected::NoStream, Expected::Exact),
                events: vec![event],
                guards: Vec::new(),
            };
            last = self.store.append(append).await.expect("appended").last_position;
        }
        last
    }

    pub(crate) async fn store_head(&self) -> Position {
        self.store.head().await.unwrap()
    }

    /// Every event of the log.
    pub(crate) async fn recorded(&self) -> Vec<RecordedEvent> {
        self.store.read_all(Position::START, usize::MAX).await.unwrap()
    }

    /// The messages that a relay would make of the log, after a position.
    pub(crate) async fn messages_after(&self, position: Position) -> Vec<BusMessage> {
        let mut previous_position = position;
        let mut messages = Vec::new();
        for event in self.store.read_all(position, usize::MAX).await.unwrap() {
            let next = event.position;
            messages.push(BusMessage { previous_position, event: Arc::new(event) });
            previous_position = next;
        }
        messages
    }

    pub(crate) fn follower(&self, bus: Arc<dyn Bus>) -> LogFollower {
        LogFollower { store: self.store.clone(), bus, sealer: self.sealer.clone() }
    }

    /// The read models, running with no help from a bus.
    pub(crate) async fn run(&self) -> Running {
        self.run_on(Arc::new(SilentBus)).await
    }

    /// The same in another process, as far as the read database can tell, which projects nothing.
    pub(crate) async fn observe(&self) -> Running {
        let follower = self.follower(Arc::new(SilentBus));
        let models = ReadModels::open(&self.location(), follower).await.expect("opened");
        let cancel = CancellationToken::new();
        let tasks = models.observe(&cancel);
        Running { models: Arc::new(models), cancel, tasks }
    }

    pub(crate) async fn run_on(&self, bus: Arc<dyn Bus>) -> Running {
        Running::start(ReadModels::open(&self.location(), self.follower(bus)).await.expect("opened"))
    }

    pub(crate) async fn run_with(&self, bus: Arc<dyn Bus>, model: impl ReadModel) -> Running {
        let models: Vec<Box<dyn ReadModel>> = vec![Box::new(model)];
        Running::start(
            ReadModels::open_with(&self.location(), self.follower(bus), models).await.expect("opened"),
        )
    }

    /// Everything that the read models hold when they have followed the log in order, at once, in a database of their own:
    /// always SQLite, so that what PostgreSQL holds is compared with it.
    pub(crate) async fn expected_dump(&self) -> Vec<String> {
        let elsewhere = tempfile::tempdir().unwrap();
        let follower = self.follower(Arc::new(SilentBus));
        let models = ReadModels::open(&ReadLocation::sqlite(elsewhere.path().join("read.db")), follower)
            .await
            .unwrap();
        let running = Running::start(models);
        running.caught_up(self.store_head().await).await;
        running.dump().await
    }
}

/// Read models with their projectors at work.
pub(crate) struct Running {
    pub(crate) models: Arc<ReadModels>,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Running {
    pub(crate) fn start(models: ReadModels) -> Self {
        let cancel = CancellationToken::new();
        let tasks = models.start(&cancel);
        Self { models: Arc::new(models), cancel, tasks }
    }

    pub(crate) async fn caught_up(&self, position: Position) {
        self.models.wait_for(position, PATIENCE).await.expect("caught up");
    }

    pub(crate) async fn dump(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for (name, _) in self.models.statuses() {
            rows.extend(self.models.dump(name).await.expect("dumped"));
        }
        rows
    }

    pub(crate) fn cases(&self) -> CaseQueries {
        CaseQueries::new(self.models.database().clone())
    }

    pub(crate) fn satisfaction(&self) -> SatisfactionQueries {
        SatisfactionQueries::new(self.models.database().clone())
    }

    pub(crate) fn comments(&self) -> CommentQueries {
        CommentQueries::new(self.models.database().clone())
    }

    pub(crate) fn status(&self, model: &str) -> ModelStatus {
        self.models.statuses().into_iter().find(|(name, _)| *name == model).expect("there is such a model").1
    }

    /// Waits until a model says something of itself.
    pub(crate) async fn until(&self, model: &str, wanted: impl Fn(&ModelStatus) -> bool) -> ModelStatus {
        let waiting = async {
            while !wanted(&self.status(model)) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| panic!("{model} stands at {:?}", self.status(model)));
        self.status(model)
    }

    /// Why a model has halted, once it has.
    pub(crate) async fn halted(&self, model: &str) -> String {
        self.until(model, |status| status.halted.is_some()).await.halted.expect("halted")
    }

    pub(crate) async fn stop(mut self) {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.models.database().close().await;
    }
}

pub(crate) fn sealer(log_id: Uuid) -> Arc<Sealer> {
    sealer_on(Arc::new(MemoryKeyStore::new(log_id, Secret::new([7; 32]))))
}

pub(crate) fn sealer_on(keys: Arc<dyn dossier_eventlog::KeyStore>) -> Arc<Sealer> {
    let drawn = AtomicU64::new(1);
    let entropy: dossier_eventlog::Entropy = Arc::new(move |bytes: &mut [u8]| {
        let next = drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, value) in bytes.iter_mut().zip(next.iter().cycle()) {
            *byte = *value;
        }
    });
    Arc::new(Sealer::new(keys, entropy))
}

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

async fn sealed<E: DomainEvent + PersonalFields>(sealer: &Sealer, mut event: E) -> (String, u16, Vec<u8>) {
    sealer.prepare_seal(&subjects_to_seal(&mut event)).await.unwrap();
    seal_all::<SealError>(&mut event, |subject, plain| sealer.seal(subject, plain)).unwrap();
    (event.event_type().to_owned(), event.version(), event.encode())
}

/// The usual metadata of what was taken over from elsewhere.
pub(crate) fn metadata_of_then(number: u64, occurred_at: jiff::Timestamp) -> Vec<u8> {
    let occurred_at = Some(occurred_at);
    Metadata { occurred_at, ..usual_metadata(number, Audience::Customer) }.encode().to_vec()
}

fn metadata(number: u64, audience: Audience) -> Vec<u8> {
    usual_metadata(number, audience).encode().to_vec()
}

fn usual_metadata(number: u64, audience: Audience) -> Metadata {
    Metadata {
        command_id: Uuid::from_u64_pair(0xC0C0, number),
        fingerprint: "fingerprint".into(),
        actor: "account-1".to_owned(),
        acting_for: None,
        organization: None,
        audience,
        occurred_at: None,
        correlation_id: "test".to_owned(),
        causation_id: None,
        access_revision: None,
    }
}
