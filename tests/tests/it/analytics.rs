//! R-ANALYTICS-1: analytics jobs consume the events from any position, and what is not published never leaves.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use dossier_domain::Category;
use dossier_eventlog::{
    Append, Audience, EventId, Expected, Metadata, NewEvent, Position, RecordedEvent, Revision, StreamName,
};
use dossier_projections::export::{AnalyticsMessage, analytics_event};
use dossier_tests::people::{AGENT, ALICE, ANALYST, AUDITOR, CAROL, ENGINEER, HANK, OPERATOR, PETER};
use dossier_tests::server::file_case;
use dossier_tests::{Client, Server};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::golden;

const FEED: &str = "/v2/events";
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every event of the feed that a query picks, in pages of a size.
async fn feed(analyst: &Client, query: &str, page_size: usize) -> Vec<Value> {
    let (mut events, mut after) = (Vec::new(), "0".to_owned());
    loop {
        let page = analyst.get(&format!("{FEED}?pageSize={page_size}&after={after}&{query}")).await.ok();
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        page["nextPosition"].as_str().unwrap().clone_into(&mut after);
        if page["upToDate"] == true {
            return events;
        }
    }
}

/// A stream of server-sent events.
struct Sse {
    response: reqwest::Response,
    buffer: String,
}

impl Sse {
    async fn connect(analyst: &Client, last_event_id: Option<&str>) -> Self {
        let mut call = analyst.call(Method::GET, FEED).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            call = call.header("last-event-id", id);
        }
        let response = call.open().await;
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: String::new() }
    }

    /// The next message's id and data; `None` at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((message, rest)) = self.buffer.split_once("\n\n") {
                let field =
                    |name: &str| message.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let found = field("id: ").zip(field("data: "));
                self.buffer = rest.to_string();
                if let Some((id, data)) = found {
                    return Some((id, serde_json::from_str(&data).unwrap()));
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk())
                .await
                .expect("something within this time");
            self.buffer += std::str::from_utf8(&chunk.expect("an end in order")?).unwrap();
        }
    }
}

fn leaves(event: &RecordedEvent) -> bool {
    event.metadata().unwrap().audience == Audience::Customer
}

async fn talk(server: &Server) -> String {
    let (alice, agent) = (server.client(ALICE), server.client(AGENT));
    let case = file_case(&alice, "acme").await;
    agent.post(&format!("{case}/comments"), &json!({"body": "Zebrafinch answer"})).await.ok();
    alice.post(&format!("{case}/comments"), &json!({"body": "Zebrafinch question"})).await.ok();
    case
}

/// R-ANALYTICS-1.
#[tokio::test]
async fn r_analytics_1_the_feed_tells_every_event_that_may_leave_once_in_order_from_any_position() {
    let server = Server::start().await;
    talk(&server).await;
    let analyst = server.client(ANALYST);
    let told = feed(&analyst, "", 1_000).await;
    let stored = server.events().await;
    let expected: Vec<_> = stored.iter().filter(|event| leaves(event)).collect();
    assert!(
        expected.len() > 30 && expected.len() < stored.len(),
        "the reading itself is in the log, not in the feed"
    );
    assert_eq!(told.len(), expected.len());
    for (told, stored) in told.iter().zip(&expected) {
        assert_eq!(told["id"], stored.event_id.to_string());
        assert_eq!(told["type"], &*stored.event_type);
        assert_eq!(told["subject"], stored.stream.as_str());
        assert_eq!(told["position"], stored.position.to_string());
        assert_eq!(told["time"], json!(stored.recorded_at));
        assert_eq!(told["specversion"], "1.0");
        assert!(told["dataschema"].as_str().unwrap().starts_with("urn:dossier:events:"));
    }
    for size in [1, 7] {
        assert_eq!(feed(&analyst, "", size).await, told, "pages of {size}");
    }
    let middle = told[told.len() / 2]["position"].as_str().unwrap();
    let rest = analyst.get(&format!("{FEED}?after={middle}&pageSize=1000")).await.ok();
    assert_eq!(rest["events"].as_array().unwrap()[..], told[told.len() / 2 + 1..]);
    let filed = told.iter().rfind(|event| event["type"] == "CaseFiled").unwrap();
    assert_eq!((&filed["data"]["product"], &filed["data"]["priority"]), (&json!("compute"), &json!("P3")));
    let text = json!(told).to_string();
    for secret in ["Zebrafinch", "acme.example", "Machines do not start", "Alice", "sealed", "open\":"] {
        assert!(!text.contains(secret), "{secret} has left");
    }
}

