//! The read model `help_sessions`: where each session with the help assistant stands (R-HELP-2), and how much the assistant
//! helps: what was shown, read and of help, by article and month.

mod projector;
mod query;
mod stats;

pub use projector::{HelpSessions, SessionRow};
pub use query::HelpSessionQueries;
pub use stats::{HelpStats, SessionCounts, SuggestionCounts};
