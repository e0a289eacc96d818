//! The event store's contract: exact revisions, guards, one order, exact bytes, nothing lost and nothing twice.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::sample::{after_events, append, event, instant, stream};
use crate::envelope::{EventId, Position, RecordedEvent, Revision, StreamName};
use crate::store::{Append, AppendError, EventStore, Expected, Guard, MAX_APPEND_BYTES, MAX_EVENT_BYTES};
use crate::subscription::Subscription;

type Store = Arc<dyn EventStore>;

/// Runs every check of the event store's contract against what a factory makes: an
/// `async fn() -> Fresh<dyn EventStore>`.
#[macro_export]
macro_rules! event_store_contract {
    ($factory:expr) => {
        $crate::contract_tests!(
            $factory,
            $crate::contract::event_store,
            [
                a_new_log_is_empty,
                an_event_comes_back_byte_for_byte,
                an_append_answers_its_last_revision_and_position,
                a_stale_expectation_is_a_conflict_that_says_where_the_stream_stands,
                of_many_appends_to_one_revision_exactly_one_is_accepted,
                a_stale_append_fails_alone_among_good_ones,
                a_repeated_command_is_never_stored_twice,
                an_event_id_of_another_stream_is_a_duplicate,
                an_event_id_twice_in_one_append_is_a_duplicate,
                a_guard_that_has_moved_refuses_the_append,
                a_guard_that_holds_lets_the_append_pass,
                a_guard_moved_by_an_append_just_before_refuses_the_later_one,
                an_append_of_nothing_is_invalid,
                an_event_or_append_over_its_bound_is_invalid,
                an_append_at_its_bounds_is_accepted,
                time_never_runs_backwards_within_a_stream,
                a_refused_append_stores_none_of_its_events,
                a_stream_is_read_in_pages,
                the_log_is_read_in_pages_in_one_order,
                heads_and_ids_answer_at_once_after_an_append,
                readers_never_skip_an_event_that_commits_late,
                every_acknowledged_event_of_many_appenders_is_in_the_log_exactly_once,
                a_subscription_delivers_the_past_and_then_what_comes,
                the_watched_head_never_runs_backwards,
            ]
        );
    };
}

async fn all(store: &Store) -> Vec<RecordedEvent> {
    let mut events = vec![];
    let mut after = Position::START;
    loop {
        let page = store.read_all(after, 100).await.expect("the log is readable");
        let Some(last) = page.last() else { return events };
        after = last.position;
        events.extend(page);
    }
}

async fn of(store: &Store, stream: &StreamName) -> Vec<RecordedEvent> {
    store.read_stream(stream, Revision(0), usize::MAX).await.expect("the stream is readable")
}

fn guarded(mut append: Append, stream: &StreamName, revision: Option<Revision>) -> Append {
    append.guards.push(Guard { stream: stream.clone(), revision });
    append
}

/// A log without an event.
pub async fn a_new_log_is_empty(store: Store) {
    let missing = stream("case", 1);
    assert_eq!(store.head().await, Ok(Position::START));
    assert_eq!(store.stream_head(&missing).await, Ok(None));
    assert_eq!(store.read_all(Position::START, 10).await, Ok(vec![]));
    assert_eq!(store.read_stream(&missing, Revision(0), 10).await, Ok(vec![]));
    assert_eq!(store.event_id_at(Position::START).await, Ok(None));
    assert_eq!(store.event_id_at(Position(1)).await, Ok(None));
    assert_eq!(*store.watch_head().borrow(), Position::START);
    assert_eq!(store.log_id(), store.log_id());
}

