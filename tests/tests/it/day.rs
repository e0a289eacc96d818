//! The whole life of a case, over HTTP alone: what each side does, the state that the customer sees after it, and the story
//! that the feed tells in the end.

use dossier_tests::people::{AGENT, ALICE, BOB, CAROL};
use dossier_tests::server::file_case;
use dossier_tests::{Answer, Client, Server};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

const OUTAGE_URL: &str = "https://status.support.example/incidents/7";
const ONE_DAY: SignedDuration = SignedDuration::from_hours(24);

/// A case at one server, and who has to do with it.
struct Story {
    server: Server,
    case: String,
    alice: Client,
    bob: Client,
    carol: Client,
    agent: Client,
}

impl Story {
    async fn begin() -> Self {
        let server = Server::start().await;
        let [alice, bob, carol, agent] = [ALICE, BOB, CAROL, AGENT].map(|who| server.client(who));
        Self { case: file_case(&alice, "acme").await, server, alice, bob, carol, agent }
    }

    async fn act(&self, who: &Client, verb: &str, body: Value) -> Answer {
        self.server.clock.advance(SignedDuration::from_mins(10));
        who.post(&format!("{}:{verb}", self.case), &body).await
    }

    async fn comment(&self, who: &Client, body: &str) -> Answer {
        self.server.clock.advance(SignedDuration::from_mins(10));
        who.post(&format!("{}/comments", self.case), &json!({"body": body})).await
    }

    /// State of the case and whether it is escalated, as the customer sees them.
    async fn stands(&self) -> (String, bool) {
        let case = self.carol.get(&self.case).await.ok();
        (case["state"].as_str().unwrap().to_owned(), case["escalated"].as_bool().unwrap())
    }

    #[track_caller]
    fn is(stands: &(String, bool), state: &str, escalated: bool) {
        assert_eq!((&*stands.0, stands.1), (state, escalated));
    }

    /// The feed as a viewer of the customer reads it, page by page.
    async fn feed(&self) -> Vec<Value> {
        let path = format!("{}:showFeed?pageSize=3", self.case.replacen("/v2/", "/v2beta/", 1));
        let (mut items, mut token) = (Vec::new(), String::new());
        loop {
            let page = self.carol.get(&format!("{path}&pageToken={token}")).await.ok();
            items.extend(page["feedItems"].as_array().unwrap().iter().cloned());
            match page["nextPageToken"].as_str() {
                Some(next) => next.clone_into(&mut token),
                None => return items,
            }
        }
    }

    /// From the filing to the first closing.
    async fn until_it_is_closed(&self) {
        Self::is(&self.stands().await, "NEW", false);
        let routed = self.agent.get(&self.case).await.ok();
        assert_eq!(routed["support"]["provider"], "north", "R-ROUTE-1");
        self.act(&self.agent, "assign", json!({})).await.ok();
        Self::is(&self.stands().await, "IN_PROGRESS_GOOGLE_SUPPORT", false);
        let question = json!({"information": "LOGS_AND_HEADERS", "text": "Please send the logs."});
        self.act(&self.agent, "requestInformation", question).await.ok();
        Self::is(&self.stands().await, "ACTION_REQUIRED", false);
        self.comment(&self.bob, "Here they are.").await.ok();
        let upload = format!("/upload{}/attachments?attachment.filename=machine.log", self.case);
        let upload = self.bob.call(Method::POST, &upload).header("content-type", "text/plain");
        upload.bytes("it stopped").send().await.ok();
        Self::is(&self.stands().await, "IN_PROGRESS_GOOGLE_SUPPORT", false);
        let why = json!({"escalation": {"reason": "BUSINESS_IMPACT", "justification": "We sell nothing."}});
        self.act(&self.alice, "escalate", why).await.ok();
        Self::is(&self.stands().await, "IN_PROGRESS_GOOGLE_SUPPORT", true);
        self.act(&self.agent, "acknowledgeEscalation", json!({})).await.ok();
        Self::is(&self.stands().await, "IN_PROGRESS_GOOGLE_SUPPORT", true);
        let outage = json!({"kind": "OUTAGE", "text": "It was us, it works again.", "outageUrl": OUTAGE_URL});
        self.act(&self.agent, "proposeSolution", outage).await.ok();
        Self::is(&self.stands().await, "SOLUTION_PROVIDED", true);
        self.act(&self.alice, "close", json!({})).await.ok();
        Self::is(&self.stands().await, "CLOSED", false);
        self.act(&self.alice, "answerSurvey", json!({"rating": 4, "text": "Quick."})).await.ok();
    }

