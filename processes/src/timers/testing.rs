//! The real commands on a log in memory, a work store, and a clock that the test moves. Only built for tests.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use dossier_commands::identity;
use dossier_domain::access::{
    AccessCommand, AddMember, GrantEntitlement, RegisterOrganization, VerifyDomain,
};
use dossier_domain::case::{CaseCommand, FileCase, TimerKind};
use dossier_domain::catalogue::Priority;
use dossier_domain::{
    AccountStatus, Catalogue, CommandId, Contact, Personal, PlanId, ProductId, ProviderId, Role, Subject,
};
use dossier_eventlog::contract::sample::entropy;
use dossier_eventlog::{MemoryKeyStore, MemoryStore, Position, Secret};
use jiff::SignedDuration;
use uuid::Uuid;

use super::*;
use crate::reactor::ReactorState;
use crate::work_store::{SqliteWorkStore, TimerStore};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than any test moves its clock, but for those about leases.
pub(super) const LEASE: SignedDuration = SignedDuration::from_hours(100);
/// 2027-01-15T09:00:00Z, a Friday morning in the provider's calendar.
const BEGINNING_MICROS: i64 = 1_800_003_600_000_000;

/// Everything that outlives a process with timers.
pub(super) struct World {
    store: Arc<MemoryStore>,
    pub(super) sealer: Arc<Sealer>,
    pub(super) cases: Arc<Gate>,
    pub(super) work: Arc<SqliteWorkStore>,
    micros: Arc<AtomicI64>,
    numbers: Arc<AtomicU64>,
    _folder: tempfile::TempDir,
}

fn acme() -> OrganizationId {
    OrganizationId::new("acme").unwrap()
}

impl World {
    /// An organization with alice, on a log of its own.
    pub(super) async fn new() -> Self {
        let log_id = Uuid::from_u128(1);
        let store = Arc::new(MemoryStore::new(log_id));
        let sealer =
            Arc::new(Sealer::new(Arc::new(MemoryKeyStore::new(log_id, Secret::new([7; 32]))), entropy(1)));
        let catalogue: Catalogue = toml::from_str(include_str!("../../../api/catalogue.toml")).unwrap();
        let micros = Arc::new(AtomicI64::new(BEGINNING_MICROS));
        let commands =
            Commands::new(store.clone(), sealer.clone(), Arc::new(catalogue), clock(&micros), 1_000);
        let cases = Arc::new(Gate {
            commands,
            micros: micros.clone(),
            answers: Mutex::default(),
            set_back: Mutex::default(),
            issued: Mutex::default(),
        });
        let numbers = Arc::new(AtomicU64::new(1));
        let world = Self::on(store, sealer, cases, micros, numbers).await;
        world.register().await;
        world
    }

    async fn on(
        store: Arc<MemoryStore>,
        sealer: Arc<Sealer>,
        cases: Arc<Gate>,
        micros: Arc<AtomicI64>,
        numbers: Arc<AtomicU64>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let work = Arc::new(SqliteWorkStore::open(&folder.path().join("work.db")).await.unwrap());
        Self { store, sealer, cases, work, micros, numbers, _folder: folder }
    }

    /// Two that share everything but the work store, so that neither knows of the other.
    pub(super) async fn twins() -> (Self, Self) {
        let one = Self::new().await;
        let other = Self::on(
            one.store.clone(),
            one.sealer.clone(),
            one.cases.clone(),
            one.micros.clone(),
            one.numbers.clone(),
        )
        .await;
        (one, other)
    }

    async fn register(&self) {
        let compute = || ProductId::new("compute").unwrap();
        let alice = self.actor("alice");
        for command in [
            AccessCommand::RegisterOrganization(RegisterOrganization {
                organization: acme(),
                display_name: "Acme".to_owned(),
                country: "FR".to_owned(),
                language: "fr".to_owned(),
                reseller: false,
                technical_contact: None,
            }),
            AccessCommand::VerifyDomain(VerifyDomain { domain: "acme.example".to_owned() }),
            AccessCommand::GrantEntitlement(GrantEntitlement {
                product: compute(),
                plan: PlanId::new("platinum").unwrap(),
                from: Timestamp::UNIX_EPOCH,
                until: None,
            }),
            AccessCommand::AddMember(AddMember {
                account: alice.account,
                account_status: AccountStatus::Unknown,
                contact: alice.contact,
                roles: BTreeMap::from([(compute(), Role::Owner)]),
                effective_at: None,
            }),
        ] {
            let request = self.request("operator");
            self.cases.commands.access(&request, &acme(), &command).await.expect("set up");
        }
    }