/// Payload and metadata are bytes, not text: no adapter may look into them.
pub async fn an_event_comes_back_byte_for_byte(store: Store) {
    let stream = stream("case", 1);
    let every_byte = (0..=255).collect::<Vec<u8>>();
    let mut first = event(1, 0);
    first.payload = Bytes::from(every_byte.clone());
    first.metadata = Bytes::from_static(b"{ \"spaces\" :1,\"spaces\":2, \"\xff\0 }");
    first.version = u16::MAX;
    first.event_type = "TypeÄ".into();
    let mut second = event(1, 1);
    second.payload = Bytes::new();
    second.metadata = Bytes::new();
    let events = vec![first.clone(), second.clone()];
    let append = Append { stream: stream.clone(), expected: Expected::NoStream, events, guards: vec![] };
    store.append(append).await.expect("a first append is accepted");
    for read in [of(&store, &stream).await, all(&store).await] {
        assert_eq!(read.len(), 2);
        for (read, (revision, stored)) in read.iter().zip([(0, &first), (1, &second)]) {
            assert_eq!(read.stream, stream);
            assert_eq!(read.revision, Revision(revision));
            assert_eq!(read.event_id, stored.event_id);
            assert_eq!(*read.event_type, *stored.event_type);
            assert_eq!(read.version, stored.version);
            assert_eq!(read.recorded_at, stored.recorded_at);
            assert_eq!(read.payload, stored.payload);
            assert_eq!(read.metadata, stored.metadata);
        }
    }
}

/// What an append answers is where its last event is found.
pub async fn an_append_answers_its_last_revision_and_position(store: Store) {
    let stream = stream("case", 1);
    let first = store.append(append(&stream, Expected::NoStream, 1, 3)).await.expect("accepted");
    assert_eq!(first.last_revision, Revision(2));
    let second = store.append(append(&stream, after_events(3), 2, 2)).await.expect("accepted");
    assert_eq!(second.last_revision, Revision(4));
    assert!(second.last_position > first.last_position);
    let events = of(&store, &stream).await;
    assert_eq!(events[2].position, first.last_position);
    assert_eq!(events[4].position, second.last_position);
}

/// All ways to expect something else than what is there.
pub async fn a_stale_expectation_is_a_conflict_that_says_where_the_stream_stands(store: Store) {
    let stream = stream("case", 1);
    let missing = store.append(append(&stream, Expected::Exact(Revision(0)), 1, 1)).await;
    assert_eq!(missing, Err(AppendError::Conflict { actual: None }));
    store.append(append(&stream, Expected::NoStream, 2, 2)).await.expect("accepted");
    let stands = Err(AppendError::Conflict { actual: Some(Revision(1)) });
    for expected in [
        Expected::NoStream,
        Expected::Exact(Revision(0)),
        Expected::Exact(Revision(2)),
        Expected::Exact(Revision(u64::MAX)),
    ] {
        assert_eq!(store.append(append(&stream, expected, 3, 1)).await, stands, "{expected:?}");
    }
    assert_eq!(of(&store, &stream).await.len(), 2);
}

/// The race that optimistic appends exist for.
pub async fn of_many_appends_to_one_revision_exactly_one_is_accepted(store: Store) {
    let stream = stream("case", 1);
    for round in 0..5 {
        let appends = (0..8).map(|n| append(&stream, after_events(round), round * 8 + n + 1, 1));
        let answers = concurrently(&store, appends).await;
        let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(accepted, 1, "{answers:?}");
        for answer in answers.into_iter().filter_map(Result::err) {
            assert_eq!(answer, AppendError::Conflict { actual: Some(Revision(round)) });
        }
    }
    assert_eq!(of(&store, &stream).await.len(), 5);
}

/// Appends that share a durable write must not share its refusals.
pub async fn a_stale_append_fails_alone_among_good_ones(store: Store) {
    let taken = stream("case", 0);
    store.append(append(&taken, Expected::NoStream, 1, 1)).await.expect("accepted");
    let appends = (0..20).map(|n| match n {
        7 => append(&taken, Expected::NoStream, 107, 1),
        // Ids of an event that is stored: the store learns of it only when it writes.
        13 => append(&stream("case", 13), Expected::NoStream, 1, 1),
        n => append(&stream("case", n + 1000), Expected::NoStream, 100 + n, 2),
    });
    for (n, answer) in concurrently(&store, appends).await.into_iter().enumerate() {
        match n {
            7 => assert_eq!(answer, Err(AppendError::Conflict { actual: Some(Revision(0)) })),
            13 => assert_eq!(answer, Err(AppendError::Duplicate { event_id: event(1, 0).event_id })),
            n => assert!(answer.is_ok(), "append {n}: {answer:?}"),
        }
    }
    assert_eq!(all(&store).await.len(), 1 + 18 * 2);
}

