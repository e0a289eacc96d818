//! What real clients put on the wire: both spellings, both forms of enums, empty bodies, long reads.

use dossier_tests::people::ALICE;
use dossier_tests::server::{case_path, file_case};
use dossier_tests::{Server, encoded, raw};
use reqwest::Method;
use serde_json::{Value, json};

const CASES: &str = "/v2/organizations/acme/cases";

#[tokio::test]
async fn requests_may_be_in_snake_case_with_enums_as_numbers() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let snake = json!({
        "display_name": "snake", "description": "d", "classification": {"id": "compute-vm"}, "priority": 3,
        "time_zone": "Europe/Paris", "subscriber_email_addresses": ["a@acme.example"], "language_code": "de",
        "contact_email": "b@acme.example", "test_case": true,
    });
    let answer = alice.post(CASES, &snake).await;
    let filed = answer.ok();
    assert_eq!((&filed["displayName"], &filed["priority"]), (&json!("snake"), &json!("P2")));
    assert_eq!((&filed["timeZone"], &filed["languageCode"]), (&json!("Europe/Paris"), &json!("de")));
    assert_eq!(filed["subscriberEmailAddresses"], json!(["a@acme.example"]));
    assert_eq!((&filed["contactEmail"], &filed["testCase"]), (&json!("b@acme.example"), &json!(true)));
    assert!(filed.as_object().unwrap().keys().all(|name| !name.contains('_')), "answers are in camelCase");
    let case = case_path(&answer);
    let mask = encoded("display_name,subscriber_email_addresses");
    let patched =
        alice.patch(&format!("{case}?update_mask={mask}"), &json!({"display_name": "again"})).await.ok();
    assert_eq!(
        (&patched["displayName"], &patched["subscriberEmailAddresses"]),
        (&json!("again"), &json!([]))
    );
    let one = alice.get(&format!("{CASES}?page_size=1")).await.ok();
    assert_eq!(one["cases"].as_array().map(Vec::len), Some(1));
    let escalated = json!({"escalation": {"reason": 3, "justification": "it matters"}});
    assert_eq!(alice.post(&format!("{case}:escalate"), &escalated).await.ok()["escalated"], true);
}

#[tokio::test]
async fn null_counts_as_unset() {
    let server = Server::start().await;
    let body = json!({"displayName": "n", "description": "d", "classification": {"id": "compute-vm"},
        "priority": "P3", "timeZone": null, "subscriberEmailAddresses": null, "testCase": null, "contactEmail": null});
    let filed = server.client(ALICE).post(CASES, &body).await.ok();
    assert_eq!((&filed["testCase"], &filed["subscriberEmailAddresses"]), (&json!(false), &json!([])));
}

#[tokio::test]
async fn enums_are_answered_as_numbers_where_that_is_asked_for() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let int = "%24alt=json%3Benum-encoding%3Dint";
    let body = json!({"displayName": "n", "description": "d", "classification": {"id": "compute-vm"}, "priority": 5});
    let answer = alice.post(&format!("{CASES}?{int}"), &body).await;
    assert_eq!((&answer.ok()["priority"], &answer.ok()["state"]), (&json!(5), &json!(1)));
    let case = case_path(&answer);
    let read = alice.get(&format!("{case}?{int}")).await.ok();
    assert_eq!((&read["priority"], &read["state"]), (&json!(5), &json!(1)));
    let listed = alice.get(&format!("{CASES}?{int}&filter=state%3DCLOSED")).await.ok();
    assert_eq!(listed["cases"][0]["state"], 5);
    assert_eq!(alice.get(&case).await.ok()["priority"], "P4", "names by default");
    let lines = alice.get(&format!("/v2beta/caseClassifications:search?{int}&pageSize=1")).await.ok();
    assert_eq!(lines["caseClassifications"][0]["product"]["productLine"], 1);
}

#[tokio::test]
async fn system_parameters_and_unknown_ones_break_no_call() {
    let server = Server::start().await;
    let query = "alt=json&prettyPrint=false&fields=name&key=k&quotaUser=q&callback=f&%24.xgafv=2&uploadType=media\
        &upload_protocol=raw&oauth_token=x&something=else&&=";
    server.client(ALICE).get(&format!("{CASES}?{query}")).await.ok();
}

