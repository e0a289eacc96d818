//! The story of a known issue, over HTTP and by mail alone: the volume rises, support confirms and publishes, users say 'me too',
//! are mailed once each, one wants no more mails, one is not affected, and in the end everybody's case has its solution.

use dossier_tests::people::{AGENT, ALICE, BOB, ENGINEER, HANK};
use dossier_tests::server::PUBLIC_URL;
use dossier_tests::smtp::{MailServer, ReceivedMail};
use dossier_tests::{Client, Server};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";

/// A server whose watch needs four calls, with a mail server.
struct Story {
    server: Server,
    mail: MailServer,
    /// The issue's id.
    issue: String,
    /// How many mails were read.
    read: usize,
}

impl Story {
    async fn begin() -> Self {
        let mail = MailServer::start().await;
        let server = Server::start().await;
        let server = server.with_catalogue(|text| text.replace("minimum = 50", "minimum = 4")).await;
        let server = server.with_mail_server(&mail.url()).await;
        // An hour of its own, away from the sample cases and their mails.
        server.clock.advance(SignedDuration::from_hours(30));
        server.mails_settled().await;
        let read = mail.mails().len();
        Self { server, mail, issue: String::new(), read }
    }

    fn client(&self, who: &str) -> Client {
        self.server.client(who)
    }

    /// What the users of an organization do with the issue.
    async fn say(&self, who: &str, verb: &str) -> Value {
        let path = format!("/v2/{}:{verb}", self.seen_by(who));
        self.client(who).post(&path, &json!({"languageCode": "fr"})).await.ok()
    }

    fn seen_by(&self, who: &str) -> String {
        let organization = who.split(['@', '.']).nth(1).unwrap();
        format!("organizations/{organization}/knownIssues/{}", self.issue)
    }

    async fn support(&self, verb: &str, body: Value) -> Value {
        self.client(ENGINEER).post(&format!("/v2/knownIssues/{}:{verb}", self.issue), &body).await.ok()
    }

    async fn counts(&self) -> (Value, Value) {
        let issue = self.client(ENGINEER).get(&format!("/v2/knownIssues/{}", self.issue)).await.ok();
        (issue["organizationsAffected"].clone(), issue["usersAffected"].clone())
    }

    /// The mails that came since they were last read, by their readers, once nothing is under way any more.
    async fn mails(&mut self) -> Vec<ReceivedMail> {
        self.server.until_reactors_rest().await;
        self.server.mails_settled().await;
        let mut mails = self.mail.mails().split_off(self.read);
        self.read += mails.len();
        mails.sort_by_key(|mail| mail.to().to_owned());
        mails
    }

    async fn case(&self, who: &str, name: &str) -> Value {
        self.client(who).get(&format!("/v2/{name}")).await.ok()
    }

    async fn fetch(&self, link: &str) -> u16 {
        self.server.anonymous().get(link).await.status
    }

    async fn click(&self, link: &str, form: &str) {
        let click = self.server.anonymous();
        let sent = click.call(Method::POST, link).header("content-type", FORM).bytes(form.to_owned());
        assert_eq!(sent.send().await.status, 200, "{link}");
    }
}

fn readers(mails: &[ReceivedMail]) -> Vec<&str> {
    mails.iter().map(ReceivedMail::to).collect()
}

/// The path of the one link in a mail that leads there.
fn link(mail: &ReceivedMail, to: &str) -> String {
    let line = mail.text().lines().find(|line| line.contains(to));
    let line = line.unwrap_or_else(|| panic!("no {to} in {}", mail.text()));
    line[line.find(PUBLIC_URL).unwrap() + PUBLIC_URL.len()..].trim().to_owned()
}