/// The same command again, at once and later: refused as a conflict or as a duplicate, the caller loads again either
/// way.
pub async fn a_repeated_command_is_never_stored_twice(store: Store) {
    let stream = stream("case", 1);
    let same = || append(&stream, Expected::NoStream, 1, 2);
    let answers = concurrently(&store, (0..4).map(|_| same())).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    for refused in answers.into_iter().filter_map(Result::err).chain(store.append(same()).await.err()) {
        assert!(
            matches!(refused, AppendError::Conflict { .. } | AppendError::Duplicate { .. }),
            "{refused:?}"
        );
    }
    // Decided again on the newer state, it names the current revision.
    let again = store.append(append(&stream, after_events(2), 1, 2)).await;
    assert_eq!(again, Err(AppendError::Duplicate { event_id: event(1, 0).event_id }));
    assert_eq!(all(&store).await.len(), 2);
}

/// Ids are unique in the log, not in a stream.
pub async fn an_event_id_of_another_stream_is_a_duplicate(store: Store) {
    store.append(append(&stream("case", 1), Expected::NoStream, 1, 2)).await.expect("accepted");
    let mut other = append(&stream("case", 2), Expected::NoStream, 2, 2);
    other.events[1].event_id = event(1, 1).event_id;
    let duplicate = Err(AppendError::Duplicate { event_id: event(1, 1).event_id });
    assert_eq!(store.append(other).await, duplicate);
    assert_eq!(store.stream_head(&stream("case", 2)).await, Ok(None));
}

/// One append with the same id twice.
pub async fn an_event_id_twice_in_one_append_is_a_duplicate(store: Store) {
    let mut twice = append(&stream("case", 1), Expected::NoStream, 1, 3);
    twice.events[2].event_id = twice.events[0].event_id;
    let duplicate = Err(AppendError::Duplicate { event_id: event(1, 0).event_id });
    assert_eq!(store.append(twice).await, duplicate);
    assert_eq!(all(&store).await, vec![]);
}

/// No command is decided on a guarded stream that is older than its guard.
pub async fn a_guard_that_has_moved_refuses_the_append(store: Store) {
    let (access, case) = (stream("access", 1), stream("case", 1));
    let moved = |actual| Err(AppendError::GuardMoved { stream: access.clone(), actual });
    let relied_on = |revision| guarded(append(&case, Expected::NoStream, 2, 1), &access, revision);
    assert_eq!(store.append(relied_on(Some(Revision(0)))).await, moved(None));
    store.append(append(&access, Expected::NoStream, 1, 2)).await.expect("accepted");
    assert_eq!(store.append(relied_on(None)).await, moved(Some(Revision(1))));
    assert_eq!(store.append(relied_on(Some(Revision(0)))).await, moved(Some(Revision(1))));
    assert_eq!(store.append(relied_on(Some(Revision(2)))).await, moved(Some(Revision(1))));
    assert_eq!(store.stream_head(&case).await, Ok(None));
}

/// Guards that name where the streams stand, one without an event among them.
pub async fn a_guard_that_holds_lets_the_append_pass(store: Store) {
    let (access, case) = (stream("access", 1), stream("case", 1));
    store.append(append(&access, Expected::NoStream, 1, 2)).await.expect("accepted");
    let first = guarded(append(&case, Expected::NoStream, 2, 1), &access, Some(Revision(1)));
    store.append(guarded(first, &stream("domain", 1), None)).await.expect("both guards hold");
    let own = guarded(append(&case, after_events(1), 3, 1), &case, Some(Revision(0)));
    store.append(own).await.expect("a guard on the stream itself holds");
}

/// The earlier append may sit in the same durable write.
pub async fn a_guard_moved_by_an_append_just_before_refuses_the_later_one(store: Store) {
    let access = stream("access", 1);
    store.append(append(&access, Expected::NoStream, 1, 1)).await.expect("accepted");
    for round in 0..10 {
        let case = stream("case", round);
        let relied_on = Some(Revision(round));
        let appends = [
            append(&access, after_events(round + 1), 100 + round, 1),
            guarded(append(&case, Expected::NoStream, 200 + round, 1), &access, relied_on),
        ];
        let answers = concurrently(&store, appends).await;
        assert!(answers[0].is_ok(), "{answers:?}");
        let moved_at = of(&store, &access).await[usize::try_from(round).expect("small") + 1].position;
        match &answers[1] {
            Ok(appended) => assert!(appended.last_position < moved_at, "accepted on a guard that had moved"),
            Err(refused) => {
                let actual = Some(Revision(round + 1));
                assert_eq!(*refused, AppendError::GuardMoved { stream: access.clone(), actual });
            }
        }
    }
}

