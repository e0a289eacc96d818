//! What every work store does.

use dossier_eventlog::{EventId, Position};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Member, SealedSession, SessionStore, WorkCheckpoint, WorkStore, WorkStoreError};

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

/// Runs every check on a work store made by a future of (store, what must live as long).
macro_rules! work_store_contract {
    ($fresh:expr) => {
        $crate::work_store::contract::work_store_contract!(@each $fresh,
            a_checkpoint_moves_only_from_where_it_was_read,
            a_lease_has_one_holder_until_it_ends,
            a_lease_taken_by_a_clock_far_ahead_is_not_waited_for,
            members_are_those_seen_lately,
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
