//! Each event leads to the right row.

use dossier_domain::case::{
    CaseEvent, CaseFiled, CaseMerged, CaseState, CaseUnassigned, ClosingAnnounced, CommentAddedV1,
    HelpReference, MergeUndone, Problem, Reproducible, ResponseGiven, ResponseKind, ResponseMissed,
};
use dossier_domain::catalogue::{Channel, Priority};
use dossier_domain::personal::{seal_all, subjects_to_seal};
use dossier_domain::{Aggregate, HelpSessionId, Side};
use dossier_eventlog::{Audience, Revision, SealError};
use dossier_projections::case_history::AttachmentQueries;
use dossier_projections::cases::{CaseCondition, CaseRow};
use proptest::prelude::*;
use ulid::Ulid;

use crate::access::entitled;
use crate::engines::{self, block_on_each_engine};
use crate::samples::*;
use crate::world::World;

/// The only case's row, after these facts about it.
async fn row_after(facts: &[Fact]) -> CaseRow {
    let world = World::given(facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    running.cases().get(&all_of("acme"), &acme(), case(0)).await.unwrap().expect("there is a row")
}

/// R-CASE-1.
async fn r_case_1_a_filing_is_shown_with_all_that_was_given() {
    let problem = Problem {
        start: Some(at(1)),
        end: None,
        version: Some("1.2".to_owned()),
        log_entries: Some(text("stack trace")),
        reproducible: Some(Reproducible::Yes),
        code: Some(text("code")),
        application_flow: Some(text("flow")),
        affected_user_percent: Some(40),
        user_impact: Some(text("impact")),
    };
    let help = HelpReference { session: HelpSessionId(Ulid::nil()), articles: vec!["restart".to_owned()] };
    let filing = CaseFiled {
        time_zone: Some("Europe/Paris".to_owned()),
        contact_email: Some(text("reach@acme.example")),
        subscribers: vec![text("one@acme.example"), text("two@acme.example")],
        test_case: true,
        problem: Some(problem),
        side: Side::Reseller,
        manager: Some(organization("partner")),
        channel: Some(Channel::Email),
        follow_up_of: Some(case(9)),
        help: Some(help.clone()),
        ..filing(0)
    };
    let row = row_after(&[entitled("acme", "compute", "gold"), Fact::of_case(0, filing)]).await;
    let expected_problem = serde_json::json!({
        "start": at(1), "version": "1.2", "logEntries": "stack trace", "reproducible": "YES", "code": "code",
        "applicationFlow": "flow", "affectedUserPercent": 40, "userImpact": "impact",
    });
    let problem: serde_json::Value = serde_json::from_str(row.problem.as_deref().unwrap()).unwrap();
    assert_eq!(problem, expected_problem);
    assert_eq!(row.subscribers(), ["one@acme.example", "two@acme.example"]);
    assert_eq!(row.priority(), Some(Priority::P3));
    let expected = CaseRow {
        case_id: case(0).to_string(),
        sequence: 2,
        organization: "acme".to_owned(),
        product: "compute".to_owned(),
        classification_id: "compute-vm".to_owned(),
        classification_name: "Compute > VM".to_owned(),
        title: Some("title 0".to_owned()),
        description: Some("description".to_owned()),
        priority: 3,
        status: "NEW".to_owned(),
        escalated: false,
        language: "en".to_owned(),
        time_zone: Some("Europe/Paris".to_owned()),
        contact_email: Some("reach@acme.example".to_owned()),
        subscribers: row.subscribers.clone(),
        test_case: true,
        problem: row.problem.clone(),
        filer_email: Some("alice@acme.example".to_owned()),
        filer_name: Some("alice".to_owned()),
        filer_side: "reseller".to_owned(),
        manager: Some("partner".to_owned()),
        channel: Some("email".to_owned()),
        follow_up_of: Some(case(9).to_string()),
        provider: None,
        default_queue: false,
        assignee: None,
        assignee_email: None,
        assignee_name: None,
        response_kind: None,
        response_due_micros: None,
        response_warn_micros: None,
        response_missed: false,
        first_response_on_time: None,
        merged_into: None,
        closes_micros: None,
        filed_at_micros: micros(1),
        updated_at_micros: micros(1),
        customer_updated_at_micros: micros(1),
        revision: 0,
        customer_revision: 0,
        known_issue: None,
        help: row.help.clone(),
    };
    assert_eq!(row, expected);
    assert_eq!(row.help(), Some(help));
}

async fn every_event_changes_what_it_says_and_nothing_else() {
    type Change = fn(&mut CaseRow);
    let changes: [(u8, Change); 37] = [
        (0, |_| {}),
        (1, |row| row.status = "IN_PROGRESS".into()),
        (2, |row| row.title = Some("renamed 1".to_owned())),
        (3, |row| row.subscribers = r#"["s1@acme.example"]"#.into()),
        (4, |row| row.priority = 1),
        (5, |row| row.escalated = true),
        (6, |row| row.escalated = true),
        (7, |row| row.escalated = false),
        (8, |row| row.status = "ACTION_REQUIRED".into()),
        (9, |row| row.status = "SOLUTION_PROVIDED".into()),
        (10, |row| row.status = "CLOSED".into()),
        (11, |_| {}),
        (12, |row| row.status = "IN_PROGRESS".into()),
        (13, |row| row.provider = Some("north".to_owned())),
        (14, |row| {
            row.assignee = Some(agent(1).to_string());
            (row.assignee_email, row.assignee_name) = (Some("ben@acme.example".into()), Some("ben".into()));
        }),
        (15, |_| {}),
        (16, |row| {
            row.response_kind = Some("next".to_owned());
            row.response_due_micros = Some(micros(901));
        }),
        // Of no promise that is open.
        (17, |_| {}),
        (18, |_| {}),
        (19, |_| {}),
        (20, |_| {}),
        (21, |row| (row.status, row.merged_into) = ("CLOSED".into(), Some(case(1).to_string()))),
        (22, |row| row.status = "IN_PROGRESS".into()),
        (23, |_| {}),
        (24, |_| {}),
        // Of no solution.
        (25, |_| {}),
        (26, |_| {}),
        (27, |_| {}),
        (28, |_| {}),
        (29, |_| {}),
        (30, |_| {}),
        (31, |_| {}),
        (32, |row| row.status = "SOLUTION_PROVIDED".into()),
        (33, |_| {}),
        (34, |_| {}),
        (35, |_| {}),
        (36, |_| {}),
    ];
    let before = row_after(&[filed(0)]).await;
    for (kind, change) in changes {
        let after = row_after(&[filed(0), Fact::of_case(0, case_event(kind, 1))]).await;
        let mut expected = before.clone();
        change(&mut expected);
        (expected.revision, expected.customer_revision) = (1, 1);
        (expected.updated_at_micros, expected.customer_updated_at_micros) = (micros(1), micros(1));
        assert_eq!(after, expected, "event {kind}");
    }
}

fn all_about(events: Vec<CaseEvent>) -> Vec<Fact> {
    [filed(0)].into_iter().chain(events.into_iter().map(|event| Fact::of_case(0, event).heard())).collect()
}

/// R-ROUTE-1.
async fn r_route_1_a_hand_over_drops_whoever_had_the_case_and_routing_it_to_the_same_does_not() {
    let (north, south) = (CaseEvent::from(routed("north")), CaseEvent::from(routed("south")));
    let ann = CaseEvent::from(assigned(2));
    let taken = CaseEvent::from(CaseUnassigned { agent: agent(2) });
    let shown = async |events: Vec<CaseEvent>| {
        let row = row_after(&all_about(events)).await;
        assert_eq!(row.customer_revision, 0, "customers learn of none");
        assert_eq!(row.assignee.is_some(), row.assignee_email.is_some() && row.assignee_name.is_some());
        (row.provider.unwrap(), row.default_queue, row.assignee_name)
    };
    let here = |provider: &str, default_queue, name: Option<&str>| {
        (provider.to_owned(), default_queue, name.map(str::to_owned))
    };
    let assigned = vec![north.clone(), ann.clone()];
    assert_eq!(shown(vec![north.clone()]).await, here("north", false, None));
    assert_eq!(shown(assigned.clone()).await, here("north", false, Some("ann")));
    let then = |event: &CaseEvent| assigned.iter().chain([event]).cloned().collect::<Vec<_>>();
    assert_eq!(shown(then(&taken)).await, here("north", false, None));
    assert_eq!(shown(then(&north)).await, here("north", false, Some("ann")));
    assert_eq!(shown(then(&south)).await, here("south", true, None));
}

/// R-RESPONSE-1.
async fn r_response_1_a_promise_stands_until_it_is_kept_and_the_first_verdict_stays() {
    use ResponseKind::{First, Next};
    let set = |kind| CaseEvent::from(response_set(kind, 500));
    let clock = |kind| CaseEvent::from(clock_set(kind, 500, 400));
    let missed = |kind| CaseEvent::from(ResponseMissed { kind, due_at: at(500) });
    let given =
        |kind, on_time| CaseEvent::from(ResponseGiven { kind, due_at: at(500), at: at(600), on_time });
    let (due, warn) = (Some(micros(500)), Some(micros(400)));
    for (events, kind, times, is_missed, first) in [
        (vec![set(First), clock(First)], Some("first"), (due, warn), false, None),
        (vec![set(First), clock(First), missed(First)], Some("first"), (due, warn), true, Some(false)),
        (vec![set(First), clock(First), given(First, true)], None, (None, None), false, Some(true)),
        (vec![set(First), missed(First), given(First, false)], None, (None, None), false, Some(false)),
        (vec![given(First, true), set(Next), missed(Next)], Some("next"), (due, None), true, Some(true)),
        (
            vec![given(First, true), set(Next), missed(Next), set(Next)],
            Some("next"),
            (due, None),
            false,
            Some(true),
        ),
        (vec![set(First), clock(First), closed().into()], None, (None, None), false, None),
    ] {
        let row = row_after(&all_about(events.clone())).await;
        assert_eq!(row.response_kind.as_deref(), kind, "{events:?}");
        assert_eq!((row.response_due_micros, row.response_warn_micros), times, "{events:?}");
        assert_eq!((row.response_missed, row.first_response_on_time), (is_missed, first), "{events:?}");
    }
}

async fn a_merged_case_points_to_where_it_goes_on_until_that_is_undone() {
    let target = case(3);
    let merged = CaseEvent::from(CaseMerged { target, escalation_ended: true });
    let before = vec![case_event(5, 1), response_set(ResponseKind::First, 500).into()];
    let events = [before, vec![merged]].concat();
    let row = row_after(&all_about(events.clone())).await;
    assert_eq!((&*row.status, row.merged_into), ("CLOSED", Some(target.to_string())));
    assert_eq!((row.escalated, row.response_kind), (false, None));
    let undone = [events, vec![MergeUndone { target }.into()]].concat();
    let row = row_after(&all_about(undone)).await;
    assert_eq!((&*row.status, row.merged_into), ("IN_PROGRESS", None));
}

async fn an_announced_closing_is_shown_until_somebody_answers() {
    let announced = |closes| CaseEvent::from(ClosingAnnounced { solution: 1, closes_at: at(closes) });
    let base = vec![solved(1).into(), announced(800)];
    let closes =
        async |then: Vec<CaseEvent>| row_after(&all_about([base.clone(), then].concat())).await.closes_micros;
    assert_eq!(closes(vec![]).await, Some(micros(800)));
    assert_eq!(closes(vec![case_event(0, 1)]).await, Some(micros(800)), "a comment alone changes no status");
    for answer in [case_event(1, 1), case_event(8, 1), solved(2).into(), closed().into()] {
        assert_eq!(closes(vec![answer.clone()]).await, None, "{answer:?}");
        let late = closes(vec![answer.clone(), announced(900)]).await;
        let unanswered = matches!(answer, CaseEvent::SolutionProposed(_));
        assert_eq!(late, unanswered.then(|| micros(900)), "{answer:?}");
    }
}

/// R-ESC-2.
async fn r_esc_2_an_escalation_ends_when_it_is_resolved_or_the_case_is_closed() {
    for (kind, escalated) in [(6, true), (7, false), (10, false), (0, true)] {
        let facts = [5, kind].map(|kind| Fact::of_case(0, case_event(kind, 1)));
        assert_eq!(row_after(&[&[filed(0)], &facts[..]].concat()).await.escalated, escalated, "event {kind}");
    }
}

/// R-COMMENT-3.
async fn r_comment_3_what_is_for_support_moves_the_revision_but_not_the_customers() {
    let internal = Fact::of_case(0, case_event(4, 1)).for_support();
    let row = row_after(&[filed(0), commented(0, 1), internal]).await;
    assert_eq!((row.revision, row.updated_at_micros), (2, micros(2)));
    assert_eq!((row.customer_revision, row.customer_updated_at_micros), (1, micros(1)));
}

/// R-COMMENT-3.
async fn r_comment_3_a_note_for_support_and_its_attachment_are_not_in_the_history() {
    let attached = Fact::of_case(0, attachment(3)).for_support();
    let world = World::given(&[filed(0), commented(0, 1), commented(0, 2).for_support(), attached]).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let page = running.comments().list(&all_of("acme"), &acme(), case(0), None, 10).await.unwrap().unwrap();
    assert_eq!(page.comments.len(), 1, "{page:?}");
    let note = running.comments().get(&all_of("acme"), &acme(), case(0), comment_id(2)).await.unwrap();
    assert_eq!(note, None);
    let attachments = AttachmentQueries::new(running.models.database().clone());
    let page = attachments.list(&all_of("acme"), &acme(), case(0), None, 10).await.unwrap().unwrap();
    assert_eq!(page.attachments, []);
}

/// R-COMMENT-1.
async fn r_comment_1_comments_of_both_sides_and_of_older_releases_stand_in_one_history() {
    let world = World::given(&[filed(0)]).await;
    let mut old = CommentAddedV1 { comment: comment_id(1), body: text("old"), author: contact("bob") };
    let comment = &mut comment(1, "old");
    world.sealer.prepare_seal(&subjects_to_seal(comment)).await.unwrap();
    seal_all::<SealError>(comment, |subject, plain| world.sealer.seal(subject, plain)).unwrap();
    (old.body, old.author) = (comment.body.clone(), comment.author.clone());
    let stream = format!("case-{}", case(0));
    let answer =
        dossier_domain::case::CommentAdded { side: Side::Support, ..crate::samples::comment(2, "new") };
    world
        .append(&[
            Fact::raw(&stream, "CommentAdded", 1, &serde_json::to_vec(&old).unwrap()),
            Fact::of_case(0, answer),
        ])
        .await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let page = running.comments().list(&all_of("acme"), &acme(), case(0), None, 10).await.unwrap().unwrap();
    let told: Vec<_> = page
        .comments
        .iter()
        .map(|row| (row.sequence, row.body.as_deref().unwrap(), &*row.side, row.created_at_micros))
        .collect();
    assert_eq!(told, [(2, "old", "customer", micros(1)), (3, "new", "support", micros(2))]);
    assert_eq!(page.comments[0].author_email.as_deref(), Some("bob@acme.example"));
}

async fn texts_come_out_as_they_went_in() {
    for odd in
        ["", "\0", "a\0b", "\u{1}\u{7f}\u{2028}", "\"'\\\n\r\t", "🦀 ÿ 漢", "123", "null", "{\"a\":[1]}"]
    {
        let filing = CaseFiled { title: text(odd), description: text(odd), ..filing(0) };
        let world = World::given(&[Fact::of_case(0, filing), Fact::of_case(0, comment(1, odd))]).await;
        let running = world.run().await;
        running.caught_up(world.store_head().await).await;
        let row = running.cases().get(&all_of("acme"), &acme(), case(0)).await.unwrap().unwrap();
        let shown = &*engines::storable(odd);
        assert_eq!((row.title.as_deref(), row.description.as_deref()), (Some(shown), Some(shown)), "{odd:?}");
        let page =
            running.comments().list(&all_of("acme"), &acme(), case(0), None, 10).await.unwrap().unwrap();
        assert_eq!(page.comments[0].body.as_deref(), Some(shown), "{odd:?}");
        // What is searched for is told in words in the same way.
        let condition = CaseCondition::Text(odd.to_owned());
        let page = running.cases().list(&all_of("acme"), Some(&acme()), &condition, None, 9).await.unwrap();
        let has_words = odd.chars().any(char::is_alphanumeric);
        assert_eq!(page.cases.len(), usize::from(has_words), "{odd:?}");
    }
}

async fn values_of_somebody_erased_are_shown_as_none() {
    let filing = CaseFiled {
        contact_email: Some(text("reach@acme.example")),
        subscribers: vec![text("one@acme.example"), contact_text("bob")],
        ..filing(0)
    };
    let world = World::given(&[Fact::of_case(0, filing), commented(0, 1)]).await;
    world.sealer.erase(alice().as_str()).await.unwrap();
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let row = running.cases().get(&all_of("acme"), &acme(), case(0)).await.unwrap().unwrap();
    assert_eq!((row.title.clone(), row.description.clone(), row.contact_email.clone()), (None, None, None));
    assert_eq!(row.subscribers(), ["bob"], "others' values stay");
    assert_eq!(row.filer_name.as_deref(), Some("alice"), "under the filer's own key");
    let comment =
        running.comments().get(&all_of("acme"), &acme(), case(0), comment_id(1)).await.unwrap().unwrap();
    assert_eq!((comment.body, comment.author_name.as_deref()), (None, Some("bob")));
}

fn contact_text(name: &str) -> dossier_domain::Personal<String> {
    dossier_domain::Personal::new(contact(name).subject().clone(), name.to_owned())
}

proptest! {
    #![proptest_config(few(24))]

    /// A command's answer, told from the fold, and a query's, told from the row, are the same.
    #[test]
    fn the_row_of_a_case_is_the_row_of_its_fold(facts in any_history(60)) {
        block_on_each_engine(async || {
            let world = World::given(&facts).await;
            let running = world.run().await;
            running.caught_up(world.store_head().await).await;
            for number in 0..6 {
                let stream = format!("case-{}", case(number));
                let mut state = CaseState::default();
                let (mut revision, mut updated, mut seen, mut seen_at) = (0, at(0), 0, at(0));
                let of_case = facts.iter().zip(0..).filter(|(fact, _)| fact.stream.as_str() == stream);
                for ((fact, second), number) in of_case.zip(0_u64..) {
                    let FactEvent::Case(event) = &fact.event else { unreachable!() };
                    state.evolve(event, at(second));
                    (revision, updated) = (number, at(second));
                    if fact.audience == Audience::Customer {
                        (seen, seen_at) = (number, at(second));
                    }
                }
                let Some(folded) = state.filed() else { continue };
                let of_fold = CaseRow::of_case(folded, Revision(revision), Revision(seen), updated, seen_at);
                let scope = all_of(folded.organization.as_str());
                let row = running.cases().get(&scope, &folded.organization, folded.id).await.unwrap().unwrap();
                // The fold does not keep whether it went to the default queue.
                assert_eq!(CaseRow { sequence: 0, default_queue: false, ..row }, of_fold);
            }
        });
    }
}

on_each_engine!(
    r_case_1_a_filing_is_shown_with_all_that_was_given,
    every_event_changes_what_it_says_and_nothing_else,
    r_route_1_a_hand_over_drops_whoever_had_the_case_and_routing_it_to_the_same_does_not,
    r_response_1_a_promise_stands_until_it_is_kept_and_the_first_verdict_stays,
    a_merged_case_points_to_where_it_goes_on_until_that_is_undone,
    an_announced_closing_is_shown_until_somebody_answers,
    r_esc_2_an_escalation_ends_when_it_is_resolved_or_the_case_is_closed,
    r_comment_3_what_is_for_support_moves_the_revision_but_not_the_customers,
    r_comment_3_a_note_for_support_and_its_attachment_are_not_in_the_history,
    r_comment_1_comments_of_both_sides_and_of_older_releases_stand_in_one_history,
    texts_come_out_as_they_went_in,
    values_of_somebody_erased_are_shown_as_none,
);
