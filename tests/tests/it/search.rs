//! `cases.search`: the whole filter language, and never a case that is not the caller's to see.

use std::collections::BTreeMap;

use dossier_domain::access::{AccessCommand, AddMember};
use dossier_domain::{AccountStatus, ProductId, Role};
use dossier_tests::people::{AGENT, ALICE, HANK};
use dossier_tests::server::{case_path, file_case, sample_case};
use dossier_tests::{Answer, Client, Server, encoded};
use serde_json::{Value, json};

const SEARCH: &str = "/v2/organizations/acme/cases:search";

async fn search(client: &Client, query: &str) -> Answer {
    client.get(&format!("{SEARCH}?pageSize=100&query={}", encoded(query))).await
}

fn titles(answer: &Answer) -> Vec<String> {
    let cases = answer.ok()["cases"].as_array().expect("a list").clone();
    cases.iter().map(|case| case["displayName"].as_str().expect("a title").to_owned()).collect()
}

async fn file(client: &Client, title: &str, description: &str) -> String {
    let mut case = sample_case();
    case["displayName"] = json!(title);
    case["description"] = json!(description);
    case_path(&client.post("/v2/organizations/acme/cases", &case).await)
}

#[tokio::test]
async fn free_text_is_found_in_title_description_and_comments_as_it_stands() {
    let server = Server::start().await;
    let (alice, agent) = (server.client(ALICE), server.client(AGENT));
    file(&alice, "Needle in the title", "nothing").await;
    file(&alice, "second", "a NEEDLE in the story").await;
    let third = file(&alice, "third", "100%_sure*").await;
    agent.post(&format!("{third}/comments"), &json!({"body": "the needle's eye"})).await.ok();
    assert_eq!(titles(&search(&alice, "\"needle\"").await), ["third", "second", "Needle in the title"]);
    assert_eq!(
        titles(&search(&alice, "\"needle in\" AND state=OPEN").await),
        ["second", "Needle in the title"]
    );
    for literal in ["\"%_sure*\"", "\"100%\"", "\"_SURE\""] {
        assert_eq!(titles(&search(&alice, literal).await), ["third"], "{literal}");
    }
    for nothing in ["\"1000%\"", "\"needle%eye\"", "\"'; DROP TABLE cases; --\"", "\"\\\"\""] {
        assert_eq!(titles(&search(&alice, nothing).await), Vec::<String>::new(), "{nothing}");
    }
    assert_eq!(titles(&search(&alice, "").await).len(), 6, "an empty query means all");
    // Words, as somebody types them: any case, no accents, the last one begun.
    file(&alice, "ディスク障害", "À côté de la Straße").await;
    for words in ["\"障害\"", "\"a COTE de\"", "strass"] {
        assert_eq!(titles(&search(&alice, words).await), ["ディスク障害"], "{words}");
    }
    assert_eq!(titles(&search(&alice, "\"eedle\"").await), Vec::<String>::new(), "not the end of a word");
}

#[tokio::test]
async fn update_time_is_compared_strictly_and_with_its_offset() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = alice.get(&file(&alice, "latest", "now").await).await.ok();
    let at = case["updateTime"].as_str().unwrap();
    assert_eq!(titles(&search(&alice, &format!("update_time>\"{at}\"")).await), Vec::<String>::new());
    assert_eq!(titles(&search(&alice, "update_time>\"2026-01-05T09:30:00Z\"").await), ["latest"]);
    assert_eq!(titles(&search(&alice, "update_time>\"2026-01-05T04:30:00-05:00\"").await), ["latest"]);
    for bad in [
        "update_time>\"yesterday\"",
        "update_time=\"2026-01-05T09:30:00Z\"",
        "update_time>\"2026-01-05T09:30:00\"",
    ] {
        search(&alice, bad).await.refused(400, "INVALID_FILTER");
    }
}

#[tokio::test]
async fn a_foreign_organization_in_the_query_is_403_wherever_it_stands() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    file_case(&server.client(HANK), "globex").await;
    for query in [
        "organization=\"organizations/globex\"",
        "organization=\"organizations/acme\" OR organization=\"organizations/globex\"",
        "state=OPEN AND (\"x\" OR organization=\"organizations/globex\")",
        "project=\"projects/p\"",
        "organization=\"organizations/nobody\"",
    ] {
        search(&alice, query).await.refused(403, "NOT_A_MEMBER");
        let beta = format!("/v2beta/cases:search?query={}", encoded(query));
        alice.get(&beta).await.refused(403, "NOT_A_MEMBER");
    }
    let own = "organization=\"organizations/acme\" AND state=CLOSED";
    assert_eq!(titles(&search(&alice, own).await), ["How do we raise a quota?"]);
    let beta = async |query: &str, more: &str| {
        alice.get(&format!("/v2beta/cases:search?query={}{more}", encoded(query))).await
    };
    assert_eq!(titles(&beta(own, "&parent=organizations/globex").await), ["How do we raise a quota?"]);
    for missing in ["", "state=OPEN", "organization=\"organizations/acme\" OR state=OPEN"] {
        beta(missing, "").await.refused(400, "PARENT_MISSING");
    }
    let typed = alice.get("/v2beta/organizations/acme/cases:search?query=state%3DCLOSED").await;
    assert_eq!(titles(&typed), ["How do we raise a quota?"]);
}

