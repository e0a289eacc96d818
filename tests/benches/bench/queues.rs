//! Support's queues, a filtered list, and counts per queue, each beside the bare statement on the same rows. Of three cases one
//! is with each of two providers and one with none; every fifth is open; of those half are had by one of two hundred agents,
//! and most await an answer.

use std::time::Instant;

use dossier_domain::case::{
    CaseAssigned, CaseEvent, CaseRouted, ObjectiveCause, ResponseKind, ResponseObjectiveSet, RoutingCause,
};
use dossier_domain::catalogue::{Priority, ResponseObjective};
use dossier_domain::{AccountId, Contact, Personal, PlanId, ProviderId, Subject, VisibilityScope};
use dossier_projections::cases::{CaseCondition, CaseQueries, Compared, Moment};
use jiff::Timestamp;
use ulid::Ulid;

use crate::lists::{PAGE, Raw, STEP, Statement, Times, mixed};

const AGENTS: u64 = 200;
/// When the first answers are due.
const DUE_SECONDS: i64 = 1_700_000_000;

fn agent(number: u64) -> AccountId {
    AccountId(Ulid::from(u128::from(number % AGENTS) + 1))
}

fn provider(number: u64) -> Option<ProviderId> {
    let name = match number % 3 {
        0 => "north",
        1 => "south",
        _ => return None,
    };
    ProviderId::new(name).ok()
}

fn is_open(number: u64) -> bool {
    number.is_multiple_of(5)
}

/// What support did with a case before it was closed.
pub(crate) fn worked_on(number: u64) -> Vec<CaseEvent> {
    let mut told = Vec::new();
    if let Some(provider) = provider(number) {
        let cause = RoutingCause::HandOver;
        let routed =
            CaseRouted { provider, from: None, cause, default_queue: false, routing: None, reason: None };
        told.push(routed.into());
    }
    if is_open(number) && mixed(number ^ 3).is_multiple_of(2) {
        let contact = Contact { email: "agent@support.example".to_owned(), display_name: "A".to_owned() };
        let assigned = CaseAssigned {
            agent: agent(mixed(number)),
            contact: Personal::new(Subject::contact(4), contact),
            provider: provider(number),
        };
        told.push(assigned.into());
    }
    if is_open(number) && !mixed(number ^ 5).is_multiple_of(4) {
        // In any order, over two weeks.
        let second = DUE_SECONDS + i64::try_from(mixed(number ^ 6) % 1_209_600).unwrap();
        let promise = ResponseObjectiveSet {
            kind: ResponseKind::Next,
            due_at: Timestamp::from_second(second).unwrap(),
            from: Timestamp::UNIX_EPOCH,
            priority: Priority::P3,
            plan: PlanId::new("gold").unwrap(),
            objective: ResponseObjective::BusinessMinutes(480),
            cause: ObjectiveCause::Comment,
        };
        told.push(promise.into());
    }
    told
}

/// The bare statement on the cases of a provider or of none: both halves in order by themselves.
fn bare(condition: &str, order: &str) -> Statement {
    let (limit, of) = (PAGE + 1, ["'north'", "''"]);
    let half = |table: &str, provider: &str| {
        format!(
            "SELECT * FROM (SELECT * FROM {table} WHERE provider = {provider} AND {condition}
             ORDER BY {order} LIMIT {limit}) AS half"
        )
    };
    let whole = |table: &str| {
        format!("{} UNION ALL {} ORDER BY {order} LIMIT {limit}", half(table, of[0]), half(table, of[1]))
    };
    Statement { sqlite: whole("cases"), postgres: whole("cases_g1") }
}

