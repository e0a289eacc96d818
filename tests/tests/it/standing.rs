//! How people stand towards an organization, and what they learn when they may not.

use std::collections::BTreeMap;

use dossier_domain::access::{AccessCommand, AddMember};
use dossier_domain::{AccountStatus, ProductId, Role};
use dossier_tests::people::{ALICE, CAROL, DAVE};
use dossier_tests::server::{file_case, sample_case};
use dossier_tests::{Client, Server};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

const CASES: &str = "/v2/organizations/acme/cases";

async fn add(
    server: &Server,
    email: &str,
    product: &str,
    role: Role,
    effective_at: Option<Timestamp>,
) -> Client {
    let actor = server.actor(email);
    let member = AddMember {
        account: actor.account,
        account_status: AccountStatus::Unknown,
        contact: actor.contact,
        roles: BTreeMap::from([(ProductId::new(product).unwrap(), role)]),
        effective_at,
    };
    server.administer("acme", 1, AccessCommand::AddMember(member)).await.unwrap();
    server.client(email)
}

#[tokio::test]
async fn r_access_7_being_listed_is_not_enough() {
    let server = Server::start().await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let dave = server.client(DAVE);
    let before = server.events().await.len();
    for path in [CASES, &case, &format!("{case}/comments")] {
        dave.get(path).await.refused(403, "NO_SUPPORT_PRIVILEGE");
    }
    dave.post(CASES, &sample_case()).await.refused(403, "NO_SUPPORT_PRIVILEGE");
    dave.post(&format!("{case}/comments"), &json!({"body": "hi"})).await.refused(403, "NO_SUPPORT_PRIVILEGE");
    assert_eq!(server.events().await.len(), before);
}

#[tokio::test]
async fn r_case_4_a_viewer_reads_and_changes_nothing() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    alice.post(&format!("{case}/comments"), &json!({"body": "hi"})).await.ok();
    let carol = server.client(CAROL);
    let before = server.events().await.len();
    assert_eq!(carol.get(&case).await.ok(), alice.get(&case).await.ok());
    assert_eq!(carol.get(CASES).await.ok()["cases"], alice.get(CASES).await.ok()["cases"]);
    assert_eq!(
        carol.get(&format!("{case}/comments")).await.ok()["comments"].as_array().map(Vec::len),
        Some(1)
    );
    let escalation = json!({"escalation": {"reason": 1, "justification": "now"}});
    for refused in [
        carol.post(CASES, &sample_case()).await,
        carol.post(&format!("{case}/comments"), &json!({"body": "hi"})).await,
        carol.patch(&format!("{case}?updateMask=displayName"), &json!({"displayName": "x"})).await,
        carol.post(&format!("{case}:close"), &json!({})).await,
        carol.post(&format!("{case}:escalate"), &escalation).await,
    ] {
        refused.refused(403, "ROLE_TOO_LOW");
        assert_eq!(refused.metadata("needed"), "editor");
    }
    assert_eq!(server.events().await.len(), before);
}

#[tokio::test]
async fn r_access_3_access_is_pending_until_its_instant_and_says_from_when() {
    let server = Server::start().await;
    let from = server.clock.now() + SignedDuration::from_hours(24);
    let erin = add(&server, "erin@acme.example", "compute", Role::Editor, Some(from)).await;
    for refused in [erin.get(CASES).await, erin.post(CASES, &sample_case()).await] {
        refused.refused(403, "ACCESS_PENDING");
        assert_eq!(refused.metadata("from").parse::<Timestamp>().unwrap(), from);
    }
    server.clock.set(from - SignedDuration::from_secs(1));
    erin.get(CASES).await.refused(403, "ACCESS_PENDING");
    server.clock.set(from);
    erin.get(CASES).await.ok();
    erin.post(CASES, &sample_case()).await.ok();
}

#[tokio::test]
async fn r_access_1_access_that_was_just_given_counts_at_once() {
    let server = Server::start().await;
    let stranger = server.client("frank@acme.example");
    stranger.get(CASES).await.refused(403, "NO_ACCOUNT");
    let frank = add(&server, "frank@acme.example", "compute", Role::Editor, None).await;
    frank.post(CASES, &sample_case()).await.ok();
}

#[tokio::test]
async fn a_role_on_one_product_shows_and_changes_that_products_cases_only() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let compute = file_case(&alice, "acme").await;
    let mut body = sample_case();
    body["classification"] = json!({"id": "storage-bucket"});
    let storage = format!("/v2/{}", alice.post(CASES, &body).await.ok()["name"].as_str().unwrap());
    let frank = add(&server, "frank@acme.example", "compute", Role::Editor, None).await;
    frank.get(&compute).await.ok();
    frank.get(&storage).await.refused(404, "CASE_NOT_FOUND");
    frank.get(&format!("{storage}/comments")).await.refused(404, "CASE_NOT_FOUND");
    let hello = json!({"body": "hello"});
    frank.post(&format!("{storage}/comments"), &hello).await.refused(404, "CASE_NOT_FOUND");
    let listed = frank.get(&format!("{CASES}?pageSize=100")).await.ok();
    let ids: Vec<_> =
        listed["cases"].as_array().unwrap().iter().map(|case| case["classification"]["id"].clone()).collect();
    assert!(!ids.is_empty() && ids.iter().all(|id| id.as_str().unwrap().starts_with("compute")), "{ids:?}");
    frank.post(CASES, &body).await.refused(403, "ROLE_TOO_LOW");
}

#[tokio::test]
async fn support_sees_every_organization_under_its_own_name_only() {
    let server = Server::start().await;
    let agent = server.client(dossier_tests::people::AGENT);
    let engineer = server.client(dossier_tests::people::ENGINEER);
    for (organization, cases) in [("acme", 3), ("globex", 1), ("umbrella", 3), ("initech", 0)] {
        let listed = engineer.get(&format!("/v2/organizations/{organization}/cases?pageSize=100")).await.ok();
        assert_eq!(listed["cases"].as_array().map(Vec::len), Some(cases), "{organization}");
    }
    let case = file_case(&server.client(ALICE), "acme").await.replace("acme", "globex");
    agent.get(&case).await.refused(404, "CASE_NOT_FOUND");
}
