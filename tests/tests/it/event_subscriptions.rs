//! `supportEventSubscriptions` of the Cloud Support API over HTTP, in both versions.

use std::collections::BTreeSet;

use dossier_domain::event_subscription::deliver::Receiver;
use dossier_domain::event_subscription::{EventSubscriptionCommand, FailureReason, ReportDelivery};
use dossier_domain::{OrganizationId, StaffRole};
use dossier_tests::people::{AGENT, ALICE, BOB, NINA, OPERATOR, PETER};
use dossier_tests::{Answer, Client, Server, encoded};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

const SUBSCRIPTIONS: &str = "/v2/organizations/acme/supportEventSubscriptions";
const KEY: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn to(topic: &str) -> Value {
    json!({"pubSubTopic": format!("projects/acme/topics/{topic}")})
}

async fn subscribe(client: &Client, topic: &str) -> String {
    path(&client.post(SUBSCRIPTIONS, &to(topic)).await)
}

fn path(answer: &Answer) -> String {
    format!("/v2/{}", answer.ok()["name"].as_str().unwrap())
}

async fn delete(client: &Client, path: &str) -> Answer {
    client.call(Method::DELETE, path).send().await
}

/// A custom method, with neither body nor content type.
async fn verb(client: &Client, path: &str, verb: &str) -> Answer {
    client.call(Method::POST, &format!("{path}:{verb}")).send().await
}

/// The system reports how deliveries for a subscription go.
async fn report(server: &Server, path: &str, number: u128, report: ReportDelivery) {
    let mut request = server.request(OPERATOR, number);
    request.actor.staff_roles = [StaffRole::System].into();
    let subscription = path.rsplit('/').next().unwrap().parse().unwrap();
    let acme = OrganizationId::new("acme").unwrap();
    let command = EventSubscriptionCommand::Report(report);
    let commands = &server.app().commands;
    commands.event_subscription(&request, &acme, Some(subscription), &command).await.unwrap();
    let head = server.head().await;
    server.app().read_models.wait_for(head, std::time::Duration::from_secs(20)).await.unwrap();
}

