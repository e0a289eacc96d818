//! Properties of every sequence of commands: no invariant breaks, decisions never panic and are repeatable, and every event
//! survives sealing, storage and reading.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::CaseId;
use crate::catalogue::{ClosingPolicy, Priority};
use crate::testing::{
    Given, acknowledge, answer_survey, ask, assign, attach, change_priority, close, comment, escalate,
    file_case, hand_over, link, merge, note, personal, propose, propose_outage, resolve_escalation,
    supported_catalogue,
};
use crate::{Aggregate, DomainEvent, EventAudience, PersonalFields};

pub(super) const PEOPLE: [&str; 9] =
    ["alice", "bob", "carol", "dave", "peter", "agent-north", "agent-south", "operator", "system"];

/// A case that alice filed at second 0, routed and promised an answer.
pub(super) fn supported_case() -> Given {
    static FILED: LazyLock<Given> = LazyLock::new(|| {
        let mut catalogue = supported_catalogue();
        catalogue.closing = ClosingPolicy { unanswered_solution_days: Some(14), announced_days_before: 3 };
        let given = Given::nothing().in_catalogue(catalogue);
        given.and("alice", 0, &CaseCommand::File(Box::new(file_case())))
    });
    FILED.clone()
}

/// Another open case of the same organization, with the same provider.
pub(super) fn other_case(case: &Case) -> CaseState {
    let mut other = supported_case().state();
    if let Some(filed) = &mut other.0 {
        filed.id = other_id();
        filed.provider.clone_from(&case.provider);
    }
    other
}

fn other_id() -> CaseId {
    CaseId(ulid::Ulid::from(1_u128))
}

fn issue_id() -> crate::KnownIssueId {
    crate::KnownIssueId(ulid::Ulid::from(2_u128))
}

fn supported_other() -> CaseState {
    other_case(supported_case().state().filed().expect("filed"))
}

fn any_command() -> impl Strategy<Value = CaseCommand> {
    prop_oneof![
        Just(CaseCommand::File(Box::new(file_case()))),
        ".{0,20}".prop_map(|body| comment(&body)),
        Just(close()),
        Just(attach()),
        Just(escalate()),
        Just(acknowledge()),
        Just(resolve_escalation()),
        Just(ask()),
        Just(propose()),
        Just(propose_outage()),
        Just(assign()),
        Just(CaseCommand::Unassign(UnassignCase {})),
        prop_oneof![Just("north"), Just("south"), Just("newcomer")].prop_map(hand_over),
        Just(note("psst")),
        (0_u8..5).prop_map(|digit| change_priority(Priority::from_digit(digit).unwrap_or(Priority::P4))),
        Just(CaseCommand::RequestServiceCredit(RequestServiceCredit {})),
        Just(CaseCommand::RequestIncidentReport(RequestIncidentReport {})),
        (0_u32..4).prop_map(answer_survey),
        Just(link(&supported_other())),
        Just(CaseCommand::UnlinkCases(UnlinkCases { other: other_id(), kind: LinkKind::Related })),
        Just(merge(&supported_other())),
        Just(CaseCommand::UndoMerge(UndoMerge { target: None })),
        Just(CaseCommand::LinkKnownIssue(LinkKnownIssue { issue: issue_id() })),
        Just(CaseCommand::UnlinkKnownIssue(UnlinkKnownIssue { issue: issue_id() })),
        Just(CaseCommand::ProposeResolution(Box::new(ProposeResolution {
            issue: issue_id(),
            text: personal("start it again"),
            author: crate::testing::people("engineer").contact,
            outage_url: None,
        }))),
        Just(CaseCommand::ReceiveMergedCase(ReceiveMergedCase {
            source: other_id(),
            goes_on_in: supported_case().state().filed().map(|case| case.id),
        })),
        Just(CaseCommand::ReturnMergedCase(ReturnMergedCase { source: other_id(), goes_on_in: None })),
        (1_u32..4).prop_map(|solution| CaseCommand::AnnounceClosing(AnnounceClosing { solution })),
        (1_u32..4).prop_map(|solution| CaseCommand::CloseUnanswered(CloseUnanswered { solution })),
        (1_u32..4).prop_map(|closing| CaseCommand::RecordReopenWindowEnd(RecordReopenWindowEnd { closing })),
        (0_u8..5, ".{0,10}", prop::option::of(".{0,5}")).prop_map(|(digit, title, reason)| {
            CaseCommand::Edit(EditCase {
                title: Some(personal(&title)),
                priority: Priority::from_digit(digit),
                priority_reason: reason.map(|reason| personal(&reason)),
                subscribers: Some(vec![personal("one@example.com")]),
            })
        }),
    ]
}

