//! `Idempotency-Key`: the same key, the same effect, once.

use std::collections::BTreeSet;

use dossier_tests::log::FILING_EVENTS;
use dossier_tests::people::{ALICE, BOB};
use dossier_tests::server::{file_case, sample_case};
use dossier_tests::{Answer, Client, Server};
use reqwest::Method;
use serde_json::{Value, json};

const CASES: &str = "/v2/organizations/acme/cases";
const KEY: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

async fn post(client: &Client, path: &str, key: &str, body: &Value) -> Answer {
    client.call(Method::POST, path).header("idempotency-key", key).json(body).send().await
}

fn is_replay(answer: &Answer) -> bool {
    answer.header("idempotent-replay") == Some("true")
}

#[tokio::test]
async fn repeating_a_filing_answers_the_first_case_again_and_stores_nothing() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let first = post(&alice, CASES, KEY, &sample_case()).await;
    assert!(!is_replay(&first));
    let case = format!("/v2/{}", first.ok()["name"].as_str().unwrap());
    alice.post(&format!("{case}/comments"), &json!({"body": "later"})).await.ok();
    alice.patch(&format!("{case}?updateMask=displayName"), &json!({"displayName": "later"})).await.ok();
    let events = server.events().await.len();
    for _ in 0..2 {
        let again = post(&alice, CASES, KEY, &sample_case()).await;
        assert_eq!(again.ok(), first.ok(), "as it stood right after the command");
        assert!(is_replay(&again));
        assert_eq!(again.position(), first.position());
        assert_eq!(again.header("etag"), first.header("etag"));
    }
    assert_eq!(server.events().await.len(), events);
}

#[tokio::test]
async fn repeating_answers_the_same_after_a_restart_and_in_the_other_version_and_spelling() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    let body = json!({"body": "once"});
    let first = post(&alice, &format!("{case}/comments"), KEY, &body).await;
    let server = server.restarted().await;
    let alice = server.client(ALICE);
    let events = server.events().await.len();
    let uuid = uuid_of(KEY);
    for (path, key) in [
        (format!("{case}/comments"), KEY.to_owned()),
        (format!("{case}/comments"), KEY.to_lowercase()),
        (format!("{case}/comments"), uuid.to_string()),
        (format!("{}/comments", case.replace("/v2/", "/v2beta/")), uuid.simple().to_string()),
    ] {
        let again = post(&alice, &path, &key, &body).await;
        assert_eq!(again.ok(), first.ok(), "{path} {key}");
        assert!(is_replay(&again), "{path} {key}");
    }
    assert_eq!(server.events().await.len(), events);
}

fn uuid_of(ulid: &str) -> uuid::Uuid {
    uuid::Uuid::from_u128(ulid::Ulid::from_string(ulid).unwrap().0)
}

#[tokio::test]
async fn every_command_can_be_repeated_and_none_happens_twice() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    let escalation = json!({"escalation": {"reason": "RESOLUTION_TIME", "justification": "too long"}});
    let commands = [
        (Method::POST, format!("{case}/comments"), json!({"body": "hello"})),
        (Method::PATCH, format!("{case}?updateMask=priority"), json!({"priority": "P1"})),
        (Method::POST, format!("{case}:escalate"), escalation),
        (Method::POST, format!("{case}:close"), json!({})),
    ];
    for (method, path, body) in commands {
        let send = async || {
            alice.call(method.clone(), &path).header("idempotency-key", KEY).json(&body).send().await
        };
        let first = send().await;
        let events = server.events().await.len();
        let again = send().await;
        assert_eq!(first.ok(), again.ok(), "{path}");
        assert_eq!(
            (is_replay(&first), is_replay(&again)),
            (false, true),
            "{path}: the key is free for each method"
        );
        assert_eq!(server.events().await.len(), events, "{path}");
    }
}

#[tokio::test]
async fn the_same_key_with_another_body_is_409_and_changes_nothing() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    post(&alice, &format!("{case}/comments"), KEY, &json!({"body": "one"})).await.ok();
    let patch = async |mask: &str| {
        let call =
            alice.call(Method::PATCH, &format!("{case}?updateMask={mask}")).header("idempotency-key", KEY);
        call.json(&json!({"displayName": "new", "priority": "P1"})).send().await
    };
    patch("displayName").await.ok();
    let events = server.events().await.len();
    let reused = post(&alice, &format!("{case}/comments"), KEY, &json!({"body": "two"})).await;
    assert_eq!(reused.refused(409, "IDEMPOTENCY_KEY_REUSED")["status"], "ABORTED");
    patch("priority").await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(server.events().await.len(), events);
}

#[tokio::test]
async fn a_key_belongs_to_its_principal_and_its_resource() {
    let server = Server::start().await;
    let (alice, bob) = (server.client(ALICE), server.client(BOB));
    let (one, other) = (file_case(&alice, "acme").await, file_case(&alice, "acme").await);
    let body = json!({"body": "mine"});
    let mut names = BTreeSet::new();
    for (client, case) in [(&alice, &one), (&bob, &one), (&alice, &other), (&bob, &other)] {
        let answer = post(client, &format!("{case}/comments"), KEY, &body).await;
        assert!(!is_replay(&answer));
        names.insert(answer.ok()["name"].to_string());
    }
    assert_eq!(names.len(), 4);
    let filed = post(&alice, CASES, KEY, &sample_case()).await.ok();
    assert_ne!(post(&bob, CASES, KEY, &sample_case()).await.ok()["name"], filed["name"]);
}

#[tokio::test]
async fn a_key_that_is_neither_ulid_nor_uuid_is_refused() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let events = server.events().await.len();
    for key in
        ["", "1", "my-key", "01ARZ3NDEKTSV4RRFFQ69G5FA", "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz", "\u{e9}"]
    {
        post(&alice, CASES, key, &sample_case()).await.refused(400, "INVALID_IDEMPOTENCY_KEY");
    }
    assert_eq!(server.events().await.len(), events);
}

#[tokio::test]
async fn a_refusal_is_evaluated_again_under_the_same_key() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    alice.post(&format!("{case}:close"), &json!({})).await.ok();
    let escalation = json!({"escalation": {"reason": 1, "justification": "too long"}});
    let escalate = format!("{case}:escalate");
    post(&alice, &escalate, KEY, &escalation).await.refused(400, "CASE_CLOSED");
    alice.post(&format!("{case}/comments"), &json!({"body": "open again"})).await.ok();
    assert_eq!(post(&alice, &escalate, KEY, &escalation).await.ok()["escalated"], true);
}

#[tokio::test]
async fn the_same_command_sent_at_once_by_many_happens_once() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let before = server.events().await.len();
    let case = sample_case();
    let sent = (0..12).map(|_| post(&alice, CASES, KEY, &case));
    let answers = futures::future::join_all(sent).await;
    let bodies: BTreeSet<String> = answers.iter().map(|answer| answer.ok().to_string()).collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(answers.iter().filter(|answer| !is_replay(answer)).count(), 1);
    assert_eq!(server.events().await.len(), before + FILING_EVENTS);
}

#[tokio::test]
async fn a_repeat_is_answered_though_its_condition_no_longer_holds() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    let etag = alice.get(&case).await.header("etag").unwrap().to_owned();
    let patch = async || {
        let call = alice.call(Method::PATCH, &format!("{case}?updateMask=displayName"));
        let call = call.header("idempotency-key", KEY).header("if-match", &etag);
        call.json(&json!({"displayName": "conditional"})).send().await
    };
    let first = patch().await;
    let again = patch().await;
    assert_eq!((first.ok(), is_replay(&again)), (again.ok(), true));
}
