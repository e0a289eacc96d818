//! A server that is down at the start, goes away, and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dossier_eventlog::contract::sample::{after_events, append, event, stream};
use dossier_eventlog::{
    AppendError, EventStore, Expected, KurrentOpenError, KurrentOptions, KurrentStore, Position, ReadError,
    Revision, StreamName,
};
use dossier_kurrentdb_double::Double;
use tokio::time::Instant;
use uuid::Uuid;

use crate::harness::{all, hasty_node, node, open, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_whose_server_is_down_opens_when_it_starts() {
    let mut double = Double::stopped();
    let url = double.url();
    let opening = tokio::spawn(async move {
        KurrentStore::open(&url, KurrentOptions::default(), Uuid::from_u64_pair(7, 7)).await
    });
    // Long enough for its first attempts to fail: a client of the vendor never recovers from that.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!opening.is_finished());
    double.start().await;
    let store = opening.await.expect("no panic").expect("the server runs");
    store.append(append(&stream("case", 1), Expected::NoStream, 1, 2)).await.expect("accepted");
    assert_eq!(all(&store).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_gives_up_in_one_sentence_without_the_password() {
    let double = Double::stopped();
    let url = double.url().replace("://", "://admin:changeit@");
    let options = KurrentOptions { open_timeout: Duration::from_millis(300), ..KurrentOptions::default() };
    let error = KurrentStore::open(&url, options, Uuid::nil()).await.err().expect("nobody is there");
    assert!(matches!(error, KurrentOpenError::Unreachable { .. }), "{error:?}");
    let sentence = error.to_string();
    assert!(sentence.contains("kurrentdb://127.0.0.1:"), "{sentence}");
    assert!(!sentence.contains("changeit"), "{sentence}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_keeps_its_identity_over_restarts_and_nodes() {
    let mut double = Double::started().await;
    let first = node(&double).await;
    assert_eq!(first.log_id(), Uuid::from_u64_pair(7, 7));
    double.restart().await;
    let later = KurrentStore::open(&double.url(), KurrentOptions::default(), Uuid::from_u64_pair(8, 8)).await;
    assert_eq!(later.expect("the double runs").log_id(), first.log_id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_to_a_server_that_is_away_is_unavailable_within_two_seconds() {
    let mut double = Double::started().await;
    let options = KurrentOptions { read_timeout: Duration::from_millis(500), ..KurrentOptions::default() };
    let store = open(&double, options).await;
    let case = stream("case", 1);
    store.append(append(&case, Expected::NoStream, 1, 1)).await.expect("accepted");
    double.stop().await;
    until("the loss is noticed", async || store.trouble().is_some()).await;
    for _ in 0..3 {
        let asked = Instant::now();
        let answer = store.append(append(&case, after_events(1), 2, 1)).await;
        assert!(matches!(answer, Err(AppendError::Unavailable(_))), "{answer:?}");
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    }
    let read = store.read_stream(&case, Revision(0), 10).await;
    assert!(matches!(read, Err(ReadError::Unavailable(_))), "{read:?}");
    double.start().await;
    until("it is connected again", async || store.trouble().is_none()).await;
    store.append(append(&case, after_events(1), 3, 1)).await.expect("accepted");
    let ids = all(&store).await.into_iter().map(|event| event.event_id).collect::<Vec<_>>();
    assert_eq!(ids, [event(1, 0).event_id, event(3, 0).event_id], "what was unavailable is not stored");
}

/// As commands do it: load, see whether it was applied, append, and begin again when in doubt.
async fn apply(store: &KurrentStore, stream: &StreamName, command: u64) {
    loop {
        if let Ok(events) = store.read_stream(stream, Revision(0), usize::MAX).await {
            if events.iter().any(|stored| stored.event_id == event(command, 0).event_id) {
                return;
            }
            match store.append(append(stream, after_events(events.len() as u64), command, 2)).await {
                Ok(_) => return,
                Err(AppendError::Invalid(reason)) => panic!("{reason}"),
                Err(_) => {}
            }
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_restarted_under_load_loses_nothing_and_repeats_nothing() {
    const WRITERS: u64 = 8;
    const EACH: u64 = 12;
    let mut double = Double::started().await;
    let nodes = [hasty_node(&double).await, hasty_node(&double).await];
    let done = Arc::new(AtomicU64::new(0));
    let writers = (0..WRITERS).map(|writer| {
        let (store, done) = (Arc::clone(&nodes[usize::from(writer % 2 == 0)]), Arc::clone(&done));
        tokio::spawn(async move {
            for n in 0..EACH {
                // Every third command goes to a stream that all writers extend.
                let case = if n % 3 == 0 { stream("case", 99) } else { stream("case", writer) };
                apply(&store, &case, 1 + writer * EACH + n).await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let writers = writers.collect::<Vec<_>>();
    for quarter in 1..4 {
        let enough = WRITERS * EACH * quarter / 4;
        until("the writers get on", async || done.load(Ordering::Relaxed) >= enough).await;
        double.restart().await;
    }
    for writer in writers {
        writer.await.expect("no panic");
    }
    let log = all(&*nodes[0]).await;
    let mut ids = log.iter().map(|event| event.event_id).collect::<Vec<_>>();
    ids.sort_unstable();
    let expected =
        (1..=WRITERS * EACH).flat_map(|command| [event(command, 0).event_id, event(command, 1).event_id]);
    assert_eq!(ids, expected.collect::<Vec<_>>());
    let head = log.last().map_or(Position::START, |event| event.position);
    for node in &nodes {
        until("every node knows", async || *node.watch_head().borrow() == head).await;
    }
}
