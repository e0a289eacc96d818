//! Each endpoint's good day.

use dossier_tests::people::{AGENT, ALICE, BOB};
use dossier_tests::server::{case_path, file_case, sample_case};
use dossier_tests::{Server, encoded};
use serde_json::{Value, json};

fn names(answer: &Value, field: &str) -> Vec<String> {
    let list = answer[field].as_array().expect("a list");
    list.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn a_case_is_filed_and_comes_back_with_everything_that_was_given() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let given = json!({
        "displayName": "Über 日本 \u{1f600}",
        "description": "line one\r\nline two\nline three",
        "classification": {"id": "storage-bucket", "displayName": "ignored"},
        "priority": "P1",
        "timeZone": "-07:00",
        "subscriberEmailAddresses": ["ops@acme.example", "two@acme.example"],
        "languageCode": "fr",
        "contactEmail": "desk@acme.example",
        "testCase": true,
        "name": "organizations/globex/cases/1", "state": "CLOSED", "escalated": true,
        "createTime": "2000-01-01T00:00:00Z", "creator": {"email": "mallory@acme.example"},
        "severity": "S1", "somethingNew": {"deep": [1]},
    });
    let answer = alice.post("/v2/organizations/acme/cases", &given).await;
    let filed = answer.ok();
    for field in [
        "displayName",
        "description",
        "priority",
        "timeZone",
        "subscriberEmailAddresses",
        "languageCode",
        "contactEmail",
        "testCase",
    ] {
        assert_eq!(filed[field], given[field], "{field}");
    }
    assert!(filed["name"].as_str().unwrap().starts_with("organizations/acme/cases/"));
    assert_eq!(filed["classification"]["displayName"], "Technical > Storage > Buckets");
    assert_eq!((&filed["state"], &filed["escalated"]), (&json!("NEW"), &json!(false)));
    assert_eq!(filed["creator"]["email"], ALICE);
    assert_eq!(filed["creator"]["displayName"], "Alice");
    assert_eq!(filed["creator"]["googleSupport"], false);
    assert!(filed["createTime"].as_str().unwrap().starts_with("2026-01-05T"));
    assert_eq!(alice.get(&case_path(&answer)).await.ok(), filed, "what is read is what was answered");
}

#[tokio::test]
async fn the_least_case_gets_defaults() {
    let server = Server::start().await;
    let filed = server.client(ALICE).post("/v2/organizations/acme/cases", &sample_case()).await.ok();
    assert_eq!(filed["languageCode"], "en");
    assert_eq!(filed["testCase"], false);
    assert_eq!(filed["subscriberEmailAddresses"], json!([]));
    assert!(filed.get("timeZone").is_none() && filed.get("contactEmail").is_none());
}

