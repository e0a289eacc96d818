//! R-AUDIT-1: an auditor replays the full history of a case and of an organization's access, sees each as it stood at any
//! past instant, and leaves a record of having looked.

use dossier_domain::access::{AccessCommand, GrantEntitlement};
use dossier_domain::{PlanId, ProductId};
use dossier_eventlog::{Append, Audience, EventId, Expected, Metadata, NewEvent, RecordedEvent, StreamName};
use dossier_tests::people::{AGENT, ALICE, ANALYST, AUDITOR, BOB, CAROL, DAVE, ENGINEER, HANK, OPERATOR};
use dossier_tests::server::{file_case, sample_case};
use dossier_tests::{Client, Server, encoded, process};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const ACCESS: &str = "/v2/organizations/acme/access/events";

/// Every event of a history, in pages of a size.
async fn history(auditor: &Client, path: &str, page_size: usize) -> Vec<Value> {
    let (mut events, mut token) = (Vec::new(), String::new());
    loop {
        let page = auditor.get(&format!("{path}?pageSize={page_size}&pageToken={token}")).await.ok();
        let list = page["events"].as_array().unwrap();
        assert!(list.len() <= page_size);
        events.extend(list.iter().cloned());
        match page["nextPageToken"].as_str() {
            Some(next) => token = next.to_string(),
            None => return events,
        }
    }
}

/// The events of a stream as they lie in the log.
async fn stored(server: &Server, stream: &str) -> Vec<RecordedEvent> {
    let events = server.events().await;
    events.into_iter().filter(|event| event.stream.as_str() == stream).collect()
}

fn stream_of(case: &str) -> String {
    format!("case-{}", case.rsplit('/').next().unwrap())
}

/// What was recorded of readings.
async fn exports(server: &Server) -> Vec<(Value, Metadata)> {
    let events = server.events().await;
    let exports = events.iter().filter(|event| event.stream.category() == "export");
    exports
        .map(|event| (serde_json::from_slice(&event.payload).unwrap(), event.metadata().unwrap()))
        .collect()
}

/// A comment that only support may see, as internal notes will be written.
async fn internal_note(server: &Server, case: &str) -> String {
    let last = stored(server, &stream_of(case)).await.pop().unwrap();
    let metadata =
        Metadata { audience: Audience::Support, command_id: Uuid::from_u128(77), ..last.metadata().unwrap() };
    let note = json!({
        "comment": "00000000000000000000000077",
        "body": {"subject": "contact-00000000000000000000000077", "open": "an internal note"},
        "author": {"subject": "contact-00000000000000000000000077"},
        "side": "support",
    });
    let event_id = EventId(Uuid::from_u128(77));
    let event = NewEvent {
        event_id,
        event_type: "CommentAdded".into(),
        version: 2,
        recorded_at: server.clock.now().max(last.recorded_at),
        payload: note.to_string().into(),
        metadata: metadata.encode(),
    };
    let append = Append {
        stream: StreamName::new(&stream_of(case)).unwrap(),
        expected: Expected::Exact(last.revision),
        events: vec![event],
        guards: Vec::new(),
    };
    server.app().store.append(append).await.unwrap();
    event_id.to_string()
}

/// A case with a life: filed, commented on by both sides, escalated, closed.
async fn lived_case(server: &Server) -> String {
    let (alice, agent) = (server.client(ALICE), server.client(AGENT));
    let filing = alice.call(Method::POST, "/v2/organizations/acme/cases").json(&sample_case());
    let filed = filing.header("dossier-correlation-id", "ticket-4711").send().await.ok();
    let case = format!("/v2/{}", filed["name"].as_str().unwrap());
    agent.post(&format!("{case}/comments"), &json!({"body": "We look into it."})).await.ok();
    let escalation =
        json!({"escalation": {"reason": "BUSINESS_IMPACT", "justification": "We sell nothing."}});
    alice.post(&format!("{case}:escalate"), &escalation).await.ok();
    alice.post(&format!("{case}:close"), &json!({})).await.ok();
    case
}

