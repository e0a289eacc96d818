//! Histories that are taken over, and those that are not.

use proptest::prelude::*;

use super::*;
use crate::case::{
    AddComment, AttachFile, CaseCommand, EscalationReason, InformationKind, Problem, Reproducible,
    SolutionKind, SolutionParticulars, Status, timers_of,
};
use crate::event::EventAudience;
use crate::testing::{Given, acme, answer_survey, at, file_case, people, personal, supported_catalogue};

const DAY: i64 = 86_400;

fn person(name: &str) -> ImportedPerson {
    let actor = people(name);
    ImportedPerson { account: actor.account, contact: actor.contact }
}

fn act(second: i64, who: &str, kind: ImportedActKind) -> ImportedAct {
    let side = if who.starts_with("agent") { Side::Support } else { Side::Customer };
    ImportedAct { at: at(second), by: person(who), side, kind }
}

fn comment(body: &str) -> ImportedActKind {
    ImportedActKind::Comment { body: personal(body) }
}

fn note(files: Vec<AttachFile>) -> ImportedActKind {
    ImportedActKind::InternalNote { body: personal("odd"), files }
}

fn file(name: &str) -> AttachFile {
    let (media_type, blob) = ("Text/Plain; charset=utf-8".to_owned(), format!("cases/c/{name}"));
    AttachFile { filename: personal(name), media_type, size_bytes: 7, sha256: [7; 32], blob }
}

fn attachment(name: &str) -> ImportedActKind {
    ImportedActKind::Attachment { file: file(name) }
}

fn solution() -> ImportedActKind {
    let (solution, particulars) = (SolutionKind::Solved, SolutionParticulars::default());
    ImportedActKind::Solution { solution, text: personal("restart it"), particulars }
}

fn request() -> ImportedActKind {
    ImportedActKind::InformationRequest { information: InformationKind::ExactSteps, text: personal("how?") }
}

fn escalation() -> ImportedActKind {
    let reason = EscalationReason::ResolutionTime;
    ImportedActKind::Escalation { reason, justification: personal("weeks now") }
}

fn history(acts: Vec<ImportedAct>) -> ImportHistory {
    ImportHistory {
        source: "old-desk".to_owned(),
        external_id: "4711".to_owned(),
        filed_at: at(-900),
        filing: file_case(),
        filer: person("bob"),
        side: Side::Customer,
        plan: None,
        acts,
    }
}

/// What comes of it 200 days later.
fn imported(given: &Given, who: &str, history: &ImportHistory) -> Result<Vec<ImportedEvent>, CaseRejection> {
    let actor = people(who);
    let circumstances = given.circumstances(&actor, at(200 * DAY));
    circumstances.decide(|context| import(&given.clone().state(), history, context))
}

fn nothing() -> Given {
    Given::nothing().in_catalogue(supported_catalogue())
}

fn taken(history: &ImportHistory) -> Vec<ImportedEvent> {
    imported(&nothing(), "operator", history).expect("it fits")
}

fn folded(events: &[ImportedEvent]) -> CaseState {
    let mut state = CaseState::default();
    for imported in events {
        state.evolve(&imported.event, imported.occurred_at);
    }
    state
}

fn whole_life() -> ImportHistory {
    history(vec![
        act(0, "agent-north", comment("we look into it")),
        act(1, "agent-north", note(Vec::new())),
        act(2, "agent-north", request()),
        act(2, "bob", comment("like this")),
        act(3, "alice", escalation()),
        act(4, "agent-north", ImportedActKind::EscalationAcknowledgement),
        act(5, "agent-north", solution()),
        act(6, "bob", ImportedActKind::Closing),
        act(7, "bob", comment("not yet")),
        act(8, "agent-north", solution()),
        act(9, "agent-north", ImportedActKind::Closing),
    ])
}

