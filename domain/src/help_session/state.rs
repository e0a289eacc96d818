//! A session's state, the fold of its events.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::events::HelpSessionEvent;
use super::step::{HelpContact, HelpMove, HelpStep, Suggestion, SuggestionKind};
use crate::event::{Aggregate, EventAudience};
use crate::ids::{AccountId, CaseId, HelpSessionId, OrganizationId, ProductId};
use crate::personal::{Personal, PersonalFields, PersonalSlot};

/// Longest title that is made of a description, in characters.
const TITLE_CHARS: usize = 120;

/// Something that was suggested, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// What.
    pub suggestion: Suggestion,
    /// When for the first time.
    pub at: Timestamp,
    /// Whether they read it.
    pub opened: bool,
    /// Whether it helped.
    pub helped: bool,
}

/// The case that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenCase {
    /// The case.
    pub case: CaseId,
    /// Its product.
    pub product: ProductId,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnd {
    /// When.
    pub at: Timestamp,
    /// The case that came of it, if any did.
    pub case: Option<CaseId>,
    /// Whether that case was there before.
    pub continued: bool,
}

/// A session with the help assistant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: HelpSessionId,
    /// The organization that is asked for.
    pub organization: OrganizationId,
    /// Who asks: nobody else goes on with it.
    pub user: AccountId,
    /// The language to answer in.
    pub language: String,
    /// The product that they named at the start.
    pub product: Option<ProductId>,
    /// When it began.
    pub started_at: Timestamp,
    /// Where they are.
    pub step: HelpStep,
    /// The steps that led here, the latest last.
    pub trail: Vec<HelpStep>,
    /// The problem in their words.
    pub problem: Option<Personal<String>>,
    /// What was suggested to that, the best first.
    pub suggested: Vec<Suggestion>,
    /// Their cases that it may be about.
    pub recent_cases: Vec<CaseId>,
    /// The one that it is about.
    pub chosen_case: Option<ChosenCase>,
    /// The kind of problem, of the catalogue's.
    pub kind: Option<String>,
    /// The product that the kind tells.
    pub kind_product: Option<ProductId>,
    /// The description of the case to be.
    pub description: Option<Personal<String>>,
    /// What was suggested to that, the best first.
    pub suggested_again: Vec<Suggestion>,
    /// How they want to go on.
    pub contact: Option<HelpContact>,
    /// All that was ever suggested.
    pub shown: Vec<Shown>,
    /// How it ended.
    pub end: Option<SessionEnd>,
}

/// A session with the help assistant, or nothing yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelpSession {
    started: Option<Session>,
}

impl HelpSession {
    /// The session, once it has begun.
    pub fn started(&self) -> Option<&Session> {
        self.started.as_ref()
    }
}

impl Session {
    /// What can be done now (R-HELP-2): what leads on, and until the end back and searching again.
    pub fn next_moves(&self) -> Vec<HelpMove> {
        let mut moves = self.step.ahead().to_vec();
        if !self.step.is_end() {
            if !self.trail.is_empty() {
                moves.push(HelpMove::Back);
            }
            if self.step != HelpStep::Describe {
                moves.push(HelpMove::SearchAgain);
            }
        }
        moves
    }

    /// What is suggested at the present step.
    pub fn suggestions(&self) -> &[Suggestion] {
        match self.step {
            HelpStep::Suggestions => &self.suggested,
            HelpStep::MoreSuggestions => &self.suggested_again,
            _ => &[],
        }
    }

    /// The product that it is about, as far as that is known. In other words it may be about another.
    pub fn about(&self) -> Option<&ProductId> {
        if self.step == HelpStep::Describe {
            return self.product.as_ref();
        }
        let of_case = self.chosen_case.as_ref().map(|chosen| &chosen.product);
        of_case.or(self.kind_product.as_ref()).or(self.product.as_ref())
    }

    /// Articles that they read, for the case that comes of it.
    pub fn articles_read(&self) -> Vec<String> {
        let read = self.shown.iter().filter(|shown| shown.opened);
        let articles = read.filter(|shown| shown.suggestion.kind == SuggestionKind::Article);
        articles.map(|shown| shown.suggestion.id.clone()).collect()
    }

    /// The title that the case begins with: the first line of the problem, shortened.
    pub fn draft_title(&self) -> Option<String> {
        let line = self.problem.as_ref()?.open()?.lines().find(|line| !line.trim().is_empty())?.trim();
        let mut title: String = line.chars().take(TITLE_CHARS).collect();
        if line.chars().nth(TITLE_CHARS).is_some() {
            title.push('…');
        }
        Some(title)
    }

    /// The description that the case begins with: the second one, or the problem.
    pub fn draft_description(&self) -> Option<&String> {
        self.description.as_ref().or(self.problem.as_ref())?.open()
    }

