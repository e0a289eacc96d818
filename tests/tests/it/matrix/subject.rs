//! What each endpoint is asked with: the resources that are there for it, the path to them, a query and a body.

use super::READER;
use dossier_api::call::Version;
use dossier_api::endpoints::{Endpoint, Kind, Segment};
use dossier_domain::Role;
use dossier_tests::people::{AGENT, ALICE, BOB, CAROL, NINA, OPERATOR};
use dossier_tests::server::{file_case, file_on_note, help_session_where, sample_case};
use dossier_tests::{Client, Server};
use reqwest::Method;
use serde_json::{Value, json};

/// A body that an endpoint accepts from whoever may; it changes something each time.
pub(crate) fn body(endpoint: &Endpoint, subject: &Subject) -> Option<Vec<u8>> {
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
        | "cases.undoMerge"
        | "cases.stopNotifications"
        | "cases.resumeNotifications"
        | "notifications.retry"
        | "organizations.knownIssues.meToo"
        | "organizations.knownIssues.notAffected"
        | "organizations.knownIssues.unsubscribe"
        | "organizations.supportEventSubscriptions.undelete"
        | "organizations.supportEventSubscriptions.expunge"
        | "organizations.webhooks.rotateSecret"
        | "organizations.webhooks.test"
        | "helpSessions.notHelped"
        | "helpSessions.back"
        | "helpSessions.searchAgain" => json!({}),
        "me.notificationPreferences.patch" | "helpSessions.create" => json!({"languageCode": "fr"}),
        "cases.route" => json!({"provider": "south", "reason": "They speak Portuguese."}),
        "cases.requestInformation" => json!({"information": "EXACT_STEPS", "text": "How?"}),
        "cases.proposeSolution" => json!({"kind": "SOLVED", "text": "Restart it."}),
        "cases.changePriority" => json!({"priority": "P2", "reason": "It is worse than it looked."}),
        "cases.addInternalNote" => json!({"body": "It is the cable."}),
        "cases.answerSurvey" => json!({"rating": 4}),
        "cases.followUp" => json!({"description": "It is back."}),
        "cases.linkCases" | "cases.unlinkCases" => json!({"case": subject.other, "kind": "RELATED"}),
        "cases.mergeInto" => json!({"case": subject.other}),
        "cases.batch" => {
            let name = format!("organizations/acme/cases/{}", subject.case);
            json!({"items": [{"name": name, "command": "addInternalNote", "body": {"body": "It is the cable."}}]})
        }
        "savedViews.create" | "savedViews.patch" => json!({"displayName": format!("View {new}")}),
        "cases.comments.create" | "cases.notes.create" => json!({"body": "hello"}),
        "media.upload" | "cases.notes.attachments.upload" => return Some(b"the content".to_vec()),
        "media.upload.withoutMedia" | "cases.notes.attachments.upload.withoutMedia" => {
            json!({"attachment": {"filename": "a.txt"}})
        }
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
        "helpSessions.describe" => json!({"text": "The machine hangs."}),
        "helpSessions.open" | "helpSessions.helped" => json!({"suggestion": subject.shown}),
        "helpSessions.chooseCase" => json!({"case": subject.shown}),
        "helpSessions.chooseKind" => json!({"kind": "slow"}),
        "helpSessions.chooseContact" => json!({"channel": "WEB"}),
        "helpSessions.startCase" => json!({"classification": {"id": "compute-vm"}}),
        "feedback.create" => json!({"text": "I like it."}),
        "accountRecoveryCases.create" => json!({"email": address, "description": "I cannot get in."}),
        "accountRecoveryCases.close" => json!({"outcome": "They are in again."}),
        "knownIssues.create" => json!({
            "product": "compute",
            "title": format!("Machines do not start {new}"),
            "source": "INTERNAL_ALERT",
        }),
        "knownIssues.confirm" => {
            json!({"impact": "HIGH", "statement": format!("Nobody can work. {new}")})
        }
        "knownIssues.dismiss" => json!({"reason": "A false alarm."}),
        "knownIssues.publish" => json!({"summary": "Machines do not start"}),
        "knownIssues.postUpdate" | "knownIssues.resolve" => json!({"text": "Start them again."}),
        "phoneCalls.create" => json!({"product": "compute"}),
        "organizations.supportEventSubscriptions.create" => {
            json!({"pubSubTopic": "projects/acme/topics/cases"})
        }
        "organizations.supportEventSubscriptions.patch" => {
            json!({"pubSubTopic": format!("projects/acme/topics/t{new}")})
        }
        // Nothing is sent there: it is this machine.
        "organizations.webhooks.create" => {
            json!({"url": "https://localhost/", "pubSubTopic": "projects/acme/topics/cases"})
        }
        "organizations.webhooks.patch" => json!({"enabled": false}),
        "organizations.members.delete"
        | "organizations.supportEventSubscriptions.delete"
        | "organizations.webhooks.delete"
        | "organizations.domains.delete"
        | "organizations.domains.verify"
        | "scim.users.delete"
        | "savedViews.delete" => return None,
        id => {
            let reads = matches!(endpoint.kind, Kind::Query | Kind::Export);
            assert!(reads, "give the new command {id} a body here");
            return None;
        }
    };
    Some(json.to_string().into_bytes())
}

