//! Appends, commands, replay and projection, in process.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dossier_api::{edge, system};
use dossier_commands::{ActsFor, Commands, Request, identity};
use dossier_domain::access::{
    AccessCommand, AddMember, GrantEntitlement, RegisterOrganization, VerifyDomain,
};
use dossier_domain::case::{
    AddComment, CaseCommand, CloseCase, EditCase, EscalateCase, EscalationReason, FileCase,
};
use dossier_domain::catalogue::Priority;
use dossier_domain::{
    AccountStatus, Actor, CaseId, CommandId, Contact, OrganizationId, Personal, PlanId, ProductId, Role,
    StaffRole, Subject,
};
use dossier_eventlog::{
    Append, EventId, EventStore, Expected, InProcessBus, NewEvent, Position, Relay, RelayOptions, Sealer,
    SqliteKeyStore, SqliteOptions, SqliteStore, StreamName,
};
use dossier_projections::{LogFollower, ReadLocation, ReadModels};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Row;
use crate::load::{percentile, rate};
use crate::raw::{RawWriter, scan};

static NEXT: AtomicU64 = AtomicU64::new(1);

fn next() -> u128 {
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn sample_event() -> NewEvent {
    NewEvent {
        event_id: EventId(Uuid::from_u128(next().wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))),
        event_type: "CommentAdded".into(),
        version: 2,
        recorded_at: Timestamp::UNIX_EPOCH,
        payload: vec![b'p'; 420].into(),
        metadata: vec![b'm'; 330].into(),
    }
}

pub(crate) fn sample_stream() -> StreamName {
    StreamName::new(&format!("case-{}", next())).unwrap()
}

/// Durable appends of one event each.
pub(crate) async fn appends() {
    for callers in [1, 32, 256] {
        let folder = TempDir::new().unwrap();
        let raw = RawWriter::start(&folder.path().join("raw.db"));
        let raw = rate(callers, move |caller, _| {
            let raw = raw.clone();
            async move { raw.append(caller, vec![sample_event()]).await }
        })
        .await;
        let store = open_store(folder.path()).await;
        let ours = rate(callers, move |_, _| {
            let store = store.clone();
            async move {
                let (expected, events) = (Expected::NoStream, vec![sample_event()]);
                let append = Append { stream: sample_stream(), expected, events, guards: Vec::new() };
                store.append(append).await.unwrap();
            }
        })
        .await;
        Row::new(format!("durable appends, {callers} callers"), ours, "appends/s").beside(raw, 0.7).print();
    }
}

async fn open_store(folder: &Path) -> Arc<dyn EventStore> {
    Arc::new(
        SqliteStore::open(&folder.join("events.db"), SqliteOptions::default(), Uuid::from_u128(1))
            .await
            .unwrap(),
    )
}

/// A log with the organization acme in it, and the write side on it.
pub(crate) struct World {
    /// Of read models in SQLite.
    pub(crate) folder: TempDir,
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) commands: Arc<Commands>,
}

