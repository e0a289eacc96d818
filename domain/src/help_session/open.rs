//! Reading something that was suggested.

use super::{HelpSessionEvent, HelpSessionRejection, Session, Suggestion, SuggestionOpened};

/// Reads a suggestion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSuggestion {
    /// Which; one that is shown at this step.
    pub suggestion: Suggestion,
}

impl OpenSuggestion {
    pub(super) fn decide(&self, session: &Session) -> Result<HelpSessionEvent, HelpSessionRejection> {
        if !session.suggestions().contains(&self.suggestion) {
            let why = "this was not suggested; name one of the suggestions";
            return Err(HelpSessionRejection::invalid("suggestion", why));
        }
        Ok(SuggestionOpened { suggestion: self.suggestion.clone() }.into())
    }
}
