//! The authorization table over HTTP: every endpoint, by everybody there is, with real requests.
//!
//! A new command needs a body in [`subject::body`]; an endpoint for which something must be there first, a line in
//! [`Subject::prepare`]; a new collection, a name in `Subject::item`.

#[path = "matrix/issues.rs"]
mod issues;
#[path = "matrix/subject.rs"]
mod subject;

use self::subject::{Subject, body, last};
use dossier_api::authorization::{STANDINGS, decide};
use dossier_api::endpoints::{Endpoint, Kind, Segment, endpoints};
use dossier_domain::Role;
use dossier_tests::people::{
    AGENT, AGENT_SOUTH, ALICE, ANALYST, AUDITOR, BOB, CAROL, DAVE, DIRECTORY, ENGINEER, NINA, OPERATOR,
    PETER, SAM,
};
use dossier_tests::{Answer, Client, Server};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

const PENDING: &str = "erin@acme.example";
const DEACTIVATED: &str = "olga@acme.example";
const READER: &str = "rita@nimbus.example";
const NOBODY: &str = "somebody@elsewhere.example";

/// Who has a standing, and for whom they say they act.
fn somebody(standing: &str) -> (&'static str, Option<&'static str>) {
    match standing {
        "owner" => (ALICE, None),
        "editor" => (BOB, None),
        "viewer" => (CAROL, None),
        "listed" => (DAVE, None),
        "pending" => (PENDING, None),
        "deactivated" => (DEACTIVATED, None),
        "reseller" | "shut_out" => (NINA, Some("nimbus")),
        "reader" => (READER, Some("nimbus")),
        "former" => (SAM, Some("stratus")),
        "directly" => (NINA, None),
        "other" => (PETER, None),
        "nobody" => (NOBODY, None),
        "agent" => (AGENT, None),
        "agent_south" => (AGENT_SOUTH, None),
        "engineer" => (ENGINEER, None),
        "auditor" => (AUDITOR, None),
        "analyst" => (ANALYST, None),
        "operator" => (OPERATOR, None),
        "provisioner" => (DIRECTORY, None),
        unknown => panic!("who is {unknown}? give the new standing somebody here"),
    }
}

fn method(endpoint: &Endpoint) -> Method {
    Method::from_bytes(endpoint.method.as_str().as_bytes()).unwrap()
}

/// People of every standing towards acme, which stratus managed before nimbus does.
async fn cast(server: &Server) {
    let both = |role| [("compute", role), ("storage", role)];
    let tomorrow = server.clock.now() + SignedDuration::from_hours(24);
    server.employ("acme", PENDING, &both(Role::Owner), Some(tomorrow)).await;
    server.employ("acme", DEACTIVATED, &both(Role::Owner), None).await;
    server.set_active("acme", DEACTIVATED, false).await;
    server.employ("nimbus", READER, &both(Role::Viewer), None).await;
    server.transfer("acme", Some("stratus")).await;
    server.allow(ALICE, "acme", "stratus").await;
    settle(server, "owner").await;
}

/// Management and grants as a standing has them, whatever commands have changed.
async fn settle(server: &Server, standing: &str) {
    server.transfer("acme", Some("nimbus")).await;
    if standing == "shut_out" {
        server.withdraw(ALICE, "acme", "nimbus").await;
    } else {
        server.allow(ALICE, "acme", "nimbus").await;
    }
}

/// Somebody who asks for everything there is.
struct Tour<'a> {
    server: &'a Server,
    standing: &'a str,
    client: Client,
    subject: Subject,
}

impl<'a> Tour<'a> {
    async fn new(server: &'a Server, standing: &'a str, number: u32) -> Self {
        settle(server, standing).await;
        let (email, acting_for) = somebody(standing);
        let client = server.client(email);
        let client = acting_for.map_or(client.clone(), |organization| client.acting_for(organization));
        Self { server, standing, client, subject: Subject::new(server, number).await }
    }