/// What stands behind the path of an endpoint.
pub(crate) fn query(endpoint: &Endpoint, subject: &Subject) -> String {
    match endpoint.id {
        "cases.patch" => "?updateMask=displayName".to_owned(),
        "media.upload" | "cases.notes.attachments.upload" => "?attachment.filename=b.txt".to_owned(),
        "media.download" | "cases.notes.attachments.download" => "?alt=media".to_owned(),
        // This one names its parent in the query.
        "cases.search.byQuery" => "?query=organization%3D%22organizations%2Facme%22".to_owned(),
        "cases.explainAccess" => "?principal=alice%40acme.example".to_owned(),
        "organizations.create" => format!("?organizationId=new-{}", subject.number),
        _ => String::new(),
    }
}

/// What paths and bodies name.
#[derive(Clone)]
pub(crate) struct Subject {
    /// Makes new things new.
    pub(crate) number: u32,
    pub(crate) case: String,
    pub(crate) comment: String,
    pub(crate) attachment: String,
    /// A note of support's on the case.
    pub(crate) note: String,
    /// A file of that note.
    pub(crate) note_file: String,
    /// An account of acme's.
    pub(crate) account: String,
    /// A domain that acme claims.
    pub(crate) domain: String,
    /// Somebody's wish to have their account back.
    pub(crate) recovery: String,
    /// A subscription to events, or a webhook, of acme's.
    pub(crate) receiver: String,
    /// A view that whoever asks has saved.
    pub(crate) view: String,
    /// The name of another case.
    pub(crate) other: String,
    /// A known issue.
    pub(crate) issue: String,
    /// A message that failed for good.
    pub(crate) notification: String,
    /// A session with the help assistant, of whoever asks.
    pub(crate) help_session: String,
    /// The first thing that its step shows.
    pub(crate) shown: String,
    /// Somebody's feedback.
    pub(crate) feedback: String,
}