#[tokio::test]
async fn the_feed_of_one_organization_category_or_type_holds_nothing_else() {
    let server = Server::start().await;
    file_case(&server.client(HANK), "globex").await;
    let analyst = server.client(ANALYST);
    let told = feed(&analyst, "", 1_000).await;
    for (query, field, value) in [
        ("organization=globex", "organization", "globex"),
        ("type=CaseFiled", "type", "CaseFiled"),
        ("organization=acme&type=CommentAdded", "organization", "acme"),
    ] {
        let picked = feed(&analyst, query, 1_000).await;
        assert!(!picked.is_empty() && picked.iter().all(|event| event[field] == value), "{query}");
        if !query.contains('&') {
            assert_eq!(picked.len(), told.iter().filter(|event| event[field] == value).count(), "{query}");
        }
    }
    let of_access = feed(&analyst, "category=access", 1_000).await;
    assert!(
        !of_access.is_empty()
            && of_access.iter().all(|event| event["subject"].as_str().unwrap().starts_with("access-"))
    );
    assert!(feed(&analyst, "organization=nowhere", 1_000).await.is_empty());
}

/// R-ANALYTICS-1: a consumer that loses its connection goes on without a gap and without a repeat.
#[tokio::test]
async fn r_analytics_1_a_stream_resumes_by_its_last_id_without_a_gap_or_a_repeat() {
    let server = Server::start().await;
    let (alice, analyst) = (server.client(ALICE), server.client(ANALYST));
    let case = file_case(&alice, "acme").await;
    let comments = format!("{case}/comments");
    let writing = async {
        for number in 0..40 {
            alice.post(&comments, &json!({"body": format!("comment {number}")})).await.ok();
        }
        alice.post(&format!("{case}:close"), &json!({})).await.ok();
    };
    let reading = async {
        let (mut told, mut last) = (Vec::new(), None::<String>);
        // Each connection is dropped after a few messages, wherever the writer is.
        for few in (1..=7).cycle() {
            let mut stream = Sse::connect(&analyst, last.as_deref()).await;
            for _ in 0..few {
                let (id, event) = stream.next().await.expect("a stream that goes on");
                assert_eq!(event["position"], id);
                let is_last = event["type"] == "CaseClosed"
                    && event["subject"].as_str().is_some_and(|subject| case.ends_with(&subject[5..]));
                last = Some(id);
                told.push(event);
                if is_last {
                    return told;
                }
            }
        }
        told
    };
    let ((), told) = tokio::join!(writing, reading);
    assert_eq!(told, feed(&analyst, "", 1_000).await);
}

#[tokio::test]
async fn what_happens_while_a_stream_is_open_comes_by_itself() {
    let server = Server::start().await;
    let analyst = server.client(ANALYST);
    let head = server.head().await.to_string();
    let mut stream = Sse::connect(&analyst, Some(&head)).await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let (_, event) = stream.next().await.unwrap();
    assert_eq!(event["data"]["case"], case.rsplit('/').next().unwrap());
}

#[tokio::test]
async fn a_stream_ends_in_order_when_the_server_stops() {
    let server = Server::start().await;
    let mut stream = Sse::connect(&server.client(ANALYST), None).await;
    assert!(stream.next().await.is_some());
    let reading = tokio::spawn(async move { while stream.next().await.is_some() {} });
    // Less than the patience that the server has with requests in flight: it does not wait for it to be over.
    tokio::time::timeout(Duration::from_secs(8), server.stop()).await.expect("a stop in order");
    reading.await.unwrap();
}

#[tokio::test]
async fn a_stream_that_goes_on_into_another_day_is_recorded_for_that_day_too() {
    let server = Server::start().await;
    let (alice, analyst) = (server.client(ALICE), server.client(ANALYST));
    let head = server.head().await.to_string();
    let mut stream = Sse::connect(&analyst, Some(&head)).await;
    let case = file_case(&alice, "acme").await;
    stream.next().await.unwrap();
    let exports = async || {
        let events = server.events().await;
        events.into_iter().filter(|event| event.stream.category() == "export").collect::<Vec<_>>()
    };
    let first = exports().await;
    assert_eq!(first.len(), 1);
    let payload: Value = serde_json::from_slice(&first[0].payload).unwrap();
    assert_eq!(
        (&payload["kind"], &payload["from"]),
        (&json!("analytics"), &json!(head.parse::<u64>().unwrap()))
    );
    assert_eq!(first[0].metadata().unwrap().organization, None);
    analyst.get(FEED).await.ok();
    assert_eq!(exports().await.len(), 1, "the same day, the same scope");
    analyst.get(&format!("{FEED}?organization=acme")).await.ok();
    assert_eq!(exports().await.len(), 2, "another scope");
    server.clock.advance(SignedDuration::from_hours(24));
    alice.post(&format!("{case}/comments"), &json!({"body": "the next day"})).await.ok();
    stream.next().await.unwrap();
    assert_eq!(exports().await.len(), 3);
}

