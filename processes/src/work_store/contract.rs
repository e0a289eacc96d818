//! What every work store does.

use dossier_domain::case::{Timer, TimerKind};
use dossier_domain::{CaseId, CommandId, OrganizationId};
use dossier_eventlog::{EventId, Position};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    CaseTimers, Member, SealedSession, SessionStore, SetTimer, WorkCheckpoint, WorkStore, WorkStoreError,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn checkpoint(position: u64) -> WorkCheckpoint {
    WorkCheckpoint {
        log_id: Uuid::from_u128(1),
        position: Position(position),
        event_id: Some(EventId(Uuid::from_u128(u128::from(position)))),
    }
}

fn member(node: &str, second: i64) -> Member {
    Member {
        node: node.to_owned(),
        release: "1".to_owned(),
        started_at: at(0),
        seen_at: at(second),
        parts: serde_json::json!({"relay": "active"}),
    }
}

pub(super) async fn a_checkpoint_moves_only_from_where_it_was_read(store: &dyn WorkStore) {
    assert_eq!(store.checkpoint("mailer").await, Ok(None));
    let start = WorkCheckpoint { event_id: None, ..checkpoint(0) };
    store.advance("mailer", None, &start).await.unwrap();
    assert_eq!(store.checkpoint("mailer").await, Ok(Some(start)));
    let fenced = Err(WorkStoreError::Fenced("mailer".to_owned()));
    assert_eq!(store.advance("mailer", None, &checkpoint(3)).await, fenced);
    store.advance("mailer", Some(&start), &checkpoint(5)).await.unwrap();
    assert_eq!(store.advance("mailer", Some(&start), &checkpoint(7)).await, fenced);
    assert_eq!(store.checkpoint("mailer").await, Ok(Some(checkpoint(5))));
    assert_eq!(store.checkpoint("webhooks").await, Ok(None));
}

pub(super) async fn a_lease_has_one_holder_until_it_ends(store: &dyn WorkStore) {
    let ttl = SignedDuration::from_secs(10);
    assert_eq!(store.take_lease("timers", "a", at(0), ttl).await, Ok(true));
    assert_eq!(store.take_lease("timers", "b", at(9), ttl).await, Ok(false));
    assert_eq!(store.take_lease("timers", "a", at(9), ttl).await, Ok(true));
    assert_eq!(store.take_lease("timers", "b", at(18), ttl).await, Ok(false));
    assert_eq!(store.take_lease("timers", "b", at(19), ttl).await, Ok(true));
    // Too late: it is another's.
    store.release_lease("timers", "a").await.unwrap();
    assert_eq!(store.take_lease("timers", "a", at(20), ttl).await, Ok(false));
    store.release_lease("timers", "b").await.unwrap();
    assert_eq!(store.take_lease("timers", "a", at(20), ttl).await, Ok(true));
}

pub(super) async fn a_lease_taken_by_a_clock_far_ahead_is_not_waited_for(store: &dyn WorkStore) {
    let ttl = SignedDuration::from_secs(10);
    assert_eq!(store.take_lease("timers", "ahead", at(1_010), ttl).await, Ok(true));
    // Clocks may differ by as much as a lease is long.
    assert_eq!(store.take_lease("timers", "a", at(1_000), ttl).await, Ok(false));
    assert_eq!(store.take_lease("timers", "a", at(999), ttl).await, Ok(true));
    assert_eq!(store.take_lease("timers", "ahead", at(1_010), ttl).await, Ok(true));
}

pub(super) async fn members_are_those_seen_lately(store: &dyn WorkStore) {
    store.announce(&member("relay-1", 1), at(0)).await.unwrap();
    store.announce(&member("api-1", 2), at(0)).await.unwrap();
    store.announce(&member("api-1", 3), at(0)).await.unwrap();
    assert_eq!(store.members().await, Ok(vec![member("api-1", 3), member("relay-1", 1)]));
    store.announce(&member("api-2", 60), at(2)).await.unwrap();
    assert_eq!(store.members().await, Ok(vec![member("api-1", 3), member("api-2", 60)]));
    store.withdraw("api-1").await.unwrap();
    assert_eq!(store.members().await, Ok(vec![member("api-2", 60)]));
}

