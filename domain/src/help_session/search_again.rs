//! Searching again in other words, from any step (R-HELP-2).

/// Goes to where the problem is described; one can come back from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchAgain {}
