//! A stream: made or checked when it is first needed, and again when it was deleted.

use std::error::Error;
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::{
    Context, ContextBuilder, CreateStreamError, CreateStreamErrorKind, GetStreamErrorKind,
};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{Config, LastRawMessageErrorKind, Stream};
use async_nats::jetstream::{ErrorCode, stream};
use async_nats::{Client, ConnectOptions, Event, HeaderValue};
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use super::options::NatsOptions;
use crate::bus::BusError;
use crate::envelope::{EventId, Position};

/// The longest wait for an answer.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Acknowledgements awaited at once.
pub(super) const IN_FLIGHT: usize = 512;
/// The server says so when it has not heard from a client; the other way round it is found out by asking.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// Pause before connecting again: doubles from the first to the second.
const RECONNECT_PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Header with the position of a message's event; its id is `Nats-Msg-Id`.
pub(super) const POSITION_HEADER: &str = "Dossier-Position";

/// The last message of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    /// Number of the last message that the stream ever held, 0 before the first.
    pub(super) sequence: u64,
    /// Its event, `None` where the stream holds no message.
    pub(super) event: Option<(Position, EventId)>,
}

impl Tail {
    pub(super) fn position(&self) -> Option<Position> {
        self.event.map(|(position, _)| position)
    }
}

/// A stream and the connection to its servers.
pub(super) struct NatsStream {
    pub(super) context: Context,
    client: Client,
    /// Whether the connection stands, as last told.
    connected: watch::Receiver<bool>,
    settings: Config,
    /// Whether the stream was there, with these settings, and has not been missed since.
    checked: AtomicBool,
    /// Where this process has left the stream; what a publisher holds while it publishes.
    pub(super) tail: Mutex<Option<Tail>>,
}

