//! Webhooks over HTTP, and what arrives at them: signed, thin, in order, at least once.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dossier_processes::notifications::ledger::{LedgerEntry, LedgerFilter, LedgerPage, MessageState};
use dossier_tests::people::{AGENT, ALICE, BOB, NINA, OPERATOR, PETER};
use dossier_tests::profile::Profile;
use dossier_tests::receiver::{CLOSE, Received, Receiver, SILENT};
use dossier_tests::server::{file_case, file_on_note};
use dossier_tests::{Answer, Client, Server};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

#[path = "webhooks/several.rs"]
mod several;
#[path = "webhooks/visibility.rs"]
mod visibility;

const WEBHOOKS: &str = "/v2/organizations/acme/webhooks";
const SUBSCRIPTIONS: &str = "/v2/organizations/acme/supportEventSubscriptions";
const TOPIC: &str = "projects/acme/topics/cases";
const KEY: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const PATIENCE: Duration = Duration::from_secs(30);

fn at(url: &str) -> Value {
    json!({"url": url, "pubSubTopic": TOPIC})
}

fn path(answer: &Answer) -> String {
    format!("/v2/{}", answer.ok()["name"].as_str().unwrap())
}

/// A system that may call this machine, a receiver here, and who subscribed it.
struct Wired {
    server: Server,
    alice: Client,
    receiver: Receiver,
    webhook: String,
    subscription: String,
    secret: String,
}

impl Wired {
    async fn up() -> Self {
        let server = Server::start().await.calling_any_webhook().await;
        let (alice, receiver) = (server.client(ALICE), Receiver::start().await);
        let made = alice.post(WEBHOOKS, &at(&receiver.url())).await;
        let subscribed = alice.post(SUBSCRIPTIONS, &json!({"pubSubTopic": TOPIC})).await;
        let secret = made.ok()["secret"].as_str().unwrap().to_owned();
        Self { alice, receiver, webhook: path(&made), subscription: path(&subscribed), secret, server }
    }

