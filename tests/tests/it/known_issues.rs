//! R-KI-1 to R-KI-7 over HTTP: suspected, confirmed, published, 'me too', updated, resolved; and the watch over the volume.

use dossier_tests::people::{
    AGENT, ALICE, AUDITOR, BOB, CAROL, DAVE, ENGINEER, HANK, NINA, OPERATOR, PETER, WESKER,
};
use dossier_tests::{Answer, Client, Server};
use jiff::SignedDuration;
use serde_json::{Value, json};

const ISSUES: &str = "/v2/knownIssues";
const NOWHERE: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn suspicion() -> Value {
    json!({
        "product": "compute",
        "title": "Machines do not start in one zone",
        "source": "INTERNAL_ALERT",
        "details": "alert 4711",
    })
}

/// The id of an issue that nobody has confirmed.
async fn suspected(server: &Server) -> String {
    let issue = server.client(ENGINEER).post(ISSUES, &suspicion()).await.ok();
    issue["name"].as_str().unwrap().trim_start_matches("knownIssues/").to_owned()
}

/// The id of an issue that customers see.
async fn published(server: &Server) -> String {
    let issue = suspected(server).await;
    act(server, &issue, "confirm", &json!({"impact": "HIGH", "statement": "Nobody can work."})).await.ok();
    act(server, &issue, "publish", &json!({"summary": "Machines do not start"})).await.ok();
    issue
}

async fn act(server: &Server, issue: &str, verb: &str, body: &Value) -> Answer {
    server.client(ENGINEER).post(&format!("{ISSUES}/{issue}:{verb}"), body).await
}

fn of(organization: &str, issue: &str) -> String {
    format!("/v2/organizations/{organization}/knownIssues/{issue}")
}

async fn say(client: &Client, organization: &str, issue: &str, verb: &str) -> Answer {
    client.post(&format!("{}:{verb}", of(organization, issue)), &json!({})).await
}

async fn counts(server: &Server, issue: &str) -> (i64, i64) {
    let seen = server.client(ENGINEER).get(&format!("{ISSUES}/{issue}")).await.ok();
    let number = |field: &str| seen[field].as_i64().unwrap();
    (number("organizationsAffected"), number("usersAffected"))
}

/// The case that an answer names, once the reactor has filed it.
async fn case_of(server: &Server, client: &Client, answer: &Answer) -> Value {
    server.until_reactors_rest().await;
    client.get(&format!("/v2/{}", answer.ok()["yours"]["case"].as_str().unwrap())).await.ok()
}

/// R-KI-1.
#[tokio::test]
async fn r_ki_1_support_confirms_or_dismisses_and_only_what_has_high_impact_is_published() {
    let server = Server::start().await;
    let engineer = server.client(ENGINEER);
    let issue = suspected(&server).await;
    let shown = engineer.get(&format!("{ISSUES}/{issue}")).await.ok();
    assert_eq!((&shown["state"], &shown["source"]), (&json!("SUSPECTED"), &json!("INTERNAL_ALERT")));
    assert_eq!((&shown["title"], &shown["details"]), (&suspicion()["title"], &json!("alert 4711")));
    let publish = json!({"summary": "Machines do not start"});
    act(&server, &issue, "publish", &publish).await.refused(400, "KNOWN_ISSUE_NOT_CONFIRMED");
    let low = json!({"impact": "LOW", "statement": "Hardly anybody."});
    assert_eq!(act(&server, &issue, "confirm", &low).await.ok()["impact"], "LOW");
    act(&server, &issue, "publish", &publish).await.refused(400, "IMPACT_NOT_HIGH");
    let high = json!({"impact": "HIGH", "statement": "Nobody can work."});
    act(&server, &issue, "confirm", &high).await.ok();
    let odd = json!({"summary": "Machines do not start", "outageUrl": "see the dashboard"});
    act(&server, &issue, "publish", &odd).await.refused(400, "INVALID_FIELD");
    let published = act(&server, &issue, "publish", &publish).await.ok();
    assert_eq!((&published["state"], &published["summary"]), (&json!("PUBLISHED"), &publish["summary"]));
    assert_eq!(engineer.get(&format!("{ISSUES}/{issue}")).await.ok(), published, "as the fold has it");
    let other = suspected(&server).await;
    let reason = json!({"reason": "A false alarm."});
    assert_eq!(act(&server, &other, "dismiss", &reason).await.ok()["state"], "DISMISSED");
    act(&server, &other, "confirm", &high).await.refused(400, "KNOWN_ISSUE_DISMISSED");
    let list = engineer.get(&format!("{ISSUES}?state=DISMISSED&product=compute")).await.ok();
    assert_eq!(list["knownIssues"].as_array().unwrap().len(), 1);
    let first = engineer.get(&format!("{ISSUES}?pageSize=1")).await.ok();
    let token = first["nextPageToken"].as_str().unwrap();
    let second = engineer.get(&format!("{ISSUES}?pageSize=1&pageToken={token}")).await.ok();
    assert_eq!(second["knownIssues"][0]["name"], json!(format!("knownIssues/{issue}")));
}

