//! What is known of a model's projector, for readiness, metrics and whoever waits for it.

use dossier_eventlog::Position;

/// What this process does for a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProjectorState {
    /// Neither projects nor looks yet.
    #[default]
    Starting,
    /// It projects.
    Active,
    /// Another process projects; this one takes over when that one is gone.
    StandingBy,
    /// Another process projects; this one only looks how far it is.
    Observing,
    /// It has stopped at something that the operator must see to.
    Halted,
}

impl ProjectorState {
    /// Whether it is another process that projects.
    pub(crate) fn is_elsewhere(self) -> bool {
        matches!(self, Self::StandingBy | Self::Observing)
    }

    /// The name, for people and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Active => "active",
            Self::StandingBy => "standing by",
            Self::Observing => "observing",
            Self::Halted => "halted",
        }
    }
}

/// Where a model's projector stands, be it in this process or in another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelStatus {
    /// What this process does for the model.
    pub state: ProjectorState,
    /// Position of the last event taken in.
    pub position: Position,
    /// Why the projector stopped, when it did, wherever it runs.
    pub halted: Option<String>,
    /// The last trouble that the projector, or whoever looks at it, is trying to get over; `None` once it has.
    pub last_error: Option<String>,
}

impl Default for ModelStatus {
    fn default() -> Self {
        Self { state: ProjectorState::default(), position: Position::START, halted: None, last_error: None }
    }
}
