//! Random appends, some at once, against the smallest model of a log that could be right. Both the memory and the
//! SQLite store must give the model's answers, one by one, and hold the model's log.

use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::{LOG_ID, all, open};
use crate::contract::sample::{after_events, append, instant, stream};
use crate::envelope::{EventId, Position, Revision, StreamName};
use crate::memory::MemoryStore;
use crate::store::{Append, AppendError, EventStore, Guard};

/// A wish, made real against the model's state when its group begins.
#[derive(Clone, Debug)]
struct Wish {
    stream: u64,
    /// Off by so many from where the stream stands; mostly 0.
    off: i64,
    command: u64,
    count: u64,
    second: i64,
    guard: Option<(u64, i64)>,
}

#[derive(Default)]
struct Model {
    log: Vec<(StreamName, EventId, i64)>,
}

impl Model {
    fn length(&self, stream: &StreamName) -> u64 {
        self.log.iter().filter(|(name, ..)| name == stream).count() as u64
    }

    fn head(&self, stream: &StreamName) -> Option<Revision> {
        self.length(stream).checked_sub(1).map(Revision)
    }

    fn realise(&self, wish: &Wish) -> Append {
        let name = stream("case", wish.stream);
        let wanted = |name: &StreamName, off: i64| self.length(name).saturating_add_signed(off);
        let mut append = append(&name, after_events(wanted(&name, wish.off)), wish.command, wish.count);
        for event in &mut append.events {
            event.recorded_at = instant(wish.second);
        }
        if let Some((guarded, off)) = wish.guard {
            let guarded = stream("case", guarded);
            let revision = wanted(&guarded, off).checked_sub(1).map(Revision);
            append.guards.push(Guard { stream: guarded, revision });
        }
        append
    }

    /// The rule, as plainly as it can be said. Answers the last revision.
    fn append(&mut self, append: &Append) -> Result<Revision, AppendError> {
        let length = self.length(&append.stream);
        if append.expected != after_events(length) {
            return Err(AppendError::Conflict { actual: self.head(&append.stream) });
        }
        for guard in &append.guards {
            let actual = self.head(&guard.stream);
            if guard.revision != actual {
                return Err(AppendError::GuardMoved { stream: guard.stream.clone(), actual });
            }
        }
        let second = append.events[0].recorded_at.as_second();
        if self.log.iter().any(|(stream, _, last)| *stream == append.stream && *last > second) {
            return Err(AppendError::Invalid(String::new()));
        }
        for event in &append.events {
            if self.log.iter().any(|(_, id, _)| *id == event.event_id) {
                return Err(AppendError::Duplicate { event_id: event.event_id });
            }
        }
        self.log.extend(append.events.iter().map(|event| (append.stream.clone(), event.event_id, second)));
        Ok(Revision(length + append.events.len() as u64 - 1))
    }
}

fn wishes() -> impl Strategy<Value = Vec<Vec<Wish>>> {
    let off = || prop_oneof![8 => Just(0_i64), 1 => Just(-1), 1 => Just(1)];
    let guard = proptest::option::weighted(0.3, (0..4_u64, off()));
    let wish = (0..4_u64, off(), 0..40_u64, 1..4_u64, prop_oneof![9 => Just(5_i64), 1 => 3..7_i64], guard);
    let wish = wish.prop_map(|(stream, off, command, count, second, guard)| Wish {
        stream,
        off,
        command,
        count,
        second,
        guard,
    });
    proptest::collection::vec(proptest::collection::vec(wish, 1..8), 1..8)
}

/// Sends each group at once and compares every answer.
async fn agrees(store: &dyn EventStore, model: &mut Model, group: &[Wish]) {
    let appends = group.iter().map(|wish| model.realise(wish)).collect::<Vec<_>>();
    let answers = futures::future::join_all(appends.iter().map(|append| store.append(append.clone()))).await;
    for (append, answer) in appends.iter().zip(answers) {
        let answer = answer.map(|appended| appended.last_revision).map_err(|error| match error {
            AppendError::Invalid(_) => AppendError::Invalid(String::new()),
            error => error,
        });
        assert_eq!(answer, model.append(append), "{append:?}");
    }
    let log = all(store).await;
    let stored =
        log.iter().map(|event| (event.stream.clone(), event.event_id, event.recorded_at.as_second()));
    assert_eq!(stored.collect::<Vec<_>>(), model.log);
    assert_eq!(store.head().await.unwrap(), log.last().map_or(Position::START, |last| last.position));
    for number in 0..4 {
        let name = stream("case", number);
        assert_eq!(store.stream_head(&name).await.unwrap(), model.head(&name));
        let revisions = store.read_stream(&name, Revision(0), usize::MAX).await.unwrap();
        assert!(revisions.iter().map(|event| event.revision.0).eq(0..model.length(&name)));
    }
}

fn run(test: impl Future<Output = ()>) {
    // One thread: what is sent at once is queued in the order of sending, as the model assumes.
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn the_memory_store_answers_as_the_model_does(groups in wishes()) {
        run(async {
            let (store, mut model) = (MemoryStore::new(LOG_ID), Model::default());
            for group in &groups {
                agrees(&store, &mut model, group).await;
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn the_sqlite_store_answers_as_the_model_does(groups in wishes(), reopen_after in 0..8_usize) {
        run(async {
            let directory = TempDir::new().unwrap();
            let path = directory.path().join("events.db");
            let (mut store, mut model) = (Arc::new(open(&path).await), Model::default());
            for (n, group) in groups.iter().enumerate() {
                agrees(&*store, &mut model, group).await;
                if n == reopen_after {
                    store.close().await;
                    store = Arc::new(open(&path).await);
                }
            }
            store.close().await;
        });
    }
}
