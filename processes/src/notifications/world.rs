//! The real commands on a log in memory, with acme, its reseller nimbus and a work store. Only built for tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use dossier_commands::{ActsFor, Clock, Commands, Request, identity};
use dossier_domain::access::{
    AccessCommand, AddMember, AllowResellerAccess, GrantEntitlement, RegisterOrganization,
    TransferManagement, VerifyDomain,
};
use dossier_domain::case::{AddComment, CaseCommand, CaseState, FileCase};
use dossier_domain::catalogue::Priority;
use dossier_domain::known_issue::{
    ConfirmKnownIssue, CustomerImpact, KnownIssueCommand, MeToo, PublishKnownIssue, SuspectKnownIssue,
    SuspicionSource,
};
use dossier_domain::{
    AccountStatus, Actor, CaseId, Catalogue, CommandId, Contact, KnownIssueId, OrganizationId, Personal,
    PlanId, ProductId, ProviderId, Role, StaffRole, Subject,
};
use dossier_eventlog::contract::sample::entropy;
use dossier_eventlog::{EventStore, MemoryKeyStore, MemoryStore, Sealer, Secret};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::fan_out::{FanOut, NAME};
use super::ledger::{LedgerEntry, NotificationLedger, Recipient};
use crate::reactor::lead::Pace;
use crate::reactor::start::{begin, first};
use crate::reactor::{Begin, ReactorStatus};
use crate::work_store::SqliteWorkStore;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// 2027-01-15T09:00:00Z.
const BEGINNING_MICROS: i64 = 1_800_003_600_000_000;

/// Everything that outlives a process.
pub(super) struct World {
    pub(super) store: Arc<MemoryStore>,
    pub(super) sealer: Arc<Sealer>,
    pub(super) commands: Arc<Commands>,
    pub(super) work: Arc<SqliteWorkStore>,
    pub(super) clock: Clock,
    micros: Arc<AtomicI64>,
    numbers: AtomicU64,
    _folder: tempfile::TempDir,
}

pub(super) fn organization(name: &str) -> OrganizationId {
    OrganizationId::new(name).unwrap()
}

fn compute() -> ProductId {
    ProductId::new("compute").unwrap()
}

impl World {
    /// Acme with alice (owner) and bob (editor), managed by nimbus with nina, which is let in.
    pub(super) async fn new() -> Self {
        let log_id = Uuid::from_u128(1);
        let store = Arc::new(MemoryStore::new(log_id));
        let keys = MemoryKeyStore::new(log_id, Secret::new([7; 32]));
        let sealer = Arc::new(Sealer::new(Arc::new(keys), entropy(1)));
        let catalogue: Catalogue = toml::from_str(include_str!("../../../api/catalogue.toml")).unwrap();
        let micros = Arc::new(AtomicI64::new(BEGINNING_MICROS));
        // Each look at the clock is a microsecond later.
        let ticking = micros.clone();
        let clock: Clock =
            Arc::new(move || Timestamp::from_microsecond(ticking.fetch_add(1, Ordering::SeqCst)).unwrap());
        let commands =
            Commands::new(store.clone(), sealer.clone(), Arc::new(catalogue), clock.clone(), 1_000);
        let folder = tempfile::tempdir().unwrap();
        let work = Arc::new(SqliteWorkStore::open(&folder.path().join("work.db")).await.unwrap());
        let world = Self {
            store,
            sealer,
            commands: Arc::new(commands),
            work,
            clock,
            micros,
            numbers: AtomicU64::new(1),
            _folder: folder,
        };
        world.register("nimbus", true, &[("nina", Role::Owner)]).await;
        world.register("acme", false, &[("alice", Role::Owner), ("bob", Role::Editor)]).await;
        let manager = Some(organization("nimbus"));
        world
            .access("operator", "acme", AccessCommand::TransferManagement(TransferManagement { manager }))
            .await;
        let reseller = organization("nimbus");
        let allow = AccessCommand::AllowResellerAccess(AllowResellerAccess { reseller });
        world.access("alice", "acme", allow).await;
        world
    }

