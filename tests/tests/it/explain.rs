//! Why somebody sees a case or does not (R-RES-5), and which of its buttons are shown (R-ESC-1).

use dossier_domain::Role;
use dossier_tests::people::{AGENT, ALICE, AUDITOR, BOB, CAROL, HANK, OPERATOR, PETER, WESKER};
use dossier_tests::server::{case_path, file_case, sample_case};
use dossier_tests::{Answer, Client, Server, encoded};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

const NINA: &str = "nina@nimbus.example";

async fn explain(client: &Client, case: &str, query: &str) -> Answer {
    client.get(&format!("{case}:explainAccess?{query}")).await
}

fn about(who: &str) -> String {
    format!("principal={}", encoded(who))
}

/// A fact of an explanation.
#[track_caller]
fn fact<'a>(explanation: &'a Value, kind: &str) -> &'a Value {
    let facts = explanation["facts"].as_array().expect("facts");
    facts.iter().find(|fact| fact["kind"] == kind).unwrap_or_else(|| panic!("no {kind}: {explanation}"))
}

/// Those that do not hold.
fn failing(explanation: &Value) -> Vec<&str> {
    let facts = explanation["facts"].as_array().expect("facts").iter();
    facts.filter(|fact| fact["holds"] == false).map(|fact| fact["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn r_res_5_a_member_sees_a_case_by_their_grant_and_the_events_that_made_it_are_named() {
    let server = Server::start().await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let auditor = server.client(AUDITOR);
    let seen = explain(&auditor, &case, &about(BOB)).await.ok();
    assert_eq!((&seen["visible"], failing(&seen)), (&json!(true), vec![]), "{seen}");
    assert_eq!(seen["principal"], server.actor(BOB).account.to_string());
    assert_eq!(seen.get("refusal"), None);
    let filed = &fact(&seen, "CASE_FILED")["because"];
    assert_eq!(filed["stream"], format!("case-{}", case.rsplit('/').next().unwrap()));
    assert_eq!((&filed["revision"], &filed["eventType"]), (&json!(0), &json!("CaseFiled")));
    let role = fact(&seen, "ROLE_ON_PRODUCT");
    assert_eq!((&role["role"], &role["product"]), (&json!("editor"), &json!("compute")));
    assert_eq!(role["organization"], "organizations/acme");
    assert_eq!(role["because"]["eventType"], "AccessGranted");
    // The place is one that an auditor can look up.
    let revision = role["because"]["revision"].as_u64().unwrap();
    let events = auditor.get("/v2/organizations/acme/access/events?pageSize=100").await.ok();
    let named =
        events["events"].as_array().unwrap().iter().find(|event| event["revision"] == revision).unwrap();
    assert_eq!((&named["type"], &named["stream"]), (&json!("AccessGranted"), &role["because"]["stream"]));
    assert_eq!(named["data"]["account"], server.actor(BOB).account.to_string());

    // By the id of the account the same; by an address of nobody nothing.
    let by_id = explain(&auditor, &case, &about(&server.actor(BOB).account.to_string())).await.ok();
    assert_eq!(by_id["facts"], seen["facts"]);
    let other_spelling = explain(&auditor, &case, &about("BOB+cases@ACME.example")).await.ok();
    assert_eq!(other_spelling["facts"], seen["facts"]);
    explain(&auditor, &case, &about("nobody@acme.example")).await.refused(404, "PRINCIPAL_NOT_FOUND");
}

#[tokio::test]
async fn r_res_5_somebody_without_an_account_is_found_among_the_members_by_their_address() {
    let server = Server::start().await;
    let case = file_case(&server.client(ALICE), "acme").await;
    server.add_member("acme", "Frank@acme.example", &[("compute", Role::Viewer)], None).await;
    server.add_member("nimbus", "fay@nimbus.example", &[("compute", Role::Viewer)], None).await;
    let auditor = server.client(AUDITOR);
    let frank = explain(&auditor, &case, &about("frank+1@ACME.example")).await.ok();
    assert_eq!(frank["principal"], server.actor("Frank@acme.example").account.to_string());
    assert_eq!(
        (&frank["visible"], &fact(&frank, "ROLE_ON_PRODUCT")["role"]),
        (&json!(true), &json!("viewer"))
    );
    let fay = about("fay@nimbus.example");
    explain(&auditor, &case, &fay).await.refused(404, "PRINCIPAL_NOT_FOUND");
    let acting = explain(&auditor, &case, &format!("{fay}&actingFor=organizations%2Fnimbus")).await.ok();
    assert_eq!(acting["principal"], server.actor("fay@nimbus.example").account.to_string());
    assert_eq!(
        (&acting["visible"], failing(&acting)),
        (&json!(false), vec!["MANAGES_NOW", "LET_IN", "FILED_UNDER_MANAGEMENT"])
    );
}

#[tokio::test]
async fn r_res_5_who_does_not_see_it_is_explained_with_the_refusal_that_they_would_get() {
    let server = Server::start().await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let operator = server.client(OPERATOR);
    let stranger = explain(&operator, &case, &about(PETER)).await.ok();
    assert_eq!(
        (&stranger["visible"], &stranger["refusal"]["reason"]),
        (&json!(false), &json!("NOT_A_MEMBER"))
    );
    server.client(PETER).get(&case).await.refused(403, "NOT_A_MEMBER");
    assert_eq!(failing(&stranger), ["GRANT_IN_FORCE", "ROLE_ON_PRODUCT"]);

    server.employ("acme", "erin@acme.example", &[("storage", Role::Editor)], None).await;
    let other_product = explain(&operator, &case, &about("erin@acme.example")).await.ok();
    assert_eq!(
        (&other_product["visible"], failing(&other_product)),
        (&json!(false), vec!["ROLE_ON_PRODUCT"])
    );
    server.client("erin@acme.example").get(&case).await.refused(404, "CASE_NOT_FOUND");

    server.set_active("acme", BOB, false).await;
    let deactivated = explain(&operator, &case, &about(BOB)).await.ok();
    assert_eq!(deactivated["refusal"]["reason"], "NO_ACCOUNT");
    let account = fact(&deactivated, "ACCOUNT_NOT_DEACTIVATED");
    assert_eq!(
        (&account["holds"], &account["because"]["eventType"]),
        (&json!(false), &json!("AccountDeactivated"))
    );
    server.client(BOB).get(&case).await.refused(403, "NO_ACCOUNT");
}

#[tokio::test]
async fn r_res_5_a_resellers_sight_is_explained_now_and_at_every_instant_before() {
    let server = Server::start().await;
    let case = file_case(&server.client(HANK), "globex").await;
    let auditor = server.client(AUDITOR);
    let query = format!("{}&actingFor=organizations%2Fnimbus", about(NINA));
    let seen = explain(&auditor, &case, &query).await.ok();
    assert_eq!((&seen["visible"], failing(&seen)), (&json!(true), vec![]), "{seen}");
    assert_eq!(seen["actingFor"], "organizations/nimbus");
    for (kind, event) in [
        ("IS_RESELLER", "OrganizationRegistered"),
        ("MANAGES_NOW", "ManagementTransferred"),
        ("LET_IN", "ResellerAccessAllowed"),
        ("FILED_UNDER_MANAGEMENT", "CaseFiled"),
        ("CENTRE_OPEN", "EntitlementGranted"),
    ] {
        assert_eq!(fact(&seen, kind)["because"]["eventType"], event, "{kind}: {seen}");
    }
    let directly = explain(&auditor, &case, &about(NINA)).await.ok();
    assert_eq!(
        (&directly["visible"], &directly["refusal"]["reason"]),
        (&json!(false), &json!("NOT_A_MEMBER"))
    );

    let before = server.clock.now();
    server.clock.advance(SignedDuration::from_secs(60));
    server.withdraw(HANK, "globex", "nimbus").await;
    server.clock.advance(SignedDuration::from_secs(60));
    let withdrawn = explain(&auditor, &case, &query).await.ok();
    assert_eq!(withdrawn["refusal"]["reason"], "RESELLER_NOT_ALLOWED");
    assert_eq!(failing(&withdrawn), ["LET_IN"]);
    assert_eq!(fact(&withdrawn, "LET_IN")["because"]["eventType"], "ResellerAccessWithdrawn");
    let then = explain(&auditor, &case, &format!("{query}&at={}", encoded(&before.to_string()))).await.ok();
    assert_eq!((&then["visible"], &then["facts"]), (&json!(true), &seen["facts"]));

    // A case of an earlier period stays hidden however much the reseller is let in.
    let long_ago = explain(&auditor, &case, &format!("{query}&at=2026-01-01T00%3A00%3A00Z")).await.ok();
    assert_eq!(
        (&long_ago["visible"], &fact(&long_ago, "CASE_FILED")["holds"]),
        (&json!(false), &json!(false))
    );
}

#[tokio::test]
async fn staff_see_by_a_role_that_the_log_does_not_hold() {
    let server = Server::start().await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let auditor = server.client(AUDITOR);
    let agent = about(&server.actor(AGENT).account.to_string());
    let unknown = explain(&auditor, &case, &agent).await.ok();
    assert_eq!((&unknown["visible"], &unknown["refusal"]["reason"]), (&json!(false), &json!("NO_ACCOUNT")));
    let as_agent = explain(&auditor, &case, &format!("{agent}&roles=agent&provider=north")).await.ok();
    assert_eq!(
        (&as_agent["visible"], &fact(&as_agent, "STAFF_ROLE_READS_CASES")["holds"]),
        (&json!(true), &json!(true))
    );
    let as_analyst = explain(&auditor, &case, &format!("{agent}&roles=analyst,auditor")).await.ok();
    assert_eq!(
        (&as_analyst["visible"], failing(&as_analyst)),
        (&json!(false), vec!["STAFF_ROLE_READS_CASES"])
    );
}

#[tokio::test]
async fn an_explanation_that_cannot_be_given_says_why() {
    let server = Server::start().await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let auditor = server.client(AUDITOR);
    let bob = about(BOB);
    for (query, reason) in [
        (String::new(), "INVALID_QUERY"),
        ("principal=".to_owned(), "INVALID_QUERY"),
        ("principal=bob".to_owned(), "INVALID_QUERY"),
        (format!("{bob}&at=yesterday"), "INVALID_QUERY"),
        (format!("{bob}&roles=king"), "INVALID_QUERY"),
        (format!("{bob}&actingFor=nimbus"), "INVALID_ACTING_FOR"),
        (format!("{bob}&actingFor=projects%2Fnimbus"), "INVALID_ACTING_FOR"),
    ] {
        let before = server.deeds().await;
        explain(&auditor, &case, &query).await.refused(400, reason);
        assert_eq!(server.deeds().await, before, "{query}");
    }
    for other in [case.replace("acme", "globex"), "/v2/organizations/acme/cases/garbage".to_owned()] {
        explain(&auditor, &other, &bob).await.refused(404, "CASE_NOT_FOUND");
    }
    for who in [ALICE, AGENT] {
        explain(&server.client(who), &case, &bob).await.refused(403, "NOT_FOR_YOU");
    }
}

/// R-AUDIT-1.
#[tokio::test]
async fn asking_for_an_explanation_is_recorded_once_a_day() {
    let server = Server::start().await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let operator = server.client(OPERATOR);
    for who in [BOB, BOB, CAROL] {
        explain(&operator, &case, &about(who)).await.ok();
    }
    let events = server.events().await;
    let exports: Vec<Value> = events
        .iter()
        .filter(|event| event.stream.category() == "export")
        .map(|event| serde_json::from_slice(&event.payload).unwrap())
        .collect();
    let [export] = &exports[..] else { panic!("{exports:?}") };
    assert_eq!(export["kind"], "explanation");
    assert_eq!(export["account"], server.actor(OPERATOR).account.to_string());
    assert_eq!(format!("/v2/{}", export["scope"]["name"].as_str().unwrap()), case);
}

/// The buttons of a case for somebody: those shown, and why not the others.
async fn buttons(client: &Client, case: &str) -> (Vec<String>, Value) {
    let answer = client.get(&format!("{case}:allowedActions")).await;
    let list = answer.ok();
    assert_eq!(answer.header("etag"), list["etag"].as_str());
    let actions = list["actions"].as_array().unwrap();
    let shown = actions.iter().filter(|button| button["allowed"] == true);
    let shown = shown.map(|button| button["action"].as_str().unwrap().to_owned()).collect();
    let mut reasons = json!({});
    for button in actions.iter().filter(|button| button["allowed"] == false) {
        assert!(button["message"].as_str().is_some_and(|text| !text.is_empty()), "{button}");
        reasons[button["action"].as_str().unwrap()] = button["reason"].clone();
    }
    (shown, reasons)
}

#[tokio::test]
async fn r_esc_1_each_button_is_shown_or_says_why_not_and_the_command_agrees() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    let (shown, reasons) = buttons(&alice, &case).await;
    assert_eq!(shown, ["comment", "attach", "edit", "changePriority", "close", "escalate"]);
    assert_eq!(reasons["proposeSolution"], "NOT_FOR_YOU");
    let (shown, reasons) = buttons(&server.client(CAROL), &case).await;
    assert_eq!((shown.len(), &reasons["comment"]), (0, &json!("ROLE_TOO_LOW")));
    let (shown, _) = buttons(&server.client(AGENT), &case).await;
    assert!(
        shown.contains(&"proposeSolution".to_owned()) && !shown.contains(&"escalate".to_owned()),
        "{shown:?}"
    );

    // Silver has no self-service escalation: said beforehand, and by the command.
    let wesker = server.client(WESKER);
    let mut storage = sample_case();
    storage["classification"] = json!({"id": "storage-bucket"});
    let silver = case_path(&wesker.post("/v2/organizations/umbrella/cases", &storage).await);
    let (_, reasons) = buttons(&wesker, &silver).await;
    let escalation = json!({"escalation": {"reason": 1, "justification": "now"}});
    let refused = wesker.post(&format!("{silver}:escalate"), &escalation).await;
    assert_eq!((refused.status, json!(refused.reason())), (403, reasons["escalate"].clone()));

    // It is the case as it is now, whatever the read models have seen.
    alice.post(&format!("{case}:escalate"), &escalation).await.ok();
    let (shown, reasons) = buttons(&alice, &case).await;
    assert!(!shown.contains(&"escalate".to_owned()) && reasons["escalate"].is_string(), "{reasons}");
    alice.post(&format!("{case}:close"), &json!({})).await.ok();
    let (_, reasons) = buttons(&alice, &case).await;
    assert_eq!((&reasons["escalate"], &reasons["close"]), (&json!("CASE_CLOSED"), &json!("CASE_CLOSED")));
}

#[tokio::test]
async fn the_etag_of_the_buttons_makes_the_command_conditional() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    let etag = alice.get(&format!("{case}:allowedActions")).await.ok()["etag"].as_str().unwrap().to_owned();
    alice.post(&format!("{case}/comments"), &json!({"body": "hello"})).await.ok();
    let close = |etag: String| {
        alice.call(Method::POST, &format!("{case}:close")).header("if-match", etag).json(&json!({})).send()
    };
    close(etag).await.refused(409, "ETAG_MISMATCH");
    let etag = alice.get(&format!("{case}:allowedActions")).await.ok()["etag"].as_str().unwrap().to_owned();
    close(etag).await.ok();
}

#[tokio::test]
async fn r_esc_1_a_reseller_is_told_too_and_who_does_not_see_the_case_finds_none() {
    let server = Server::start().await;
    let case = file_case(&server.client(HANK), "globex").await;
    let path = format!("{case}:allowedActions");
    let nina = server.client(NINA);
    let as_reseller =
        || nina.call(Method::GET, &path).header("dossier-acting-for", "organizations/nimbus").send();
    let list = as_reseller().await.ok();
    let comment = list["actions"].as_array().unwrap().iter().find(|button| button["action"] == "comment");
    assert_eq!(comment.unwrap()["allowed"], true, "{list}");
    nina.get(&path).await.refused(403, "NOT_A_MEMBER");
    server.withdraw(HANK, "globex", "nimbus").await;
    as_reseller().await.refused(403, "RESELLER_NOT_ALLOWED");

    server.employ("globex", "erin@globex.example", &[("storage", Role::Owner)], None).await;
    server.client("erin@globex.example").get(&path).await.refused(404, "CASE_NOT_FOUND");
    let elsewhere = path.replace("globex", "acme");
    server.client(ALICE).get(&elsewhere).await.refused(404, "CASE_NOT_FOUND");
}
