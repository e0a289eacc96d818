//! The only place that reads the clock, draws randomness and asks where it runs; everything else gets them handed in.

use std::sync::Arc;

use dossier_commands::Clock;
use dossier_eventlog::Entropy;
use jiff::Timestamp;

/// The system's clock, in the microseconds that the log keeps.
#[expect(clippy::disallowed_methods, reason = "the edge: the one place that reads the clock")]
pub fn clock() -> Clock {
    Arc::new(|| {
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    })
}

/// The operating system's randomness.
#[expect(clippy::disallowed_methods, reason = "the edge: the one place that draws randomness")]
pub fn entropy() -> Entropy {
    Arc::new(|bytes| getrandom::fill(bytes).expect("the operating system gives randomness"))
}

/// What this process is called unless told: the machine's name and the process's number.
pub fn node_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{}-{}", if host.is_empty() { "dossier" } else { host }, std::process::id())
}

/// Gives this process its one provider of TLS, of the several that are linked. Who comes second changes nothing.
pub fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