pub(crate) fn acme() -> OrganizationId {
    OrganizationId::new("acme").unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = open_store(folder.path()).await;
        let entropy = edge::entropy();
        let keys = SqliteKeyStore::open(&folder.path().join("keys.db"), store.log_id(), true, &entropy)
            .await
            .unwrap();
        Self::in_folder(folder, store, Arc::new(Sealer::new(Arc::new(keys), entropy))).await
    }

    /// The same on a log that is open, and empty.
    pub(crate) async fn on(store: Arc<dyn EventStore>, sealer: Arc<Sealer>) -> Self {
        Self::in_folder(TempDir::new().unwrap(), store, sealer).await
    }

    async fn in_folder(folder: TempDir, store: Arc<dyn EventStore>, sealer: Arc<Sealer>) -> Self {
        let world = Self { commands: write_side(&store, &sealer), folder, store, sealer };
        world.set_up().await;
        world
    }

    /// Another write side on the same log, with nothing cached.
    pub(crate) fn cold(&self) -> Arc<Commands> {
        write_side(&self.store, &self.sealer)
    }

    pub(crate) fn actor(&self, email: &str) -> Actor {
        let account = identity::account_id(&self.sealer, "bench", email);
        let contact = Contact { email: email.to_owned(), display_name: email.to_owned() };
        let staff = email.split('@').next().and_then(StaffRole::from_claim);
        Actor::new(account, Personal::new(Subject::account(account), contact), staff)
    }

    pub(crate) fn request(&self, email: &str) -> Request {
        Request {
            command_id: CommandId(Uuid::from_u128(
                next().wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
            )),
            fingerprint: "fingerprint-of-a-body".to_owned(),
            actor: self.actor(email),
            acting_for: None,
            correlation_id: "bench".to_owned(),
            causation_id: None,
            if_match: None,
        }
    }

    async fn set_up(&self) {
        let product = || ProductId::new("compute").unwrap();
        let alice = self.actor("alice@acme.example");
        let entitle = |plan| {
            AccessCommand::GrantEntitlement(GrantEntitlement {
                product: product(),
                plan: PlanId::new(plan).unwrap(),
                from: Timestamp::UNIX_EPOCH,
                until: None,
            })
        };
        let register = RegisterOrganization {
            organization: acme(),
            display_name: "Acme".to_owned(),
            country: "FR".to_owned(),
            language: "fr".to_owned(),
            reseller: false,
            technical_contact: None,
        };
        let add = AddMember {
            account: alice.account,
            account_status: AccountStatus::Unknown,
            contact: alice.contact,
            roles: BTreeMap::from([(product(), Role::Owner)]),
            effective_at: None,
        };
        for command in [
            AccessCommand::RegisterOrganization(register),
            AccessCommand::VerifyDomain(VerifyDomain { domain: "acme.example".to_owned() }),
            entitle("platinum"),
            entitle("premier"),
            AccessCommand::AddMember(add),
        ] {
            self.access("acme", command).await;
        }
    }

    /// Executes a command of the operator on an organization's access.
    pub(crate) async fn access(&self, organization: &str, command: AccessCommand) {
        let organization = OrganizationId::new(organization).unwrap();
        let request = self.request("operator@support.example");
        self.commands.access(&request, &organization, &command).await.unwrap();
    }

    /// Files a case for a customer of a reseller.
    pub(crate) async fn file_for(&self, email: &str, reseller: &OrganizationId, customer: &OrganizationId) {
        let mut request = self.request(email);
        request.acting_for = Some(ActsFor { organization: reseller.clone(), entitled_customers: Vec::new() });
        self.commands.case(&request, customer, None, &self.file()).await.unwrap();
    }

    fn text(&self, text: &str) -> Personal<String> {
        Personal::new(self.actor("alice@acme.example").contact.subject().clone(), text.to_owned())
    }

    pub(crate) async fn run(&self, case: Option<CaseId>, command: CaseCommand) -> (CaseId, Position) {
        let request = self.request("alice@acme.example");
        let outcome = self.commands.case(&request, &acme(), case, &command).await.unwrap();
        (outcome.folded.state.filed().unwrap().id, outcome.folded.position)
    }

    pub(crate) fn file(&self) -> CaseCommand {
        CaseCommand::File(Box::new(FileCase {
            classification: "compute-vm".to_owned(),
            title: self.text("The machine does not start"),
            description: self
                .text("Since this morning new machines stay in STAGING; existing ones are fine."),
            priority: Some(Priority::P3),
            language: "en".to_owned(),
            time_zone: Some("Europe/Paris".to_owned()),
            contact_email: None,
            subscribers: Vec::new(),
            test_case: false,
            problem: None,
            channel: None,
            follow_up_of: None,
            help: None,
        }))
    }

    pub(crate) fn comment(&self) -> CaseCommand {
        CaseCommand::Comment(AddComment {
            body: self.text("We tried two images and three zones; d works, b and c do not."),
        })
    }

    pub(crate) async fn lifecycle(&self) {
        let (case, _) = self.run(None, self.file()).await;
        for _ in 0..3 {
            self.run(Some(case), self.comment()).await;
        }
        let escalate = EscalateCase {
            reason: Some(EscalationReason::BusinessImpact),
            justification: self.text("we lose orders"),
        };
        self.run(Some(case), CaseCommand::Escalate(escalate)).await;
        self.run(Some(case), CaseCommand::Close(CloseCase {})).await;
    }
}

fn write_side(store: &Arc<dyn EventStore>, sealer: &Arc<Sealer>) -> Arc<Commands> {
    let catalogue = Arc::new(system::load_catalogue(None).unwrap());
    Arc::new(Commands::new(store.clone(), sealer.clone(), catalogue, edge::clock(), 20_000))
}

/// The lifecycle of a case: six commands, each loads, decides and appends.
pub(crate) async fn commands() {
    for in_flight in [1, 32] {
        let folder = TempDir::new().unwrap();
        let raw = RawWriter::start(&folder.path().join("raw.db"));
        let raw = rate(in_flight, move |caller, _| {
            let raw = raw.clone();
            async move { raw.append(caller, vec![sample_event()]).await }
        })
        .await;
        let world = Arc::new(World::new().await);
        let lifecycles = rate(in_flight, move |_, _| {
            let world = world.clone();
            async move { world.lifecycle().await }
        })
        .await;
        Row::new(format!("commands in process, {in_flight} in flight"), lifecycles * 6.0, "commands/s")
            .beside(raw, 0.5)
            .print();
    }
}

