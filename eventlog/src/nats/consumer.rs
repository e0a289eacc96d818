//! Durable pull consumers, one for each follower.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::consumer::pull::{self, MessagesError, MessagesErrorKind};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, ReplayPolicy};
use async_nats::jetstream::context::ConsumerInfoErrorKind;
use async_nats::{Client, Subject};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, StreamExt};

use super::message::decode;
use super::stream::{NatsStream, compare, refuse_others, unavailable, within};
use crate::bus::{BusError, BusMessage, BusSubscription};
use crate::envelope::Position;

/// Messages delivered and not yet acknowledged, at most: several of a projector's batches.
const MAX_UNACKNOWLEDGED: i64 = 8_192;
/// After this long without an acknowledgement messages come again.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_secs(30);
/// Messages asked for at once; half of them before the rest has come.
const PULL_MESSAGES: usize = 1_000;
/// How long a request for messages stands at the server, and how often it says meanwhile that it is there.
const PULL_FOR: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Makes or checks a consumer and begins to receive.
pub(super) async fn subscribe(
    stream: &NatsStream,
    consumer: &str,
) -> Result<Box<dyn BusSubscription>, BusError> {
    stream.ready().await?;
    within(async {
        let consumer = make_or_check(stream, &settings(consumer)).await?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(PULL_MESSAGES)
            .expires(PULL_FOR)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(|error| unavailable(&error))?;
        let client = stream.context.client();
        Ok(Box::new(NatsSubscription { client, messages, unacknowledged: BTreeMap::new(), failed: None })
            as Box<dyn BusSubscription>)
    })
    .await
}

/// A new consumer begins with what comes next: what was before, its follower reads from the log. Acknowledging a message
/// acknowledges those before it.
fn settings(consumer: &str) -> pull::Config {
    pull::Config {
        durable_name: Some(format!("projector-{consumer}")),
        deliver_policy: DeliverPolicy::New,
        ack_policy: AckPolicy::All,
        ack_wait: ACKNOWLEDGE_WITHIN,
        max_deliver: -1,
        max_ack_pending: MAX_UNACKNOWLEDGED,
        replay_policy: ReplayPolicy::Instant,
        ..pull::Config::default()
    }
}

async fn make_or_check(
    stream: &NatsStream,
    wanted: &pull::Config,
) -> Result<Consumer<pull::Config>, BusError> {
    let name = wanted.durable_name.as_deref().unwrap_or_default();
    let handle = stream.handle().await?;
    let found = match handle.consumer_info(name).await {
        Ok(info) => info,
        Err(error) => match error.kind() {
            ConsumerInfoErrorKind::NotFound => {
                let made = handle.create_consumer(wanted.clone()).await;
                return made.map_err(|error| unavailable(&error));
            }
            ConsumerInfoErrorKind::StreamNotFound => {
                stream.missed();
                return Err(unavailable(&error));
            }
            ConsumerInfoErrorKind::InvalidName => {
                return Err(BusError::Refused(format!("`{name}` is no name for a consumer")));
            }
            _ => return Err(unavailable(&error)),
        },
    };
    let is = &found.config;
    let differences = [
        compare("deliver_subject", &is.deliver_subject, &None),
        compare("deliver_policy", &is.deliver_policy, &wanted.deliver_policy),
        compare("ack_policy", &is.ack_policy, &wanted.ack_policy),
        compare("ack_wait", &is.ack_wait, &wanted.ack_wait),
        compare("max_deliver", &is.max_deliver, &wanted.max_deliver),
        compare("max_ack_pending", &is.max_ack_pending, &wanted.max_ack_pending),
        compare("filter_subject", &is.filter_subject, &wanted.filter_subject),
        compare("replay_policy", &is.replay_policy, &wanted.replay_policy),
        compare("headers_only", &is.headers_only, &wanted.headers_only),
        compare("rate_limit_bps", &is.rate_limit, &wanted.rate_limit),
        compare("max_batch", &is.max_batch, &wanted.max_batch),
        compare("max_bytes", &is.max_bytes, &wanted.max_bytes),
        compare("max_expires", &is.max_expires, &wanted.max_expires),
        compare("backoff", &is.backoff, &wanted.backoff),
    ];
    refuse_others(&format!("consumer {name} of stream {}", stream.name()), &differences)?;
    Ok(Consumer::new(wanted.clone(), found, stream.context.clone()))
}

struct NatsSubscription {
    client: Client,
    messages: pull::Stream,
    /// Where to acknowledge what was delivered.
    unacknowledged: BTreeMap<Position, Subject>,
    /// Came after messages that were to be answered first.
    failed: Option<BusError>,
}

impl NatsSubscription {
    /// A message of somebody else is left out: what it may hide shows as a gap.
    fn take(&mut self, message: async_nats::jetstream::Message) -> Option<BusMessage> {
        match decode(&message.payload) {
            Ok(decoded) => {
                if let Some(reply) = message.message.reply {
                    self.unacknowledged.insert(decoded.event.position, reply);
                }
                Some(decoded)
            }
            Err(error) => {
                tracing::warn!(subject = %message.subject, %error, "a message on the bus is left out");
                None
            }
        }
    }
}

fn ended(error: &MessagesError) -> BusError {
    match error.kind() {
        MessagesErrorKind::ConsumerDeleted | MessagesErrorKind::NoResponders => BusError::Ended,
        _ => unavailable(error),
    }
}

#[async_trait]
impl BusSubscription for NatsSubscription {
    async fn next(&mut self, max: usize) -> Result<Vec<BusMessage>, BusError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut messages = Vec::new();
        while messages.is_empty() {
            match self.messages.next().await {
                Some(Ok(message)) => messages.extend(self.take(message)),
                Some(Err(error)) => return Err(ended(&error)),
                None => return Err(BusError::Ended),
            }
        }
        // No waiting from here on: what was taken is answered.
        while messages.len() < max && self.failed.is_none() {
            match self.messages.next().now_or_never() {
                Some(Some(Ok(message))) => messages.extend(self.take(message)),
                Some(Some(Err(error))) => self.failed = Some(ended(&error)),
                Some(None) => self.failed = Some(BusError::Ended),
                None => break,
            }
        }
        Ok(messages)
    }

    async fn acknowledge(&mut self, up_to: Position) -> Result<(), BusError> {
        let later = self.unacknowledged.split_off(&Position(up_to.0.saturating_add(1)));
        let done = std::mem::replace(&mut self.unacknowledged, later);
        let Some((_, reply)) = done.into_iter().next_back() else { return Ok(()) };
        if self.client.connection_state() != State::Connected {
            // They come again and are acknowledged then.
            return Ok(());
        }
        let acknowledged = self.client.publish(reply, Bytes::from_static(b"+ACK")).await;
        acknowledged.map_err(|error| unavailable(&error))
    }
}
