//! An analytics job in Python on the stream for analytics.

use std::path::PathBuf;
use std::process::Stdio;

use dossier_eventlog::{EventStore, PostgresOptions, PostgresStore, RecordedEvent};
use dossier_projections::export::analytics_event;
use dossier_tests::fleet::{Fleet, until};
use dossier_tests::people::ALICE;
use dossier_tests::server::file_case;
use dossier_tests::{log, workspace};
use serde_json::{Value, json};
use uuid::Uuid;

/// Runs the example until there is nothing more, or until it had so many events; answers what it printed.
async fn consume(fleet: &Fleet, job: &str, at_most: Option<usize>) -> Vec<Value> {
    let python: PathBuf = workspace::root().join("target/examples/venv/bin/python");
    assert!(python.exists(), "there is no {}; make it with: make examples", python.display());
    let mut command = tokio::process::Command::new(python);
    command.arg(workspace::root().join("deploy/examples/analytics_consumer.py"));
    command.args(["--server", &fleet.nats.url(), "--durable", job]);
    match at_most {
        Some(count) => command.args(["--max", &count.to_string()]),
        None => command.arg("--until-idle"),
    };
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn events(fleet: &Fleet) -> Vec<RecordedEvent> {
    let store =
        PostgresStore::open(fleet.log_database(), PostgresOptions::default(), Uuid::nil()).await.unwrap();
    let events = log::all(&store).await;
    store.close().await;
    events
}

/// R-ANALYTICS-1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_analytics_1_a_python_job_gets_every_event_once_and_nothing_personal() {
    let fleet = Fleet::start();
    let node = fleet.node("all", "all").await;
    let alice = fleet.client(&node, ALICE).await;
    let case = file_case(&alice, "acme").await;
    alice.post(&format!("{case}/comments"), &json!({"body": "zebrafinch in the engine"})).await.ok();
    alice.post(&format!("{case}:close"), &json!({})).await.ok();
    let head = {
        let store =
            PostgresStore::open(fleet.log_database(), PostgresOptions::default(), Uuid::nil()).await.unwrap();
        store.head().await.unwrap().0
    };
    until(&node, "an analytics relay at the head", |said| {
        said["analyticsRelay"]["position"].as_u64() >= Some(head)
    })
    .await;

    let expected: Vec<String> = events(&fleet)
        .await
        .iter()
        .filter_map(|event| analytics_event(event).unwrap())
        .map(|event| event.id.to_string())
        .collect();
    let ids = |events: &[Value]| -> Vec<String> {
        events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = consume(&fleet, "job", Some(5)).await;
    let rest = consume(&fleet, "job", None).await;
    assert_eq!(first.len(), 5);
    assert_eq!([ids(&first), ids(&rest)].concat(), expected, "started again, it goes on where it left off");
    let filed = rest.iter().rfind(|event| event["type"] == "CaseFiled").unwrap();
    assert_eq!((&filed["specversion"], &filed["data"]["organization"]), (&json!("1.0"), &json!("acme")));
    let text = serde_json::to_string(&[first, rest].concat()).unwrap();
    for personal in ["zebrafinch", "Machines do not start", "Since this morning", "@acme.example", "Alice"] {
        assert!(!text.contains(personal), "{personal}");
    }
    node.stop().await;
}