#[tokio::test]
async fn cases_are_listed_newest_first_and_paged_without_repeating_or_dropping_any() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let before = names(&alice.get("/v2/organizations/acme/cases").await.ok(), "cases");
    assert_eq!(before.len(), 3, "the sample cases");
    let mut filed = Vec::new();
    for _ in 0..4 {
        filed.insert(0, file_case(&alice, "acme").await.trim_start_matches("/v2/").to_owned());
    }
    let expected: Vec<_> = filed.into_iter().chain(before).collect();
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let page = format!("/v2/organizations/acme/cases?pageSize=3&pageToken={token}");
        let answer = alice.get(&page).await.ok();
        // A token can be used again, and what is filed meanwhile belongs to no later page.
        assert_eq!(alice.get(&page).await.ok()["cases"], answer["cases"]);
        if !token.is_empty() {
            file_case(&alice, "acme").await;
        }
        seen.extend(names(&answer, "cases"));
        match answer.get("nextPageToken").and_then(Value::as_str) {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_filter_is_honoured_and_an_update_does_not_move_a_case_between_pages() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let list = async |filter: &str| {
        let path = format!("/v2/organizations/acme/cases?filter={}", encoded(filter));
        let answer = alice.get(&path).await.ok();
        answer["cases"].as_array().unwrap().iter().map(|case| case["displayName"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(list("state=CLOSED").await, ["How do we raise a quota?"]);
    assert_eq!(
        list("state=OPEN AND (priority=P2 OR priority=P3)").await,
        ["Transfers from on-premises are slow", "Virtual machines in europe-west do not start"]
    );
    assert_eq!(
        list("creator.email=\"BOB@acme.example\" OR state = \"CLOSED\"").await,
        ["How do we raise a quota?", "Transfers from on-premises are slow"]
    );
    assert_eq!(list("priority=P0").await, Vec::<Value>::new());

    let first = alice.get("/v2/organizations/acme/cases?pageSize=1").await.ok();
    let token = first["nextPageToken"].as_str().unwrap();
    let newest = format!("/v2/{}", first["cases"][0]["name"].as_str().unwrap());
    alice.patch(&format!("{newest}?updateMask=displayName"), &json!({"displayName": "touched"})).await.ok();
    let rest = alice.get(&format!("/v2/organizations/acme/cases?pageSize=100&pageToken={token}")).await.ok();
    assert_eq!(names(&rest, "cases").len(), 2);
}

#[tokio::test]
async fn a_patch_writes_the_masked_fields_and_no_others() {
    let server = Server::start().await;
    let bob = server.client(BOB);
    let case = file_case(&bob, "acme").await;
    let before = bob.get(&case).await.ok();
    let body = json!({"name": "organizations/globex/cases/1", "displayName": "Renamed", "priority": "P1"});
    let after = bob.patch(&format!("{case}?updateMask=displayName,displayName"), &body).await.ok();
    assert_eq!((&after["displayName"], &after["priority"]), (&json!("Renamed"), &before["priority"]));
    assert_eq!((&after["name"], &after["createTime"]), (&before["name"], &before["createTime"]));
    assert!(after["updateTime"].as_str() > before["updateTime"].as_str());

    let all = json!({"displayName": "All", "priority": "P4", "subscriberEmailAddresses": ["a@acme.example"]});
    let after = bob.patch(&case, &all).await.ok();
    assert_eq!(after["subscriberEmailAddresses"], json!(["a@acme.example"]));
    let cleared = bob.patch(&case, &json!({"displayName": "All", "priority": "P4"})).await.ok();
    assert_eq!(cleared["subscriberEmailAddresses"], json!([]), "no mask writes all three");
    let masked = format!("{case}?updateMask=subscriberEmailAddresses");
    bob.patch(&masked, &json!({"subscriberEmailAddresses": ["b@acme.example"]})).await.ok();
    assert_eq!(bob.patch(&masked, &json!({})).await.ok()["subscriberEmailAddresses"], json!([]));
    assert_eq!(bob.get(&case).await.ok()["displayName"], "All");
}

#[tokio::test]
async fn a_comment_is_added_read_and_listed_oldest_first() {
    let server = Server::start().await;
    let (alice, agent) = (server.client(ALICE), server.client(AGENT));
    let case = file_case(&alice, "acme").await;
    let comments = format!("{case}/comments");
    let text = "b\u{e9}\r\n\t\u{1f600} <script>alert(1)</script>";
    let first = alice.post(&comments, &json!({"body": text})).await.ok();
    assert_eq!((&first["body"], &first["plainTextBody"]), (&json!(text), &json!(text)));
    assert_eq!(first["creator"]["email"], ALICE);
    let answered = agent.post(&comments, &json!({"body": "Thank you."})).await.ok();
    assert_eq!(answered["creator"]["googleSupport"], true);
    assert!(answered["creator"].get("email").is_none(), "support is not reached by mail");
    let name = |comment: &Value| format!("/v2/{}", comment["name"].as_str().unwrap());
    assert_eq!(alice.get(&name(&first)).await.ok(), first);
    assert_eq!(alice.get(&name(&answered)).await.ok(), answered);

    let page = alice.get(&format!("{comments}?pageSize=1")).await.ok();
    assert_eq!(page["comments"], json!([first]));
    let token = page["nextPageToken"].as_str().unwrap();
    let page = alice.get(&format!("{comments}?pageToken={token}")).await.ok();
    assert_eq!(page["comments"], json!([answered]));
    assert!(page.get("nextPageToken").is_none());
}

#[tokio::test]
async fn a_comment_is_found_under_its_own_case_only() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let (one, other) = (file_case(&alice, "acme").await, file_case(&alice, "acme").await);
    let comment = alice.post(&format!("{one}/comments"), &json!({"body": "here"})).await.ok();
    let id = comment["name"].as_str().unwrap().rsplit('/').next().unwrap();
    assert_eq!(alice.get(&format!("{one}/comments/{id}")).await.status, 200);
    alice.get(&format!("{other}/comments/{id}")).await.refused(404, "COMMENT_NOT_FOUND");
}

#[tokio::test]
async fn classifications_are_searched_with_wildcards_and_paged() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let search = async |query: &str| {
        alice.get(&format!("/v2/caseClassifications:search?{query}")).await.ok()["caseClassifications"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| found["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(search("").await.len() >= 6);
    let compute = format!("query={}", encoded("display_name:\"*compute engine*\""));
    assert_eq!(search(&compute).await, ["compute-vm", "compute-network"]);
    let page = alice.get("/v2/caseClassifications:search?pageSize=2").await.ok();
    let token = page["nextPageToken"].as_str().unwrap();
    assert_eq!(search(&format!("pageSize=1&pageToken={token}")).await, ["compute-quota"]);
}

#[tokio::test]
async fn the_beta_tells_product_lines_and_filters_by_them_and_shows_the_same_cases() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    for line in ["GOOGLE_MAPS", "2"] {
        let path = format!("/v2beta/caseClassifications:search?product.productLine={line}");
        let found = alice.get(&path).await.ok();
        assert_eq!(found["caseClassifications"][0]["id"], "compute-maps-tiles", "{line}");
        assert_eq!(found["caseClassifications"][0]["product"]["productLine"], "GOOGLE_MAPS");
    }
    let plain = alice.get("/v2/caseClassifications:search").await.ok();
    assert!(plain["caseClassifications"][0].get("product").is_none(), "v2 knows no product lines");
    let case = file_case(&alice, "acme").await;
    assert_eq!(alice.get(&case.replace("/v2/", "/v2beta/")).await.ok(), alice.get(&case).await.ok());
}

#[tokio::test]
async fn what_is_not_a_case_is_served_to_everybody() {
    let server = Server::start().await;
    let anybody = server.anonymous();
    assert_eq!(anybody.get("/healthz").await.text(), "ok\n");
    assert_eq!(anybody.get("/readyz").await.ok()["ready"], true);
    assert_eq!(
        anybody.get("/openapi.json").await.ok()["openapi"].as_str().map(|text| &text[..2]),
        Some("3.")
    );
    let docs = anybody.get("/docs").await;
    assert_eq!(docs.status, 200);
    assert!(docs.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    assert_eq!(anybody.get("/metrics").await.status, 200);
}
