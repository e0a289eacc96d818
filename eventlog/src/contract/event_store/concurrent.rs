//! The event store's contract, where many append or read at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::{Store, all, guarded, of};
use crate::contract::sample::{after_events, append, event, stream};
use crate::envelope::{EventId, Position, Revision, StreamName};
use crate::store::{Append, AppendError, Appended, Expected};
use crate::subscription::Subscription;

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
) -> Vec<Result<Appended, AppendError>> {
    futures::future::join_all(appends.into_iter().map(|append| store.append(append))).await
}
