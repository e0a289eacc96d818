//! R-WEB-1: a frontend reads read models only, over HTTP, and sees its own writes: in what it lists and in what it watches.

use std::time::Duration;

use dossier_tests::people::{AGENT, ALICE, BOB, CAROL, HANK, NINA, OPERATOR, PETER};
use dossier_tests::server::{file_case, file_on_note};
use dossier_tests::{Client, Server};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

const OF_ACME: &str = "/v2/organizations/acme/cases:watch";
const OF_GLOBEX: &str = "/v2/organizations/globex/cases:watch";
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A message of a stream.
#[derive(Debug)]
struct Message {
    event: String,
    id: String,
    data: Value,
}

/// A stream of server-sent events.
struct Sse {
    response: reqwest::Response,
    buffer: String,
}

impl Sse {
    /// Connects, and hears that everything from now on is told.
    async fn ready(client: &Client, path: &str) -> (Self, String) {
        let mut sse = Self::connect(client, path, None).await;
        let ready = sse.next().await.unwrap();
        assert_eq!(ready.event, "ready");
        (sse, ready.id)
    }

    async fn connect(client: &Client, path: &str, last_event_id: Option<&str>) -> Self {
        let mut call = client.call(Method::GET, path).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            call = call.header("last-event-id", id);
        }
        let response = call.open().await;
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: String::new() }
    }

    /// The next message; `None` at the end.
    async fn next(&mut self) -> Option<Message> {
        loop {
            while let Some((message, rest)) = self.buffer.split_once("\n\n") {
                let field =
                    |name: &str| message.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let found = field("event: ").zip(field("data: "));
                let id = field("id: ").unwrap_or_default();
                self.buffer = rest.to_string();
                if let Some((event, data)) = found {
                    return Some(Message { event, id, data: serde_json::from_str(&data).unwrap() });
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk())
                .await
                .expect("something within this time");
            self.buffer += std::str::from_utf8(&chunk.expect("an end in order")?).unwrap();
        }
    }

    /// The case of the next message.
    async fn case(&mut self) -> Value {
        let message = self.next().await.unwrap();
        assert_eq!(message.event, "case", "{message:?}");
        message.data
    }
}

fn name(path: &str) -> Value {
    json!(path.trim_start_matches("/v2/"))
}

/// R-WEB-1.
#[tokio::test]
async fn r_web_1_a_frontend_sees_its_own_write_in_the_list_and_in_the_stream_as_the_same_case() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let (mut watched, _) = Sse::ready(&alice, OF_ACME).await;
    let case = file_case(&alice, "acme").await;
    let listed = alice.get("/v2/organizations/acme/cases?pageSize=1").await.ok()["cases"][0].clone();
    let told = watched.case().await;
    assert_eq!((&told["name"], &told), (&name(&case), &listed));
    alice.patch(&format!("{case}?updateMask=displayName"), &json!({"displayName": "Renamed"})).await.ok();
    assert_eq!(alice.get(&case).await.ok()["displayName"], "Renamed");
    assert_eq!(watched.case().await["displayName"], "Renamed");
    server.client(BOB).post(&format!("{case}:close"), &json!({})).await.ok();
    assert_eq!(watched.case().await["state"], "CLOSED", "others' writes too");
}

#[tokio::test]
async fn a_stream_resumes_after_what_was_seen_last_and_tells_each_case_as_it_is_now() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let (mut watched, begin) = Sse::ready(&alice, OF_ACME).await;
    let one = file_case(&alice, "acme").await;
    let seen = watched.next().await.unwrap();
    drop(watched);
    let two = file_case(&alice, "acme").await;
    for title in ["B", "C"] {
        alice.patch(&format!("{one}?updateMask=displayName"), &json!({"displayName": title})).await.ok();
    }
    let mut resumed = Sse::connect(&alice, OF_ACME, Some(&seen.id)).await;
    let told = [resumed.case().await, resumed.case().await];
    assert_eq!((&told[0]["name"], &told[1]["name"]), (&name(&two), &name(&one)));
    assert_eq!(told[1]["displayName"], "C");
    let ready = resumed.next().await.unwrap();
    assert_eq!(ready.event, "ready");
    alice.post(&format!("{two}:close"), &json!({})).await.ok();
    assert_eq!(resumed.case().await["state"], "CLOSED");
    // The same without a stream, for who asks now and then.
    let page = alice.get(&format!("{OF_ACME}?after={begin}")).await.ok();
    let names: Vec<_> = page["cases"].as_array().unwrap().iter().map(|case| case["name"].clone()).collect();
    assert_eq!((names, &page["reset"]), (vec![name(&one), name(&two)], &json!(false)));
    let next = page["nextPosition"].as_str().unwrap();
    let nothing = alice.get(&format!("{OF_ACME}?after={next}")).await.ok();
    assert_eq!(nothing["cases"], json!([]));
    alice.get(&format!("{OF_ACME}?after=99999999")).await.refused(400, "POSITION_BEYOND_END");
    alice.get(&format!("{OF_ACME}?after=soon")).await.refused(400, "INVALID_POSITION");
}

