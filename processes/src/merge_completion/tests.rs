//! Both halves of a merge, whoever was faster and however often an event is met.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dossier_commands::{Commands, Request, identity};
use dossier_domain::access::{
    AccessCommand, AddMember, GrantEntitlement, RegisterOrganization, VerifyDomain,
};
use dossier_domain::case::{Case, CaseMerged, FileCase, MergeInto, Status};
use dossier_domain::catalogue::Priority;
use dossier_domain::{
    AccountStatus, CaseId, Catalogue, CommandId, Contact, DomainEvent, OrganizationId, Personal, PlanId,
    ProductId, ProviderId, Role, Subject,
};
use dossier_eventlog::contract::sample::entropy;
use dossier_eventlog::{
    Append, Audience, EventId, EventStore, Expected, MemoryKeyStore, MemoryStore, Metadata, NewEvent, Secret,
    StreamName,
};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::*;
use crate::reactor::{Reactors, claim_new_log};
use crate::work_store::SqliteWorkStore;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A log with an organization, and whoever acts on it: also for the tests of other reactors.
pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) commands: Arc<Commands>,
    numbers: AtomicU64,
}

pub(crate) fn acme() -> OrganizationId {
    OrganizationId::new("acme").unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

impl World {
    /// An organization with alice, on a log of its own.
    pub(crate) async fn new() -> Self {
        let log_id = Uuid::from_u128(1);
        let store = Arc::new(MemoryStore::new(log_id));
        let sealer =
            Arc::new(Sealer::new(Arc::new(MemoryKeyStore::new(log_id, Secret::new([7; 32]))), entropy(1)));
        let catalogue: Catalogue = toml::from_str(include_str!("../../../api/catalogue.toml")).unwrap();
        let commands =
            Commands::new(store.clone(), sealer.clone(), Arc::new(catalogue), Arc::new(now), 1_000);
        let world = Self { store, sealer, commands: Arc::new(commands), numbers: AtomicU64::new(1) };
        let compute = || ProductId::new("compute").unwrap();
        let alice = world.actor("alice");
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
            world.commands.access(&world.request("operator"), &acme(), &command).await.expect("set up");
        }
        world
    }

    pub(crate) fn actor(&self, name: &str) -> Actor {
        let account = identity::account_id(&self.sealer, "https://issuer.example", name);
        let contact = Contact { email: format!("{name}@acme.example"), display_name: name.to_owned() };
        let contact = Personal::new(Subject::account(account), contact);
        let actor = Actor::new(account, contact, StaffRole::from_claim(name));
        Actor { provider: ProviderId::new("north").ok(), ..actor }
    }

    pub(crate) fn request(&self, who: &str) -> Request {
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

    pub(crate) async fn filed(&self) -> CaseId {
        let text = |text: &str| Personal::new(Subject::contact(7), text.to_owned());
        let file = CaseCommand::File(Box::new(FileCase {
            classification: "compute-vm".to_owned(),
            title: text("a machine is down"),
            description: text("since this morning"),
            priority: Some(Priority::P3),
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
        let outcome = self.commands.case(&self.request("alice"), &acme(), None, &file).await.expect("filed");
        outcome.folded.state.filed().unwrap().id
    }

    pub(crate) async fn case(&self, case: CaseId) -> Case {
        self.commands.case_view(&acme(), case).await.unwrap().state.filed().unwrap().clone()
    }

    async fn act(&self, case: CaseId, command: CaseCommand) {
        self.commands.case(&self.request("agent"), &acme(), Some(case), &command).await.expect("done");
    }

    async fn merge(&self, source: CaseId, target: CaseId) {
        let target = self.commands.case_view(&acme(), target).await.unwrap();
        let target = dossier_domain::case::CaseState::clone(&target.state);
        self.act(source, CaseCommand::MergeInto(Box::new(MergeInto { target }))).await;
    }

    /// As a store that checks guards only just before the append would take it, too late.
    async fn merge_unguarded(&self, source: CaseId, target: CaseId) {
        let number = self.numbers.fetch_add(1, Ordering::SeqCst);
        let merged = CaseEvent::from(CaseMerged { target, escalation_ended: false });
        let metadata = Metadata {
            command_id: Uuid::from_u64_pair(2, number),
            fingerprint: "body".into(),
            actor: "account-1".to_owned(),
            acting_for: None,
            organization: Some(acme().to_string()),
            audience: Audience::Customer,
            occurred_at: None,
            correlation_id: "test".to_owned(),
            causation_id: None,
            access_revision: None,
        };
        let event = NewEvent {
            event_id: EventId(Uuid::from_u64_pair(3, number)),
            event_type: merged.event_type().into(),
            version: merged.version(),
            recorded_at: now(),
            payload: merged.encode().into(),
            metadata: metadata.encode(),
        };
        let stream = StreamName::new(&format!("case-{source}")).unwrap();
        let head = self.store.stream_head(&stream).await.unwrap().unwrap();
        let append =
            Append { stream, expected: Expected::Exact(head), events: vec![event], guards: Vec::new() };
        self.store.append(append).await.unwrap();
    }

    /// Lets a reactor that has never run before act on all of the log, its own events included.
    async fn complete(&self) {
        self.complete_by(|reactors| reactors.with(MergeCompletion::new(&self.sealer))).await;
    }

    /// The same for any reactors, one after the other where there are several.
    pub(crate) async fn complete_by(&self, add: impl FnOnce(Reactors) -> Reactors) {
        let folder = tempfile::tempdir().unwrap();
        let work = Arc::new(SqliteWorkStore::open(&folder.path().join("work.db")).await.unwrap());
        self.complete_on(work, add).await;
    }

    /// The same with what is known of how far they came.
    async fn complete_on(&self, work: Arc<SqliteWorkStore>, add: impl FnOnce(Reactors) -> Reactors) {
        claim_new_log(&*self.store, &*work).await.unwrap();
        let reactors = Reactors::new(self.store.clone(), work, self.commands.clone(), Arc::new(now), "a");
        let reactors = add(reactors);
        let cancel = CancellationToken::new();
        let mut tasks = reactors.start(None, &cancel).await.unwrap();
        let done = async {
            while let head = self.store.head().await.unwrap()
                && reactors.statuses().iter().any(|(_, status)| status.position < head)
            {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, done).await.expect("it has caught up");
        for (_, status) in reactors.statuses() {
            assert_eq!((status.halted, status.last_refusal), (None, None));
        }
        cancel.cancel();
        while tasks.join_next().await.is_some() {}
    }
}

fn undo() -> CaseCommand {
    CaseCommand::UndoMerge(UndoMerge { target: None })
}

#[tokio::test]
async fn the_target_learns_of_a_merge_and_of_its_undoing_in_the_name_of_the_system() {
    let world = World::new().await;
    let (source, target) = (world.filed().await, world.filed().await);
    world.merge(source, target).await;
    world.complete().await;
    assert_eq!(world.case(target).await.merged_cases, BTreeSet::from([source]));
    let received =
        world.store.read_all(dossier_eventlog::Position::START, 1_000).await.unwrap().pop().unwrap();
    assert_eq!(&*received.event_type, "MergedCaseReceived");
    let system = MergeCompletion::new(&world.sealer).actor.account.to_string();
    assert_eq!(received.metadata().unwrap().actor, system);
    world.act(source, undo()).await;
    world.complete().await;
    assert_eq!(world.case(target).await.merged_cases, BTreeSet::new());
}

#[tokio::test]
async fn acting_on_all_of_history_once_more_adds_nothing() {
    let world = World::new().await;
    let (source, target) = (world.filed().await, world.filed().await);
    world.merge(source, target).await;
    world.complete().await;
    world.act(source, undo()).await;
    world.merge(source, target).await;
    world.complete().await;
    let events = world.store.head().await.unwrap();
    world.complete().await;
    assert_eq!(world.store.head().await.unwrap(), events);
    assert_eq!(world.case(target).await.merged_cases, BTreeSet::from([source]));
}

#[tokio::test]
async fn of_two_cases_that_were_merged_into_each_other_one_goes_on_with_the_other_in_it() {
    let world = World::new().await;
    let (one, other) = (world.filed().await, world.filed().await);
    world.merge_unguarded(one, other).await;
    world.merge_unguarded(other, one).await;
    world.complete().await;
    let (one_now, other_now) = (world.case(one).await, world.case(other).await);
    assert_eq!((one_now.merged_into, one_now.status), (None, Status::InProgress));
    assert_eq!((other_now.merged_into, one_now.merged_cases), (Some(one), BTreeSet::from([other])));
    assert_eq!(other_now.merged_cases, BTreeSet::new());
    let events = world.store.head().await.unwrap();
    world.complete().await;
    assert_eq!(world.store.head().await.unwrap(), events, "and it stays so");
}

#[tokio::test]
async fn a_target_that_was_closed_since_still_takes_the_case_over() {
    let world = World::new().await;
    let (source, target) = (world.filed().await, world.filed().await);
    world.merge(source, target).await;
    let close = CaseCommand::Close(dossier_domain::case::CloseCase {});
    world.commands.case(&world.request("alice"), &acme(), Some(target), &close).await.expect("closed");
    world.complete().await;
    assert_eq!(world.case(target).await.merged_cases, BTreeSet::from([source]));
}

#[tokio::test]
async fn an_undoing_that_comes_late_leaves_a_later_merge_alone() {
    let world = World::new().await;
    let (one, other, third) = (world.filed().await, world.filed().await, world.filed().await);
    // The reactor is away meanwhile: when it meets the first merge, the other case goes on in this one.
    world.merge(one, other).await;
    world.act(one, undo()).await;
    world.merge(other, one).await;
    world.merge(one, third).await;
    world.complete().await;
    assert_eq!(world.case(one).await.merged_into, Some(third));
    assert_eq!(world.case(third).await.merged_cases, BTreeSet::from([one]));
    assert_eq!(world.case(one).await.merged_cases, BTreeSet::from([other]));
}

#[tokio::test]
async fn history_that_is_met_again_takes_no_later_merge_back() {
    let world = World::new().await;
    let (one, other) = (world.filed().await, world.filed().await);
    let folder = tempfile::tempdir().unwrap();
    let work = Arc::new(SqliteWorkStore::open(&folder.path().join("work.db")).await.unwrap());
    let go_on = || {
        let add = |reactors: Reactors| reactors.with(MergeCompletion::new(&world.sealer));
        world.complete_on(work.clone(), add)
    };
    // The reactor meets this merge only when the other case goes on in this one, so that it leaves nothing in the log.
    world.merge(one, other).await;
    world.act(one, undo()).await;
    world.merge(other, one).await;
    go_on().await;
    world.act(other, undo()).await;
    world.merge(one, other).await;
    go_on().await;
    // The work store is lost.
    world.complete().await;
    assert_eq!(world.case(other).await.merged_cases, BTreeSet::from([one]));
    assert_eq!(
        (world.case(one).await.merged_into, world.case(one).await.merged_cases),
        (Some(other), [].into())
    );
}
