//! 'Me too' and its case, the resolution and its solutions, whoever was faster and however often an event is met.

use dossier_domain::case::{Case, CaseCommand, CaseEvent, CloseCase, Status};
use dossier_domain::known_issue::{
    ConfirmKnownIssue, CustomerImpact, KnownIssueCommand, KnownIssueState, MeToo, PublishKnownIssue,
    ResolveKnownIssue, SayNotAffected, SuspectKnownIssue, SuspicionSource,
};
use dossier_domain::{AccountId, DomainEvent, ProductId};
use dossier_eventlog::{EventStore, Position};
use std::sync::Arc;

use super::*;
use crate::known_issue_solutions::KnownIssueSolutions;
use crate::merge_completion::tests::{World, acme};
use crate::reactor::Reactors;

/// An issue that is published.
async fn published(world: &World) -> KnownIssueId {
    let suspect = KnownIssueCommand::Suspect(SuspectKnownIssue {
        product: ProductId::new("compute").unwrap(),
        title: "machines do not start".to_owned(),
        source: SuspicionSource::InternalAlert,
        details: None,
        figures: None,
    });
    let outcome = world.commands.known_issue(&world.request("engineer"), None, None, &suspect).await;
    let issue = outcome.expect("suspected").folded.state.suspected().unwrap().id;
    let statement = "nobody can work".to_owned();
    let summary = "Machines do not start".to_owned();
    for command in [
        KnownIssueCommand::Confirm(ConfirmKnownIssue { impact: CustomerImpact::High, statement }),
        KnownIssueCommand::Publish(PublishKnownIssue { summary, outage_url: None }),
    ] {
        act(world, issue, &command).await;
    }
    issue
}

async fn act(world: &World, issue: KnownIssueId, command: &KnownIssueCommand) {
    world.commands.known_issue(&world.request("engineer"), None, Some(issue), command).await.expect("done");
}

async fn say(world: &World, issue: KnownIssueId, command: &KnownIssueCommand) -> CaseId {
    let request = world.request("alice");
    let outcome = world.commands.known_issue(&request, Some(&acme()), Some(issue), command).await;
    case_of(&outcome.expect("said").folded.state, world.actor("alice").account)
}

fn case_of(state: &KnownIssueState, account: AccountId) -> CaseId {
    state.suspected().unwrap().affected.get(&acme(), account).expect("joined").case
}

fn me_too() -> KnownIssueCommand {
    KnownIssueCommand::MeToo(Box::new(MeToo {
        case: dossier_domain::case::CaseState::default(),
        priority: None,
        language: "fr".to_owned(),
        time_zone: None,
        description: Some("since nine".to_owned()),
    }))
}

fn not_affected() -> KnownIssueCommand {
    KnownIssueCommand::SayNotAffected(SayNotAffected { on_behalf_of: None })
}

async fn resolve(world: &World, issue: KnownIssueId) {
    let text = "Start them again.".to_owned();
    act(world, issue, &KnownIssueCommand::Resolve(ResolveKnownIssue { text })).await;
}

fn cases(world: &World) -> impl FnOnce(Reactors) -> Reactors {
    |reactors| reactors.with(KnownIssueCases::new(&world.sealer))
}

fn solutions(world: &World) -> impl FnOnce(Reactors) -> Reactors {
    |reactors| reactors.with(KnownIssueSolutions::new(&world.sealer, world.commands.clone()))
}

/// What happened to a case, by type.
async fn history(world: &World, case: CaseId) -> Vec<String> {
    let events = world.store.read_all(Position::START, 10_000).await.unwrap();
    let of_case = events.iter().filter(|event| event.stream.id() == case.to_string());
    of_case.map(|event| event.event_type.to_string()).collect()
}

fn count(history: &[String], event_type: &str) -> usize {
    history.iter().filter(|known| *known == event_type).count()
}

async fn head(world: &World) -> Position {
    world.store.head().await.unwrap()
}

fn linked(case: &Case, issue: KnownIssueId) -> bool {
    case.known_issue.is_some_and(|linked| linked.issue == issue)
}

