//! Reads single values; each refusal says what would do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use dossier_domain::webhook::TargetPolicy;
use jiff::{SignedDuration, Timestamp};

use super::layers::Given;
use super::{Blobs, ConfigError};
use crate::logging::{self, LogFormat};
use crate::proto_json;

const MIN_BODY_BYTES: usize = 64 * 1024;
const MAX_BODY_BYTES: usize = 1024 * 1024 * 1024;
const MAX_REQUEST_TIMEOUT: Duration = Duration::from_mins(10);

pub(super) fn boolean(given: &Given) -> Result<bool, ConfigError> {
    match given.text() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(given.refused("is neither true nor false", "use true or false")),
    }
}

/// What is done about a work store that was lost.
pub(super) fn begin_at_head(given: &Given) -> Result<bool, ConfigError> {
    match given.text() {
        "begin-at-head" => Ok(true),
        _ => Err(given.refused(
            "is nothing that could be done about it",
            "use begin-at-head, once, or restore the work store from its backup and leave it unset",
        )),
    }
}

pub(super) fn address(given: &Given) -> Result<SocketAddr, ConfigError> {
    let text = given.text();
    let address = match text.strip_prefix("localhost:") {
        Some(port) => port.parse().ok().map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port))),
        None => text.parse().ok(),
    };
    address.ok_or_else(|| {
        given.refused("is no address", "give IP:PORT such as 127.0.0.1:8080 or [::1]:8080 (port 0 picks one)")
    })
}

/// What webhooks may call.
pub(super) fn webhook_targets(given: &Given) -> Result<TargetPolicy, ConfigError> {
    match given.text() {
        "public" => Ok(TargetPolicy::Public),
        "any" => Ok(TargetPolicy::Any),
        _ => Err(given.refused("is no kind of target", "use public, or any for tests and development")),
    }
}

/// A list of texts separated by commas, none empty, at least one.
pub(super) fn list(given: &Given) -> Result<Vec<String>, ConfigError> {
    let parts: Vec<String> = given.text().split(',').map(|part| part.trim().to_owned()).collect();
    if parts.iter().any(String::is_empty) {
        return Err(given.refused("has an empty element", "separate names with single commas"));
    }
    Ok(parts)
}

/// What an engine's URL names.
pub(super) enum Engine {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
    /// `postgres://…`, as it was given.
    Postgres(String),
    /// `kurrentdb://…`, as it was given but for the scheme of an older name.
    Kurrentdb(String),
}

/// Reads the URL of a store; `known` are the schemes that can hold what the key is for.
pub(super) fn engine(given: &Given, known: &[&str]) -> Result<Engine, ConfigError> {
    let examples = known.iter().map(|scheme| match *scheme {
        "sqlite" => "sqlite:PATH such as sqlite:/var/lib/dossier/events.db",
        "postgres" => "postgres://USER:PASSWORD@HOST/DATABASE",
        _ => "kurrentdb://HOST:2113?tls=true",
    });
    let does = format!("use {}", examples.collect::<Vec<_>>().join(", or "));
    let (scheme, rest) = given.text().split_once(':').unwrap_or(("", given.text()));
    let engine = match scheme.split('+').next().unwrap_or_default() {
        "postgresql" => "postgres",
        "esdb" => "kurrentdb",
        engine => engine,
    };
    if !known.contains(&engine) {
        return Err(given.refused("is no store that is known here", &does));
    }
    if engine == "sqlite" {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() || path == ":memory:" || path.contains('?') {
            return Err(given.refused("names no plain file", &does));
        }
        return Ok(Engine::Sqlite(path.into()));
    }
    if !is_built(engine) {
        return Err(given
            .refused(&format!("this build has no {engine}"), "use a build with all engines, as released"));
    }
    if rest.strip_prefix("//").is_none_or(str::is_empty) {
        return Err(given.refused("names no server", &does));
    }
    Ok(match engine {
        "postgres" => Engine::Postgres(given.text().to_owned()),
        _ => Engine::Kurrentdb(given.text().replacen(
            "esdb",
            "kurrentdb",
            usize::from(scheme.starts_with("esdb")),
        )),
    })
}

/// Whether this build holds an engine's client.
fn is_built(engine: &str) -> bool {
    match engine {
        "postgres" => cfg!(feature = "postgres"),
        "kurrentdb" => cfg!(feature = "kurrentdb"),
        _ => cfg!(feature = "nats"),
    }
}

