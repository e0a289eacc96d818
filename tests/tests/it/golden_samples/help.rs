//! What somebody says of the support centre, and what happens with the help assistant.

use dossier_domain::catalogue::Channel;
use dossier_domain::feedback::{FeedbackEvent, FeedbackSent};
use dossier_domain::help_session::{
    ContactChosen, HelpContact, HelpDeclined, HelpSessionBecameCase, HelpSessionEvent, HelpSessionSolved,
    HelpSessionStarted, HelpStep, ProblemDescribed, ProblemKindChosen, RecentCaseChosen, SearchStartedAgain,
    SteppedBack, Suggestion, SuggestionKind, SuggestionOpened,
};
use dossier_domain::{CaseId, FeedbackId, HelpSessionId};
use ulid::Ulid;

use super::{account, alice, organization, product, words};

pub(super) fn feedback() -> Vec<FeedbackEvent> {
    let feedback = FeedbackId(Ulid::from(30));
    vec![FeedbackSent { feedback, sender: account(), contact: alice(), text: words("I like it.") }.into()]
}

pub(super) fn sessions() -> Vec<HelpSessionEvent> {
    let article = Suggestion { kind: SuggestionKind::Article, id: "compute-restart".to_owned() };
    let issue = Suggestion { kind: SuggestionKind::KnownIssue, id: "0000000000000000000000000Z".to_owned() };
    let case = CaseId(Ulid::from(32));
    vec![
        HelpSessionStarted {
            session: HelpSessionId(Ulid::from(31)),
            organization: organization("acme"),
            user: account(),
            language: "fr".to_owned(),
            product: Some(product()),
        }
        .into(),
        ProblemDescribed {
            text: words("The machine hangs."),
            suggested: vec![issue, article.clone()],
            again: false,
        }
        .into(),
        SuggestionOpened { suggestion: article.clone() }.into(),
        HelpDeclined { next: HelpStep::RecentCases, recent_cases: vec![case] }.into(),
        RecentCaseChosen { case, product: product() }.into(),
        ProblemKindChosen { kind: "slow".to_owned(), product: Some(product()) }.into(),
        ContactChosen { contact: HelpContact { channel: Channel::Phone, language: "fr".to_owned() } }.into(),
        SteppedBack { to: HelpStep::Kinds }.into(),
        SearchStartedAgain {}.into(),
        HelpSessionSolved { at: HelpStep::Suggestions, by: Some(article) }.into(),
        HelpSessionBecameCase { case, continued: true }.into(),
    ]
}