    /// Calls an endpoint; what is wrong with the answer.
    async fn call(&mut self, endpoint: &Endpoint) -> Option<String> {
        let Self { server, standing, .. } = *self;
        let expected = decide(endpoint.id, standing).expect("a row of the table");
        let mut subject = self.subject.clone();
        // To the agents of a provider, a case that is with the other one is none (R-ROUTE-1).
        let is_elsewhere = standing == "agent_south" && endpoint.path.contains(&Segment::Case);
        if expected == "yes" && !is_elsewhere {
            self.subject.prepare(server, &self.client, endpoint).await;
            subject = Subject { number: subject.number, ..self.subject.clone() };
        }
        let joins = decide("organizations.knownIssues.meToo", standing) == Some("yes");
        if expected == "yes" && issues::leaves(endpoint) && joins {
            let me_too = format!("/v2/organizations/acme/knownIssues/{}:meToo", subject.issue);
            self.client.post(&me_too, &json!({})).await.ok();
            server.until_reactors_rest().await;
        }
        let before = server.deeds().await;
        let mut call = self.client.call(method(endpoint), &subject.path(endpoint));
        if let Some(body) = body(endpoint, &subject) {
            call = call.bytes(body);
        }
        let answer = call.send().await;
        let stored = server.deeds().await != before;
        let fits = match expected {
            // Support may close, and is told that it needs a solution first (R-CLOSE-1).
            "yes" if endpoint.id == "cases.close" && standing == "agent" => {
                (answer.status, reason(&answer).as_str()) == (400, "SOLUTION_REQUIRED") && !stored
            }
            // A published path that is refused to whoever may upload.
            "yes" if endpoint.id.ends_with(".withoutMedia") => {
                (answer.status, reason(&answer).as_str()) == (400, "MEDIA_MISSING") && !stored
            }
            // Whoever reads a case may be asked how content they are; who did not file this one was not (R-SURVEY-1).
            "yes" if endpoint.id == "cases.answerSurvey" && standing != "owner" => {
                (answer.status, reason(&answer).as_str()) == (403, "NOT_THE_FILER") && !stored
            }
            // Who may only read never said that it affects them.
            "yes" if issues::leaves(endpoint) && !joins => {
                (answer.status, reason(&answer).as_str()) == (400, "NOT_JOINED") && !stored
            }
            // Support may send several commands; each is judged by itself, and an item has its own answer.
            "yes" if endpoint.id == "cases.batch" && standing != "agent" => {
                let refusal = if standing == "agent_south" { 404 } else { 403 };
                answer.status == 200 && answer.json()["items"][0]["status"] == refusal && !stored
            }
            "yes" if is_elsewhere => {
                answer.status == 404 && reason(&answer).ends_with("_NOT_FOUND") && !stored
            }
            // What became of messages is not in the log.
            "yes" if endpoint.id == "notifications.retry" => answer.status == 200 && !stored,
            "yes" => (200..300).contains(&answer.status) && stored == (endpoint.kind != Kind::Query),
            refusal => answer.status == 403 && reason(&answer) == refusal && !stored,
        };
        if stored {
            // What follows by itself would be taken for somebody's doing.
            server.until_reactors_rest().await;
            settle(server, standing).await;
            self.subject = Subject::new(server, self.subject.number + 1).await;
        }
        (!fits).then(|| {
            let (id, text) = (endpoint.id, answer.text());
            format!("{id} {standing}: table {expected}, got {} stored {stored} {text}", answer.status)
        })
    }
}

/// The reason of a refusal, also in SCIM's shape.
fn reason(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
    let reason = [&body["reason"], &body["error"]["details"][0]["reason"]];
    reason.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn every_endpoint_answers_everybody_as_the_table_says() {
    let server = Server::start().await;
    cast(&server).await;
    let mut wrong = Vec::new();
    for (number, standing) in (0..).zip(STANDINGS) {
        let mut tour = Tour::new(&server, standing, number * 1_000).await;
        for endpoint in endpoints() {
            wrong.extend(tour.call(endpoint).await);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn without_a_good_token_every_endpoint_is_401_and_nothing_else_is_judged() {
    let server = Server::start().await;
    let other = Server::start().await;
    let subject = Subject::new(&server, 0).await;
    let before = server.deeds().await;
    let good = server.token(ALICE);
    let expired = {
        let token = server.token(ALICE);
        server.clock.advance(SignedDuration::from_hours(24 * 401));
        token
    };
    let mut cut = good.clone();
    cut.truncate(good.len() - 4);
    let authorizations = [
        (None, "TOKEN_MISSING"),
        (Some("Basic YWxpY2U6c2VjcmV0".to_owned()), "TOKEN_MISSING"),
        (Some("Bearer".to_owned()), "TOKEN_MISSING"),
        (Some("Bearer garbage".to_owned()), "TOKEN_MALFORMED"),
        (Some("Bearer a.b.c".to_owned()), "TOKEN_MALFORMED"),
        (Some(format!("Bearer {cut}")), "TOKEN_SIGNATURE"),
        (Some(format!("Bearer {expired}")), "TOKEN_EXPIRED"),
        (Some(format!("Bearer {}x", "y".repeat(20_000))), "TOKEN_MALFORMED"),
    ];
    let anonymous = server.anonymous();
    for endpoint in endpoints().filter(|endpoint| !endpoint.action.needs_no_sign_in()) {
        for (authorization, refusal) in &authorizations {
            for path in [subject.path(endpoint), Subject::nonsense().path(endpoint)] {
                let mut call = anonymous.call(method(endpoint), &path).bytes("{broken");
                if let Some(authorization) = authorization {
                    call = call.header("authorization", authorization);
                }
                let answer = call.send().await;
                let found = (answer.status, reason(&answer));
                assert_eq!(found, (401, (*refusal).to_owned()), "{} {authorization:?}", endpoint.id);
                assert!(answer.header("www-authenticate").is_some_and(|text| text.starts_with("Bearer")));
            }
        }
    }
    let stolen = anonymous.with_token(Some(other.token(ALICE)));
    let answer = stolen.get("/v2/organizations/acme/cases").await;
    assert_eq!((answer.status, answer.error()["status"].as_str()), (401, Some("UNAUTHENTICATED")));
    assert_eq!(server.deeds().await, before);
}