/// R-KI-1.
#[tokio::test]
async fn r_ki_1_agents_raise_suspicions_engineers_decide_and_nobody_else_learns_of_them() {
    let server = Server::start().await;
    let agent = server.client(AGENT);
    let raised = agent.post(ISSUES, &suspicion()).await.ok();
    let path = format!("/v2/{}", raised["name"].as_str().unwrap());
    let confirm = json!({"impact": "HIGH", "statement": "Nobody can work."});
    agent.post(&format!("{path}:confirm"), &confirm).await.refused(403, "NOT_FOR_YOU");
    for who in [ALICE, OPERATOR, AUDITOR] {
        server.client(who).get(&path).await.refused(403, "NOT_FOR_YOU");
        server.client(who).get(ISSUES).await.refused(403, "NOT_FOR_YOU");
    }
    let volume = json!({"product": "compute", "title": "much", "source": "VOLUME"});
    agent.post(ISSUES, &volume).await.refused(400, "INVALID_FIELD");
    let unknown = json!({"product": "toaster", "title": "much", "source": "COMMUNITY"});
    agent.post(ISSUES, &unknown).await.refused(400, "INVALID_FIELD");
    agent.get(&format!("{ISSUES}/{NOWHERE}")).await.refused(404, "KNOWN_ISSUE_NOT_FOUND");
    let nothing = server.client(ALICE).get("/v2/organizations/acme/knownIssues").await.ok();
    assert_eq!(nothing["knownIssues"], json!([]));
}

/// R-KI-3.
#[tokio::test]
async fn r_ki_3_who_has_the_product_sees_banner_section_and_updates_and_who_has_it_not_sees_nothing() {
    let server = Server::start().await;
    let issue = published(&server).await;
    act(&server, &issue, "postUpdate", &json!({"text": "We have found the cause."})).await.ok();
    for (who, organization) in [(ALICE, "acme"), (CAROL, "acme"), (HANK, "globex")] {
        let client = server.client(who);
        for view in ["knownIssues:banner", "knownIssues"] {
            let seen = client.get(&format!("/v2/organizations/{organization}/{view}")).await.ok();
            let shown = &seen["knownIssues"][0];
            assert_eq!(shown["name"], json!(format!("organizations/{organization}/knownIssues/{issue}")));
            assert_eq!(shown["summary"], "Machines do not start");
            assert_eq!(shown["updates"][0]["text"], "We have found the cause.");
            assert_eq!((&shown["title"], &shown["impact"]), (&Value::Null, &Value::Null), "support's own");
        }
        assert_eq!(client.get(&of(organization, &issue)).await.ok()["state"], "PUBLISHED");
    }
    // Of initech no plan is eligible; umbrella has another product.
    for (who, organization) in [(PETER, "initech"), (WESKER, "umbrella")] {
        let client = server.client(who);
        let banner = client.get(&format!("/v2/organizations/{organization}/knownIssues:banner")).await.ok();
        assert_eq!(banner["knownIssues"], json!([]));
        client.get(&of(organization, &issue)).await.refused(404, "KNOWN_ISSUE_NOT_FOUND");
    }
    server.client(PETER).get(&of("acme", &issue)).await.refused(403, "NOT_A_MEMBER");
    let other = suspected(&server).await;
    server.client(ALICE).get(&of("acme", &other)).await.refused(404, "KNOWN_ISSUE_NOT_FOUND");
    act(&server, &issue, "resolve", &json!({"text": "Start them again."})).await.ok();
    let alice = server.client(ALICE);
    let banner = alice.get("/v2/organizations/acme/knownIssues:banner").await.ok();
    assert_eq!(banner["knownIssues"], json!([]), "what is resolved is no banner");
    let section = alice.get("/v2/organizations/acme/knownIssues").await.ok();
    assert_eq!(section["knownIssues"][0]["resolution"], "Start them again.");
}