/// R-COMMENT-3: that support works on a case in silence is not told by a stream either.
#[tokio::test]
async fn r_comment_3_internal_work_is_told_to_support_and_not_to_customers() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    let agent = server.client(AGENT);
    let (mut customers, begin) = Sse::ready(&alice, OF_ACME).await;
    let (mut supports, _) = Sse::ready(&agent, OF_ACME).await;
    file_on_note(&agent, &case).await;
    assert_eq!(supports.case().await["name"], name(&case));
    let page = alice.get(&format!("{OF_ACME}?after={begin}")).await.ok();
    assert_eq!(page["cases"], json!([]));
    alice.post(&format!("{case}:close"), &json!({})).await.ok();
    assert_eq!(customers.case().await["state"], "CLOSED", "and nothing before it");
}

#[tokio::test]
async fn a_stream_tells_the_organizations_cases_and_of_these_what_one_sees() {
    let server = Server::start().await;
    server.employ("acme", "sven@acme.example", &[("storage", dossier_domain::Role::Viewer)], None).await;
    let (mut of_storage, _) = Sse::ready(&server.client("sven@acme.example"), OF_ACME).await;
    let (mut of_globex, _) = Sse::ready(&server.client(HANK), OF_GLOBEX).await;
    let alice = server.client(ALICE);
    file_case(&alice, "acme").await;
    let bucket = json!({
        "displayName": "No access", "description": "To the bucket.", "priority": "P3",
        "classification": {"id": "storage-bucket"},
    });
    let bucket = alice.post("/v2/organizations/acme/cases", &bucket).await.ok();
    let theirs = file_case(&server.client(HANK), "globex").await;
    assert_eq!(of_storage.case().await["name"], bucket["name"], "compute's is not theirs");
    assert_eq!(of_globex.case().await["name"], name(&theirs));
    for (who, reason) in [(PETER, "NOT_A_MEMBER"), (NINA, "NOT_A_MEMBER")] {
        server.client(who).get(OF_ACME).await.refused(403, reason);
    }
}

/// R-RES-2: a withdrawn reseller's stream ends, whether or not anything happens to a case.
#[tokio::test]
async fn r_res_2_the_stream_of_a_reseller_ends_with_the_withdrawal_and_shows_nothing_after_it() {
    let server = Server::start().await;
    let nina = server.client(NINA).acting_for("nimbus");
    let (mut watched, _) = Sse::ready(&nina, OF_GLOBEX).await;
    let hank = server.client(HANK);
    let case = file_case(&hank, "globex").await;
    assert_eq!(watched.case().await["name"], name(&case));
    server.withdraw(HANK, "globex", "nimbus").await;
    hank.post(&format!("{case}/comments"), &json!({"body": "Among ourselves."})).await.ok();
    let end = watched.next().await.unwrap();
    assert_eq!(end.event, "end", "{end:?}");
    assert_eq!(end.data["error"]["details"][0]["reason"], "RESELLER_NOT_ALLOWED");
    assert!(watched.next().await.is_none());
    nina.get(OF_GLOBEX).await.refused(403, "RESELLER_NOT_ALLOWED");
}

#[tokio::test]
async fn removal_deactivation_and_the_end_of_a_token_end_a_stream() {
    let server = Server::start().await;
    let (mut removed, _) = Sse::ready(&server.client(CAROL), OF_ACME).await;
    let (mut deactivated, _) = Sse::ready(&server.client(BOB), OF_ACME).await;
    server.remove_member("acme", CAROL).await;
    let end = removed.next().await.unwrap();
    assert_eq!((end.event.as_str(), &end.data["error"]["code"]), ("end", &json!(403)));
    assert!(removed.next().await.is_none());
    server.set_active("acme", BOB, false).await;
    let end = deactivated.next().await.unwrap();
    assert_eq!(end.data["error"]["details"][0]["reason"], "NO_ACCOUNT");
    assert!(deactivated.next().await.is_none());
    let alice = server.client(ALICE);
    let (mut expired, _) = Sse::ready(&alice, OF_ACME).await;
    server.clock.advance(SignedDuration::from_hours(24 * 401));
    file_case(&server.client(ALICE), "acme").await;
    while let Some(message) = expired.next().await {
        assert_eq!(message.event, "case", "what was on its way");
    }
    server.client(OPERATOR).get(OF_ACME).await.refused(403, "NOT_FOR_YOU");
}

#[tokio::test]
async fn one_reader_of_the_log_serves_all_streams_and_stops_with_the_last() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let mut streams = Vec::new();
    for _ in 0..50 {
        streams.push(Sse::ready(&alice, OF_ACME).await.0);
    }
    assert_eq!(server.app().watch.streams(), 50);
    let case = file_case(&alice, "acme").await;
    for stream in &mut streams {
        assert_eq!(stream.case().await["name"], name(&case));
    }
    drop(streams);
    let left = async {
        while server.app().watch.streams() > 0 {
            // A connection that was closed is noticed when something is sent to it.
            alice.post(&format!("{case}/comments"), &json!({"body": "Still there?"})).await.ok();
        }
    };
    tokio::time::timeout(PATIENCE, left).await.unwrap();
    let (mut again, _) = Sse::ready(&alice, OF_ACME).await;
    alice.post(&format!("{case}:close"), &json!({})).await.ok();
    assert_eq!(again.case().await["state"], "CLOSED");
}
