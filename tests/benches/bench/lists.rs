//! Lists, searches and counts among many cases, on SQLite and on PostgreSQL, each beside the bare statement on the same rows.
//!
//! `DOSSIER_BENCH_CASES` says how many cases there are, and `DOSSIER_BENCH_POSTGRES_CASES` how many on PostgreSQL where that
//! differs; half of them are acme's. The rows are written by the projectors,
//! from events that follow from the number of the case alone.

use std::time::{Duration, Instant};

use dossier_domain::access::Entitlement;
use dossier_domain::case::{
    CaseClosed, CaseEvent, CaseFiled, ClassificationRef, CommentAdded, PriorityChanged,
};
use dossier_domain::catalogue::Priority;
use dossier_domain::{
    CaseId, CommentId, Contact, OrganizationId, Personal, PlanId, ProductId, Side, Subject, VisibilityScope,
};
use dossier_eventlog::contract::servers::Postgres;
use dossier_eventlog::{Audience, EventId, InProcessBus, Metadata, Position, Revision, StreamName};
use dossier_projections::case_history::{CaseHistory, CommentQueries};
use dossier_projections::cases::{CaseCondition, CaseQueries, Cases, CountBy};
use dossier_projections::reseller_visibility::ResellerVisibility;
use dossier_projections::{
    LogFollower, PostgresOptions, ProjectedEvent, ReadEvent, ReadLocation, ReadModel, ReadModels,
};
use jiff::Timestamp;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, SqliteConnection};
use ulid::Ulid;
use uuid::Uuid;

use crate::Row;
use crate::load::percentile;
use crate::queues;
use crate::write_side::{World, acme};

const DEFAULT_CASES: u64 = 1_000_000;
/// Cases whose events are taken in with one transaction.
const BATCH_CASES: u64 = 2_000;
/// Positions of the log from one filing to the next.
pub(crate) const STEP: u64 = 8;
const OTHERS: u64 = 1_000;
const COMMENTS: u64 = 500;
pub(crate) const PAGE: u32 = 50;
/// Each question is asked so often, or for so long.
const QUESTIONS: u64 = 400;
const LONGEST: Duration = Duration::from_secs(10);

/// Measures on both engines.
pub(crate) async fn rows() {
    let wanted = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let cases = wanted("DOSSIER_BENCH_CASES").unwrap_or(DEFAULT_CASES);
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("read.db");
    let models = filled("SQLite", &ReadLocation::sqlite(&path), cases).await;
    let raw = Raw::Sqlite(SqliteConnectOptions::new().filename(&path).connect().await.unwrap());
    questions("SQLite", &models, raw, cases).await;
    models.database().close().await;
    drop(folder);
    let cases = wanted("DOSSIER_BENCH_POSTGRES_CASES").unwrap_or(cases);
    let server = Postgres::start(&[("shared_buffers", "512MB"), ("max_wal_size", "4GB")]);
    let options = PostgresOptions::new(server.fresh_database());
    let models = filled("PostgreSQL", &ReadLocation::Postgres(options.clone()), cases).await;
    let connect: PgConnectOptions = options.url.parse().unwrap();
    let mut raw = connect.options([("search_path", &options.schema)]).connect().await.unwrap();
    sqlx::query("ANALYZE").execute(&mut raw).await.unwrap();
    questions("PostgreSQL", &models, Raw::Postgres(raw), cases).await;
    models.database().close().await;
}

/// A connection for bare statements.
pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    /// The statement for this engine, and how many rows it answers.
    pub(crate) async fn ask(&mut self, statement: &Statement) -> usize {
        match self {
            Self::Sqlite(connection) => sqlx::query(AssertSqlSafe(statement.sqlite.clone()))
                .fetch_all(connection)
                .await
                .unwrap()
                .len(),
            Self::Postgres(connection) => sqlx::query(AssertSqlSafe(statement.postgres.clone()))
                .fetch_all(connection)
                .await
                .unwrap()
                .len(),
        }
    }
}

