//! A server that dies, restarts or stands still.

use std::sync::Arc;
use std::time::Instant;

use super::load::{Load, assert_log_is_whole};
use super::{all, assert_in_time, drop_connections, extend, open, open_in_haste, run};
use crate::contract::sample::{after_events, append, stream};
use crate::contract::servers::Postgres;
use crate::envelope::{Position, Revision};
use crate::postgres::PostgresStore;
use crate::store::{Append, AppendError, Appended, EventStore, ReadError};

async fn together(store: &PostgresStore, appends: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
    futures::future::join_all(appends.into_iter().map(|append| store.append(append))).await
}

/// Restarts a server on a thread that may wait.
async fn restart(mut server: Postgres) -> Postgres {
    tokio::task::spawn_blocking(move || {
        server.restart();
        server
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_under_load_loses_nothing_acknowledged_and_stores_nothing_twice() {
    let mut server = Postgres::start(&[]);
    let url = server.url("postgres");
    let nodes = [Arc::new(open_in_haste(&url).await), Arc::new(open_in_haste(&url).await)];
    let load = Load::start(&nodes, 12, None);
    for _ in 0..3 {
        load.goes_on_for(200).await;
        server = restart(server).await;
    }
    load.goes_on_for(200).await;
    let acknowledged = load.stop().await;
    for node in &nodes {
        assert_log_is_whole(&all(&**node).await, &acknowledged);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_dropped_under_load_lose_nothing_acknowledged_and_store_nothing_twice() {
    let url = Postgres::shared().fresh_database();
    let nodes = [Arc::new(open_in_haste(&url).await), Arc::new(open_in_haste(&url).await)];
    let load = Load::start(&nodes, 12, None);
    for _ in 0..10 {
        load.goes_on_for(50).await;
        drop_connections(&url, "dossier writer").await;
    }
    load.goes_on_for(50).await;
    let acknowledged = load.stop().await;
    assert_log_is_whole(&all(&*nodes[0]).await, &acknowledged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_makes_the_log_unavailable_in_time() {
    let server = Postgres::start(&[]);
    let store = Arc::new(open_in_haste(&server.url("postgres")).await);
    extend(&store, 0, 2).await;
    let watched = store.watch_head();
    server.signal("STOP");
    // Twice: on the connection that stands still, and on a new one.
    for round in 0..2 {
        let since = Instant::now();
        let appends = (0..40).map(|n| append(&stream("case", n + 10), after_events(0), 100 + n, 1)).collect();
        for answer in together(&store, appends).await {
            assert!(matches!(answer, Err(AppendError::Unavailable(_))), "round {round}: {answer:?}");
        }
        assert_in_time(since);
        let since = Instant::now();
        assert!(matches!(store.head().await, Err(ReadError::Unavailable(_))));
        assert_in_time(since);
    }
    server.signal("CONT");
    assert_eq!(all(&*store).await.len(), 2, "what was said not to be stored is not");
    extend(&store, 2, 1).await;
    let appends = (0..40).map(|n| append(&stream("case", n + 10), after_events(0), 100 + n, 1)).collect();
    assert!(together(&store, appends).await.iter().all(Result::is_ok));
    assert_eq!(*watched.borrow(), Position(43));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_under_load_keeps_nobody_waiting() {
    let server = Postgres::start(&[]);
    let url = server.url("postgres");
    let nodes = [Arc::new(open_in_haste(&url).await), Arc::new(open_in_haste(&url).await)];
    let load = Load::start(&nodes, 12, None);
    load.goes_on_for(100).await;
    server.signal("STOP");
    let since = Instant::now();
    let late = nodes[0].append(append(&stream("late", 1), after_events(0), 99_000_000, 1)).await;
    assert!(matches!(late, Err(AppendError::Unavailable(_))), "{late:?}");
    assert_in_time(since);
    server.signal("CONT");
    load.goes_on_for(100).await;
    let acknowledged = load.stop().await;
    assert_log_is_whole(&all(&*nodes[1]).await, &acknowledged);
}

#[tokio::test]
async fn a_server_that_is_away_is_said_to_be_and_found_again() {
    let mut server = Postgres::start(&[]);
    let store = open_in_haste(&server.url("postgres")).await;
    extend(&store, 0, 1).await;
    server.kill();
    let since = Instant::now();
    let refused = store.append(append(&stream("case", 1), after_events(1), 2, 1)).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    assert!(matches!(store.head().await, Err(ReadError::Unavailable(_))));
    assert_in_time(since);
    let _server = restart(server).await;
    assert_eq!(store.head().await, Ok(Position(1)));
    extend(&store, 1, 1).await;
}

#[tokio::test]
async fn reads_and_appends_do_not_notice_that_idle_connections_were_dropped() {
    let url = Postgres::shared().fresh_database();
    let store = open(&url).await;
    extend(&store, 0, 3).await;
    let reads = (0..6).map(|_| store.read_all(Position::START, 10));
    assert!(futures::future::join_all(reads).await.iter().all(Result::is_ok));
    assert!(drop_connections(&url, "dossier reader").await > 1);
    assert!(drop_connections(&url, "dossier writer").await > 0);
    assert_eq!(store.stream_head(&stream("case", 1)).await, Ok(Some(Revision(2))));
    extend(&store, 3, 1).await;
}

#[tokio::test]
async fn an_append_that_the_database_refuses_fails_alone() {
    let url = Postgres::shared().fresh_database();
    let store = open(&url).await;
    run(&url, "ALTER TABLE dossier_log.event ADD CONSTRAINT refused CHECK (type <> 'Refused')").await;
    let mut appends =
        (0..10).map(|n| append(&stream("case", n), after_events(0), n + 1, 3)).collect::<Vec<_>>();
    appends[4].events[2].event_type = "Refused".into();
    // No text of PostgreSQL holds this letter; other strange ones are no trouble.
    appends[7].events[0].event_type = "Zero\0".into();
    appends[8].events[0].event_type = "it's \"odd\\{,}".into();
    for (n, answer) in together(&store, appends).await.into_iter().enumerate() {
        match n {
            4 => assert!(matches!(answer, Err(AppendError::Unavailable(_))), "{answer:?}"),
            7 => assert!(matches!(answer, Err(AppendError::Invalid(_))), "{answer:?}"),
            _ => assert!(answer.is_ok(), "{n}: {answer:?}"),
        }
    }
    assert_eq!(all(&store).await.len(), 24);
}

#[tokio::test]
async fn a_closed_store_stores_what_was_queued_and_says_that_it_is_closed() {
    let url = Postgres::shared().fresh_database();
    let store = Arc::new(open(&url).await);
    let queued = (0..50).map(|n| {
        let store = Arc::clone(&store);
        async move { store.append(append(&stream("case", n), after_events(0), n + 1, 1)).await }
    });
    let (answers, ()) = tokio::join!(futures::future::join_all(queued), store.close());
    let stored = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!(
        answers.iter().all(|answer| matches!(answer, Ok(_) | Err(AppendError::Unavailable(_)))),
        "{answers:?}"
    );
    assert!(stored > 0);
    assert!(matches!(store.head().await, Err(ReadError::Unavailable(_))));
    assert_eq!(all(&open(&url).await).await.len(), stored);
}
