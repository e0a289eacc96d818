//! What is known of a reactor, for readiness and metrics.

use dossier_eventlog::Position;

/// What this process does for a reactor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReactorState {
    /// It has not looked yet, or cannot.
    #[default]
    Starting,
    /// It acts.
    Active,
    /// Another process acts; this one takes over when that one is gone.
    StandingBy,
    /// It has stopped at something that the operator must see to.
    Halted,
}

impl ReactorState {
    /// The name, for people and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Active => "active",
            Self::StandingBy => "standing by",
            Self::Halted => "halted",
        }
    }
}

/// Where a reactor stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactorStatus {
    /// What this process does for it.
    pub state: ReactorState,
    /// Position of the last event dealt with, as last seen by this process.
    pub position: Position,
    /// Why it stopped, when it did, in this process.
    pub halted: Option<String>,
    /// The last trouble that it is trying to get over; `None` once it has.
    pub last_error: Option<String>,
    /// The last order that the business refused, with why.
    pub last_refusal: Option<String>,
}

impl Default for ReactorStatus {
    fn default() -> Self {
        Self {
            state: ReactorState::default(),
            position: Position::START,
            halted: None,
            last_error: None,
            last_refusal: None,
        }
    }
}
