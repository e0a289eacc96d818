//! Two nodes on one database: one order for all, exact revisions, and nobody waits for a node that stalls.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::load::{Load, assert_log_is_whole};
use super::{all, assert_in_time, extend, open, open_in_haste, run};
use crate::contract::sample::{after_events, append, event, stream};
use crate::contract::servers::Postgres;
use crate::envelope::{Position, Revision};
use crate::postgres::open::Address;
use crate::postgres::session::Session;
use crate::postgres::writer::server_limits;
use crate::postgres::{PostgresOptions, PostgresStore};
use crate::store::{AppendError, EventStore, Guard};

/// Follows a log until it has seen as many events; answers their positions.
async fn follow(store: Arc<PostgresStore>, events: usize) -> Vec<Position> {
    let (mut seen, mut after) = (vec![], Position::START);
    while seen.len() < events {
        let page = store.read_all(after, 7).await.unwrap();
        seen.extend(page.iter().map(|event| event.position));
        after = seen.last().copied().unwrap_or(after);
        tokio::task::yield_now().await;
    }
    seen
}

async fn two_nodes_write_at_once(url: &str) {
    let nodes = [Arc::new(open(url).await), Arc::new(open(url).await)];
    let load = Load::start(&nodes, 16, Some(25));
    let followers = nodes.each_ref().map(|node| tokio::spawn(follow(Arc::clone(node), 16 * 25)));
    let acknowledged = load.finish().await;
    assert_eq!(acknowledged.len(), 16 * 25);
    let log = all(&*nodes[0]).await;
    assert_log_is_whole(&log, &acknowledged);
    let order = log.iter().map(|event| event.position).collect::<Vec<_>>();
    for follower in followers {
        let seen = timeout(Duration::from_mins(1), follower)
            .await
            .expect("one that skipped waits for ever")
            .unwrap();
        assert_eq!(seen, order);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_of_two_nodes_that_write_at_once_skips_nothing() {
    two_nodes_write_at_once(&Postgres::shared().fresh_database()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_set_to_other_transactions_changes_nothing() {
    let url = Postgres::shared().fresh_database();
    run(
        &url,
        "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || \
         ' SET default_transaction_isolation = serializable'; END $$",
    )
    .await;
    two_nodes_write_at_once(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_appends_by_two_nodes_to_one_revision_exactly_one_is_accepted() {
    let url = Postgres::shared().fresh_database();
    let nodes = [open(&url).await, open(&url).await];
    let stream = stream("case", 1);
    for round in 0..20 {
        let appends = nodes
            .iter()
            .zip([1, 2])
            .map(|(node, n)| node.append(append(&stream, after_events(round), round * 2 + n, 1)));
        let answers = futures::future::join_all(appends).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        let refused = answers.into_iter().find_map(Result::err).unwrap();
        assert_eq!(refused, AppendError::Conflict { actual: Some(Revision(round)) });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_is_never_older_than_what_was_acknowledged_on_any_node() {
    let url = Postgres::shared().fresh_database();
    let nodes = [Arc::new(open(&url).await), Arc::new(open(&url).await)];
    let askers = (0..12).map(|n| {
        let (writer, reader) = (Arc::clone(&nodes[n % 2]), Arc::clone(&nodes[(n + 1) % 2]));
        let (case, base) = (stream("case", n as u64), n as u64 * 1000);
        tokio::spawn(async move {
            for at in 0..25_u64 {
                let before = reader.stream_head(&case).await.unwrap();
                assert_eq!(before, at.checked_sub(1).map(Revision));
                writer.append(append(&case, after_events(at), base + at + 1, 1)).await.unwrap();
                assert_eq!(reader.stream_head(&case).await, Ok(Some(Revision(at))));
            }
        })
    });
    for asker in askers.collect::<Vec<_>>() {
        asker.await.unwrap();
    }
}

#[tokio::test]
async fn a_guard_that_another_node_has_moved_refuses_the_append() {
    let url = Postgres::shared().fresh_database();
    let (here, there) = (open(&url).await, open(&url).await);
    let (access, case) = (stream("access", 1), stream("case", 1));
    here.append(append(&access, after_events(0), 1, 1)).await.unwrap();
    there.append(append(&access, after_events(1), 2, 1)).await.unwrap();
    let mut guarded = append(&case, after_events(0), 3, 1);
    guarded.guards.push(Guard { stream: access.clone(), revision: Some(Revision(0)) });
    let moved = AppendError::GuardMoved { stream: access.clone(), actual: Some(Revision(1)) };
    assert_eq!(here.append(guarded.clone()).await, Err(moved));
    guarded.guards[0].revision = Some(Revision(1));
    here.append(guarded).await.unwrap();
}

#[tokio::test]
async fn a_node_hears_of_the_commits_of_another() {
    let url = Postgres::shared().fresh_database();
    let (here, there) = (open(&url).await, open(&url).await);
    let mut head = here.watch_head();
    for n in 0..3 {
        if n == 2 {
            assert!(super::drop_connections(&url, "dossier listener").await > 0);
        }
        let appended = there.append(append(&stream("case", 1), after_events(n), n + 1, 1)).await.unwrap();
        let heard = head.wait_for(|head| *head >= appended.last_position);
        timeout(Duration::from_secs(20), heard).await.expect("told by the other node").unwrap();
        assert_eq!(here.event_id_at(appended.last_position).await, Ok(Some(event(n + 1, 0).event_id)));
    }
}

#[tokio::test]
async fn a_node_hears_of_the_last_of_many_commits_in_a_row() {
    let url = Postgres::shared().fresh_database();
    let (here, there) = (open(&url).await, open(&url).await);
    let mut head = here.watch_head();
    for round in 0..3 {
        extend(&there, round * 50, 50).await;
        let last = Position(round * 50 + 50);
        // Sooner than a listener that hears nothing looks by itself.
        let heard = timeout(Duration::from_secs(4), head.wait_for(|head| *head == last)).await;
        heard.expect("told by the other node").unwrap();
    }
}

#[tokio::test]
async fn a_node_that_stalls_while_it_holds_the_lock_does_not_stop_the_others() {
    let url = Postgres::shared().fresh_database();
    let store = open_in_haste(&url).await;
    extend(&store, 0, 1).await;
    let address = Address::parse(&url).unwrap();
    let limits = server_limits(PostgresOptions::default().answer_within);
    let connect = address.used_as("stalls", &limits);
    let mut stalled = Session::connect(&connect, "stalls").await.unwrap();
    stalled.begin("SELECT 1").await.unwrap();
    let since = Instant::now();
    // It waits for the lock, and gets it when the server has ended the other's transaction.
    store.append(append(&stream("case", 1), after_events(1), 2, 1)).await.unwrap();
    assert_in_time(since);
    assert!(stalled.commit("SELECT 1".to_owned()).await.is_err(), "when it goes on, its transaction is gone");
}

#[tokio::test]
async fn a_lock_that_nobody_lets_go_of_makes_the_log_unavailable_in_time() {
    let url = Postgres::shared().fresh_database();
    let store = open_in_haste(&url).await;
    extend(&store, 0, 1).await;
    let connect = Address::parse(&url).unwrap().used_as("holds", &[]);
    let mut holder = Session::connect(&connect, "holds").await.unwrap();
    holder.begin("SELECT 1").await.unwrap();
    let since = Instant::now();
    let refused = store.append(append(&stream("case", 1), after_events(1), 2, 1)).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    assert_in_time(since);
    assert_eq!(store.stream_head(&stream("case", 1)).await, Ok(Some(Revision(0))), "reading goes on");
    holder.roll_back().await.unwrap();
    extend(&store, 1, 1).await;
}

#[tokio::test]
async fn streams_of_both_nodes_have_no_gap() {
    let url = Postgres::shared().fresh_database();
    let nodes = [open(&url).await, open(&url).await];
    let mut next = HashMap::new();
    for n in 0..60 {
        let (node, case) = (&nodes[usize::try_from(n % 2).unwrap()], stream("case", n % 7));
        let at = next.entry(n % 7).or_insert(0);
        node.append(append(&case, after_events(*at), n + 1, 1 + n % 3)).await.unwrap();
        *at += 1 + n % 3;
    }
    let log = all(&nodes[0]).await;
    let positions = log.iter().map(|event| event.position.0).collect::<Vec<_>>();
    assert_eq!(positions, (1..=log.len() as u64).collect::<Vec<_>>());
}
