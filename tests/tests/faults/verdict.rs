//! What must hold in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dossier_eventlog::{
    EventStore, InProcessBus, PostgresKeyStore, PostgresOptions, PostgresStore, RecordedEvent, Sealer,
};
use dossier_projections::export::analytics_event;
use dossier_projections::{LogFollower, ReadLocation, ReadModels};
use dossier_tests::fleet::{Fleet, PATIENCE};
use dossier_tests::log::{self, comes_along};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::job::Job;
use crate::load::Done;
use crate::worker::Shared;

/// What was found.
pub(crate) struct Verdict {
    commands: usize,
    events: usize,
    rows: usize,
    analytics: usize,
    refused: usize,
    unknown: usize,
    slowest_refusal: Duration,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} commands acknowledged, each once among {} events; {} rows equal to rebuilt ones; {} events for analytics, none \
             missed; {} answers 503 (slowest {:.2?}), {} with an unknown outcome",
            self.commands,
            self.events,
            self.rows,
            self.analytics,
            self.refused,
            self.slowest_refusal,
            self.unknown
        )
    }
}

async fn store(fleet: &Fleet) -> PostgresStore {
    PostgresStore::open(fleet.log_database(), PostgresOptions::default(), Uuid::nil()).await.unwrap()
}

/// Every event of the log.
pub(crate) async fn events(fleet: &Fleet) -> Vec<RecordedEvent> {
    let store = store(fleet).await;
    let events = log::all(&store).await;
    store.close().await;
    events
}

pub(crate) async fn judge(
    fleet: &Fleet,
    job: &Job,
    shared: &Shared,
    done: &[Done],
    events_before: usize,
) -> Verdict {
    let violations = shared.violations.read().unwrap().clone();
    assert!(violations.is_empty(), "{violations:#?}");
    let events = events(fleet).await;
    exactly_once(done, &events[events_before..]);
    on_the_bus_once_and_in_order(&events, &job.events_on_the_bus().await);
    let analytics = nothing_missed(job, &events).await;
    Verdict {
        commands: done.len(),
        events: events.len(),
        rows: rebuilt_equals_live(fleet).await,
        analytics,
        refused: shared.refused.load(Ordering::Relaxed),
        unknown: shared.unknown.load(Ordering::Relaxed),
        slowest_refusal: Duration::from_micros(shared.slowest_refusal_micros.load(Ordering::Relaxed)),
    }
}

/// The acknowledged commands and no others are in the log, each with its events, once and in one piece, no stream with a hole.
fn exactly_once(done: &[Done], events: &[RecordedEvent]) {
    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    for command in done {
        for event in command.events() {
            *expected.entry(format!("{} {event}", command.stream())).or_default() += 1;
        }
    }
    // The watch over the volume takes the load for a burst, and nobody asked for what it raises.
    let events = events.iter().filter(|event| &*event.event_type != "KnownIssueSuspected");
    let events: Vec<&RecordedEvent> = events.collect();
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut commands: BTreeMap<Uuid, Vec<&RecordedEvent>> = BTreeMap::new();
    let mut heads: BTreeMap<&str, u64> = BTreeMap::new();
    for &event in &events {
        if !comes_along(event) {
            *found.entry(format!("{} {}", event.stream, event.event_type)).or_default() += 1;
        }
        commands.entry(event.metadata().unwrap().command_id).or_default().push(event);
        if let Some(before) = heads.insert(event.stream.as_str(), event.revision.0) {
            assert_eq!(event.revision.0, before + 1, "{} has a hole", event.stream);
        }
    }
    let acknowledged: BTreeSet<u64> = done.iter().map(|done| done.position).collect();
    let strangers: Vec<String> = commands
        .values()
        .filter(|events| !events.iter().any(|event| acknowledged.contains(&event.position.0)))
        .flatten()
        .map(|event| {
            let metadata = String::from_utf8_lossy(&event.metadata).into_owned();
            format!(
                "{} {} {} {} {metadata}",
                event.position, event.stream, event.event_type, event.recorded_at
            )
        })
        .collect();
    assert!(strangers.is_empty(), "commands in the log that nobody was told of: {strangers:#?}");
    assert!(found == expected, "what is in the log is what was acknowledged");
    assert_eq!(commands.len(), done.len(), "no command is there twice or in part");
    let ids: BTreeSet<_> = events.iter().map(|event| event.event_id).collect();
    assert_eq!(ids.len(), events.len());
    for command in done {
        let at = events.binary_search_by_key(&command.position, |event| event.position.0);
        let at = &events[at.expect("an event at the position")];
        let together = &commands[&at.metadata().unwrap().command_id];
        let told = together.iter().rfind(|event| !comes_along(event)).expect("what was done");
        assert_eq!(
            (told.stream.as_str(), &*told.event_type),
            (&*command.stream(), *command.events().last().unwrap())
        );
    }
}

