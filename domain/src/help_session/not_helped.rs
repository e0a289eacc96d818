//! Saying that what a step showed did not help: what follows is decided here (R-HELP-2).

use super::{HelpDeclined, HelpSessionEvent, HelpStep, Session};
use crate::context::Context;
use crate::ids::CaseId;

/// Cases updated within so many days are asked about.
pub const RECENT_DAYS: i64 = 30;

/// Says that it did not help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SayNotHelped {
    /// Their visible cases updated in the last [`RECENT_DAYS`] days, the latest change first. Only looked at after the first
    /// suggestions.
    pub recent_cases: Vec<CaseId>,
}

impl SayNotHelped {
    pub(super) fn decide(&self, session: &Session, context: &Context<'_>) -> HelpSessionEvent {
        let in_general =
            if context.catalogue.problem_kinds.is_empty() { HelpStep::Description } else { HelpStep::Kinds };
        let next = match session.step {
            HelpStep::Suggestions if !self.recent_cases.is_empty() => HelpStep::RecentCases,
            HelpStep::RecentCase | HelpStep::MoreSuggestions => HelpStep::Contact,
            _ => in_general,
        };
        let recent_cases = if next == HelpStep::RecentCases { self.recent_cases.clone() } else { Vec::new() };
        HelpDeclined { next, recent_cases }.into()
    }
}