/// R-AUDIT-1: every event with actor, instant, cause and correlation, whatever the size of the pages.
#[tokio::test]
async fn r_audit_1_an_auditor_replays_every_event_of_a_case_with_everything_that_is_known_of_it() {
    let server = Server::start().await;
    let case = lived_case(&server).await;
    internal_note(&server, &case).await;
    let auditor = server.client(AUDITOR);
    let path = format!("{case}/events");
    let told = history(&auditor, &path, 100).await;
    for size in [1, 2, 3] {
        assert_eq!(history(&auditor, &path, size).await, told, "pages of {size}");
    }
    let stored = stored(&server, &stream_of(&case)).await;
    assert!(stored.len() >= 6);
    assert_eq!(told.len(), stored.len());
    for (told, stored) in told.iter().zip(&stored) {
        let metadata = stored.metadata().unwrap();
        let expected = json!({
            "eventId": stored.event_id,
            "type": &*stored.event_type,
            "version": stored.version,
            "stream": stored.stream,
            "revision": stored.revision.0,
            "position": stored.position.to_string(),
            "recordedAt": stored.recorded_at,
            "actor": metadata.actor,
            "organization": "acme",
            "audience": metadata.audience,
            "commandId": metadata.command_id,
            "correlationId": metadata.correlation_id,
            "accessRevision": metadata.access_revision,
        });
        let mut told = told.clone();
        assert!(told.as_object_mut().unwrap().remove("data").is_some_and(|data| data.is_object()));
        assert_eq!(told, expected);
    }
    assert_eq!(told[0]["correlationId"], "ticket-4711");
    assert_eq!(told[0]["actor"], server.actor(ALICE).account.to_string());
    let comment = told.iter().find(|event| event["type"] == "CommentAdded").unwrap();
    assert_eq!(comment["actor"], server.actor(AGENT).account.to_string());
    assert_eq!(told[0]["data"]["title"]["open"], sample_case()["displayName"]);
    assert_eq!(told[0]["data"]["filer"]["open"]["email"], ALICE);
    assert_eq!(comment["data"]["body"]["open"], "We look into it.");
    let changes: Vec<_> = told.iter().filter(|event| event["type"] == "CaseStateChanged").collect();
    assert_eq!(changes[0]["data"]["cause"], "support_answer", "every change says why");
    let note = told.last().unwrap();
    assert_eq!(
        (&note["audience"], &note["data"]["body"]["open"]),
        (&json!("support"), &json!("an internal note"))
    );
}

/// R-AUDIT-1.
#[tokio::test]
async fn r_audit_1_the_history_of_an_organizations_access_tells_who_was_given_what_and_by_whom() {
    let server = Server::start().await;
    let auditor = server.client(AUDITOR);
    let before = server.clock.now();
    server.clock.advance(SignedDuration::from_hours(1));
    let grant = GrantEntitlement {
        product: ProductId::new("identity").unwrap(),
        plan: PlanId::new("premium").unwrap(),
        from: server.clock.now(),
        until: None,
    };
    server.administer("acme", 1, AccessCommand::GrantEntitlement(grant)).await.unwrap();
    let told = history(&auditor, ACCESS, 3).await;
    assert_eq!(told[0]["type"], "OrganizationRegistered");
    let granted = told.iter().rfind(|event| event["type"] == "EntitlementGranted").unwrap();
    let what = (&granted["data"]["product"], &granted["data"]["plan"]);
    assert_eq!(what, (&json!("identity"), &json!("premium")));
    assert_eq!(granted["actor"], server.actor(OPERATOR).account.to_string());
    let alice = server.actor(ALICE).account.to_string();
    let listed =
        told.iter().find(|event| event["type"] == "MemberListed" && event["data"]["account"] == alice);
    assert_eq!(listed.unwrap()["data"]["contact"]["open"]["email"], ALICE);
    let access =
        async |at: Timestamp| auditor.get(&format!("{ACCESS}?at={}", encoded(&at.to_string()))).await.ok();
    let (then, now) = (access(before).await, access(server.clock.now()).await);
    let entitlements = |access: &Value| access["entitlements"].as_array().unwrap().len();
    assert_eq!(entitlements(&then) + 1, entitlements(&now));
    assert_eq!(now["members"][&alice]["contact"]["open"]["email"], ALICE);
}

