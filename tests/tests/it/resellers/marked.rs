//! A case that every way to read finds, and whether one of them does.

use dossier_tests::server::{case_path, sample_case};
use dossier_tests::{Answer, Client, encoded};
use reqwest::Method;
use serde_json::{Value, json};

use super::ACROSS;

/// A word that no other case has.
pub(super) const WORD: &str = "quetzalcoatl";
pub(super) const CONTENT: &str = "the content of the file";

/// A case with a comment and a file, that every way to read finds.
pub(super) struct Marked {
    pub(super) organization: String,
    pub(super) path: String,
    pub(super) comment: String,
    pub(super) attachment: String,
}

impl Marked {
    pub(super) async fn file(client: &Client, organization: &str) -> Self {
        let mut case = sample_case();
        case["description"] = json!(format!("It says {WORD}."));
        let path = case_path(&client.post(&format!("/v2/organizations/{organization}/cases"), &case).await);
        let comment = json!({"body": format!("Again {WORD}.")});
        let comment = client.post(&format!("{path}/comments"), &comment).await.ok();
        let upload = format!("/upload{path}/attachments?attachment.filename=a.txt");
        let attachment = client.call(Method::POST, &upload).bytes(CONTENT).send().await.ok();
        let name = |of: Value| format!("/v2/{}", of["name"].as_str().unwrap());
        Self {
            organization: organization.to_owned(),
            path,
            comment: name(comment),
            attachment: name(attachment),
        }
    }

    pub(super) fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    /// Every way to read it as one of its customer.
    pub(super) fn ways(&self) -> Vec<String> {
        let Self { organization, path, comment, attachment } = self;
        let cases = format!("organizations/{organization}/cases");
        let (word, parent) =
            (format!("\"{WORD}\""), format!("organization=\"organizations/{organization}\""));
        vec![
            path.clone(),
            path.replace("/v2/", "/v2beta/"),
            comment.clone(),
            attachment.clone(),
            format!("{attachment}:download?alt=media"),
            format!("{path}/comments"),
            format!("{path}/comments?pageSize=1"),
            format!("{path}/attachments"),
            format!("{path}:allowedActions"),
            format!("{}:showFeed", path.replace("/v2/", "/v2beta/")),
            format!("{}:showFeed?pageSize=1&orderBy=creation_time%20desc", path.replace("/v2/", "/v2beta/")),
            format!("/v2/{cases}"),
            format!("/v2/{cases}?pageSize=1"),
            format!("/v2/{cases}?pageSize=100&filter=state%3DOPEN"),
            format!("/v2beta/{cases}?pageSize=100"),
            format!("/v2/{cases}:search?query={}", encoded(&word)),
            format!("/v2/{cases}:search?query={}", encoded(&format!("{word} AND {parent}"))),
            format!("/v2beta/cases:search?query={}", encoded(&format!("{word} AND {parent}"))),
        ]
    }

    /// Every way to read it among all customers.
    pub(super) fn ways_across() -> Vec<String> {
        let word = encoded(&format!("\"{WORD}\""));
        vec![
            ACROSS.to_owned(),
            format!("{ACROSS}?pageSize=1"),
            "/v2beta/organizations/-/cases?pageSize=100".to_owned(),
            format!("{ACROSS}:search?pageSize=100"),
            format!("{ACROSS}:search?query={word}"),
        ]
    }

    /// Whether an answer tells of it: a list that names it, or anything about it alone.
    pub(super) fn is_in(&self, way: &str, answer: &Answer) -> bool {
        answer.status == 200 && (way.contains(self.id()) || answer.text().contains(self.id()))
    }

    /// Checks that every way shows it.
    pub(super) async fn is_shown(&self, client: &Client, ways: &[String]) {
        for way in ways {
            let answer = client.get(way).await;
            assert!(self.is_in(way, &answer), "{way}: {} {}", answer.status, answer.text());
            assert!(!way.ends_with("alt=media") || answer.text() == CONTENT, "{way}: {}", answer.text());
        }
    }

    /// Checks that no way shows it; answers what each said.
    pub(super) async fn is_hidden(&self, client: &Client, ways: &[String]) -> Vec<(u16, String)> {
        self.is_hidden_within(client, ways, "20").await
    }

    /// The same where reads wait for projectors for so many seconds.
    pub(super) async fn is_hidden_within(
        &self,
        client: &Client,
        ways: &[String],
        seconds: &str,
    ) -> Vec<(u16, String)> {
        let mut said = Vec::new();
        for way in ways {
            let call = client.call(Method::GET, way).header("dossier-max-wait", seconds);
            let answer = call.send().await;
            assert!(!self.is_in(way, &answer), "{way} shows it: {}", answer.text());
            said.push((answer.status, if answer.status < 400 { String::new() } else { answer.reason() }));
        }
        said
    }
}