/// What a bare statement asks for: cases that fulfil a condition, or with words, as FTS5 and as a tsquery.
enum Bare {
    Cases(&'static str),
    Words(&'static str, &'static str),
}

/// A bare statement. In PostgreSQL it names the tables of the generation.
pub(crate) struct Statement {
    pub(crate) sqlite: String,
    pub(crate) postgres: String,
}

impl Statement {
    fn of_cases(condition: &str, before: i64) -> Self {
        let of = |table: &str| {
            format!(
                "SELECT * FROM {table} WHERE organization = 'acme' AND {condition} AND sequence < {before}
                 ORDER BY sequence DESC LIMIT {}",
                PAGE + 1
            )
        };
        Self { sqlite: of("cases"), postgres: of("cases_g1") }
    }

    fn of_words(matching: &str, terms: &str, before: i64) -> Self {
        let limit = PAGE + 1;
        let sqlite = format!(
            "SELECT DISTINCT cases.* FROM case_words CROSS JOIN cases
             WHERE words MATCH '\":o:acme\" AND {matching}' AND text_number < {before} << 20
             AND organization = 'acme' AND sequence = text_number >> 20 ORDER BY text_number DESC LIMIT {limit}"
        );
        let postgres = format!(
            "SELECT * FROM cases_g1 WHERE organization = 'acme' AND sequence < {before} AND EXISTS (
                SELECT 1 FROM case_texts_g1 WHERE case_texts_g1.sequence = cases_g1.sequence
                AND terms @@ '{terms}') ORDER BY sequence DESC LIMIT {limit}"
        );
        Self { sqlite, postgres }
    }
}

async fn questions(engine: &str, models: &ReadModels, mut raw: Raw, cases: u64) {
    let queries = CaseQueries::new(models.database().clone());
    let comments = CommentQueries::new(models.database().clone());
    let scope = VisibilityScope::Organization { organization: acme(), products: None };
    let head = i64::try_from(cases * STEP).unwrap();
    let acmes = i64::try_from(cases.div_ceil(2)).unwrap();
    // Somewhere in the newer half.
    let before = |number: u64| head - i64::try_from(mixed(number) % (cases * STEP / 2)).unwrap();
    let text = |text: &str| CaseCondition::Text(text.to_owned());
    let and = |one: CaseCondition, other: CaseCondition| CaseCondition::And(vec![one, other]);
    let lists = [
        ("an organization's list", CaseCondition::anything(), Bare::Cases("TRUE")),
        ("its open cases", CaseCondition::Open, Bare::Cases("status <> 'CLOSED'")),
        (
            "its open cases of P1",
            and(CaseCondition::Open, CaseCondition::Priority(Priority::P1)),
            Bare::Cases("status <> 'CLOSED' AND priority = 1"),
        ),
        ("search, a rare word", text("quokka"), Bare::Words("quokka", r"quokka & \:o\:acme")),
        ("search, a word of 2 cases in 10", text("network"), Bare::Words("network", r"network & \:o\:acme")),
        ("search, its beginning", text("netwo"), Bare::Words("netwo*", r"netwo:* & \:o\:acme")),
        (
            "search, two common words side by side",
            text("network timeout"),
            Bare::Words("\"network timeout\"", r"network & timeout & \:o\:acme"),
        ),
        (
            "search, a common word and open",
            and(text("network"), CaseCondition::Open),
            Bare::Words("network", r"network & \:o\:acme"),
        ),
    ];
    for (work, condition, bare) in &lists {
        let statement = |number| match bare {
            Bare::Words(matching, terms) => Statement::of_words(matching, terms, before(number)),
            Bare::Cases(condition) => Statement::of_cases(condition, before(number)),
        };
        let mut times = Times::default();
        while times.go_on() {
            let number = times.count();
            let asked = Instant::now();
            let at = Some(before(number));
            let page = queries.list(&scope, Some(&acme()), condition, at, PAGE).await.unwrap();
            times.ours.push(asked.elapsed());
            std::hint::black_box(page);
            let statement = statement(number);
            let asked = Instant::now();
            raw.ask(&statement).await;
            times.raw.push(asked.elapsed());
        }
        times.print(&format!("{work}, {cases} cases, {engine}"));
    }
    for (work, by, column) in
        [("counts by state", CountBy::State, "status"), ("counts by product", CountBy::Product, "product")]
    {
        let of = |table: &str| {
            format!("SELECT {column}, sum(cases) FROM {table} WHERE organization = 'acme' GROUP BY 1")
        };
        let statement = Statement { sqlite: of("case_counts"), postgres: of("case_counts_g1") };
        let mut times = Times::default();
        while times.go_on() {
            let asked = Instant::now();
            let counts = queries.counts(&scope, Some(&acme())).await.unwrap().by(by);
            times.ours.push(asked.elapsed());
            assert_eq!(counts.iter().map(|count| count.cases).sum::<i64>(), acmes);
            let asked = Instant::now();
            raw.ask(&statement).await;
            times.raw.push(asked.elapsed());
        }
        times.print(&format!("{work}, {cases} cases, {engine}"));
    }
    let long = case_id(0);
    let of =
        |table: &str| format!("SELECT * FROM {table} WHERE case_id = '{long}' ORDER BY sequence LIMIT 501");
    let statement = Statement { sqlite: of("case_comments"), postgres: of("case_comments_g1") };
    let mut times = Times::default();
    while times.go_on() {
        let asked = Instant::now();
        let row = queries.get(&scope, &acme(), long).await.unwrap();
        let page = comments.list(&scope, &acme(), long, None, 500).await.unwrap().unwrap();
        times.ours.push(asked.elapsed());
        assert!(row.is_some() && page.comments.len() == 500);
        let asked = Instant::now();
        raw.ask(&statement).await;
        times.raw.push(asked.elapsed());
    }
    times.print(&format!("a case with {COMMENTS} comments, {engine}"));
    queues::questions(engine, &queries, &mut raw, cases).await;
}

