//! The event store's contract: exact revisions, guards, one order, exact bytes, nothing lost and nothing twice.

mod concurrent;

use std::sync::Arc;

use bytes::Bytes;

use super::Check;
use super::sample::{after_events, append, event, instant, stream};
use crate::envelope::{Position, RecordedEvent, Revision, StreamName};
use crate::store::{Append, AppendError, EventStore, Expected, Guard, MAX_APPEND_BYTES, MAX_EVENT_BYTES};

pub use concurrent::*;

type Store = Arc<dyn EventStore>;

/// Hands the names of all checks to a macro, so that they are written once.
#[doc(hidden)]
#[macro_export]
macro_rules! with_event_store_checks {
    ([$($macro:tt)*] $($first:tt)*) => {
        $($macro)*! { $($first)* [
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
        ] }
    };
}

/// Runs every check of the event store's contract against what a factory makes: an
/// `async fn() -> Fresh<dyn EventStore>`.
#[macro_export]
macro_rules! event_store_contract {
    ($factory:expr) => {
        $crate::with_event_store_checks!([$crate::contract_tests] $factory, $crate::contract::event_store,);
    };
}

/// Every check with its name, for a program that runs them.
pub fn checks() -> Vec<(&'static str, Check<dyn EventStore>)> {
    crate::with_event_store_checks!([crate::contract_checks])
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