#[tokio::test]
async fn nobody_but_an_analyst_consumes_the_events_and_a_refusal_has_the_shape_of_every_other() {
    let server = Server::start().await;
    let before = server.events().await.len();
    for accept in ["application/json", "text/event-stream"] {
        for email in
            [ALICE, CAROL, HANK, PETER, AGENT, ENGINEER, AUDITOR, OPERATOR, "somebody@elsewhere.example"]
        {
            let answer = server.client(email).call(Method::GET, FEED).header("accept", accept).send().await;
            answer.refused(403, "NOT_FOR_YOU");
        }
        let anonymous = server.anonymous().call(Method::GET, FEED).header("accept", accept).send().await;
        anonymous.refused(401, "TOKEN_MISSING");
    }
    assert_eq!(server.events().await.len(), before);
}

#[tokio::test]
async fn a_position_that_is_none_of_this_log_is_refused_and_not_waited_for() {
    let server = Server::start().await;
    let analyst = server.client(ANALYST);
    let beyond = server.head().await.0 + 1_000;
    for after in ["x", "-1", "+1", "1.5", "99999999999999999999999"] {
        analyst.get(&format!("{FEED}?after={after}")).await.refused(400, "INVALID_POSITION");
    }
    analyst.get(&format!("{FEED}?after={beyond}")).await.refused(400, "POSITION_BEYOND_END");
    let resumed = analyst.call(Method::GET, FEED).header("accept", "text/event-stream");
    resumed.header("last-event-id", beyond.to_string()).send().await.refused(400, "POSITION_BEYOND_END");
    analyst.get(&format!("{FEED}?type=Nonsense")).await.refused(400, "INVALID_QUERY");
    let end = server.head().await.0;
    let list = analyst.get(&format!("{FEED}?after={end}")).await.ok();
    assert_eq!((&list["events"], &list["upToDate"]), (&json!([]), &json!(true)));
}

/// R-COMMENT-3, R-ANALYTICS-1.
#[tokio::test]
async fn r_comment_3_an_internal_note_is_in_no_page_and_in_no_stream() {
    let server = Server::start().await;
    let analyst = server.client(ANALYST);
    let case = talk(&server).await;
    let stream = format!("case-{}", case.rsplit('/').next().unwrap());
    let last = server.events().await.into_iter().rfind(|event| event.stream.as_str() == stream).unwrap();
    let note = json!({"comment": "00000000000000000000000077", "body": {"subject": "s"}, "author": {"subject": "s"}, "side": "support"});
    let metadata =
        Metadata { audience: Audience::Support, command_id: Uuid::from_u128(77), ..last.metadata().unwrap() };
    let append = Append {
        stream: last.stream.clone(),
        expected: Expected::Exact(last.revision),
        events: vec![NewEvent {
            event_id: EventId(Uuid::from_u128(77)),
            event_type: "CommentAdded".into(),
            version: 2,
            recorded_at: server.clock.now(),
            payload: note.to_string().into(),
            metadata: metadata.encode(),
        }],
        guards: Vec::new(),
    };
    let hidden = server.app().store.append(append).await.unwrap().last_position;
    server.client(ALICE).post(&format!("{case}/comments"), &json!({"body": "after it"})).await.ok();
    let told = feed(&analyst, "", 1_000).await;
    assert!(told.iter().all(|event| event["position"] != hidden.to_string()));
    let mut sse = Sse::connect(&analyst, Some(&(hidden.0 - 1).to_string())).await;
    assert_ne!(sse.next().await.unwrap().0, hidden.to_string());
}

#[tokio::test]
async fn the_published_schemas_are_served_and_every_event_of_the_feed_has_its_own() {
    let server = Server::start().await;
    let document = server.anonymous().get("/asyncapi.json").await.ok();
    let messages = document["components"]["messages"].as_object().unwrap();
    for event in feed(&server.client(ANALYST), "", 1_000).await {
        let category = event["subject"].as_str().unwrap().split('-').next().unwrap();
        let message = &messages[&format!("{category}.{}", event["type"].as_str().unwrap())];
        assert_eq!(message["headers"]["properties"]["ce-dataschema"]["const"], event["dataschema"]);
        let published = message["payload"]["properties"].as_object().unwrap();
        for field in event["data"].as_object().unwrap().keys() {
            assert!(published.contains_key(field), "{}: {field}", event["type"]);
        }
        for field in message["payload"]["required"].as_array().unwrap() {
            assert!(event["data"].get(field.as_str().unwrap()).is_some(), "{}: {field}", event["type"]);
        }
    }
}

