//! The promises of the write side, on the store in memory: never twice, never on stale access, repeats answered from
//! the log, nothing personal in the clear.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use dossier_commands::{CaseOutcome, CommandError, Commands, Request, identity};
use dossier_domain::access::{
    AccessCommand, AddMember, GrantEntitlement, RegisterOrganization, TransferManagement, VerifyDomain,
};
use dossier_domain::case::{AddComment, CaseCommand, CaseEvent, CloseCase, EditCase, FileCase, Status};
use dossier_domain::catalogue::Priority;
use dossier_domain::{
    AccountStatus, Actor, CaseId, Catalogue, Contact, OrganizationId, Personal, PlanId, ProductId,
    ProviderId, Role, StaffRole, Subject,
};
use dossier_eventlog::{EventStore, Position, Sealer};
use dossier_eventlog::{MemoryKeyStore, MemoryStore};
use jiff::Timestamp;
use uuid::Uuid;

#[path = "commands/meddled.rs"]
mod meddled;
#[path = "commands/merging.rs"]
mod merging;
#[path = "commands/moments.rs"]
mod moments;
#[path = "commands/standing.rs"]
mod standing;

struct World {
    store: Arc<MemoryStore>,
    sealer: Arc<Sealer>,
    second: Arc<AtomicI64>,
    commands: Commands,
}

fn catalogue() -> Arc<Catalogue> {
    Arc::new(
        toml::from_str(include_str!("../../api/catalogue.toml")).expect("the sample catalogue is readable"),
    )
}

fn acme() -> OrganizationId {
    OrganizationId::new("acme").unwrap()
}

impl World {
    async fn new() -> Self {
        let log_id = Uuid::from_u128(1);
        let store = Arc::new(MemoryStore::new(log_id));
        let keys = MemoryKeyStore::new(log_id, zeroize::Zeroizing::new([7; 32]));
        let counter = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let entropy: dossier_eventlog::Entropy = Arc::new(move |bytes: &mut [u8]| {
            let next = counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            for (byte, value) in bytes.iter_mut().zip(next.iter().cycle()) {
                *byte = *value;
            }
        });
        let sealer = Arc::new(Sealer::new(Arc::new(keys), entropy));
        let second = Arc::new(AtomicI64::new(0));
        let world = Self { commands: node(&store, &sealer, &second), store, sealer, second };
        world.set_up().await;
        world
    }

    /// Another process on the same log: nothing cached.
    fn restarted(&self) -> Commands {
        node(&self.store, &self.sealer, &self.second)
    }

    fn actor(&self, email: &str) -> Actor {
        let account = identity::account_id(&self.sealer, "https://issuer.example", email);
        let staff = email.split('@').next().and_then(StaffRole::from_claim);
        let contact = Contact { email: email.to_owned(), display_name: email.to_owned() };
        let actor = Actor::new(account, Personal::new(Subject::account(account), contact), staff);
        // Acme's cases are routed to it.
        let provider =
            ProviderId::new("north").ok().filter(|_| actor.staff_roles.contains(&StaffRole::Agent));
        Actor { provider, ..actor }
    }

    fn request(&self, who: &str, number: u128) -> Request {
        Request {
            command_id: dossier_domain::CommandId(Uuid::from_u128(number)),
            fingerprint: format!("body {number}"),
            actor: self.actor(who),
            acting_for: None,
            correlation_id: "test".to_owned(),
            causation_id: None,
            if_match: None,
        }
    }

    async fn set_up(&self) {
        let product = || ProductId::new("compute").unwrap();
        let entitle = |plan: &str| {
            AccessCommand::GrantEntitlement(GrantEntitlement {
                product: product(),
                plan: PlanId::new(plan).unwrap(),
                from: Timestamp::UNIX_EPOCH,
                until: None,
            })
        };
        let alice = self.actor("alice@acme.example");
        let commands = [
            AccessCommand::RegisterOrganization(RegisterOrganization {
                organization: acme(),
                display_name: "Acme".to_owned(),
                country: "FR".to_owned(),
                language: "fr".to_owned(),
                reseller: false,
                technical_contact: None,
            }),
            AccessCommand::VerifyDomain(VerifyDomain { domain: "acme.example".to_owned() }),
            entitle("platinum"),
            entitle("premier"),
            AccessCommand::AddMember(AddMember {
                account: alice.account,
                account_status: AccountStatus::Unknown,
                contact: alice.contact,
                roles: BTreeMap::from([(product(), Role::Owner)]),
                effective_at: None,
            }),
        ];
        for (number, command) in commands.iter().enumerate() {
            let request = self.request("operator@support.example", 1_000 + number as u128);
            self.commands.access(&request, &acme(), command).await.expect("set up");
        }
    }