/// R-AUDIT-1: what is answered for an instant is what was answered at that instant, and what the command line says.
#[tokio::test]
async fn r_audit_1_a_case_is_seen_as_it_stood_at_any_past_instant() {
    let server = Server::start().await;
    let (alice, agent, auditor) = (server.client(ALICE), server.client(AGENT), server.client(AUDITOR));
    let before = server.clock.now();
    server.clock.advance(SignedDuration::from_mins(1));
    let case = file_case(&alice, "acme").await;
    let mut seen = Vec::new();
    for step in 0..6 {
        match step {
            0 => {}
            1 => drop(agent.post(&format!("{case}/comments"), &json!({"body": "So."})).await.ok()),
            2 => drop(
                alice
                    .patch(&format!("{case}?updateMask=displayName"), &json!({"displayName": "Slow"}))
                    .await
                    .ok(),
            ),
            3 => drop(
                alice.patch(&format!("{case}?updateMask=priority"), &json!({"priority": "P1"})).await.ok(),
            ),
            4 => drop(alice.post(&format!("{case}:close"), &json!({})).await.ok()),
            _ => drop(alice.post(&format!("{case}/comments"), &json!({"body": "Again."})).await.ok()),
        }
        // An auditor sees what support sees, whose revision moves with every event.
        seen.push((server.clock.now(), agent.get(&case).await));
        server.clock.advance(SignedDuration::from_mins(7));
    }
    let path = format!("{case}/events");
    for (at, then) in &seen {
        let answer = auditor.get(&format!("{path}?at={}", encoded(&at.to_string()))).await;
        let (state, etag) = (answer.ok(), then.header("etag"));
        let then = then.ok();
        let published = match state["status"].as_str().unwrap() {
            "IN_PROGRESS" => "IN_PROGRESS_GOOGLE_SUPPORT",
            other => other,
        };
        assert_eq!(then["state"], published, "{at}");
        assert_eq!(then["displayName"], state["title"]["open"], "{at}");
        assert_eq!(then["priority"], state["priority"], "{at}");
        assert_eq!(etag, answer.header("etag"), "{at}");
    }
    let too_early = auditor.get(&format!("{path}?at={}", encoded(&before.to_string()))).await;
    too_early.refused(404, "CASE_NOT_FOUND");

    let (at, _) = &seen[2];
    let (at, data) = (at.to_string(), server.data().display().to_string());
    let replayed = process::run(&["replay", &stream_of(&case), "--at", &at, "--data", &data]).await;
    assert!(replayed.success, "{}", replayed.stderr);
    let answer = auditor.get(&format!("{path}?at={}", encoded(&at))).await;
    assert_eq!(replayed.stdout.trim_end(), answer.text());
}

/// R-AUDIT-1: the instant of an event counts to the state at that instant, the one before does not.
#[tokio::test]
async fn r_audit_1_an_event_counts_from_its_own_instant_on() {
    let server = Server::start().await;
    let case = lived_case(&server).await;
    let auditor = server.client(AUDITOR);
    let path = format!("{case}/events");
    let events = history(&auditor, &path, 100).await;
    let closed = events.iter().find(|event| event["type"] == "CaseClosed").unwrap();
    let at: Timestamp = closed["recordedAt"].as_str().unwrap().parse().unwrap();
    let state = async |at: Timestamp| {
        auditor.get(&format!("{path}?at={}", encoded(&at.to_string()))).await.ok()["status"].clone()
    };
    assert_eq!(state(at).await, "CLOSED");
    assert_eq!(state(at - SignedDuration::from_micros(1)).await, "IN_PROGRESS");
}

#[tokio::test]
async fn what_was_erased_stays_erased_for_an_auditor_too() {
    let server = Server::start().await;
    let case = lived_case(&server).await;
    let auditor = server.client(AUDITOR);
    let path = format!("{case}/events");
    let subject = server.actor(ALICE).contact.subject().as_str().to_owned();
    assert!(history(&auditor, &path, 100).await[0].to_string().contains(ALICE));
    server.app().commands.sealer().erase(&subject).await.unwrap();
    let told = history(&auditor, &path, 100).await;
    assert_eq!(told[0]["data"]["filer"], json!({"subject": subject}));
    assert!(!told[0].to_string().contains(ALICE));
    let comment = told.iter().find(|event| event["type"] == "CommentAdded").unwrap();
    assert_eq!(comment["data"]["body"]["open"], "We look into it.", "others keep what is theirs");
    let at = encoded(&server.clock.now().to_string());
    let state = auditor.get(&format!("{path}?at={at}")).await.ok();
    assert_eq!(state["filer"], json!({"subject": subject}));
}

