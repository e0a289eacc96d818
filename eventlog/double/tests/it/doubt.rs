//! Appends whose answer does not come.

use std::time::Duration;

use dossier_eventlog::contract::sample::{after_events, append, event, stream};
use dossier_eventlog::{AppendError, EventStore, Expected, Guard, KurrentOptions, Revision};
use dossier_kurrentdb_double::{Double, Lost};
use tokio::time::{Instant, timeout};

use crate::harness::{PATIENCE, all, hasty_node, node, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_answer_is_lost_is_acknowledged_and_stored_once() {
    let double = Double::started().await;
    let store = hasty_node(&double).await;
    let case = stream("case", 1);
    for (n, lost) in
        [Lost::AppliedThenBroken, Lost::AppliedThenSilent, Lost::BrokenBefore].into_iter().enumerate()
    {
        let n = n as u64;
        double.faults().lose_next(lost);
        let appended = store.append(append(&case, after_events(n * 2), n + 1, 2)).await;
        let appended = appended.unwrap_or_else(|error| panic!("{lost:?}: {error}"));
        assert_eq!(appended.last_revision, Revision(n * 2 + 1), "{lost:?}");
        let log = all(&*store).await;
        assert_eq!(log.len() as u64, (n + 1) * 2, "{lost:?}");
        assert_eq!(log.last().map(|event| event.position), Some(appended.last_position), "{lost:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_may_still_arrive_has_an_unknown_outcome_and_may_be_repeated() {
    let double = Double::started().await;
    let store = hasty_node(&double).await;
    let case = stream("case", 1);
    double.faults().lose_next(Lost::SilentBefore);
    let asked = Instant::now();
    let unknown = store.append(append(&case, Expected::NoStream, 1, 2)).await;
    assert!(matches!(unknown, Err(AppendError::OutcomeUnknown(_))), "{unknown:?}");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert_eq!(store.stream_head(&case).await, Ok(None));
    store.append(append(&case, Expected::NoStream, 1, 2)).await.expect("accepted");
    assert_eq!(all(&*store).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_came_late_is_not_stored_again_by_its_repetition() {
    let double = Double::started().await;
    let store = hasty_node(&double).await;
    let case = stream("case", 1);
    let mut ended = double.faults().appends_ended();
    let before = *ended.borrow_and_update();
    double.faults().delay_appends(Duration::from_millis(2_500));
    let unknown = store.append(append(&case, Expected::NoStream, 1, 2)).await;
    assert!(matches!(unknown, Err(AppendError::OutcomeUnknown(_))), "{unknown:?}");
    double.faults().delay_appends(Duration::ZERO);
    // The first may arrive before, between or after.
    let repeated = store.append(append(&case, Expected::NoStream, 1, 2)).await;
    assert!(
        matches!(repeated, Ok(_) | Err(AppendError::Conflict { .. } | AppendError::Duplicate { .. })),
        "{repeated:?}"
    );
    let both = ended.wait_for(|ended| *ended >= before + 2);
    timeout(PATIENCE, both).await.expect("both appends come to their end").expect("the double lives");
    assert_eq!(all(&*store).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_place_another_took_is_a_conflict_for_certain() {
    let double = Double::started().await;
    let (store, other) = (hasty_node(&double).await, node(&double).await);
    let case = stream("case", 1);
    double.faults().lose_next(Lost::SilentBefore);
    let (lost, taken) = tokio::join!(store.append(append(&case, Expected::NoStream, 1, 1)), async {
        while double.faults().is_to_lose() {
            tokio::task::yield_now().await;
        }
        other.append(append(&case, Expected::NoStream, 2, 2)).await
    });
    taken.expect("accepted");
    assert_eq!(lost, Err(AppendError::Conflict { actual: Some(Revision(1)) }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_is_not_sent_again_when_its_guard_has_moved_meanwhile() {
    let double = Double::started().await;
    let (store, other) = (node(&double).await, node(&double).await);
    let (case, access) = (stream("case", 1), stream("access", 1));
    other.append(append(&access, Expected::NoStream, 1, 1)).await.expect("accepted");
    let mut guarded = append(&case, Expected::NoStream, 2, 1);
    guarded.guards.push(Guard { stream: access.clone(), revision: Some(Revision(0)) });
    // The guard moves while the append is on its way, and then the way breaks.
    double.faults().lose_next(Lost::BrokenBefore);
    double.faults().hold_next_to("dossier.case-0001");
    let (refused, ()) = tokio::join!(store.append(guarded.clone()), async {
        double.faults().until_held().await;
        other.append(append(&access, after_events(1), 3, 1)).await.expect("accepted");
        double.faults().let_go();
    });
    assert!(matches!(refused, Err(AppendError::OutcomeUnknown(_))), "{refused:?}");
    assert_eq!(store.stream_head(&case).await, Ok(None));
    let again = store.append(guarded).await;
    assert_eq!(again, Err(AppendError::GuardMoved { stream: access, actual: Some(Revision(1)) }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_refuses_is_said_to_be_not_stored() {
    let double = Double::started().await;
    // Time enough for an answer on a busy machine, and for the last attempt in vain.
    let options = KurrentOptions { append_timeout: Duration::from_secs(6), ..KurrentOptions::default() };
    let store = open(&double, options).await;
    let case = stream("case", 1);
    double.faults().refuse_next("Server Is Busy");
    store.append(append(&case, Expected::NoStream, 1, 1)).await.expect("accepted the second time");
    double.faults().refuse_next("MaximumAppendSizeExceeded");
    let refused = store.append(append(&case, after_events(1), 2, 1)).await;
    assert!(matches!(refused, Err(AppendError::Invalid(_))), "{refused:?}");
    double.faults().refuse_all_to(".case-", "Server Is Not Ready");
    let refused = store.append(append(&case, after_events(1), 3, 1)).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    let ids = all(&store).await.into_iter().map(|event| event.event_id).collect::<Vec<_>>();
    assert_eq!(ids, [event(1, 0).event_id]);
}