/// Steps of up to 20 days, so that windows are met, hit and missed.
pub(super) fn any_history() -> impl Strategy<Value = Vec<(usize, i64, CaseCommand)>> {
    prop::collection::vec((0..PEOPLE.len(), 0_i64..1_728_000, any_command()), 1..40)
}

/// What of support's own affairs would show in a payload: providers, calendars, notes and reasons.
const LEAKS: [&str; 7] =
    ["psst", "\"north\"", "\"south\"", "\"paris\"", "\"always\"", "they know it better", "warn_at"];

/// Seals like the real thing, only reversibly by anyone: enough to see that every field is visited.
fn seal(event: &mut CaseEvent) {
    event.for_each_personal(&mut |slot| {
        if let Some(plain) = slot.plain_bytes() {
            slot.set_sealed(plain.iter().map(|byte| !byte).collect());
        }
    });
}

fn unseal(event: &mut CaseEvent) {
    event.for_each_personal(&mut |slot| {
        let plain: Option<Vec<u8>> =
            slot.sealed_bytes().map(|sealed| sealed.iter().map(|byte| !byte).collect());
        if let Some(plain) = plain {
            slot.set_opened(&plain).expect("what was sealed opens");
        }
    });
}

fn check_step(before: &CaseState, after: &CaseState, events: &[CaseEvent]) -> Result<(), TestCaseError> {
    let Some(case) = after.filed() else { return Ok(()) };
    if let Some(old) = before.filed() {
        prop_assert!(
            case.status != Status::New || old.status == Status::New,
            "R-CASE-3: nothing returns to NEW"
        );
        if old.status == Status::Closed && case.status != Status::Closed {
            prop_assert_eq!(case.status, Status::InProgress, "R-CASE-3: CLOSED leads to IN_PROGRESS only");
            let reopened =
                matches!(events, [CaseEvent::CommentAdded(_), CaseEvent::ReopenedWithin30Days(_), ..]);
            prop_assert!(
                reopened || matches!(events, [CaseEvent::MergeUndone(_), ..]),
                "R-REOPEN-1: only a comment reopens, and a merge is undone"
            );
        }
        prop_assert!(case.closings >= old.closings);
        prop_assert_eq!(&case.id, &old.id);
        prop_assert_eq!(
            case.status != old.status,
            events.iter().any(|event| changes_status(old, event)),
            "R-CASE-3: every change is an event"
        );
    }
    if case.status == Status::Closed {
        prop_assert!(!case.escalation.is_active(), "R-ESC-2: closing ends an active escalation");
        prop_assert_eq!(case.outstanding_requests, 0);
    }
    let merged = case.merged_into.is_some();
    prop_assert_eq!(case.status == Status::Closed, case.reopen_window_ends_at.is_some() || merged);
    prop_assert!(!merged || case.reopen_window_ends_at.is_none(), "what is merged is not reopened");
    prop_assert!(case.status.is_open() || case.objective.is_none(), "R-RESPONSE-1: a closing ends a promise");
    let waits = matches!(case.status, Status::ActionRequired | Status::SolutionProvided);
    prop_assert!(!waits || case.objective.is_none(), "R-RESPONSE-1: the clock stands on the customer's turn");
    check_timers(case)?;
    Ok(())
}

/// Each timer's command does something when it is due, unless a later timer's has come first.
fn check_timers(case: &Case) -> Result<(), TestCaseError> {
    for timer in timers_of(case) {
        let state = CaseState(Some(Box::new(case.clone())));
        let second = timer.due.duration_since(crate::testing::at(0)).as_secs();
        let exact = crate::testing::at(second) == timer.due;
        let second = if exact { second } else { second + 1 };
        let outcome = supported_case().with_case(state).when("system", second, &timer.command());
        let done = outcome.result().expect("a timer is never refused");
        let too_late = timer.kind == TimerKind::ResponseWarning && !exact && timer.due >= timer.promised;
        prop_assert!(too_late || done.len() == 1, "{timer:?} did {done:?}");
        let after = outcome.clone_state();
        let left = after.filed().map(timers_of).unwrap_or_default();
        prop_assert!(too_late || !left.contains(&timer), "{timer:?} goes off once");
        let early = supported_case().with_case(CaseState(Some(Box::new(case.clone()))));
        let early = early.when("system", second - 2, &timer.command()).result();
        prop_assert_eq!(early, Ok(Vec::new()), "{:?} went off early", timer);
    }
    Ok(())
}

fn changes_status(before: &Case, event: &CaseEvent) -> bool {
    match event {
        // A known issue's resolution is proposed beside a solution that the case has already.
        CaseEvent::SolutionProposed(proposed) if proposed.known_issue.is_some() => {
            before.status != Status::SolutionProvided
        }
        CaseEvent::CaseStateChanged(change) => change.from != change.to,
        CaseEvent::CaseClosed(_)
        | CaseEvent::ReopenedWithin30Days(_)
        | CaseEvent::CaseMerged(_)
        | CaseEvent::MergeUndone(_)
        | CaseEvent::InformationRequested(_)
        | CaseEvent::SolutionProposed(_) => true,
        _ => false,
    }
}