#[test]
fn a_whole_life_is_taken_over_with_the_people_and_instants_of_then() {
    let events = taken(&whole_life());
    let types: Vec<_> =
        events.iter().map(|imported| crate::DomainEvent::event_type(&imported.event)).collect();
    assert_eq!(
        types,
        [
            "CaseFiled",
            "CommentAdded",
            "CaseStateChanged",
            "InternalNoteAdded",
            "InformationRequested",
            "CommentAdded",
            "CaseStateChanged",
            "CaseEscalated",
            "EscalationAcknowledged",
            "SolutionProposed",
            "CaseClosed",
            "CommentAdded",
            "ReopenedWithin30Days",
            "SolutionProposed",
            "CaseClosed",
            "ReopenWindowEnded",
            "CaseRouted",
        ]
    );
    assert_eq!((events[0].occurred_at, events[0].actor), (at(-900), people("bob").account));
    assert_eq!((events[1].occurred_at, events[1].actor), (at(0), people("agent-north").account));
    let routed = events.last().unwrap();
    assert_eq!((routed.occurred_at, routed.actor), (at(200 * DAY), people("operator").account));
    let state = folded(&events);
    let case = state.filed().unwrap();
    assert_eq!((case.status, case.closings, case.filed_at), (Status::Closed, 2, at(-900)));
    assert_eq!(case.reopen_window_ends_at, Some(at(9 + 2_592_000)), "counted from then");
    assert_eq!(case.filer, people("bob").contact);
    assert_eq!(case.imported_from.as_ref().map(|from| from.imported_by), Some(people("operator").account));
    assert_eq!(timers_of(case), [], "nothing of then goes off now");
    assert!(case.objective.is_none() && case.first_response.is_none());
    let note = events.iter().find(|imported| matches!(imported.event, CaseEvent::InternalNoteAdded(_)));
    assert_eq!(note.unwrap().event.audience(), EventAudience::Support);
}

#[test]
fn a_case_is_taken_over_once_under_an_id_of_its_source_and_goes_on_like_any_other() {
    let open = history(vec![act(0, "agent-north", comment("we look into it"))]);
    let state = folded(&taken(&open));
    assert_eq!(state.filed().unwrap().id, CaseId::imported("old-desk", "4711"));
    let given = nothing().with_case(state);
    assert_eq!(imported(&given, "operator", &open), Ok(Vec::new()));
    assert_eq!(
        imported(&given, "operator", &whole_life()),
        Ok(Vec::new()),
        "whatever the source says by now"
    );
    let answer = CaseCommand::Comment(AddComment { body: personal("hello") });
    assert!(given.when("agent-north", 300 * DAY, &answer).result().is_ok());
}

/// Why the last of the acts is refused, when those before it fit.
fn refused(acts: Vec<ImportedAct>) -> String {
    let last = acts.len() - 1;
    let rejection = imported(&nothing(), "operator", &history(acts)).unwrap_err();
    assert_eq!(rejection.reason(), "IMPORT_REFUSED");
    let metadata = rejection.metadata();
    assert_eq!(metadata[0], ("act", last.to_string()), "{rejection}");
    metadata[1].1.clone()
}

#[test]
fn an_act_that_does_not_fit_is_named_and_nothing_is_taken_over() {
    let closing = || act(1, "bob", ImportedActKind::Closing);
    assert_eq!(refused(vec![closing(), act(2, "bob", ImportedActKind::Closing)]), "CASE_CLOSED");
    assert_eq!(refused(vec![closing(), act(2, "agent-north", solution())]), "CASE_CLOSED");
    assert_eq!(refused(vec![closing(), act(2_592_002, "bob", comment("late"))]), "REOPEN_WINDOW_ENDED");
    assert_eq!(refused(vec![act(1, "bob", escalation()), act(2, "bob", escalation())]), "ESCALATION_ACTIVE");
    assert_eq!(refused(vec![act(1, "agent-north", ImportedActKind::EscalationResolution)]), "NO_ESCALATION");
    for wrong in [
        vec![act(5, "bob", comment("a")), act(4, "bob", comment("b"))],
        vec![act(-901, "bob", comment("before it was filed"))],
        vec![act(200 * DAY + 1, "bob", comment("tomorrow"))],
        vec![act(1, "bob", comment(" "))],
        vec![act(1, "bob", solution())],
        vec![act(1, "agent-north", escalation())],
    ] {
        assert_eq!(refused(wrong), "INVALID_FIELD");
    }
}

