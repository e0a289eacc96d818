//! Several processes on one PostgreSQL read database: one projects each model, the others stand by or look on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dossier_eventlog::contract::servers::Postgres;
use dossier_eventlog::{Position, RecordedEvent};
use dossier_projections::cases::CaseCondition;
use dossier_projections::{Engine, PostgresOptions, ProjectorState, ReadLocation, ReadModels, WaitError};
use futures::future::join_all;
use tokio::sync::Semaphore;

use crate::buses::{ScriptedBus, SilentBus};
use crate::engines::{self, on, postgres};
use crate::samples::*;
use crate::tally::{Switches, Tally};
use crate::world::{CASE_MODELS, MODELS, PATIENCE, Running, World};

async fn world(facts: &[Fact]) -> World {
    on(Engine::Postgres, World::given(facts)).await
}

fn options(world: &World) -> PostgresOptions {
    let ReadLocation::Postgres(options) = world.location() else { unreachable!("a world on PostgreSQL") };
    options
}

async fn run_sql(world: &World, sql: &'static str) {
    sqlx::raw_sql(sql).execute(&mut postgres::connect(&options(world)).await).await.unwrap();
}

async fn is(running: &Running, state: ProjectorState) {
    for model in MODELS {
        running.until(model, |status| status.state == state).await;
    }
}

#[tokio::test]
async fn of_two_processes_one_projects_and_the_other_stands_by_and_looks_on() {
    let world = world(&[filed(0)]).await;
    let bus = Arc::new(ScriptedBus::default());
    let one = world.run_on(bus.clone()).await;
    is(&one, ProjectorState::Active).await;
    let other = world.run_on(bus.clone()).await;
    is(&other, ProjectorState::StandingBy).await;
    bus.subscribed(MODELS.len()).await;
    for number in 0..20 {
        let before = world.store_head().await;
        let head = world.append(&[commented(0, number)]).await;
        bus.deliver(&world.messages_after(before).await);
        other.caught_up(head).await;
    }
    assert_eq!(other.dump().await, world.expected_dump().await);
    assert_eq!(bus.subscribers(), MODELS.len(), "who stands by is not brought anything");
    is(&one, ProjectorState::Active).await;
    is(&other, ProjectorState::StandingBy).await;
}

#[tokio::test]
async fn who_stands_by_takes_over_from_one_that_stops_at_once_and_from_one_that_dies_within_seconds() {
    let world = world(&[filed(0)]).await;
    let first = world.run().await;
    is(&first, ProjectorState::Active).await;
    let second = world.run().await;
    is(&second, ProjectorState::StandingBy).await;
    first.stop().await;
    let began = Instant::now();
    is(&second, ProjectorState::Active).await;
    assert!(began.elapsed() < options(&world).lease, "it did not wait for the lease to run out");
    let third = world.run().await;
    is(&third, ProjectorState::StandingBy).await;
    // Its tasks end in the middle of whatever they do.
    drop(second);
    let began = Instant::now();
    is(&third, ProjectorState::Active).await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let head = world.append(&[commented(0, 1)]).await;
    third.caught_up(head).await;
    assert_eq!(third.dump().await, world.expected_dump().await);
}

#[tokio::test]
async fn a_twin_that_was_paused_and_overtaken_is_fenced_and_stands_by() {
    let world = world(&[filed(0)]).await;
    // It hears of events only from the bus, and does not look at its lease for long.
    world.store.without_hint.store(true, Ordering::Relaxed);
    let bus = Arc::new(ScriptedBus::default());
    let lease = Duration::from_mins(10);
    let paused = ReadLocation::Postgres(PostgresOptions { lease, ..options(&world) });
    let follower = world.follower(bus.clone());
    let paused = Running::start(
        ReadModels::open_with(&paused, follower, vec![Box::new(Tally::default())]).await.unwrap(),
    );
    paused.caught_up(Position(1)).await;
    bus.subscribed(1).await;
    run_sql(&world, "UPDATE projector_leases SET expires_at = now() - interval '1 second'").await;
    let quick_bus = Arc::new(ScriptedBus::default());
    let quick = world.run_with(quick_bus.clone(), Tally::default()).await;
    quick.until("tally", |status| status.state == ProjectorState::Active).await;
    quick_bus.subscribed(1).await;
    let head = world.append(&[commented(0, 1), commented(0, 2)]).await;
    quick_bus.deliver(&world.messages_after(Position(1)).await);
    quick.caught_up(head).await;
    // The paused one wakes up with the first of the messages that were taken in meanwhile.
    bus.deliver(&world.messages_after(Position(1)).await[..1]);
    paused.until("tally", |status| status.state == ProjectorState::StandingBy).await;
    paused.caught_up(head).await;
    let rows = quick.dump().await;
    assert!(rows[0].ends_with("| 3 | '1 2 3'"), "{rows:?}");
}

