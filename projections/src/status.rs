//! What is known of a model's projector, for readiness, metrics and whoever waits for it.

use dossier_eventlog::Position;

/// Where a model's projector stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelStatus {
    /// Position of the last event taken in.
    pub position: Position,
    /// Why it stopped, when it did.
    pub halted: Option<String>,
    /// The last trouble it is trying to get over; `None` once it has.
    pub last_error: Option<String>,
}

impl Default for ModelStatus {
    fn default() -> Self {
        Self { position: Position::START, halted: None, last_error: None }
    }
}
