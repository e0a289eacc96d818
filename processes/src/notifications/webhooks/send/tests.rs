//! Attempts at receivers that answer, refuse, answer late or never, and close.

use std::time::Duration;

use reqwest::dns::Resolve as _;

use super::super::target::{SystemResolver, TargetError};
use super::super::testing::{Conduct, Receiver, Told, install_tls};
use super::*;

const LOOPBACK: &[&[&str]] = &[&["127.0.0.1"]];
const NAME: &str = "hooks.acme.example";

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn sender(policy: TargetPolicy, resolver: Arc<dyn Resolve>) -> WebhookSender {
    install_tls();
    WebhookSender::new(policy, resolver, PATIENCE).unwrap()
}

fn post(url: String) -> Post {
    Post { id: "0190-1".to_owned(), url, keys: vec![vec![1; 32], vec![2; 32]], body: b"{\"a\":1}".to_vec() }
}

async fn answered(conduct: Conduct) -> Answer {
    let receiver = Receiver::start(&[conduct]).await;
    let sender = sender(TargetPolicy::Any, Told::new(LOOPBACK));
    sender.send(&post(receiver.url(NAME)), now()).await
}

fn unreached(why: &str) -> Answer {
    Answer::Unreached { why: why.to_owned() }
}

#[tokio::test]
async fn a_message_is_a_signed_post_to_the_very_address_with_the_very_bytes() {
    let mut receiver = Receiver::start(&[Conduct::OK]).await;
    let sender = sender(TargetPolicy::Any, Told::new(LOOPBACK));
    let post = post(receiver.url(NAME));
    assert_eq!(sender.send(&post, now()).await, Answer::Accepted { status: 204 });
    let received = receiver.next().await;
    assert_eq!(received.request_line(), "POST /hook?x=1 HTTP/1.1");
    assert_eq!(received.body, post.body);
    assert_eq!(received.header("content-type"), Some("application/cloudevents+json; charset=utf-8"));
    assert_eq!(
        (received.header("webhook-id"), received.header("webhook-timestamp")),
        (Some("0190-1"), Some("1700000000"))
    );
    let signature = signatures(&post.keys, "0190-1", now(), &post.body);
    assert_eq!(received.header("webhook-signature"), Some(signature.as_str()));
    assert_eq!(signature.split(' ').count(), 2, "both secrets of a rotation");
}

#[tokio::test]
async fn every_answer_means_one_thing() {
    for status in ["200 OK", "201 Created", "204 No Content", "299 Fine"] {
        assert!(matches!(answered(Conduct::Answer(status)).await, Answer::Accepted { .. }), "{status}");
    }
    assert_eq!(answered(Conduct::Answer("410 Gone")).await, Answer::Gone);
    for status in ["301 Moved", "400 Bad", "401 No", "404 Not Found", "429 Slow", "500 Oops", "503 Away"] {
        let number = status[..3].parse().unwrap();
        let refused = Answer::Refused { status: number, retry_after: None };
        assert_eq!(answered(Conduct::Answer(status)).await, refused, "{status}");
    }
    let slow = answered(Conduct::Answer("429 Slow\r\nretry-after: 120")).await;
    assert_eq!(slow, Answer::Refused { status: 429, retry_after: Some(SignedDuration::from_mins(2)) });
    let later = answered(Conduct::Answer("503 Away\r\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT")).await;
    assert_eq!(later, Answer::Refused { status: 503, retry_after: None }, "a date is not waited for");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut inside = Receiver::start(&[Conduct::OK]).await;
    let head: &'static str =
        Box::leak(format!("307 Go\r\nlocation: http://{}/", inside.address).into_boxed_str());
    assert_eq!(answered(Conduct::Answer(head)).await, Answer::Refused { status: 307, retry_after: None });
    assert!(inside.is_idle());
}

