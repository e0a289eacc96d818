//! What support's people work with across cases over HTTP: views that they keep, and several commands at once.

use std::collections::BTreeMap;

use dossier_tests::people::{AGENT, AGENT_SOUTH, ALICE, ENGINEER};
use dossier_tests::server::file_case;
use dossier_tests::{Client, Server};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

const VIEWS: &str = "/v2/savedViews";

async fn batch(who: &Client, key: Option<&str>, items: &Value) -> Vec<Value> {
    let mut call = who.call(Method::POST, "/v2/cases:batch").json(&json!({"items": items}));
    if let Some(key) = key {
        call = call.header("idempotency-key", key);
    }
    call.send().await.ok()["items"].as_array().unwrap().clone()
}

fn name(path: &str) -> &str {
    path.trim_start_matches("/v2/")
}

fn reason(answer: &Value) -> &str {
    answer["error"]["details"][0]["reason"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_view_is_kept_for_oneself_or_shared_with_ones_provider() {
    let server = Server::start().await;
    let [north, south] = [AGENT, AGENT_SOUTH].map(|who| server.client(who));
    let second = server.staff("agent-second@support.example", &["agent"], Some("north"));
    let view = json!({"displayName": "Urgent and free", "filter": "assignee=none AND priority=P1"});
    let saved = north.post(VIEWS, &view).await.ok();
    assert_eq!(
        (&saved["filter"], &saved["shared"], &saved["own"]),
        (&view["filter"], &json!(false), &json!(true))
    );
    let path = format!("/v2/{}", saved["name"].as_str().unwrap());
    assert_eq!(north.get(&path).await.ok(), saved);
    assert_eq!(north.get(VIEWS).await.ok()["savedViews"], json!([saved]));
    for other in [&second, &south] {
        other.get(&path).await.refused(404, "SAVED_VIEW_NOT_FOUND");
        assert_eq!(other.get(VIEWS).await.ok()["savedViews"], json!([]));
        other.patch(&path, &json!({"shared": true})).await.refused(404, "SAVED_VIEW_NOT_FOUND");
    }
    let shared = north.patch(&format!("{path}?updateMask=shared"), &json!({"shared": true})).await.ok();
    assert_eq!((&shared["shared"], &shared["displayName"]), (&json!(true), &view["displayName"]));
    assert_eq!(second.get(&path).await.ok()["own"], false);
    second.patch(&path, &json!({"displayName": "Mine now"})).await.refused(403, "NOT_THE_OWNER");
    second.call(Method::DELETE, &path).send().await.refused(403, "NOT_THE_OWNER");
    south.get(&path).await.refused(404, "SAVED_VIEW_NOT_FOUND");
    north.call(Method::DELETE, &path).send().await.ok();
    for who in [&north, &second] {
        who.get(&path).await.refused(404, "SAVED_VIEW_NOT_FOUND");
    }
    let rows = server.app().read_models.dump("saved_views").await.unwrap();
    assert!(rows.iter().all(|row| !row.contains("Urgent")), "what is gone is not kept: {rows:?}");
}

#[tokio::test]
async fn a_view_has_a_name_and_a_filter_that_lists_understand() {
    let server = Server::start().await;
    let north = server.client(AGENT);
    let before = server.deeds().await;
    for (body, reason) in [
        (json!({"filter": "state=OPEN"}), "INVALID_FIELD"),
        (json!({"displayName": "x".repeat(101)}), "INVALID_FIELD"),
        (json!({"displayName": "x", "filter": "nonsense=1"}), "INVALID_FILTER"),
        (json!({"displayName": "x", "filter": "free text"}), "INVALID_FILTER"),
    ] {
        north.post(VIEWS, &body).await.refused(400, reason);
    }
    let engineer = server.client(ENGINEER);
    engineer.post(VIEWS, &json!({"displayName": "x", "shared": true})).await.refused(400, "INVALID_FIELD");
    server.client(ALICE).post(VIEWS, &json!({"displayName": "x"})).await.refused(403, "NOT_FOR_YOU");
    assert_eq!(server.deeds().await, before);
    let view = north.post(VIEWS, &json!({"displayName": "All"})).await.ok();
    let path = format!("/v2/{}", view["name"].as_str().unwrap());
    north.patch(&path, &json!({"filter": "state=HALF"})).await.refused(400, "INVALID_FILTER");
    let head = server.deeds().await;
    north.patch(&path, &json!({"displayName": "All"})).await.ok();
    assert_eq!(server.deeds().await, head, "again changes nothing");
}

/// R-ROUTE-1.
#[tokio::test]
async fn r_route_1_an_agent_gives_a_case_to_an_agent_of_its_provider_and_to_nobody_else() {
    let server = Server::start().await;
    let [alice_at, north] = [ALICE, AGENT].map(|who| server.client(who));
    let case = file_case(&alice_at, "acme").await;
    let alice = server.actor(ALICE).account;
    let unknown = server.actor("somebody@elsewhere.example").account;
    let assign = async |name: String| north.post(&format!("{case}:assign"), &json!({"agent": name})).await;
    let engineer = server.actor(ENGINEER).account;
    for nobody in [alice, unknown, engineer].map(|id| format!("agents/{id}")) {
        assign(nobody).await.refused(400, "ASSIGNEE_NOT_AN_AGENT");
    }
    for nobody in [ALICE, ENGINEER, "somebody@elsewhere.example"] {
        assign(nobody.to_owned()).await.refused(400, "ASSIGNEE_NOT_AN_AGENT");
    }
    for nonsense in ["agents/garbage".to_owned(), alice.to_string()] {
        let refused = assign(nonsense.clone()).await.refused(400, "INVALID_FIELD");
        assert!(refused["message"].as_str().unwrap().contains("agent"), "{nonsense} {refused}");
    }
    let south = server.actor(AGENT_SOUTH).account;
    assign(format!("agents/{south}")).await.refused(400, "ASSIGNEE_NOT_OF_PROVIDER");
    assign(AGENT_SOUTH.to_owned()).await.refused(400, "ASSIGNEE_NOT_OF_PROVIDER");
    // Somebody who has just begun is known from their first request on.
    let second = "agent-second@support.example";
    assign(second.to_owned()).await.refused(400, "ASSIGNEE_NOT_AN_AGENT");
    let newcomer = server.staff(second, &["agent"], Some("north"));
    let listed = newcomer.get("/v2/agents").await.ok();
    let agents = listed["agents"].as_array().unwrap();
    assert_eq!(agents.len(), 2, "of one's own provider: {listed}");
    let known = agents.iter().find(|agent| agent["email"] == second).unwrap();
    for name in [second.to_owned(), known["name"].as_str().unwrap().to_owned()] {
        let case = assign(name).await.ok();
        assert_eq!(case["support"]["assignee"]["email"], second);
    }
    let before = server.deeds().await;
    newcomer.get("/v2/agents").await.ok();
    assert_eq!(server.deeds().await, before, "what is known already is not written again");
    server.staff(second, &["agent"], Some("south")).get("/v2/agents").await.ok();
    north.post(&format!("{case}:assign"), &json!({})).await.ok();
    assign(second.to_owned()).await.refused(400, "ASSIGNEE_NOT_OF_PROVIDER");
    server.staff(second, &[], None).get("/v2/organizations/acme/cases").await.refused(403, "NO_ACCOUNT");
    let listed = server.client(ENGINEER).get("/v2/agents?pageSize=100").await.ok();
    assert_eq!(listed["agents"].as_array().unwrap().len(), 2, "who is no agent any more is none: {listed}");
    alice_at.post(&format!("{case}:close"), &json!({})).await.ok();
    north.post(&format!("{case}:assign"), &json!({})).await.refused(400, "CASE_CLOSED");
}

/// R-TOOL-1.
#[tokio::test]
async fn r_tool_1_each_command_of_a_batch_has_its_own_answer_and_a_refused_one_stops_nobody() {
    let server = Server::start().await;
    let [alice, north] = [ALICE, AGENT].map(|who| server.client(who));
    let (one, two) = (file_case(&alice, "acme").await, file_case(&alice, "acme").await);
    let etag = north.get(&one).await.header("etag").unwrap().to_owned();
    let key = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let items = json!([
        {"name": name(&one), "command": "assign", "ifMatch": etag},
        {"name": name(&one), "command": "changePriority", "body": {"priority": "P1", "reason": "why"}, "ifMatch": etag},
        {"name": name(&two), "command": "comment", "body": {"body": "We look at it."}},
        {"name": name(&two), "command": "changePriority", "body": {"priority": "P1"}},
        {"name": "organizations/acme/cases/01ARZ3NDEKTSV4RRFFQ69G5FAV", "command": "assign"},
        {"name": name(&two), "command": "fly"},
        {"name": "projects/p/cases/1", "command": "assign"},
        {"name": name(&two), "command": "escalate", "body": {}},
        {"name": name(&two), "command": "addInternalNote", "body": {"body": "The cable."}},
    ]);
    let answers = batch(&north, Some(key), &items).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 409, 200, 400, 404, 400, 400, 403, 200]);
    let reasons: Vec<_> = answers.iter().map(reason).collect();
    assert_eq!(
        reasons,
        [
            "",
            "ETAG_MISMATCH",
            "",
            "REASON_REQUIRED",
            "CASE_NOT_FOUND",
            "INVALID_FIELD",
            "INVALID_FIELD",
            "NOT_FOR_YOU",
            ""
        ]
    );
    assert_eq!(answers[0]["body"]["support"]["assignee"]["email"], AGENT);
    assert_ne!(answers[0]["etag"], Value::Null);
    assert!(
        answers[1]["error"]["details"][0]["metadata"]["changes"].as_str().unwrap().contains("CaseAssigned")
    );
    let head = server.deeds().await;
    let again = batch(&north, Some(key), &items).await;
    assert_eq!(server.deeds().await, head, "what was done is not done twice");
    for (first, second) in answers.iter().zip(&again) {
        assert_eq!((&first["status"], &first["body"]), (&second["status"], &second["body"]));
        assert_eq!(second["replayed"] == true, first["status"] == 200);
    }
    let other = json!([{"name": name(&one), "command": "unassign", "body": {"x": 1}}]);
    assert_eq!(batch(&north, Some(key), &other).await[0]["status"], 200, "another command has another id");
    let same = json!([{"name": name(&one), "command": "assign", "body": {"agent": AGENT}}]);
    assert_eq!(reason(&batch(&north, Some(key), &same).await[0]), "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn a_batch_has_one_to_a_hundred_commands_and_is_for_support() {
    let server = Server::start().await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let note = json!({"name": name(&case), "command": "addInternalNote", "body": {"body": "One of many."}});
    let north = server.client(AGENT);
    for items in [json!([]), json!(vec![note.clone(); 101]), json!("all"), Value::Null] {
        north.post("/v2/cases:batch", &json!({"items": items})).await.refused(400, "INVALID_FIELD");
    }
    let hundred = batch(&north, None, &json!(vec![note.clone(); 100])).await;
    assert!(hundred.iter().all(|answer| answer["status"] == 200));
    server.client(ALICE).post("/v2/cases:batch", &json!({"items": [note]})).await.refused(403, "NOT_FOR_YOU");
}

/// What fifty agents do with one case at once: each comments, notes, takes it as they had read it, and changes its priority
/// twice under one key.
async fn works(agent: &Client, number: usize, case: &str, etag: &str) -> Vec<(String, u16)> {
    let mut done = Vec::new();
    let comment =
        agent.post(&format!("{case}/comments"), &json!({"body": format!("comment {number}")})).await;
    done.push((format!("comment {number}"), comment.status));
    let assign =
        agent.call(Method::POST, &format!("{case}:assign")).header("if-match", etag).json(&json!({}));
    let assigned = assign.send().await;
    done.push((format!("assign {number}"), assigned.status));
    let note = json!({"body": format!("note {number}")});
    for _ in 0..2 {
        let key = format!("00000000-0000-4000-8000-{number:012}");
        let call =
            agent.call(Method::POST, &format!("{case}:addInternalNote")).header("idempotency-key", key);
        let noted = call.json(&note).send().await;
        done.push((format!("note {number}"), noted.status));
    }
    done
}

/// R-TOOL-1: of fifty agents on one case every acknowledged act is in the history exactly once, and no refused one is.
#[tokio::test]
async fn r_tool_1_fifty_agents_on_one_case_lose_nothing_that_was_acknowledged() {
    const AGENTS: usize = 50;
    let server = Server::start().await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let etag = server.client(AGENT).get(&case).await.header("etag").unwrap().to_owned();
    let emails: Vec<String> = (0..AGENTS).map(|number| format!("agent-{number}@support.example")).collect();
    let agents: Vec<Client> =
        emails.iter().map(|email| server.staff(email, &["agent"], Some("north"))).collect();
    let everybody = agents.iter().enumerate().map(|(number, agent)| works(agent, number, &case, &etag));
    let done: Vec<(String, u16)> = join_all(everybody).await.into_iter().flatten().collect();
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    for (act, status) in &done {
        assert!([200, 409].contains(status), "{act}: {status}");
        // Repeated under one key, it is one act.
        if *status == 200 {
            wanted.insert(act.clone(), 1);
        }
    }
    let taken = wanted.keys().filter(|act| act.starts_with("assign")).count();
    assert!(taken <= 1, "one at most had read what the case still was: {wanted:?}");
    assert!(wanted.len() >= 2 * AGENTS, "what asks for no revision waits its turn: {wanted:?}");
    let accounts: BTreeMap<String, String> = emails
        .iter()
        .enumerate()
        .map(|(number, email)| (server.actor(email).account.to_string(), number.to_string()))
        .collect();
    let audit = server.client(dossier_tests::people::AUDITOR);
    let (mut token, mut found) = (String::new(), BTreeMap::<String, usize>::new());
    loop {
        let page = audit.get(&format!("{case}/events?pageSize=100&pageToken={token}")).await.ok();
        for event in page["events"].as_array().unwrap() {
            let act = match event["type"].as_str().unwrap() {
                "CommentAdded" | "InternalNoteAdded" => {
                    event["data"]["body"]["open"].as_str().unwrap().to_owned()
                }
                "CaseAssigned" => format!("assign {}", accounts[event["data"]["agent"].as_str().unwrap()]),
                _ => continue,
            };
            *found.entry(act).or_default() += 1;
        }
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(found, wanted);
    let shown = server.client(AGENT).get(&format!("{case}/comments?pageSize=100")).await.ok();
    let comments = wanted.keys().filter(|act| act.starts_with("comment")).count();
    assert_eq!(shown["comments"].as_array().unwrap().len(), comments);
}