fn session(number: u8, subject: &str, ends_at: i64) -> SealedSession {
    SealedSession {
        digest: [number; 32],
        subject: subject.to_owned(),
        sealed: vec![number; 3],
        ends_at: at(ends_at),
    }
}

pub(super) async fn a_session_is_there_until_it_ends(store: &dyn SessionStore) {
    let (first, second) = (session(1, "account-1", 10), session(2, "account-2", 20));
    store.begin_session(&first, at(0)).await.unwrap();
    store.begin_session(&second, at(0)).await.unwrap();
    assert_eq!(store.session(&[1; 32], at(9)).await, Ok(Some(first)));
    assert_eq!(store.session(&[1; 32], at(10)).await, Ok(None));
    assert_eq!(store.session(&[3; 32], at(0)).await, Ok(None));
    assert_eq!(store.end_session(&[2; 32]).await, Ok(true));
    assert_eq!(store.session(&[2; 32], at(9)).await, Ok(None));
    assert_eq!(store.end_session(&[2; 32]).await, Ok(false));
    // Sessions that have ended are swept by the next one that begins.
    store.begin_session(&session(4, "account-1", 30), at(10)).await.unwrap();
    assert_eq!(store.session(&[1; 32], at(0)).await, Ok(None));
}

pub(super) async fn all_sessions_of_a_subject_end_together(store: &dyn SessionStore) {
    for (number, subject) in [(1, "account-1"), (2, "account-2"), (3, "account-1")] {
        store.begin_session(&session(number, subject, 10), at(0)).await.unwrap();
    }
    assert_eq!(store.end_sessions_of("account-1").await, Ok(2));
    assert_eq!(store.session(&[1; 32], at(0)).await, Ok(None));
    assert!(store.session(&[2; 32], at(0)).await.unwrap().is_some());
    assert_eq!(store.end_sessions_of("account-1").await, Ok(0));
}

pub(super) async fn a_sign_in_is_completed_once(store: &dyn SessionStore) {
    assert_eq!(store.complete_sign_in(&[1; 32], at(10), at(0)).await, Ok(true));
    assert_eq!(store.complete_sign_in(&[1; 32], at(10), at(9)).await, Ok(false));
    assert_eq!(store.complete_sign_in(&[2; 32], at(10), at(9)).await, Ok(true));
    assert_eq!(store.complete_sign_in(&[1; 32], at(20), at(10)).await, Ok(true));
}

fn timer(kind: TimerKind, due: Timestamp) -> Timer {
    Timer { kind, due, promised: due, number: 0 }
}

fn case_timers(case: u128, timers: &[Timer]) -> CaseTimers {
    CaseTimers {
        case: CaseId::derived(CommandId(Uuid::from_u128(case))),
        organization: OrganizationId::new("acme").unwrap(),
        timers: timers.to_vec(),
    }
}

fn set(of: &CaseTimers, index: usize) -> SetTimer {
    SetTimer { case: of.case, organization: of.organization.clone(), timer: of.timers[index] }
}

async fn begun(store: &dyn WorkStore) -> WorkCheckpoint {
    let start = WorkCheckpoint { event_id: None, ..checkpoint(0) };
    store.advance("timers", None, &start).await.unwrap();
    start
}