/// Rehydrating a long stream, replaying the log, and projecting all of it.
pub(crate) async fn replay() {
    let world = Arc::new(World::new().await);
    let (long, _) = world.run(None, world.file()).await;
    for _ in 0..999 {
        world.run(Some(long), world.comment()).await;
    }
    let log = world.folder.path().join("events.db");
    let stream = format!("case-{long}");
    let raw = times_per_second(|| scan(&log, Some(&stream)));
    let mut best = f64::MIN;
    for _ in 0..5 {
        let cold = world.cold();
        let started = Instant::now();
        let same = CaseCommand::Edit(EditCase { priority: Some(Priority::P3), ..EditCase::default() });
        let outcome =
            cold.case(&world.request("alice@acme.example"), &acme(), Some(long), &same).await.unwrap();
        assert!(outcome.events.is_empty());
        best = best.max(1_000.0 / started.elapsed().as_secs_f64());
    }
    Row::new("rehydrate a 1,000-event stream", best, "events/s")
        .aim(1_000_000.0)
        .note(format!("bare scan {raw:.0}/s"))
        .print();

    let fill = world.clone();
    let _ = rate(64, move |_, _| {
        let world = fill.clone();
        async move { world.lifecycle().await }
    })
    .await;
    let raw = times_per_second(|| scan(&log, None));
    let started = Instant::now();
    let (mut position, mut count) = (Position::START, 0_u64);
    loop {
        let batch = world.store.read_all(position, 1_000).await.unwrap();
        let Some(last) = batch.last() else { break };
        position = last.position;
        count += batch.len() as u64;
    }
    let seconds = started.elapsed().as_secs_f64();
    Row::new("replay through a counter", count as f64 / seconds, "events/s")
        .aim(500_000.0)
        .note(format!("{count} events; bare scan {raw:.0}/s"))
        .print();

    let follower = LogFollower {
        store: world.store.clone(),
        bus: Arc::new(InProcessBus::new(1_024)),
        sealer: world.sealer.clone(),
    };
    let models =
        ReadModels::open(&ReadLocation::sqlite(world.folder.path().join("read.db")), follower).await.unwrap();
    let started = Instant::now();
    let stop = CancellationToken::new();
    let _running = models.start(&stop);
    models.wait_for(position, Duration::from_mins(10)).await.unwrap();
    let seconds = started.elapsed().as_secs_f64();
    stop.cancel();
    Row::new("replay through all projectors", count as f64 / seconds, "events/s").aim(100_000.0).print();
}

fn times_per_second(scan: impl Fn() -> u64) -> f64 {
    scan();
    let started = Instant::now();
    let count = scan();
    count as f64 / started.elapsed().as_secs_f64()
}

/// From the answer of a command until every read model shows it, at 1,000 commands per second.
pub(crate) async fn visible() {
    let world = Arc::new(World::new().await);
    let bus = Arc::new(InProcessBus::new(8_192));
    let relay = Relay::new(world.store.clone(), bus.clone(), RelayOptions::default());
    let stop = CancellationToken::new();
    tokio::spawn(relay.run(stop.clone()));
    let follower = LogFollower { store: world.store.clone(), bus, sealer: world.sealer.clone() };
    let models = Arc::new(
        ReadModels::open(&ReadLocation::sqlite(world.folder.path().join("read.db")), follower).await.unwrap(),
    );
    let _running = models.start(&stop);
    times_to_visible(world, models, "write to visible at 1,000 commands/s, p99").await;
    stop.cancel();
}

/// Files 1,000 cases per second, and prints how long after each answer all models show it.
pub(crate) async fn times_to_visible(world: Arc<World>, models: Arc<ReadModels>, work: &str) {
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    let mut tasks = Vec::new();
    for _ in 0..3_000 {
        tick.tick().await;
        let (world, models) = (world.clone(), models.clone());
        tasks.push(tokio::spawn(async move {
            let (_, position) = world.run(None, world.file()).await;
            let answered = Instant::now();
            models.wait_for(position, Duration::from_secs(10)).await.unwrap();
            answered.elapsed()
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.push(task.await.unwrap());
    }
    // The beginning warms everything up.
    let times = &mut times[500..];
    let p50 = percentile(times, 50);
    Row::new(work, percentile(times, 99), "ms").aim(20.0).note(format!("p50 {p50:.2} ms")).print();
}
