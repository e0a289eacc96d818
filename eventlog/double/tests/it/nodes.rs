//! Several nodes, several logs, and strangers on one server.

use std::sync::Arc;

use dossier_eventlog::contract::sample::{after_events, append, event, stream};
use dossier_eventlog::{
    AppendError, EventStore, Expected, KurrentOptions, KurrentStore, Position, ReadError, Revision,
};
use dossier_kurrentdb_double::Double;
use futures::future::join_all;
use kurrentdb::{AppendToStreamOptions, Client, EventData};
use uuid::Uuid;

use crate::harness::{all, node, open, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_acknowledged_every_node_shows() {
    let double = Double::started().await;
    let nodes = [node(&double).await, node(&double).await];
    let case = stream("case", 1);
    for n in 0..6 {
        let (writing, reading) = (&nodes[n % 2], &nodes[(n + 1) % 2]);
        let n = n as u64;
        let appended = writing.append(append(&case, after_events(n), n + 1, 1)).await.expect("accepted");
        assert_eq!(reading.stream_head(&case).await, Ok(Some(Revision(n))));
        assert_eq!(reading.head().await, Ok(appended.last_position));
        assert_eq!(reading.event_id_at(appended.last_position).await, Ok(Some(event(n + 1, 0).event_id)));
    }
    assert_eq!(all(&*nodes[0]).await, all(&*nodes[1]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_race_for_a_stream_never_both_win_and_harm_nobody_else() {
    let double = Double::started().await;
    let nodes = [node(&double).await, node(&double).await];
    let shared = stream("shared", 1);
    for round in 0..10 {
        // The vendor's session breaks with the loser's conflict: the others on it must not notice.
        let bystanders = (0..20).map(|n| {
            let command = 1_000 + round * 100 + n;
            nodes[0].append(append(&stream("case", command), Expected::NoStream, command, 2))
        });
        let racing = (0..2)
            .map(|n| nodes[n].append(append(&shared, after_events(round), 10 + round * 2 + n as u64, 1)));
        let (raced, stood_by) = tokio::join!(join_all(racing), join_all(bystanders));
        assert_eq!(raced.iter().filter(|answer| answer.is_ok()).count(), 1, "{raced:?}");
        for refused in raced.into_iter().filter_map(Result::err) {
            assert_eq!(refused, AppendError::Conflict { actual: Some(Revision(round)) });
        }
        for answer in stood_by {
            assert_eq!(answer.expect("accepted").last_revision, Revision(1));
        }
    }
    assert_eq!(all(&*nodes[1]).await.len(), 10 + 10 * 20 * 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_another_node_applied_is_a_duplicate_once_its_stream_is_loaded() {
    let double = Double::started().await;
    let first = node(&double).await;
    let case = stream("case", 1);
    first.append(append(&case, Expected::NoStream, 1, 2)).await.expect("accepted");
    let second = node(&double).await;
    // With the original revision the server itself knows it, and answers as it did the first time.
    let loaded = second.read_stream(&case, Revision(0), 10).await.expect("readable");
    assert_eq!(loaded.len(), 2);
    let again = second.append(append(&case, after_events(2), 1, 2)).await;
    assert_eq!(again, Err(AppendError::Duplicate { event_id: event(1, 0).event_id }));
    assert_eq!(all(&*second).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_under_two_namespaces_do_not_see_each_other() {
    let double = Double::started().await;
    let ours = node(&double).await;
    let options = KurrentOptions { namespace: "dossier-2".to_owned(), ..KurrentOptions::default() };
    let theirs =
        KurrentStore::open(&double.url(), options, Uuid::from_u64_pair(9, 9)).await.expect("the double runs");
    assert_ne!(ours.log_id(), theirs.log_id());
    let case = stream("case", 1);
    let here = ours.append(append(&case, Expected::NoStream, 1, 1)).await.expect("accepted");
    assert_eq!(theirs.head().await, Ok(Position::START));
    assert_eq!(theirs.event_id_at(here.last_position).await, Ok(None));
    theirs.append(append(&case, Expected::NoStream, 1, 3)).await.expect("accepted");
    assert_eq!(all(&*ours).await.len(), 1);
    assert_eq!(all(&theirs).await.len(), 3);
    assert_eq!(ours.head().await, Ok(here.last_position));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_somebody_else_put_into_the_log_is_damage_and_elsewhere_is_not_seen() {
    let double = Double::started().await;
    let store = node(&double).await;
    let client = Client::new(double.url().parse().expect("a URL")).expect("a client");
    let foreign = || EventData::binary("Foreign", "{}".into()).id(Uuid::from_u64_pair(5, 5));
    client.append_to_stream("orders-1", &AppendToStreamOptions::default(), foreign()).await.expect("taken");
    store.append(append(&stream("case", 1), Expected::NoStream, 1, 1)).await.expect("accepted");
    assert_eq!(all(&*store).await.len(), 1);
    client
        .append_to_stream("dossier.case-0002", &AppendToStreamOptions::default(), foreign())
        .await
        .expect("taken");
    let read = store.read_all(Position::START, 10).await;
    assert!(matches!(read, Err(ReadError::Damaged(_))), "{read:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_asked_for_its_leader() {
    let double = Double::started().await;
    let url = double.url().replace("kurrentdb://", "esdb+discover://");
    let store =
        KurrentStore::open(&url, KurrentOptions::default(), Uuid::nil()).await.expect("the double runs");
    store.append(append(&stream("case", 1), Expected::NoStream, 1, 1)).await.expect("accepted");
    let direct = open(&double, KurrentOptions::default()).await;
    assert_eq!(all(&direct).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_meets_a_follower_turns_to_the_leader_and_again_when_it_changes() {
    let first = Double::started().await;
    let mut second = first.replica();
    second.start().await;
    first.faults().follow(Some(second.port()));
    let store = node(&first).await;
    let case = stream("case", 1);
    store.append(append(&case, Expected::NoStream, 1, 1)).await.expect("the second leads");
    second.faults().follow(Some(first.port()));
    first.faults().follow(None);
    store.append(append(&case, after_events(1), 2, 1)).await.expect("the first leads");
    assert_eq!(store.stream_head(&case).await, Ok(Some(Revision(1))));
    // The old leader goes away altogether: the connection to it was followed until now.
    second.stop().await;
    store.append(append(&case, after_events(2), 3, 1)).await.expect("the first leads");
    let other = node(&first).await;
    let heard = other.append(append(&case, after_events(3), 4, 1)).await.expect("accepted").last_position;
    until("it hears of the log again", async || *store.watch_head().borrow() == heard).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_closes_answers_what_is_on_its_way_and_refuses_the_rest() {
    let double = Double::started().await;
    let store = node(&double).await;
    double.faults().hold_next_to("dossier.case-0001");
    let appends = async {
        let appended = store.append(append(&stream("case", 1), Expected::NoStream, 1, 1)).await;
        appended.expect("it was on its way");
    };
    let closing = async {
        double.faults().until_held().await;
        tokio::join!(store.close(), async { double.faults().let_go() });
    };
    tokio::join!(appends, closing);
    let late = store.append(append(&stream("case", 2), Expected::NoStream, 2, 1)).await;
    assert!(matches!(late, Err(AppendError::Unavailable(_))), "{late:?}");
    let read = store.head().await;
    assert!(matches!(read, Err(ReadError::Unavailable(_))), "{read:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_more_appends_at_once_than_may_be_in_flight_are_all_accepted() {
    let double = Double::started().await;
    let store: Arc<dyn EventStore> = node(&double).await;
    let appends = (0..500).map(|n| store.append(append(&stream("case", n), Expected::NoStream, n + 1, 2)));
    for answer in join_all(appends).await {
        assert_eq!(answer.expect("accepted").last_revision, Revision(1));
    }
    assert_eq!(all(&*store).await.len(), 1000);
}
