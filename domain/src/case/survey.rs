//! The survey of a closing (R-SURVEY-1): one answer of the filer, by the link that was mailed or signed in.

use super::events::{CaseEvent, SurveyAnswered, SurveyChannel};
use super::file::check_text;
use super::rejection::CaseRejection;
use super::state::{Case, Status, check_not_merged};
use crate::authority::Side;
use crate::context::Context;
use crate::personal::{Contact, Personal};

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
        self.check_answer()?;
        self.check_sender(case, context)?;
        self.answered(case)
    }

    /// What comes of an answer that somebody gave elsewhere, signed in as it were: they must have filed the case.
    pub(super) fn of_then(
        &self,
        case: &Case,
        by: &Personal<Contact>,
    ) -> Result<Vec<CaseEvent>, CaseRejection> {
        self.check_answer()?;
        if !is_filer(case, by) {
            return Err(CaseRejection::NotTheFiler);
        }
        self.answered(case)
    }

    fn answered(&self, case: &Case) -> Result<Vec<CaseEvent>, CaseRejection> {
        check(case, self.closing)?;
        let (closing, rating, via) = (self.closing, self.rating, self.via);
        Ok(vec![SurveyAnswered { closing, rating, text: self.text.clone(), via }.into()])
    }

    fn check_answer(&self) -> Result<(), CaseRejection> {
        if !(1..=MAX_RATING).contains(&self.rating) {
            return Err(CaseRejection::invalid("rating", format!("give 1 to {MAX_RATING}")));
        }
        self.text.as_ref().map_or(Ok(()), |text| check_text("text", text, 0, MAX_SURVEY_CHARS))
    }

    /// The system vouches for who has the link; nobody else may say so.
    fn check_sender(&self, case: &Case, context: &Context<'_>) -> Result<(), CaseRejection> {
        let is_system = context.authority.side() == Side::Support;
        let fits = match self.via {
            SurveyChannel::Link => is_system,
            SurveyChannel::SignedIn => !is_system && is_filer(case, &context.actor.contact),
        };
        if fits { Ok(()) } else { Err(CaseRejection::NotTheFiler) }
    }
}

/// Whether the actor, signed in, can answer the survey of the latest closing.
pub(super) fn check_filer(case: &Case, context: &Context<'_>) -> Result<(), CaseRejection> {
    if !is_filer(case, &context.actor.contact) {
        return Err(CaseRejection::NotTheFiler);
    }
    check(case, case.closings)
}

/// Whether somebody filed the case.
fn is_filer(case: &Case, contact: &Personal<Contact>) -> bool {
    case.filer.subject() == contact.subject()
}

/// Whether a closing's survey can be answered, by whoever may.
///
/// # Errors
/// [`CaseRejection::NoSuchClosing`], [`CaseRejection::SurveyAnswered`], [`CaseRejection::SurveyExpired`] once the case was
/// reopened, [`CaseRejection::CaseMerged`].
pub fn check(case: &Case, closing: u32) -> Result<(), CaseRejection> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CaseCommand;
    use crate::testing::{Given, answer_survey, close, comment, personal};

    fn by_link(closing: u32) -> CaseCommand {
        let via = SurveyChannel::Link;
        CaseCommand::AnswerSurvey(AnswerSurvey { closing, rating: 1, text: None, via })
    }

    fn closed() -> Given {
        Given::filed().and("alice", 1, &close())
    }

    fn reason(given: &Given, who: &str, command: &CaseCommand) -> &'static str {
        given.clone().when(who, 9, command).rejection().reason()
    }

    /// R-SURVEY-1.
    #[test]
    fn r_survey_1_the_filer_answers_once_after_each_closing_signed_in_or_by_the_link() {
        let answered = closed().and("alice", 2, &answer_survey(1));
        for again in [answer_survey(1), by_link(1)] {
            let who = if matches!(&again, CaseCommand::AnswerSurvey(a) if a.via == SurveyChannel::Link) {
                "system"
            } else {
                "alice"
            };
            assert_eq!(reason(&answered, who, &again), "SURVEY_ANSWERED");
        }
        let events = closed().when("system", 2, &by_link(1)).events();
        assert!(matches!(&events[..], [CaseEvent::SurveyAnswered(a)] if a.via == SurveyChannel::Link));
        let second = answered.and("alice", 3, &comment("again")).and("bob", 4, &close());
        assert_eq!(second.when("alice", 5, &answer_survey(2)).events().len(), 1);
    }

    /// R-SURVEY-1.
    #[test]
    fn r_survey_1_a_survey_expires_when_the_case_is_reopened_and_a_given_answer_stays() {
        let reopened = closed().and("alice", 2, &comment("again"));
        assert_eq!(reason(&reopened, "system", &by_link(1)), "SURVEY_EXPIRED");
        let closed_again = reopened.and("alice", 3, &close());
        assert_eq!(reason(&closed_again, "system", &by_link(1)), "SURVEY_EXPIRED");
        assert_eq!(reason(&closed_again, "system", &by_link(3)), "CLOSING_NOT_FOUND");
        assert_eq!(reason(&Given::filed(), "system", &by_link(1)), "CLOSING_NOT_FOUND");
        assert_eq!(reason(&closed_again, "system", &by_link(0)), "CLOSING_NOT_FOUND");
        let kept = closed().and("alice", 2, &answer_survey(1)).and("alice", 3, &comment("again"));
        assert_eq!(reason(&kept, "alice", &answer_survey(1)), "SURVEY_ANSWERED");
    }

    /// R-SURVEY-1.
    #[test]
    fn r_survey_1_nobody_else_answers_and_nobody_says_that_they_have_the_link() {
        assert_eq!(reason(&closed(), "bob", &answer_survey(1)), "NOT_THE_FILER");
        assert_eq!(reason(&closed(), "alice", &by_link(1)), "NOT_THE_FILER");
        assert_eq!(reason(&closed(), "system", &answer_survey(1)), "NOT_THE_FILER");
        assert_eq!(reason(&closed(), "agent-north", &by_link(1)), "NOT_FOR_YOU");
        assert_eq!(reason(&closed(), "peter", &answer_survey(1)), "NOT_A_MEMBER");
    }

    #[test]
    fn a_rating_is_from_1_to_5_and_a_text_has_a_bound() {
        let answer = |rating, text: &str| {
            let via = SurveyChannel::SignedIn;
            let text = Some(personal(text));
            let command = CaseCommand::AnswerSurvey(AnswerSurvey { closing: 1, rating, text, via });
            closed().when("alice", 2, &command).result().err().and_then(|refused| refused.field())
        };
        assert_eq!(
            [0, 1, 5, 6].map(|rating| answer(rating, "")),
            [Some("rating"), None, None, Some("rating")]
        );
        assert_eq!(answer(3, &"x".repeat(MAX_SURVEY_CHARS + 1)), Some("text"));
    }
}
