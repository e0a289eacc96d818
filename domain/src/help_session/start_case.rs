//! Ending with a case (R-HELP-2): it was filed, or the chosen one goes on. Filing itself is a command of the case.

use super::{HelpSessionBecameCase, HelpSessionEvent, Session};
use crate::ids::CaseId;

/// Notes the case that came of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndWithCase {
    /// The case.
    pub case: CaseId,
}

impl EndWithCase {
    pub(super) fn decide(&self, session: &Session) -> HelpSessionEvent {
        let continued = session.chosen_case.as_ref().is_some_and(|chosen| chosen.case == self.case);
        HelpSessionBecameCase { case: self.case, continued }.into()
    }
}
