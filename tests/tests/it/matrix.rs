//! The authorization table over HTTP: every endpoint, by everybody there is, with real requests.
//!
//! A new command needs a body in [`body`]; an endpoint for which something must be there first, a line in
//! [`Subject::prepare`]; a new collection, a name in [`Subject::item`].

use dossier_api::authorization::{STANDINGS, decide};
use dossier_api::call::Version;
use dossier_api::endpoints::{Endpoint, Kind, Segment, endpoints};
use dossier_commands::identity;
use dossier_domain::Role;
use dossier_tests::people::{
    AGENT, AGENT_SOUTH, ALICE, ANALYST, AUDITOR, BOB, CAROL, DAVE, DIRECTORY, ENGINEER, NINA, OPERATOR,
    PETER, SAM,
};
use dossier_tests::server::{file_case, sample_case};
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

/// A body that an endpoint accepts from whoever may; it changes something each time.
fn body(endpoint: &Endpoint, subject: &Subject) -> Option<Vec<u8>> {
    let new = subject.number;
    let address = format!("new-{new}@acme.example");
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "externalId": address,
        "userName": address,
        "displayName": "Somebody new",
    });
    let json = match endpoint.id {
        "cases.create" => sample_case(),
        "cases.patch" => json!({"displayName": "renamed"}),
        "cases.escalate" => json!({"escalation": {"reason": 1, "justification": "now"}}),
        "cases.close"
        | "cases.assign"
        | "cases.unassign"
        | "cases.acknowledgeEscalation"
        | "cases.resolveEscalation"
        | "cases.requestServiceCredit"
        | "cases.requestIncidentReport"
        | "cases.undoMerge" => json!({}),
        "cases.route" => json!({"provider": "south", "reason": "They speak Portuguese."}),
        "cases.requestInformation" => json!({"information": "EXACT_STEPS", "text": "How?"}),
        "cases.proposeSolution" => json!({"kind": "SOLVED", "text": "Restart it."}),
        "cases.changePriority" => json!({"priority": "P2", "reason": "It is worse than it looked."}),
        "cases.addInternalNote" => json!({"body": "It is the cable."}),
        "cases.answerSurvey" => json!({"rating": 4}),
        "cases.followUp" => json!({"description": "It is back."}),
        "cases.linkCases" => json!({"case": subject.other, "kind": "RELATED"}),
        "cases.mergeInto" => json!({"case": subject.other}),
        "cases.comments.create" => json!({"body": "hello"}),
        "media.upload" => return Some(b"the content".to_vec()),
        "media.upload.withoutMedia" => json!({"attachment": {"filename": "a.txt"}}),
        "organizations.create" => json!({"displayName": "New", "country": "FR", "languageCode": "fr"}),
        "organizations.patch" => json!({"technicalContact": {"email": address}}),
        "organizations.allowResellerAccess" | "organizations.withdrawResellerAccess" => {
            json!({"reseller": "organizations/nimbus"})
        }
        "organizations.transferManagement" => json!({"manager": "organizations/stratus"}),
        "organizations.members.create" => json!({"email": address, "roles": {"compute": "VIEWER"}}),
        "organizations.members.patch" => json!({"roles": {"compute": "EDITOR"}}),
        "organizations.entitlements.create" | "organizations.entitlements.end" => {
            json!({"product": "compute", "plan": "silver"})
        }
        "organizations.domains.create" => json!({"domain": format!("claimed-{new}.example")}),
        "scim.users.create" | "scim.users.replace" => user,
        "scim.users.patch" => json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "value": {"active": false}}],
        }),
        "accountRecoveryCases.create" => json!({"email": address, "description": "I cannot get in."}),
        "accountRecoveryCases.close" => json!({"outcome": "They are in again."}),
        "organizations.members.delete"
        | "organizations.domains.delete"
        | "organizations.domains.verify"
        | "scim.users.delete" => return None,
        id => {
            let reads = matches!(endpoint.kind, Kind::Query | Kind::Export);
            assert!(reads, "give the new command {id} a body here");
            return None;
        }
    };
    Some(json.to_string().into_bytes())
}

