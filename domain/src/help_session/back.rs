//! Going back a step (R-HELP-2).

use super::{HelpMove, HelpSessionEvent, HelpSessionRejection, Session, SteppedBack};

/// Goes back to the step before this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepBack {}

impl StepBack {
    #[expect(clippy::unused_self, reason = "like every command")]
    pub(super) fn decide(&self, session: &Session) -> Result<HelpSessionEvent, HelpSessionRejection> {
        let to = session.trail.last().copied();
        let nothing = HelpSessionRejection::WrongStep { at: session.step, wanted: HelpMove::Back };
        Ok(SteppedBack { to: to.ok_or(nothing)? }.into())
    }
}
