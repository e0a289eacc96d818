//! What health checks and metrics show of a relay.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::envelope::Position;

/// What a relay is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RelayState {
    /// It has not yet seen where the bus stands.
    #[default]
    Starting,
    /// It publishes.
    Active,
    /// Another relay publishes, as far as this one knows; it takes over when the bus stands still.
    StandingBy,
    /// It was told to stop, or nothing but an operator helps it.
    Stopped,
}

impl RelayState {
    /// The state in a word, for health checks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Active => "active",
            Self::StandingBy => "standing by",
            Self::Stopped => "stopped",
        }
    }
}

/// What health checks and metrics show of a relay.
#[derive(Debug)]
pub struct RelayStatus {
    relay: &'static str,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    state: RelayState,
    last_published: u64,
    published_events: u64,
    last_error: Option<String>,
}

impl RelayStatus {
    pub(super) fn new(relay: &'static str) -> Self {
        Self { relay, now: Mutex::default() }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the relay is doing.
    pub fn state(&self) -> RelayState {
        self.now().state
    }

    /// Everything up to this position is on the bus, as far as this relay knows and as far as the bus is meant to carry it;
    /// [`Position::START`] before the first.
    pub fn last_published(&self) -> Position {
        Position(self.now().last_published)
    }

    /// Events published by this relay.
    pub fn published_events(&self) -> u64 {
        self.now().published_events
    }

    /// What is wrong, `None` as soon as the relay gets on.
    pub fn last_error(&self) -> Option<String> {
        self.now().last_error.clone()
    }

    pub(super) fn is(&self, state: RelayState) {
        let active = if state == RelayState::Active { 1.0 } else { 0.0 };
        metrics::gauge!("dossier_relay_active", "relay" => self.relay).set(active);
        self.now().state = state;
    }

    pub(super) fn failed(&self, error: String, head: Position) {
        metrics::counter!("dossier_relay_setbacks_total", "relay" => self.relay).increment(1);
        let mut now = self.now();
        now.last_error = Some(error);
        self.show_lag(now.last_published, head);
    }

    pub(super) fn took_over(&self) {
        metrics::counter!("dossier_relay_takeovers_total", "relay" => self.relay).increment(1);
    }

    pub(super) fn published(&self, count: u64) {
        metrics::counter!("dossier_relay_events_total", "relay" => self.relay).increment(count);
        self.now().published_events += count;
    }

    /// The bus stands at a position while the log's head is known to be at another.
    pub(super) fn stands_at(&self, position: Position, head: Position) {
        let mut now = self.now();
        now.last_published = position.0;
        now.last_error = None;
        self.show_lag(now.last_published, head);
    }

    /// In positions, which may leave some out.
    fn show_lag(&self, last_published: u64, head: Position) {
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        let lag = head.0.saturating_sub(last_published) as f64;
        metrics::gauge!("dossier_relay_lag", "relay" => self.relay).set(lag);
    }
}