proptest! {
    #[test]
    fn no_history_breaks_an_invariant_and_every_decision_is_repeatable(history in any_history()) {
        let mut given = supported_case();
        let mut second = 0;
        for (who, step, command) in history {
            second += step;
            // Asking twice for a request leaves the status alone, which is the one exception to "every event changes it".
            let before = given.clone().state();
            let repeated_ask = before.filed().is_some_and(|case| match command {
                CaseCommand::RequestInformation(_) => case.status == Status::ActionRequired,
                CaseCommand::ProposeSolution(_) => case.status == Status::SolutionProvided,
                _ => false,
            });
            let outcome = given.clone().when(PEOPLE[who], second, &command);
            let again = given.clone().when(PEOPLE[who], second, &command);
            prop_assert_eq!(format!("{outcome:?}"), format!("{again:?}"));
            if let Ok(events) = outcome.result() {
                if !repeated_ask {
                    check_step(&before, &outcome.clone_state(), &events)?;
                }
                given = given.and(PEOPLE[who], second, &command);
            }
        }
    }

    /// R-COMMENT-3: what only support reads changes nothing that customers are shown, and its words are nowhere else.
    #[test]
    fn r_comment_3_no_history_shows_customers_what_only_support_reads(history in any_history()) {
        let mut given = supported_case();
        let mut customers = given.clone().state();
        let mut second = 0;
        for (who, step, command) in history {
            second += step;
            let Ok(events) = given.clone().when(PEOPLE[who], second, &command).result() else { continue };
            for event in events.iter().filter(|event| event.audience() == EventAudience::Customer) {
                customers.evolve(event, crate::testing::at(second));
                let payload = String::from_utf8(event.encode()).expect("text");
                for secret in LEAKS {
                    prop_assert!(!payload.contains(secret), "{} tells {secret}", event.event_type());
                }
            }
            given = given.and(PEOPLE[who], second, &command);
            prop_assert!(life_tests::same_for_customers(&customers, &given.clone().state()));
        }
    }

    #[test]
    fn every_event_survives_sealing_storage_and_reading(history in any_history()) {
        let mut given = supported_case();
        let mut second = 0;
        for (who, step, command) in history {
            second += step;
            let Ok(events) = given.clone().when(PEOPLE[who], second, &command).result() else { continue };
            for event in events {
                let mut stored = event.clone();
                seal(&mut stored);
                let bytes = stored.encode();
                prop_assert!(!String::from_utf8_lossy(&bytes).contains("\"open\""), "an open value reached the store");
                let mut read = CaseEvent::decode(event.event_type(), event.version(), &bytes).expect("readable");
                prop_assert_eq!(&read, &stored);
                unseal(&mut read);
                prop_assert_eq!(read, event);
            }
            given = given.and(PEOPLE[who], second, &command);
        }
    }

    #[test]
    fn an_erased_subject_never_stops_a_fold_or_a_decision(history in any_history()) {
        let mut state = supported_case().state();
        state.for_each_personal(&mut |slot| slot.set_erased());
        let mut given = supported_case().with_case(state);
        let mut second = 0;
        for (who, step, command) in history {
            second += step;
            if given.clone().when(PEOPLE[who], second, &command).result().is_ok() {
                given = given.and(PEOPLE[who], second, &command);
            }
        }
    }
}

#[test]
fn version_1_of_a_comment_is_read_as_one_of_the_customer() {
    let v1 = br#"{"comment":"01ARZ3NDEKTSV4RRFFQ69G5FAV","body":{"subject":"account-1","sealed":"AAEC"},
        "author":{"subject":"account-1"}}"#;
    let event = CaseEvent::decode("CommentAdded", 1, v1).expect("still readable");
    let CaseEvent::CommentAdded(comment) = &event else { panic!("{event:?}") };
    assert_eq!(comment.side, crate::Side::Customer);
    assert_eq!((event.event_type(), event.version()), ("CommentAdded", 2));
    let mut state = CaseState::default();
    state.evolve(&event, jiff::Timestamp::UNIX_EPOCH);
    assert!(state.filed().is_none(), "a comment without a case is no case");
}

#[test]
fn a_type_of_a_later_release_is_an_error_that_says_so() {
    let error = CaseEvent::decode("CaseTeleported", 1, b"{}").unwrap_err();
    assert!(error.to_string().contains("deploy readers before writers"), "{error}");
    assert!(CaseEvent::decode("CommentAdded", 3, b"{}").is_err());
    assert!(CaseEvent::decode("CommentAdded", 2, b"{}").is_err());
}