    /// The messages to the webhook, once they are as wanted.
    async fn until(&self, wanted: impl Fn(&[LedgerEntry]) -> bool) -> Vec<LedgerEntry> {
        let endpoint = self.webhook.rsplit('/').next().map(str::to_owned);
        let filter = LedgerFilter { endpoint, ..LedgerFilter::default() };
        let page = LedgerPage { after: None, limit: 1_000 };
        let looking = async {
            loop {
                let found = self.server.app().fleet.work.messages_in(&filter, page).await.unwrap();
                if wanted(&found) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("messages that come to be so")
    }

    /// Waits until the first message was tried so often.
    async fn tried(&self, times: usize) -> LedgerEntry {
        let found = self
            .until(|found| {
                found
                    .first()
                    .is_some_and(|one| one.attempts.len() == times && one.state != MessageState::Sending)
            })
            .await;
        found[0].clone()
    }

    async fn subscription_is(&self, state: &str, reason: &Value) {
        let looking = async {
            loop {
                let shown = self.alice.get(&self.subscription).await.ok();
                if shown["state"] == state && shown["failureReason"] == *reason {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("a subscription that comes to be so");
    }
}

fn signed(secret: &str, received: &Received) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).unwrap();
    let [id, at] = ["webhook-id", "webhook-timestamp"].map(|name| received.header(name).unwrap());
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&received.body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Whether nothing more becomes of a message by itself: it neither waits nor is on its way.
fn is_settled(entry: &LedgerEntry) -> bool {
    !matches!(entry.state, MessageState::Intended | MessageState::Sending)
}

fn event(received: &Received) -> Value {
    serde_json::from_slice(&received.body).unwrap()
}

#[tokio::test]
async fn a_webhook_is_made_shown_changed_and_deleted_and_its_secret_is_shown_once() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let made = alice.post(WEBHOOKS, &at("https://Hooks.acme.example/x?token=canary")).await;
    let (path, made) = (path(&made), made.ok());
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && STANDARD.decode(&secret[6..]).unwrap().len() == 32, "{secret}");
    assert_eq!(
        (&made["url"], &made["enabled"], &made["pubSubTopic"]),
        (&json!("https://hooks.acme.example/x?token=canary"), &json!(true), &json!(TOPIC))
    );
    let read = alice.get(&path).await.ok();
    assert_eq!(read["secret"], Value::Null);
    assert_eq!(alice.get(WEBHOOKS).await.ok()["webhooks"], json!([read]));

    let patched = alice.patch(&path, &json!({"enabled": false})).await.ok();
    assert_eq!((&patched["enabled"], &patched["disableCause"]), (&json!(false), &json!("OWNER")));
    assert_eq!(
        (&patched["url"], &patched["secret"]),
        (&made["url"], &Value::Null),
        "what is not given stays"
    );
    let mask = format!("{path}?updateMask=enabled,pubSubTopic");
    let body = json!({"enabled": true, "pubSubTopic": "projects/acme/topics/other", "url": "ignored"});
    let patched = alice.patch(&mask, &body).await.ok();
    assert_eq!((&patched["enabled"], &patched["disableCause"]), (&json!(true), &Value::Null));
    assert_eq!(patched["pubSubTopic"], "projects/acme/topics/other");
    assert_eq!(alice.get(&path).await.ok(), patched);

    let deleted = alice.call(Method::DELETE, &path).send().await.ok();
    assert_eq!(deleted, json!({}));
    alice.get(&path).await.refused(404, "WEBHOOK_NOT_FOUND");
    assert_eq!(alice.get(WEBHOOKS).await.ok()["webhooks"], json!([]));
    // Neither the log nor a read model holds what could be a secret.
    for event in server.events().await {
        let payload = String::from_utf8_lossy(&event.payload).into_owned();
        assert!(!payload.contains("canary") && !payload.contains("whsec"), "{payload}");
    }
    for model in server.app().read_models.statuses() {
        let rows = server.app().read_models.dump(model.0).await.unwrap();
        assert!(!rows.iter().any(|row| row.contains("whsec")), "{}", model.0);
    }
}

#[tokio::test]
async fn a_secret_is_rotated_with_an_overlap_and_a_repeat_shows_the_same() {
    let wired = Wired::up().await;
    let Wired { server, alice, webhook, secret, .. } = &wired;
    let rotate = format!("{webhook}:rotateSecret");
    for bad in [-1, 604_801] {
        alice.post(&rotate, &json!({"overlapSeconds": bad})).await.refused(400, "INVALID_FIELD");
    }
    let with_key = || alice.call(Method::POST, &rotate).header("idempotency-key", KEY).send();
    let rotated = with_key().await.ok();
    let other = rotated["secret"].as_str().unwrap();
    assert_ne!(other, secret);
    let until: Timestamp = rotated["previousSecretExpireTime"].as_str().unwrap().parse().unwrap();
    let left = until.duration_since(server.clock.now());
    assert!((SignedDuration::from_hours(23)..=SignedDuration::from_hours(24)).contains(&left), "{left:?}");
    assert_eq!(with_key().await.ok()["secret"], rotated["secret"], "the first answer again");
    let (secret, other) = (secret.clone(), other.to_owned());
    let mut wired = wired;
    file_case(&wired.alice, "acme").await;
    let received = wired.receiver.next().await;
    let both = format!("{} {}", signed(&other, &received), signed(&secret, &received));
    assert_eq!(received.header("webhook-signature"), Some(both.as_str()));
    wired.server.clock.set(until);
    let ping = wired.alice.post(&format!("{}:test", wired.webhook), &json!({})).await.ok();
    assert_eq!(ping["accepted"], true, "{ping}");
    loop {
        let received = wired.receiver.next().await;
        if event(&received)["type"] == "Ping" {
            let only = signed(&other, &received);
            assert_eq!(
                received.header("webhook-signature"),
                Some(only.as_str()),
                "the old one is no good now"
            );
            return;
        }
    }
}

#[tokio::test]
async fn only_https_at_public_addresses_is_called_unless_the_operator_lets_it() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let before = server.deeds().await;
    for url in [
        "",
        "hooks.acme.example",
        "http://hooks.acme.example/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://user:canary@hooks.acme.example/",
    ] {
        let error = alice.post(WEBHOOKS, &at(url)).await.refused(400, "INVALID_FIELD");
        assert_eq!(error["details"][1]["fieldViolations"][0]["field"], "url", "{url}");
        assert!(!error.to_string().contains("canary"));
    }
    assert_eq!(server.deeds().await, before);
    // A name may lead inside: it is found out when it is called.
    let path = path(&alice.post(WEBHOOKS, &at("https://localhost/")).await);
    let ping = alice.post(&format!("{path}:test"), &json!({})).await.ok();
    assert_eq!(ping["accepted"], false);
    assert!(ping["detail"].as_str().unwrap().contains("private or reserved"), "{ping}");
    alice.patch(&path, &json!({"url": "https://10.0.0.1/"})).await.refused(400, "INVALID_FIELD");
}

#[tokio::test]
async fn a_webhook_is_its_organizations_and_only_owners_see_it() {
    let server = Server::start().await;
    let path = path(&server.client(ALICE).post(WEBHOOKS, &at("https://hooks.acme.example/")).await);
    for (who, why) in [(BOB, "ROLE_TOO_LOW"), (PETER, "NOT_A_MEMBER"), (AGENT, "NOT_FOR_YOU")] {
        let client = server.client(who);
        client.get(&path).await.refused(403, why);
        client.get(WEBHOOKS).await.refused(403, why);
        client.post(&format!("{path}:rotateSecret"), &json!({})).await.refused(403, why);
        client.post(&format!("{path}:test"), &json!({})).await.refused(403, why);
    }
    let hank = server.client("hank@globex.example");
    let elsewhere = path.replace("organizations/acme", "organizations/globex");
    hank.get(&elsewhere).await.refused(404, "WEBHOOK_NOT_FOUND");
    hank.post(&format!("{elsewhere}:rotateSecret"), &json!({})).await.refused(404, "WEBHOOK_NOT_FOUND");
    // It manages globex and is let in there.
    let nina = server.client(NINA).acting_for("nimbus");
    for path in [elsewhere, WEBHOOKS.replace("acme", "globex")] {
        nina.get(&path).await.refused(403, "NOT_FOR_YOU");
    }
}

#[tokio::test]
async fn a_ping_tells_what_came_of_it_and_a_repeat_sends_none() {
    let mut wired = Wired::up().await;
    let test = format!("{}:test", wired.webhook);
    let with_key = || wired.alice.call(Method::POST, &test).header("idempotency-key", KEY).send();
    let ping = with_key().await.ok();
    assert_eq!((&ping["accepted"], &ping["httpStatus"]), (&json!(true), &json!(204)));
    assert_eq!(with_key().await.ok()["accepted"], false, "a repeat sends none");
    let received = wired.receiver.next().await;
    assert_eq!(received.header("webhook-signature"), Some(signed(&wired.secret, &received).as_str()));
    assert_eq!(event(&received)["type"], "Ping");
    assert!(wired.receiver.is_idle());
    for (status, shown) in [(500, json!(500)), (410, json!(410)), (CLOSE, Value::Null)] {
        wired.receiver.answer(status);
        let ping = wired.alice.post(&test, &json!({})).await.ok();
        assert_eq!((&ping["accepted"], &ping["httpStatus"]), (&json!(false), &shown), "{ping}");
    }
    assert_eq!(wired.alice.get(&wired.webhook).await.ok()["enabled"], true, "a ping disables nothing");
}

#[tokio::test]
async fn what_happens_to_a_case_is_told_in_order_signed_and_thin() {
    let mut wired = Wired::up().await;
    let case = file_case(&wired.alice, "acme").await;
    let comment = wired.alice.post(&format!("{case}/comments"), &json!({"body": "canary words"})).await.ok();
    let closed = wired.alice.post(&format!("{case}:close"), &json!({})).await.ok();
    let name = case.trim_start_matches("/v2/");
    let mut told = Vec::new();
    while told.last() != Some(&"CaseClosed".to_owned()) {
        let received = wired.receiver.next().await;
        let text = String::from_utf8(received.body.clone()).unwrap();
        assert!(!text.contains("canary") && !text.contains('@'), "{text}");
        assert_eq!(received.header("webhook-signature"), Some(signed(&wired.secret, &received).as_str()));
        let event = event(&received);
        assert_eq!((&event["specversion"], &event["subject"]), (&json!("1.0"), &json!(name)));
        match event["type"].as_str().unwrap() {
            "CommentAdded" => assert_eq!(event["data"]["comment"], comment["name"]),
            "CaseClosed" => assert_eq!(event["data"]["state"], closed["state"]),
            "CaseFiled" => assert_eq!(event["data"]["priority"], "P3"),
            _ => {}
        }
        told.push(event["type"].as_str().unwrap().to_owned());
    }
    // Each event that customers may know of, once and in the order of the case.
    let id = name.rsplit('/').next().unwrap();
    let events = wired.server.events().await.into_iter().filter(|event| event.stream.id() == id);
    let expected: Vec<String> = events
        .filter(|event| event.metadata().unwrap().audience == dossier_eventlog::Audience::Customer)
        .map(|event| event.event_type.to_string())
        .take(told.len())
        .collect();
    assert_eq!(told, expected);
    let ids: std::collections::BTreeSet<_> = wired
        .until(|found| found.iter().all(|one| one.state == MessageState::Sent))
        .await
        .iter()
        .map(|one| one.message.id)
        .collect();
    assert!(ids.len() >= told.len());
}

/// R-COMMENT-3.
#[tokio::test]
async fn r_comment_3_what_stays_with_support_is_told_to_nobody() {
    let mut wired = Wired::up().await;
    let case = file_case(&wired.alice, "acme").await;
    let north = wired.server.client(AGENT);
    file_on_note(&north, &case).await;
    wired.alice.post(&format!("{case}/comments"), &json!({"body": "told"})).await.ok();
    loop {
        let told = event(&wired.receiver.next().await)["type"].as_str().unwrap().to_owned();
        assert!(!told.contains("Note") && !told.contains("Routed"), "{told}");
        if told == "CommentAdded" {
            return;
        }
    }
}

#[tokio::test]
async fn a_refused_message_is_tried_again_with_its_id_while_later_ones_wait() {
    let mut wired = Wired::up().await;
    wired.receiver.answer(500);
    let case = file_case(&wired.alice, "acme").await;
    wired.alice.post(&format!("{case}/comments"), &json!({"body": "later"})).await.ok();
    let first = wired.receiver.next().await;
    let id = first.header("webhook-id").unwrap().to_owned();
    for times in 1..3 {
        assert_eq!(wired.tried(times).await.state, MessageState::Intended, "tried again later");
        wired.subscription_is("WORKING", &Value::Null).await;
        wired.server.clock.advance(SignedDuration::from_mins(10));
        let again = wired.receiver.next().await;
        assert_eq!(again.header("webhook-id"), Some(id.as_str()));
        assert_eq!(again.body, first.body, "the same bytes");
        assert_ne!(
            again.header("webhook-timestamp"),
            first.header("webhook-timestamp"),
            "of another instant"
        );
    }
    wired.tried(3).await;
    wired.subscription_is("FAILING", &json!("OTHER")).await;
    wired.receiver.answer(CLOSE);
    wired.server.clock.advance(SignedDuration::from_mins(10));
    assert_eq!(
        wired.receiver.next().await.header("webhook-id"),
        Some(id.as_str()),
        "the receiver tells the repeat"
    );
    wired.tried(4).await;
    wired.receiver.answer(200);
    wired.server.clock.advance(SignedDuration::from_hours(24));
    let mut told = Vec::new();
    while told.last() != Some(&"CommentAdded".to_owned()) {
        let event = event(&wired.receiver.next().await);
        // A day later other cases have their news, too.
        if event["subject"] == case.trim_start_matches("/v2/") {
            told.push(event["type"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(told[0], "CaseFiled", "the later ones have waited: {told:?}");
    wired.subscription_is("WORKING", &Value::Null).await;
}

#[tokio::test]
async fn a_message_that_was_on_its_way_when_the_system_stopped_is_sent_again_under_its_id() {
    let mut wired = Wired::up().await;
    wired.receiver.answer(SILENT);
    file_case(&wired.alice, "acme").await;
    let first = wired.receiver.next().await;
    // Whoever held it is gone: after a while another one takes it.
    wired.server = wired.server.restarted_after(SignedDuration::from_mins(3)).await;
    wired.receiver.answer(204);
    let again = wired.receiver.next().await;
    assert_eq!(again.header("webhook-id"), first.header("webhook-id"), "the receiver tells the repeat");
    assert_eq!(again.body, first.body);
    wired.until(|found| found.iter().all(|one| one.state == MessageState::Sent)).await;
}

#[tokio::test]
async fn a_message_that_is_refused_for_days_is_a_dead_letter_which_can_be_sent_again() {
    let mut wired = Wired::up().await;
    wired.receiver.answer(403);
    file_case(&wired.alice, "acme").await;
    for times in 1..=10 {
        wired.receiver.next().await;
        wired.tried(times).await;
        wired.server.clock.advance(SignedDuration::from_hours(25));
        if times == 1 {
            // Whatever else is told of the case waits behind it.
            assert!(wired.receiver.is_idle() || times > 1);
        }
    }
    let dead = wired.until(|found| found[0].state == MessageState::Failed).await.swap_remove(0);
    wired.subscription_is("FAILING", &json!("PERMISSION_DENIED")).await;
    wired.receiver.answer(204);
    // The operator finds it among the others, and has it sent again.
    let operator = wired.server.client(OPERATOR);
    let listed = operator.get("/v2/notifications?state=FAILED").await.ok();
    let name = format!("notifications/{}", dead.message.id);
    let listed = listed["notifications"].as_array().unwrap().iter().find(|one| one["name"] == *name).cloned();
    let listed = listed.expect("the dead letter");
    assert_eq!(listed["recipient"]["endpoint"], wired.webhook.rsplit('/').next().unwrap());
    operator.post(&format!("/v2/{name}:retry"), &json!({})).await.ok();
    wired.until(|found| found[0].state == MessageState::Sent).await;
    wired.subscription_is("WORKING", &Value::Null).await;
}

#[tokio::test]
async fn one_that_answers_gone_is_disabled_and_gets_nothing_more_until_it_is_enabled() {
    let mut wired = Wired::up().await;
    wired.receiver.answer(410);
    let case = file_case(&wired.alice, "acme").await;
    wired.receiver.next().await;
    wired.until(|found| found.len() > 1 && found.iter().all(is_settled)).await;
    let head = wired.server.head().await;
    wired.server.app().read_models.wait_for(head, PATIENCE).await.unwrap();
    let hook = wired.alice.get(&wired.webhook).await.ok();
    assert_eq!((&hook["enabled"], &hook["disableCause"]), (&json!(false), &json!("GONE")));
    wired.subscription_is("FAILING", &json!("TOPIC_NOT_FOUND")).await;
    assert!(wired.receiver.is_idle());
    wired.receiver.answer(204);
    wired.alice.patch(&wired.webhook, &json!({"enabled": true})).await.ok();
    wired.alice.post(&format!("{case}/comments"), &json!({"body": "again"})).await.ok();
    let told = event(&wired.receiver.next().await);
    assert_eq!(
        told["type"], "CommentAdded",
        "what was meant for it while it was disabled is not made up for"
    );
    wired.subscription_is("WORKING", &Value::Null).await;
}

#[tokio::test]
async fn a_topic_that_nobody_serves_makes_its_subscription_fail_except_where_the_bus_has_subjects() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let path = path(&alice.post(SUBSCRIPTIONS, &json!({"pubSubTopic": TOPIC})).await);
    file_case(&alice, "acme").await;
    let filter = LedgerFilter {
        endpoint: path.rsplit('/').next().map(str::to_owned),
        state: Some(MessageState::Sent),
        ..LedgerFilter::default()
    };
    let looking = async {
        loop {
            let state = alice.get(&path).await.ok();
            let page = LedgerPage { after: None, limit: 10 };
            let sent = server.app().fleet.work.messages_in(&filter, page).await.unwrap();
            let settled = match Profile::current() {
                Profile::Embedded => state["failureReason"] == "TOPIC_NOT_FOUND",
                Profile::Fleet => state["state"] == "WORKING" && !sent.is_empty(),
            };
            if settled {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("a subscription that comes to be so");
}

#[tokio::test]
async fn a_deleted_subscription_and_a_deleted_webhook_get_nothing() {
    let mut wired = Wired::up().await;
    wired.alice.call(Method::DELETE, &wired.subscription).send().await.ok();
    let case = file_case(&wired.alice, "acme").await;
    wired.alice.post(&format!("{}:undelete", wired.subscription), &json!({})).await.ok();
    wired.alice.post(&format!("{case}/comments"), &json!({"body": "now"})).await.ok();
    let told = event(&wired.receiver.next().await);
    assert_eq!(told["type"], "CommentAdded", "what happened meanwhile is not made up for");
    wired.alice.call(Method::DELETE, &wired.webhook).send().await.ok();
    wired.alice.post(&format!("{case}/comments"), &json!({"body": "later"})).await.ok();
    let ready = wired.until(|found| found.iter().all(is_settled)).await;
    assert!(ready.iter().all(|one| matches!(one.state, MessageState::Sent | MessageState::Withheld)));
}