/// An append must say something.
pub async fn an_append_of_nothing_is_invalid(store: Store) {
    let nothing = store.append(append(&stream("case", 1), Expected::NoStream, 1, 0)).await;
    assert!(matches!(nothing, Err(AppendError::Invalid(_))), "{nothing:?}");
}

/// Brokers and some stores stop at 1 MiB: refused before anything is queued.
pub async fn an_event_or_append_over_its_bound_is_invalid(store: Store) {
    let mut large = append(&stream("case", 1), Expected::NoStream, 1, 1);
    large.events[0].metadata = Bytes::from(vec![b'm'; 100]);
    large.events[0].payload = Bytes::from(vec![b'p'; MAX_EVENT_BYTES - 99]);
    let refused = store.append(large).await;
    assert!(matches!(refused, Err(AppendError::Invalid(_))), "{refused:?}");
    let mut many = append(&stream("case", 1), Expected::NoStream, 1, 4);
    for event in &mut many.events {
        event.metadata = Bytes::new();
        event.payload = Bytes::from(vec![b'p'; MAX_APPEND_BYTES / 4]);
    }
    many.events[3].metadata = Bytes::from_static(b"1");
    let refused = store.append(many).await;
    assert!(matches!(refused, Err(AppendError::Invalid(_))), "{refused:?}");
    assert_eq!(all(&store).await, vec![]);
}

/// Exactly at both bounds.
pub async fn an_append_at_its_bounds_is_accepted(store: Store) {
    let stream = stream("case", 1);
    let mut largest = append(&stream, Expected::NoStream, 1, 3);
    for event in &mut largest.events {
        event.payload = Bytes::from(vec![b'p'; MAX_EVENT_BYTES - event.metadata.len()]);
    }
    let sum = largest.events.iter().map(|event| event.payload.len() + event.metadata.len()).sum::<usize>();
    assert_eq!(sum, MAX_APPEND_BYTES);
    store.append(largest.clone()).await.expect("nothing is over its bound");
    for (read, stored) in of(&store, &stream).await.iter().zip(&largest.events) {
        assert!(read.payload == stored.payload, "a large payload comes back whole");
    }
}

/// Recorded times may stand still within a stream, and differ between streams.
pub async fn time_never_runs_backwards_within_a_stream(store: Store) {
    let case = stream("case", 1);
    let at = |expected, command, seconds: &[i64]| {
        let mut append = append(&case, expected, command, seconds.len() as u64);
        for (event, second) in append.events.iter_mut().zip(seconds) {
            event.recorded_at = instant(*second);
        }
        append
    };
    store.append(at(Expected::NoStream, 1, &[10, 10, 11])).await.expect("time goes on");
    let before = store.append(at(after_events(3), 2, &[10])).await;
    assert!(matches!(before, Err(AppendError::Invalid(_))), "{before:?}");
    let inside = store.append(at(after_events(3), 3, &[13, 12])).await;
    assert!(matches!(inside, Err(AppendError::Invalid(_))), "{inside:?}");
    store.append(at(after_events(3), 4, &[11])).await.expect("time may stand still");
    let mut elsewhere = append(&stream("case", 2), Expected::NoStream, 5, 1);
    elsewhere.events[0].recorded_at = instant(1);
    store.append(elsewhere).await.expect("another stream has a time of its own");
}

/// All or none.
pub async fn a_refused_append_stores_none_of_its_events(store: Store) {
    let (case, other) = (stream("case", 1), stream("case", 2));
    store.append(append(&other, Expected::NoStream, 1, 1)).await.expect("accepted");
    let mut half = append(&case, Expected::NoStream, 2, 3);
    half.events[2].event_id = event(1, 0).event_id;
    assert!(store.append(half).await.is_err());
    assert_eq!(of(&store, &case).await, vec![]);
    // Neither its stream nor its other ids are taken.
    store.append(append(&case, Expected::NoStream, 2, 2)).await.expect("accepted");
}

