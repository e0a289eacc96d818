//! A rebuild fills new tables beside the live ones and switches at once: nobody who asks meanwhile notices.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dossier_domain::case::CaseFiled;
use dossier_eventlog::Position;
use dossier_projections::cases::CaseCondition;
use dossier_projections::{Engine, ReadLocation, RebuildProgress};
use tokio::sync::Semaphore;

use crate::buses::{ScriptedBus, SilentBus};
use crate::engines;
use crate::samples::*;
use crate::tally::{Switches, Tally};
use crate::world::{MODELS, PATIENCE, Running, World};

/// The tables of all models, by name.
const TABLES: [&str; 30] = [
    "account_recoveries",
    "accounts",
    "agents",
    "case_attachments",
    "case_comments",
    "case_counts",
    "case_history_cases",
    "case_note_attachments",
    "case_notes",
    "case_texts",
    "case_totals",
    "case_words",
    "cases",
    "event_subscriptions",
    "feedback",
    "help_sessions",
    "help_suggestions",
    "known_issue_updates",
    "known_issue_users",
    "known_issues",
    "organization_entitlements",
    "organization_members",
    "organizations",
    "reseller_relations",
    "reseller_visibility",
    "satisfaction",
    "saved_views",
    "surveyed_cases",
    "volume_acts",
    "webhooks",
];

/// Asks until told to stop: nothing that was once there is ever missing, nothing goes back, nothing fails.
async fn ask_all_the_time(running: Arc<Running>, stop: Arc<AtomicBool>) -> u64 {
    let (cases, comments) = (running.cases(), running.comments());
    let (mut answers, mut most_cases, mut most_comments, mut newest) = (0, 0, 0, 0);
    while !stop.load(Ordering::Relaxed) {
        let list = cases
            .list(&all_of("acme"), Some(&acme()), &CaseCondition::anything(), None, 1_000)
            .await
            .unwrap();
        assert!(list.cases.len() >= most_cases, "{} cases after {most_cases}", list.cases.len());
        most_cases = list.cases.len();
        let page = comments.list(&all_of("acme"), &acme(), case(0), None, 10_000).await.unwrap();
        let page = page.expect("the case is there all the time");
        assert!(page.comments.len() >= most_comments, "{} after {most_comments}", page.comments.len());
        most_comments = page.comments.len();
        let row = cases.get(&all_of("acme"), &acme(), case(0)).await.unwrap().expect("there all the time");
        assert!(row.revision >= newest, "{} after {newest}", row.revision);
        newest = row.revision;
        answers += 1;
    }
    answers
}