impl NatsStream {
    /// Begins to connect, and waits a little for it.
    pub(super) async fn connect(
        options: &NatsOptions,
        settings: Config,
    ) -> Result<Self, async_nats::ConnectError> {
        let (tell, mut connected) = watch::channel(false);
        let client = ConnectOptions::new()
            .name("dossier")
            .retry_on_initial_connect()
            .max_reconnects(None)
            .connection_timeout(ANSWER_WITHIN)
            .request_timeout(Some(ANSWER_WITHIN))
            .ping_interval(PING_INTERVAL)
            .reconnect_delay_callback(|attempts| {
                let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(10);
                (RECONNECT_PAUSES.0 * 2_u32.pow(doublings)).min(RECONNECT_PAUSES.1)
            })
            .event_callback(move |event| {
                match event {
                    Event::Connected => {
                        tracing::info!("connected to NATS");
                        tell.send_replace(true);
                    }
                    Event::Disconnected | Event::Closed => {
                        tracing::warn!("disconnected from NATS");
                        tell.send_replace(false);
                    }
                    event => tracing::warn!(%event, "NATS"),
                }
                std::future::ready(())
            })
            .connect(options.servers())
            .await?;
        let _ = tokio::time::timeout(ANSWER_WITHIN, connected.wait_for(|connected| *connected)).await;
        let context = ContextBuilder::new()
            .timeout(ANSWER_WITHIN)
            .ack_timeout(ANSWER_WITHIN)
            .max_ack_inflight(IN_FLIGHT)
            .backpressure_on_inflight(true)
            .build(client.clone());
        Ok(Self {
            context,
            client,
            connected,
            settings,
            checked: AtomicBool::new(false),
            tail: Mutex::default(),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    /// The subjects' common beginning, with its dot.
    pub(super) fn subject_prefix(&self) -> &str {
        self.settings.subjects.first().map_or("", |subjects| subjects.trim_end_matches('>'))
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Waits until the connection is lost: what is on its way is not answered then.
    pub(super) async fn lost(&self) {
        // An end of the events means that the client has ended.
        let _ = self.connected.clone().wait_for(|connected| !connected).await;
    }

    /// The stream is gone: it is made again before it is next used.
    pub(super) fn missed(&self) {
        self.checked.store(false, Ordering::Release);
    }

    /// Makes sure that the server is there and the stream as it should be.
    pub(super) async fn ready(&self) -> Result<(), BusError> {
        if !self.is_connected() {
            return Err(BusError::Unavailable("not connected to NATS".to_owned()));
        }
        if self.checked.load(Ordering::Acquire) {
            return Ok(());
        }
        within(self.make_or_check()).await?;
        self.checked.store(true, Ordering::Release);
        Ok(())
    }

    async fn make_or_check(&self) -> Result<(), BusError> {
        if !self.client.is_server_compatible(2, 9, 0) {
            let version = self.client.server_info().version;
            return Err(BusError::Refused(format!("NATS server {version} is too old: wanted 2.9 or later")));
        }
        let name = self.name();
        let found = match self.context.get_stream(name).await {
            Ok(stream) => stream,
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(cause) if is_missing(&cause) => {
                    let made = self.context.create_stream(self.settings.clone()).await;
                    let made = made.map_err(|error| not_made(name, &error))?;
                    tracing::info!(stream = name, "made the stream");
                    made
                }
                GetStreamErrorKind::JetStream(cause) if cause.code() < 500 => {
                    return Err(BusError::Refused(format!("stream {name}: {cause}")));
                }
                _ => return Err(unavailable(&error)),
            },
        };
        let found = &found.cached_info().config;
        refuse_others(&format!("stream {name}"), &stream_differences(found, &self.settings))
    }

    pub(super) async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError> {
        Ok(self.read_tail().await?.event)
    }

    /// Reads the last message from the stream's leader.
    pub(super) async fn read_tail(&self) -> Result<Tail, BusError> {
        self.ready().await?;
        within(async {
            let stream = self.handle().await?;
            let error = match stream.get_last_raw_message_by_subject(">").await {
                Ok(message) => return tail_of(self.name(), &message),
                Err(error) => error,
            };
            match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => {
                    // What it once held still counts in the numbers.
                    let info = stream.get_info().await.map_err(|error| unavailable(&error))?;
                    Ok(Tail { sequence: info.state.last_sequence, event: None })
                }
                LastRawMessageErrorKind::JetStream(cause) if is_missing(&cause) => {
                    self.missed();
                    self.make_or_check().await?;
                    self.checked.store(true, Ordering::Release);
                    Ok(Tail { sequence: 0, event: None })
                }
                _ => Err(unavailable(&error)),
            }
        })
        .await
    }

    /// The stream, as far as is known.
    pub(super) async fn handle(&self) -> Result<Stream<()>, BusError> {
        self.context.get_stream_no_info(self.name()).await.map_err(|error| unavailable(&error))
    }
}

fn tail_of(name: &str, message: &StreamMessage) -> Result<Tail, BusError> {
    let header = |name: &str| message.headers.get(name).map(HeaderValue::as_str);
    let position = header(POSITION_HEADER).and_then(|position| position.parse().ok());
    let event_id = header("Nats-Msg-Id").and_then(|id| Uuid::try_parse(id).ok());
    match (position, event_id) {
        (Some(position), Some(event_id)) => {
            let event = Some((Position(position), EventId(event_id)));
            Ok(Tail { sequence: message.sequence, event })
        }
        _ => Err(BusError::Refused(format!(
            "the last message of stream {name}, number {}, is not of this system: delete it, and whoever sent it",
            message.sequence
        ))),
    }
}

/// Bounds a whole conversation with the server.
pub(super) async fn within<T>(answer: impl Future<Output = Result<T, BusError>>) -> Result<T, BusError> {
    match tokio::time::timeout(ANSWER_WITHIN, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(BusError::Unavailable("NATS does not answer".to_owned())),
    }
}

/// An error with its causes.
pub(super) fn unavailable(error: &(dyn Error + 'static)) -> BusError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    BusError::Unavailable(text)
}

fn is_missing(error: &async_nats::jetstream::Error) -> bool {
    error.error_code() == ErrorCode::STREAM_NOT_FOUND
}

/// What the server does not want to make, the operator changes; what it cannot make now, it may later.
fn not_made(name: &str, error: &CreateStreamError) -> BusError {
    match error.kind() {
        CreateStreamErrorKind::JetStream(cause) if cause.code() < 500 => {
            BusError::Refused(format!("stream {name} cannot be made: {cause}"))
        }
        _ => unavailable(error),
    }
}

/// A setting that is not as it should be.
pub(super) struct Difference(String);

/// Compares one setting.
pub(super) fn compare<T: PartialEq + Debug>(name: &str, is: &T, wanted: &T) -> Option<Difference> {
    (is != wanted).then(|| Difference(format!("{name} is {is:?} and should be {wanted:?}")))
}

pub(super) fn refuse_others(what: &str, differences: &[Option<Difference>]) -> Result<(), BusError> {
    let found: Vec<&str> =
        differences.iter().flatten().map(|Difference(difference)| difference.as_str()).collect();
    if found.is_empty() {
        return Ok(());
    }
    let found = found.join("; ");
    Err(BusError::Refused(format!(
        "{what} has other settings: {found}. Change them, or delete it to have it made"
    )))
}

fn stream_differences(is: &stream::Config, wanted: &stream::Config) -> Vec<Option<Difference>> {
    vec![
        compare("subjects", &is.subjects, &wanted.subjects),
        compare("retention", &is.retention, &wanted.retention),
        compare("storage", &is.storage, &wanted.storage),
        compare("discard", &is.discard, &wanted.discard),
        compare("duplicate_window", &is.duplicate_window, &wanted.duplicate_window),
        compare("max_msg_size", &is.max_message_size, &wanted.max_message_size),
        compare("max_bytes", &is.max_bytes, &wanted.max_bytes),
        compare("max_age", &is.max_age, &wanted.max_age),
        compare("max_msgs", &is.max_messages, &wanted.max_messages),
        compare("max_msgs_per_subject", &is.max_messages_per_subject, &wanted.max_messages_per_subject),
        compare("max_consumers", &is.max_consumers, &wanted.max_consumers),
        compare("num_replicas", &is.num_replicas, &wanted.num_replicas),
        compare("no_ack", &is.no_ack, &wanted.no_ack),
        compare("sealed", &is.sealed, &wanted.sealed),
        compare("allow_rollup_hdrs", &is.allow_rollup, &wanted.allow_rollup),
        compare("mirror", &is.mirror.is_some(), &wanted.mirror.is_some()),
        compare("sources", &is.sources.as_ref().map_or(0, Vec::len), &0),
    ]
}
