//! The heads that the writer keeps are exact whatever else happens to the log.

use sqlx::Row;

use super::{LOG_ID, all, extend, open, patient, run};
use crate::contract::sample::{after_events, append, event, stream};
use crate::contract::servers::Postgres;
use crate::envelope::{Position, Revision};
use crate::postgres::open::Address;
use crate::postgres::session::Session;
use crate::postgres::{PostgresOptions, PostgresStore};
use crate::store::{AppendError, EventStore};

#[tokio::test]
async fn more_news_than_are_taken_over_one_by_one_make_the_node_look_again() {
    let url = Postgres::shared().fresh_database();
    let (here, there) = (open(&url).await, open(&url).await);
    extend(&here, 0, 1).await;
    for n in 0..3 {
        there.append(append(&stream("other", n), after_events(0), 100 + n, 500)).await.unwrap();
    }
    there.append(append(&stream("case", 1), after_events(1), 200, 1)).await.unwrap();
    let stale = here.append(append(&stream("case", 1), after_events(1), 300, 1)).await;
    assert_eq!(stale, Err(AppendError::Conflict { actual: Some(Revision(1)) }));
    let next = here.append(append(&stream("case", 1), after_events(2), 301, 1)).await.unwrap();
    assert_eq!(next.last_position, Position(1503));
}

#[tokio::test]
async fn a_log_restored_under_a_running_node_is_noticed() {
    let url = Postgres::shared().fresh_database();
    let store = open(&url).await;
    extend(&store, 0, 5).await;
    // An older state, that then went another way.
    run(&url, "DELETE FROM dossier_log.event WHERE position > 3").await;
    let stale = store.append(append(&stream("case", 1), after_events(5), 50, 1)).await;
    assert_eq!(stale, Err(AppendError::Conflict { actual: Some(Revision(2)) }));
    store.append(append(&stream("case", 1), after_events(3), 51, 2)).await.unwrap();
    run(
        &url,
        "UPDATE dossier_log.event SET event_id = gen_random_uuid() WHERE position = 5; \
         DELETE FROM dossier_log.event WHERE position = 4; \
         UPDATE dossier_log.event SET revision = 3 WHERE position = 5",
    )
    .await;
    let stale = store.append(append(&stream("case", 1), after_events(5), 52, 1)).await;
    assert_eq!(stale, Err(AppendError::Conflict { actual: Some(Revision(3)) }));
}

#[tokio::test]
async fn a_stream_that_was_forgotten_is_looked_up() {
    let url = Postgres::shared().fresh_database();
    let options = PostgresOptions { known_heads: 1, ..patient() };
    let store = PostgresStore::open(&url, options, LOG_ID).await.unwrap();
    for round in 0..3 {
        for n in 0..40 {
            store
                .append(append(&stream("case", n), after_events(round), 1 + round * 100 + n, 1))
                .await
                .unwrap();
        }
    }
    // One that is begun again, though it is there.
    let begun = store.append(append(&stream("case", 0), after_events(0), 1000, 1)).await;
    assert_eq!(begun, Err(AppendError::Conflict { actual: Some(Revision(2)) }));
}

#[tokio::test]
async fn refusals_do_not_keep_the_lock() {
    let url = Postgres::shared().fresh_database();
    let (here, there) = (open(&url).await, open(&url).await);
    extend(&here, 0, 1).await;
    for n in 0..3 {
        let refused = here.append(append(&stream("case", 1), after_events(7), 10 + n, 1)).await;
        assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
        let known = here.append(append(&stream("case", 100 + n), after_events(0), 1, 1)).await;
        assert_eq!(known, Err(AppendError::Duplicate { event_id: event(1, 0).event_id }));
        there.append(append(&stream("case", n + 2), after_events(0), 20 + n, 1)).await.unwrap();
    }
    assert_eq!(all(&here).await.len(), 4);
}

#[tokio::test]
async fn plans_made_while_the_log_was_empty_still_follow_indexes_when_it_is_large() {
    let url = Postgres::shared().fresh_database();
    let store = open(&url).await;
    let address = Address::parse(&url).unwrap();
    let mut session = Session::connect(&address.used_as("plans", &[]), "plans").await.unwrap();
    let statements = ["EXECUTE dossier_last", "EXECUTE dossier_news (1)"];
    for statement in statements {
        // From the sixth time on a plan may be kept.
        for _ in 0..7 {
            session.begin(statement).await.unwrap();
            session.roll_back().await.unwrap();
        }
    }
    extend(&store, 0, 3).await;
    for statement in statements {
        let plan = session.begin(&format!("EXPLAIN {statement}")).await.unwrap();
        session.roll_back().await.unwrap();
        let plan = plan.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n");
        assert!(plan.contains("Index Scan") && !plan.contains("Seq Scan"), "{plan}");
    }
}
