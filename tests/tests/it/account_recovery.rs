//! R-ACCESS-6: whoever cannot sign in asks support for their account back, and learns nothing of whether there is one.

use std::collections::BTreeSet;

use dossier_tests::people::{AGENT, ALICE, AUDITOR, ENGINEER, OPERATOR};
use dossier_tests::{Answer, Client, Server};
use reqwest::Method;
use serde_json::{Value, json};

const RECOVERIES: &str = "/v2/accountRecoveryCases";
const KEY: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn asking(email: &str) -> Value {
    json!({"email": email, "description": "My phone with the second factor is gone.", "languageCode": "fr-BE"})
}

async fn ask(client: &Client, email: &str) -> Answer {
    client.post(RECOVERIES, &asking(email)).await
}

fn path(answer: &Answer) -> String {
    format!("/v2/{}", answer.ok()["name"].as_str().unwrap())
}

#[tokio::test]
async fn r_access_6_who_cannot_sign_in_asks_and_support_reads_and_closes() {
    let server = Server::start().await;
    let asked = ask(&server.anonymous(), "Alice@acme.example").await;
    let case = path(&asked);
    for who in [AGENT, OPERATOR] {
        let read = server.client(who).get(&case).await.ok();
        assert_eq!((&read["email"], &read["state"]), (&json!("Alice@acme.example"), &json!("OPEN")));
        assert_eq!((&read["languageCode"], &read["createTime"]), (&json!("fr"), &asked.ok()["createTime"]));
        assert_eq!(read["description"], asking("")["description"]);
    }
    let agent = server.client(AGENT);
    let close = format!("{case}:close");
    agent.post(&close, &json!({"outcome": " "})).await.refused(400, "INVALID_FIELD");
    let closed = agent.post(&close, &json!({"outcome": "Identity proven by phone."})).await.ok();
    assert_eq!(
        (&closed["state"], &closed["outcome"]),
        (&json!("CLOSED"), &json!("Identity proven by phone."))
    );
    assert_eq!(closed["closedBy"], server.actor(AGENT).account.to_string());
    assert_eq!(agent.get(&case).await.ok(), closed, "the read model shows what the fold has");
    agent.post(&close, &json!({"outcome": "Again."})).await.refused(400, "ACCOUNT_RECOVERY_CLOSED");
    let nowhere = format!("{RECOVERIES}/{KEY}");
    agent.get(&nowhere).await.refused(404, "ACCOUNT_RECOVERY_NOT_FOUND");
    let outcome = json!({"outcome": "Nobody."});
    agent.post(&format!("{nowhere}:close"), &outcome).await.refused(404, "ACCOUNT_RECOVERY_NOT_FOUND");
    agent.get(&format!("{RECOVERIES}/garbage")).await.refused(404, "ACCOUNT_RECOVERY_NOT_FOUND");
}

/// What an answer looks like, without what is another in every answer.
fn shape(answer: &Answer) -> (u16, Vec<String>, Vec<String>, usize) {
    let body = answer.json();
    let fields: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
    let headers: BTreeSet<String> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
    // An instant has as many digits as it needs.
    let instant = body["createTime"].as_str().unwrap();
    (answer.status, fields, headers.into_iter().collect(), answer.bytes.len() - instant.len())
}

#[tokio::test]
async fn r_access_6_the_answer_is_the_same_whether_or_not_there_is_an_account() {
    let server = Server::start().await;
    server.set_active("acme", "bob@acme.example", false).await;
    let anonymous = server.anonymous();
    let known = ask(&anonymous, ALICE).await;
    let streams = |events: Vec<dossier_eventlog::RecordedEvent>| -> Vec<String> {
        events.iter().map(|event| event.stream.category().to_owned()).collect()
    };
    for email in ["bob@acme.example", "nobody@acme.example", "nobody@nowhere.example"] {
        let before = server.events().await.len();
        let answer = ask(&anonymous, email).await;
        assert_eq!(shape(&answer), shape(&known), "{email}");
        let appended = server.events().await.split_off(before);
        assert_eq!(streams(appended), ["account_recovery"], "{email}: nothing else is touched");
    }
    // Nor does it tell anything to be signed in, or to be somebody whom nobody knows.
    for client in [server.client(ALICE), server.client(AGENT), server.client("somebody@elsewhere.example")] {
        assert_eq!(shape(&ask(&client, ALICE).await), shape(&known));
    }
    let odd = server.anonymous().with_token(Some("garbage".to_owned()));
    assert_eq!(shape(&ask(&odd, ALICE).await), shape(&known));
    let acting =
        anonymous.call(Method::POST, RECOVERIES).header("dossier-acting-for", "organizations/nimbus");
    assert_eq!(shape(&acting.json(&asking(ALICE)).send().await), shape(&known));
}

#[tokio::test]
async fn r_access_6_nobody_but_agents_and_the_operator_reads_or_closes() {
    let server = Server::start().await;
    let case = path(&ask(&server.anonymous(), ALICE).await);
    for who in [ALICE, ENGINEER, AUDITOR] {
        let client = server.client(who);
        for refused in [
            client.get(RECOVERIES).await,
            client.get(&case).await,
            client.get(&format!("{RECOVERIES}/{KEY}")).await,
            client.post(&format!("{case}:close"), &json!({"outcome": "no"})).await,
        ] {
            refused.refused(403, "NOT_FOR_YOU");
        }
    }
    for refused in [
        server.anonymous().get(RECOVERIES).await,
        server.anonymous().get(&case).await,
        server.anonymous().post(&format!("{case}:close"), &json!({"outcome": "no"})).await,
    ] {
        refused.refused(401, "TOKEN_MISSING");
    }
}

