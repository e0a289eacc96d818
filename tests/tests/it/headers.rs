//! Positions, conditions, and the ids that tie requests to what they have done.

use std::time::{Duration, Instant};

use dossier_tests::people::{AGENT, ALICE};
use dossier_tests::process;
use dossier_tests::profile::Profile;
use dossier_tests::server::{file_case, sample_case};
use dossier_tests::{Server, encoded};
use reqwest::Method;
use serde_json::{Value, json};

const CASES: &str = "/v2/organizations/acme/cases";

#[tokio::test]
async fn a_position_in_the_future_is_waited_for_and_then_503() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let position = alice.post(CASES, &sample_case()).await.position();
    let get = async |min: u64, wait: &str| {
        let call = alice.call(Method::GET, CASES).header("dossier-min-position", min.to_string());
        call.header("dossier-max-wait", wait).send().await
    };
    get(position, "0").await.ok();
    get(1, "0").await.ok();
    let began = Instant::now();
    let late = get(position + 1_000, "0.3").await;
    assert!(began.elapsed() >= Duration::from_millis(300), "it waits as long as it was told");
    let error = late.refused(503, "READ_MODEL_BEHIND");
    assert_eq!(error["status"], "UNAVAILABLE");
    assert!(late.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()));

    // Met while waiting: answered as soon as the event is there.
    let began = Instant::now();
    let body = sample_case();
    let (waited, filed) = tokio::join!(get(position + 1, "20"), alice.post(CASES, &body));
    assert_eq!(waited.ok()["cases"][0]["name"], filed.ok()["name"]);
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn a_position_or_a_wait_that_is_none_is_refused() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    for (header, value) in [
        ("dossier-min-position", "-1"),
        ("dossier-min-position", "soon"),
        ("dossier-min-position", "18446744073709551616"),
        ("dossier-max-wait", "-1"),
        ("dossier-max-wait", "NaN"),
        ("dossier-max-wait", "a while"),
    ] {
        let call = alice.call(Method::GET, CASES).header("dossier-min-position", "1").header(header, value);
        let answer = call.send().await;
        if header == "dossier-min-position" {
            // The first of two headers of a name counts; alone the bad one is refused.
            alice
                .call(Method::GET, CASES)
                .header(header, value)
                .send()
                .await
                .refused(400, "INVALID_ARGUMENT");
        } else {
            answer.refused(400, "INVALID_ARGUMENT");
        }
    }
}

#[tokio::test]
async fn own_writes_are_seen_at_once_without_naming_a_position() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    for number in 0..20 {
        let title = format!("case {number}");
        let mut body = sample_case();
        body["displayName"] = json!(title);
        let filed = alice.post(CASES, &body).await;
        let listed = alice.get(&format!("{CASES}?pageSize=1")).await.ok();
        assert_eq!(listed["cases"][0], filed.ok());
        let case = format!("/v2/{}", filed.ok()["name"].as_str().unwrap());
        let comment = alice.post(&format!("{case}/comments"), &json!({"body": title})).await.ok();
        assert_eq!(alice.get(&format!("{case}/comments")).await.ok()["comments"], json!([comment]));
        alice.post(&format!("{case}:close"), &json!({})).await.ok();
        let closed = alice.get(&format!("{CASES}?pageSize=1&filter={}", encoded("state=CLOSED"))).await.ok();
        assert_eq!(closed["cases"][0]["name"], filed.ok()["name"]);
    }
}

#[tokio::test]
async fn positions_grow_with_every_command_and_queries_carry_none() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let mut last = 0;
    for _ in 0..3 {
        let position = alice.post(CASES, &sample_case()).await.position();
        assert!(position > last);
        last = position;
    }
    assert_eq!(alice.get(CASES).await.header("dossier-position"), None);
}

#[tokio::test]
async fn a_condition_holds_only_for_what_was_read() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    let stale = alice.get(&case).await.header("etag").unwrap().to_owned();
    let comment = async |etag: &str| {
        let call = alice.call(Method::POST, &format!("{case}/comments")).header("if-match", etag);
        call.json(&json!({"body": "conditional"})).send().await
    };
    comment(&stale).await.ok();
    let fresh = alice.get(&case).await.header("etag").unwrap().to_owned();
    assert_ne!(fresh, stale);
    let events = server.events().await.len();
    for etag in [stale.as_str(), "\"999\"", "\"nonsense\"", "nonsense", "", &format!("{stale}, \"77\"")] {
        assert_eq!(comment(etag).await.refused(409, "ETAG_MISMATCH")["status"], "ABORTED", "{etag}");
    }
    for (method, path, body) in [
        (Method::PATCH, format!("{case}?updateMask=displayName"), json!({"displayName": "x"})),
        (Method::POST, format!("{case}:close"), json!({})),
        (
            Method::POST,
            format!("{case}:escalate"),
            json!({"escalation": {"reason": 1, "justification": "j"}}),
        ),
    ] {
        let answer = alice.call(method, &path).header("if-match", &stale).json(&body).send().await;
        answer.refused(409, "ETAG_MISMATCH");
    }
    assert_eq!(server.events().await.len(), events);

    let patched =
        alice.call(Method::PATCH, &format!("{case}?updateMask=displayName")).header("if-match", &fresh);
    let patched = patched.json(&json!({"displayName": "fresh"})).send().await;
    patched.ok();
    let etag = patched.header("etag").unwrap().to_owned();
    assert_eq!(alice.get(&case).await.header("etag"), Some(etag.as_str()), "the answer's ETag is the case's");
    comment(&format!("\"77\", W/{etag}")).await.ok();
    comment("*").await.ok();
}