/// R-KI-4.
#[tokio::test]
async fn r_ki_4_me_too_files_a_linked_case_subscribes_and_counts_and_repeating_it_changes_nothing() {
    let server = Server::start().await;
    let issue = published(&server).await;
    let alice = server.client(ALICE);
    let me_too = format!("{}:meToo", of("acme", &issue));
    let body = json!({"description": "Since nine.", "languageCode": "fr", "priority": "P2"});
    let answer = alice.post(&me_too, &body).await;
    let case = case_of(&server, &alice, &answer).await;
    assert_eq!(
        (&case["displayName"], &case["description"]),
        (&json!("Machines do not start"), &json!("Since nine."))
    );
    assert_eq!((&case["priority"], &case["languageCode"]), (&json!("P2"), &json!("fr")));
    assert_eq!(case["creator"]["email"], ALICE);
    assert_eq!(answer.ok()["yours"], json!({"case": case["name"], "affected": true, "subscribed": true}));
    let head = server.deeds().await;
    assert_eq!(alice.post(&me_too, &body).await.ok(), answer.ok());
    assert_eq!(server.deeds().await, head, "repeating changes nothing");
    say(&server.client(BOB), "acme", &issue, "meToo").await.ok();
    say(&server.client(HANK), "globex", &issue, "meToo").await.ok();
    assert_eq!(counts(&server, &issue).await, (2, 3));
    let seen = alice.get(&of("acme", &issue)).await.ok();
    assert_eq!((&seen["organizationsAffected"], &seen["usersAffected"]), (&json!(2), &json!(3)));
    assert_eq!(seen["yours"]["case"], case["name"]);
    assert_eq!(server.client(CAROL).get(&of("acme", &issue)).await.ok()["yours"], Value::Null);
}

/// R-KI-4.
#[tokio::test]
async fn r_ki_4_me_too_is_refused_as_filing_would_be_and_leaves_nothing() {
    let server = Server::start().await;
    let issue = published(&server).await;
    let head = server.deeds().await;
    for (who, organization, reason) in [
        (CAROL, "acme", "ROLE_TOO_LOW"),
        (DAVE, "acme", "NO_SUPPORT_PRIVILEGE"),
        (PETER, "initech", "NO_ELIGIBLE_PLAN"),
        (PETER, "acme", "NOT_A_MEMBER"),
        (AGENT, "acme", "NOT_FOR_YOU"),
    ] {
        say(&server.client(who), organization, &issue, "meToo").await.refused(403, reason);
    }
    let hank = server.client(HANK);
    let p0 = json!({"priority": "P0"});
    hank.post(&format!("{}:meToo", of("globex", &issue)), &p0).await.refused(400, "PRIORITY_NOT_OFFERED");
    for verb in ["meToo", "notAffected", "unsubscribe"] {
        say(&hank, "globex", NOWHERE, verb).await.refused(404, "KNOWN_ISSUE_NOT_FOUND");
    }
    say(&hank, "globex", &issue, "notAffected").await.refused(400, "NOT_JOINED");
    assert_eq!(server.deeds().await, head);
}

/// R-KI-5.
#[tokio::test]
async fn r_ki_5_unsubscribing_keeps_case_and_count_not_affected_takes_both_back_and_me_too_undoes_either() {
    let server = Server::start().await;
    let issue = published(&server).await;
    let (alice, bob) = (server.client(ALICE), server.client(BOB));
    let case = case_of(&server, &alice, &say(&alice, "acme", &issue, "meToo").await).await;
    say(&bob, "acme", &issue, "meToo").await.ok();
    let gone = say(&alice, "acme", &issue, "unsubscribe").await.ok();
    assert_eq!(gone["yours"], json!({"case": case["name"], "affected": true, "subscribed": false}));
    assert_eq!(counts(&server, &issue).await, (1, 2));
    let left = say(&alice, "acme", &issue, "notAffected").await.ok();
    assert_eq!(left["yours"], json!({"case": case["name"], "affected": false, "subscribed": false}));
    assert_eq!(counts(&server, &issue).await, (1, 1));
    let back = say(&alice, "acme", &issue, "meToo").await.ok();
    assert_eq!(back["yours"], json!({"case": case["name"], "affected": true, "subscribed": true}));
    assert_eq!(counts(&server, &issue).await, (1, 2));
    // On a closed case it only resubscribes.
    say(&alice, "acme", &issue, "notAffected").await.ok();
    server.until_reactors_rest().await;
    alice.post(&format!("/v2/{}:close", case["name"].as_str().unwrap()), &json!({})).await.ok();
    let again = say(&alice, "acme", &issue, "meToo").await.ok();
    assert_eq!(again["yours"], json!({"case": case["name"], "affected": false, "subscribed": true}));
    assert_eq!(counts(&server, &issue).await, (1, 1));
    act(&server, &issue, "resolve", &json!({"text": "Start them again."})).await.ok();
    say(&alice, "acme", &issue, "meToo").await.refused(400, "KNOWN_ISSUE_RESOLVED");
    assert_eq!(say(&bob, "acme", &issue, "notAffected").await.ok()["yours"]["affected"], false);
}