async fn a_rebuild_under_load_equals_the_live_model_and_nobody_notices() {
    let mut facts: Vec<Fact> = (0..40).map(filed).collect();
    facts.extend((0..1_500).map(|number| commented(u8::try_from(number % 3).unwrap(), number)));
    let world = Arc::new(World::given(&facts).await);
    let bus = Arc::new(ScriptedBus::default());
    let running = Arc::new(world.run_on(bus.clone()).await);
    running.caught_up(world.store_head().await).await;
    let stop = Arc::new(AtomicBool::new(false));
    let asking: Vec<_> =
        (0..3).map(|_| tokio::spawn(ask_all_the_time(running.clone(), stop.clone()))).collect();
    let appending = {
        let (world, stop) = (world.clone(), stop.clone());
        tokio::spawn(async move {
            let mut number = 10_000;
            while !stop.load(Ordering::Relaxed) {
                number += 1;
                let before = world.store_head().await;
                world.append(&[commented(u8::try_from(number % 3).unwrap(), number)]).await;
                bus.deliver(&world.messages_after(before).await);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    };
    for _ in 0..3 {
        for model in MODELS {
            let before = running.status(model).position;
            assert!(running.models.rebuild(model, &|_| {}).await.unwrap());
            assert!(running.status(model).position >= before, "a position never goes back");
        }
    }
    stop.store(true, Ordering::Relaxed);
    appending.await.unwrap();
    for task in asking {
        assert!(task.await.unwrap() > 10);
    }
    // The rebuilt models go on with what comes.
    world.append(&[commented(0, 9_999)]).await;
    running.caught_up(world.store_head().await).await;
    assert_eq!(running.dump().await, world.expected_dump().await);
    let is_sqlite = matches!(world.location(), ReadLocation::Sqlite(_));
    let tables = TABLES.iter().filter(|table| is_sqlite || **table != "case_words");
    let tables: Vec<String> = tables.map(|table| format!("{table}_g4")).collect();
    assert_eq!(engines::tables(&world.location()).await, tables);
    if let Some(views) = engines::views(&world.location()).await {
        assert_eq!(views, TABLES);
    }
}

async fn a_rebuild_ends_although_the_log_grows_with_every_read() {
    let world = World::given(&[filed(0)]).await;
    let running = world.run().await;
    running.caught_up(Position(1)).await;
    world.store.growing.store(true, Ordering::Relaxed);
    let rebuilt = tokio::time::timeout(PATIENCE, running.models.rebuild("cases", &|_| {})).await;
    assert!(rebuilt.expect("it ends").unwrap());
}

async fn a_rebuild_tells_how_far_it_is() {
    let facts: Vec<Fact> =
        [filed(0)].into_iter().chain((0..4_500).map(|number| commented(0, number))).collect();
    let world = World::given(&facts).await;
    let running = world.run().await;
    running.caught_up(Position(4_501)).await;
    let told = Mutex::new(Vec::new());
    assert!(running.models.rebuild("cases", &|progress| told.lock().unwrap().push(progress)).await.unwrap());
    let head = Position(4_501);
    let step = |position| RebuildProgress { position: Position(position), head, events: position };
    assert_eq!(*told.lock().unwrap(), [step(2_000), step(4_000), step(4_501)]);
    assert!(!running.models.rebuild("no_such_model", &|_| {}).await.unwrap());
}

async fn a_rebuild_that_fails_leaves_the_live_model_as_it_is() {
    let world = World::given(&[filed(0), commented(0, 1)]).await;
    let switches = Switches::default();
    let tally = Tally { switches: switches.clone(), ..Tally::default() };
    let running = world.run_with(Arc::new(SilentBus), tally).await;
    running.caught_up(Position(2)).await;
    let before = running.dump().await;
    switches.fails_from_generation.store(2, Ordering::Relaxed);
    let failed = running.models.rebuild("tally", &|_| {}).await.unwrap_err();
    assert!(failed.to_string().contains("told to fail"), "{failed}");
    assert_eq!(running.dump().await, before);
    assert_eq!(engines::tables(&world.location()).await, ["tally_g1"], "what it had begun is gone");
    let head = world.append(&[commented(0, 2)]).await;
    running.caught_up(head).await;
    switches.fails_from_generation.store(i64::MAX, Ordering::Relaxed);
    let live = running.dump().await;
    assert!(running.models.rebuild("tally", &|_| {}).await.unwrap());
    assert_eq!(running.dump().await, live);
}

/// A model of which a rebuild was given up after its first batch.
async fn given_up(world: &World) -> (Running, Switches) {
    let switches = Switches { batches: Arc::new(Semaphore::new(1)), ..Switches::default() };
    let tally = Tally { switches: switches.clone(), ..Tally::default() };
    let running = world.run_with(Arc::new(SilentBus), tally).await;
    running.caught_up(world.store_head().await).await;
    let begun = async {
        while engines::tables(&world.location()).await.len() < 2 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        _ = running.models.rebuild("tally", &|_| {}) => panic!("it waits"),
        () = begun => {}
    }
    switches.batches.add_permits(1_000);
    assert_eq!(engines::tables(&world.location()).await, ["tally_g1", "tally_g2"]);
    (running, switches)
}

async fn what_an_interrupted_rebuild_left_is_dropped_at_the_next_start() {
    let world = World::given(&[filed(0), commented(0, 1)]).await;
    let (running, _) = given_up(&world).await;
    let before = running.dump().await;
    running.stop().await;
    let running = world.run_with(Arc::new(SilentBus), Tally::default()).await;
    assert_eq!(engines::tables(&world.location()).await, ["tally_g1"]);
    running.caught_up(Position(2)).await;
    assert_eq!(running.dump().await, before);
}

async fn a_rebuild_after_one_that_was_given_up_takes_its_leftovers_away() {
    let world = World::given(&[filed(0), commented(0, 1)]).await;
    let (running, _) = given_up(&world).await;
    let live = running.dump().await;
    assert!(running.models.rebuild("tally", &|_| {}).await.unwrap());
    assert_eq!(engines::tables(&world.location()).await, ["tally_g3"]);
    let head = world.append(&[commented(0, 2)]).await;
    running.caught_up(head).await;
    assert_ne!(running.dump().await, live);
}

async fn two_rebuilds_asked_for_at_once_come_one_after_the_other() {
    let world = World::given(&[filed(0), commented(0, 1)]).await;
    let running = world.run().await;
    running.caught_up(Position(2)).await;
    let nothing = |_: RebuildProgress| {};
    let (one, other) =
        tokio::join!(running.models.rebuild("cases", &nothing), running.models.rebuild("cases", &nothing));
    assert!(one.unwrap() && other.unwrap());
    assert_eq!(running.dump().await, world.expected_dump().await);
}

async fn a_new_schema_version_is_built_from_the_log_and_nothing_of_the_old_one_stays() {
    let world = World::given(&[filed(0), commented(0, 1)]).await;
    let old = world.run_with(Arc::new(SilentBus), Tally::default()).await;
    old.caught_up(Position(2)).await;
    let rows = old.dump().await;
    old.stop().await;
    let new = Tally { second_release: true, ..Tally::default() };
    let new = world.run_with(Arc::new(SilentBus), new).await;
    new.caught_up(Position(2)).await;
    assert_eq!(engines::tables(&world.location()).await, ["tallies_g2"]);
    assert!(engines::views(&world.location()).await.is_none_or(|views| views == ["tallies"]));
    let renamed: Vec<String> = rows.iter().map(|row| row.replacen("tally:", "tallies:", 1)).collect();
    assert_eq!(new.dump().await, renamed);
    new.stop().await;
    // And back.
    let old = world.run_with(Arc::new(SilentBus), Tally::default()).await;
    if old.models.database().engine() == Engine::Postgres {
        // The newer release may be at work: the operator says that it is not.
        assert!(old.halted("tally").await.contains("another release"));
        assert!(old.models.rebuild("tally", &|_| {}).await.unwrap());
    }
    old.caught_up(Position(2)).await;
    assert!(engines::views(&world.location()).await.is_none_or(|views| views == ["tally"]));
    assert_eq!(old.dump().await, rows);
}

async fn an_erasure_reaches_the_rows_with_the_next_rebuild() {
    let filing = CaseFiled { title: text("secret"), ..filing(0) };
    let world = World::given(&[Fact::of_case(0, filing)]).await;
    let running = world.run().await;
    running.caught_up(Position(1)).await;
    world.sealer.erase(alice().as_str()).await.unwrap();
    assert!(running.models.rebuild("cases", &|_| {}).await.unwrap());
    let row = running.cases().get(&all_of("acme"), &acme(), case(0)).await.unwrap().unwrap();
    assert_eq!(row.title, None);
}

on_each_engine!(
    a_rebuild_ends_although_the_log_grows_with_every_read,
    a_rebuild_tells_how_far_it_is,
    a_rebuild_that_fails_leaves_the_live_model_as_it_is,
    what_an_interrupted_rebuild_left_is_dropped_at_the_next_start,
    a_rebuild_after_one_that_was_given_up_takes_its_leftovers_away,
    two_rebuilds_asked_for_at_once_come_one_after_the_other,
    a_new_schema_version_is_built_from_the_log_and_nothing_of_the_old_one_stays,
    an_erasure_reaches_the_rows_with_the_next_rebuild,
);

on_each_engine!(
    multi_thread:
    a_rebuild_under_load_equals_the_live_model_and_nobody_notices,
);