fn failed(reason: FailureReason) -> ReportDelivery {
    ReportDelivery::Failed { receiver: None, reason }
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_subscription_is_made_read_changed_deleted_brought_back_and_expunged() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let made = alice.post(SUBSCRIPTIONS, &to("cases")).await;
    let path = path(&made);
    let made = made.ok();
    assert_eq!(
        (&made["state"], &made["pubSubTopic"]),
        (&json!("WORKING"), &json!("projects/acme/topics/cases"))
    );
    assert_eq!(made["createTime"], made["updateTime"]);
    assert_eq!(made.as_object().unwrap().len(), 5, "nothing beside what the API has: {made}");
    assert_eq!(alice.get(&path).await.ok(), made);
    assert_eq!(alice.get(&path.replace("/v2/", "/v2beta/")).await.ok(), made, "both versions show the same");

    let changed = alice.patch(&format!("{path}?updateMask=pubSubTopic"), &to("other")).await.ok();
    assert_eq!(changed["pubSubTopic"], "projects/acme/topics/other");
    assert_eq!(changed["createTime"], made["createTime"]);
    assert!(instant(&changed["updateTime"]) > instant(&made["updateTime"]));

    let deleted = delete(&alice, &path).await.ok();
    assert_eq!(deleted["state"], "DELETED");
    let kept = instant(&deleted["purgeTime"]).duration_since(instant(&deleted["deleteTime"]));
    assert_eq!(kept, SignedDuration::from_hours(30 * 24));
    assert_eq!(alice.get(&path).await.ok(), deleted);
    let again = delete(&alice, &path).await.ok();
    assert_eq!(again, deleted, "clients repeat deletions");
    alice.patch(&path, &to("cases")).await.refused(400, "SUBSCRIPTION_DELETED");

    let back = verb(&alice, &path, "undelete").await.ok();
    assert_eq!(
        (&back["state"], &back["deleteTime"], &back["purgeTime"]),
        (&json!("WORKING"), &Value::Null, &Value::Null)
    );
    verb(&alice, &path, "undelete").await.refused(400, "SUBSCRIPTION_NOT_DELETED");

    assert_eq!(verb(&alice, &path, "expunge").await.ok(), json!({}));
    alice.get(&path).await.refused(404, "SUBSCRIPTION_NOT_FOUND");
    for gone in [
        delete(&alice, &path).await,
        verb(&alice, &path, "undelete").await,
        verb(&alice, &path, "expunge").await,
        alice.patch(&path, &to("cases")).await,
    ] {
        gone.refused(404, "SUBSCRIPTION_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_deleted_subscription_is_gone_from_its_purge_time_on() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let path = subscribe(&alice, "cases").await;
    let purge = instant(&delete(&alice, &path).await.ok()["purgeTime"]);
    server.clock.set(purge - SignedDuration::from_secs(60));
    assert_eq!(alice.get(&path).await.ok()["state"], "DELETED");
    server.clock.set(purge);
    alice.get(&path).await.refused(404, "SUBSCRIPTION_NOT_FOUND");
    verb(&alice, &path, "undelete").await.refused(404, "SUBSCRIPTION_NOT_FOUND");
    let listed = alice.get(&format!("{SUBSCRIPTIONS}?showDeleted=true")).await.ok();
    assert_eq!(listed["supportEventSubscriptions"], json!([]));
}

#[tokio::test]
async fn a_failing_subscription_says_why_and_enums_come_as_they_are_asked_for() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let path = subscribe(&alice, "cases").await;
    report(&server, &path, 71, failed(FailureReason::PermissionDenied)).await;
    let failing = alice.get(&path).await.ok();
    assert_eq!(
        (&failing["state"], &failing["failureReason"]),
        (&json!("FAILING"), &json!("PERMISSION_DENIED"))
    );
    let numbers = alice.get(&format!("{path}?$alt=json;enum-encoding=int")).await.ok();
    assert_eq!((&numbers["state"], &numbers["failureReason"]), (&json!(2), &json!(1)));
    let deleted = delete(&alice, &path).await.ok();
    assert_eq!(deleted["failureReason"], Value::Null, "only while it is failing");
    verb(&alice, &path, "undelete").await.ok();
    let receiver = Receiver::Subject(path.rsplit('/').next().unwrap().parse().unwrap());
    report(&server, &path, 72, ReportDelivery::Accepted { receiver, serving: BTreeSet::new() }).await;
    assert_eq!(alice.get(&path).await.ok()["state"], "WORKING");
}

#[tokio::test]
async fn the_list_comes_in_pages_by_filter_and_hides_the_deleted() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let mut names = Vec::new();
    for topic in ["a", "b", "a", "c", "a"] {
        names.push(subscribe(&alice, topic).await.trim_start_matches("/v2/").to_owned());
    }
    delete(&alice, &format!("/v2/{}", names[2])).await.ok();
    report(&server, &names[4], 73, failed(FailureReason::TopicNotFound)).await;
    let pages = async |query: &str| {
        let (mut listed, mut token) = (Vec::new(), String::new());
        loop {
            let page = alice.get(&format!("{SUBSCRIPTIONS}?pageSize=2&pageToken={token}{query}")).await.ok();
            let list = page["supportEventSubscriptions"].as_array().unwrap();
            assert!(list.len() <= 2);
            listed.extend(list.iter().map(|one| one["name"].as_str().unwrap().to_owned()));
            match page["nextPageToken"].as_str() {
                Some(next) => token = next.to_owned(),
                None => return listed,
            }
        }
    };
    let filter = |text: &str| format!("&filter={}", encoded(text));
    let of = |indexes: &[usize]| indexes.iter().map(|index| names[*index].clone()).collect::<Vec<_>>();
    assert_eq!(pages("").await, of(&[0, 1, 3, 4]));
    assert_eq!(pages("&showDeleted=true").await, names);
    assert_eq!(pages(&filter("state=WORKING")).await, of(&[0, 1, 3]));
    assert_eq!(pages(&filter("state=FAILING")).await, of(&[4]));
    assert_eq!(pages(&filter("state=DELETED")).await, of(&[]), "hidden unless asked for");
    assert_eq!(pages(&format!("{}&showDeleted=true", filter("state=DELETED"))).await, of(&[2]));
    let both = "pub_sub_topic=\"projects/acme/topics/a\" AND state=WORKING";
    assert_eq!(pages(&filter(both)).await, of(&[0]));
    for bad in ["state=OPEN", "topic=x", "state>WORKING", "WORKING", "state=WORKING AND"] {
        alice.get(&format!("{SUBSCRIPTIONS}?filter={}", encoded(bad))).await.refused(400, "INVALID_FILTER");
    }
    let first = alice.get(&format!("{SUBSCRIPTIONS}?pageSize=2")).await.ok()["nextPageToken"].clone();
    let first = first.as_str().unwrap();
    for other in [
        format!("showDeleted=true&pageToken={first}"),
        format!("pageToken={first}{}", filter("state=WORKING")),
    ] {
        let crossed = alice.get(&format!("{SUBSCRIPTIONS}?{other}")).await;
        assert_eq!(crossed.status, 400, "the token is for another question");
    }
}