    async fn register(&self, name: &str, reseller: bool, members: &[(&str, Role)]) {
        let mut commands = vec![
            AccessCommand::RegisterOrganization(RegisterOrganization {
                organization: organization(name),
                display_name: name.to_owned(),
                country: "FR".to_owned(),
                language: "fr".to_owned(),
                reseller,
                technical_contact: None,
            }),
            AccessCommand::VerifyDomain(VerifyDomain { domain: format!("{name}.example") }),
            AccessCommand::GrantEntitlement(GrantEntitlement {
                product: compute(),
                plan: PlanId::new("platinum").unwrap(),
                from: Timestamp::UNIX_EPOCH,
                until: None,
            }),
        ];
        for (member, role) in members {
            let actor = self.actor(member);
            commands.push(AccessCommand::AddMember(AddMember {
                account: actor.account,
                account_status: AccountStatus::Unknown,
                contact: actor.contact,
                roles: BTreeMap::from([(compute(), *role)]),
                effective_at: None,
            }));
        }
        for command in commands {
            self.access("operator", name, command).await;
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&self, time: SignedDuration) {
        self.micros.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(super) fn actor(&self, name: &str) -> Actor {
        let account = identity::account_id(&self.sealer, "https://issuer.example", name);
        let domain = if name == "nina" { "nimbus.example" } else { "acme.example" };
        let contact = Contact { email: format!("{name}@{domain}"), display_name: name.to_owned() };
        let contact = Personal::new(Subject::account(account), contact);
        let staff = if name == "system" { Some(StaffRole::System) } else { StaffRole::from_claim(name) };
        let provider = ProviderId::new("north").ok();
        Actor { provider, ..Actor::new(account, contact, staff) }
    }

    pub(super) fn request(&self, who: &str) -> Request {
        let number = self.numbers.fetch_add(1, Ordering::SeqCst);
        let acting_for = (who == "nina")
            .then(|| ActsFor { organization: organization("nimbus"), entitled_customers: Vec::new() });
        Request {
            command_id: CommandId(Uuid::from_u64_pair(1, number)),
            fingerprint: "body".to_owned(),
            actor: self.actor(who),
            acting_for,
            correlation_id: "test".to_owned(),
            causation_id: None,
            if_match: None,
        }
    }

    pub(super) async fn access(&self, who: &str, name: &str, command: AccessCommand) {
        self.commands.access(&self.request(who), &organization(name), &command).await.expect("done");
    }

    pub(super) fn text(&self, text: &str) -> Personal<String> {
        Personal::new(identity::contact_subject(&self.sealer, text), text.to_owned())
    }

    /// A case of acme's in French.
    pub(super) async fn filed(&self, who: &str, subscribers: &[&str]) -> CaseId {
        let file = CaseCommand::File(Box::new(FileCase {
            classification: "compute-vm".to_owned(),
            title: self.text("a machine <is> down"),
            description: self.text("since this morning"),
            priority: Some(Priority::P3),
            language: "fr".to_owned(),
            time_zone: None,
            contact_email: None,
            subscribers: subscribers.iter().map(|address| self.text(address)).collect(),
            test_case: false,
            problem: None,
            channel: None,
            follow_up_of: None,
            help: None,
        }));
        let request = self.request(who);
        let outcome = self.commands.case(&request, &organization("acme"), None, &file).await.expect("filed");
        outcome.folded.state.filed().unwrap().id
    }

    pub(super) async fn act(&self, who: &str, case: CaseId, command: CaseCommand) {
        let request = self.request(who);
        self.commands.case(&request, &organization("acme"), Some(case), &command).await.expect("done");
    }

    pub(super) async fn comment(&self, who: &str, case: CaseId, body: &str) {
        self.act(who, case, CaseCommand::Comment(AddComment { body: self.text(body) })).await;
    }

    /// A known issue of compute that is published.
    pub(super) async fn published_issue(&self) -> KnownIssueId {
        let suspect = SuspectKnownIssue {
            product: compute(),
            title: "machines do not start".to_owned(),
            source: SuspicionSource::InternalAlert,
            details: None,
            figures: None,
        };
        let suspect = KnownIssueCommand::Suspect(suspect);
        let suspected = self.commands.known_issue(&self.request("engineer"), None, None, &suspect).await;
        let issue = suspected.expect("suspected").folded.state.suspected().unwrap().id;
        let (impact, statement) = (CustomerImpact::High, "nobody can work".to_owned());
        self.on_issue("engineer", issue, KnownIssueCommand::Confirm(ConfirmKnownIssue { impact, statement }))
            .await;
        let summary = "Machines do not start".to_owned();
        let publish = PublishKnownIssue { summary, outage_url: None };
        self.on_issue("engineer", issue, KnownIssueCommand::Publish(publish)).await;
        issue
    }

    /// Support does something with a known issue, or somebody of acme's says something of it.
    pub(super) async fn on_issue(&self, who: &str, issue: KnownIssueId, command: KnownIssueCommand) {
        let acme = organization("acme");
        let speaks_for = (who != "engineer").then_some(&acme);
        self.commands.known_issue(&self.request(who), speaks_for, Some(issue), &command).await.expect("done");
    }

    pub(super) async fn me_too(&self, who: &str, issue: KnownIssueId) {
        let me_too = MeToo {
            case: CaseState::default(),
            priority: None,
            language: "fr".to_owned(),
            time_zone: None,
            description: None,
        };
        self.on_issue(who, issue, KnownIssueCommand::MeToo(Box::new(me_too))).await;
    }

    /// What the ledger has of a known issue, once all that happened was looked at.
    pub(super) async fn issue_fanned_out(&self, issue: KnownIssueId) -> Vec<LedgerEntry> {
        let node = self.start();
        node.caught_up().await;
        node.kill().await;
        self.work.messages_of(&format!("known_issue-{issue}")).await.unwrap()
    }

    /// Places the fan-out at the head, where it has never been.
    pub(super) async fn place(&self) {
        let start = begin(&*self.store, Begin::AtHead).await.unwrap();
        first(&*self.work, NAME, &start).await.unwrap();
    }

    /// A process with the fan-out.
    pub(super) fn start(&self) -> Node {
        let fan_out = FanOut {
            store: self.store.clone(),
            work: self.work.clone(),
            commands: self.commands.clone(),
            organizations: None,
            clock: self.clock.clone(),
            node: "node".to_owned(),
        };
        let pace = Pace {
            lease: SignedDuration::from_hours(100),
            renewal: Duration::from_millis(10),
            shortest_pause: Duration::from_millis(2),
            longest_pause: Duration::from_millis(10),
        };
        let cancel = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let status = fan_out.start_at(pace, &cancel, &mut tasks);
        Node { store: self.store.clone(), status, tasks }
    }

    /// Lets the fan-out look at everything that happened, and answers what the ledger has of a case.
    pub(super) async fn fanned_out(&self, case: CaseId) -> Vec<LedgerEntry> {
        let node = self.start();
        node.caught_up().await;
        node.kill().await;
        self.work.messages_of(&format!("case-{case}")).await.unwrap()
    }

    /// To whom and what, as people read it, in the order of the log.
    pub(super) async fn shown(&self, entries: &[LedgerEntry]) -> Vec<String> {
        let mut shown = Vec::new();
        for entry in entries {
            let message = &entry.message;
            let to = match &message.recipient {
                Recipient::Account(account) => {
                    let name = ["alice", "bob", "nina"]
                        .into_iter()
                        .find(|name| self.actor(name).account == *account);
                    name.unwrap().to_owned()
                }
                Recipient::Address(address) => address.open(&self.sealer).await.unwrap().unwrap(),
                Recipient::Endpoint(endpoint) => endpoint.clone(),
            };
            let text = format!("{to} {} {} {}", message.reason, message.kind, message.language);
            shown.push((message.position, text));
        }
        shown.sort();
        shown.into_iter().map(|(_, text)| text).collect()
    }
}

/// A process with the fan-out.
pub(super) struct Node {
    store: Arc<MemoryStore>,
    status: watch::Receiver<ReactorStatus>,
    tasks: JoinSet<()>,
}

impl Node {
    /// Waits until every event of the log was looked at.
    pub(super) async fn caught_up(&self) {
        let head = self.store.head().await.unwrap();
        let mut status = self.status.clone();
        let reached = status.wait_for(|status| status.position >= head);
        let Ok(reached) = tokio::time::timeout(PATIENCE, reached).await else {
            panic!("the fan-out stands at {:?}", self.status.borrow())
        };
        drop(reached.expect("it runs"));
    }

    /// Kills it where it stands.
    pub(super) async fn kill(mut self) {
        self.tasks.shutdown().await;
    }
}
