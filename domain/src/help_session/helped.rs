//! Saying that it helped, which ends the session without a case (R-HELP-2).

use super::{HelpSessionEvent, HelpSessionRejection, HelpSessionSolved, Session, Suggestion};

/// Says that it helped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SayHelped {
    /// What did, where it is something that was suggested.
    pub by: Option<Suggestion>,
}

impl SayHelped {
    pub(super) fn decide(&self, session: &Session) -> Result<HelpSessionEvent, HelpSessionRejection> {
        let was_shown = |by: &Suggestion| session.shown.iter().any(|shown| shown.suggestion == *by);
        if self.by.as_ref().is_some_and(|by| !was_shown(by)) {
            let why = "this was not suggested; name one of the suggestions, or nothing";
            return Err(HelpSessionRejection::invalid("suggestion", why));
        }
        Ok(HelpSessionSolved { at: session.step, by: self.by.clone() }.into())
    }
}