#[tokio::test]
async fn closing_needs_neither_body_nor_content_type_and_escalating_says_what_is_missing() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let authorization = format!("Bearer {}", server.token(ALICE)).into_bytes();
    let headers: &[(&str, &[u8])] = &[("Authorization", &authorization)];
    let case = file_case(&alice, "acme").await;
    let send = async |target: &str, headers: &[(&str, &[u8])]| {
        raw::exchange(server.address, &raw::request("POST", target, headers, b"")).await.unwrap()
    };
    let refused = send(&format!("{case}:escalate"), headers).await.refused(400, "INVALID_FIELD");
    assert_eq!(refused["details"][1]["fieldViolations"][0]["field"], "escalation.reason");
    assert_eq!(send(&format!("{case}:close"), headers).await.ok()["state"], "CLOSED");
    let again = send(&format!("{case}:close"), headers).await.ok();
    assert_eq!(again["state"], "CLOSED", "closing a closed case changes nothing");

    // What curl and some libraries say of a JSON body is not believed either way.
    let case = file_case(&alice, "acme").await;
    for content_type in ["application/x-www-form-urlencoded", "text/plain", "nonsense", "application/json"] {
        let comment =
            alice.call(Method::POST, &format!("{case}/comments")).header("content-type", content_type);
        comment.bytes("{\"body\": \"hello\"}").send().await.ok();
    }
}

#[tokio::test]
async fn a_long_get_may_come_as_a_post_with_the_query_in_its_body() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let filter = format!("state=CLOSED AND ({}priority=P4)", "priority=P4 OR ".repeat(150));
    let query = format!("filter={}&pageSize=5", encoded(&filter));
    assert!(query.len() > 2_048);
    let events = server.events().await.len();
    let overridden = async |path: &str, verb: &str| {
        let call = alice.call(Method::POST, path).header("x-http-method-override", verb);
        let form = call.header("content-type", "application/x-www-form-urlencoded").bytes(query.clone());
        form.send().await
    };
    for verb in ["GET", "get"] {
        let found = overridden(CASES, verb).await.ok();
        assert_eq!(found["cases"][0]["displayName"], "How do we raise a quota?", "{verb}");
    }
    let direct = alice.get(&format!("{CASES}?{query}")).await.ok();
    assert_eq!(overridden(CASES, "GET").await.ok(), direct, "a long GET is served as well");
    let search =
        alice.call(Method::POST, "/v2/caseClassifications:search").header("x-http-method-override", "GET");
    assert!(search.bytes("pageSize=1").send().await.ok()["caseClassifications"].is_array());

    // Only ever to a GET: anything else stays the POST that it is.
    overridden(CASES, "PATCH").await.refused(400, "INVALID_BODY");
    let case = alice.get(CASES).await.ok()["cases"][0]["name"].as_str().unwrap().to_owned();
    overridden(&format!("/v2/{case}:close"), "GET").await.refused(405, "METHOD_NOT_ALLOWED");
    assert_eq!(server.events().await.len(), events);
}

#[tokio::test]
async fn a_request_line_of_16_kilobytes_is_served() {
    let server = Server::start().await;
    let filter = format!("{}state=CLOSED", "state=CLOSED OR ".repeat(300));
    let path = format!("{CASES}?filter={}&padding={}", encoded(&filter), "x".repeat(10_000));
    assert!(path.len() > 16 * 1024);
    let found: Value = server.client(ALICE).get(&path).await.ok();
    assert_eq!(found["cases"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn fifty_thousand_characters_of_any_script_come_back_unchanged() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    for unit in ["a", "\u{e9}", "\u{65e5}", "\u{1f600}", "x\r\n", "\\\"\u{1}"] {
        let description = unit.repeat(50_000 / unit.chars().count());
        let body = json!({"displayName": unit.repeat(3) + "x", "description": description,
            "classification": {"id": "compute-vm"}, "priority": "P4"});
        let answer = alice.post(CASES, &body).await;
        assert!(answer.ok()["description"] == description.as_str(), "{unit:?}");
        assert!(alice.get(&case_path(&answer)).await.ok()["description"] == description.as_str(), "{unit:?}");
    }
}