#[tokio::test]
async fn a_role_on_one_product_finds_nothing_of_another() {
    let server = Server::start().await;
    let actor = server.actor("frank@acme.example");
    let member = AddMember {
        account: actor.account,
        account_status: AccountStatus::Unknown,
        contact: actor.contact,
        roles: BTreeMap::from([(ProductId::new("compute").unwrap(), Role::Viewer)]),
        effective_at: None,
    };
    server.administer("acme", 1, AccessCommand::AddMember(member)).await.unwrap();
    let frank = server.client("frank@acme.example");
    assert_eq!(titles(&search(&server.client(ALICE), "\"on-premises\"").await).len(), 1);
    assert_eq!(titles(&search(&frank, "\"on-premises\"").await), Vec::<String>::new());
    assert_eq!(titles(&search(&frank, "").await).len(), 2);
}

#[tokio::test]
async fn search_pages_like_list_and_its_tokens_are_its_own() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    for _ in 0..3 {
        file_case(&alice, "acme").await;
    }
    let mut seen: Vec<Value> = Vec::new();
    let mut token = String::new();
    loop {
        let page = alice.get(&format!("{SEARCH}?query=state%3DOPEN&pageSize=2&pageToken={token}")).await.ok();
        seen.extend(page["cases"].as_array().unwrap().iter().map(|case| case["name"].clone()));
        let Some(next) = page.get("nextPageToken").and_then(Value::as_str) else { break };
        next.clone_into(&mut token);
    }
    let all = alice.get("/v2/organizations/acme/cases?filter=state%3DOPEN&pageSize=100").await.ok();
    let all: Vec<_> = all["cases"].as_array().unwrap().iter().map(|case| case["name"].clone()).collect();
    assert_eq!((seen.len(), seen), (5, all));
    alice
        .get(&format!("{SEARCH}?query=state%3DCLOSED&pageToken={token}"))
        .await
        .refused(400, "INVALID_PAGE_TOKEN");
    let list = format!("/v2/organizations/acme/cases?filter=state%3DOPEN&pageToken={token}");
    alice.get(&list).await.refused(400, "INVALID_PAGE_TOKEN");
}

#[tokio::test]
async fn the_beta_lists_the_cases_of_a_product_line_only() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let mut maps = sample_case();
    maps["displayName"] = json!("tiles");
    maps["classification"] = json!({"id": "compute-maps-tiles"});
    alice.post("/v2/organizations/acme/cases", &maps).await.ok();
    let list = async |version: &str, line: &str| {
        titles(
            &alice.get(&format!("/{version}/organizations/acme/cases?pageSize=100&productLine={line}")).await,
        )
    };
    assert_eq!(list("v2beta", "GOOGLE_MAPS").await, ["tiles"]);
    assert_eq!(list("v2beta", "2").await, ["tiles"]);
    assert!(!list("v2beta", "GOOGLE_CLOUD").await.contains(&"tiles".to_owned()));
    assert!(list("v2beta", "GOOGLE_CLOUD").await.len() > 1);
    assert!(list("v2", "GOOGLE_CLOUD").await.contains(&"tiles".to_owned()), "v2 has no such parameter");
}

/// R-CASE-1, R-CASE-2.
#[tokio::test]
async fn r_case_1_the_problem_is_kept_and_shown_and_r_case_2_each_priority_is_told_in_full() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let problem = json!({
        "start": "2026-01-05T08:00:00Z",
        "end": "2026-01-05T08:30:00Z",
        "version": "1.2",
        "logEntries": "panicked at …",
        "reproducible": "YES",
        "code": "fn main() {}",
        "applicationFlow": "a → b",
        "affectedUserPercent": 40,
        "userImpact": "nobody can sign in",
    });
    let mut case = sample_case();
    case["problem"] = problem.clone();
    let answer = alice.post("/v2/organizations/acme/cases", &case).await;
    assert_eq!(answer.ok()["problem"], problem);
    assert_eq!(alice.get(&case_path(&answer)).await.ok()["problem"], problem);
    for (field, value) in [("affectedUserPercent", json!(101)), ("end", json!("2026-01-05T07:00:00Z"))] {
        case["problem"][field] = value;
        let refused = alice.post("/v2/organizations/acme/cases", &case).await;
        assert_eq!(refused.status, 400, "{field}");
        case["problem"] = problem.clone();
    }
    let told = alice.get("/v2/priorities").await;
    let told = told.ok()["priorities"].as_array().expect("a list").clone();
    assert_eq!(told.len(), 5);
    assert_eq!(told[0]["plans"], json!(["premier"]));
    assert!(told[1]["description"].as_str().expect("a text").contains("several users"), "{told:?}");
}
