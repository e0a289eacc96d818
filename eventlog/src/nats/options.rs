//! Which servers and streams, by an address such as `nats://one:4222,two:4222?stream=DOSSIER&replicas=3`.

use std::fmt;
use std::time::Duration;

use async_nats::ServerAddr;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use crate::store::MAX_EVENT_BYTES;

/// Room for an event, what surrounds it, and its headers; far below the server's own limit of 1 MiB.
const MAX_MESSAGE_BYTES: usize = 2 * MAX_EVENT_BYTES;
/// How long the server knows the ids of messages; its own default. Publishing is right without it: see the sequences.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);
/// What one stream keeps by default: some hundred thousand events. Followers that need older ones read the log.
const MAX_BYTES: u64 = 1 << 30;
/// How long notifications are kept for readers that are away.
const NOTIFICATIONS_MAX_AGE: Duration = Duration::from_hours(72);

/// How to reach NATS and what the streams keep.
#[derive(Clone)]
pub struct NatsOptions {
    servers: Vec<ServerAddr>,
    /// Name of the stream of events, `DOSSIER`. Subjects and the name of the analytics stream follow from it.
    pub stream: String,
    /// Copies of each stream in a cluster, 1.
    pub replicas: usize,
    /// Bytes of events kept, oldest dropped first: 1 GiB. `None`: no limit. The server sets this much of its room aside.
    pub max_bytes: Option<u64>,
    /// Age of the oldest event kept: `None`, no limit. A stream whose last message has grown too old is empty, and is filled
    /// again from the log's beginning: prefer bytes.
    pub max_age: Option<Duration>,
    /// Bytes of analytics messages kept: `None`, no limit.
    pub analytics_max_bytes: Option<u64>,
    /// Age of the oldest analytics message kept: `None`, no limit. See `max_age`.
    pub analytics_max_age: Option<Duration>,
}

/// The address does not say which server or stream.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct NatsUrlError(String);

