//! A merge is decided on what its target is when it is stored, whoever is faster.

use dossier_commands::Outcome;
use dossier_domain::case::{CaseClosed, CaseRejection, CaseState, LinkCases, LinkKind, MergeInto, UndoMerge};
use dossier_domain::{DomainEvent, Side};
use dossier_eventlog::{Append, Audience, EventId, Expected, Metadata, NewEvent, StreamName};

use super::meddled::Meddled;
use super::*;

const ALICE: &str = "alice@acme.example";
const AGENT: &str = "agent@support.example";

fn told(result: Result<Outcome<CaseState>, CommandError<CaseRejection>>) -> Result<usize, &'static str> {
    match result {
        Ok(outcome) => Ok(outcome.events.len()),
        Err(CommandError::Rejected(rejection)) => Err(rejection.reason()),
        Err(other) => panic!("{other}"),
    }
}

impl World {
    async fn filed_as(&self, number: u128) -> CaseId {
        let outcome = self.commands.case(&self.request(ALICE, number), &acme(), None, &self.file()).await;
        outcome.expect("filed").folded.state.filed().unwrap().id
    }

    async fn state(&self, case: CaseId) -> CaseState {
        CaseState::clone(&self.commands.case_view(&acme(), case).await.unwrap().state)
    }

    async fn merge(
        &self,
        commands: &Commands,
        number: u128,
        source: CaseId,
        target: CaseState,
    ) -> Result<usize, &'static str> {
        let merge = CaseCommand::MergeInto(Box::new(MergeInto { target }));
        told(commands.case(&self.request(AGENT, number), &acme(), Some(source), &merge).await)
    }

    /// The closing of a case, as another node would append it now.
    async fn closing(&self, case: CaseId) -> Append {
        let stream = StreamName::new(&format!("case-{case}")).unwrap();
        let closed = CaseEvent::from(CaseClosed {
            closing: 1,
            side: Side::Customer,
            reopen_window_ends_at: Timestamp::MAX,
            escalation_ended: false,
            automatic: false,
        });
        let metadata = Metadata {
            command_id: Uuid::from_u128(99),
            fingerprint: "other".into(),
            actor: "account-1".to_owned(),
            acting_for: None,
            organization: Some("acme".to_owned()),
            audience: Audience::Customer,
            occurred_at: None,
            correlation_id: "test".to_owned(),
            causation_id: None,
            access_revision: None,
        };
        let event = NewEvent {
            event_id: EventId(Uuid::from_u128(990)),
            event_type: closed.event_type().into(),
            version: closed.version(),
            recorded_at: self.commands.now(),
            payload: closed.encode().into(),
            metadata: metadata.encode(),
        };
        let head = self.store.stream_head(&stream).await.unwrap().unwrap();
        Append { stream, expected: Expected::Exact(head), events: vec![event], guards: Vec::new() }
    }
}

#[tokio::test]
async fn a_merge_is_decided_on_the_target_as_it_is_and_not_as_the_caller_saw_it() {
    let world = World::new().await;
    let (source, target) = (world.filed_as(1).await, world.filed_as(2).await);
    let seen = world.state(target).await;
    let close = CaseCommand::Close(CloseCase {});
    world.commands.case(&world.request(ALICE, 3), &acme(), Some(target), &close).await.unwrap();
    assert_eq!(world.merge(&world.restarted(), 4, source, seen).await, Err("MERGE_TARGET_CLOSED"));
    assert_eq!(world.state(source).await.filed().unwrap().merged_into, None);
}

#[tokio::test]
async fn a_target_that_is_closed_just_before_the_merge_is_stored_is_seen() {
    let world = World::new().await;
    let (source, target) = (world.filed_as(1).await, world.filed_as(2).await);
    let store = Arc::new(Meddled::with(&world.store, Some(world.closing(target).await)));
    let clock = Arc::new(|| Timestamp::from_second(1_700_000_000).unwrap());
    let commands = Commands::new(store, world.sealer.clone(), catalogue(), clock, 1_000);
    let open = world.state(target).await;
    assert_eq!(world.merge(&commands, 3, source, open).await, Err("MERGE_TARGET_CLOSED"));
    assert_eq!(world.state(source).await.filed().unwrap().merged_into, None);
}

#[tokio::test]
async fn of_two_cases_merged_into_each_other_at_once_one_goes_on() {
    let world = World::new().await;
    let (one, other) = (world.filed_as(1).await, world.filed_as(2).await);
    let (of_one, of_other) = (world.state(one).await, world.state(other).await);
    let nodes = (world.restarted(), world.restarted());
    let (first, second) =
        tokio::join!(world.merge(&nodes.0, 3, one, of_other), world.merge(&nodes.1, 4, other, of_one),);
    let mut results = [first, second];
    results.sort_unstable();
    assert!(matches!(results, [Ok(1..), Err("MERGE_TARGET_MERGED")]), "{results:?}");
}

#[tokio::test]
async fn a_merge_that_comes_again_is_answered_as_before_whatever_became_of_the_target() {
    let world = World::new().await;
    let (source, target) = (world.filed_as(1).await, world.filed_as(2).await);
    let seen = world.state(target).await;
    let first = world.merge(&world.commands, 3, source, seen.clone()).await.unwrap();
    let close = CaseCommand::Close(CloseCase {});
    world.commands.case(&world.request(ALICE, 4), &acme(), Some(target), &close).await.unwrap();
    let events = world.events().await.len();
    assert_eq!(world.merge(&world.restarted(), 3, source, seen).await, Ok(first));
    assert_eq!(world.events().await.len(), events);
    let undo = CaseCommand::UndoMerge(UndoMerge { target: None });
    let undone = world.commands.case(&world.request(AGENT, 5), &acme(), Some(source), &undo).await;
    assert!(told(undone).is_ok());
}

#[tokio::test]
async fn a_second_case_is_viewed_under_its_own_organization_only() {
    let world = World::new().await;
    let (one, other) = (world.filed_as(1).await, world.filed_as(2).await);
    let view = world.restarted().case_view(&acme(), one).await.unwrap();
    assert_eq!(view.state.filed().unwrap().title.open().unwrap(), "secret title");
    assert!(view.revision.is_some());
    let elsewhere = OrganizationId::new("globex").unwrap();
    let view = world.commands.case_view(&elsewhere, one).await.unwrap();
    assert!(view.state.filed().is_none() && view.revision.is_none());
    let nowhere = world.commands.case_view(&acme(), CaseId(ulid::Ulid::from(7_u128))).await.unwrap();
    assert!(nowhere.state.filed().is_none() && nowhere.revision.is_none());
    let unknown = world.merge(&world.commands, 3, one, CaseState::default()).await;
    assert_eq!(unknown, Err("MERGE_TARGET_NOT_FOUND"));
    let link = LinkCases { other: world.state(other).await, kind: LinkKind::Related };
    let linked = world
        .commands
        .case(&world.request(AGENT, 4), &acme(), Some(one), &CaseCommand::LinkCases(link))
        .await;
    assert_eq!(told(linked), Ok(1));
}
