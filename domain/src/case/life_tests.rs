//! A day in the life of a case, from both sides, and what customers learn of it.

use super::*;
use crate::event::{Aggregate, DomainEvent, EventAudience};
use crate::testing::{
    Given, acknowledge, answer_survey, ask, assign, at, close, comment, escalate, file_case, note, personal,
    propose, resolve_escalation, supported_catalogue,
};

const HOUR: i64 = 3_600;
const WEDNESDAY_9: i64 = 35_200;

fn story() -> Vec<(&'static str, i64, CaseCommand)> {
    let hour = |hours: i64| WEDNESDAY_9 + hours * HOUR;
    vec![
        ("alice", 0, CaseCommand::File(Box::new(file_case()))),
        ("agent-north", hour(1), assign()),
        ("agent-north", hour(1), note("psst: the north rack again")),
        ("agent-north", hour(2), ask()),
        ("alice", hour(3), comment("here are the logs")),
        ("alice", hour(4), escalate()),
        ("agent-north", hour(4), acknowledge()),
        ("agent-north", hour(5), propose()),
        ("agent-north", hour(5), resolve_escalation()),
        ("alice", hour(6), close()),
        ("alice", hour(6), answer_survey(1)),
        ("alice", hour(30), comment("it is back")),
        ("agent-north", hour(31), propose()),
        ("alice", hour(32), close()),
        ("system", hour(32) + 2_592_001, timers::Timer::command(&window_end(hour(32)))),
    ]
}

fn window_end(closed_at: i64) -> Timer {
    let promised = at(closed_at + 2_592_000);
    Timer { kind: TimerKind::ReopenWindowEnd, due: promised, promised, number: 2 }
}

fn lived() -> (Given, Vec<(i64, CaseEvent)>) {
    let mut given = Given::nothing().in_catalogue(supported_catalogue());
    let mut events = Vec::new();
    for (who, second, command) in story() {
        let outcome = given.clone().when(who, second, &command);
        events.extend(outcome.events().into_iter().map(|event| (second, event)));
        given = given.and(who, second, &command);
    }
    (given, events)
}

/// R-CASE-3.
#[test]
fn r_case_3_a_whole_life_reads_like_a_story() {
    let (given, events) = lived();
    let told = |audience: fn(EventAudience) -> bool| -> Vec<&'static str> {
        let told = events.iter().filter(|(_, event)| audience(event.audience()));
        told.map(|(_, event)| event.event_type()).collect()
    };
    assert_eq!(
        told(|audience| audience == EventAudience::Customer),
        [
            "CaseFiled",
            "ResponseObjectiveSet",
            "CaseStateChanged",
            "InformationRequested",
            "ResponseGiven",
            "CommentAdded",
            "CaseStateChanged",
            "ResponseObjectiveSet",
            "CaseEscalated",
            "EscalationAcknowledged",
            "SolutionProposed",
            "ResponseGiven",
            "EscalationResolved",
            "CaseClosed",
            "SurveyAnswered",
            "CommentAdded",
            "ReopenedWithin30Days",
            "ResponseObjectiveSet",
            "SolutionProposed",
            "ResponseGiven",
            "CaseClosed",
        ]
    );
    assert_eq!(
        told(|audience| audience == EventAudience::Support),
        [
            "CaseRouted",
            "ResponseClockSet",
            "CaseAssigned",
            "InternalNoteAdded",
            "ResponseClockSet",
            "ResponseClockSet",
            "ReopenWindowEnded",
        ]
    );
    let state = given.clone().state();
    let case = state.filed().unwrap();
    assert_eq!((case.status, case.closings, case.solutions), (Status::Closed, 2, 2));
    assert_eq!(timers_of(case), []);
    let late = given.when("alice", WEDNESDAY_9 + 99 * 86_400, &comment("and again")).rejection();
    assert_eq!(late.reason(), "REOPEN_WINDOW_ENDED");
}

/// R-COMMENT-3: customers fold the same case without what only support reads, and no word of that is in what they read.
#[test]
fn r_comment_3_what_only_support_reads_changes_nothing_for_customers_and_leaks_into_nothing_they_read() {
    let (given, events) = lived();
    let mut customers = CaseState::default();
    for (second, event) in events.iter().filter(|(_, event)| event.audience() == EventAudience::Customer) {
        customers.evolve(event, at(*second));
        let payload = String::from_utf8(event.encode()).unwrap();
        for secret in ["psst", "\"north\"", "paris", "\"warn", "considered", "assign"] {
            assert!(!payload.contains(secret), "{} tells {secret}: {payload}", event.event_type());
        }
    }
    let all = given.state();
    assert!(same_for_customers(&customers, &all));
}

/// Whether customers are shown the same.
pub(super) fn same_for_customers(one: &CaseState, other: &CaseState) -> bool {
    let shown = |state: &CaseState| {
        state.filed().map(|case| {
            let due = case.objective.as_ref().map(|open| (open.kind, open.due_at, open.missed));
            let standing = (case.status, case.escalation, case.outstanding_requests, case.closings);
            let merged = (case.merged_into, case.merged_cases.clone());
            let title = (case.title.clone(), case.priority, case.subscribers.clone());
            (standing, due, case.first_response, merged, case.solution.clone(), title)
        })
    };
    shown(one) == shown(other)
}

/// R-COMMENT-1.
#[test]
fn r_comment_1_a_comment_answers_everything_that_was_asked() {
    let given = Given::supported().and("agent-north", 1, &ask()).and("agent-north", 2, &ask());
    let state = given.when("alice", 3, &comment("both")).state();
    let case = state.filed().unwrap();
    assert_eq!((case.status, case.outstanding_requests), (Status::InProgress, 0));
}

/// R-ROUTE-1: an agent of another provider cannot touch the case, whatever it is asked.
#[test]
fn r_route_1_for_another_providers_agents_the_case_is_not_there() {
    let given = Given::supported();
    let commands = [comment("hi"), assign(), note("hi"), ask(), propose(), acknowledge()];
    for command in commands {
        assert_eq!(given.clone().when("agent-south", 1, &command).rejection().reason(), "CASE_NOT_FOUND");
    }
    let title = Some(personal("mine"));
    let edit = CaseCommand::Edit(EditCase { title, ..EditCase::default() });
    assert_eq!(given.when("agent-south", 1, &edit).rejection().reason(), "CASE_NOT_FOUND");
}
