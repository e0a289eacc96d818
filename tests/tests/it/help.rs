//! R-ACCESS-6: who is refused learns the reason that they may know, its particulars, and where help is.

use dossier_domain::Role;
use dossier_tests::people::{ALICE, BOB, DAVE, HANK, PETER};
use dossier_tests::server::{file_case, sample_case};
use dossier_tests::{Answer, Server};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

const CASES: &str = "/v2/organizations/acme/cases";
const STRANGER: &str = "somebody@elsewhere.example";
const RECOVERY: &str = "/v2/accountRecoveryCases";

/// The URLs of a refusal's links.
#[track_caller]
fn links(answer: &Answer) -> Vec<String> {
    let error = answer.error();
    let details = error["details"].as_array().unwrap().iter();
    let help = details.filter(|detail| detail["@type"] == "type.googleapis.com/google.rpc.Help");
    let links: Vec<Value> = help.flat_map(|help| help["links"].as_array().unwrap().clone()).collect();
    assert!(links.iter().all(|link| link["description"].as_str().is_some_and(|text| !text.is_empty())));
    links.iter().map(|link| link["url"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn r_access_6_who_has_no_account_is_led_to_sign_in_help_and_recovery() {
    let server = Server::start().await;
    let refused = server.client(STRANGER).get(CASES).await;
    refused.refused(403, "NO_ACCOUNT");
    assert_eq!(refused.metadata("deactivated"), "false");
    let ways = ["https://help.support.example/sign-in", "https://support.example/recover", RECOVERY];
    assert_eq!(links(&refused), ways);
    server.set_active("acme", BOB, false).await;
    let refused = server.client(BOB).get(CASES).await;
    refused.refused(403, "NO_ACCOUNT");
    assert_eq!(
        (refused.metadata("deactivated").as_str(), links(&refused)),
        ("true", ways.map(str::to_owned).to_vec())
    );
}

#[tokio::test]
async fn r_access_6_without_a_good_token_every_way_in_is_named() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    let expired = server.token(ALICE);
    server.clock.advance(SignedDuration::from_hours(24 * 401));
    for (client, reason) in [
        (anonymous.clone(), "TOKEN_MISSING"),
        (anonymous.with_token(Some("garbage".to_owned())), "TOKEN_MALFORMED"),
        (anonymous.with_token(Some(expired)), "TOKEN_EXPIRED"),
    ] {
        let refused = client.get(CASES).await;
        refused.refused(401, reason);
        assert_eq!(
            links(&refused),
            [
                "https://help.support.example/sign-in",
                "https://support.example/password",
                "https://support.example/recover",
                RECOVERY,
            ]
        );
    }
}

#[tokio::test]
async fn r_access_6_pending_access_names_its_instant() {
    let server = Server::start().await;
    let from = server.clock.now() + SignedDuration::from_hours(24);
    server.employ("acme", "erin@acme.example", &[("compute", Role::Editor)], Some(from)).await;
    let refused = server.client("erin@acme.example").get(CASES).await;
    refused.refused(403, "ACCESS_PENDING");
    assert_eq!((refused.metadata("from"), links(&refused)), (from.to_string(), vec!["/v2/me".to_owned()]));
}

#[tokio::test]
async fn r_access_6_who_is_listed_without_the_privilege_is_led_to_what_they_have() {
    let server = Server::start().await;
    let refused = server.client(DAVE).get(CASES).await;
    refused.refused(403, "NO_SUPPORT_PRIVILEGE");
    assert_eq!(links(&refused), ["/v2/me"]);
}

#[tokio::test]
async fn r_access_6_a_missing_plan_names_the_plans_that_would_do() {
    let server = Server::start().await;
    let refused = server.client(PETER).post("/v2/organizations/initech/cases", &sample_case()).await;
    let error = refused.refused(403, "NO_ELIGIBLE_PLAN");
    assert_eq!(
        (refused.metadata("product"), refused.metadata("plans")),
        ("compute".into(), "gold, platinum, silver".into())
    );
    assert_eq!(links(&refused), ["https://help.support.example/"]);
    for plan in ["Gold", "Platinum", "Silver"] {
        assert!(error["details"].to_string().contains(plan), "{plan}: {error}");
    }
}

#[tokio::test]
async fn r_access_6_a_reseller_that_is_not_let_in_is_told_so() {
    let server = Server::start().await;
    file_case(&server.client(HANK), "globex").await;
    server.withdraw(HANK, "globex", "nimbus").await;
    let nina = server.client("nina@nimbus.example");
    let call = nina.call(Method::GET, "/v2/organizations/globex/cases");
    let refused = call.header("dossier-acting-for", "organizations/nimbus").send().await;
    refused.refused(403, "RESELLER_NOT_ALLOWED");
    assert_eq!(
        (refused.metadata("because").as_str(), links(&refused)),
        ("NOT_LET_IN", vec!["/v2/me".to_owned()])
    );
}

/// R-PLAN-2 too.
#[tokio::test]
async fn r_access_6_a_product_that_has_moved_points_to_who_supports_it_now() {
    let server = Server::start().await;
    let moves = "\n[products.moves]\nannounced_at = \"2026-01-01T00:00:00Z\"\nends_at = \"2026-01-02T00:00:00Z\"\n\
                 successor = \"Compute Next\"\nurl = \"https://next.example/support\"\n";
    let server = server.with_catalogue(|catalogue| {
        let product = catalogue.find("id = \"compute\"").expect("the product");
        let next = catalogue[product..].find("\n[").expect("another table") + product;
        format!("{}{moves}{}", &catalogue[..next], &catalogue[next..])
    });
    let server = server.await;
    let alice = server.client(ALICE);
    let refused = alice.post(CASES, &sample_case()).await;
    refused.refused(403, "PRODUCT_MOVED");
    let told = [refused.metadata("product"), refused.metadata("successor"), refused.metadata("url")];
    assert_eq!(told, ["compute", "Compute Next", "https://next.example/support"]);
    assert_eq!(links(&refused), ["https://next.example/support"]);
    alice.get(CASES).await.ok();
}

/// What somebody learns is the same whether or not there is anything: even to the byte.
#[tokio::test]
async fn r_access_6_a_foreign_parent_is_403_before_any_404_and_tells_nothing_of_what_exists() {
    let server = Server::start().await;
    let real = file_case(&server.client(ALICE), "acme").await;
    let case = real.rsplit('/').next().unwrap();
    let nothing = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let mut bodies = Vec::new();
    for who in [PETER, "nina@nimbus.example"] {
        let client = server.client(who);
        for organization in
            ["organizations/acme", "organizations/no-such", "organizations/%20", "projects/acme"]
        {
            for id in [case, nothing, "garbage"] {
                let path = format!("/v2/{organization}/cases/{id}");
                for answer in [
                    client.get(&path).await,
                    client.get(&format!("{path}/comments")).await,
                    client.get(&format!("{path}:allowedActions")).await,
                    client.post(&format!("{path}:close"), &json!({})).await,
                    client.call(Method::POST, &format!("{path}:escalate")).bytes("{broken").send().await,
                ] {
                    answer.refused(403, "NOT_A_MEMBER");
                    bodies.push(answer.bytes.clone());
                }
            }
            let listed = client.get(&format!("/v2/{organization}/cases?filter=broken(")).await;
            listed.refused(403, "NOT_A_MEMBER");
            bodies.push(listed.bytes.clone());
        }
    }
    assert_eq!(bodies.len(), 128);
    let text = String::from_utf8_lossy(&bodies[0]).into_owned();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{text}");
    assert!(!text.contains("acme") && text.contains("/v2/me"), "{text}");
}