/// How long answers took, and bare ones.
#[derive(Default)]
pub(crate) struct Times {
    began: Option<Instant>,
    pub(crate) ours: Vec<Duration>,
    pub(crate) raw: Vec<Duration>,
}

impl Times {
    pub(crate) fn count(&self) -> u64 {
        self.ours.len() as u64
    }

    pub(crate) fn go_on(&mut self) -> bool {
        let began = *self.began.get_or_insert_with(Instant::now);
        self.ours.is_empty() || self.count() < QUESTIONS && began.elapsed() < LONGEST
    }

    pub(crate) fn print(mut self, work: &str) {
        let (p50, p99) = (percentile(&mut self.ours, 50), percentile(&mut self.ours, 99));
        let (raw_p50, raw_p99) = (percentile(&mut self.raw, 50), percentile(&mut self.raw, 99));
        let note = format!("p50 {p50:.2} ms; bare p50 {raw_p50:.2}, p99 {raw_p99:.2} ms");
        Row::new(format!("p99 of {work}"), p99, "ms").aim(50.0).note(note).print();
    }
}

/// Read models with the rows of so many cases.
async fn filled(engine: &str, location: &ReadLocation, cases: u64) -> ReadModels {
    let world = World::new().await;
    let follower = LogFollower {
        store: world.store.clone(),
        bus: std::sync::Arc::new(InProcessBus::new(16)),
        sealer: world.sealer.clone(),
    };
    let models: Vec<Box<dyn ReadModel>> =
        vec![Box::new(Cases), Box::new(CaseHistory), Box::new(ResellerVisibility)];
    let models = ReadModels::open_with(location, follower, models).await.unwrap();
    let (started, mut count) = (Instant::now(), 0);
    for batch in 0..cases.div_ceil(BATCH_CASES) {
        let numbers = batch * BATCH_CASES..((batch + 1) * BATCH_CASES).min(cases);
        let events: Vec<ProjectedEvent> = numbers.flat_map(history).collect();
        count += events.len();
        for model in ["cases", "case_history"] {
            models.take_in(model, &events).await.unwrap();
        }
    }
    // At the end of the log, as they come.
    let more: Vec<ProjectedEvent> = (0..COMMENTS)
        .map(|number| {
            projected(0, 100 + number, cases * STEP + number, comment(1 << 40 | number, "and again"))
        })
        .collect();
    models.take_in("cases", &more).await.unwrap();
    models.take_in("case_history", &more).await.unwrap();
    let seconds = started.elapsed().as_secs_f64();
    Row::new(format!("rows of {cases} cases, {engine}"), count as f64 / seconds, "events/s").print();
    models
}

