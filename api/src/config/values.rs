//! Reads single values; each refusal says what would do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

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

/// A list of texts separated by commas, none empty, at least one.
pub(super) fn list(given: &Given) -> Result<Vec<String>, ConfigError> {
    let parts: Vec<String> = given.text().split(',').map(|part| part.trim().to_owned()).collect();
    if parts.iter().any(String::is_empty) {
        return Err(given.refused("has an empty element", "separate names with single commas"));
    }
    Ok(parts)
}

/// The path of `sqlite:PATH`. `elsewhere` are engines that other builds have.
pub(super) fn sqlite_path(given: &Given, elsewhere: &[&str]) -> Result<PathBuf, ConfigError> {
    let does = "use sqlite:PATH such as sqlite:/var/lib/dossier/events.db";
    let (scheme, rest) = given.text().split_once(':').unwrap_or(("", given.text()));
    if scheme == "sqlite" {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() || path == ":memory:" || path.contains('?') {
            return Err(given.refused("names no plain file", does));
        }
        return Ok(path.into());
    }
    let engine = scheme.split('+').next().unwrap_or_default();
    if elsewhere.contains(&engine) {
        return Err(given.refused(&format!("this build has no {engine}, only SQLite"), does));
    }
    Err(given.refused("is no store that is known", does))
}

pub(super) fn in_process_bus(given: &Given) -> Result<(), ConfigError> {
    match given.text().split_once(':') {
        Some(("in-process", "")) => Ok(()),
        Some(("nats" | "tls", _)) => Err(given.refused(
            "this build has no NATS, only the bus inside the process",
            "use in-process: or leave it unset",
        )),
        _ => Err(given.refused("is no bus that is known", "use in-process: or leave it unset")),
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
