//! R-HELP-1 to R-HELP-3: what may help comes first, and where it does not, the case is filled in already.

use std::time::Duration;

use dossier_commands::{Request, command_of_session};
use dossier_domain::case::{CaseCommand, FileCase};
use dossier_domain::catalogue::Priority;
use dossier_domain::{CaseId, OrganizationId, Personal};
use dossier_eventlog::RecordedEvent;
use dossier_tests::people::{AGENT, ALICE, BOB, CAROL, ENGINEER, HANK, NINA, PETER};
use dossier_tests::server::{file_case, help_session_where, sample_case};
use dossier_tests::{Answer, Client, Server};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

const SESSIONS: &str = "/v2/organizations/acme/helpSessions";
const KEY: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// Somebody and their session.
struct Asker {
    client: Client,
    path: String,
}

impl Asker {
    async fn begin(client: Client, organization: &str, language: &str) -> Self {
        let sessions = format!("/v2/organizations/{organization}/helpSessions");
        let session = client.post(&sessions, &json!({"languageCode": language})).await.ok();
        assert_eq!((&session["step"], &session["nextSteps"]), (&json!("DESCRIBE"), &json!(["describe"])));
        Self { client, path: format!("/v2/{}", session["name"].as_str().unwrap()) }
    }

    /// Where something can be done.
    async fn at(client: Client, organization: &str, verb: &str) -> (Self, Value) {
        let session = help_session_where(&client, organization, verb).await;
        (Self { client, path: format!("/v2/{}", session["name"].as_str().unwrap()) }, session)
    }

    async fn answer(&self, verb: &str, body: Value) -> Answer {
        self.client.post(&format!("{}:{verb}", self.path), &body).await
    }

    async fn says(&self, verb: &str, body: Value) -> Value {
        self.answer(verb, body).await.ok()
    }

    async fn describes(&self, text: &str) -> Value {
        self.says("describe", json!({"text": text})).await
    }
}

