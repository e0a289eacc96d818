//! The survey of a closing (R-SURVEY-1): one answer of the filer, by the link that was mailed or signed in.

use super::events::{CaseEvent, SurveyAnswered, SurveyChannel};
use super::file::check_text;
use super::rejection::CaseRejection;
use super::state::{Case, Status, check_not_merged};
use crate::authority::Side;
use crate::context::Context;
use crate::personal::Personal;

/// The best rating; the worst is 1.
pub const MAX_RATING: u8 = 5;
/// Longest text, in characters.
const MAX_SURVEY_CHARS: usize = 12_800;

/// Answers the survey of a closing.
#[derive(Clone, Debug)]
pub struct AnswerSurvey {
    /// Which closing of the case, from 1; the link names it.
    pub closing: u32,
    /// From 1, bad, to 5, good.
    pub rating: u8,
    /// In their words.
    pub text: Option<Personal<String>>,
    /// How it came. By the link it is the system that asks, once it has checked the signature.
    pub via: SurveyChannel,
}

impl AnswerSurvey {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        if !(1..=MAX_RATING).contains(&self.rating) {
            return Err(CaseRejection::invalid("rating", format!("give 1 to {MAX_RATING}")));
        }
        self.text.as_ref().map_or(Ok(()), |text| check_text("text", text, 0, MAX_SURVEY_CHARS))?;
        self.check_sender(case, context)?;
        check(case, self.closing)?;
        let (closing, rating, via) = (self.closing, self.rating, self.via);
        Ok(vec![SurveyAnswered { closing, rating, text: self.text.clone(), via }.into()])
    }

    /// The system vouches for who has the link; nobody else may say so.
    fn check_sender(&self, case: &Case, context: &Context<'_>) -> Result<(), CaseRejection> {
        let is_system = context.authority.side() == Side::Support;
        let fits = match self.via {
            SurveyChannel::Link => is_system,
            SurveyChannel::SignedIn => !is_system && is_filer(case, context),
        };
        if fits { Ok(()) } else { Err(CaseRejection::NotTheFiler) }
    }
}

/// Whether the actor, signed in, can answer the survey of the latest closing.
pub(super) fn check_filer(case: &Case, context: &Context<'_>) -> Result<(), CaseRejection> {
    if !is_filer(case, context) {
        return Err(CaseRejection::NotTheFiler);
    }
    check(case, case.closings)
}

/// Whether the actor filed the case.
fn is_filer(case: &Case, context: &Context<'_>) -> bool {
    case.filer.subject() == context.actor.contact.subject()
}

/// Whether a closing's survey can be answered.
pub(super) fn check(case: &Case, closing: u32) -> Result<(), CaseRejection> {
    if closing == 0 || closing > case.closings {
        return Err(CaseRejection::NoSuchClosing);
    }
    if case.surveys_answered.contains(&closing) {
        return Err(CaseRejection::SurveyAnswered);
    }
    check_not_merged(case)?;
    if closing < case.closings || case.status != Status::Closed {
        return Err(CaseRejection::SurveyExpired);
    }
    Ok(())
}