    /// From the comment that reopens it to the second closing.
    async fn once_more(&self) {
        self.server.clock.advance(ONE_DAY * 29);
        let reopening = self.comment(&self.bob, "It is back.").await;
        reopening.ok();
        assert_eq!(reopening.header("dossier-follow-up-of"), Some(self.name()));
        Self::is(&self.stands().await, "IN_PROGRESS_GOOGLE_SUPPORT", false);
        let close = async || self.act(&self.agent, "close", json!({})).await;
        close().await.refused(400, "SOLUTION_REQUIRED");
        let solution = json!({
            "kind": "NOT_REPRODUCIBLE", "text": "With us it starts.", "recommendations": "Update the image.",
        });
        self.act(&self.agent, "proposeSolution", solution).await.ok();
        Self::is(&self.stands().await, "SOLUTION_PROVIDED", false);
        close().await.ok();
        Self::is(&self.stands().await, "CLOSED", false);
    }

    fn name(&self) -> &str {
        self.case.trim_start_matches("/v2/")
    }
}

#[tokio::test]
async fn a_case_lives_from_its_filing_to_its_follow_up_and_the_feed_tells_the_story() {
    let story = Story::begin().await;
    story.until_it_is_closed().await;
    story.once_more().await;
    // Too late: what is offered instead is a case of its own.
    story.server.clock.advance(ONE_DAY * 31);
    let refused = story.comment(&story.alice, "Again!").await;
    refused.refused(400, "REOPEN_WINDOW_ENDED");
    assert_eq!(refused.metadata("followUpOf"), story.name());
    let next = story.act(&story.alice, "followUp", json!({"description": "Again!"})).await.ok();
    assert_eq!((&next["state"], &next["followUpOf"]), (&json!("NEW"), &json!(story.name())));
    Story::is(&story.stands().await, "CLOSED", false);

    let feed = story.feed().await;
    let told: Vec<_> = feed
        .iter()
        .map(|item| {
            let comment = &item["comment"];
            let file = item["attachment"]["filename"].as_str();
            let text = comment["body"].as_str().or(file).unwrap();
            (comment["kind"].as_str().unwrap_or("ATTACHMENT"), text)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("INFORMATION_REQUEST", "Please send the logs."),
            ("COMMENT", "Here they are."),
            ("ATTACHMENT", "machine.log"),
            ("SOLUTION", "It was us, it works again."),
            ("COMMENT", "It is back."),
            ("SOLUTION", "With us it starts."),
        ]
    );
    assert_eq!(feed[0]["comment"]["information"], "LOGS_AND_HEADERS");
    assert_eq!(feed[3]["comment"]["solution"], json!({"kind": "OUTAGE", "outageUrl": OUTAGE_URL}));
    let recommended = json!({"kind": "NOT_REPRODUCIBLE", "recommendations": "Update the image."});
    assert_eq!(feed[5]["comment"]["solution"], recommended);
    for item in [&feed[0], &feed[3], &feed[5]] {
        let creator = &item["comment"]["creator"];
        assert_eq!((&creator["googleSupport"], &creator["email"]), (&json!(true), &Value::Null));
    }
    let times: Vec<_> = feed.iter().map(|item| item["eventTime"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");

    // The same stands in the list of comments, and each is got by its name.
    let comments: Vec<Value> =
        feed.iter().map(|item| item["comment"].clone()).filter(|it| !it.is_null()).collect();
    let listed = story.carol.get(&format!("{}/comments", story.case)).await.ok();
    assert_eq!(listed["comments"], json!(comments));
    for comment in &comments {
        let path = format!("/v2/{}", comment["name"].as_str().unwrap());
        assert_eq!(story.carol.get(&path).await.ok(), *comment);
    }
}