/// What happened to a case: filed, perhaps commented on, and four of five closed.
fn history(number: u64) -> Vec<ProjectedEvent> {
    let mut told: Vec<CaseEvent> = vec![filing(number).into()];
    told.extend(queues::worked_on(number));
    if number.is_multiple_of(3) {
        told.push(comment(number, &sentence(mixed(number ^ 7), 40)));
    }
    if number.is_multiple_of(9) {
        let (from, to) = (Priority::P3, Priority::P2);
        told.push(PriorityChanged { from, to, side: Side::Customer, reason: None }.into());
    }
    if !number.is_multiple_of(5) {
        let reopen_window_ends_at = Timestamp::UNIX_EPOCH;
        let closing = CaseClosed {
            closing: 1,
            side: Side::Customer,
            reopen_window_ends_at,
            escalation_ended: false,
            automatic: false,
        };
        told.push(closing.into());
    }
    let told = told.into_iter().zip(0..);
    told.map(|(event, index)| projected(number, index, number * STEP + index, event)).collect()
}

fn projected(number: u64, revision: u64, position: u64, event: CaseEvent) -> ProjectedEvent {
    ProjectedEvent {
        event_id: EventId(Uuid::from_u128(u128::from(position))),
        position: Position(position + 1),
        stream: StreamName::new(&format!("case-{}", case_id(number))).unwrap(),
        revision: Revision(revision),
        recorded_at: Timestamp::from_second(1_700_000_000 + i64::try_from(position).unwrap()).unwrap(),
        metadata: Metadata {
            command_id: Uuid::nil(),
            fingerprint: "f".into(),
            actor: "a".to_owned(),
            acting_for: None,
            organization: None,
            audience: Audience::Customer,
            occurred_at: None,
            correlation_id: "bench".to_owned(),
            causation_id: None,
            access_revision: None,
        },
        event: ReadEvent::Case(event),
    }
}

fn case_id(number: u64) -> CaseId {
    CaseId(Ulid::from(u128::from(number) << 64 | u128::from(mixed(number))))
}

fn text(text: String) -> Personal<String> {
    Personal::new(Subject::contact(1), text)
}

fn filing(number: u64) -> CaseFiled {
    let seed = mixed(number);
    let organization = match number % 2 {
        0 => acme(),
        _ => OrganizationId::new(&format!("customer-{}", seed % OTHERS)).unwrap(),
    };
    let product = ProductId::new(if seed.is_multiple_of(3) { "storage" } else { "compute" }).unwrap();
    let contact = Contact { email: format!("p{}@acme.example", seed % 50), display_name: "P".to_owned() };
    let mut description = sentence(seed, 40);
    if mixed(seed ^ 1).is_multiple_of(5) {
        description.push_str(" the network timeout came back");
    }
    if number % 100_000 == 2 {
        description.push_str(" quokka");
    }
    CaseFiled {
        case: case_id(number),
        organization,
        product: product.clone(),
        classification: ClassificationRef {
            id: format!("{product}-{}", seed % 7),
            display_name: "Something".to_owned(),
        },
        title: text(sentence(mixed(seed ^ 2), 6)),
        description: text(description),
        priority: Priority::ALL[usize::try_from(seed / 7 % 5).unwrap()],
        language: "en".to_owned(),
        time_zone: None,
        contact_email: None,
        subscribers: Vec::new(),
        test_case: false,
        problem: None,
        filer: Personal::new(Subject::contact(2), contact),
        side: Side::Customer,
        manager: None,
        access_revision: None,
        entitlement: Entitlement {
            product,
            plan: PlanId::new("gold").unwrap(),
            from: Timestamp::UNIX_EPOCH,
            until: None,
        },
        channel: None,
        follow_up_of: None,
        help: None,
        imported_from: None,
        known_issue: None,
    }
}

fn comment(number: u64, body: &str) -> CaseEvent {
    let author = Contact { email: "bob@acme.example".to_owned(), display_name: "Bob".to_owned() };
    let comment = CommentId(Ulid::from(u128::from(number) + 1));
    let author = Personal::new(Subject::contact(3), author);
    CommentAdded { comment, body: text(body.to_owned()), author, side: Side::Customer }.into()
}

/// Words of a language of 40,000, some much more common than others.
fn sentence(seed: u64, words: u64) -> String {
    let word = |index: u64| {
        let drawn = mixed(seed ^ index << 8);
        // The square of a number between 0 and 1 is mostly small.
        let part = drawn % 200;
        format!("w{:x}", part * part + mixed(drawn) % 40)
    };
    (0..words).map(word).collect::<Vec<_>>().join(" ")
}

/// A number that follows from another and looks random.
pub(crate) fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