/// What stands behind the path of an endpoint.
fn query(endpoint: &Endpoint, subject: &Subject) -> String {
    match endpoint.id {
        "cases.patch" => "?updateMask=displayName".to_owned(),
        "media.upload" => "?attachment.filename=b.txt".to_owned(),
        "media.download" => "?alt=media".to_owned(),
        // This one names its parent in the query.
        "cases.search.byQuery" => "?query=organization%3D%22organizations%2Facme%22".to_owned(),
        "cases.explainAccess" => "?principal=alice%40acme.example".to_owned(),
        "organizations.create" => format!("?organizationId=new-{}", subject.number),
        "stats.get" => "?by=state".to_owned(),
        _ => String::new(),
    }
}

/// What paths and bodies name.
#[derive(Clone)]
struct Subject {
    /// Makes new things new.
    number: u32,
    case: String,
    comment: String,
    attachment: String,
    /// An account of acme's.
    account: String,
    /// A domain that acme claims.
    domain: String,
    /// Somebody's wish to have their account back.
    recovery: String,
    /// The name of another case.
    other: String,
}

fn last(name: &Value) -> String {
    name.as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

impl Subject {
    /// A case of alice's with a comment and a file.
    async fn new(server: &Server, number: u32) -> Self {
        let alice = server.client(ALICE);
        let case = file_case(&alice, "acme").await;
        let comment = alice.post(&format!("{case}/comments"), &json!({"body": "first"})).await.ok();
        let upload =
            alice.call(Method::POST, &format!("/upload{case}/attachments?attachment.filename=a.txt"));
        let attachment = upload.bytes("the content").send().await.ok();
        Self {
            number,
            other: case.trim_start_matches("/v2/").to_owned(),
            case: last(&json!(case)),
            comment: last(&comment["name"]),
            attachment: last(&attachment["name"]),
            ..Self::nonsense()
        }
    }

    /// What is nowhere.
    fn nonsense() -> Self {
        let garbage = || "garbage".to_owned();
        Self {
            number: 0,
            case: garbage(),
            comment: garbage(),
            attachment: garbage(),
            account: garbage(),
            domain: garbage(),
            recovery: garbage(),
            other: garbage(),
        }
    }

    /// Makes so much of the world that an endpoint has something to show or to change.
    async fn prepare(&mut self, server: &Server, endpoint: &Endpoint) {
        let address = format!("new-{}@acme.example", self.number);
        match endpoint.id {
            "organizations.allowResellerAccess" => server.withdraw(ALICE, "acme", "nimbus").await,
            "organizations.withdrawResellerAccess" => server.allow(OPERATOR, "acme", "nimbus").await,
            "organizations.entitlements.end" => server.entitle("acme", "compute", "silver", None).await,
            "organizations.members.create" => server.open_account("acme", &address).await,
            "organizations.members.get" | "organizations.members.patch" | "organizations.members.delete" => {
                server.employ("acme", &address, &[("compute", Role::Viewer)], None).await;
                self.account = server.actor(&address).account.to_string();
            }
            "scim.users.get" | "scim.users.replace" | "scim.users.patch" | "scim.users.delete" => {
                server.open_account("acme", &address).await;
                self.account = server.actor(&address).account.to_string();
            }
            "organizations.domains.verify" | "organizations.domains.delete" => {
                self.domain = format!("prepared-{}.example", self.number);
                let claim = json!({"domain": self.domain});
                server.client(OPERATOR).post("/v2/organizations/acme/domains", &claim).await.ok();
            }
            "accountRecoveryCases.get" | "accountRecoveryCases.close" => {
                let wish = json!({"email": address, "description": "I cannot get in."});
                let wish = server.anonymous().post("/v2/accountRecoveryCases", &wish).await.ok();
                self.recovery = last(&wish["name"]);
            }
            "cases.unassign" => self.act(server, AGENT, "assign", &json!({})).await,
            "cases.acknowledgeEscalation" | "cases.resolveEscalation" => {
                let why = json!({"escalation": {"reason": 1, "justification": "now"}});
                self.act(server, ALICE, "escalate", &why).await;
            }
            "cases.requestServiceCredit" | "cases.requestIncidentReport" => {
                let outage = json!({
                    "kind": "OUTAGE",
                    "text": "It was us.",
                    "outageUrl": "https://status.support.example/1",
                });
                self.act(server, AGENT, "proposeSolution", &outage).await;
            }
            "cases.answerSurvey" | "cases.followUp" => self.act(server, ALICE, "close", &json!({})).await,
            "cases.linkCases" | "cases.mergeInto" | "cases.undoMerge" => {
                let other = file_case(&server.client(ALICE), "acme").await;
                other.trim_start_matches("/v2/").clone_into(&mut self.other);
                if endpoint.id == "cases.undoMerge" {
                    self.act(server, AGENT, "mergeInto", &json!({"case": self.other})).await;
                }
            }
            _ => return,
        }
        self.number += 1;
    }

    /// Has somebody do something with the case.
    async fn act(&self, server: &Server, who: &str, verb: &str, body: &Value) {
        let path = format!("/v2/organizations/acme/cases/{}:{verb}", self.case);
        server.client(who).post(&path, body).await.ok();
    }

    /// What an item of a collection is called.
    fn item(&self, collection: &str) -> &str {
        match collection {
            "members" | "Users" => &self.account,
            "domains" => &self.domain,
            "accountRecoveryCases" => &self.recovery,
            unknown => panic!("what is in {unknown}? name one here"),
        }
    }

    /// The path of an endpoint, in the newest version that has it.
    fn path(&self, endpoint: &Endpoint) -> String {
        let upload = if endpoint.kind == Kind::Upload { "/upload" } else { "" };
        let newest = endpoint.versions.first().expect("an endpoint is in a version");
        let version = match newest {
            Version::V2 => "/v2",
            Version::V2Beta => "/v2beta",
            Version::Scim => "/scim/v2",
        };
        let mut path = format!("{upload}{version}");
        let mut collection = "";
        for segment in endpoint.path {
            path.push('/');
            path.push_str(match segment {
                Segment::Literal(text) => {
                    collection = text;
                    text
                }
                Segment::Parent | Segment::ParentOrAll | Segment::Organization => "organizations/acme",
                Segment::Case => &self.case,
                Segment::Comment => &self.comment,
                Segment::Attachment => &self.attachment,
                Segment::Item => self.item(collection),
            });
        }
        if let Some(verb) = endpoint.verb {
            path = format!("{path}:{verb}");
        }
        path + &query(endpoint, self)
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
            self.subject.prepare(server, endpoint).await;
            subject = Subject { number: subject.number, ..self.subject.clone() };
        }
        let before = server.head().await;
        let mut call = self.client.call(method(endpoint), &subject.path(endpoint));
        if let Some(body) = body(endpoint, &subject) {
            call = call.bytes(body);
        }
        let answer = call.send().await;
        let stored = server.head().await.0 > before.0;
        let fits = match expected {
            // Support may close, and is told that it needs a solution first (R-CLOSE-1).
            "yes" if endpoint.id == "cases.close" && standing == "agent" => {
                (answer.status, reason(&answer).as_str()) == (400, "SOLUTION_REQUIRED") && !stored
            }
            // A published path that is refused to whoever may upload.
            "yes" if endpoint.id == "media.upload.withoutMedia" => {
                (answer.status, reason(&answer).as_str()) == (400, "MEDIA_MISSING") && !stored
            }
            // Whoever reads a case may be asked how content they are; who did not file this one was not (R-SURVEY-1).
            "yes" if endpoint.id == "cases.answerSurvey" && standing != "owner" => {
                (answer.status, reason(&answer).as_str()) == (403, "NOT_THE_FILER") && !stored
            }
            "yes" if is_elsewhere => {
                answer.status == 404 && reason(&answer).ends_with("_NOT_FOUND") && !stored
            }
            "yes" => (200..300).contains(&answer.status) && stored == (endpoint.kind != Kind::Query),
            refusal => answer.status == 403 && reason(&answer) == refusal && !stored,
        };
        if stored {
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

/// How many events are somebody's doing: promises and windows end by themselves as the clock goes on.
async fn acts_of_people(server: &Server) -> usize {
    let timers = identity::account_id(server.app().commands.sealer(), "dossier:system", "timers").to_string();
    let events = server.events().await.into_iter();
    events.filter(|event| event.metadata().unwrap().actor != timers).count()
}

#[tokio::test]
async fn without_a_good_token_every_endpoint_is_401_and_nothing_else_is_judged() {
    let server = Server::start().await;
    let other = Server::start().await;
    let subject = Subject::new(&server, 0).await;
    let before = acts_of_people(&server).await;
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
    assert_eq!(acts_of_people(&server).await, before);
}
