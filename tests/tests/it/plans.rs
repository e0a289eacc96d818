//! What plans bring: eligibility, priorities, capabilities.

use dossier_domain::access::{AccessCommand, GrantEntitlement};
use dossier_domain::{PlanId, ProductId};
use dossier_tests::log::FILING_EVENTS;
use dossier_tests::people::{AGENT, ALICE, HANK, PETER, WESKER};
use dossier_tests::server::{file_case, sample_case};
use dossier_tests::{Answer, Client, Server};
use jiff::SignedDuration;
use serde_json::json;

async fn file(client: &Client, organization: &str, priority: &str) -> Answer {
    let mut case = sample_case();
    case["priority"] = json!(priority);
    client.post(&format!("/v2/organizations/{organization}/cases"), &case).await
}

#[tokio::test]
async fn r_plan_1_without_a_plan_filing_is_refused_naming_the_product_and_the_plans_that_would_do() {
    let server = Server::start().await;
    let peter = server.client(PETER);
    let before = server.events().await.len();
    let refused = file(&peter, "initech", "P3").await;
    refused.refused(403, "NO_ELIGIBLE_PLAN");
    assert_eq!(refused.metadata("product"), "compute");
    assert_eq!(refused.metadata("plans"), "gold, platinum, silver");
    assert_eq!(server.events().await.len(), before);
    assert_eq!(
        peter.get("/v2/organizations/initech/cases").await.ok()["cases"],
        json!([]),
        "history needs no plan"
    );
}

#[tokio::test]
async fn r_plan_1_a_plan_counts_from_its_first_instant_until_before_its_last() {
    let server = Server::start().await;
    let peter = server.client(PETER);
    let from = server.clock.now() + SignedDuration::from_hours(1);
    let until = from + SignedDuration::from_hours(1);
    let gold = GrantEntitlement {
        product: ProductId::new("compute").unwrap(),
        plan: PlanId::new("gold").unwrap(),
        from,
        until: Some(until),
    };
    server.administer("initech", 1, AccessCommand::GrantEntitlement(gold)).await.unwrap();
    file(&peter, "initech", "P3").await.refused(403, "NO_ELIGIBLE_PLAN");
    server.clock.set(from);
    file(&peter, "initech", "P3").await.ok();
    let case = file_case(&peter, "initech").await;
    peter.post(&format!("{case}:close"), &json!({})).await.ok();
    server.clock.set(until);
    file(&peter, "initech", "P3").await.refused(403, "NO_ELIGIBLE_PLAN");
    // R-PLAN-4: nothing is reopened without a plan; what there is stays readable.
    let comment = json!({"body": "again"});
    peter.post(&format!("{case}/comments"), &comment).await.refused(403, "NO_ELIGIBLE_PLAN");
    assert_eq!(peter.get(&case).await.ok()["state"], "CLOSED");
}

#[tokio::test]
async fn r_plan_4_when_a_plan_has_ended_an_open_case_is_finished_but_not_escalated() {
    let server = Server::start().await;
    let peter = server.client(PETER);
    let until = server.clock.now() + SignedDuration::from_hours(1);
    let gold = GrantEntitlement {
        product: ProductId::new("compute").unwrap(),
        plan: PlanId::new("gold").unwrap(),
        from: server.clock.now(),
        until: Some(until),
    };
    server.administer("initech", 1, AccessCommand::GrantEntitlement(gold)).await.unwrap();
    let case = file_case(&peter, "initech").await;
    server.clock.set(until);
    peter.post(&format!("{case}/comments"), &json!({"body": "still here"})).await.ok();
    let escalation = json!({"escalation": {"reason": 1, "justification": "now"}});
    peter.post(&format!("{case}:escalate"), &escalation).await.refused(403, "NO_ELIGIBLE_PLAN");
    let priority = peter.patch(&format!("{case}?updateMask=priority"), &json!({"priority": "P1"})).await;
    priority.refused(403, "NO_ELIGIBLE_PLAN");
    peter.post(&format!("{case}:close"), &json!({})).await.ok();
}

#[tokio::test]
async fn r_plan_3_p0_comes_with_premier_and_p1_to_p4_with_every_plan() {
    let server = Server::start().await;
    assert_eq!(file(&server.client(ALICE), "acme", "P0").await.ok()["priority"], "P0");
    let hank = server.client(HANK);
    let refused = file(&hank, "globex", "P0").await;
    refused.refused(400, "PRIORITY_NOT_OFFERED");
    assert_eq!(refused.metadata("plans"), "premier");
    for priority in ["P1", "P2", "P3", "P4"] {
        assert_eq!(file(&hank, "globex", priority).await.ok()["priority"], priority);
    }
}

#[tokio::test]
async fn r_prio_1_the_customer_redefines_the_priority_with_the_capability_only() {
    let server = Server::start().await;
    let (alice, hank) = (server.client(ALICE), server.client(HANK));
    let case = file_case(&alice, "acme").await;
    let mask = "?updateMask=priority";
    for priority in ["P1", "P0", "P4"] {
        let body = json!({"priority": priority});
        assert_eq!(alice.patch(&format!("{case}{mask}"), &body).await.ok()["priority"], priority);
    }
    let before = server.events().await.len();
    let own = file_case(&hank, "globex").await;
    let refused = hank.patch(&format!("{own}{mask}"), &json!({"priority": "P1"})).await;
    refused.refused(403, "CAPABILITY_MISSING");
    assert_eq!(refused.metadata("capability"), "redefine_priority");
    assert_eq!(refused.metadata("plans"), "premier");
    hank.patch(&format!("{own}{mask}"), &json!({"priority": "P3"})).await.ok();
    assert_eq!(
        server.events().await.len(),
        before + FILING_EVENTS,
        "the filing alone: an unchanged priority is no change"
    );
    assert_eq!(hank.get(&own).await.ok()["priority"], "P3");
}

#[tokio::test]
async fn r_prio_1_a_closed_cases_priority_is_not_redefined_and_supports_needs_a_reason() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    let path = format!("{case}?updateMask=priority");
    let support = server.client(AGENT).patch(&path, &json!({"priority": "P1"})).await;
    support.refused(400, "REASON_REQUIRED");
    alice.post(&format!("{case}:close"), &json!({})).await.ok();
    alice.patch(&path, &json!({"priority": "P1"})).await.refused(400, "CASE_CLOSED");
}

#[tokio::test]
async fn r_esc_1_a_plan_without_the_capability_refuses_and_names_those_with_it() {
    let server = Server::start().await;
    let wesker = server.client(WESKER);
    let mut storage = sample_case();
    storage["classification"] = json!({"id": "storage-bucket"});
    let filed = wesker.post("/v2/organizations/umbrella/cases", &storage).await.ok();
    let escalation = json!({"escalation": {"reason": "TECHNICAL_EXPERTISE", "justification": "now"}});
    let escalate = format!("/v2/{}:escalate", filed["name"].as_str().unwrap());
    let refused = wesker.post(&escalate, &escalation).await;
    refused.refused(403, "CAPABILITY_MISSING");
    assert_eq!(refused.metadata("capability"), "escalate");
    assert_eq!(refused.metadata("plans"), "gold, platinum, premier");
}