impl fmt::Debug for NatsOptions {
    /// Without what the servers' addresses may hold of credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<String> =
            self.servers.iter().map(|server| format!("{}:{}", server.host(), server.port())).collect();
        f.debug_struct("NatsOptions")
            .field("servers", &servers)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

impl NatsOptions {
    /// Reads `nats://HOST:PORT[,HOST:PORT…][?SETTING=VALUE&…]` (or `tls://…`; credentials before the host). Settings are
    /// `stream`, `replicas`, `max_bytes`, `max_age_seconds`, `analytics_max_bytes`, `analytics_max_age_seconds`.
    ///
    /// # Errors
    /// [`NatsUrlError`] says which part, never the credentials.
    pub fn from_url(url: &str) -> Result<Self, NatsUrlError> {
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let Some((scheme @ ("nats" | "tls"), hosts)) = address.split_once("://") else {
            return Err(NatsUrlError("wanted nats://HOST:PORT or tls://HOST:PORT".to_owned()));
        };
        let servers = hosts.trim_end_matches('/').split(',').map(|host| server(scheme, host));
        let mut options = Self {
            servers: servers.collect::<Result<_, _>>()?,
            stream: "DOSSIER".to_owned(),
            replicas: 1,
            max_bytes: Some(MAX_BYTES),
            max_age: None,
            analytics_max_bytes: None,
            analytics_max_age: None,
        };
        for setting in query.split('&').filter(|setting| !setting.is_empty()) {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            options.set(name, value)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), NatsUrlError> {
        match name {
            "stream" => {
                let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
                if value.is_empty() || value.len() > 64 || !value.bytes().all(known) {
                    return Err(NatsUrlError(format!(
                        "stream={value}: wanted at most 64 letters, digits, '_' and '-'"
                    )));
                }
                value.clone_into(&mut self.stream);
            }
            "replicas" => match number(name, value)? {
                replicas @ 1..=5 => self.replicas = usize::try_from(replicas).unwrap_or(1),
                _ => return Err(NatsUrlError(format!("replicas={value}: wanted 1 to 5"))),
            },
            "max_bytes" => self.max_bytes = limit(name, value)?,
            "max_age_seconds" => self.max_age = limit(name, value)?.map(Duration::from_secs),
            "analytics_max_bytes" => self.analytics_max_bytes = limit(name, value)?,
            "analytics_max_age_seconds" => {
                self.analytics_max_age = limit(name, value)?.map(Duration::from_secs);
            }
            _ => {
                return Err(NatsUrlError(format!(
                    "{name} is no setting; known are stream, replicas, max_bytes, max_age_seconds, analytics_max_bytes and \
                     analytics_max_age_seconds"
                )));
            }
        }
        Ok(())
    }

    pub(super) fn servers(&self) -> &[ServerAddr] {
        &self.servers
    }

    /// Settings of the stream of events.
    pub(super) fn events_stream(&self) -> Config {
        self.stream_of("events", self.stream.clone(), self.max_bytes, self.max_age)
    }

    /// Settings of the stream for analytics.
    pub(super) fn analytics_stream(&self) -> Config {
        let name = format!("{}_ANALYTICS", self.stream);
        self.stream_of("analytics", name, self.analytics_max_bytes, self.analytics_max_age)
    }

    /// Settings of the stream of notifications to organizations' machines.
    pub(super) fn notifications_stream(&self) -> Config {
        let name = format!("{}_NOTIFICATIONS", self.stream);
        self.stream_of("notifications", name, None, Some(NOTIFICATIONS_MAX_AGE))
    }

    fn stream_of(&self, kind: &str, name: String, bytes: Option<u64>, age: Option<Duration>) -> Config {
        Config {
            name,
            subjects: vec![format!("{}.{kind}.>", self.stream.to_ascii_lowercase())],
            retention: RetentionPolicy::Limits,
            storage: StorageType::File,
            discard: DiscardPolicy::Old,
            max_bytes: bytes.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(-1),
            max_age: age.unwrap_or_default(),
            max_messages: -1,
            max_messages_per_subject: -1,
            max_consumers: -1,
            max_message_size: i32::try_from(MAX_MESSAGE_BYTES).unwrap_or(i32::MAX),
            num_replicas: self.replicas,
            // The server refuses a window longer than messages live.
            duplicate_window: age.unwrap_or(DUPLICATE_WINDOW).min(DUPLICATE_WINDOW),
            ..Config::default()
        }
    }
}

fn server(scheme: &str, host: &str) -> Result<ServerAddr, NatsUrlError> {
    let host = host.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://")).unwrap_or(host);
    let invalid = || {
        let shown = host.rsplit('@').next().unwrap_or_default();
        NatsUrlError(format!("`{shown}` is no server; wanted HOST:PORT"))
    };
    let server: ServerAddr = format!("{scheme}://{host}").parse().map_err(|_| invalid())?;
    if server.host().is_empty() { Err(invalid()) } else { Ok(server) }
}

fn number(name: &str, value: &str) -> Result<u64, NatsUrlError> {
    value.parse().map_err(|_| NatsUrlError(format!("{name}={value}: wanted a whole number")))
}

/// A limit; 0 for none.
fn limit(name: &str, value: &str) -> Result<Option<u64>, NatsUrlError> {
    number(name, value).map(|limit| (limit > 0).then_some(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        NatsOptions::from_url(url).unwrap_err().to_string()
    }

    #[test]
    fn an_address_alone_means_the_stream_dossier() {
        let options = NatsOptions::from_url("nats://localhost:4222").unwrap();
        let stream = options.events_stream();
        assert_eq!((stream.name.as_str(), stream.subjects), ("DOSSIER", vec!["dossier.events.>".to_owned()]));
        assert_eq!((stream.max_bytes, stream.max_age, stream.num_replicas), (1 << 30, Duration::ZERO, 1));
        let stream = options.analytics_stream();
        assert_eq!(stream.name, "DOSSIER_ANALYTICS");
        assert_eq!(stream.subjects, ["dossier.analytics.>"]);
        assert_eq!(stream.max_bytes, -1);
    }

    #[test]
    fn an_address_may_name_several_servers_and_other_settings() {
        let options = NatsOptions::from_url(
            "nats://dossier:secret@a:1,b:2,nats://c:3/?stream=DOSSIER_T7&replicas=3&max_bytes=0&max_age_seconds=60",
        )
        .unwrap();
        let servers: Vec<_> = options.servers().iter().map(|server| (server.host(), server.port())).collect();
        assert_eq!(servers, [("a", 1), ("b", 2), ("c", 3)]);
        let stream = options.events_stream();
        assert_eq!(stream.subjects, ["dossier_t7.events.>"]);
        assert_eq!((stream.num_replicas, stream.max_bytes), (3, -1));
        assert_eq!(
            (stream.max_age, stream.duplicate_window),
            (Duration::from_mins(1), Duration::from_mins(1))
        );
        assert_eq!(options.analytics_stream().duplicate_window, DUPLICATE_WINDOW);
        assert!(!format!("{options:?}").contains("secret"));
    }

    #[test]
    fn a_bad_address_is_refused_with_the_part_that_is_wrong() {
        assert!(refused("http://localhost").contains("wanted nats://"));
        assert!(refused("nats://").contains("is no server"));
        assert!(refused("nats://a:1?stream=a.b").contains("stream=a.b"));
        assert!(refused("nats://a:1?replicas=7").contains("1 to 5"));
        assert!(refused("nats://a:1?max_bytes=1G").contains("max_bytes=1G"));
        assert!(refused("nats://a:1?colour=red").contains("colour is no setting"));
        let message = refused("nats://dossier:secret@a:port");
        assert!(message.contains("a:port") && !message.contains("secret"), "{message}");
    }
}
