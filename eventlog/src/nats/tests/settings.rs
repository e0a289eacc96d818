//! Streams and consumers that are there already.

use async_nats::jetstream::consumer::AckPolicy;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use super::*;

async fn refused_with(url: &str, change: impl FnOnce(&mut Config)) -> String {
    let mut settings = options(url).events_stream();
    change(&mut settings);
    operator(url).await.create_stream(settings).await.unwrap();
    match NatsBus::connect(&options(url)).await {
        Ok(_) => panic!("the stream was accepted"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_stream_with_other_settings_is_refused_with_each_difference() {
    type Change = fn(&mut Config);
    let changes: [(&str, Change); 8] = [
        ("subjects is [\"other", |settings| settings.subjects = vec![format!("other.{}.>", settings.name)]),
        ("retention is Interest and should be Limits", |settings| {
            settings.retention = RetentionPolicy::Interest;
        }),
        ("storage is Memory and should be File", |settings| settings.storage = StorageType::Memory),
        ("discard is New and should be Old", |settings| settings.discard = DiscardPolicy::New),
        ("duplicate_window is 1s and should be 120s", |settings| {
            settings.duplicate_window = Duration::from_secs(1);
        }),
        ("max_msg_size is 1000 and should be 524288", |settings| settings.max_message_size = 1000),
        ("max_bytes is 1048576 and should be 67108864", |settings| settings.max_bytes = 1 << 20),
        ("max_msgs is 10 and should be -1", |settings| settings.max_messages = 10),
    ];
    for (difference, change) in changes {
        let url = fresh_url(&Nats::shared().url());
        let refusal = refused_with(&url, change).await;
        assert!(refusal.contains(difference), "{refusal}");
        assert_eq!(refusal.matches(" and should be ").count(), 1, "{refusal}");
    }
    let url = fresh_url(&Nats::shared().url());
    let refusal = refused_with(&url, |settings| {
        settings.max_age = Duration::from_mins(10);
        settings.max_messages_per_subject = 1;
    })
    .await;
    assert!(refusal.contains("max_age is 600s and should be 0ns"), "{refusal}");
    assert!(refusal.contains("max_msgs_per_subject is 1 and should be -1"), "{refusal}");
}

#[tokio::test]
async fn a_stream_as_it_should_be_is_used_again() {
    let (url, bus) = fresh_bus().await;
    bus.publish(None, &messages(1, 2)).await.unwrap();
    assert_eq!(connect(&url).await.last_published().await, Ok(Some(place(2))));
}

#[tokio::test]
async fn a_stream_whose_subjects_belong_to_another_is_refused() {
    let url = fresh_url(&Nats::shared().url());
    let mut settings = options(&url).events_stream();
    settings.name = format!("{}_OTHER", settings.name);
    operator(&url).await.create_stream(settings).await.unwrap();
    let Err(error) = NatsBus::connect(&options(&url)).await else { panic!("two streams share subjects") };
    assert!(error.to_string().contains("overlap"), "{error}");
}

#[tokio::test]
async fn a_consumer_with_other_settings_is_refused_with_the_difference() {
    let (url, bus) = fresh_bus().await;
    let stream = operator(&url).await.get_stream(bus.stream_name()).await.unwrap();
    stream
        .create_consumer(pull::Config {
            durable_name: Some("projector-cases".to_owned()),
            ack_policy: AckPolicy::Explicit,
            filter_subject: format!("{}.events.case.>", bus.stream_name().to_ascii_lowercase()),
            ..pull::Config::default()
        })
        .await
        .unwrap();
    let Err(BusError::Refused(why)) = bus.subscribe("cases").await else { panic!("accepted") };
    assert!(why.contains("ack_policy is Explicit and should be All"), "{why}");
    assert!(why.contains("filter_subject is"), "{why}");
    bus.subscribe("other").await.unwrap();
}