/// R-KI-6.
#[tokio::test]
async fn r_ki_6_resolving_proposes_the_solution_on_every_linked_open_case_and_on_no_other() {
    let server = Server::start().await;
    let issue = published(&server).await;
    let people = [(ALICE, "acme"), (BOB, "acme"), (HANK, "globex")];
    let mut cases = Vec::new();
    for (who, organization) in people {
        let client = server.client(who);
        let answer = say(&client, organization, &issue, "meToo").await;
        cases.push((client.clone(), case_of(&server, &client, &answer).await["name"].clone()));
    }
    let (bob, of_bob) = &cases[1];
    say(bob, "acme", &issue, "notAffected").await.ok();
    act(&server, &issue, "postUpdate", &json!({"text": "We have found the cause."})).await.ok();
    act(&server, &issue, "resolve", &json!({"text": "Start them again."})).await.ok();
    server.until_reactors_rest().await;
    for (client, case) in &cases {
        let shown = client.get(&format!("/v2/{}", case.as_str().unwrap())).await.ok();
        let expected = if case == of_bob { "NEW" } else { "SOLUTION_PROVIDED" };
        assert_eq!(shown["state"], expected, "{case}");
    }
    let (alice, of_alice) = &cases[0];
    let comments = alice.get(&format!("/v2/{}/comments", of_alice.as_str().unwrap())).await.ok();
    let body = &comments["comments"][0]["body"];
    assert!(body.as_str().unwrap().contains("Start them again."), "{comments}");
    let late = json!({"text": "Too late."});
    act(&server, &issue, "postUpdate", &late).await.refused(400, "KNOWN_ISSUE_RESOLVED");
}

/// R-KI-7.
#[tokio::test]
async fn r_ki_7_a_customer_of_a_reseller_sees_its_partners_contact_and_the_reseller_speaks_on_its_behalf() {
    let server = Server::start().await;
    let contact = json!({"technicalContact": {"email": "desk@nimbus.example", "displayName": "Nimbus desk"}});
    let patch = server.client(NINA).call(reqwest::Method::PATCH, "/v2/organizations/nimbus");
    patch.bytes(contact.to_string()).send().await.ok();
    let issue = published(&server).await;
    let seen = server.client(HANK).get(&of("globex", &issue)).await.ok();
    assert_eq!(seen["partner"]["organization"], "organizations/nimbus");
    assert_eq!(seen["partner"]["contactEmail"], "desk@nimbus.example");
    assert_eq!(server.client(ALICE).get(&of("acme", &issue)).await.ok()["partner"], Value::Null);
    let nina = server.client(NINA).acting_for("nimbus");
    let answer = say(&nina, "globex", &issue, "meToo").await;
    let case = case_of(&server, &nina, &answer).await;
    assert_eq!(server.client(HANK).get(&format!("/v2/{}", case["name"].as_str().unwrap())).await.ok(), case);
    server.client(NINA).get(&of("globex", &issue)).await.refused(403, "NOT_A_MEMBER");
}

