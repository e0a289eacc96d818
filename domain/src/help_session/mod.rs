//! A session with the help assistant (R-HELP-2): `help_session-{ULID}`. Somebody describes a problem, is shown what may help,
//! and ends with an answer or with a case that is filled in already. Every step is one command, and every step can go back
//! or search again; what can be done where is one table ([`HelpStep::ahead`]).
//!
//! What is suggested is found elsewhere and handed in; what was suggested, read and chosen stays in the session's events.

mod back;
mod choose_case;
mod choose_contact;
mod choose_kind;
pub mod contact;
mod describe;
mod events;
#[cfg(test)]
mod flow_tests;
mod helped;
mod not_helped;
mod open;
mod rejection;
mod search_again;
mod start;
mod start_case;
mod state;
mod step;

pub use back::StepBack;
pub use choose_case::ChooseRecentCase;
pub use choose_contact::ChooseContact;
pub use choose_kind::ChooseProblemKind;
pub use contact::ContactOption;
pub use describe::{DescribeProblem, MAX_PROBLEM_CHARS};
pub use events::{
    ContactChosen, HelpDeclined, HelpSessionBecameCase, HelpSessionEvent, HelpSessionSolved,
    HelpSessionStarted, ProblemDescribed, ProblemKindChosen, RecentCaseChosen, SearchStartedAgain,
    SteppedBack, SuggestionOpened,
};
pub use helped::SayHelped;
pub use not_helped::{RECENT_DAYS, SayNotHelped};
pub use open::OpenSuggestion;
pub use rejection::HelpSessionRejection;
pub use search_again::SearchAgain;
pub use start::StartHelpSession;
pub use start_case::EndWithCase;
pub use state::{ChosenCase, HelpSession, Session, SessionEnd, Shown};
pub use step::{HelpContact, HelpMove, HelpStep, Suggestion, SuggestionKind};

use crate::authority::Action;
use crate::context::Context;

/// What can be asked of the assistant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelpSessionCommand {
    /// Begin.
    Start(StartHelpSession),
    /// Say what the problem is.
    Describe(DescribeProblem),
    /// Read a suggestion.
    Open(OpenSuggestion),
    /// Say that it helped.
    Helped(SayHelped),
    /// Say that it did not.
    NotHelped(SayNotHelped),
    /// Say which case it is about.
    ChooseCase(ChooseRecentCase),
    /// Say what kind of problem it is.
    ChooseKind(ChooseProblemKind),
    /// Choose a channel and a language.
    ChooseContact(ChooseContact),
    /// Go back a step.
    Back(StepBack),
    /// Search again.
    SearchAgain(SearchAgain),
    /// Note the case that came of it.
    EndWithCase(EndWithCase),
}

impl HelpSessionCommand {
    /// What it does at a step; `None` for beginning.
    fn wanted(&self) -> Option<HelpMove> {
        Some(match self {
            Self::Start(_) => return None,
            Self::Describe(_) => HelpMove::Describe,
            Self::Open(_) => HelpMove::Open,
            Self::Helped(_) => HelpMove::Helped,
            Self::NotHelped(_) => HelpMove::NotHelped,
            Self::ChooseCase(_) => HelpMove::ChooseCase,
            Self::ChooseKind(_) => HelpMove::ChooseKind,
            Self::ChooseContact(_) => HelpMove::ChooseContact,
            Self::Back(_) => HelpMove::Back,
            Self::SearchAgain(_) => HelpMove::SearchAgain,
            Self::EndWithCase(_) => HelpMove::StartCase,
        })
    }
}

/// The session, for whoever began it, and where a move is possible now.
///
/// # Errors
/// [`HelpSessionRejection`].
pub fn at_step<'a>(
    state: &'a HelpSession,
    wanted: HelpMove,
    context: &Context<'_>,
) -> Result<&'a Session, HelpSessionRejection> {
    context.authority.open_to(Action::UseHelpAssistant)?;
    let session = state.started().ok_or(HelpSessionRejection::NotFound)?;
    if session.user != context.actor.account || Some(&session.organization) != context.organization {
        return Err(HelpSessionRejection::NotFound);
    }
    if let Some(end) = &session.end {
        return Err(HelpSessionRejection::Ended { case: end.case });
    }
    if session.next_moves().contains(&wanted) {
        Ok(session)
    } else {
        Err(HelpSessionRejection::WrongStep { at: session.step, wanted })
    }
}

/// Decides a command of a session.
///
/// # Errors
/// [`HelpSessionRejection`] says why the assistant does not go on.
pub fn decide(
    state: &HelpSession,
    command: &HelpSessionCommand,
    context: &Context<'_>,
) -> Result<Vec<HelpSessionEvent>, HelpSessionRejection> {
    let Some(wanted) = command.wanted() else {
        context.authority.open_to(Action::UseHelpAssistant)?;
        let HelpSessionCommand::Start(command) = command else { return Ok(Vec::new()) };
        return command.decide(state, context);
    };
    let session = at_step(state, wanted, context)?;
    let event = match command {
        HelpSessionCommand::Start(_) => return Ok(Vec::new()),
        HelpSessionCommand::Describe(command) => command.decide(session, context)?,
        HelpSessionCommand::Open(command) => command.decide(session)?,
        HelpSessionCommand::Helped(command) => command.decide(session)?,
        HelpSessionCommand::NotHelped(command) => command.decide(session, context),
        HelpSessionCommand::ChooseCase(command) => command.decide(session)?,
        HelpSessionCommand::ChooseKind(command) => command.decide(context)?,
        HelpSessionCommand::ChooseContact(command) => command.decide(session, context)?,
        HelpSessionCommand::Back(command) => command.decide(session)?,
        HelpSessionCommand::SearchAgain(_) => SearchStartedAgain {}.into(),
        HelpSessionCommand::EndWithCase(command) => command.decide(session),
    };
    Ok(vec![event])
}
