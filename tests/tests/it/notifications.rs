//! R-NOTIFY-1, R-NOTIFY-3, R-SURVEY-1: who is mailed what, read back from a real mail server.

use dossier_tests::people::{AGENT, ALICE, AUDITOR, BOB, CAROL, NINA, OPERATOR};
use dossier_tests::server::{PUBLIC_URL, case_path, file_on_note};
use dossier_tests::smtp::{MailServer, ReceivedMail};
use dossier_tests::{Client, Server};
use reqwest::Method;
use serde_json::{Value, json};

/// A server with a mail server, and a case in French that alice filed for two subscribers.
struct Post {
    server: Server,
    mail: MailServer,
    case: String,
    /// How many mails came before something that is looked at.
    seen: usize,
}

impl Post {
    async fn new(subscribers: &[&str]) -> Self {
        let mail = MailServer::start().await;
        let server = Server::start().await.with_mail_server(&mail.url()).await;
        // The sample cases are news, too.
        server.mails_settled().await;
        let case = file(&server.client(ALICE), subscribers).await;
        server.mails_settled().await;
        let seen = mail.mails().len();
        Self { server, mail, case, seen }
    }

    async fn act(&self, who: &str, what: &str, body: &Value) {
        self.server.client(who).post(&format!("{}{what}", self.case), body).await.ok();
    }

    async fn comment(&self, who: &str, text: &str) {
        self.act(who, "/comments", &json!({"body": text})).await;
    }

    /// The mails that have come since somebody looked last, by their readers.
    async fn new_mails(&mut self) -> Vec<ReceivedMail> {
        self.server.mails_settled().await;
        let mut mails = self.mail.mails().split_off(self.seen);
        self.seen += mails.len();
        mails.sort_by_key(|mail| mail.to().to_owned());
        mails
    }

    async fn readers(&mut self) -> Vec<String> {
        self.new_mails().await.iter().map(|mail| mail.to().to_owned()).collect()
    }

    fn id(&self) -> &str {
        self.case.rsplit('/').next().unwrap()
    }
}

async fn file(client: &Client, subscribers: &[&str]) -> String {
    let case = json!({
        "displayName": "Rien ne <va> plus",
        "description": "Depuis ce matin.",
        "classification": {"id": "compute-vm"},
        "priority": "P3",
        "languageCode": "fr",
        "subscriberEmailAddresses": subscribers,
    });
    case_path(&client.post("/v2/organizations/acme/cases", &case).await)
}

/// The path of a link of this server's in a mail.
fn path(url: &str) -> String {
    url.strip_prefix(PUBLIC_URL).unwrap_or_else(|| panic!("{url} leads elsewhere")).to_owned()
}

fn one_click(mail: &ReceivedMail) -> String {
    assert_eq!(mail.header("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    let url = mail.header("List-Unsubscribe").unwrap();
    path(url.trim_start_matches('<').trim_end_matches('>'))
}

/// R-NOTIFY-1.
#[tokio::test]
async fn r_notify_1_a_comment_is_mailed_once_to_the_filer_and_the_subscribers_in_the_cases_language() {
    let mut post =
        Post::new(&["ops@acme.example", "Bob+support@acme.example", "spy@elsewhere.example"]).await;
    post.comment(AGENT, "Avez-vous <essayé> de redémarrer ?").await;
    let mails = post.new_mails().await;
    let readers: Vec<_> = mails.iter().map(ReceivedMail::to).collect();
    assert_eq!(readers, ["Bob+support@acme.example", ALICE, "ops@acme.example"]);
    for mail in &mails {
        assert!(mail.text().contains("Avez-vous <essayé> de redémarrer ?"), "{}", mail.text());
        assert!(mail.html().contains("&lt;essay") && !mail.html().contains("<essay"));
        assert_eq!(mail.header("Content-Language"), Some("fr"));
        assert!(mail.subject().contains("Rien ne <va> plus"), "{}", mail.subject());
        assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
        let desk = format!("https://desk.support.example/organizations/acme/cases/{}", post.id());
        assert!(mail.text().contains(&desk));
    }
    let ids: std::collections::BTreeSet<_> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), 3);
    // Nobody is mailed about their own act.
    post.comment(BOB, "Oui.").await;
    assert_eq!(post.readers().await, [ALICE, "ops@acme.example"]);
    post.comment(ALICE, "Moi aussi.").await;
    assert_eq!(post.readers().await, ["Bob+support@acme.example", "ops@acme.example"]);
}

