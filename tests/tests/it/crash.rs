//! kill -9 under load: what was acknowledged is there, once; what was not can be repeated.
//!
//! `DOSSIER_CRASH_SEED` repeats a run's choices (not its timing).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use dossier_eventlog::RecordedEvent;
use dossier_tests::log::comes_along;
use dossier_tests::people::{ALICE, BOB};
use dossier_tests::process::{self, Process};
use dossier_tests::{Client, log};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::load::{Chance, Client as LoadClient, Done, Effect};

const CLIENTS: usize = 8;
const CRASHES: usize = 10;
/// A crash comes at any instant between these, counted from the first request after a start.
const CRASH_AFTER_MILLISECONDS: (u64, u64) = (15, 350);

fn seed() -> u64 {
    let given = std::env::var("DOSSIER_CRASH_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| {
        let mut bytes = [0; 8];
        (dossier_api::edge::entropy())(&mut bytes);
        u64::from_be_bytes(bytes)
    })
}

/// Every row of every read model, table by table, as text.
async fn rows(data: &Path) -> Vec<String> {
    use sqlx::{ConnectOptions, Row};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("read.db")).read_only(true);
    let mut connection = options.connect().await.unwrap();
    let tables = sqlx::query("SELECT DISTINCT view_name FROM generation_tables ORDER BY 1");
    let tables = tables.fetch_all(&mut connection).await.unwrap();
    let mut rows = Vec::new();
    for table in tables.iter().map(|row| row.get::<String, _>(0)) {
        let columns = sqlx::query("SELECT name FROM pragma_table_info($1) ORDER BY cid").bind(&table);
        let columns: Vec<String> = columns
            .fetch_all(&mut connection)
            .await
            .unwrap()
            .iter()
            .map(|row| format!("quote({})", row.get::<String, _>(0)))
            .collect();
        let sql =
            format!("SELECT '{table}: ' || concat_ws(' | ', {}) FROM {table} ORDER BY 1", columns.join(", "));
        let found = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        rows.extend(found.iter().map(|row| row.get::<String, _>(0)));
    }
    rows
}

/// Eight clients, one crash after another; answers everything that was acknowledged and the server that runs in the end.
async fn crash_again_and_again(data: &Path, seed: u64) -> (Process, Vec<Done>) {
    let mut chance = Chance::new(seed);
    let server = Process::start(data).await;
    let tokens = [process::token(data, ALICE).await, process::token(data, BOB).await];
    let sign_in = |server: &Process, number: usize| {
        server.anonymous().with_token(Some(tokens[number % tokens.len()].clone()))
    };
    let shared = dossier_tests::server::file_case(&sign_in(&server, 0), "acme").await;
    let mut clients: Vec<LoadClient> =
        (0..CLIENTS).map(|number| LoadClient::new(number, chance.next(), &shared)).collect();
    let mut server = Some(server);
    for crash in 0..CRASHES {
        let running = server.take().expect("one is always started");
        let working: Vec<_> = clients
            .drain(..)
            .enumerate()
            .map(|(number, client)| tokio::spawn(client.work_until_cut_off(sign_in(&running, number))))
            .collect();
        let (from, to) = CRASH_AFTER_MILLISECONDS;
        tokio::time::sleep(Duration::from_millis(from + chance.next() % (to - from))).await;
        running.kill().await;
        for work in working {
            clients.push(work.await.expect("a client that only its server stops"));
        }
        let done: usize = clients.iter().map(|client| client.done.len()).sum();
        println!("crash {crash}: {done} commands acknowledged so far");
        server = Some(Process::start(data).await);
    }
    let running = server.expect("one is always started");
    let mut done = Vec::new();
    for (number, mut client) in clients.into_iter().enumerate() {
        client.finish(&sign_in(&running, number)).await;
        done.extend(client.done);
    }
    (running, done)
}