    /// Goes on to a step, from which one can come back to this one.
    fn advance(&mut self, to: HelpStep) {
        self.trail.push(self.step);
        self.arrive(to);
    }

    /// At a step nothing is chosen yet that is chosen there or later. Describing the problem again forgets nothing: one may come
    /// back from there.
    fn arrive(&mut self, at: HelpStep) {
        self.step = at;
        if matches!(at, HelpStep::Suggestions | HelpStep::RecentCases | HelpStep::Kinds) {
            self.chosen_case = None;
            (self.kind, self.kind_product) = (None, None);
        }
        if !matches!(at, HelpStep::Describe | HelpStep::Ready) {
            self.contact = None;
        }
    }

    fn show(&mut self, suggested: &[Suggestion], at: Timestamp) {
        for suggestion in suggested {
            if !self.shown.iter().any(|shown| shown.suggestion == *suggestion) {
                self.shown.push(Shown { suggestion: suggestion.clone(), at, opened: false, helped: false });
            }
        }
    }

    fn mark(&mut self, suggestion: &Suggestion, mark: impl FnOnce(&mut Shown)) {
        if let Some(shown) = self.shown.iter_mut().find(|shown| shown.suggestion == *suggestion) {
            mark(shown);
        }
    }

    fn evolve(&mut self, event: &HelpSessionEvent, at: Timestamp) {
        match event {
            HelpSessionEvent::HelpSessionStarted(_) => {}
            HelpSessionEvent::ProblemDescribed(event) => {
                self.show(&event.suggested, at);
                if event.again {
                    self.description = Some(event.text.clone());
                    self.suggested_again.clone_from(&event.suggested);
                    self.advance(HelpStep::MoreSuggestions);
                } else {
                    self.problem = Some(event.text.clone());
                    self.suggested.clone_from(&event.suggested);
                    self.advance(HelpStep::Suggestions);
                }
            }
            HelpSessionEvent::SuggestionOpened(event) => {
                self.mark(&event.suggestion, |shown| shown.opened = true);
            }
            HelpSessionEvent::HelpDeclined(event) => {
                if event.next == HelpStep::RecentCases {
                    self.recent_cases.clone_from(&event.recent_cases);
                }
                self.advance(event.next);
            }
            HelpSessionEvent::RecentCaseChosen(event) => {
                self.advance(HelpStep::RecentCase);
                self.chosen_case = Some(ChosenCase { case: event.case, product: event.product.clone() });
            }
            HelpSessionEvent::ProblemKindChosen(event) => {
                self.advance(HelpStep::Description);
                self.kind = Some(event.kind.clone());
                self.kind_product.clone_from(&event.product);
            }
            HelpSessionEvent::ContactChosen(event) => {
                self.advance(HelpStep::Ready);
                self.contact = Some(event.contact.clone());
            }
            HelpSessionEvent::SteppedBack(event) => {
                self.trail.pop();
                self.arrive(event.to);
            }
            HelpSessionEvent::SearchStartedAgain(_) => self.advance(HelpStep::Describe),
            HelpSessionEvent::HelpSessionSolved(event) => {
                if let Some(by) = &event.by {
                    self.mark(by, |shown| (shown.opened, shown.helped) = (true, true));
                }
                self.step = HelpStep::Solved;
                self.end = Some(SessionEnd { at, case: None, continued: false });
            }
            HelpSessionEvent::HelpSessionBecameCase(event) => {
                self.step = HelpStep::BecameCase;
                self.end = Some(SessionEnd { at, case: Some(event.case), continued: event.continued });
            }
        }
    }
}

impl PersonalFields for HelpSession {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        if let Some(session) = &mut self.started {
            session.problem.for_each_personal(visit);
            session.description.for_each_personal(visit);
        }
    }
}

impl Aggregate for HelpSession {
    type Event = HelpSessionEvent;

    fn evolve(&mut self, event: &HelpSessionEvent, at: Timestamp) {
        match (event, &mut self.started) {
            (HelpSessionEvent::HelpSessionStarted(event), started) => {
                *started = Some(Session {
                    id: event.session,
                    organization: event.organization.clone(),
                    user: event.user,
                    language: event.language.clone(),
                    product: event.product.clone(),
                    started_at: at,
                    step: HelpStep::Describe,
                    trail: Vec::new(),
                    problem: None,
                    suggested: Vec::new(),
                    recent_cases: Vec::new(),
                    chosen_case: None,
                    kind: None,
                    kind_product: None,
                    description: None,
                    suggested_again: Vec::new(),
                    contact: None,
                    shown: Vec::new(),
                    end: None,
                });
            }
            (event, Some(session)) => session.evolve(event, at),
            (_, None) => {}
        }
    }

    /// What somebody asked the assistant is theirs; support may learn of it with the case that comes of it.
    fn audience(_event: &HelpSessionEvent) -> EventAudience {
        EventAudience::Support
    }
}