#[test]
fn a_filing_that_does_not_fit_is_refused_by_field() {
    type Change = fn(&mut ImportHistory);
    let changes: [(&str, Change); 8] = [
        ("source", |history| history.source.clear()),
        ("externalId", |history| history.external_id = "x".repeat(201)),
        ("filedAt", |history| history.filed_at = at(200 * DAY + 1)),
        ("side", |history| history.side = Side::Support),
        ("side", |history| history.side = Side::Reseller),
        ("displayName", |history| history.filing.title = personal("")),
        ("plan", |history| history.filed_at = at(-2_000)),
        ("acts", |history| history.acts = vec![act(1, "bob", comment("x")); MAX_IMPORTED_ACTS + 1]),
    ];
    for (field, change) in changes {
        let mut history = history(Vec::new());
        change(&mut history);
        let rejection = imported(&nothing(), "operator", &history).unwrap_err();
        assert_eq!(rejection.field(), Some(field), "{rejection}");
    }
    let mut older = history(Vec::new());
    (older.filed_at, older.plan) = (at(-2_000), PlanId::new("silver").ok());
    let CaseEvent::CaseFiled(filed) = &taken(&older)[0].event else { panic!() };
    assert!(!filed.entitlement.holds_at(at(-2_000)), "it says what the source said, and entitles to nothing");
}

/// R-CASE-1.
#[test]
fn r_case_1_the_particulars_of_the_problem_are_kept_and_judged_as_where_a_case_is_filed() {
    let problem = Problem {
        start: Some(at(-1_000)),
        end: Some(at(-950)),
        version: Some("1.2".to_owned()),
        log_entries: Some(personal("panicked at …")),
        reproducible: Some(Reproducible::No),
        affected_user_percent: Some(40),
        ..Problem::default()
    };
    let with = |problem: Problem| {
        let mut history = history(Vec::new());
        history.filing.problem = Some(problem);
        imported(&nothing(), "operator", &history)
    };
    let events = with(problem.clone()).unwrap();
    assert_eq!(folded(&events).filed().unwrap().problem, Some(problem));
    for (wrong, field) in [
        (Problem { start: Some(at(1)), end: Some(at(0)), ..Problem::default() }, "problem.end"),
        (Problem { end: Some(at(0)), ..Problem::default() }, "problem.start"),
        (Problem { affected_user_percent: Some(101), ..Problem::default() }, "problem.affectedUserPercent"),
    ] {
        assert_eq!(with(wrong).unwrap_err().field(), Some(field));
    }
}

/// R-SURVEY-1.
#[test]
fn r_survey_1_the_filer_answered_once_after_a_closing_and_before_the_case_was_reopened() {
    let closing = |second| act(second, "bob", ImportedActKind::Closing);
    let answer = |second, who: &str, rating| {
        act(second, who, ImportedActKind::SurveyAnswer { rating, text: Some(personal("quick")) })
    };
    let again = || act(3, "bob", comment("not yet"));
    let both =
        history(vec![closing(1), answer(2, "bob", 1), again(), closing(4), answer(40 * DAY, "bob", 5)]);
    let events = taken(&both);
    let answers: Vec<_> = events
        .iter()
        .filter_map(|imported| match &imported.event {
            CaseEvent::SurveyAnswered(of) => {
                Some((of.closing, of.rating, imported.occurred_at, imported.actor))
            }
            _ => None,
        })
        .collect();
    let bob = people("bob").account;
    assert_eq!(answers, [(1, 1, at(2), bob), (2, 5, at(40 * DAY), bob)]);
    let answered = nothing().with_case(folded(&events));
    let signed_in = |closing| answered.clone().when("bob", 201 * DAY, &answer_survey(closing)).rejection();
    assert_eq!((signed_in(1).reason(), signed_in(2).reason()), ("SURVEY_ANSWERED", "SURVEY_ANSWERED"));

    for (wrong, because) in [
        (vec![answer(1, "bob", 5)], "CLOSING_NOT_FOUND"),
        (vec![closing(1), answer(2, "bob", 5), answer(2, "bob", 5)], "SURVEY_ANSWERED"),
        (vec![closing(1), again(), answer(4, "bob", 5)], "SURVEY_EXPIRED"),
        (vec![closing(1), answer(2, "alice", 5)], "NOT_THE_FILER"),
        (vec![closing(1), answer(2, "agent-north", 5)], "INVALID_FIELD"),
        (vec![closing(1), answer(2, "bob", 0)], "INVALID_FIELD"),
        (vec![closing(1), answer(2, "bob", 6)], "INVALID_FIELD"),
        (vec![closing(2), answer(1, "bob", 5)], "INVALID_FIELD"),
    ] {
        assert_eq!(refused(wrong), because);
    }
}