/// The acknowledged commands and no others are in the log, each with its events, once and in one piece.
fn assert_exactly_once(done: &[Done], events: &[RecordedEvent], sample_events: usize) {
    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    for command in done {
        for event in command.events() {
            *expected.entry(format!("{} {event}", command.stream())).or_default() += 1;
        }
    }
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut commands: BTreeMap<uuid::Uuid, Vec<&RecordedEvent>> = BTreeMap::new();
    for event in events[sample_events..].iter().filter(|event| !comes_along(event)) {
        *found.entry(format!("{} {}", event.stream, event.event_type)).or_default() += 1;
        commands.entry(event.metadata().unwrap().command_id).or_default().push(event);
    }
    assert_eq!(found, expected, "what is in the log is what was acknowledged");
    assert_eq!(commands.len(), done.len(), "no command is there twice or in part");
    for events in commands.values() {
        let together = events
            .windows(2)
            .all(|pair| pair[0].stream == pair[1].stream && pair[0].revision.next() == pair[1].revision);
        assert!(together, "a command's events stand together");
    }
    let ids: BTreeSet<_> = events.iter().map(|event| event.event_id).collect();
    assert_eq!(ids.len(), events.len());
    for command in done {
        let at = events
            .iter()
            .find(|event| event.position.0 == command.position)
            .expect("an event at the position");
        assert_eq!(at.stream.as_str(), command.stream());
        let told = commands[&at.metadata().unwrap().command_id].last().unwrap();
        assert_eq!(told.event_type.as_ref(), *command.events().last().unwrap());
    }
}

/// What can be read is what was last answered.
async fn assert_readable(client: &Client, done: &[Done]) {
    let mut last: BTreeMap<&str, BTreeMap<&str, &Value>> = BTreeMap::new();
    let mut in_order: Vec<&Done> = done.iter().collect();
    in_order.sort_by_key(|command| command.position);
    for command in in_order {
        match command.effect {
            Effect::Commented { .. } => {
                let name = command.answer["name"].as_str().unwrap();
                assert_eq!(client.get(&format!("/v2/{name}")).await.ok(), command.answer);
                if command.reopened() {
                    last.entry(&command.case).or_default().insert("state", &Value::Null);
                }
            }
            Effect::Filed | Effect::Closed | Effect::Renamed => {
                let fields = last.entry(&command.case).or_default();
                for field in ["displayName", "state", "priority", "description", "createTime"] {
                    fields.insert(field, &command.answer[field]);
                }
            }
        }
    }
    for (case, fields) in last {
        let read = client.get(case).await.ok();
        for (field, value) in fields {
            let expected =
                if value.is_null() { "IN_PROGRESS_GOOGLE_SUPPORT" } else { value.as_str().unwrap() };
            assert_eq!(read[field], expected, "{case} {field}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_done_twice_however_often_the_process_is_killed() {
    let seed = seed();
    println!("DOSSIER_CRASH_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Process::start(&data).await.stop().await;
    // The sample data, and the case that all clients share.
    let sample_events = log::of_data(&data).await.len() + 1;

    let (server, done) = crash_again_and_again(&data, seed).await;
    assert!(done.len() > 10 * CRASHES, "only {} commands: no load", done.len());
    assert!(done.iter().any(|command| command.replayed), "no crash fell between an append and its answer");
    let client = server.anonymous().with_token(Some(process::token(&data, ALICE).await));

    // The read models catch up by themselves, and show what was answered.
    let head = done.iter().map(|command| command.position).max().unwrap();
    let call = client.call(reqwest::Method::GET, "/v2/organizations/acme/cases?pageSize=1");
    let call = call.header("dossier-min-position", head.to_string()).header("dossier-max-wait", "30");
    call.send().await.ok();
    assert_readable(&client, &done).await;

    let live = rows(&data).await;
    let rebuilt = process::run(&["rebuild", "--all", "--data", &data.display().to_string()]).await;
    assert!(rebuilt.success && rebuilt.stdout.starts_with("rebuilt: "), "{rebuilt:?}");
    let built_anew = rows(&data).await;
    assert!(live.len() > done.len(), "{} rows", live.len());
    assert!(live == built_anew, "a rebuilt read model differs from the live one");

    server.stop().await;
    assert_exactly_once(&done, &log::of_data(&data).await, sample_events);
}

#[tokio::test]
async fn a_request_in_flight_is_finished_after_the_signal_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Process::start(&data).await;
    let token = process::token(&data, ALICE).await;
    let body = dossier_tests::server::sample_case().to_string();
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /v2/organizations/acme/cases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n", "the request is being served");

    server.terminate().await;
    // Nobody new is let in any more: the stop has begun.
    while tokio::net::TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(server.wait().await.success());
    let filed: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let stream = format!("case-{}", filed["name"].as_str().unwrap().rsplit('/').next().unwrap());
    let events = log::of_data(&data).await;
    assert_eq!(events.last().unwrap().stream.as_str(), stream, "and it is in the log");
}