pub(crate) fn last(name: &Value) -> String {
    name.as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

impl Subject {
    /// A case of alice's with a comment and a file.
    pub(crate) async fn new(server: &Server, number: u32) -> Self {
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
    pub(crate) fn nonsense() -> Self {
        let garbage = || "garbage".to_owned();
        Self {
            number: 0,
            case: garbage(),
            comment: garbage(),
            attachment: garbage(),
            note: garbage(),
            note_file: garbage(),
            account: garbage(),
            domain: garbage(),
            recovery: garbage(),
            receiver: garbage(),
            view: garbage(),
            other: garbage(),
            issue: garbage(),
            notification: garbage(),
            help_session: garbage(),
            shown: garbage(),
            feedback: garbage(),
        }
    }

    /// Makes so much of the world that an endpoint has something to show or to change.
    pub(crate) async fn prepare(&mut self, server: &Server, client: &Client, endpoint: &Endpoint) {
        let address = format!("new-{}@acme.example", self.number);
        let is_of_item = endpoint.path.contains(&Segment::Item);
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
            "cases.resumeNotifications" => self.stop_everybodys_mails(server).await,
            "me.notificationPreferences.patch" => {
                // The same person has several standings: each finds the language that nobody chose.
                let reset = "/v2/me/notificationPreferences?updateMask=languageCode";
                server.client(NINA).patch(reset, &json!({})).await.ok();
            }
            "notifications.retry" => self.notification = server.failed_notification(self.number).await,
            id if id.starts_with("organizations.supportEventSubscriptions.") && is_of_item => {
                let to = json!({"pubSubTopic": "projects/acme/topics/cases"});
                let path = "/v2/organizations/acme/supportEventSubscriptions";
                let made = server.client(ALICE).post(path, &to).await.ok();
                self.receiver = last(&made["name"]);
                if id.ends_with(".undelete") {
                    let path = format!("{path}/{}", self.receiver);
                    server.client(ALICE).call(Method::DELETE, &path).send().await.ok();
                }
            }
            id if id.starts_with("organizations.webhooks.") && is_of_item => {
                let hook = json!({"url": "https://localhost/", "pubSubTopic": "projects/acme/topics/cases"});
                let made = server.client(ALICE).post("/v2/organizations/acme/webhooks", &hook).await.ok();
                self.receiver = last(&made["name"]);
            }
            "savedViews.get" | "savedViews.patch" | "savedViews.delete" => {
                let view = json!({"displayName": "Mine", "filter": "assignee=me"});
                self.view = last(&client.post("/v2/savedViews", &view).await.ok()["name"]);
            }
            "feedback.get" => {
                let sent = server.client(ALICE).post("/v2/feedback", &json!({"text": "Good."})).await.ok();
                self.feedback = last(&sent["name"]);
            }
            id if id.starts_with("helpSessions.") && id != "helpSessions.create" => {
                let wanted = endpoint.verb.unwrap_or("describe");
                let session = help_session_where(client, "acme", wanted).await;
                self.help_session = last(&session["name"]);
                let shown = [&session["suggestions"][0]["name"], &session["recentCases"][0]["name"]];
                shown.into_iter().find_map(Value::as_str).unwrap_or_default().clone_into(&mut self.shown);
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
            "cases.linkCases" | "cases.unlinkCases" | "cases.mergeInto" | "cases.undoMerge" => {
                let other = file_case(&server.client(ALICE), "acme").await;
                other.trim_start_matches("/v2/").clone_into(&mut self.other);
                if endpoint.id == "cases.unlinkCases" {
                    self.act(server, AGENT, "linkCases", &json!({"case": self.other, "kind": "RELATED"}))
                        .await;
                }
                if endpoint.id == "cases.undoMerge" {
                    self.act(server, AGENT, "mergeInto", &json!({"case": self.other})).await;
                }
            }
            id if id.starts_with("cases.notes.attachments.") => {
                let case = format!("/v2/organizations/acme/cases/{}", self.case);
                let file = file_on_note(&server.client(AGENT), &case).await;
                let name = file["name"].as_str().unwrap();
                let (note, id) = name.split_once("/attachments/").unwrap();
                id.clone_into(&mut self.note_file);
                self.note = last(&json!(note));
            }
            id if id.contains("knownIssues.") => self.issue = super::issues::known_issue(server, id).await,
            _ => return,
        }
        self.number += 1;
    }

    /// Ends the mails of the case for everybody who can; others are refused, which is looked at elsewhere.
    async fn stop_everybodys_mails(&self, server: &Server) {
        let path = format!("/v2/organizations/acme/cases/{}:stopNotifications", self.case);
        for email in [ALICE, BOB, CAROL] {
            server.client(email).post(&path, &json!({})).await.ok();
        }
        for email in [NINA, READER] {
            let _ = server.client(email).acting_for("nimbus").post(&path, &json!({})).await;
        }
    }

    /// Has somebody do something with the case.
    pub(crate) async fn act(&self, server: &Server, who: &str, verb: &str, body: &Value) {
        let path = format!("/v2/organizations/acme/cases/{}:{verb}", self.case);
        server.client(who).post(&path, body).await.ok();
    }

    /// What an item of a collection is called.
    fn item(&self, collection: &str) -> &str {
        match collection {
            "members" | "Users" => &self.account,
            "domains" => &self.domain,
            "accountRecoveryCases" => &self.recovery,
            "queues" => "mine",
            "knownIssues" => &self.issue,
            "notifications" => &self.notification,
            "supportEventSubscriptions" | "webhooks" => &self.receiver,
            "savedViews" => &self.view,
            "helpSessions" => &self.help_session,
            "feedback" => &self.feedback,
            "notes" => &self.note,
            unknown => panic!("what is in {unknown}? name one here"),
        }
    }

    /// The path of an endpoint, in the newest version that has it.
    pub(crate) fn path(&self, endpoint: &Endpoint) -> String {
        let upload = if endpoint.kind == Kind::Upload { "/upload" } else { "" };
        let newest = endpoint.versions.first().expect("an endpoint is in a version");
        let version = match newest {
            Version::V2 => "/v2",
            Version::V2Beta => "/v2beta",
            Version::Scim => "/scim/v2",
        };
        let mut path = format!("{upload}{version}");
        let mut collection = "";
        for segment in endpoint.path.iter().filter(|segment| **segment != Segment::All) {
            path.push('/');
            path.push_str(match segment {
                Segment::All => "",
                Segment::Literal(text) => {
                    collection = text;
                    text
                }
                Segment::Parent | Segment::ParentOrAll | Segment::Organization => "organizations/acme",
                Segment::Case => &self.case,
                Segment::Comment => &self.comment,
                Segment::Attachment if endpoint.path.contains(&Segment::Item) => &self.note_file,
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