#[tokio::test]
async fn what_names_no_topic_and_what_cannot_be_patched_is_refused_and_nothing_changes() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let path = subscribe(&alice, "cases").await;
    let before = server.deeds().await;
    for bad in
        [json!({}), json!({"pubSubTopic": ""}), json!({"pubSubTopic": "cases"}), json!({"pubSubTopic": 5})]
    {
        let error = alice.post(SUBSCRIPTIONS, &bad).await.refused(400, "INVALID_FIELD");
        assert!(error["message"].as_str().unwrap().contains("pubSubTopic"), "{error}");
        alice.patch(&path, &bad).await.refused(400, "INVALID_FIELD");
    }
    for mask in ["state", "name", "pubSubTopic,state", "*"] {
        let patched = alice.patch(&format!("{path}?updateMask={mask}"), &to("other")).await;
        patched.refused(400, "INVALID_UPDATE_MASK");
    }
    alice.post(&format!("{path}:undelete"), &json!([])).await.refused(400, "INVALID_BODY");
    alice.get(&format!("{SUBSCRIPTIONS}/garbage")).await.refused(404, "SUBSCRIPTION_NOT_FOUND");
    alice.get(&format!("{SUBSCRIPTIONS}/{KEY}")).await.refused(404, "SUBSCRIPTION_NOT_FOUND");
    assert_eq!(server.deeds().await, before);
    // What an answer tells and a request does not decide is passed through by clients.
    let odd = json!({"name": "x", "state": 3, "createTime": "x", "pub_sub_topic": "projects/acme/topics/t"});
    assert_eq!(alice.post(SUBSCRIPTIONS, &odd).await.ok()["state"], "WORKING");
}

#[tokio::test]
async fn a_subscription_is_its_organizations_and_only_owners_see_it() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let path = subscribe(&alice, "cases").await;
    for (who, why) in [(BOB, "ROLE_TOO_LOW"), (PETER, "NOT_A_MEMBER"), (AGENT, "NOT_FOR_YOU")] {
        let client = server.client(who);
        client.get(&path).await.refused(403, why);
        client.get(SUBSCRIPTIONS).await.refused(403, why);
        delete(&client, &path).await.refused(403, why);
        client.post(SUBSCRIPTIONS, &to("x")).await.refused(403, why);
    }
    let hank = server.client("hank@globex.example");
    let elsewhere = path.replace("organizations/acme", "organizations/globex");
    hank.get(&elsewhere).await.refused(404, "SUBSCRIPTION_NOT_FOUND");
    delete(&hank, &elsewhere).await.refused(404, "SUBSCRIPTION_NOT_FOUND");
    server.client(OPERATOR).get(&path).await.ok();
    // R-RES-1: it manages globex and is let in there; this is the customer's own affair.
    let (nina, of_globex) =
        (server.client(NINA).acting_for("nimbus"), SUBSCRIPTIONS.replace("acme", "globex"));
    for refused in [nina.get(&of_globex).await, nina.post(&of_globex, &to("x")).await] {
        refused.refused(403, "NOT_FOR_YOU");
    }
    let of_project = SUBSCRIPTIONS.replace("organizations/acme", "projects/acme");
    alice.get(&of_project).await.refused(404, "UNKNOWN_PATH");
}

#[tokio::test]
async fn a_repeated_making_is_one_and_an_outdated_etag_changes_nothing() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let with_key = |body: Value| {
        alice.call(Method::POST, SUBSCRIPTIONS).header("idempotency-key", KEY).json(&body).send()
    };
    let first = with_key(to("cases")).await;
    let head = server.deeds().await;
    let again = with_key(to("cases")).await;
    assert_eq!((again.ok(), again.header("idempotent-replay")), (first.ok(), Some("true")));
    with_key(to("other")).await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(server.deeds().await, head);
    let (path, etag) = (path(&first), first.header("etag").unwrap());
    let patch = |topic| alice.call(Method::PATCH, &path).header("if-match", etag).json(&to(topic)).send();
    patch("other").await.ok();
    patch("third").await.refused(409, "ETAG_MISMATCH");
    let read = alice.get(&path).await;
    assert_eq!(read.ok()["pubSubTopic"], "projects/acme/topics/other");
    let now = alice.call(Method::PATCH, &path).header("if-match", read.header("etag").unwrap());
    now.json(&to("third")).send().await.ok();
}