#[tokio::test]
async fn a_connection_that_is_lost_after_the_request_is_to_be_tried_again() {
    assert_eq!(answered(Conduct::Close).await, unreached("the connection to it was lost"));
    let nobody = Receiver::start(&[Conduct::OK]).await.url(NAME);
    let sender = sender(TargetPolicy::Any, Told::new(LOOPBACK));
    assert_eq!(sender.send(&post(nobody), now()).await, unreached("no connection to it could be made"));
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_given_up() {
    install_tls();
    let patience = Duration::from_millis(50);
    let sender = WebhookSender::new(TargetPolicy::Any, Told::new(LOOPBACK), patience).unwrap();
    let receiver = Receiver::start(&[Conduct::Silent]).await;
    assert_eq!(sender.send(&post(receiver.url(NAME)), now()).await, unreached("it did not answer in time"));
}

#[tokio::test]
async fn an_answer_without_an_end_is_read_in_part_and_its_status_counts() {
    assert_eq!(answered(Conduct::Endless).await, Answer::Accepted { status: 200 });
}

#[tokio::test]
async fn what_lies_inside_is_not_called_however_it_is_named() {
    let mut receiver = Receiver::start(&[Conduct::OK]).await;
    let port = receiver.address.port();
    let inside = sender(TargetPolicy::Public, Told::new(LOOPBACK));
    let named = inside.send(&post(format!("https://{NAME}:{port}/")), now()).await;
    assert_eq!(named, unreached("the name leads to a private or reserved address"));
    let system = sender(TargetPolicy::Public, Arc::new(SystemResolver));
    let local = system.send(&post(format!("https://localhost:{port}/")), now()).await;
    assert_eq!(local, unreached("the name leads to a private or reserved address"));
    for url in [format!("https://127.0.0.1:{port}/"), format!("https://[::1]:{port}/"), receiver.url(NAME)] {
        let Answer::Unreached { why } = system.send(&post(url), now()).await else { panic!("called") };
        assert!(why.starts_with("its address"), "{why}");
    }
    assert!(receiver.is_idle());
}

/// DNS rebinding: what a name led to before says nothing of now, and what was checked is what is connected to.
#[tokio::test]
async fn a_name_is_asked_for_with_every_attempt_and_what_it_leads_to_now_is_judged() {
    let told = Told::new(&[&["8.8.8.8"], &["10.0.0.1"], &["8.8.8.8", "127.0.0.1"], &[]]);
    let checking = Checking { resolver: told, policy: TargetPolicy::Public };
    let ask = async || match checking.resolve(NAME.parse().unwrap()).await {
        Ok(addresses) => Ok(addresses.count()),
        Err(error) => Err(TargetError::cause_of(&*error).cloned()),
    };
    assert_eq!(ask().await, Ok(1));
    assert_eq!(ask().await, Err(Some(TargetError::NotPublic)), "the name leads inside now");
    assert_eq!(ask().await, Err(Some(TargetError::NotPublic)));
    assert_eq!(ask().await, Err(Some(TargetError::Nowhere)));

    let mut receiver = Receiver::start(&[Conduct::OK]).await;
    let told = Told::new(LOOPBACK);
    let sender = sender(TargetPolicy::Any, told.clone());
    for attempt in 1..=3 {
        assert!(matches!(sender.send(&post(receiver.url(NAME)), now()).await, Answer::Accepted { .. }));
        receiver.next().await;
        assert_eq!(told.asked(), attempt, "asked once, and not again for the connection");
    }
}

#[tokio::test]
async fn no_reason_tells_the_address() {
    let sender = sender(TargetPolicy::Any, Told::new(&[&[]]));
    for url in
        ["http://canary.example/canary", "canary", "http://user:canary@host/", "http://canary:1/?canary"]
    {
        let Answer::Unreached { why } = sender.send(&post(url.to_owned()), now()).await else {
            panic!("{url}")
        };
        assert!(!why.contains("canary"), "{why}");
    }
}
