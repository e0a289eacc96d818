//! What happens to a case by itself when its time has come.

use std::time::Duration;

use dossier_tests::people::{AGENT, ALICE};
use dossier_tests::server::file_case;
use dossier_tests::{Client, Server};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// How long something may take to happen by itself before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Looks at a case until it is as wanted.
async fn until(client: &Client, case: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let seen = client.get(case).await.ok();
        if wanted(&seen) {
            return seen;
        }
        assert!(std::time::Instant::now() < deadline, "{seen:#}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// How often a case's history has an event.
async fn count(server: &Server, case: &str, event_type: &str) -> usize {
    let stream = format!("case-{}", case.rsplit('/').next().unwrap());
    let events = server.events().await;
    events.iter().filter(|event| event.stream.as_str() == stream && &*event.event_type == event_type).count()
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// R-RESPONSE-1.
#[tokio::test]
async fn r_response_1_a_promise_that_nobody_keeps_is_warned_of_and_missed_by_itself() {
    let server = Server::start().await;
    let (alice, agent) = (server.client(ALICE), server.client(AGENT));
    let case = file_case(&alice, "acme").await;
    let filed = alice.get(&case).await.ok();
    assert_eq!(filed["responseObjective"]["missed"], false, "{filed}");
    let due = instant(&filed["responseObjective"]["dueTime"]);

    server.clock.set(due - SignedDuration::from_mins(1));
    let deadline = std::time::Instant::now() + PATIENCE;
    while count(&server, &case, "ResponseWarned").await == 0 {
        assert!(std::time::Instant::now() < deadline, "nobody is warned");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    assert_eq!(count(&server, &case, "ResponseMissed").await, 0);
    assert_eq!(alice.get(&case).await.ok()["responseObjective"]["missed"], false);

    server.clock.set(due + SignedDuration::from_secs(1));
    for client in [&alice, &agent] {
        let seen = until(client, &case, |case| case["responseObjective"]["missed"] == true).await;
        assert_eq!(instant(&seen["responseObjective"]["dueTime"]), due);
    }
    let server = server.restarted().await;
    assert_eq!(count(&server, &case, "ResponseWarned").await, 1);
    assert_eq!(count(&server, &case, "ResponseMissed").await, 1);
}

/// R-RESPONSE-1.
#[tokio::test]
async fn r_response_1_a_promise_that_was_broken_while_the_system_was_down_is_missed_when_it_is_back() {
    let server = Server::start().await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let due = instant(&server.client(ALICE).get(&case).await.ok()["responseObjective"]["dueTime"]);
    let now = server.clock.now();
    let server = server.restarted_after(due.duration_since(now) + SignedDuration::from_hours(1)).await;
    until(&server.client(ALICE), &case, |case| case["responseObjective"]["missed"] == true).await;
    assert_eq!(count(&server, &case, "ResponseMissed").await, 1);
    assert_eq!(count(&server, &case, "ResponseWarned").await, 0, "a warning after the miss would be none");
}

#[tokio::test]
async fn readiness_tells_how_what_acts_by_itself_gets_on() {
    let server = Server::start().await;
    file_case(&server.client(ALICE), "acme").await;
    let head = server.head().await.0;
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let ready = server.anonymous().get("/readyz").await.ok();
        let parts = ["timers", "merge_completion"].map(|name| ready["processes"][name].clone());
        let come = |part: &Value| part["state"] == "active" && part["position"].as_u64() >= Some(head);
        if parts.iter().all(come) {
            assert!(
                parts.iter().all(|part| part["lag"].is_u64() && part["lastError"].is_null()),
                "{ready:#}"
            );
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{ready:#}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