fn names(session: &Value) -> Vec<&str> {
    let suggestions = session["suggestions"].as_array().map(Vec::as_slice).unwrap_or_default();
    suggestions.iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn r_help_1_an_article_that_helps_ends_the_session_without_a_case_and_is_counted() {
    let server = Server::start().await;
    let asker = Asker::begin(server.client(ALICE), "acme", "fr-BE").await;
    let session = asker.describes("La machine virtuelle est bloquée, elle ne répond plus").await;
    assert_eq!(names(&session)[0], "helpArticles/compute-restart");
    assert_eq!(session["suggestions"][0]["languageCode"], "fr");
    assert_eq!(session["nextSteps"], json!(["open", "helped", "notHelped", "back", "searchAgain"]));
    let opened = asker.says("open", json!({"suggestion": names(&session)[0]})).await;
    assert!(opened["opened"]["text"].as_str().unwrap().contains("Console série"), "{opened}");
    let solved = asker.says("helped", json!({"suggestion": names(&session)[0]})).await;
    assert_eq!(
        (&solved["step"], &solved["nextSteps"], &solved["case"]),
        (&json!("SOLVED"), &json!([]), &Value::Null)
    );
    asker.answer("notHelped", json!({})).await.refused(400, "HELP_SESSION_ENDED");
    let stats = server.client(AGENT).get("/v2/helpStats").await.ok();
    let of_article = stats["suggestions"].as_array().unwrap().iter();
    let restart = of_article.clone().find(|one| one["name"] == "helpArticles/compute-restart").unwrap();
    assert_eq!(
        (&restart["shown"], &restart["opened"], &restart["helped"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(restart["title"], "Restart a virtual machine that does not respond");
    let month = &stats["sessions"][0];
    assert_eq!(
        (&month["sessions"], &month["withoutCase"], &month["withCase"]),
        (&json!(1), &json!(1), &json!(0))
    );
    let other = server.client(AGENT).get("/v2/helpStats?month=1999-01").await.ok();
    assert_eq!(other, json!({"suggestions": [], "sessions": []}));
    assert_eq!(server.client(AGENT).get("/v2/helpStats?month=May").await.status, 400);
    server.client(ALICE).get("/v2/helpStats").await.refused(403, "NOT_FOR_YOU");
}

/// R-HELP-1: what an organization is not entitled to is not suggested, and cannot be opened.
#[tokio::test]
async fn r_help_1_articles_of_products_that_one_is_not_entitled_to_are_never_suggested() {
    let server = Server::start().await;
    let both = "The virtual machine hangs, and access to the bucket is denied";
    let suggested = async |who: &str, organization: &str| {
        let asker = Asker::begin(server.client(who), organization, "en").await;
        let session = asker.describes(both).await;
        names(&session).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let of_acme = suggested(ALICE, "acme").await.join(" ");
    assert!(of_acme.contains("compute-restart") && of_acme.contains("storage-denied"), "{of_acme}");
    let of_globex = suggested(HANK, "globex").await.join(" ");
    assert!(of_globex.contains("compute-restart") && !of_globex.contains("storage"), "{of_globex}");
    let of_initech = suggested(PETER, "initech").await.join(" ");
    assert!(!of_initech.contains("compute") && !of_initech.contains("storage"), "{of_initech}");
    let asker = Asker::begin(server.client(HANK), "globex", "en").await;
    asker.describes(both).await;
    let hidden = json!({"suggestion": "helpArticles/storage-denied"});
    asker.answer("open", hidden).await.refused(400, "INVALID_FIELD");
}

/// R-HELP-1, R-KI-4: a published known issue is suggested to whoever is entitled to its product, until it is resolved.
#[tokio::test]
async fn r_help_1_a_published_known_issue_that_fits_is_among_the_first_suggestions_until_it_is_resolved() {
    let server = Server::start().await;
    let engineer = server.client(ENGINEER);
    let suspicion = json!({
        "product": "storage", "title": "Buckets", "source": "INTERNAL_ALERT", "details": "alert 4711",
    });
    let issue = engineer.post("/v2/knownIssues", &suspicion).await.ok()["name"].as_str().unwrap().to_owned();
    let act = async |verb: &str, body: Value| engineer.post(&format!("/v2/{issue}:{verb}"), &body).await.ok();
    let problem = "Zebra replication of the quagga bucket stalls";
    let suggested = async |who: &str, organization: &str| {
        let asker = Asker::begin(server.client(who), organization, "en").await;
        let session = asker.describes(problem).await;
        let of_issue = names(&session).iter().take(3).position(|name| *name == issue);
        (asker, of_issue)
    };
    act("confirm", json!({"impact": "HIGH", "statement": "Nobody can work."})).await;
    assert_eq!(suggested(ALICE, "acme").await.1, None, "it is not published");
    act("publish", json!({"summary": "Zebra replication of the quagga bucket stalls"})).await;
    let (asker, place) = suggested(ALICE, "acme").await;
    assert!(place.is_some());
    let opened = asker.says("open", json!({"suggestion": issue})).await;
    assert_eq!(opened["opened"]["name"], *issue, "{opened}");
    let stats = server.client(AGENT).get("/v2/helpStats").await.ok();
    let counted = stats["suggestions"].as_array().unwrap().iter().find(|one| one["name"] == *issue).unwrap();
    assert_eq!((&counted["shown"], &counted["opened"]), (&json!(1), &json!(1)), "{stats}");
    for (who, organization) in [(HANK, "globex"), (PETER, "initech")] {
        let (asker, place) = suggested(who, organization).await;
        assert_eq!(place, None, "{organization} has no such product");
        asker.answer("open", json!({"suggestion": issue})).await.refused(400, "INVALID_FIELD");
    }
    act("resolve", json!({"text": "Start it again."})).await;
    assert_eq!(suggested(ALICE, "acme").await.1, None, "it is resolved");
}

#[tokio::test]
async fn r_help_2_the_recent_case_is_asked_about_and_its_message_may_be_the_answer() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let old = file_case(&alice, "acme").await;
    alice.post(&format!("{old}:close"), &json!({})).await.ok();
    server.clock.advance(SignedDuration::from_hours(24 * 31));
    // After that nothing ever happens to it by itself.
    let id = old.rsplit('/').next().unwrap();
    let ended = async {
        let is_it =
            |event: &RecordedEvent| *event.event_type == *"ReopenWindowEnded" && event.stream.id() == id;
        while !server.events().await.iter().any(is_it) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), ended).await.unwrap();
    server.clock.advance(SignedDuration::from_hours(24 * 31));
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    let agent = server.client(AGENT);
    agent.post(&format!("{case}/comments"), &json!({"body": "Restart it, please."})).await.ok();
    let (asker, session) = Asker::at(alice.clone(), "acme", "chooseCase").await;
    let recent: Vec<_> =
        session["recentCases"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    let case_name = json!(case.trim_start_matches("/v2/"));
    assert!(recent.contains(&case_name), "{recent:?}");
    assert!(!recent.contains(&json!(old.trim_start_matches("/v2/"))), "nothing of it within 30 days");
    asker.answer("chooseCase", json!({"case": old})).await.refused(400, "INVALID_FIELD");
    let chosen = asker.says("chooseCase", json!({"case": case_name})).await;
    assert_eq!(chosen["step"], "RECENT_CASE");
    assert_eq!(chosen["recentCase"]["message"]["body"], "Restart it, please.");
    assert_eq!(chosen["recentCase"]["case"]["name"], case_name);
    let before = server.deeds().await;
    let solved = asker.says("helped", json!({})).await;
    assert_eq!((&solved["step"], &solved["case"]), (&json!("SOLVED"), &Value::Null));
    assert_eq!(server.deeds().await, before + 1, "no case, and nothing said on one");
    // What carol may not see she is not asked about.
    let peter = Asker::at(server.client(PETER), "initech", "chooseKind").await;
    assert_eq!(peter.1["recentCases"], Value::Null);
}

#[tokio::test]
async fn r_help_2_a_recent_case_that_does_not_help_goes_on() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    let name = case.trim_start_matches("/v2/");
    let (asker, _) = Asker::at(alice.clone(), "acme", "chooseCase").await;
    asker.says("chooseCase", json!({"case": name})).await;
    let contact = asker.says("notHelped", json!({})).await;
    assert_eq!((&contact["step"], &contact["product"]), (&json!("CONTACT"), &json!("compute")));
    let ready = asker.says("chooseContact", json!({"channel": "EMAIL", "languageCode": "fr"})).await;
    assert_eq!((&ready["draft"]["case"], &ready["draft"]["channel"]), (&json!(name), &json!("EMAIL")));
    let ended = asker.says("startCase", json!({"description": "It hangs again."})).await;
    assert_eq!((&ended["step"], &ended["case"]), (&json!("BECAME_CASE"), &json!(name)));
    let comments = alice.get(&format!("{case}/comments")).await.ok();
    assert_eq!(comments["comments"].as_array().unwrap().len(), 1);
    assert_eq!(comments["comments"][0]["body"], "It hangs again.");
}

#[tokio::test]
async fn r_help_2_kind_description_second_suggestions_and_contact_lead_to_a_case_that_is_filled_in() {
    let server = Server::start().await;
    let asker = Asker::begin(server.client(BOB), "acme", "ja").await;
    let first = asker.describes("仮想マシンが固まって応答しません\n朝からです。").await;
    asker.says("open", json!({"suggestion": names(&first)[0]})).await;
    let mut session = asker.says("notHelped", json!({})).await;
    if session["step"] == "RECENT_CASES" {
        session = asker.says("notHelped", json!({})).await;
    }
    assert_eq!(session["step"], "PROBLEM_KINDS");
    let kinds = session["problemKinds"].as_array().unwrap();
    assert_eq!(
        (&kinds[0]["id"], &kinds[0]["displayName"]),
        (&json!("unavailable"), &json!("まったく動かない"))
    );
    asker.answer("chooseKind", json!({"kind": "odd"})).await.refused(400, "INVALID_FIELD");
    let session = asker.says("chooseKind", json!({"kind": "unavailable"})).await;
    assert!(session["problemKind"]["information"].as_str().unwrap().contains("状況ダッシュボード"));
    let session = asker.describes("再起動しても、コンソールが応答しません。").await;
    assert_eq!(session["step"], "MORE_SUGGESTIONS");
    assert!(names(&session).contains(&"helpArticles/compute-restart"), "{session}");
    let session = asker.says("notHelped", json!({})).await;
    let options = session["contactOptions"].as_array().unwrap();
    assert_eq!(options[0]["channel"], "WEB");
    asker
        .answer("chooseContact", json!({"channel": "WEB", "languageCode": "xx"}))
        .await
        .refused(400, "INVALID_FIELD");
    let ready = asker.says("chooseContact", json!({"channel": "WEB"})).await;
    let draft = &ready["draft"];
    assert_eq!(
        (&draft["displayName"], &draft["priority"]),
        (&json!("仮想マシンが固まって応答しません"), &json!("P2"))
    );
    // As filing refuses it, and the session stays where it is.
    asker.answer("startCase", json!({})).await.refused(400, "INVALID_FIELD");
    let ended = asker.says("startCase", json!({"classification": {"id": "compute-vm"}})).await;
    let case = asker.client.get(&format!("/v2/{}", ended["case"].as_str().unwrap())).await.ok();
    assert_eq!(case["displayName"], "仮想マシンが固まって応答しません");
    assert_eq!(case["description"], "再起動しても、コンソールが応答しません。");
    assert_eq!((&case["priority"], &case["languageCode"]), (&json!("P2"), &json!("ja")));
    // The case knows what was tried.
    let events = server.events().await;
    let filed = events.iter().rfind(|event| *event.event_type == *"CaseFiled").unwrap();
    let payload: Value = serde_json::from_slice(&filed.payload).unwrap();
    let session = ended["name"].as_str().unwrap().rsplit('/').next().unwrap();
    assert_eq!(payload["help"], json!({"session": session, "articles": ["compute-restart"]}));
    // Support sees it, the customer has the session itself.
    let path = format!("/v2/{}", ended["case"].as_str().unwrap());
    let agent = server.client(AGENT);
    let seen = agent.get(&path).await.ok();
    let help = json!({"session": ended["name"], "articles": ["helpArticles/compute-restart"]});
    assert_eq!((&seen["support"]["help"], &case["support"]), (&help, &Value::Null));
    let noted = agent.post(&format!("{path}:addInternalNote"), &json!({"body": "Read it."})).await;
    assert_eq!(noted.ok()["support"]["help"], help, "a command answers it, too");
    assert_eq!(asker.client.get(&asker.path).await.ok(), ended, "the read model shows what the fold has");
}

#[tokio::test]
async fn r_help_2_however_often_the_case_is_started_there_is_one() {
    let server = Server::start().await;
    let (asker, _) = Asker::at(server.client(ALICE), "acme", "startCase").await;
    let start = |title: &str| {
        let path = format!("{}:startCase", asker.path);
        let call = asker.client.call(Method::POST, &path).header("idempotency-key", KEY);
        call.json(&json!({"displayName": title, "classification": {"id": "compute-vm"}})).send()
    };
    let first = start("It hangs").await;
    let head = server.head().await;
    let again = start("It hangs").await;
    assert_eq!((again.ok(), again.header("idempotent-replay")), (first.ok(), Some("true")));
    start("Another").await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    let refused = asker.answer("startCase", json!({"classification": {"id": "compute-vm"}})).await;
    refused.refused(400, "HELP_SESSION_ENDED");
    let case = first.ok()["case"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(refused.metadata("case"), case);
    let stored = server.events().await.into_iter().filter(|event| event.position > head);
    let of_people = stored.filter(|event| event.stream.category() != "case").count();
    assert_eq!(of_people, 0);
}

fn filing(server: &Server) -> CaseCommand {
    let subject = server.actor(ALICE).contact.subject().clone();
    let own = |text: &str| Personal::new(subject.clone(), text.to_owned());
    CaseCommand::File(Box::new(FileCase {
        classification: "compute-vm".to_owned(),
        title: own("It hangs"),
        description: own("Since noon."),
        priority: Some(Priority::P3),
        language: "en".to_owned(),
        time_zone: None,
        contact_email: None,
        subscribers: Vec::new(),
        test_case: false,
        problem: None,
        channel: None,
        follow_up_of: None,
        help: None,
    }))
}

/// A crash between the filing and the session's end: whoever comes again gets the case that is there.
#[tokio::test]
async fn r_help_2_a_case_that_was_filed_before_a_crash_is_the_sessions_case() {
    let server = Server::start().await;
    let (asker, session) = Asker::at(server.client(ALICE), "acme", "startCase").await;
    let id = session["name"].as_str().unwrap().rsplit('/').next().unwrap();
    let command_id = command_of_session(id.parse().unwrap());
    let request = Request { command_id, ..server.request(ALICE, 7) };
    let case = CaseId::derived(command_id);
    let organization = OrganizationId::new("acme").unwrap();
    server.app().commands.case(&request, &organization, None, &filing(&server)).await.unwrap();
    let ended = asker.says("startCase", sample_case()).await;
    assert_eq!(ended["case"], format!("organizations/acme/cases/{case}"));
}

/// R-HELP-2: every step goes back or searches again; nobody else goes on with a session.
#[tokio::test]
async fn r_help_2_every_step_goes_back_or_searches_again_and_the_session_is_ones_own() {
    let server = Server::start().await;
    let (asker, _) = Asker::at(server.client(CAROL), "acme", "startCase").await;
    let ready = asker.client.get(&asker.path).await.ok();
    assert_eq!(asker.says("back", json!({})).await["step"], "CONTACT");
    assert_eq!(asker.says("searchAgain", json!({})).await["step"], "DESCRIBE");
    assert_eq!(asker.says("back", json!({})).await["step"], "CONTACT");
    assert_eq!(asker.says("chooseContact", json!({"channel": "WEB"})).await["draft"], ready["draft"]);
    for _ in 0..20 {
        let session = asker.client.get(&asker.path).await.ok();
        if !session["nextSteps"].as_array().unwrap().contains(&json!("back")) {
            break;
        }
        asker.says("back", json!({})).await;
    }
    assert_eq!(asker.client.get(&asker.path).await.ok()["step"], "DESCRIBE");
    asker.answer("back", json!({})).await.refused(400, "NOT_AT_THIS_STEP");
    // Carol reads only: she gets help, and no case.
    let (carol, _) = Asker::at(server.client(CAROL), "acme", "startCase").await;
    carol.answer("startCase", sample_case()).await.refused(403, "ROLE_TOO_LOW");
    for (who, status, reason) in
        [(ALICE, 404, "HELP_SESSION_NOT_FOUND"), (PETER, 403, "NOT_A_MEMBER"), (AGENT, 403, "NOT_FOR_YOU")]
    {
        let client = server.client(who);
        client.get(&carol.path).await.refused(status, reason);
        let verbs = ["back", "searchAgain", "notHelped"];
        for verb in verbs {
            client.post(&format!("{}:{verb}", carol.path), &json!({})).await.refused(status, reason);
        }
    }
    server.client(ALICE).get(&format!("{SESSIONS}/garbage")).await.refused(404, "HELP_SESSION_NOT_FOUND");
}

/// R-HELP-3.
#[tokio::test]
async fn r_help_3_every_step_and_the_support_profile_link_dashboard_help_centre_and_community() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let linked = |answer: &Value| {
        let missing = ["statusDashboard", "helpCentre", "community"]
            .into_iter()
            .find(|name| !answer["links"][name].as_str().is_some_and(|url| url.starts_with("https://")));
        assert_eq!(missing, None, "{answer}");
    };
    linked(&alice.get("/v2/organizations/acme:supportProfile").await.ok());
    file_case(&alice, "acme").await;
    for verb in ["describe", "open", "chooseCase", "chooseKind", "chooseContact", "startCase"] {
        let (asker, session) = Asker::at(alice.clone(), "acme", verb).await;
        linked(&session);
        linked(&alice.get(&asker.path).await.ok());
    }
    let (asker, _) = Asker::at(alice.clone(), "acme", "startCase").await;
    linked(&asker.says("startCase", sample_case()).await);
    let (asker, _) = Asker::at(alice, "acme", "helped").await;
    linked(&asker.says("helped", json!({})).await);
}

/// A reseller gets help for the customer that lets it in, as that customer.
#[tokio::test]
async fn r_help_1_a_reseller_asks_for_its_customer() {
    let server = Server::start().await;
    let nina = server.client(NINA).acting_for("nimbus");
    let (asker, _) = Asker::at(nina, "globex", "startCase").await;
    let ended = asker.says("startCase", json!({"classification": {"id": "compute-vm"}})).await;
    let case = asker.client.get(&format!("/v2/{}", ended["case"].as_str().unwrap())).await.ok();
    assert_eq!(case["displayName"], "The machine hangs.");
}