/// Paging through a stream.
pub async fn a_stream_is_read_in_pages(store: Store) {
    let case = stream("case", 1);
    for n in 0..7 {
        store.append(append(&case, after_events(n), n + 1, 1)).await.expect("accepted");
        store.append(append(&stream("case", 2), after_events(n), n + 100, 1)).await.expect("accepted");
    }
    let page = |from, limit| {
        let (store, case) = (&store, &case);
        async move {
            let page = store.read_stream(case, Revision(from), limit).await.expect("readable");
            page.iter().map(|event| event.revision.0).collect::<Vec<_>>()
        }
    };
    assert_eq!(page(0, 3).await, [0, 1, 2]);
    assert_eq!(page(3, 3).await, [3, 4, 5]);
    assert_eq!(page(6, 3).await, [6]);
    assert_eq!(page(7, 3).await, [0; 0]);
    assert_eq!(page(u64::MAX, 3).await, [0; 0]);
    assert_eq!(page(0, 0).await, [0; 0]);
    assert_eq!(page(0, usize::MAX).await.len(), 7);
}

/// Paging through the log, whatever the page's size.
pub async fn the_log_is_read_in_pages_in_one_order(store: Store) {
    let mut acknowledged = vec![];
    for n in 0..12 {
        let stream = stream("case", n % 3);
        let appended =
            store.append(append(&stream, after_events(n / 3 * 2), n + 1, 2)).await.expect("accepted");
        acknowledged.push(appended.last_position);
    }
    let log = all(&store).await;
    assert_eq!(log.len(), 24);
    assert!(log.is_sorted_by(|a, b| a.position < b.position), "positions rise");
    assert!(acknowledged.is_sorted_by(|a, b| a < b), "what was acknowledged first comes first");
    for limit in [1, 5, 24, 100] {
        let (mut paged, mut after) = (vec![], Position::START);
        loop {
            let page = store.read_all(after, limit).await.expect("readable");
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = last.position;
            paged.extend(page);
        }
        assert_eq!(paged, log, "in pages of {limit}");
    }
    assert_eq!(store.read_all(Position(u64::MAX), 10).await, Ok(vec![]));
    assert_eq!(store.read_all(Position::START, 0).await, Ok(vec![]));
}

/// An acknowledged append is visible to whoever asks next.
pub async fn heads_and_ids_answer_at_once_after_an_append(store: Store) {
    let watched = store.watch_head();
    for n in 0..20 {
        let case = stream("case", n % 4);
        let appended = store.append(append(&case, after_events(n / 4), n + 1, 1)).await.expect("accepted");
        assert_eq!(store.stream_head(&case).await, Ok(Some(Revision(n / 4))));
        assert_eq!(store.head().await, Ok(appended.last_position));
        assert_eq!(store.event_id_at(appended.last_position).await, Ok(Some(event(n + 1, 0).event_id)));
        assert_eq!(*watched.borrow(), appended.last_position);
    }
}

/// Readers that page while many write see, joined together, exactly the log in its order.
pub async fn readers_never_skip_an_event_that_commits_late(store: Store) {
    const APPENDERS: u64 = 8;
    const EACH: u64 = 25;
    let readers = (0..3).map(|reader| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let (mut seen, mut after) = (vec![], Position::START);
            while (seen.len() as u64) < APPENDERS * EACH {
                let page = store.read_all(after, 1 + reader * 7).await.expect("readable");
                if let Some(last) = page.last() {
                    after = last.position;
                }
                seen.extend(page.into_iter().map(|event| event.event_id));
                tokio::task::yield_now().await;
            }
            seen
        })
    });
    let readers = readers.collect::<Vec<_>>();
    write_concurrently(&store, APPENDERS, EACH).await;
    let log = all(&store).await.into_iter().map(|event| event.event_id).collect::<Vec<_>>();
    for reader in readers {
        let seen = tokio::time::timeout(Duration::from_mins(1), reader).await;
        let seen = seen.expect("a reader that skipped waits for ever").expect("a reader does not panic");
        assert_eq!(seen, log);
    }
}