    fn actor(&self, name: &str) -> Actor {
        let account = identity::account_id(&self.sealer, "https://issuer.example", name);
        let contact = Contact { email: format!("{name}@acme.example"), display_name: name.to_owned() };
        let contact = Personal::new(Subject::account(account), contact);
        let actor = Actor::new(account, contact, StaffRole::from_claim(name));
        Actor { provider: ProviderId::new("north").ok(), ..actor }
    }

    fn request(&self, who: &str) -> Request {
        let number = self.numbers.fetch_add(1, Ordering::SeqCst);
        Request {
            command_id: CommandId(Uuid::from_u64_pair(1, number)),
            fingerprint: "body".to_owned(),
            actor: self.actor(who),
            acting_for: None,
            correlation_id: "test".to_owned(),
            causation_id: None,
            if_match: None,
        }
    }

    pub(super) async fn filed(&self, priority: Priority) -> CaseId {
        let text = |text: &str| Personal::new(Subject::contact(7), text.to_owned());
        let file = CaseCommand::File(Box::new(FileCase {
            classification: "compute-vm".to_owned(),
            title: text("a machine is down"),
            description: text("since this morning"),
            priority: Some(priority),
            language: "en".to_owned(),
            time_zone: None,
            contact_email: None,
            subscribers: Vec::new(),
            test_case: false,
            problem: None,
            channel: None,
            follow_up_of: None,
            help: None,
        }));
        let request = self.request("alice");
        let outcome = self.cases.commands.case(&request, &acme(), None, &file).await.expect("filed");
        outcome.folded.state.filed().unwrap().id
    }

    pub(super) async fn act(&self, who: &str, case: CaseId, command: CaseCommand) {
        let request = self.request(who);
        self.cases.commands.case(&request, &acme(), Some(case), &command).await.expect("done");
    }

    /// When a case's timer is due.
    pub(super) async fn due(&self, case: CaseId, kind: TimerKind) -> Timestamp {
        let timers = self.cases.timers(&acme(), case).await.unwrap();
        timers.iter().find(|timer| timer.kind == kind).expect("a timer").due
    }

