//! Rows and checkpoint commit together, a twin that was overtaken is fenced, and a checkpoint of another log is noticed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dossier_eventlog::{EventId, Position, RecordedEvent};
use dossier_projections::{OpenError, ReadLocation, ReadModels, WaitError};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::buses::{ScriptedBus, SilentBus};
use crate::samples::*;
use crate::tally::{Switches, Tally};
use crate::world::{CASE_MODELS, MODELS, PATIENCE, Running, World};

fn tally_of(switches: &Switches) -> Tally {
    Tally { switches: switches.clone(), second_release: false }
}

/// The rows of the tally for events `1..=count`, all of one case, each taken in once.
fn counted(count: u64) -> Vec<String> {
    counted_in("tally", count)
}

fn counted_in(table: &str, count: u64) -> Vec<String> {
    let positions: Vec<String> = (1..=count).map(|position| position.to_string()).collect();
    vec![format!("{table}: 'case-{}' | {count} | '{}'", case(0), positions.join(" "))]
}

async fn rows_whose_checkpoint_does_not_commit_are_not_there() {
    let world = World::given(&[filed(0), commented(0, 1)]).await;
    let switches = Switches::default();
    switches.fails_from_generation.store(0, Ordering::Relaxed);
    let running = world.run_with(Arc::new(SilentBus), tally_of(&switches)).await;
    let status = running.until("tally", |status| status.last_error.is_some()).await;
    assert_eq!((status.position, status.halted), (Position::START, None), "it tries again");
    assert_eq!(running.dump().await, Vec::<String>::new());
    switches.fails_from_generation.store(i64::MAX, Ordering::Relaxed);
    running.caught_up(Position(2)).await;
    assert_eq!(running.dump().await, counted(2));
    running.until("tally", |status| status.last_error.is_none()).await;
}

async fn a_projector_stopped_in_the_middle_of_a_batch_leaves_nothing_half_done() {
    let world = World::given(&[filed(0), commented(0, 1)]).await;
    let switches = Switches { batches: Arc::new(Semaphore::new(0)), ..Switches::default() };
    let running = world.run_with(Arc::new(SilentBus), tally_of(&switches)).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(running.dump().await, Vec::<String>::new(), "not before it commits");
    running.stop().await;
    let running = world.run_with(Arc::new(SilentBus), Tally::default()).await;
    running.caught_up(Position(2)).await;
    assert_eq!(running.dump().await, counted(2));
}

async fn started_again_it_goes_on_where_it_was() {
    let world = World::given(&[filed(0), commented(0, 1)]).await;
    for round in 1..4 {
        let running = world.run_with(Arc::new(SilentBus), Tally::default()).await;
        let before = world.store_head().await;
        running.caught_up(before).await;
        world.store.reads.lock().unwrap().clear();
        let head = world.append(&[commented(0, round + 1)]).await;
        running.caught_up(head).await;
        assert_eq!(running.dump().await, counted(head.0));
        running.stop().await;
        let reads = world.store.reads.lock().unwrap().clone();
        assert!(reads.iter().all(|after| *after >= before), "{reads:?} begin before {before}");
    }
}

async fn of_twins_on_one_database_each_event_is_taken_in_by_one() {
    let world = World::given(&[filed(0)]).await;
    let bus = Arc::new(ScriptedBus::default());
    let one = world.run_with(bus.clone(), Tally::default()).await;
    let other = world.run_with(bus.clone(), Tally::default()).await;
    for running in [&one, &other] {
        running.caught_up(Position(1)).await;
    }
    for number in 1..60 {
        let before = world.store_head().await;
        world.append(&[commented(0, number)]).await;
        bus.deliver(&world.messages_after(before).await);
        tokio::time::sleep(Duration::from_millis(number % 7)).await;
    }
    for running in [&one, &other] {
        running.caught_up(Position(60)).await;
        assert_eq!(running.dump().await, counted(60));
    }
}

#[tokio::test]
async fn a_twin_that_was_paused_and_overtaken_is_fenced_and_follows() {
    let world = World::given(&[filed(0)]).await;
    // One that hears of events only from the bus, which says nothing for now.
    world.store.without_hint.store(true, Ordering::Relaxed);
    let bus = Arc::new(ScriptedBus::default());
    let paused = world.run_with(bus.clone(), Tally::default()).await;
    paused.caught_up(Position(1)).await;
    bus.subscribed(1).await;
    let head = world.append(&[commented(0, 1), commented(0, 2)]).await;
    let quick = world.run_with(Arc::new(SilentBus), Tally::default()).await;
    quick.caught_up(head).await;
    bus.deliver(&world.messages_after(Position(1)).await[..1]);
    let status = paused.until("tally", |status| status.last_error.is_some()).await;
    assert!(status.last_error.unwrap().contains("another projector"));
    paused.caught_up(head).await;
    assert_eq!(paused.dump().await, counted(3));
}

async fn a_twins_rebuild_is_followed() {
    let world = World::given(&[filed(0)]).await;
    let one = world.run_with(Arc::new(SilentBus), Tally::default()).await;
    let other = world.run_with(Arc::new(SilentBus), Tally::default()).await;
    for running in [&one, &other] {
        running.caught_up(Position(1)).await;
    }
    assert!(other.models.rebuild("tally", &|_| {}).await.unwrap());
    other.stop().await;
    let head = world.append(&[commented(0, 1)]).await;
    one.caught_up(head).await;
    assert_eq!(one.dump().await, counted(2));
}