/// R-ATTACH-1.
#[test]
fn r_attach_1_files_are_taken_over_with_who_attached_them_and_when() {
    let events = taken(&history(vec![
        act(1, "bob", attachment("trace.log")),
        act(1, "bob", attachment("trace.log")),
        act(2, "agent-north", request()),
        act(3, "bob", attachment("more.log")),
        act(4, "bob", ImportedActKind::Closing),
        act(5, "agent-north", attachment("report.pdf")),
    ]));
    let added: Vec<_> = events
        .iter()
        .filter_map(|imported| match &imported.event {
            CaseEvent::AttachmentAdded(added) => Some((added, imported.occurred_at, imported.actor)),
            _ => None,
        })
        .collect();
    let told: Vec<_> = added
        .iter()
        .map(|(added, at, actor)| (added.filename.open().unwrap().as_str(), added.side, *at, *actor))
        .collect();
    let (bob, agent) = (people("bob").account, people("agent-north").account);
    assert_eq!(
        told,
        [
            ("trace.log", Side::Customer, at(1), bob),
            ("trace.log", Side::Customer, at(1), bob),
            ("more.log", Side::Customer, at(3), bob),
            ("report.pdf", Side::Support, at(5), agent),
        ]
    );
    let first = added[0].0;
    assert_eq!((first.media_type.as_str(), first.size_bytes), ("text/plain", 7));
    assert_eq!(first.sha256.open(), Some(&"07".repeat(32)));
    assert_eq!((first.blob.as_str(), &first.author), ("cases/c/trace.log", &people("bob").contact));
    let ids: std::collections::BTreeSet<_> = added.iter().map(|(added, ..)| added.attachment).collect();
    assert_eq!(ids.len(), added.len(), "each has its own id");

    // One alone answers nothing and reopens nothing.
    let asked = folded(&taken(&history(vec![
        act(2, "agent-north", request()),
        act(3, "bob", attachment("more.log")),
    ])));
    assert_eq!(asked.filed().unwrap().status, Status::ActionRequired);
    let closing = || act(4, "bob", ImportedActKind::Closing);
    assert_eq!(refused(vec![closing(), act(5, "bob", attachment("late.log"))]), "CASE_CLOSED");
    assert_eq!(refused(vec![act(1, "bob", attachment("../trace.log"))]), "INVALID_FIELD");
    assert_eq!(refused(vec![closing(), act(3, "agent-north", attachment("a"))]), "INVALID_FIELD");
}

