//! The notes that support writes for itself: agents read them, and in nothing that a customer is answered is there a trace.

use dossier_tests::people::{AGENT, AGENT_SOUTH, ALICE, AUDITOR, CAROL, ENGINEER, HANK};
use dossier_tests::server::file_case;
use dossier_tests::{Client, Server, encoded};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn r_comment_3_an_agent_reads_the_notes_in_order_page_by_page_and_nobody_else_does() {
    let server = Server::start().await;
    let (alice, agent) = (server.client(ALICE), server.client(AGENT));
    let case = file_case(&alice, "acme").await;
    let notes = format!("{case}/notes");
    assert_eq!(agent.get(&notes).await.ok(), json!({"notes": []}));
    for text in ["one", "two", "three"] {
        agent.post(&format!("{case}:addInternalNote"), &json!({"body": text})).await.ok();
    }
    let first = agent.get(&format!("{notes}?pageSize=2")).await.ok();
    let token = first["nextPageToken"].as_str().expect("more follow");
    let second = agent.get(&format!("{notes}?pageSize=2&pageToken={token}")).await.ok();
    assert_eq!(second["nextPageToken"], Value::Null);
    let pages = [&first["notes"], &second["notes"]].map(|page| page.as_array().unwrap().clone()).concat();
    let texts: Vec<_> = pages.iter().map(|note| note["body"].as_str().unwrap()).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    assert_eq!(pages[0]["creator"]["email"], AGENT);
    assert!(pages[0]["name"].as_str().unwrap().starts_with(notes.trim_start_matches("/v2/")));
    for who in [ALICE, CAROL, ENGINEER, AUDITOR] {
        server.client(who).get(&notes).await.refused(403, "NOT_FOR_YOU");
    }
    server.client(HANK).get(&notes).await.refused(403, "NOT_A_MEMBER");
    // They are read by whoever has the case, as far as that goes.
    server.client(AGENT_SOUTH).get(&notes).await.refused(404, "CASE_NOT_FOUND");
    let hand_over = json!({"provider": "south", "reason": "They know this machine."});
    agent.post(&format!("{case}:route"), &hand_over).await.ok();
    agent.get(&notes).await.refused(404, "CASE_NOT_FOUND");
    let theirs = server.client(AGENT_SOUTH).get(&notes).await.ok();
    assert_eq!(theirs["notes"], json!(pages));
}

#[tokio::test]
async fn r_comment_3_a_note_is_answered_as_it_is_listed_and_again_when_it_is_repeated() {
    let server = Server::start().await;
    let (alice, agent) = (server.client(ALICE), server.client(AGENT));
    let case = file_case(&alice, "acme").await;
    let notes = format!("{case}/notes");
    let write = async |who: &Client, body: &Value| {
        let call = who.call(Method::POST, &notes).header("idempotency-key", "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        call.json(body).send().await
    };
    let written = write(&agent, &json!({"body": "The disk."})).await.ok();
    assert_eq!(agent.get(&notes).await.ok()["notes"], json!([written]));
    assert_eq!(write(&agent, &json!({"body": "The disk."})).await.ok(), written);
    write(&agent, &json!({"body": "Another."})).await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    agent.post(&notes, &json!({})).await.refused(400, "INVALID_FIELD");
    write(&alice, &json!({"body": "Mine."})).await.refused(403, "NOT_FOR_YOU");
    assert_eq!(agent.get(&notes).await.ok()["notes"], json!([written]));
}

#[tokio::test]
async fn r_comment_3_a_note_is_in_no_answer_to_a_customer() {
    let server = Server::start().await;
    let (alice, agent) = (server.client(ALICE), server.client(AGENT));
    let case = file_case(&alice, "acme").await;
    alice.post(&format!("{case}/comments"), &json!({"body": "It hums."})).await.ok();
    let search = |words: &str| format!("/v2/organizations/acme/cases:search?query={}", encoded(words));
    let beta = case.replacen("/v2/", "/v2beta/", 1);
    let paths = [
        case.clone(),
        format!("{case}:allowedActions"),
        format!("{case}:explainObjective"),
        "/v2/organizations/acme/cases?pageSize=100".to_owned(),
        "/v2/organizations/acme/stats?by=state".to_owned(),
        search("\"hums\""),
        search("\"unmistakably\""),
        format!("{case}/comments"),
        format!("{case}/attachments"),
        format!("{beta}:showFeed"),
        format!("{beta}:showFeed?orderBy=creation_time%20desc"),
    ];
    let mut before = Vec::new();
    for path in &paths {
        before.push(alice.get(path).await.ok());
    }
    let note = json!({"body": "It is the cable, unmistakably."});
    agent.post(&format!("{case}:addInternalNote"), &note).await.ok();
    let read = agent.get(&format!("{case}/notes")).await.ok();
    assert_eq!(read["notes"][0]["body"], note["body"]);
    for (path, before) in paths.iter().zip(before) {
        assert_eq!(alice.get(path).await.ok(), before, "{path}");
    }
    assert_eq!(alice.get(&search("\"hums\"")).await.ok()["cases"].as_array().map(Vec::len), Some(1));
    assert_eq!(alice.get(&search("\"unmistakably\"")).await.ok()["cases"], json!([]));
    // Nor by its id.
    let id = read["notes"][0]["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    for kind in ["comments", "attachments"] {
        assert_eq!(alice.get(&format!("{case}/{kind}/{id}")).await.status, 404, "{kind}");
    }
}