/// The database of one log beside another log: it says 'rebuild', tells nobody that it is caught up, and a rebuild heals it.
async fn halts_and_is_healed(world: &World, location: &ReadLocation) {
    let models = ReadModels::open(location, world.follower(Arc::new(SilentBus))).await.unwrap();
    let running = Running::start(models);
    for model in MODELS {
        let why = running.halted(model).await;
        assert!(why.contains(&format!("dossier rebuild {model}")), "{why}");
    }
    let waited = running.models.wait_for(Position(1), PATIENCE).await;
    assert!(
        matches!(waited, Err(WaitError::Halted { .. })),
        "a position of another log is none of this: {waited:?}"
    );
    for model in MODELS {
        assert!(running.models.rebuild(model, &|_| {}).await.unwrap());
    }
    running.caught_up(world.store_head().await).await;
    assert_eq!(running.dump().await, world.expected_dump().await);
    let head = world.append(&[commented(0, 77)]).await;
    running.caught_up(head).await;
    assert_eq!(running.dump().await, world.expected_dump().await);
}

async fn a_database_of_another_log_halts_until_it_is_rebuilt() {
    let other = World::of_log(2);
    other.append(&[filed(0), commented(0, 1), commented(0, 2)]).await;
    let running = other.run().await;
    running.caught_up(Position(3)).await;
    running.stop().await;
    let world = World::given(&[filed(0), commented(0, 1), commented(0, 2), commented(0, 3)]).await;
    halts_and_is_healed(&world, &other.location()).await;
}

async fn a_database_ahead_of_its_log_halts_until_it_is_rebuilt() {
    let ahead = World::given(&[filed(0), commented(0, 1), commented(0, 2)]).await;
    let running = ahead.run().await;
    running.caught_up(Position(3)).await;
    running.stop().await;
    let restored = World::given(&[filed(0), commented(0, 1)]).await;
    halts_and_is_healed(&restored, &ahead.location()).await;
}

async fn a_log_that_holds_another_event_where_the_checkpoint_stands_halts() {
    let world = World::given(&[filed(0), commented(0, 1)]).await;
    let running = world.run().await;
    running.caught_up(Position(2)).await;
    running.stop().await;
    let last = world.recorded().await[1].clone();
    world.store.replace(RecordedEvent { event_id: EventId(Uuid::from_u128(99)), ..last });
    halts_and_is_healed(&world, &world.location()).await;
}

async fn a_halted_projector_notices_that_another_process_has_rebuilt_its_model() {
    let world = World::given(&[filed(0), commented(0, 1)]).await;
    let good = world.recorded().await[1].clone();
    world.store.replace(RecordedEvent { event_type: "CommentSung".into(), ..good });
    let running = world.run().await;
    for model in CASE_MODELS {
        running.halted(model).await;
    }
    world.store.restore();
    let other = world.observe().await;
    for model in CASE_MODELS {
        assert!(other.models.rebuild(model, &|_| {}).await.unwrap());
    }
    other.stop().await;
    let head = world.append(&[commented(0, 2)]).await;
    for model in CASE_MODELS {
        running.until(model, |status| status.position == head && status.halted.is_none()).await;
    }
    assert_eq!(running.dump().await, world.expected_dump().await);
}

async fn a_model_that_another_release_has_built_anew_under_it_halts() {
    let world = World::given(&[filed(0)]).await;
    let old = world.run_with(Arc::new(SilentBus), Tally::default()).await;
    old.caught_up(Position(1)).await;
    let new = Tally { second_release: true, ..Tally::default() };
    let new = world.run_with(Arc::new(SilentBus), new).await;
    let head = world.append(&[commented(0, 1)]).await;
    new.caught_up(head).await;
    assert!(old.halted("tally").await.contains("another release"));
    assert_eq!(new.dump().await, counted_in("tallies", 2));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_with_what_to_do() {
    let world = World::new();
    let ReadLocation::Sqlite(path) = world.location() else { unreachable!("the default") };
    std::fs::write(path, b"this is not a database, but it is long enough to be looked at".repeat(50))
        .unwrap();
    let refused = ReadModels::open(&world.location(), world.follower(Arc::new(SilentBus))).await;
    let Err(error @ OpenError::Unusable { .. }) = refused else { panic!("opened") };
    assert!(error.to_string().contains("move it away"), "{error}");
}

on_each_engine!(
    rows_whose_checkpoint_does_not_commit_are_not_there,
    a_projector_stopped_in_the_middle_of_a_batch_leaves_nothing_half_done,
    started_again_it_goes_on_where_it_was,
    of_twins_on_one_database_each_event_is_taken_in_by_one,
    a_twins_rebuild_is_followed,
    a_database_of_another_log_halts_until_it_is_rebuilt,
    a_database_ahead_of_its_log_halts_until_it_is_rebuilt,
    a_log_that_holds_another_event_where_the_checkpoint_stands_halts,
    a_halted_projector_notices_that_another_process_has_rebuilt_its_model,
    a_model_that_another_release_has_built_anew_under_it_halts,
);