    pub(super) fn pass(&self, time: SignedDuration) {
        self.micros.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(super) fn set(&self, now: Timestamp) {
        self.micros.store(now.as_microsecond(), Ordering::SeqCst);
    }

    /// Waits until as many cases have an event of a kind, and sees that it is these, in this order.
    pub(super) async fn recorded(&self, kind: TimerKind, cases: &[CaseId]) {
        let event_type = match kind {
            TimerKind::ResponseWarning => "ResponseWarned",
            TimerKind::ResponseMiss => "ResponseMissed",
            TimerKind::ReopenWindowEnd => "ReopenWindowEnded",
            TimerKind::ClosingAnnouncement | TimerKind::AutomaticClosing => panic!("not in these tests"),
        };
        let expected: Vec<_> = cases.iter().map(|case| format!("case-{case}")).collect();
        let mut found = Vec::new();
        let enough = async {
            loop {
                let events = self.store.read_all(Position::START, 10_000).await.unwrap();
                let of_kind = events.iter().filter(|event| &*event.event_type == event_type);
                found = of_kind.map(|event| event.stream.to_string()).collect();
                if found.len() >= expected.len() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let timely = tokio::time::timeout(PATIENCE, enough).await.is_ok();
        assert!(timely && found == expected, "{event_type}: {found:?}, expected {expected:?}");
    }

    pub(super) async fn actor_of_last_event(&self) -> String {
        let events = self.store.read_all(Position::START, 10_000).await.unwrap();
        events.last().unwrap().metadata().unwrap().actor
    }

    /// How many timers of a kind wait for a case.
    pub(super) async fn waiting(&self, kind: TimerKind, case: CaseId) -> usize {
        let all = self.work.due_timers(Timestamp::MAX, 1_000).await.unwrap();
        all.iter().filter(|set| set.case == case && set.timer.kind == kind).count()
    }

    /// Waits until no timer is left.
    pub(super) async fn emptied(&self) {
        let empty = async {
            while self.work.count_timers().await.unwrap() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, empty).await.expect("no timer");
    }

    /// A process with timers.
    pub(super) async fn start(&self, node: &str) -> Node {
        let timers = Timers {
            store: self.store.clone(),
            work: self.work.clone(),
            cases: self.cases.clone(),
            actor: Timers::actor(&self.sealer),
            clock: clock(&self.micros),
            node: node.to_owned(),
        };
        let pace = Pace {
            lease: LEASE,
            renewal: Duration::from_millis(10),
            shortest_pause: Duration::from_millis(2),
            longest_pause: Duration::from_millis(10),
        };
        let cancel = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let status = timers.start_at(pace, &cancel, &mut tasks).await.unwrap();
        Node { store: self.store.clone(), status, cancel, tasks }
    }
}

fn clock(micros: &Arc<AtomicI64>) -> Clock {
    let micros = micros.clone();
    Arc::new(move || Timestamp::from_microsecond(micros.load(Ordering::SeqCst)).unwrap())
}

/// A process with timers.
pub(super) struct Node {
    store: Arc<MemoryStore>,
    status: watch::Receiver<ReactorStatus>,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Node {
    pub(super) async fn until(&self, wanted: impl Fn(&ReactorStatus) -> bool) -> ReactorStatus {
        let mut status = self.status.clone();
        let reached = tokio::time::timeout(PATIENCE, status.wait_for(|status| wanted(status))).await;
        let Ok(reached) = reached else { panic!("the timers stand at {:?}", self.status.borrow()) };
        reached.expect("it runs").clone()
    }

    /// Waits until every event of the log was looked at.
    pub(super) async fn caught_up(&self) {
        let head = self.store.head().await.unwrap();
        self.until(|status| status.position >= head).await;
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

/// The commands, and what a test has come between.
pub(super) struct Gate {
    commands: Commands,
    micros: Arc<AtomicI64>,
    answers: Mutex<HashMap<CaseId, IssueError>>,
    set_back: Mutex<Option<Timestamp>>,
    issued: Mutex<Vec<CommandId>>,
}

impl Gate {
    /// From now on nothing about this case is executed, and the answer is this.
    pub(super) fn answer(&self, case: CaseId, error: IssueError) {
        self.answers.lock().unwrap().insert(case, error);
    }

    pub(super) fn recover(&self) {
        self.answers.lock().unwrap().clear();
    }

    /// The next command finds the clock at an instant.
    pub(super) fn set_back_before_next_command(&self, to: Timestamp) {
        *self.set_back.lock().unwrap() = Some(to);
    }

    /// The commands that came, in that order.
    pub(super) fn issued(&self) -> Vec<CommandId> {
        self.issued.lock().unwrap().clone()
    }
}

#[async_trait]
impl Issue for Gate {
    async fn issue(&self, request: &Request, order: &Order) -> Result<Issued, IssueError> {
        let Order::Case { case: Some(case), .. } = order else { panic!("{order:?}") };
        self.issued.lock().unwrap().push(request.command_id);
        if let Some(to) = self.set_back.lock().unwrap().take() {
            self.micros.store(to.as_microsecond(), Ordering::SeqCst);
        }
        let error = self.answers.lock().unwrap().get(case).cloned();
        match error {
            Some(error) => Err(error),
            None => self.commands.issue(request, order).await,
        }
    }
}

#[async_trait]
impl TimedCases for Gate {
    async fn timers(&self, organization: &OrganizationId, case: CaseId) -> Result<Vec<Timer>, IssueError> {
        self.commands.timers(organization, case).await
    }
}