#[tokio::test]
async fn nobody_but_an_auditor_reads_history_and_each_learns_no_more_than_they_may() {
    let server = Server::start().await;
    let case = lived_case(&server).await;
    let before = server.events().await.len();
    for path in
        [format!("{case}/events"), format!("{case}/events?at=2026-01-05T12:00:00Z"), ACCESS.to_owned()]
    {
        for email in [ALICE, BOB, CAROL, DAVE, AGENT, ENGINEER, ANALYST, OPERATOR] {
            server.client(email).get(&path).await.refused(403, "NOT_FOR_YOU");
        }
        server.client(HANK).get(&path).await.refused(403, "NOT_A_MEMBER");
        server.anonymous().get(&path).await.refused(401, "TOKEN_MISSING");
    }
    // A known issue is of no organization: nobody is told that they are no member of one.
    let of_issue = "/v2/knownIssues/01ARZ3NDEKTSV4RRFFQ69G5FAV/events";
    for email in [ALICE, DAVE, HANK, AGENT, ENGINEER, ANALYST, OPERATOR] {
        server.client(email).get(of_issue).await.refused(403, "NOT_FOR_YOU");
    }
    server.client(AUDITOR).get(of_issue).await.refused(404, "KNOWN_ISSUE_NOT_FOUND");
    assert_eq!(server.events().await.len(), before, "a refusal leaves no record of an export");
}

#[tokio::test]
async fn a_history_is_found_under_its_own_organization_and_nowhere_else() {
    let server = Server::start().await;
    let case = lived_case(&server).await;
    let auditor = server.client(AUDITOR);
    let id = case.rsplit('/').next().unwrap();
    let before = server.events().await.len();
    for case in [id, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "garbage", "a%2Db"] {
        let elsewhere = format!("/v2/organizations/globex/cases/{case}/events");
        auditor.get(&elsewhere).await.refused(404, "CASE_NOT_FOUND");
    }
    let nowhere = "/v2/organizations/nowhere/access/events";
    auditor.get(nowhere).await.refused(404, "ORGANIZATION_NOT_FOUND");
    auditor.get("/v2/projects/acme/access/events").await.refused(403, "NOT_A_MEMBER");
    for (query, field) in [("at=yesterday", "at"), ("at=2026-01-05", "at"), ("pageSize=-1", "pageSize")] {
        let refused = auditor.get(&format!("{case}/events?{query}")).await.refused(400, "INVALID_QUERY");
        assert_eq!(refused["details"][1]["fieldViolations"][0]["field"], field);
    }
    assert_eq!(server.events().await.len(), before, "nothing left, so nothing is recorded");
    let token = auditor.get(&format!("{case}/events?pageSize=1")).await.ok()["nextPageToken"].clone();
    let token = token.as_str().unwrap();
    auditor.get(&format!("{ACCESS}?pageToken={token}")).await.refused(400, "INVALID_PAGE_TOKEN");
}

/// R-AUDIT-1: an export is itself recorded.
#[tokio::test]
async fn r_audit_1_reading_history_is_recorded_once_a_day_for_each_reader_and_resource() {
    let server = Server::start().await;
    let (first, second) = (lived_case(&server).await, lived_case(&server).await);
    let auditor = server.client(AUDITOR);
    let path = format!("{first}/events");
    for _ in 0..3 {
        history(&auditor, &path, 2).await;
    }
    auditor.get(&format!("{path}?at=2026-01-05T12:00:00Z")).await.ok();
    let recorded = exports(&server).await;
    assert_eq!(recorded.len(), 1);
    let (payload, metadata) = &recorded[0];
    assert_eq!(payload["kind"], "audit");
    assert_eq!(payload["account"], server.actor(AUDITOR).account.to_string());
    assert_eq!(payload["scope"], json!({"name": first.trim_start_matches("/v2/")}));
    assert_eq!(metadata.actor, server.actor(AUDITOR).account.to_string());
    assert_eq!(metadata.organization.as_deref(), Some("acme"));
    assert_eq!(metadata.audience, Audience::Internal);

    auditor.get(&format!("{second}/events")).await.ok();
    auditor.get(ACCESS).await.ok();
    assert_eq!(exports(&server).await.len(), 3);
    server.clock.advance(SignedDuration::from_hours(24));
    auditor.get(&path).await.ok();
    auditor.get(&path).await.ok();
    assert_eq!(exports(&server).await.len(), 4, "another day");
}

#[tokio::test]
async fn many_readings_at_once_are_one_record() {
    let server = Server::start().await;
    let auditor = server.client(AUDITOR);
    let reading = (0..16).map(|_| auditor.get(ACCESS));
    for answer in futures::future::join_all(reading).await {
        answer.ok();
    }
    assert_eq!(exports(&server).await.len(), 1);
}