/// R-NOTIFY-1, R-COMMENT-3.
#[tokio::test]
async fn r_comment_3_what_support_does_for_itself_is_mailed_to_nobody_and_filing_is_mailed_to_the_filer() {
    let mut post = Post::new(&[]).await;
    post.act(AGENT, ":addInternalNote", &json!({"body": "A hard one."})).await;
    file_on_note(&post.server.client(AGENT), &post.case).await;
    assert_eq!(post.readers().await, Vec::<String>::new());
    post.case = file(&post.server.client(BOB), &[]).await;
    let mails = post.new_mails().await;
    assert_eq!((mails.len(), mails[0].to()), (1, BOB));
}

/// R-SURVEY-1.
#[tokio::test]
async fn r_survey_1_the_mail_of_a_closing_brings_the_filer_the_survey_and_nobody_else() {
    let mut post = Post::new(&["ops@acme.example"]).await;
    post.act(BOB, ":close", &json!({})).await;
    let mails = post.new_mails().await;
    assert_eq!(mails.len(), 2);
    let survey = |mail: &ReceivedMail| {
        mail.text().lines().find(|line| line.contains("/survey/")).map(|line| path(line.trim()))
    };
    assert_eq!(survey(&mails[1]), None, "{} is no filer", mails[1].to());
    let link = survey(&mails[0]).expect("the filer's survey");
    let anonymous = post.server.anonymous();
    assert_eq!(anonymous.get(&link).await.status, 200);
    let sent =
        anonymous.call(Method::POST, &link).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(sent.bytes("rating=5").send().await.status, 200);
    post.server
        .client(ALICE)
        .post(&format!("{}:answerSurvey", post.case), &json!({"rating": 1}))
        .await
        .refused(400, "SURVEY_ANSWERED");
}

/// RFC 8058: one click ends the mails of a case for that reader; fetching the link does not.
#[tokio::test]
async fn one_click_ends_the_mails_of_a_case_and_fetching_the_link_changes_nothing() {
    let mut post = Post::new(&["ops@acme.example"]).await;
    post.comment(AGENT, "Un.").await;
    let mails = post.new_mails().await;
    let links: Vec<_> = mails.iter().map(one_click).collect();
    let anonymous = post.server.anonymous();
    let before = post.server.deeds().await;
    for link in &links {
        let page = anonymous.get(link).await;
        assert_eq!(page.status, 200);
        assert!(
            page.text().contains("<form method=post>") && !page.text().contains("Rien ne"),
            "{}",
            page.text()
        );
    }
    assert_eq!(post.server.deeds().await, before, "mail scanners fetch links");
    let click = async |link: &str, form: &str| {
        let sent =
            anonymous.call(Method::POST, link).header("content-type", "application/x-www-form-urlencoded");
        sent.bytes(form).send().await.status
    };
    let all = "List-Unsubscribe=One-Click";
    assert_eq!(click(&links[0], all).await, 200);
    let after = post.server.deeds().await;
    assert_eq!(click(&links[0], all).await, 200);
    assert_eq!(post.server.deeds().await, after, "again changes nothing");
    post.comment(AGENT, "Deux.").await;
    assert_eq!(post.readers().await, ["ops@acme.example"], "alice has ended hers");
    let parts =
        "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    let sent =
        anonymous.call(Method::POST, &links[1]).header("content-type", "multipart/form-data; boundary=b");
    assert_eq!(sent.bytes(parts).send().await.status, 200, "either kind of form");
    assert_eq!(click(&links[0], "again=yes").await, 200);
    post.comment(AGENT, "Trois.").await;
    assert_eq!(post.readers().await, [ALICE]);
    // A link for one thing opens nothing else, and a changed one nothing at all.
    let token = links[0].rsplit('/').next().unwrap();
    for other in
        [format!("/survey/{token}"), format!("/not-affected/{token}"), format!("/unsubscribe/x{token}")]
    {
        assert_eq!(anonymous.get(&other).await.status, 404, "{other}");
    }
}

#[tokio::test]
async fn people_end_and_resume_their_mails_signed_in_too_and_nobody_for_others() {
    let mut post = Post::new(&["bob@acme.example"]).await;
    post.act(BOB, ":stopNotifications", &json!({})).await;
    post.comment(AGENT, "Un.").await;
    assert_eq!(post.readers().await, [ALICE]);
    post.act(BOB, ":resumeNotifications", &json!({})).await;
    post.comment(AGENT, "Deux.").await;
    assert_eq!(post.readers().await, [ALICE, BOB]);
    let stop = format!("{}:stopNotifications", post.case);
    post.server.client(AGENT).post(&stop, &json!({})).await.refused(403, "NOT_FOR_YOU");
    post.server.client(CAROL).post(&stop, &json!({})).await.ok();
}