/// R-KI-2.
#[tokio::test]
async fn r_ki_2_a_burst_of_calls_raises_one_suspicion_with_its_figures_and_a_dry_run_tells_it_too() {
    let server = Server::start().await;
    let server = server.with_catalogue(|text| text.replace("minimum = 50", "minimum = 4")).await;
    let (agent, engineer) = (server.client(AGENT), server.client(ENGINEER));
    // An hour of its own, away from the sample cases.
    server.clock.advance(SignedDuration::from_hours(30));
    let call = json!({"product": "identity"});
    for _ in 0..3 {
        agent.post("/v2/phoneCalls", &call).await.ok();
    }
    server.until_reactors_rest().await;
    let of_volume = async || {
        let list = engineer.get(&format!("{ISSUES}?product=identity")).await.ok();
        list["knownIssues"].as_array().unwrap().clone()
    };
    assert_eq!(of_volume().await, Vec::<Value>::new());
    for _ in 0..3 {
        agent.post("/v2/phoneCalls", &call).await.ok();
    }
    server.until_reactors_rest().await;
    let raised = of_volume().await;
    assert_eq!(raised.len(), 1, "once per burst: {raised:?}");
    assert_eq!((&raised[0]["source"], &raised[0]["state"]), (&json!("VOLUME"), &json!("SUSPECTED")));
    assert_eq!((&raised[0]["figures"]["count"], &raised[0]["figures"]["threshold"]), (&json!(4), &json!(4)));
    let dry = engineer.get("/v2/volumeWatch:dryRun?product=identity").await.ok();
    assert_eq!((&dry["minimum"], dry["suspicions"].as_array().unwrap().len()), (&json!(4), 1));
    assert_eq!(dry["suspicions"][0]["figures"]["hourTime"], raised[0]["figures"]["hourTime"]);
    let calmer = engineer.get("/v2/volumeWatch:dryRun?product=identity&minimum=7&factor=2.5").await.ok();
    assert_eq!((&calmer["factor"], &calmer["suspicions"]), (&json!(2.5), &json!([])));
    for odd in ["minimum=0", "factor=0.5", "from=yesterday", "from=2020-01-01T00:00:00Z"] {
        let path = format!("/v2/volumeWatch:dryRun?{odd}");
        engineer.get(&path).await.refused(400, "INVALID_QUERY");
    }
    // A full hour without anything ends the burst.
    server.clock.advance(SignedDuration::from_hours(2));
    for _ in 0..4 {
        agent.post("/v2/phoneCalls", &call).await.ok();
    }
    server.until_reactors_rest().await;
    assert_eq!(of_volume().await.len(), 2);
}

/// R-KI-2.
#[tokio::test]
async fn r_ki_2_calls_are_recorded_once_by_support_and_nobody_elses_word_counts() {
    let server = Server::start().await;
    let agent = server.client(AGENT);
    let call = json!({"product": "compute", "organization": "organizations/acme"});
    let request = || {
        let call = agent.call(reqwest::Method::POST, "/v2/phoneCalls").bytes(call.to_string());
        call.header("idempotency-key", NOWHERE)
    };
    let recorded = request().send().await.ok();
    assert_eq!(recorded["organization"], "organizations/acme");
    let head = server.deeds().await;
    assert_eq!(request().send().await.ok(), recorded);
    assert_eq!(server.deeds().await, head);
    for odd in [
        json!({"product": "toaster"}),
        json!({"product": "compute", "organization": "organizations/nobody"}),
        json!({"product": "compute", "callTime": "2020-01-01T00:00:00Z"}),
    ] {
        agent.post("/v2/phoneCalls", &odd).await.refused(400, "INVALID_FIELD");
    }
    let nameless = json!({"product": "compute", "organization": "acme"});
    agent.post("/v2/phoneCalls", &nameless).await.refused(400, "INVALID_ARGUMENT");
    server.client(ALICE).post("/v2/phoneCalls", &call).await.refused(403, "NOT_FOR_YOU");
}

/// R-AUDIT-1.
#[tokio::test]
async fn r_audit_1_an_auditor_replays_a_known_issue_and_sees_it_as_it_stood() {
    let server = Server::start().await;
    let issue = published(&server).await;
    let then = server.clock.now();
    server.clock.advance(SignedDuration::from_secs(60));
    say(&server.client(ALICE), "acme", &issue, "meToo").await.ok();
    let auditor = server.client(AUDITOR);
    let events = auditor.get(&format!("{ISSUES}/{issue}/events")).await.ok();
    let types: Vec<_> =
        events["events"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
    let expected =
        ["KnownIssueSuspected", "KnownIssueConfirmed", "KnownIssuePublished", "AffectedUserJoined"];
    assert_eq!(types, expected);
    assert_eq!(events["events"][0]["data"]["title"]["open"], suspicion()["title"]);
    let before = auditor.get(&format!("{ISSUES}/{issue}/events?at={then}")).await.ok();
    assert_eq!((&before["status"], &before["affected"]), (&json!("PUBLISHED"), &json!({})));
    auditor.get(&format!("{ISSUES}/{NOWHERE}/events")).await.refused(404, "KNOWN_ISSUE_NOT_FOUND");
    server.client(ENGINEER).get(&format!("{ISSUES}/{issue}/events")).await.refused(403, "NOT_FOR_YOU");
}