/// R-KI-4.
#[tokio::test]
async fn r_ki_4_me_too_files_the_case_that_its_answer_names_once_as_the_user_would_have() {
    let world = World::new().await;
    let issue = published(&world).await;
    let case = say(&world, issue, &me_too()).await;
    assert_eq!(say(&world, issue, &me_too()).await, case, "repeating changes nothing");
    world.complete_by(cases(&world)).await;
    let filed = world.case(case).await;
    assert!(linked(&filed, issue));
    assert_eq!(filed.title.open().unwrap(), "Machines do not start");
    assert_eq!(filed.description.open().unwrap(), "since nine");
    assert_eq!(filed.filer, world.actor("alice").contact);
    assert_eq!((filed.language.as_str(), filed.status), ("fr", Status::New));
    let before = head(&world).await;
    world.complete_by(cases(&world)).await;
    assert_eq!(head(&world).await, before, "acting on all of history once more adds nothing");
}

/// R-KI-5.
#[tokio::test]
async fn r_ki_5_not_affected_unlinks_the_case_and_me_too_again_links_it_unless_it_is_closed() {
    let world = World::new().await;
    let issue = published(&world).await;
    let case = say(&world, issue, &me_too()).await;
    // Faster than the reactor, which goes through it in order.
    assert_eq!(say(&world, issue, &not_affected()).await, case);
    world.complete_by(cases(&world)).await;
    assert_eq!(world.case(case).await.known_issue, None);
    assert_eq!(say(&world, issue, &me_too()).await, case);
    world.complete_by(cases(&world)).await;
    assert!(linked(&world.case(case).await, issue));
    say(&world, issue, &not_affected()).await;
    world.complete_by(cases(&world)).await;
    let close = CaseCommand::Close(CloseCase {});
    world.commands.case(&world.request("alice"), &acme(), Some(case), &close).await.expect("closed");
    say(&world, issue, &me_too()).await;
    world.complete_by(cases(&world)).await;
    assert_eq!(world.case(case).await.known_issue, None);
    let state = world.commands.known_issue_view(issue).await.unwrap();
    let user = state.suspected().unwrap().affected.get(&acme(), world.actor("alice").account).unwrap();
    assert!(user.subscribed && !user.affected, "on a closed case it only resubscribes");
}

/// R-KI-6.
#[tokio::test]
async fn r_ki_6_the_resolution_is_proposed_once_on_each_linked_open_case_whichever_reactor_is_faster() {
    for solutions_first in [true, false] {
        let world = World::new().await;
        let issue = published(&world).await;
        let case = say(&world, issue, &me_too()).await;
        resolve(&world, issue).await;
        if solutions_first {
            world.complete_by(solutions(&world)).await;
            world.complete_by(cases(&world)).await;
        } else {
            world.complete_by(cases(&world)).await;
            world.complete_by(solutions(&world)).await;
        }
        let before = head(&world).await;
        world.complete_by(|reactors| solutions(&world)(cases(&world)(reactors))).await;
        assert_eq!(head(&world).await, before, "and it stays so");
        assert_eq!(world.case(case).await.status, Status::SolutionProvided);
        let history = history(&world, case).await;
        assert_eq!(count(&history, "SolutionProposed"), 1, "{solutions_first}: {history:?}");
        let events = world.store.read_all(Position::START, 10_000).await.unwrap();
        let proposed = events.iter().find(|event| &*event.event_type == "SolutionProposed").unwrap();
        let proposed = CaseEvent::decode("SolutionProposed", proposed.version, &proposed.payload).unwrap();
        let CaseEvent::SolutionProposed(proposed) = proposed else { panic!("{proposed:?}") };
        assert_eq!(proposed.known_issue, Some(issue));
    }
}

/// R-KI-6.
#[tokio::test]
async fn r_ki_6_who_is_not_affected_and_whose_case_is_closed_gets_no_solution() {
    let world = World::new().await;
    let issue = published(&world).await;
    let case = say(&world, issue, &me_too()).await;
    world.complete_by(cases(&world)).await;
    let close = CaseCommand::Close(CloseCase {});
    let closed = published(&world).await;
    let closed_case = say(&world, closed, &me_too()).await;
    world.complete_by(cases(&world)).await;
    world.commands.case(&world.request("alice"), &acme(), Some(closed_case), &close).await.expect("closed");
    say(&world, issue, &not_affected()).await;
    for issue in [issue, closed] {
        resolve(&world, issue).await;
    }
    world.complete_by(|reactors| solutions(&world)(cases(&world)(reactors))).await;
    for case in [case, closed_case] {
        assert_eq!(count(&history(&world, case).await, "SolutionProposed"), 0);
    }
    assert_eq!(world.case(case).await.status, Status::New, "it goes on by itself");
    assert_eq!(Arc::strong_count(&world.commands), 1, "nothing keeps running");
}