/// R-NOTIFY-1: what somebody wants of all cases.
#[tokio::test]
async fn r_notify_1_preferences_choose_the_language_and_whether_there_are_mails_at_all() {
    let mut post = Post::new(&[]).await;
    let alice = post.server.client(ALICE);
    let preferences = "/v2/me/notificationPreferences";
    let first = alice.get(preferences).await.ok();
    assert_eq!(first, json!({"name": "me/notificationPreferences", "caseMails": "ALL"}));
    let changed = alice.patch(preferences, &json!({"languageCode": "de"})).await.ok();
    assert_eq!((&changed["caseMails"], &changed["languageCode"]), (&json!("ALL"), &json!("de")));
    post.comment(AGENT, "Eins.").await;
    let mails = post.new_mails().await;
    assert_eq!((mails.len(), mails[0].header("Content-Language")), (1, Some("de")));
    let none = format!("{preferences}?updateMask=caseMails");
    alice.patch(&none, &json!({"caseMails": "NONE", "languageCode": "ja"})).await.ok();
    post.comment(AGENT, "Zwei.").await;
    assert_eq!(post.readers().await, Vec::<String>::new());
    assert_eq!(alice.get(preferences).await.ok()["languageCode"], "de", "not named, so it stays");
    alice.patch(preferences, &json!({"languageCode": "xx"})).await.refused(400, "INVALID_FIELD");
    let both = format!("{preferences}?updateMask=caseMails,languageCode");
    let reset = alice.patch(&both, &json!({})).await.ok();
    assert_eq!(reset, json!({"name": "me/notificationPreferences", "caseMails": "ALL"}));
}

/// R-RES-7, R-RES-2.
#[tokio::test]
async fn r_res_7_mails_of_an_open_case_whose_filers_reseller_has_left_go_to_the_product_owners() {
    let mut post = Post::new(&[]).await;
    let nina = post.server.client(NINA).acting_for("nimbus");
    let case = json!({
        "displayName": "For globex",
        "description": "It is slow.",
        "classification": {"id": "compute-vm"},
        "priority": "P3",
        "subscriberEmailAddresses": ["desk@nimbus.example"],
    });
    post.case = case_path(&nina.post("/v2/organizations/globex/cases", &case).await);
    assert_eq!(post.readers().await, ["desk@nimbus.example", NINA]);
    let withdraw = json!({"reseller": "organizations/nimbus"});
    let hank = post.server.client("hank@globex.example");
    hank.post("/v2/organizations/globex:withdrawResellerAccess", &withdraw).await.ok();
    post.comment(AGENT, "For the owner.").await;
    assert_eq!(post.readers().await, ["hank@globex.example"]);
}

/// R-COMMENT-2.
#[tokio::test]
async fn r_comment_2_nothing_of_a_mail_enters_the_log() {
    let mut post = Post::new(&["ops@acme.example"]).await;
    post.comment(AGENT, "Un.").await;
    let (head, auditor) = (post.server.deeds().await, post.server.client(AUDITOR));
    assert_eq!(post.readers().await.len(), 2);
    assert_eq!(post.server.deeds().await, head, "two mails later");
    let events = auditor.get(&format!("{}/events?pageSize=100", post.case)).await.ok().to_string();
    assert!(events.contains("Un.") && !events.contains("unsubscribe"), "{events}");
}

/// R-NOTIFY-2: rebuilding and starting again send nothing.
#[tokio::test]
async fn r_notify_2_rebuilding_and_starting_again_send_nothing() {
    let mut post = Post::new(&["ops@acme.example"]).await;
    post.comment(AGENT, "Un.").await;
    assert_eq!(post.readers().await.len(), 2);
    for model in ["cases", "case_history", "organizations", "accounts"] {
        post.server.app().read_models.rebuild(model, &|_| ()).await.unwrap();
    }
    post.server = post.server.restarted().await;
    assert_eq!(post.readers().await, Vec::<String>::new());
    let operator = post.server.client(OPERATOR);
    let unknown = operator.get("/v2/notifications?state=UNKNOWN").await.ok();
    assert_eq!(unknown, json!({"notifications": []}));
}