#[tokio::test]
async fn every_answer_names_its_request_and_no_two_alike() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let answers = [
        alice.get(CASES).await,
        alice.post(CASES, &sample_case()).await,
        alice.post(CASES, &json!({})).await,
        alice.get("/nowhere").await,
        server.anonymous().get(CASES).await,
        alice.get("/v2/organizations/globex/cases").await,
    ];
    let ids: std::collections::BTreeSet<_> =
        answers.iter().map(|answer| answer.header("dossier-request-id").expect("an id").to_owned()).collect();
    assert_eq!(ids.len(), answers.len());
    assert!(ids.iter().all(|id| ulid::Ulid::from_string(id).is_ok()), "{ids:?}");
}

#[tokio::test]
async fn the_correlation_id_reaches_the_event_and_is_replayed() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let file = async |correlation: Option<&str>| {
        let mut call = alice.call(Method::POST, CASES).json(&sample_case());
        if let Some(id) = correlation {
            call = call.header("dossier-correlation-id", id);
        }
        let answer = call.send().await;
        let request = answer.header("dossier-request-id").unwrap().to_owned();
        let metadata = server.events().await.last().unwrap().metadata().unwrap();
        (answer.ok()["name"].as_str().unwrap().to_owned(), request, metadata.correlation_id)
    };
    let (name, _, correlation) = file(Some("ticket-4711.a_b")).await;
    assert_eq!(correlation, "ticket-4711.a_b");
    let (_, request, correlation) = file(None).await;
    assert_eq!(correlation, request, "without one the request stands for itself");
    for bad in ["has blanks", "", &"x".repeat(129), "a/b"] {
        let (_, request, correlation) = file(Some(bad)).await;
        assert_eq!(correlation, request, "{bad}: what could be anything is not kept");
    }

    let stream = format!("case-{}", name.rsplit('/').next().unwrap());
    let data = server.data().display().to_string();
    let mut replay = process::command(&["replay", &stream, "--data", &data]);
    replay.envs(server.environment());
    let replayed = process::finish(replay).await;
    assert!(replayed.success, "{}", replayed.stderr);
    let event: Value = serde_json::from_str(replayed.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&event["type"], &event["revision"]), (&json!("CaseFiled"), &json!(0)));
    assert_eq!(event["metadata"]["correlation_id"], "ticket-4711.a_b");
    assert_eq!(event["payload"]["title"]["open"], sample_case()["displayName"], "opened with the key store");
    assert!(!event["metadata"].to_string().contains('@'), "no address among the metadata");
}

#[tokio::test]
async fn nothing_personal_lies_in_the_log_in_the_clear() {
    let server = Server::start().await;
    let (alice, agent) = (server.client(ALICE), server.client(AGENT));
    let secrets = ["Zebrafinch title", "Zebrafinch story", "zebrafinch@acme.example", "Zebrafinch comment"];
    let body = json!({"displayName": secrets[0], "description": secrets[1].repeat(400),
        "classification": {"id": "compute-vm"}, "priority": "P3", "subscriberEmailAddresses": [secrets[2]],
        "contactEmail": secrets[2]});
    let answer = alice.post(CASES, &body).await;
    let case = format!("/v2/{}", answer.ok()["name"].as_str().unwrap());
    agent.post(&format!("{case}/comments"), &json!({"body": secrets[3]})).await.ok();
    let escalation = json!({"escalation": {"reason": 1, "justification": "Zebrafinch reason"}});
    alice.post(&format!("{case}:escalate"), &escalation).await.ok();
    let mut files: Vec<Vec<u8>> = Vec::new();
    for event in server.events().await {
        files.extend([event.payload.to_vec(), event.metadata.to_vec()]);
    }
    let data = server.stop().await;
    if Profile::current() == Profile::Embedded {
        files.extend(["events.db", "keys.db"].map(|name| std::fs::read(data.path().join(name)).unwrap()));
    }
    for needle in ["ebrafinch", ALICE, AGENT, "Alice"] {
        for file in &files {
            let found = file.windows(needle.len()).any(|window| window == needle.as_bytes());
            assert!(!found, "{needle} lies in the clear");
        }
    }
}