pub(super) async fn timers_come_in_the_order_in_which_they_are_due_and_never_early(store: &dyn WorkStore) {
    let start = begun(store).await;
    assert_eq!((store.next_due().await, store.count_timers().await), (Ok(None), Ok(0)));
    let odd = Timestamp::from_nanosecond(20_000_000_001).unwrap();
    let one =
        case_timers(1, &[timer(TimerKind::ResponseMiss, odd), timer(TimerKind::ResponseWarning, at(10))]);
    let other = case_timers(2, &[timer(TimerKind::ReopenWindowEnd, at(15))]);
    store.set_timers("timers", &start, &checkpoint(1), &[one.clone(), other.clone()]).await.unwrap();
    assert_eq!((store.next_due().await, store.count_timers().await), (Ok(Some(at(10))), Ok(3)));
    assert_eq!(store.due_timers(at(9), 10).await, Ok(vec![]));
    assert_eq!(store.due_timers(at(10), 10).await, Ok(vec![set(&one, 1)]));
    assert_eq!(store.due_timers(at(20), 10).await, Ok(vec![set(&one, 1), set(&other, 0)]), "not yet");
    assert_eq!(store.due_timers(at(21), 10).await, Ok(vec![set(&one, 1), set(&other, 0), set(&one, 0)]));
    assert_eq!(store.due_timers(at(21), 2).await, Ok(vec![set(&one, 1), set(&other, 0)]));
    store.remove_timer(&set(&one, 1)).await.unwrap();
    store.remove_timer(&set(&one, 1)).await.unwrap();
    assert_eq!((store.next_due().await, store.count_timers().await), (Ok(Some(at(15))), Ok(2)));
}

pub(super) async fn the_timers_of_a_case_are_replaced_together_with_the_checkpoint_or_not_at_all(
    store: &dyn WorkStore,
) {
    let start = begun(store).await;
    let before = case_timers(1, &[timer(TimerKind::ResponseMiss, at(10))]);
    let other = case_timers(2, &[timer(TimerKind::ResponseMiss, at(30))]);
    store.set_timers("timers", &start, &checkpoint(1), &[before.clone(), other.clone()]).await.unwrap();
    let after = case_timers(1, &[timer(TimerKind::ResponseMiss, at(20))]);
    let fenced = Err(WorkStoreError::Fenced("timers".to_owned()));
    let late = store.set_timers("timers", &start, &checkpoint(2), std::slice::from_ref(&after)).await;
    assert_eq!(late, fenced);
    assert_eq!(store.forget_timers("timers", Some(&start), &checkpoint(2)).await, fenced);
    assert_eq!(store.due_timers(at(30), 10).await, Ok(vec![set(&before, 0), set(&other, 0)]));
    store.set_timers("timers", &checkpoint(1), &checkpoint(2), std::slice::from_ref(&after)).await.unwrap();
    assert_eq!(store.due_timers(at(30), 10).await, Ok(vec![set(&after, 0), set(&other, 0)]));
    store.set_timers("timers", &checkpoint(2), &checkpoint(3), &[case_timers(1, &[])]).await.unwrap();
    assert_eq!(store.due_timers(at(30), 10).await, Ok(vec![set(&other, 0)]));
    store.forget_timers("timers", Some(&checkpoint(3)), &start).await.unwrap();
    assert_eq!((store.count_timers().await, store.checkpoint("timers").await), (Ok(0), Ok(Some(start))));
}

/// Runs every check on a work store made by a future of (store, what must live as long).
macro_rules! work_store_contract {
    ($fresh:expr) => {
        $crate::work_store::contract::work_store_contract!(@each $fresh,
            a_checkpoint_moves_only_from_where_it_was_read,
            a_lease_has_one_holder_until_it_ends,
            a_lease_taken_by_a_clock_far_ahead_is_not_waited_for,
            members_are_those_seen_lately,
            timers_come_in_the_order_in_which_they_are_due_and_never_early,
            the_timers_of_a_case_are_replaced_together_with_the_checkpoint_or_not_at_all,
            a_session_is_there_until_it_ends,
            all_sessions_of_a_subject_end_together,
            a_sign_in_is_completed_once);
    };
    (@each $fresh:expr, $($check:ident),*) => {
        $(
            #[tokio::test]
            async fn $check() {
                let (store, _keep) = $fresh.await;
                $crate::work_store::contract::$check(&store).await;
            }
        )*
    };
}
pub(super) use work_store_contract;
