//! The subscription by which a node hears of the others.

use std::time::Duration;

use dossier_eventlog::contract::sample::{after_events, append, stream};
use dossier_eventlog::{EventStore, Expected, Subscription};
use dossier_kurrentdb_double::Double;
use tokio::time::timeout;

use crate::harness::{PATIENCE, node, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_the_server_ends_is_begun_again_and_misses_nothing() {
    let double = Double::started().await;
    let (writing, hearing) = (node(&double).await, node(&double).await);
    let case = stream("case", 1);
    let mut begun = double.faults().subscriptions_begun();
    for round in 0..4 {
        let before = *begun.borrow_and_update();
        double.faults().end_subscriptions();
        // While nobody listens.
        let appended =
            writing.append(append(&case, after_events(round * 3), round + 1, 3)).await.expect("accepted");
        let both = begun.wait_for(|begun| *begun >= before + 2);
        timeout(PATIENCE, both)
            .await
            .expect("a client that spins never subscribes again")
            .expect("the double lives");
        until("the other node hears", async || *hearing.watch_head().borrow() == appended.last_position)
            .await;
        assert_eq!(hearing.trouble(), None, "the connection itself is whole");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_every_subscription_is_not_asked_without_pause() {
    let double = Double::started().await;
    let _store = node(&double).await;
    let mut begun = double.faults().subscriptions_begun();
    let first = *begun.borrow_and_update();
    let ending = async {
        loop {
            double.faults().end_subscriptions();
            let _ = begun.changed().await;
        }
    };
    let _ = timeout(Duration::from_millis(1_500), ending).await;
    let times = *double.faults().subscriptions_begun().borrow() - first;
    assert!((2..=8).contains(&times), "{times} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_on_another_node_is_woken_and_finds_its_place_after_a_restart() {
    let mut double = Double::started().await;
    let (writing, hearing) = (node(&double).await, node(&double).await);
    let case = stream("case", 1);
    let first = writing.append(append(&case, Expected::NoStream, 1, 1)).await.expect("accepted");
    let mut follower = Subscription::new(hearing.clone(), first.last_position);
    double.restart().await;
    until("both are connected again", async || writing.trouble().is_none() && hearing.trouble().is_none())
        .await;
    let appended = writing.append(append(&case, after_events(1), 2, 2)).await.expect("accepted");
    let batch = timeout(PATIENCE, follower.next_batch(10)).await.expect("woken").expect("readable");
    assert_eq!(batch.last().map(|event| event.position), Some(appended.last_position));
    until("it hears by itself", async || *hearing.watch_head().borrow() == appended.last_position).await;
}