/// `None`: inside the process.
pub(super) fn bus(given: &Given) -> Result<Option<String>, ConfigError> {
    let does = "use in-process:, or nats://HOST:4222";
    match given.text().split_once(':') {
        Some(("in-process", "")) => Ok(None),
        Some(("nats" | "tls", _)) if !is_built("nats") => {
            Err(given.refused("this build has no nats", "use a build with all engines, as released"))
        }
        Some(("nats" | "tls", rest)) if rest.len() > 2 && rest.starts_with("//") => {
            Ok(Some(given.text().to_owned()))
        }
        _ => Err(given.refused("is no bus that is known", does)),
    }
}

/// What a process is called: letters, digits, dots and dashes.
pub(super) fn node(given: &Given) -> Result<String, ConfigError> {
    let text = given.text();
    let good = (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if good {
        Ok(text.to_owned())
    } else {
        Err(given.refused("is no name for a process", "give one such as api-1"))
    }
}

pub(super) fn blobs(given: &Given) -> Result<Blobs, ConfigError> {
    let does = "use file:PATH such as file:/var/lib/dossier/blobs, or s3://BUCKET/PREFIX";
    match given.text().split_once(':') {
        Some(("file", path)) => {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                Err(given.refused("names no directory", does))
            } else {
                Ok(Blobs::Directory(path.into()))
            }
        }
        Some(("s3", rest)) if rest.trim_start_matches('/').is_empty() => {
            Err(given.refused("names no bucket", does))
        }
        Some(("s3", _)) => Ok(Blobs::S3(given.text().to_owned())),
        _ => Err(given.refused("is no place for attachments that is known", does)),
    }
}

pub(super) fn issuer(given: &Given) -> Result<String, ConfigError> {
    let text = given.text();
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || host.starts_with('/') || host.contains(['?', '#', ' ']) {
        return Err(given.refused(
            "is no http(s) URL",
            "give the issuer exactly as its tokens name it, such as https://accounts.example.com",
        ));
    }
    Ok(text.to_owned())
}

pub(super) fn log_filter(given: &Given) -> Result<String, ConfigError> {
    match logging::parse_filter(given.text()) {
        Ok(_) => Ok(given.text().to_owned()),
        Err(_) => {
            Err(given
                .refused("is no log filter", "use info, debug, or a list such as info,dossier_api=debug"))
        }
    }
}

pub(super) fn log_format(given: &Given) -> Result<LogFormat, ConfigError> {
    match given.text() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(given.refused("is no format", "use text or json")),
    }
}

pub(super) fn body_bytes(given: &Given) -> Result<usize, ConfigError> {
    let text = given.text();
    let (digits, unit) = match (text.strip_suffix("KiB"), text.strip_suffix("MiB")) {
        (Some(digits), _) => (digits, 1024),
        (_, Some(digits)) => (digits, 1024 * 1024),
        _ => (text, 1),
    };
    let bytes = digits.trim().parse::<usize>().ok().and_then(|number| number.checked_mul(unit));
    bytes.filter(|bytes| (MIN_BODY_BYTES..=MAX_BODY_BYTES).contains(bytes)).ok_or_else(|| {
        given.refused("is no size from 64KiB to 1024MiB", "give bytes, KiB or MiB, such as 1048576 or 1MiB")
    })
}

pub(super) fn request_timeout(given: &Given) -> Result<Duration, ConfigError> {
    parse_duration(given.text())
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|timeout| (Duration::from_secs(1)..=MAX_REQUEST_TIMEOUT).contains(timeout))
        .ok_or_else(|| given.refused("is no time from 1s to 10m", "give one such as 30s"))
}

pub(super) fn connections(given: &Given) -> Result<usize, ConfigError> {
    let number = given.text().parse().ok().filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| given.refused("is no number from 1 to 1000000", "give one such as 4096"))
}

pub(super) fn rate_limit(given: &Given) -> Result<u32, ConfigError> {
    let number = given.text().parse().ok().filter(|number| *number <= 1_000_000);
    number.ok_or_else(|| {
        given.refused("is no number from 0 to 1000000", "give one such as 500, or 0 for no limit")
    })
}

/// A positive length of time such as `30s`, `8h` or `1h30m`; a bare number counts seconds.
pub fn parse_duration(text: &str) -> Option<SignedDuration> {
    let bare = || text.parse().ok().filter(|_| !text.starts_with('+')).map(SignedDuration::from_secs);
    bare().or_else(|| text.parse().ok()).filter(SignedDuration::is_positive)
}

/// An instant: RFC 3339 with a zone.
///
/// # Errors
/// A sentence that says what would do.
pub fn parse_instant(text: &str) -> Result<Timestamp, String> {
    proto_json::parse_timestamp(text)
        .ok_or_else(|| "give an instant with a zone such as 2026-01-31T09:00:00Z".into())
}
