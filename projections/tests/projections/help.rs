//! Sessions with the help assistant, and feedback: what support and those who ask see of them.

use dossier_domain::feedback::FeedbackSent;
use dossier_domain::help_session::{
    HelpDeclined, HelpSession, HelpSessionBecameCase, HelpSessionEvent, HelpSessionSolved,
    HelpSessionStarted, HelpStep, ProblemDescribed, ProblemKindChosen, SearchStartedAgain, SteppedBack,
    Suggestion, SuggestionKind, SuggestionOpened,
};
use dossier_domain::{AccountId, Contact, FeedbackId, HelpSessionId, Personal, Subject};
use dossier_projections::feedback::FeedbackQueries;
use dossier_projections::help_sessions::{HelpSessionQueries, HelpStats};
use ulid::Ulid;

use crate::samples::*;
use crate::world::{Running, World};

fn account(number: u128) -> AccountId {
    AccountId(Ulid::from(number))
}

fn session(number: u128) -> HelpSessionId {
    HelpSessionId(Ulid::from(number))
}

fn article(id: &str) -> Suggestion {
    Suggestion { kind: SuggestionKind::Article, id: id.to_owned() }
}

fn started(number: u128) -> HelpSessionStarted {
    HelpSessionStarted {
        session: session(number),
        organization: acme(),
        user: account(1),
        language: "en".to_owned(),
        product: None,
    }
}

fn described(text_said: &str, articles: &[&str], again: bool) -> HelpSessionEvent {
    let suggested = articles.iter().map(|id| article(id)).collect();
    ProblemDescribed { text: text(text_said), suggested, again }.into()
}

/// Something that happens with the assistant or as feedback, whatever came before.
pub(crate) fn help_fact(kind: u8, number: u64) -> Fact {
    let id = session(u128::from(kind % 2) + 1);
    let event: HelpSessionEvent = match kind % 9 {
        0 => started(u128::from(kind % 2) + 1).into(),
        1 => described(&format!("problem {number}"), &["restart", "disk"], false),
        2 => SuggestionOpened { suggestion: article("disk") }.into(),
        3 => HelpDeclined { next: HelpStep::RecentCases, recent_cases: vec![case(1), case(2)] }.into(),
        4 => SteppedBack { to: HelpStep::Suggestions }.into(),
        5 => SearchStartedAgain {}.into(),
        6 => ProblemKindChosen { kind: "slow".to_owned(), product: Some(product("compute")) }.into(),
        7 => HelpSessionSolved { at: HelpStep::Suggestions, by: Some(article("disk")) }.into(),
        _ => return Fact::of_feedback(FeedbackId(Ulid::from(u128::from(number))), feedback(number)),
    };
    Fact::of_help(id, event)
}

fn feedback(number: u64) -> FeedbackSent {
    let subject = Subject::account(account(1));
    let contact = Contact { email: "alice@acme.example".to_owned(), display_name: "Alice".to_owned() };
    FeedbackSent {
        feedback: FeedbackId(Ulid::from(u128::from(number))),
        sender: account(1),
        contact: Personal::new(subject.clone(), contact),
        text: Personal::new(subject, format!("feedback {number}")),
    }
}

on_each_engine!(
    r_help_2_a_session_is_read_by_whoever_began_it_as_the_domain_folds_it,
    r_help_1_what_was_shown_read_and_of_help_is_counted_by_article_and_month,
    r_feedback_1_feedback_is_listed_newest_first_in_pages,
);

fn sessions(running: &Running) -> HelpSessionQueries {
    HelpSessionQueries::new(running.models.database().clone())
}

fn told(stats: &HelpStats) -> (Vec<String>, Vec<String>) {
    let suggestions = stats.suggestions.iter().map(|counts| {
        let (shown, opened, helped) = (counts.shown, counts.opened, counts.helped);
        format!("{} {} {} {shown} {opened} {helped}", counts.month, counts.kind, counts.item)
    });
    let sessions = stats
        .sessions
        .iter()
        .map(|counts| format!("{} {} {}", counts.month, counts.outcome, counts.sessions));
    (suggestions.collect(), sessions.collect())
}

async fn r_help_2_a_session_is_read_by_whoever_began_it_as_the_domain_folds_it() {
    let events = [
        HelpSessionEvent::from(started(1)),
        described("It is slow", &["restart", "disk"], false),
        SuggestionOpened { suggestion: article("disk") }.into(),
    ];
    let facts: Vec<_> = events.iter().map(|event| Fact::of_help(session(1), event.clone())).collect();
    let world = World::given(&facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let mut expected = HelpSession::default();
    for (event, second) in events.iter().zip(0..) {
        dossier_domain::Aggregate::evolve(&mut expected, event, at(second));
    }
    let queries = sessions(&running);
    let found = queries.get(&acme(), account(1), session(1)).await.unwrap();
    assert_eq!(found, Some(expected));
    assert_eq!(queries.get(&acme(), account(2), session(1)).await.unwrap(), None, "somebody else's");
    let elsewhere = organization("globex");
    assert_eq!(queries.get(&elsewhere, account(1), session(1)).await.unwrap(), None);
    running.stop().await;
}

async fn r_help_1_what_was_shown_read_and_of_help_is_counted_by_article_and_month() {
    let of = |number, event: HelpSessionEvent| Fact::of_help(session(number), event);
    let ended = HelpSessionBecameCase { case: case(1), continued: false };
    let facts = [
        of(1, started(1).into()),
        of(1, described("It is slow", &["restart", "disk"], false)),
        of(1, SuggestionOpened { suggestion: article("disk") }.into()),
        of(1, HelpSessionSolved { at: HelpStep::Suggestions, by: Some(article("disk")) }.into()),
        of(2, started(2).into()),
        of(2, described("It is full", &["disk"], false)),
        of(2, described("It is still full", &["disk", "mail"], true)),
        of(2, ended.into()),
        of(3, started(3).into()),
    ];
    let world = World::given(&facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let stats = sessions(&running).stats(None).await.unwrap();
    let (suggestions, outcomes) = told(&stats);
    assert_eq!(
        suggestions,
        ["2023-11 article disk 2 1 1", "2023-11 article mail 1 0 0", "2023-11 article restart 1 0 0"]
    );
    assert_eq!(outcomes, ["2023-11 case 1", "2023-11 open 1", "2023-11 solved 1"]);
    assert_eq!(sessions(&running).stats(Some("2023-11")).await.unwrap(), stats);
    assert_eq!(sessions(&running).stats(Some("2023-12")).await.unwrap(), HelpStats::default());
    running.stop().await;
}

async fn r_feedback_1_feedback_is_listed_newest_first_in_pages() {
    let facts: Vec<_> = (1..=3)
        .map(|number| Fact::of_feedback(FeedbackId(Ulid::from(u128::from(number))), feedback(number)))
        .collect();
    let world = World::given(&facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let queries = FeedbackQueries::new(running.models.database().clone());
    let page = queries.list(None, 2).await.unwrap();
    let texts = |rows: &[dossier_projections::feedback::FeedbackRow]| {
        rows.iter().map(|row| row.text.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(texts(&page.feedback), ["feedback 3", "feedback 2"]);
    let rest = queries.list(page.next_before, 2).await.unwrap();
    assert_eq!((texts(&rest.feedback), rest.next_before), (vec!["feedback 1".to_owned()], None));
    let one = queries.get(FeedbackId(Ulid::from(2_u128))).await.unwrap().unwrap();
    assert_eq!((one.email.as_deref(), one.sent_at_micros), (Some("alice@acme.example"), micros(1)));
    running.stop().await;
}