/// Each event of the log is on the bus once, in the log's order.
fn on_the_bus_once_and_in_order(events: &[RecordedEvent], on_the_bus: &[String]) {
    let expected: Vec<String> = events.iter().map(|event| event.event_id.to_string()).collect();
    assert_eq!(on_the_bus.len(), expected.len(), "messages on the bus");
    assert!(on_the_bus == expected, "the bus holds the log, in order");
}

/// The job that ran all the time has got everything it may see, in order.
async fn nothing_missed(job: &Job, events: &[RecordedEvent]) -> usize {
    let visible = events.iter().filter_map(|event| analytics_event(event).unwrap());
    let expected: Vec<String> = visible.map(|event| event.id.to_string()).collect();
    let deadline = Instant::now() + PATIENCE;
    while job.ids().len() < expected.len() && Instant::now() < deadline {
        sleep(Duration::from_millis(50)).await;
    }
    job.stop();
    let (got, wanted): (BTreeSet<_>, BTreeSet<_>) =
        (job.ids().into_iter().collect(), expected.iter().cloned().collect());
    assert!(got == wanted, "{} of {} events for analytics", got.len(), wanted.len());
    expected.len()
}

/// The read models of what nobody does while the faults strike.
const UNTOUCHED_BY_THE_LOAD: [&str; 8] = [
    "account_recovery",
    "event_delivery",
    "feedback",
    "help_articles",
    "help_sessions",
    "known_issues",
    "satisfaction",
    "saved_views",
];

/// Every row of every read model as it was kept up to date and as it is built anew; answers how many there are.
async fn rebuilt_equals_live(fleet: &Fleet) -> usize {
    let store: Arc<dyn EventStore> = Arc::new(store(fleet).await);
    let entropy = dossier_api::edge::entropy();
    let keys = PostgresKeyStore::open(fleet.log_database(), store.log_id(), false, &entropy).await.unwrap();
    let follower = LogFollower {
        store,
        bus: Arc::new(InProcessBus::default()),
        sealer: Arc::new(Sealer::new(Arc::new(keys), entropy)),
    };
    let models = ReadModels::open(&ReadLocation::postgres(fleet.read_database()), follower).await.unwrap();
    let names: Vec<&str> = models.statuses().into_iter().map(|(name, _)| name).collect();
    let (mut count, mut empty) = (0, Vec::new());
    for name in names {
        let live = models.dump(name).await.unwrap();
        assert!(models.rebuild(name, &|_| {}).await.unwrap());
        let rebuilt = models.dump(name).await.unwrap();
        if live.is_empty() && !UNTOUCHED_BY_THE_LOAD.contains(&name) {
            empty.push(name);
        }
        assert!(live == rebuilt, "{name}: a rebuilt read model differs from the live one");
        count += live.len();
    }
    assert!(empty.is_empty(), "read models with nothing to compare: {empty:?}");
    count
}
