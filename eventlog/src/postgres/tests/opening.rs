//! What stops the start, and that nodes may start at once.

use futures::future::join_all;

use super::{LOG_ID, drop_connections, extend, open, patient, run};
use crate::contract::sample::{after_events, append, entropy, stream};
use crate::contract::servers::Postgres;
use crate::postgres::{PostgresKeyStore, PostgresOpenError, PostgresStore};
use crate::store::{AppendError, EventStore};

const ACKNOWLEDGE_EARLY: &str = "DO $$ BEGIN EXECUTE \
    'ALTER DATABASE ' || current_database() || ' SET synchronous_commit = off'; END $$";

async fn refusal(url: &str) -> PostgresOpenError {
    PostgresStore::open(url, patient(), LOG_ID).await.err().unwrap()
}

async fn is_refused_until_set(url: &str, wanted: &str) {
    let refused = refusal(url).await;
    assert!(matches!(refused, PostgresOpenError::NotDurable { .. }), "{refused}");
    assert!(refused.to_string().contains(&format!("set {wanted}=on")), "{refused}");
}

#[tokio::test]
async fn nodes_that_start_at_once_on_an_empty_database_make_one_log() {
    let url = Postgres::shared().fresh_database();
    let ids = (1..=6).map(uuid::Uuid::from_u128);
    let opened = join_all(ids.map(|id| PostgresStore::open(&url, patient(), id))).await;
    let ids = opened.into_iter().map(|store| store.unwrap().log_id()).collect::<Vec<_>>();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(open(&url).await.log_id(), ids[0], "opened again, it is the same");
}

#[tokio::test]
async fn a_server_that_may_lose_what_it_acknowledged_is_refused() {
    for setting in ["fsync", "full_page_writes"] {
        let server = Postgres::start(&[(setting, "off")]);
        is_refused_until_set(&server.url("postgres"), setting).await;
    }
}

#[tokio::test]
async fn a_database_that_acknowledges_before_it_has_stored_is_refused() {
    let url = Postgres::shared().fresh_database();
    run(&url, ACKNOWLEDGE_EARLY).await;
    is_refused_until_set(&url, "synchronous_commit").await;
}

#[tokio::test]
async fn a_writer_that_connects_again_notices_that_the_server_was_set_otherwise() {
    let url = Postgres::shared().fresh_database();
    let store = open(&url).await;
    extend(&store, 0, 1).await;
    run(&url, ACKNOWLEDGE_EARLY).await;
    drop_connections(&url, "dossier writer").await;
    let refused = store.append(append(&stream("case", 1), after_events(1), 2, 1)).await;
    let Err(AppendError::Unavailable(sentence)) = refused else { panic!("{refused:?}") };
    assert!(sentence.contains("set synchronous_commit=on"), "{sentence}");
}

#[tokio::test]
async fn a_standby_is_refused() {
    let mut server = Postgres::start(&[]);
    server.kill();
    std::fs::write(server.folder().join("data/standby.signal"), "").unwrap();
    server.restart();
    let refused = refusal(&server.url("postgres")).await;
    assert!(matches!(refused, PostgresOpenError::Standby { .. }), "{refused}");
    assert!(refused.to_string().contains("give the address of the primary"), "{refused}");
}

#[tokio::test]
async fn a_log_of_a_later_release_is_refused() {
    let url = Postgres::shared().fresh_database();
    open(&url).await.close().await;
    run(
        &url,
        "INSERT INTO dossier_log._sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of a later release', true, '', 0)",
    )
    .await;
    let refused = refusal(&url).await;
    assert!(matches!(refused, PostgresOpenError::OtherRelease { .. }), "{refused}");
}

#[tokio::test]
async fn an_address_where_nobody_answers_is_refused_with_a_sentence() {
    let refused = refusal("postgres://ada:secret@127.0.0.1:1/nowhere").await;
    assert!(matches!(refused, PostgresOpenError::Unreachable { .. }), "{refused}");
    assert!(refused.to_string().contains("127.0.0.1/nowhere"), "{refused}");
    assert!(!refused.to_string().contains("secret"), "{refused}");
    assert!(matches!(refusal("mysql//").await, PostgresOpenError::Address { .. }));
}

#[tokio::test]
async fn a_user_who_owns_the_schema_needs_no_right_to_make_others() {
    let url = Postgres::shared().fresh_database();
    run(
        &url,
        "CREATE ROLE clerk LOGIN; CREATE SCHEMA dossier_log AUTHORIZATION clerk; \
         CREATE SCHEMA dossier_keys AUTHORIZATION clerk",
    )
    .await;
    let url = url.replace("//postgres@", "//clerk@");
    for _ in 0..2 {
        open(&url).await.close().await;
        PostgresKeyStore::open(&url, LOG_ID, true, &entropy(1)).await.unwrap().close().await;
    }
    extend(&open(&url).await, 0, 2).await;
}
