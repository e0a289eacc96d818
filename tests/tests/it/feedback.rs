//! R-FEEDBACK-1: any valid sign-in sends feedback, and support reads it.

use dossier_tests::people::{AGENT, ALICE, AUDITOR, ENGINEER, NINA, OPERATOR, PETER};
use dossier_tests::{Client, Server};
use reqwest::Method;
use serde_json::{Value, json};

const FEEDBACK: &str = "/v2/feedback";
const KEY: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const NOBODY: &str = "somebody@elsewhere.example";

async fn send(client: &Client, text: &str) -> Value {
    client.post(FEEDBACK, &json!({"text": text})).await.ok()
}

#[tokio::test]
async fn r_feedback_1_members_strangers_and_staff_send_feedback_and_support_reads_it() {
    let server = Server::start().await;
    let mut sent = Vec::new();
    for who in [ALICE, PETER, NINA, NOBODY, AUDITOR] {
        let answer = send(&server.client(who), &format!("I am {who}.")).await;
        assert_eq!(answer["email"], json!(who));
        sent.push(answer);
    }
    sent.reverse();
    for who in [AGENT, ENGINEER, OPERATOR] {
        let support = server.client(who);
        assert_eq!(support.get(FEEDBACK).await.ok()["feedback"], json!(sent), "the newest first");
        let name = sent[0]["name"].as_str().unwrap();
        assert_eq!(support.get(&format!("/v2/{name}")).await.ok(), sent[0]);
    }
    for who in [ALICE, PETER, AUDITOR] {
        let client = server.client(who);
        client.get(FEEDBACK).await.refused(403, "NOT_FOR_YOU");
        let name = sent[0]["name"].as_str().unwrap();
        client.get(&format!("/v2/{name}")).await.refused(403, "NOT_FOR_YOU");
    }
    server.anonymous().post(FEEDBACK, &json!({"text": "Hello"})).await.refused(401, "TOKEN_MISSING");
}

#[tokio::test]
async fn r_feedback_1_the_same_key_sends_once_and_what_says_nothing_is_refused() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let with_key = |text: &str| {
        let call = alice.call(Method::POST, FEEDBACK).header("idempotency-key", KEY);
        call.json(&json!({"text": text})).send()
    };
    let first = with_key("Good.").await;
    let head = server.deeds().await;
    let again = with_key("Good.").await;
    assert_eq!((again.ok(), again.header("idempotent-replay")), (first.ok(), Some("true")));
    with_key("Bad.").await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    for text in [json!(""), json!(" \n"), json!("x".repeat(10_001)), json!(null), json!(5)] {
        let answer = alice.post(FEEDBACK, &json!({"text": text})).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    assert_eq!(server.deeds().await, head);
    let agent = server.client(AGENT);
    agent.get(&format!("{FEEDBACK}/{KEY}")).await.refused(404, "FEEDBACK_NOT_FOUND");
    agent.get(&format!("{FEEDBACK}/garbage")).await.refused(404, "FEEDBACK_NOT_FOUND");
}

#[tokio::test]
async fn r_feedback_1_the_list_comes_in_pages_and_nothing_lies_open_in_the_log() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    for number in 0..5 {
        send(&alice, &format!("secret {number}")).await;
    }
    let agent = server.client(AGENT);
    let (mut texts, mut token) = (Vec::new(), String::new());
    loop {
        let page = agent.get(&format!("{FEEDBACK}?pageSize=2&pageToken={token}")).await.ok();
        texts.extend(page["feedback"].as_array().unwrap().iter().map(|one| one["text"].clone()));
        match page["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(texts, (0..5).rev().map(|number| json!(format!("secret {number}"))).collect::<Vec<_>>());
    for event in server.events().await {
        let payload = String::from_utf8_lossy(&event.payload).into_owned();
        assert!(!payload.contains("secret"), "{payload}");
    }
}