    fn text(&self, text: &str) -> Personal<String> {
        Personal::new(self.actor("alice@acme.example").contact.subject().clone(), text.to_owned())
    }

    fn file(&self) -> CaseCommand {
        CaseCommand::File(Box::new(FileCase {
            classification: "compute-vm".to_owned(),
            title: self.text("secret title"),
            description: self.text("secret description"),
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
        }))
    }

    fn comment(&self, body: &str) -> CaseCommand {
        CaseCommand::Comment(AddComment { body: self.text(body) })
    }

    /// A case of alice's.
    async fn filed(&self) -> CaseId {
        let request = self.request("alice@acme.example", 1);
        let outcome = self.commands.case(&request, &acme(), None, &self.file()).await.expect("filed");
        outcome.folded.state.filed().unwrap().id
    }

    async fn events(&self) -> Vec<dossier_eventlog::RecordedEvent> {
        self.store.read_all(Position::START, 10_000).await.unwrap()
    }
}

fn node(store: &Arc<MemoryStore>, sealer: &Arc<Sealer>, second: &Arc<AtomicI64>) -> Commands {
    let second = second.clone();
    let clock =
        Arc::new(move || Timestamp::from_second(1_700_000_000 + second.load(Ordering::Relaxed)).unwrap());
    Commands::new(store.clone(), sealer.clone(), catalogue(), clock, 1_000)
}

/// R-TOOL-1.
#[tokio::test]
async fn r_tool_1_a_repeated_command_has_its_effect_once_and_gets_the_first_answer_again() {
    let world = World::new().await;
    let case = world.filed().await;
    let request = world.request("alice@acme.example", 2);
    let first = world.commands.case(&request, &acme(), Some(case), &world.comment("once")).await.unwrap();
    let close = CaseCommand::Close(CloseCase {});
    world.commands.case(&world.request("alice@acme.example", 3), &acme(), Some(case), &close).await.unwrap();
    let events = world.events().await.len();
    for commands in [&world.commands, &world.restarted()] {
        let again = commands.case(&request, &acme(), Some(case), &world.comment("once")).await.unwrap();
        assert!(again.replayed && !first.replayed);
        assert_eq!(again.events, first.events);
        assert_eq!(again.at, first.at);
        assert_eq!(again.folded.revision, first.folded.revision);
        // As it stood right after the command, not as it stands now.
        assert_eq!(again.folded.state.filed().unwrap().status, Status::New);
    }
    assert_eq!(world.events().await.len(), events);
}

#[tokio::test]
async fn a_repeated_filing_names_the_same_case() {
    let world = World::new().await;
    let case = world.filed().await;
    let request = world.request("alice@acme.example", 1);
    for commands in [&world.commands, &world.restarted()] {
        let again = commands.case(&request, &acme(), None, &world.file()).await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.folded.state.filed().unwrap().id, case);
        assert_eq!(
            again.folded.state.filed().unwrap().title.open().map(String::as_str),
            Some("secret title")
        );
    }
}

