//! Domains over HTTP: claimed by owners, verified by the operator, one organization's at a time.

use dossier_tests::people::{AGENT, ALICE, BOB, CAROL, OPERATOR, PETER};
use dossier_tests::{Answer, Client, Server};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;

const ACME: &str = "/v2/organizations/acme";
const INITECH: &str = "/v2/organizations/initech";
const DOMAINS: &str = "/v2/organizations/acme/domains";

/// The field that a refusal names.
#[track_caller]
fn field(answer: &Answer) -> String {
    let error = answer.refused(400, "INVALID_FIELD");
    error["details"][1]["fieldViolations"][0]["field"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn r_org_1_an_owner_claims_a_domain_and_the_operator_verifies_it() {
    let server = Server::start().await;
    let (alice, operator) = (server.client(ALICE), server.client(OPERATOR));
    let claimed = alice.post(DOMAINS, &json!({"domain": "Labs.ACME.example"})).await.ok();
    assert_eq!(claimed["name"], "organizations/acme/domains/labs.acme.example");
    assert_eq!((&claimed["domain"], &claimed["state"]), (&json!("labs.acme.example"), &json!("CLAIMED")));
    assert!(claimed["challenge"].as_str().unwrap().starts_with("dossier-verification="), "{claimed}");
    let before = server.deeds().await;
    assert_eq!(
        alice.post(DOMAINS, &json!({"domain": "labs.acme.example"})).await.ok(),
        claimed,
        "shown again"
    );
    assert_eq!(server.deeds().await, before);
    let verify = format!("{DOMAINS}/labs.acme.example:verify");
    alice.post(&verify, &json!({})).await.refused(403, "NOT_FOR_YOU");
    let verified = operator.post(&verify, &json!({})).await.ok();
    assert_eq!((&verified["state"], verified.get("challenge")), (&json!("VERIFIED"), None));
    let listed = server.client(CAROL).get(DOMAINS).await.ok();
    assert_eq!(listed["domains"].as_array().unwrap().len(), 2);
    assert_eq!(listed["domains"][1], verified);
    assert_eq!(alice.post(DOMAINS, &json!({"domain": "labs.acme.example"})).await.ok(), verified);
    // People with such an address can be added now.
    server.open_account("acme", "lab@labs.acme.example").await;
    let lab = json!({"email": "lab@labs.acme.example", "roles": {"compute": "VIEWER"}});
    alice.post(&format!("{ACME}/members"), &lab).await.ok();
}

/// R-ORG-1, R-ACCESS-8.
#[tokio::test]
async fn r_access_8_consumer_mail_look_alikes_and_what_is_no_domain_are_not_claimed() {
    let server = Server::start().await;
    let (alice, operator) = (server.client(ALICE), server.client(OPERATOR));
    let before = server.deeds().await;
    for bad in ["\u{430}cme.example", "gmail.com", "mail.gmail.com", "acme", "a..b", "", "127.0.0.1"] {
        assert_eq!(field(&alice.post(DOMAINS, &json!({"domain": bad})).await), "domain", "{bad}");
    }
    for bad in ["%D0%B0cme.example", "gmail.com", "acme"] {
        let verify = format!("{DOMAINS}/{bad}:verify");
        assert_eq!(field(&operator.post(&verify, &json!({})).await), "domain", "{bad}");
    }
    let domain = json!({"domain": "labs.acme.example"});
    for (who, reason) in [(BOB, "ROLE_TOO_LOW"), (PETER, "NOT_A_MEMBER"), (AGENT, "NOT_FOR_YOU")] {
        server.client(who).post(DOMAINS, &domain).await.refused(403, reason);
    }
    let conditional = alice.call(Method::POST, DOMAINS).header("If-Match", "\"1\"").json(&domain);
    conditional.send().await.refused(400, "INVALID_ETAG");
    assert_eq!(server.deeds().await, before);
}

#[tokio::test]
async fn r_org_1_of_two_organizations_that_claim_a_domain_at_once_one_has_it() {
    let server = Server::start().await;
    let claim = |email: &str, organization: &str| {
        let path = format!("/v2/organizations/{organization}/domains");
        let client = server.client(email);
        async move { client.post(&path, &json!({"domain": "shared.example"})).await }
    };
    let (acme, initech) = tokio::join!(claim(ALICE, "acme"), claim(PETER, "initech"));
    let refused = match (acme.status, initech.status) {
        (200, 409) => &initech,
        (409, 200) => &acme,
        other => panic!("{other:?}: {} {}", acme.text(), initech.text()),
    };
    refused.refused(409, "DOMAIN_TAKEN");
    assert_eq!(refused.metadata("domain"), "shared.example");
}

#[tokio::test]
async fn r_org_1_an_unverified_claim_is_given_up_or_taken_over_after_seven_days_and_a_verified_one_is_not() {
    let server = Server::start().await;
    let (alice, peter, operator) = (server.client(ALICE), server.client(PETER), server.client(OPERATOR));
    let domain = json!({"domain": "shared.example"});
    let initech = format!("{INITECH}/domains");
    let release =
        |client: &Client, path: &str| client.call(Method::DELETE, &format!("{path}/shared.example")).send();
    alice.post(DOMAINS, &domain).await.ok();
    peter.post(&initech, &domain).await.refused(409, "DOMAIN_TAKEN");
    assert_eq!(release(&peter, &initech).await.ok(), json!({}), "what one does not hold");
    peter.post(&initech, &domain).await.refused(409, "DOMAIN_TAKEN");
    release(&alice, DOMAINS).await.ok();
    peter.post(&initech, &domain).await.ok();
    server.clock.advance(SignedDuration::from_hours(7 * 24));
    alice.post(DOMAINS, &domain).await.ok();
    operator.post(&format!("{initech}/shared.example:verify"), &json!({})).await.refused(409, "DOMAIN_TAKEN");
    operator.post(&format!("{DOMAINS}/shared.example:verify"), &json!({})).await.ok();
    server.clock.advance(SignedDuration::from_hours(7 * 24));
    peter.post(&initech, &domain).await.refused(409, "DOMAIN_TAKEN");
    assert_eq!(field(&release(&alice, DOMAINS).await), "domain");
}

#[tokio::test]
async fn one_key_claims_each_of_two_domains_once() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let claim = |domain: &str| {
        let call = alice.call(Method::POST, DOMAINS).header("Idempotency-Key", "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        call.json(&json!({"domain": domain})).send()
    };
    let first = claim("one.example").await.ok();
    assert_ne!(claim("two.example").await.ok()["challenge"], first["challenge"]);
    let again = claim("one.example").await;
    assert_eq!((again.header("idempotent-replay"), again.ok()), (Some("true"), first));
}
