//! Several webhooks beside each other: what becomes of one is not the others' business.

use dossier_eventlog::Position;
use dossier_processes::notifications::ledger::{
    IntendedMessage, LedgerFilter, LedgerPage, MessageId, MessageState,
};
use dossier_processes::work_store::WorkCheckpoint;
use dossier_tests::people::OPERATOR;
use dossier_tests::receiver::{Receiver, SILENT};
use dossier_tests::server::file_case;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{PATIENCE, SUBSCRIPTIONS, TOPIC, WEBHOOKS, Wired, at, event, is_settled, path};

/// Messages that wait for one receiver.
const CROWD: u128 = 300;
/// Most of them that may be on their way at once.
const SHARE: usize = 4;

impl Wired {
    /// Another webhook for the same topic.
    async fn beside(&self, receiver: &Receiver) -> String {
        path(&self.alice.post(WEBHOOKS, &at(&receiver.url())).await)
    }

    async fn comment(&self, case: &str) {
        self.alice.post(&format!("{case}/comments"), &json!({"body": "news"})).await.ok();
    }

    /// Waits until a comment was told.
    async fn told_of_comment(&mut self) {
        while event(&self.receiver.next().await)["type"] != "CommentAdded" {}
    }

    /// Waits until everything for the webhook is settled, what was said of it included, and readable.
    async fn settled(&self) {
        self.until(|found| !found.is_empty() && found.iter().all(is_settled)).await;
        let head = self.server.head().await;
        self.server.app().read_models.wait_for(head, PATIENCE).await.unwrap();
    }

    /// What was written of the subscription's state.
    async fn verdicts(&self) -> Vec<String> {
        let id = self.subscription.rsplit('/').next().unwrap();
        let events = self.server.events().await.into_iter().filter(|event| event.stream.id() == id);
        let words = events.map(|event| event.event_type.to_string());
        words.filter(|word| word.ends_with("Failed") || word.ends_with("Recovered")).collect()
    }
}

#[tokio::test]
async fn a_receiver_that_never_answers_keeps_no_message_of_another_waiting() {
    let mut wired = Wired::up().await;
    let mut silent = Receiver::start().await;
    silent.answer(SILENT);
    let dead = wired.beside(&silent).await.rsplit('/').next().unwrap().to_owned();
    let case = file_case(&wired.alice, "acme").await;
    silent.next().await;
    let work = wired.server.app().fleet.work.clone();
    let page = LedgerPage { after: None, limit: 1_000 };
    let to_dead = LedgerFilter { endpoint: Some(dead.clone()), ..LedgerFilter::default() };
    let first = work.messages_in(&to_dead, page).await.unwrap().swap_remove(0).message;
    // As if as many cases had news.
    let crowd = (0..CROWD).map(|number| IntendedMessage {
        id: MessageId(Uuid::from_u128(number)),
        ordering_key: Some(format!("{dead}/{number}")),
        ..first.clone()
    });
    let place = WorkCheckpoint { log_id: Uuid::nil(), position: Position(1), event_id: None };
    work.advance("crowd", None, &place).await.unwrap();
    work.intend("crowd", &place, &place, &crowd.collect::<Vec<_>>()).await.unwrap();
    for _ in 1..SHARE {
        silent.next().await;
    }
    wired.comment(&case).await;
    wired.told_of_comment().await;
    let sending = LedgerFilter { state: Some(MessageState::Sending), ..to_dead };
    let held = work.messages_in(&sending, page).await.unwrap().len();
    assert!(held <= SHARE, "{held} at once");
}

#[tokio::test]
async fn a_webhook_that_works_does_not_say_that_another_does() {
    let mut wired = Wired::up().await;
    let refusing = Receiver::start().await;
    refusing.answer(500);
    let other = wired.beside(&refusing).await;
    let case = file_case(&wired.alice, "acme").await;
    let working = std::mem::replace(&mut wired.webhook, other);
    for times in 1..=3 {
        wired.tried(times).await;
        wired.server.clock.advance(SignedDuration::from_mins(10));
    }
    wired.subscription_is("FAILING", &json!("OTHER")).await;
    let other = std::mem::replace(&mut wired.webhook, working);
    for _ in 0..2 {
        wired.comment(&case).await;
        wired.told_of_comment().await;
        wired.settled().await;
        wired.subscription_is("FAILING", &json!("OTHER")).await;
    }
    assert_eq!(wired.verdicts().await, ["EventSubscriptionFailed"], "said once, and not taken back");
    // Where the other one serves the topic no more, its failure says nothing.
    wired.alice.call(Method::DELETE, &other).send().await.ok();
    wired.comment(&case).await;
    wired.told_of_comment().await;
    wired.subscription_is("WORKING", &Value::Null).await;
}

/// R-NOTIFY-3: a machine is told what whoever had it told may see; the operator sees no case, and is refused at once.
#[tokio::test]
async fn r_notify_3_the_operator_looks_after_what_machines_are_told_and_has_nothing_told() {
    let mut wired = Wired::up().await;
    let operator = wired.server.client(OPERATOR);
    let before = wired.server.deeds().await;
    let (hook, topic) = (wired.webhook.clone(), json!({"pubSubTopic": TOPIC}));
    for refused in [
        operator.post(WEBHOOKS, &at("https://hooks.acme.example/")).await,
        operator.post(SUBSCRIPTIONS, &topic).await,
        operator.post(&format!("{hook}:rotateSecret"), &json!({})).await,
        operator.patch(&hook, &json!({"url": "https://hooks.acme.example/"})).await,
        operator.patch(&hook, &json!({"enabled": true})).await,
        operator.patch(&wired.subscription, &topic).await,
        operator.post(&format!("{}:undelete", wired.subscription), &json!({})).await,
    ] {
        let error = refused.refused(403, "NOT_FOR_YOU");
        assert!(error["message"].as_str().unwrap().contains("the organization's own people"), "{error}");
    }
    assert_eq!(wired.server.deeds().await, before);
    assert_eq!(operator.get(&hook).await.ok()["enabled"], true);
    assert_eq!(operator.patch(&hook, &json!({"enabled": false})).await.ok()["disableCause"], "OWNER");
    wired.alice.patch(&hook, &json!({"enabled": true})).await.ok();
    let case = file_case(&wired.alice, "acme").await;
    let filed = event(&wired.receiver.next().await);
    assert_eq!(filed["subject"], case.trim_start_matches("/v2/"));
}