/// R-KI-1, R-KI-2, R-KI-3, R-KI-4, R-KI-5, R-KI-6, R-KI-7.
#[tokio::test]
async fn a_known_issue_is_suspected_published_joined_updated_and_resolved_and_the_mails_tell_it() {
    let mut story = Story::begin().await;

    // The volume rises, and a suspicion is there.
    for _ in 0..4 {
        story.client(AGENT).post("/v2/phoneCalls", &json!({"product": "compute"})).await.ok();
    }
    story.server.until_reactors_rest().await;
    let suspected = story.client(ENGINEER).get("/v2/knownIssues?state=SUSPECTED").await.ok();
    let [suspicion] = &suspected["knownIssues"].as_array().unwrap()[..] else { panic!("{suspected}") };
    assert_eq!((&suspicion["source"], &suspicion["figures"]["count"]), (&json!("VOLUME"), &json!(4)));
    story.issue = suspicion["name"].as_str().unwrap().trim_start_matches("knownIssues/").to_owned();

    // Support confirms and publishes; users see the banner.
    story.support("confirm", json!({"impact": "HIGH", "statement": "Nobody can work."})).await;
    story.support("publish", json!({"summary": "Machines do not start"})).await;
    let banner = story.client(ALICE).get("/v2/organizations/acme/knownIssues:banner").await.ok();
    assert_eq!(banner["knownIssues"][0]["summary"], "Machines do not start");
    assert_eq!(story.mails().await.len(), 0, "who did not say 'me too' is not mailed");

    // Three users say 'me too': a case each, and its mail.
    let mut cases = Vec::new();
    for who in [ALICE, BOB, HANK] {
        let said = story.say(who, "meToo").await;
        cases.push(said["yours"]["case"].as_str().unwrap().to_owned());
        assert_eq!(story.say(who, "meToo").await, said, "again changes nothing");
    }
    assert_eq!(story.counts().await, (json!(2), json!(3)));
    assert_eq!(readers(&story.mails().await), [ALICE, BOB, HANK]);
    for (who, case) in [ALICE, BOB, HANK].into_iter().zip(&cases) {
        let shown = story.case(who, case).await;
        assert_eq!((&shown["state"], &shown["knownIssue"]), (&json!("NEW"), &json!(story.seen_by(who))));
        assert_eq!(story.case(AGENT, case).await["knownIssue"], shown["knownIssue"]);
    }

    // An update reaches each of them once, in English whatever the case's language.
    story.support("postUpdate", json!({"text": "We have found the <cause>."})).await;
    let update = story.mails().await;
    assert_eq!(readers(&update), [ALICE, BOB, HANK]);
    for mail in &update {
        assert_eq!(mail.header("Content-Language"), Some("en"));
        assert!(mail.text().contains("We have found the <cause>."), "{}", mail.text());
        assert!(mail.html().contains("We have found the &lt;cause"), "{}", mail.html());
        assert_eq!(mail.header("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
        assert_eq!(*mail.defects(), json!([]));
    }

    // Alice wants no more mails, bob is not affected: both by the links, without signing in. Fetching a link changes nothing,
    // as scanners of mails do, and neither does a second click.
    let (stop, not_affected) = (link(&update[0], "/unsubscribe/"), link(&update[1], "/not-affected/"));
    for link in [&stop, &not_affected] {
        assert_eq!(story.fetch(link).await, 200);
    }
    assert_eq!(story.counts().await, (json!(2), json!(3)), "nobody has clicked");
    story.click(&stop, "List-Unsubscribe=One-Click").await;
    assert_eq!(story.counts().await, (json!(2), json!(3)), "her case and the count stay");
    story.click(&not_affected, "").await;
    story.server.until_reactors_rest().await;
    assert_eq!(story.counts().await, (json!(2), json!(2)));
    assert_eq!(story.case(BOB, &cases[1]).await["knownIssue"], Value::Null);
    let head = story.server.deeds().await;
    story.click(&stop, "List-Unsubscribe=One-Click").await;
    story.click(&not_affected, "").await;
    assert_eq!(story.server.deeds().await, head, "again changes nothing");
    story.support("postUpdate", json!({"text": "We roll the mend out."})).await;
    assert_eq!(readers(&story.mails().await), [HANK]);

    // It is resolved: everybody who is still linked gets the solution, once.
    story.support("resolve", json!({"text": "Start them again."})).await;
    let resolved = story.mails().await;
    assert_eq!(readers(&resolved), [ALICE, HANK], "alice by her case, hank by the issue");
    let states = |case: &Value| case["state"].as_str().unwrap().to_owned();
    assert_eq!(states(&story.case(ALICE, &cases[0]).await), "SOLUTION_PROVIDED");
    assert_eq!(states(&story.case(BOB, &cases[1]).await), "NEW", "back with individual support");
    assert_eq!(states(&story.case(HANK, &cases[2]).await), "SOLUTION_PROVIDED");
    let refused = format!("/v2/{}:meToo", story.seen_by(BOB));
    story.client(BOB).post(&refused, &json!({})).await.refused(400, "KNOWN_ISSUE_RESOLVED");
    // Its links still lead to a page, and change nothing.
    let head = story.server.deeds().await;
    for link in [&stop, &not_affected] {
        assert_eq!(story.fetch(link).await, 200);
        story.click(link, "").await;
    }
    assert_eq!(story.server.deeds().await, head);

    // The cases are closed, and the filers are asked how it was.
    for (who, case) in [(ALICE, &cases[0]), (HANK, &cases[2])] {
        story.client(who).post(&format!("/v2/{case}:close"), &json!({})).await.ok();
    }
    let closed = story.mails().await;
    assert_eq!(readers(&closed), [ALICE, HANK], "the mails of their cases go on");
    assert!(closed.iter().all(|mail| mail.text().contains("/survey/")));
    let solution = json!({"kind": "SOLVED", "text": "It was your quota."});
    story.client(AGENT).post(&format!("/v2/{}:proposeSolution", cases[1]), &solution).await.ok();
    story.mails().await;
    story.client(AGENT).post(&format!("/v2/{}:close", cases[1]), &json!({})).await.ok();
    let closing = story.mails().await;
    assert_eq!(readers(&closing), [BOB]);
    story.click(&link(&closing[0], "/survey/"), "rating=4&text=Merci").await;
    story.server.until_reactors_rest().await;
    let satisfaction = story.client(AGENT).get("/v2/satisfaction?product=compute").await.ok();
    let total = &satisfaction["total"];
    assert_eq!((&total["answers"], &total["sum"]), (&json!(1), &json!(4)), "{satisfaction}");
}