/// Asks for each queue of an agent of north, some filtered lists, and the counts.
pub(crate) async fn questions(engine: &str, queries: &CaseQueries, raw: &mut Raw, cases: u64) {
    let scope = VisibilityScope::Provider { provider: provider(0), organization: None };
    let all = CaseCondition::And;
    let open = "status <> 'CLOSED'";
    let newest = "sequence DESC";
    let head = cases * STEP;
    let before = |number: u64| i64::try_from(head - mixed(number) % (head / 2)).unwrap();
    let mine = agent(7).to_string();
    let lists = [
        ("queue: my provider's", CaseCondition::Open, open.to_owned()),
        (
            "queue: unassigned",
            all(vec![CaseCondition::Assignee(None), CaseCondition::Open]),
            format!("assignee IS NULL AND {open}"),
        ),
        (
            "queue: mine",
            all(vec![CaseCondition::Assignee(Some(mine.clone())), CaseCondition::Open]),
            format!("assignee = '{mine}' AND {open}"),
        ),
        (
            "a provider's open cases of P1 of a product",
            all(vec![
                CaseCondition::Open,
                CaseCondition::Priority(Priority::P1),
                CaseCondition::Product("storage".to_owned()),
            ]),
            format!("{open} AND priority = 1 AND product = 'storage'"),
        ),
        ("a provider's list, closed ones too", CaseCondition::anything(), "TRUE".to_owned()),
    ];
    for (work, condition, said) in &lists {
        let mut times = Times::default();
        while times.go_on() {
            let at = before(times.count());
            let asked = Instant::now();
            let page = queries.list(&scope, None, condition, Some(at), PAGE).await.unwrap();
            times.ours.push(asked.elapsed());
            std::hint::black_box(page);
            let statement = bare(&format!("{said} AND sequence < {at}"), newest);
            let asked = Instant::now();
            raw.ask(&statement).await;
            times.raw.push(asked.elapsed());
        }
        times.print(&format!("{work}, {cases} cases, {engine}"));
    }
    breaching_soon(engine, queries, raw, cases).await;
    let soon_micros = (DUE_SECONDS + 7_200) * 1_000_000;
    let of = |cases: &str, totals: &str| {
        let sum = format!("SELECT sum(cases) FROM {totals} WHERE provider IN ('north', '') AND {open}");
        let count = |condition: &str| {
            let part =
                |provider: &str| format!("SELECT 1 FROM {cases} WHERE provider = {provider} AND {condition}");
            let both = format!("{} UNION ALL {}", part("'north'"), part("''"));
            format!("SELECT count(*) FROM ({both} LIMIT 1001) AS counted")
        };
        let (mine, due) =
            (format!("assignee = '{mine}' AND {open}"), format!("response_due_micros < {soon_micros}"));
        format!("SELECT ({sum}), ({sum} AND NOT assigned), ({}), ({})", count(&mine), count(&due))
    };
    let statement =
        Statement { sqlite: of("cases", "case_totals"), postgres: of("cases_g1", "case_totals_g1") };
    let mut times = Times::default();
    while times.go_on() {
        let soon = Timestamp::from_second(DUE_SECONDS + 7_200).unwrap();
        let asked = Instant::now();
        let counts = queries.queue_counts(&scope, &mine, soon).await.unwrap();
        times.ours.push(asked.elapsed());
        assert!(counts.open.cases > 0 && counts.unassigned.cases < counts.open.cases);
        let asked = Instant::now();
        raw.ask(&statement).await;
        times.raw.push(asked.elapsed());
    }
    times.print(&format!("counts of the four queues, {cases} cases, {engine}"));
}

async fn breaching_soon(engine: &str, queries: &CaseQueries, raw: &mut Raw, cases: u64) {
    let scope = VisibilityScope::Provider { provider: provider(0), organization: None };
    let mut times = Times::default();
    while times.go_on() {
        // As the days go by.
        let soon = DUE_SECONDS + 7_200 + i64::try_from(times.count() % 14 * 86_400).unwrap();
        let at = Timestamp::from_second(soon).unwrap();
        let asked = Instant::now();
        let page = queries.due(&scope, &CaseCondition::anything(), at, None, PAGE).await.unwrap();
        times.ours.push(asked.elapsed());
        assert!(page.cases.windows(2).all(|pair| pair[0].response_due_micros <= pair[1].response_due_micros));
        let condition = format!("response_due_micros < {}", at.as_microsecond());
        let statement = bare(&condition, "response_due_micros, sequence");
        let asked = Instant::now();
        raw.ask(&statement).await;
        times.raw.push(asked.elapsed());
    }
    times.print(&format!("queue: breaching soon, {cases} cases, {engine}"));
    let condition = CaseCondition::At(
        Moment::ResponseDue,
        Compared::Before,
        Timestamp::from_second(DUE_SECONDS + 7_200).unwrap(),
    );
    let mut times = Times::default();
    while times.go_on() {
        let asked = Instant::now();
        let page = queries.list(&scope, None, &condition, None, PAGE).await.unwrap();
        times.ours.push(asked.elapsed());
        std::hint::black_box(page);
        let micros = (DUE_SECONDS + 7_200) * 1_000_000;
        let statement = bare(&format!("response_due_micros < {micros}"), "sequence DESC");
        let asked = Instant::now();
        raw.ask(&statement).await;
        times.raw.push(asked.elapsed());
    }
    times.print(&format!("a list filtered by response_due, {cases} cases, {engine}"));
}