#[tokio::test]
async fn the_same_id_with_another_body_is_refused() {
    let world = World::new().await;
    let case = world.filed().await;
    let mut request = world.request("alice@acme.example", 2);
    world.commands.case(&request, &acme(), Some(case), &world.comment("one")).await.unwrap();
    request.fingerprint = "another body".to_owned();
    for commands in [&world.commands, &world.restarted()] {
        let refused = commands.case(&request, &acme(), Some(case), &world.comment("two")).await;
        assert!(matches!(refused, Err(CommandError::KeyReused)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_evaluated_again_when_the_command_comes_again() {
    let world = World::new().await;
    let case = world.filed().await;
    world.second.store(10, Ordering::Relaxed);
    let close = CaseCommand::Close(CloseCase {});
    world.commands.case(&world.request("alice@acme.example", 2), &acme(), Some(case), &close).await.unwrap();
    world.second.store(10 + 2_592_001, Ordering::Relaxed);
    let late = world.request("alice@acme.example", 3);
    let refused = world.commands.case(&late, &acme(), Some(case), &world.comment("late")).await;
    assert!(matches!(refused, Err(CommandError::Rejected(ref why)) if why.reason() == "REOPEN_WINDOW_ENDED"));
    // A clock set right again changes the answer: nothing was remembered.
    world.second.store(20, Ordering::Relaxed);
    assert!(world.commands.case(&late, &acme(), Some(case), &world.comment("late")).await.is_ok());
}

#[tokio::test]
async fn fifty_comments_at_once_from_two_nodes_are_all_in_the_history_once() {
    let world = Arc::new(World::new().await);
    let case = world.filed().await;
    let nodes = [Arc::new(world.restarted()), Arc::new(world.restarted())];
    let tasks: Vec<_> = (0..50_u128)
        .map(|number| {
            let (world, commands) = (world.clone(), nodes[usize::try_from(number % 2).unwrap()].clone());
            tokio::spawn(async move {
                let request = world.request("alice@acme.example", 100 + number);
                commands.case(&request, &acme(), Some(case), &world.comment(&number.to_string())).await
            })
        })
        .collect();
    let mut accepted = 0;
    for task in tasks {
        accepted += usize::from(task.await.unwrap().is_ok());
    }
    let comments = world.events().await.iter().filter(|event| &*event.event_type == "CommentAdded").count();
    assert_eq!(comments, accepted);
    assert_eq!(accepted, 50);
}

#[tokio::test]
async fn a_node_with_stale_access_does_not_decide_on_it() {
    let world = World::new().await;
    let stale = world.restarted();
    let case = world.filed().await;
    // The other node has seen access and case once, so both are cached there.
    stale
        .case(&world.request("alice@acme.example", 2), &acme(), Some(case), &world.comment("warm"))
        .await
        .unwrap();
    let nimbus = OrganizationId::new("nimbus").unwrap();
    let register = AccessCommand::RegisterOrganization(RegisterOrganization {
        organization: nimbus.clone(),
        display_name: "Nimbus".to_owned(),
        country: "FR".to_owned(),
        language: "fr".to_owned(),
        reseller: true,
        technical_contact: None,
    });
    world.commands.access(&world.request("operator@support.example", 5), &nimbus, &register).await.unwrap();
    let transfer = AccessCommand::TransferManagement(TransferManagement { manager: Some(nimbus) });
    let operator = world.request("operator@support.example", 3);
    world.commands.access(&operator, &acme(), &transfer).await.unwrap();
    let filed =
        stale.case(&world.request("alice@acme.example", 4), &acme(), None, &world.file()).await.unwrap();
    let [CaseEvent::CaseFiled(event), ..] = &filed.events[..] else { panic!("{:?}", filed.events) };
    assert_eq!(event.manager.as_ref().map(OrganizationId::as_str), Some("nimbus"));
    assert_eq!(event.access_revision, Some(6));
}

#[tokio::test]
async fn a_condition_on_the_revision_is_checked_on_the_logs_head() {
    let world = World::new().await;
    let other = world.restarted();
    let case = world.filed().await;
    let seen = other
        .case(&world.request("alice@acme.example", 2), &acme(), Some(case), &world.comment("seen"))
        .await
        .unwrap();
    let newest = world
        .commands
        .case(&world.request("alice@acme.example", 3), &acme(), Some(case), &world.comment("x"))
        .await
        .unwrap();
    let revision = |outcome: &CaseOutcome| vec![outcome.folded.customer_revision.unwrap().0];
    let edit =
        |title: &str| CaseCommand::Edit(EditCase { title: Some(world.text(title)), ..EditCase::default() });
    let mut request = world.request("alice@acme.example", 4);
    request.if_match = Some(revision(&seen));
    let refused = other.case(&request, &acme(), Some(case), &edit("stale")).await;
    assert!(matches!(refused, Err(CommandError::PreconditionFailed)), "{refused:?}");
    request.if_match = Some(revision(&newest));
    assert!(other.case(&request, &acme(), Some(case), &edit("fresh")).await.is_ok());
}

#[tokio::test]
async fn a_case_is_found_under_its_own_organization_only() {
    let world = World::new().await;
    let case = world.filed().await;
    let agent = world.request("agent@support.example", 2);
    let elsewhere = OrganizationId::new("initech").unwrap();
    let refused = world.commands.case(&agent, &elsewhere, Some(case), &world.comment("hello")).await;
    assert!(matches!(refused, Err(CommandError::Rejected(ref why)) if why.reason() == "CASE_NOT_FOUND"));
    let outsider = world.request("peter@initech.example", 3);
    let refused = world.commands.case(&outsider, &acme(), Some(case), &world.comment("hello")).await;
    // Nobody opened an account for them: that says nothing of acme.
    assert!(matches!(refused, Err(CommandError::Rejected(ref why)) if why.reason() == "NO_ACCOUNT"));
}

#[tokio::test]
async fn what_changes_nothing_appends_nothing() {
    let world = World::new().await;
    let case = world.filed().await;
    let before = world.events().await.len();
    let same = CaseCommand::Edit(EditCase { title: Some(world.text("secret title")), ..EditCase::default() });
    let outcome = world
        .commands
        .case(&world.request("alice@acme.example", 2), &acme(), Some(case), &same)
        .await
        .unwrap();
    assert!(outcome.events.is_empty());
    assert_eq!(world.events().await.len(), before);
}

#[tokio::test]
async fn a_clock_behind_the_streams_last_event_does_not_go_backwards() {
    let world = World::new().await;
    world.second.store(100, Ordering::Relaxed);
    let case = world.filed().await;
    world.second.store(50, Ordering::Relaxed);
    let request = world.request("alice@acme.example", 2);
    let outcome = world.commands.case(&request, &acme(), Some(case), &world.comment("x")).await.unwrap();
    assert_eq!(outcome.at, Timestamp::from_second(1_700_000_100).unwrap());
}

#[tokio::test]
async fn nothing_personal_reaches_the_log_in_the_clear() {
    let world = World::new().await;
    let case = world.filed().await;
    let request = world.request("alice@acme.example", 2);
    world.commands.case(&request, &acme(), Some(case), &world.comment("secret comment")).await.unwrap();
    for event in world.events().await {
        let everything = [&event.payload[..], &event.metadata[..], event.stream.as_str().as_bytes()].concat();
        let everything = String::from_utf8_lossy(&everything).into_owned();
        for secret in ["secret", "alice", "@"] {
            assert!(!everything.contains(secret), "{secret:?} in {everything}");
        }
    }
}

#[tokio::test]
async fn an_erased_person_leaves_a_case_that_still_folds() {
    let world = World::new().await;
    let case = world.filed().await;
    world.sealer.erase(world.actor("alice@acme.example").contact.subject().as_str()).await.unwrap();
    let commands = world.restarted();
    let answer = CaseCommand::Comment(AddComment {
        body: Personal::new(
            world.actor("agent@support.example").contact.subject().clone(),
            "closing".to_owned(),
        ),
    });
    let request = world.request("agent@support.example", 2);
    let outcome = commands.case(&request, &acme(), Some(case), &answer).await.unwrap();
    let filed = outcome.folded.state.filed().unwrap();
    assert_eq!(filed.title.open(), None);
    assert_eq!(filed.status, Status::InProgress);
}

#[tokio::test]
async fn events_name_their_actor_command_and_the_access_they_relied_on() {
    let world = World::new().await;
    world.filed().await;
    let events = world.events().await;
    let filed = events.iter().find(|event| &*event.event_type == "CaseFiled").expect("filed");
    let metadata = filed.metadata().unwrap();
    assert_eq!(metadata.actor, world.actor("alice@acme.example").account.to_string());
    assert_eq!(metadata.command_id, Uuid::from_u128(1));
    assert_eq!(metadata.organization.as_deref(), Some("acme"));
    assert_eq!(metadata.access_revision, Some(5));
    assert_eq!(metadata.correlation_id, "test");
}
