//! R-SURVEY-1 by the link that is mailed: whoever has it answers in the filer's place, once, without signing in.

use dossier_commands::signed_link::{SignedLink, sign};
use dossier_domain::{CaseId, OrganizationId};
use dossier_tests::people::{AGENT, ALICE};
use dossier_tests::server::{case_path, file_case, sample_case};
use dossier_tests::{Answer, Client, Server};
use reqwest::Method;
use serde_json::json;
use ulid::Ulid;

/// A closed case, and the link to the survey of its closing.
struct Closed {
    server: Server,
    alice: Client,
    case: String,
}

impl Closed {
    async fn new() -> Self {
        let server = Server::start().await;
        let alice = server.client(ALICE);
        let case = file_case(&alice, "acme").await;
        let closed = Self { server, alice, case };
        closed.close().await;
        closed
    }

    async fn close(&self) {
        self.alice.post(&format!("{}:close", self.case), &json!({})).await.ok();
    }

    fn link(&self, closing: u32) -> String {
        let id = self.case.rsplit('/').next().unwrap();
        let case: CaseId = id.parse().unwrap();
        let organization = OrganizationId::new("acme").unwrap();
        let link = SignedLink::Survey { organization, case, closing };
        format!("/survey/{}", sign(self.server.app().commands.sealer(), &link))
    }

    async fn opened(&self, closing: u32) -> Answer {
        self.server.anonymous().get(&self.link(closing)).await
    }

    async fn sent(&self, closing: u32, form: &str) -> Answer {
        send(&self.server.anonymous(), &self.link(closing), form).await
    }
}

async fn send(client: &Client, link: &str, form: &str) -> Answer {
    let call = client.call(Method::POST, link).header("content-type", "application/x-www-form-urlencoded");
    call.bytes(form).send().await
}

#[track_caller]
fn assert_page(answer: &Answer, status: u16, says: &str) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    assert!(answer.header("content-type").unwrap().starts_with("text/html"), "{text}");
    assert!(text.contains(says), "{says}: {text}");
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    assert!(!text.contains("<script") && !text.contains("Machines do not start"), "{text}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "the address is the key");
}

/// R-SURVEY-1.
#[tokio::test]
async fn r_survey_1_whoever_has_the_link_answers_once_and_opening_it_changes_nothing() {
    let closed = Closed::new().await;
    let before = closed.server.deeds().await;
    for _ in 0..3 {
        assert_page(&closed.opened(1).await, 200, "<fieldset>");
    }
    assert_page(&closed.sent(1, "text=Quick").await, 400, "choose a rating");
    assert_page(&closed.sent(1, "rating=6&text=%3Cb%3E").await, 400, "&lt;b&gt;");
    assert_eq!(closed.server.deeds().await, before, "nothing was answered yet");
    let form = "rating=4&text=Quick%2C+thanks";
    assert_page(&closed.sent(1, form).await, 200, "Thank you");
    let after = closed.server.deeds().await;
    assert_page(&closed.sent(1, form).await, 200, "Thank you");
    assert_page(&closed.sent(1, "rating=1").await, 409, "answered before");
    assert_page(&closed.opened(1).await, 409, "answered before");
    closed
        .alice
        .post(&format!("{}:answerSurvey", closed.case), &json!({"rating": 1}))
        .await
        .refused(400, "SURVEY_ANSWERED");
    assert_eq!(
        closed.server.deeds().await,
        after,
        "the first answer stays, a form that is sent twice is one"
    );
    let events = closed.server.events().await;
    let answer = events.iter().rfind(|event| &*event.event_type == "SurveyAnswered").unwrap();
    let payload: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!((&payload["rating"], &payload["via"]), (&json!(4), &json!("link")));
    assert!(!String::from_utf8_lossy(&answer.payload).contains("Quick"), "sealed with the filer's key");
}

/// R-SURVEY-1.
#[tokio::test]
async fn r_survey_1_a_link_expires_when_the_case_is_reopened_and_each_closing_has_its_own() {
    let closed = Closed::new().await;
    closed.alice.post(&format!("{}/comments", closed.case), &json!({"body": "Again."})).await.ok();
    assert_page(&closed.opened(1).await, 410, "No longer open");
    assert_page(&closed.sent(1, "rating=1").await, 410, "No longer open");
    closed.close().await;
    assert_page(&closed.opened(1).await, 410, "No longer open");
    assert_page(&closed.sent(2, "rating=5").await, 200, "Thank you");
    assert_page(&closed.opened(3).await, 404, "does not work");
}

/// R-SURVEY-1.
#[tokio::test]
async fn r_survey_1_a_link_that_was_changed_or_is_for_something_else_opens_nothing() {
    let closed = Closed::new().await;
    let anonymous = closed.server.anonymous();
    let before = closed.server.deeds().await;
    let link = closed.link(1);
    let cut = &link[..link.len() - 1];
    let account = closed.server.actor(ALICE).account;
    let other = SignedLink::NotAffected { issue: Ulid::from(1_u128), account };
    let other = format!("/survey/{}", sign(closed.server.app().commands.sealer(), &other));
    for wrong in [cut, &format!("{link}A"), "/survey/x", "/survey/%00", &other] {
        assert_page(&anonymous.get(wrong).await, 404, "does not work");
        assert_page(&send(&anonymous, wrong, "rating=5").await, 404, "does not work");
    }
    let german = anonymous.call(Method::GET, "/survey/x").header("accept-language", "it, de-AT;q=0.8").send();
    assert_page(&german.await, 404, "Dieser Link funktioniert nicht");
    let large = format!("rating=5&text={}", "x".repeat(70_000));
    assert_page(&send(&anonymous, &link, &large).await, 413, "too long");
    assert_eq!(anonymous.call(Method::DELETE, &link).send().await.status, 405);
    assert_eq!(closed.server.deeds().await, before);
}

/// R-SURVEY-1.
#[tokio::test]
async fn r_survey_1_the_page_speaks_the_language_of_the_case_and_support_has_no_part_in_it() {
    let closed = Closed::new().await;
    let mut case = sample_case();
    case["languageCode"] = json!("ja");
    let filed = closed.alice.post("/v2/organizations/acme/cases", &case).await;
    let japanese = Closed { case: case_path(&filed), ..closed };
    japanese.close().await;
    assert_page(&japanese.opened(1).await, 200, "<html lang=\"ja\">");
    // Who signs in with it is not looked at: the link alone counts.
    let agent = japanese.server.client(AGENT);
    assert_page(&send(&agent, &japanese.link(1), "rating=5").await, 200, "ありがとうございました");
}

#[tokio::test]
async fn whoever_opens_links_without_end_is_asked_to_wait() {
    let closed = Closed::new().await;
    let mut last = closed.opened(1).await;
    for _ in 0..60 {
        if last.status == 429 {
            break;
        }
        last = closed.opened(1).await;
    }
    assert_page(&last, 429, "Nothing was saved");
    assert!(last.header("retry-after").is_some());
}
