//! An analytics job that is never stopped, and a look at what the bus holds.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::pull;
use futures::StreamExt as _;
use tokio::task::JoinHandle;

/// The job, its connection, and what it has got.
pub(crate) struct Job {
    jetstream: jetstream::Context,
    got: Arc<Mutex<(HashSet<String>, Vec<String>)>>,
    running: JoinHandle<()>,
}

impl Job {
    pub(crate) async fn start(url: &str) -> Self {
        let client = async_nats::ConnectOptions::new().max_reconnects(None).connect(url).await.unwrap();
        let jetstream = jetstream::new(client);
        let got = Arc::new(Mutex::new((HashSet::new(), Vec::new())));
        let running = tokio::spawn(consume(jetstream.clone(), got.clone()));
        Self { jetstream, got, running }
    }

    /// Ids of the events it has got, without repeats, in the order of their first coming.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.got.lock().unwrap().1.clone()
    }

    pub(crate) fn stop(&self) {
        self.running.abort();
    }

    /// Deletes the stream of the system's own projectors.
    pub(crate) async fn delete_events_stream(&self) {
        self.jetstream.delete_stream("DOSSIER").await.unwrap();
    }

    /// De-duplication ids of every message that the stream of events holds, in order.
    pub(crate) async fn events_on_the_bus(&self) -> Vec<String> {
        let mut stream = self.jetstream.get_stream("DOSSIER").await.unwrap();
        let count = stream.info().await.unwrap().state.messages;
        let consumer = stream.create_consumer(pull::OrderedConfig::default()).await.unwrap();
        let mut messages = consumer.messages().await.unwrap().take(usize::try_from(count).unwrap());
        let mut ids = Vec::new();
        while let Some(message) = messages.next().await {
            let message = message.unwrap();
            ids.push(message.headers.as_ref().unwrap().get("Nats-Msg-Id").unwrap().to_string());
        }
        ids
    }
}

/// A durable consumer as analytics jobs have it: acknowledges what it has kept, and begins again when its server is gone.
async fn consume(jetstream: jetstream::Context, got: Arc<Mutex<(HashSet<String>, Vec<String>)>>) {
    loop {
        if let Err(error) = consume_until_trouble(&jetstream, &got).await {
            println!("the analytics job begins again: {error}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn consume_until_trouble(
    jetstream: &jetstream::Context,
    got: &Mutex<(HashSet<String>, Vec<String>)>,
) -> Result<(), async_nats::Error> {
    let config = pull::Config { durable_name: Some("job".to_owned()), ..pull::Config::default() };
    let stream = jetstream.get_stream("DOSSIER_ANALYTICS").await?;
    let consumer = stream.get_or_create_consumer("job", config).await?;
    loop {
        let mut batch =
            consumer.batch().max_messages(500).expires(Duration::from_millis(500)).messages().await?;
        while let Some(message) = batch.next().await {
            let message = message?;
            let id =
                message.headers.as_ref().and_then(|headers| headers.get("ce-id")).map(ToString::to_string);
            let id = id.ok_or("a message without ce-id")?;
            {
                let mut got = got.lock().unwrap();
                if got.0.insert(id.clone()) {
                    got.1.push(id);
                }
            }
            message.ack().await?;
        }
    }
}