/// Nothing acknowledged is missing, nothing is there twice, revisions have no gap.
pub async fn every_acknowledged_event_of_many_appenders_is_in_the_log_exactly_once(store: Store) {
    let mut acknowledged = write_concurrently(&store, 16, 20).await;
    acknowledged.sort_unstable();
    let log = all(&store).await;
    let ids = log.iter().map(|event| event.event_id).collect::<HashSet<_>>();
    assert_eq!(ids.len(), log.len(), "an event is there twice");
    let mut stored = ids.into_iter().collect::<Vec<_>>();
    stored.sort_unstable();
    assert_eq!(stored, acknowledged);
    let mut next = HashMap::<StreamName, u64>::new();
    for event in log {
        let expected = next.entry(event.stream.clone()).or_default();
        assert_eq!(event.revision, Revision(*expected), "{}", event.stream);
        *expected += 1;
    }
}

/// From the middle of the past on, then live, without a gap.
pub async fn a_subscription_delivers_the_past_and_then_what_comes(store: Store) {
    let case = stream("case", 1);
    let past = store.append(append(&case, Expected::NoStream, 1, 5)).await.expect("accepted");
    let after = of(&store, &case).await[1].position;
    let mut subscription = Subscription::new(Arc::clone(&store), after);
    let batch = subscription.next_batch(2).await.expect("readable");
    assert_eq!(batch.iter().map(|event| event.revision.0).collect::<Vec<_>>(), [2, 3]);
    let batch = subscription.next_batch(2).await.expect("readable");
    assert_eq!(batch[0].position, past.last_position);
    let waiting = tokio::spawn(async move { (subscription.next_batch(10).await, subscription) });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished(), "there is nothing to deliver");
    store.append(append(&case, after_events(5), 2, 1)).await.expect("accepted");
    let woken = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    let (batch, _) = woken.expect("woken by the append").expect("no panic");
    assert_eq!(batch.expect("readable")[0].event_id, event(2, 0).event_id);
}

/// A follower that waits for a position may trust that it stays reached.
pub async fn the_watched_head_never_runs_backwards(store: Store) {
    let mut head = store.watch_head();
    let watching = tokio::spawn(async move {
        let mut last = Position::START;
        while last < Position(u64::MAX) && head.changed().await.is_ok() {
            let now = *head.borrow_and_update();
            assert!(now >= last, "from {last} to {now}");
            last = now;
        }
    });
    write_concurrently(&store, 4, 25).await;
    watching.abort();
    if let Err(error) = watching.await {
        assert!(error.is_cancelled(), "{error}");
    }
}

/// Each appender extends a stream of its own and, now and then, one that all share. Answers the ids that were
/// acknowledged.
async fn write_concurrently(store: &Store, appenders: u64, each: u64) -> Vec<EventId> {
    let tasks = (0..appenders).map(|appender| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let own = stream("case", appender);
            let shared = stream("shared", 1);
            let mut acknowledged = vec![];
            let mut in_own = 0;
            for n in 0..each {
                let command = 1 + appender * each + n;
                if n % 5 == 0 {
                    // A conflict is answered by loading and deciding again.
                    loop {
                        let head = store.stream_head(&shared).await.expect("readable");
                        let expected = after_events(head.map_or(0, |head| head.0 + 1));
                        match store.append(append(&shared, expected, command, 1)).await {
                            Ok(_) => break,
                            Err(AppendError::Conflict { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                } else {
                    store
                        .append(append(&own, after_events(in_own), command, 1))
                        .await
                        .expect("nobody else writes");
                    in_own += 1;
                }
                acknowledged.push(event(command, 0).event_id);
            }
            acknowledged
        })
    });
    let mut acknowledged = vec![];
    for task in tasks.collect::<Vec<_>>() {
        acknowledged.extend(task.await.expect("an appender does not panic"));
    }
    acknowledged
}

async fn concurrently(
    store: &Store,
    appends: impl IntoIterator<Item = Append>,
) -> Vec<Result<crate::store::Appended, AppendError>> {
    futures::future::join_all(appends.into_iter().map(|append| store.append(append))).await
}