#[tokio::test]
async fn a_process_without_projectors_sees_positions_within_milliseconds_of_their_commit() {
    let world = world(&[filed(0)]).await;
    let projecting = world.run().await;
    let observing = world.observe().await;
    observing.caught_up(Position(1)).await;
    is(&observing, ProjectorState::Observing).await;
    let mut delays = Vec::new();
    for number in 0..40 {
        let head = world.append(&[commented(0, number)]).await;
        let waited = async {
            observing.caught_up(head).await;
            Instant::now()
        };
        let projected = async {
            projecting.caught_up(head).await;
            Instant::now()
        };
        let (seen, projected) = tokio::join!(waited, projected);
        let page = observing.comments().list(&all_of("acme"), &acme(), case(0), None, 1_000).await.unwrap();
        assert_eq!(page.unwrap().comments.len() as u64, number + 1, "what was waited for is there");
        delays.push(seen.saturating_duration_since(projected));
    }
    delays.sort_unstable();
    assert!(delays[delays.len() / 2] < Duration::from_millis(10), "{delays:?}");
    // Told by nobody, it asks.
    let began = Instant::now();
    run_sql(&world, "UPDATE checkpoints SET position = 100").await;
    observing.models.wait_for(Position(100), PATIENCE).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_halt_is_seen_by_every_process_and_a_rebuild_by_any_of_them_heals_it() {
    let world = world(&[filed(0), commented(0, 1), commented(0, 2)]).await;
    let good = world.recorded().await[1].clone();
    world.store.replace(RecordedEvent { event_type: "CommentSung".into(), ..good });
    let projecting = world.run().await;
    let standing_by = world.run().await;
    let observing = world.observe().await;
    for running in [&projecting, &standing_by, &observing] {
        for model in CASE_MODELS {
            assert!(running.halted(model).await.contains("CommentSung"));
        }
    }
    is(&observing, ProjectorState::Observing).await;
    let waited = observing.models.wait_for(Position(3), PATIENCE).await;
    assert!(matches!(waited, Err(WaitError::Halted { .. })), "{waited:?}");
    world.store.restore();
    for model in CASE_MODELS {
        assert!(observing.models.rebuild(model, &|_| {}).await.unwrap());
    }
    let head = world.append(&[commented(0, 4)]).await;
    for running in [&projecting, &standing_by, &observing] {
        for model in CASE_MODELS {
            running.until(model, |status| status.halted.is_none() && status.position == head).await;
        }
    }
    assert_eq!(observing.dump().await, world.expected_dump().await);
}

#[tokio::test]
async fn the_last_trouble_of_the_one_that_projects_is_seen_by_the_others_until_it_is_over() {
    let world = world(&[filed(0)]).await;
    let bus = Arc::new(ScriptedBus::default());
    let projecting = world.run_on(bus.clone()).await;
    projecting.caught_up(Position(1)).await;
    let observing = world.observe().await;
    let hanging_up = tokio::spawn(async move {
        loop {
            bus.hang_up();
            tokio::task::yield_now().await;
        }
    });
    observing
        .until("cases", |status| status.last_error.as_ref().is_some_and(|error| error.contains("ended")))
        .await;
    hanging_up.abort();
    observing.until("cases", |status| status.last_error.is_none()).await;
}

/// Asks until told to stop, of a process that does not rebuild: what was waited for is there, nothing fails, and no answer
/// is put together from two generations.
async fn ask_all_the_time(world: Arc<World>, running: Arc<Running>, stop: Arc<AtomicBool>) -> u64 {
    let mut answers = 0;
    while !stop.load(Ordering::Relaxed) {
        let head = world.store_head().await;
        running.caught_up(head).await;
        let anything = CaseCondition::anything();
        let list = running.cases().list(&all_of("acme"), Some(&acme()), &anything, None, 100).await.unwrap();
        assert_eq!(list.cases.len(), 10);
        let row = list.cases.iter().find(|row| row.case_id == case(0).to_string()).unwrap();
        assert!(row.revision.cast_unsigned() >= head.0 - 10, "{} at {head}", row.revision);
        let page = running.comments().list(&all_of("acme"), &acme(), case(0), None, 10_000).await.unwrap();
        let count = page.expect("the case is there all the time").comments.len();
        assert!(count as u64 >= head.0 - 10, "{count} at {head}");
        answers += 1;
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rebuilds_by_any_process_under_load_are_noticed_by_no_query_of_another() {
    let mut facts: Vec<Fact> = (0..10).map(filed).collect();
    facts.extend((0..300).map(|number| commented(0, number)));
    let world = Arc::new(world(&facts).await);
    let projecting = world.run().await;
    let observing = Arc::new(world.observe().await);
    let rebuilding = world.observe().await;
    observing.caught_up(world.store_head().await).await;
    let stop = Arc::new(AtomicBool::new(false));
    let asking: Vec<_> = (0..3)
        .map(|_| tokio::spawn(ask_all_the_time(world.clone(), observing.clone(), stop.clone())))
        .collect();
    let appending = {
        let (world, stop) = (world.clone(), stop.clone());
        tokio::spawn(async move {
            let mut number = 10_000;
            while !stop.load(Ordering::Relaxed) {
                number += 1;
                world.append(&[commented(0, number)]).await;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
    };
    // Long enough that tables of the first rebuilds are dropped under the last ones.
    let began = Instant::now();
    let mut rebuilt = 0;
    while began.elapsed() < Duration::from_secs(9) {
        for model in MODELS {
            for running in [&rebuilding, &projecting] {
                assert!(running.models.rebuild(model, &|_| {}).await.unwrap());
                rebuilt += 1;
            }
        }
    }
    assert!(rebuilt >= 4, "{rebuilt}");
    stop.store(true, Ordering::Relaxed);
    appending.await.unwrap();
    for task in asking {
        assert!(task.await.unwrap() > 10);
    }
    let head = world.append(&[commented(0, 99_999)]).await;
    for running in [&projecting, &*observing, &rebuilding] {
        running.caught_up(head).await;
        assert_eq!(running.dump().await, world.expected_dump().await);
    }
}

#[tokio::test]
async fn two_processes_that_rebuild_at_once_come_one_after_the_other() {
    let world = world(&[filed(0), commented(0, 1)]).await;
    let one = world.run().await;
    let other = world.observe().await;
    other.caught_up(Position(2)).await;
    let nothing = |_| {};
    let (by_one, by_other) =
        tokio::join!(one.models.rebuild("cases", &nothing), other.models.rebuild("cases", &nothing));
    assert!(by_one.unwrap() && by_other.unwrap());
    assert_eq!(one.dump().await, world.expected_dump().await);
}

#[tokio::test]
async fn a_process_that_starts_does_not_disturb_a_rebuild_of_another() {
    let facts: Vec<Fact> =
        [filed(0)].into_iter().chain((0..4_500).map(|number| commented(0, number))).collect();
    let world = world(&facts).await;
    let one = world.run().await;
    one.caught_up(Position(4_501)).await;
    let rebuilding = one.models.rebuild("cases", &|_| {});
    let starting = async {
        for _ in 0..5 {
            world.observe().await.stop().await;
        }
    };
    let (rebuilt, ()) = tokio::join!(rebuilding, starting);
    assert!(rebuilt.unwrap());
    assert_eq!(one.dump().await, world.expected_dump().await);
}

#[tokio::test]
async fn until_a_new_release_has_built_its_tables_the_old_one_goes_on() {
    let world = Arc::new(world(&[filed(0)]).await);
    let old = world.run_with(Arc::new(SilentBus), Tally::default()).await;
    old.caught_up(Position(1)).await;
    let switches = Switches { batches: Arc::new(Semaphore::new(0)), ..Switches::default() };
    let new = Tally { switches: switches.clone(), second_release: true };
    let starting = {
        let world = world.clone();
        tokio::spawn(async move { world.run_with(Arc::new(SilentBus), new).await })
    };
    while engines::tables(&world.location()).await.len() < 2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let head = world.append(&[commented(0, 1)]).await;
    old.caught_up(head).await;
    assert!(old.dump().await[0].ends_with("| 2 | '1 2'"));
    switches.batches.add_permits(1_000);
    let new = starting.await.unwrap();
    new.caught_up(head).await;
    assert!(new.dump().await[0].ends_with("| 2 | '1 2'"));
    assert!(old.halted("tally").await.contains("another release"));
    new.until("tally", |status| status.state == ProjectorState::Active).await;
}

#[tokio::test]
async fn tables_of_former_generations_are_dropped_after_a_while() {
    let world = world(&[filed(0)]).await;
    let running = world.run().await;
    running.caught_up(Position(1)).await;
    assert!(running.models.rebuild("cases", &|_| {}).await.unwrap());
    let left = async || {
        let mut connection = postgres::connect(&options(&world)).await;
        let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema AND tablename LIKE 'case%_g1'";
        let tables: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
        tables
    };
    assert!(left().await.contains(&"cases_g1".to_owned()), "who reads it reads on");
    let began = Instant::now();
    while left().await.contains(&"cases_g1".to_owned()) {
        assert!(began.elapsed() < PATIENCE, "it is still there");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn several_processes_may_make_the_database_at_once() {
    let world = Arc::new(world(&[filed(0)]).await);
    let opening: Vec<_> = (0..4)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.observe().await })
        })
        .collect();
    for opened in opening {
        opened.await.unwrap();
    }
}

#[tokio::test]
async fn a_schema_that_is_no_plain_name_and_a_server_that_is_not_there_are_refused_with_what_is_wrong() {
    let world = world(&[]).await;
    let schema = "a; DROP TABLE".to_owned();
    let odd = ReadLocation::Postgres(PostgresOptions { schema, ..options(&world) });
    let nowhere = ReadLocation::postgres("postgres://nobody:secret@localhost:1/none");
    for (location, said) in [(odd, "a; DROP TABLE"), (nowhere, "cannot be reached")] {
        let opened = ReadModels::open(&location, world.follower(Arc::new(SilentBus))).await;
        let Err(error) = opened else { panic!("opened") };
        assert!(error.to_string().contains(said) && !error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_killed_under_projecting_is_followed_when_it_is_back() {
    let mut server = Postgres::start(&[]);
    let world = World::given(&[filed(0)]).await.at(ReadLocation::postgres(server.fresh_database()));
    let running = world.run().await;
    let observing = world.observe().await;
    observing.caught_up(Position(1)).await;
    for round in 0..3 {
        let facts: Vec<Fact> = (0..300).map(|number| commented(0, round * 1_000 + number)).collect();
        world.append(&facts).await;
        server.kill();
        let began = Instant::now();
        let asked = observing.cases().get(&all_of("acme"), &acme(), case(0)).await;
        assert!(asked.is_err(), "nobody is there to answer");
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
        running.until("cases", |status| status.last_error.is_some()).await;
        world.append(&[commented(0, round * 1_000 + 999)]).await;
        server.restart();
        for running in [&running, &observing] {
            running.caught_up(world.store_head().await).await;
            running.until("cases", |status| status.last_error.is_none()).await;
        }
    }
    assert_eq!(observing.dump().await, world.expected_dump().await);
    for model in MODELS {
        assert!(running.models.rebuild(model, &|_| {}).await.unwrap());
    }
    assert_eq!(observing.dump().await, world.expected_dump().await);
}

#[tokio::test]
async fn a_server_that_is_frozen_has_queries_fail_in_time_and_answer_again_when_it_is_back() {
    let server = Postgres::start(&[]);
    let world = World::given(&[filed(0)]).await.at(ReadLocation::postgres(
        // A database of its own, on a server of its own.
        server.fresh_database(),
    ));
    let running = world.run().await;
    running.caught_up(Position(1)).await;
    let cases = running.cases();
    assert!(cases.get(&all_of("acme"), &acme(), case(0)).await.unwrap().is_some());
    server.signal("STOP");
    let (scope, asked) = (all_of("acme"), acme());
    let asking = (0..12).map(|_| async {
        let began = Instant::now();
        let answer = cases.get(&scope, &asked, case(0)).await;
        (answer.is_err(), began.elapsed())
    });
    for (failed, elapsed) in join_all(asking).await {
        assert!(failed && elapsed < Duration::from_secs(6), "{failed} {elapsed:?}");
    }
    let head = world.append(&[commented(0, 1)]).await;
    server.signal("CONT");
    running.caught_up(head).await;
    assert!(cases.get(&scope, &asked, case(0)).await.unwrap().is_some());
    assert_eq!(running.dump().await, world.expected_dump().await);
}

#[test]
fn each_projector_has_a_connection_to_write_with_while_one_is_rebuilt() {
    let usual = PostgresOptions::new("postgres://localhost");
    let of_a_rebuild = 2;
    let bookkeeping = 1;
    assert!(usual.write_connections as usize >= MODELS.len() + of_a_rebuild + bookkeeping);
}