/// Fields that hold what somebody wrote, or what names somebody or something of theirs.
const WRITTEN: [&str; 7] =
    ["display_name", "version", "time_zone", "media_type", "blob", "domain", "country"];
/// Personal values that are contacts rather than texts.
const CONTACTS: [&str; 3] = ["author", "filer", "contact"];

/// A payload with a word in every personal value, open as no log holds it, and in every text that somebody wrote. Answers how
/// often.
fn with_word(value: &mut Value, name: &str, word: &str) -> usize {
    match value {
        Value::Object(fields) if fields.contains_key("subject") => {
            let open = if CONTACTS.contains(&name) {
                json!({"email": word, "display_name": word})
            } else {
                json!(word)
            };
            fields.remove("sealed");
            fields.insert("open".to_owned(), open);
            1
        }
        Value::Object(fields) => fields.iter_mut().map(|(name, value)| with_word(value, name, word)).sum(),
        Value::Array(items) => items.iter_mut().map(|item| with_word(item, name, word)).sum(),
        Value::String(text) if WRITTEN.contains(&name) => {
            word.clone_into(text);
            1
        }
        _ => 0,
    }
}

fn recorded(
    category: &str,
    event_type: &str,
    version: u16,
    payload: &Value,
    audience: Audience,
) -> RecordedEvent {
    let metadata = Metadata {
        command_id: Uuid::from_u128(1),
        fingerprint: "f".into(),
        actor: "00000000000000000000000001".to_owned(),
        acting_for: None,
        organization: Some("acme".to_owned()),
        audience,
        occurred_at: None,
        correlation_id: "c".to_owned(),
        causation_id: None,
        access_revision: None,
    };
    RecordedEvent {
        position: Position(7),
        stream: StreamName::new(&format!("{category}-1")).unwrap(),
        revision: Revision(0),
        event_id: EventId(Uuid::from_u128(2)),
        event_type: event_type.into(),
        version,
        recorded_at: Timestamp::UNIX_EPOCH,
        payload: payload.to_string().into(),
        metadata: metadata.encode(),
    }
}

/// As often as each is tried.
const AUDIENCES: [Audience; 5] =
    [Audience::Customer, Audience::Customer, Audience::Customer, Audience::Support, Audience::Internal];

/// R-ANALYTICS-1: for random events of every type and version that was ever stored, nothing that somebody wrote leaves, in
/// the feed or on NATS, even where it was not sealed.
#[test]
fn r_analytics_1_no_personal_value_and_no_free_text_leaves_whatever_it_says() {
    let samples = golden::committed();
    let audience = prop::sample::select(AUDIENCES.to_vec());
    let strategy = (0..samples.len(), "Canary[a-zA-Z0-9@. {}\\[\\]\"\\\\é-]{0,40}", audience);
    let config = ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() };
    let found = RefCell::new((0, BTreeSet::new()));
    TestRunner::new(config)
        .run(&strategy, |(index, word, audience)| {
            let sample = &samples[index];
            let mut payload: Value = serde_json::from_slice(&sample.payload).unwrap();
            let words = with_word(&mut payload, "", &word);
            let event = recorded(sample.category, &sample.event_type, sample.version, &payload, audience);
            let is_internal = Category::named(sample.category).unwrap().is_internal;
            if audience != Audience::Customer || is_internal {
                prop_assert_eq!(analytics_event(&event), Ok(None));
                return Ok(());
            }
            let told = analytics_event(&event).unwrap().expect("an event that may leave");
            let message = AnalyticsMessage::of(&event).unwrap().expect("the same");
            let body = String::from_utf8(message.body.clone()).unwrap();
            let written = format!("{} {:?} {body}", told.cloud_event(), message.headers);
            prop_assert!(!written.contains("Canary"), "{}: {}", sample.event_type, written);
            let mut found = found.borrow_mut();
            found.0 += words;
            found.1.insert(told.event_type);
            Ok(())
        })
        .unwrap();
    let (words, types) = found.into_inner();
    assert!(words > 300 && types.len() > 20, "{words} words in {types:?}: looking in the wrong place");
}