/// R-COMMENT-3.
#[test]
fn r_comment_3_the_files_of_a_note_are_of_the_note_and_for_support_alone() {
    let events = taken(&history(vec![act(1, "agent-north", note(vec![file("a"), file("b")]))]));
    let [_, noted, files @ .., _] = &events[..] else { panic!("{events:?}") };
    let CaseEvent::InternalNoteAdded(noted) = &noted.event else { panic!("{noted:?}") };
    let of_note: Vec<_> = files
        .iter()
        .map(|imported| match &imported.event {
            CaseEvent::NoteAttachmentAdded(added) => (added.note, added.filename.open().unwrap().as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(of_note, [(noted.note, "a"), (noted.note, "b")]);
    assert!(files.iter().all(|imported| imported.event.audience() == EventAudience::Support));
    assert_eq!(refused(vec![act(1, "agent-north", note(vec![file("a"), file("")]))]), "INVALID_FIELD");
}

#[test]
fn nothing_is_taken_over_for_an_organization_that_nobody_registered() {
    let nobodys = nothing().in_access(crate::access::Access::default());
    let mut history = whole_life();
    history.plan = PlanId::new("silver").ok();
    let rejection = imported(&nobodys, "operator", &history).unwrap_err();
    assert_eq!(rejection.field(), Some("organization"), "{rejection}");
}

#[test]
fn only_the_operator_takes_histories_over() {
    for who in ["alice", "agent-north", "engineer", "auditor", "system"] {
        assert_eq!(imported(&nothing(), who, &whole_life()).unwrap_err().reason(), "NOT_FOR_YOU", "{who}");
    }
}

#[test]
fn what_support_added_after_the_window_stands_before_its_end_is_told() {
    let late = note(Vec::new());
    let closed = act(1, "bob", ImportedActKind::Closing);
    let events = taken(&history(vec![closed, act(2_592_099, "agent-north", late)]));
    let instants: Vec<_> = events.iter().map(|imported| imported.occurred_at).collect();
    assert_eq!(instants[1..], [at(1), at(2_592_099), at(2_592_099), at(200 * DAY)]);
}

/// R-RES-3: what counts is who managed the organization then.
#[test]
fn r_res_3_the_manager_of_the_instant_of_filing_stands_in_the_imported_filing() {
    let managed = |filed_at| {
        let mut history = history(Vec::new());
        (history.filed_at, history.plan) = (at(filed_at), PlanId::new("silver").ok());
        let given = nothing().in_access(acme().managed_by("nimbus").build());
        let events = imported(&given, "operator", &history).unwrap();
        folded(&events).filed().unwrap().manager.is_some()
    };
    assert_eq!((managed(-1_001), managed(-1_000)), (false, true));
}

fn any_act() -> impl Strategy<Value = (i64, &'static str, u8)> {
    (0_i64..2_000_000, prop_oneof![Just("bob"), Just("agent-north")], 0_u8..12)
}

fn kind(choice: u8) -> ImportedActKind {
    match choice {
        0 => comment("hello"),
        1 => note(Vec::new()),
        2 => request(),
        3 => solution(),
        4 => ImportedActKind::PriorityChange { priority: crate::catalogue::Priority::P1, reason: None },
        5 => escalation(),
        6 => ImportedActKind::EscalationAcknowledgement,
        7 => ImportedActKind::EscalationResolution,
        8 => ImportedActKind::SurveyAnswer { rating: 4, text: None },
        9 => attachment("trace.log"),
        10 => note(vec![file("a"), file("b")]),
        _ => ImportedActKind::Closing,
    }
}

proptest! {
    /// All or nothing, and what is taken over is a case like any other: in order, in a sane state, each id once.
    #[test]
    fn whatever_is_taken_over_is_in_order_and_sane(acts in prop::collection::vec(any_act(), 0..20)) {
        let mut second = 0;
        let acts: Vec<_> = acts
            .into_iter()
            .map(|(step, who, choice)| {
                second += step;
                act(second, who, kind(choice))
            })
            .collect();
        // Everything up to the first act that is refused fits.
        let mut fitting = history(acts);
        while let Err(CaseRejection::ImportRefused { act, .. }) = imported(&nothing(), "operator", &fitting) {
            fitting.acts.truncate(act);
        }
        let events = taken(&fitting);
        prop_assert!(events.is_sorted_by_key(|imported| imported.occurred_at));
        let state = folded(&events);
        let case = state.filed().unwrap();
        prop_assert_eq!(case.status == Status::Closed, case.reopen_window_ends_at.is_some());
        prop_assert!(case.status.is_open() || !case.escalation.is_active());
        let comments: Vec<_> = events
            .iter()
            .filter_map(|imported| match &imported.event {
                CaseEvent::CommentAdded(added) => Some(added.comment),
                _ => None,
            })
            .collect();
        let distinct: std::collections::BTreeSet<_> = comments.iter().collect();
        prop_assert_eq!(distinct.len(), comments.len());
    }
}
