//! How a log in KurrentDB is opened: its URL, its bounds, its names.

use std::time::Duration;

use kurrentdb::{ClientSettings, SubscriptionFilter};

use crate::envelope::StreamName;

/// Bounds of a store on KurrentDB, and its name there.
#[derive(Clone, Debug)]
pub struct KurrentOptions {
    /// Begins the names of the log's streams: letters, digits, `_` and `-`.
    pub namespace: String,
    /// How long opening waits for a server that is down.
    pub open_timeout: Duration,
    /// How long an append may take before it answers `Unavailable` or, where it may have been stored, `OutcomeUnknown`.
    pub append_timeout: Duration,
    /// How long a read may take before it answers `Unavailable`.
    pub read_timeout: Duration,
    /// Appends on their way to the server; further callers wait.
    pub in_flight_appends: usize,
    /// Streams whose head is kept in memory.
    pub known_heads: usize,
    /// Ids of events kept in memory to tell duplicates.
    pub known_ids: usize,
}

impl Default for KurrentOptions {
    fn default() -> Self {
        Self {
            namespace: "dossier".to_owned(),
            open_timeout: Duration::from_secs(30),
            append_timeout: Duration::from_millis(1_800),
            read_timeout: Duration::from_secs(5),
            in_flight_appends: 256,
            known_heads: 64 * 1024,
            known_ids: 256 * 1024,
        }
    }
}

/// Why a log in KurrentDB was not opened. The operator acts.
#[derive(Debug, thiserror::Error)]
pub enum KurrentOpenError {
    /// The URL or the namespace makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// No server answered in time.
    #[error("no KurrentDB server answered at {place} within {} s: {reason}; start it, or correct the URL", .waited.as_secs())]
    Unreachable {
        /// The URL without what is secret in it.
        place: String,
        /// How long it was tried.
        waited: Duration,
        /// What the last attempt met.
        reason: String,
    },
    /// The server refused, or the namespace holds something else.
    #[error("the log in KurrentDB at {place} cannot be used: {reason}")]
    Unusable {
        /// The URL without what is secret in it.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

/// Reads `kurrentdb://…` or `esdb://…`, which mean the same, and sets what this store relies on where the URL does not.
pub(super) fn settings(url: &str) -> Result<ClientSettings, KurrentOpenError> {
    let invalid = |reason: &str| {
        let place = place(url);
        KurrentOpenError::Invalid(format!(
            "`{place}` is no URL of KurrentDB: {reason}; wanted kurrentdb://HOST:PORT?tls=false or the like"
        ))
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(|| invalid("it has no scheme"))?;
    let scheme = match scheme {
        "kurrentdb" | "esdb" => "kurrentdb",
        "kurrentdb+discover" | "esdb+discover" => "kurrentdb+discover",
        _ => return Err(invalid("its scheme is neither kurrentdb nor esdb")),
    };
    let mut complete = format!("{scheme}://{rest}");
    // The leader alone has every acknowledged append. The interval is waited before the first attempt too.
    for (key, value) in [("nodePreference", "leader"), ("discoveryInterval", "1")] {
        if !rest.to_ascii_lowercase().contains(&format!("{}=", key.to_ascii_lowercase())) {
            let separator = if complete.contains('?') { '&' } else { '?' };
            complete = format!("{complete}{separator}{key}={value}");
        }
    }
    complete.parse::<ClientSettings>().map_err(|error| invalid(error.message()))
}

/// A URL without user, password and parameters.
pub(super) fn place(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.split(['?', '/']).next().unwrap_or_default();
    let hosts = rest.rsplit_once('@').map_or(rest, |(_, hosts)| hosts);
    if scheme.is_empty() { hosts.to_owned() } else { format!("{scheme}://{hosts}") }
}

/// The names of a log's streams on the server.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
    identity: String,
}

impl Names {
    pub(super) fn new(namespace: &str) -> Result<Self, KurrentOpenError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        // No dot, so that no namespace begins another's streams.
        if namespace.is_empty() || namespace.len() > 100 || !namespace.bytes().all(allowed) {
            return Err(KurrentOpenError::Invalid(format!(
                "`{namespace}` is no namespace: wanted at most 100 letters, digits, '_' and '-'"
            )));
        }
        Ok(Self { prefix: format!("{namespace}."), identity: format!("{namespace}:log") })
    }

    /// The stream that holds the log's identity, outside what the log shows.
    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// A stream's name on the server.
    pub(super) fn on_server(&self, stream: &StreamName) -> String {
        format!("{}{stream}", self.prefix)
    }

    /// A stream's name here; `None` when it is not of this log.
    pub(super) fn of_log(&self, on_server: &str) -> Option<StreamName> {
        StreamName::new(on_server.strip_prefix(&self.prefix)?).ok()
    }

    /// Selects the log's events from `$all`.
    pub(super) fn filter(&self) -> SubscriptionFilter {
        SubscriptionFilter::on_stream_name().add_prefix(&self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_schemes_mean_the_same_server_and_its_leader() {
        let settings = |url| format!("{:?}", super::settings(url).expect("a URL"));
        assert_eq!(
            settings("esdb://localhost:2113?tls=false"),
            settings("kurrentdb://localhost:2113?tls=false")
        );
        assert_eq!(
            settings("esdb+discover://cluster.example"),
            settings("kurrentdb+discover://cluster.example?NodePreference=leader&discoveryinterval=1"),
        );
        let chosen = super::settings("esdb://one:1,two:2?nodePreference=follower").expect("a URL");
        assert_eq!(chosen.node_preference(), kurrentdb::NodePreference::Follower);
        assert_eq!(chosen.hosts().len(), 2);
    }

    #[test]
    fn a_url_that_cannot_be_used_is_explained_without_its_password() {
        for url in ["postgres://u:secret@host", "secret", "kurrentdb://u:secret@host?tls=maybe"] {
            let explained = settings(url).err().map(|error| error.to_string());
            let explained = explained.unwrap_or_else(|| panic!("{url} is no URL of KurrentDB"));
            assert!(explained.contains("kurrentdb://HOST:PORT"), "{explained}");
            assert!(!explained.contains("u:secret"), "{explained}");
        }
    }

    #[test]
    fn streams_of_another_namespace_are_not_of_the_log() {
        let names = Names::new("dossier").expect("a namespace");
        let stream = StreamName::new("case-1").expect("a name");
        assert_eq!(names.on_server(&stream), "dossier.case-1");
        assert_eq!(names.of_log("dossier.case-1"), Some(stream));
        for other in ["dossier2.case-1", "case-1", "$dossier.case-1", names.identity()] {
            assert_eq!(names.of_log(other), None, "{other}");
        }
        assert!(!names.identity().starts_with(&names.prefix));
        for wrong in ["", "a.b", "$all", "a b"] {
            assert!(Names::new(wrong).is_err(), "{wrong}");
        }
    }
}