#[tokio::test]
async fn a_repeated_asking_is_one_and_another_body_under_its_key_is_refused() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    let with_key = |body: Value| {
        anonymous.call(Method::POST, RECOVERIES).header("idempotency-key", KEY).json(&body).send()
    };
    let first = with_key(asking(ALICE)).await;
    let head = server.deeds().await;
    let again = with_key(asking(ALICE)).await;
    assert_eq!((again.ok(), again.header("idempotent-replay")), (first.ok(), Some("true")));
    with_key(asking("bob@acme.example")).await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(server.deeds().await, head);
}

#[tokio::test]
async fn what_is_asked_must_say_something_and_is_small() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    let before = server.deeds().await;
    for (field, value) in [
        ("email", json!("lost")),
        ("email", json!("")),
        ("email", json!(5)),
        ("email", json!("lost@\u{430}cme.example")),
        ("description", json!(" \n")),
        ("description", json!("x".repeat(5_001))),
    ] {
        let mut body = asking(ALICE);
        body[field] = value;
        let error = anonymous.post(RECOVERIES, &body).await.refused(400, "INVALID_FIELD");
        assert_eq!(error["details"][1]["fieldViolations"][0]["field"], field, "{body}");
    }
    let mut body = asking(ALICE);
    body["padding"] = json!("x".repeat(64 * 1024));
    anonymous.post(RECOVERIES, &body).await.refused(413, "PAYLOAD_TOO_LARGE");
    anonymous.call(Method::POST, RECOVERIES).bytes("{broken").send().await.refused(400, "INVALID_BODY");
    assert_eq!(server.deeds().await, before);
    // The longest text, each character as long as JSON allows, is still taken.
    let escaped = "\\ud83d\\ude00".repeat(5_000);
    let longest = format!("{{\"email\":\"{ALICE}\",\"description\":\"{escaped}\"}}");
    anonymous.call(Method::POST, RECOVERIES).bytes(longest).send().await.ok();
}

#[tokio::test]
async fn r_access_6_one_address_asks_so_often_and_then_waits_while_others_are_served() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..60 {
        let answer = ask(&anonymous, ALICE).await;
        if answer.status == 429 {
            answer.refused(429, "RATE_LIMITED");
            assert!(answer.header("retry-after").is_some());
            refused += 1;
        } else {
            answer.ok();
            taken += 1;
        }
    }
    assert!(taken >= 30 && refused > 0, "{taken} {refused}");
    // What a proxy would say of its clients is not believed.
    let spoofed = anonymous.call(Method::POST, RECOVERIES).header("x-forwarded-for", "192.0.2.7");
    spoofed.json(&asking(ALICE)).send().await.refused(429, "RATE_LIMITED");
    server.client(ALICE).get("/v2/organizations/acme/cases").await.ok();
}

#[tokio::test]
async fn the_list_comes_in_pages_newest_first_and_by_state() {
    let server = Server::start().await;
    let mut names = Vec::new();
    for number in 0..5 {
        let asked = ask(&server.anonymous(), &format!("a{number}@acme.example")).await;
        names.push(asked.ok()["name"].as_str().unwrap().to_owned());
    }
    let agent = server.client(AGENT);
    agent.post(&format!("/v2/{}:close", names[2]), &json!({"outcome": "Done."})).await.ok();
    let pages = |query: &'static str| {
        let agent = agent.clone();
        async move {
            let (mut listed, mut token) = (Vec::new(), String::new());
            loop {
                let page = agent.get(&format!("{RECOVERIES}?pageSize=2&pageToken={token}{query}")).await.ok();
                let cases = page["accountRecoveryCases"].as_array().unwrap();
                assert!(cases.len() <= 2);
                listed.extend(cases.iter().map(|case| case["name"].as_str().unwrap().to_owned()));
                match page["nextPageToken"].as_str() {
                    Some(next) => token = next.to_owned(),
                    None => return listed,
                }
            }
        }
    };
    names.reverse();
    assert_eq!(pages("").await, names);
    assert_eq!(pages("&state=CLOSED").await, [names[2].clone()]);
    let open: Vec<_> = names.iter().filter(|name| **name != names[2]).cloned().collect();
    assert_eq!(pages("&state=OPEN").await, open);
    let other_state = agent.get(&format!("{RECOVERIES}?pageSize=2")).await.ok()["nextPageToken"].clone();
    let crossed = format!("{RECOVERIES}?state=OPEN&pageToken={}", other_state.as_str().unwrap());
    assert_eq!(agent.get(&crossed).await.status, 400);
    assert_eq!(agent.get(&format!("{RECOVERIES}?state=HALF")).await.status, 400);
}

/// Nothing that somebody wrote lies open in the log, nor reaches analytics.
#[tokio::test]
async fn what_somebody_wrote_is_sealed_under_a_subject_of_its_own() {
    let server = Server::start().await;
    path(&ask(&server.anonymous(), "lost@acme.example").await);
    let events = server.events().await;
    let event = events.iter().find(|event| event.stream.category() == "account_recovery").unwrap();
    let payload = String::from_utf8(event.payload.to_vec()).unwrap();
    assert!(!payload.contains("lost@") && !payload.contains("phone"), "{payload}");
    let payload: Value = serde_json::from_str(&payload).unwrap();
    let subject = format!("account_recovery-{}", event.stream.id());
    assert_eq!(
        (&payload["email"]["subject"], &payload["description"]["subject"]),
        (&json!(subject), &json!(subject))
    );
}
