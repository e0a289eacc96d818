//! The assistant's steps from the first word to the answer or the case (R-HELP-2).

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::access::Access;
use crate::catalogue::{Catalogue, Channel, ProblemKind, ProblemKindText};
use crate::event::Aggregate;
use crate::ids::{CaseId, ProductId};
use crate::testing::{Circumstances, acme, at, people, supported_catalogue};
use HelpStep::{Contact, Describe, Description, Kinds, MoreSuggestions, RecentCases, Suggestions};

/// Wednesday 10:00 in Paris.
const OPEN: i64 = 38_800;

fn catalogue() -> Catalogue {
    let text = ProblemKindText { display_name: "Slow".to_owned(), information: "Say since when.".to_owned() };
    let kind = ProblemKind {
        id: "slow".to_owned(),
        texts: BTreeMap::from([("en".to_owned(), text)]),
        classification: Some("compute-vm".to_owned()),
        priority: None,
    };
    Catalogue { problem_kinds: vec![kind], ..supported_catalogue() }
}

/// A session that alice began, and what she does next.
struct Flow {
    state: HelpSession,
    access: Access,
    catalogue: Catalogue,
    second: i64,
}

#[expect(clippy::needless_pass_by_value, reason = "a flow reads as what is done, one thing after the other")]
impl Flow {
    fn new() -> Self {
        let flow = Self {
            state: HelpSession::default(),
            access: acme().build(),
            catalogue: catalogue(),
            second: OPEN,
        };
        flow.then(HelpSessionCommand::Start(StartHelpSession { language: "fr-CA".to_owned(), product: None }))
    }

    fn decide(
        &self,
        who: &str,
        command: &HelpSessionCommand,
    ) -> Result<Vec<HelpSessionEvent>, HelpSessionRejection> {
        let actor = people(who);
        let mut circumstances = Circumstances::new(&self.access, &actor, at(self.second));
        circumstances.catalogue = self.catalogue.clone();
        circumstances.decide(|context| decide(&self.state, command, context))
    }

    #[track_caller]
    fn then(mut self, command: HelpSessionCommand) -> Self {
        for event in self.decide("alice", &command).unwrap() {
            self.state.evolve(&event, at(self.second));
        }
        self
    }

    #[track_caller]
    fn refused(&self, command: HelpSessionCommand) -> &'static str {
        self.decide("alice", &command).unwrap_err().reason()
    }

    fn session(&self) -> &Session {
        self.state.started().unwrap()
    }

    fn step(&self) -> HelpStep {
        self.session().step
    }

    fn moves(&self) -> Vec<&'static str> {
        self.session().next_moves().into_iter().map(HelpMove::as_str).collect()
    }

    /// At the first suggestions.
    fn described() -> Self {
        Self::new().then(describe("The machine is slow\nsince this morning.", &["restart", "resize"]))
    }

    /// At the recent cases.
    fn not_helped() -> Self {
        Self::described().then(not_helped(&[case(1), case(2)]))
    }

    /// Where channel and language are chosen, for a new case.
    fn at_contact() -> Self {
        Self::not_helped()
            .then(not_helped(&[]))
            .then(HelpSessionCommand::ChooseKind(ChooseProblemKind { kind: "slow".to_owned() }))
            .then(describe("Since 9:00 every request takes a minute.", &["resize", "disk"]))
            .then(not_helped(&[]))
    }
}

fn article(id: &str) -> Suggestion {
    Suggestion { kind: SuggestionKind::Article, id: id.to_owned() }
}

fn case(number: u128) -> CaseId {
    CaseId(ulid::Ulid::from(number))
}

fn describe(text: &str, articles: &[&str]) -> HelpSessionCommand {
    let suggested = articles.iter().map(|id| article(id)).collect();
    HelpSessionCommand::Describe(DescribeProblem { text: text.to_owned(), suggested })
}

fn open(id: &str) -> HelpSessionCommand {
    HelpSessionCommand::Open(OpenSuggestion { suggestion: article(id) })
}

fn helped(by: Option<&str>) -> HelpSessionCommand {
    HelpSessionCommand::Helped(SayHelped { by: by.map(article) })
}

fn not_helped(recent_cases: &[CaseId]) -> HelpSessionCommand {
    HelpSessionCommand::NotHelped(SayNotHelped { recent_cases: recent_cases.to_vec() })
}

fn choose_case(number: u128) -> HelpSessionCommand {
    let product = ProductId::new("storage").unwrap();
    HelpSessionCommand::ChooseCase(ChooseRecentCase { case: case(number), product })
}

fn contact(channel: Channel, language: &str) -> HelpSessionCommand {
    HelpSessionCommand::ChooseContact(ChooseContact { channel: Some(channel), language: language.to_owned() })
}

const BACK: HelpSessionCommand = HelpSessionCommand::Back(StepBack {});
const AGAIN: HelpSessionCommand = HelpSessionCommand::SearchAgain(SearchAgain {});

/// R-HELP-1, R-HELP-2.
#[test]
fn r_help_2_an_article_that_helped_ends_the_session_without_a_case() {
    let flow = Flow::described();
    assert_eq!(flow.moves(), ["open", "helped", "notHelped", "back", "searchAgain"]);
    assert_eq!(flow.session().language, "fr");
    let flow = flow.then(open("restart")).then(helped(Some("restart")));
    assert_eq!(flow.step(), HelpStep::Solved);
    let session = flow.session();
    assert_eq!(session.end, Some(SessionEnd { at: at(OPEN), case: None, continued: false }));
    let shown: Vec<_> = session.shown.iter().map(|shown| (shown.opened, shown.helped)).collect();
    assert_eq!(shown, [(true, true), (false, false)]);
    assert!(flow.moves().is_empty());
    for command in [describe("Again", &[]), BACK, AGAIN, open("restart"), not_helped(&[])] {
        assert_eq!(flow.refused(command), "HELP_SESSION_ENDED");
    }
}

/// R-HELP-2.
#[test]
fn r_help_2_the_message_of_a_recent_case_ends_the_session_or_leads_on_to_that_case() {
    let asked = Flow::not_helped();
    assert_eq!(asked.step(), HelpStep::RecentCases);
    assert_eq!(asked.session().recent_cases, [case(1), case(2)]);
    assert_eq!(asked.moves(), ["chooseCase", "notHelped", "back", "searchAgain"]);
    assert_eq!(asked.refused(choose_case(3)), "INVALID_FIELD", "it was not asked about");
    let chosen = asked.then(choose_case(2));
    assert_eq!(chosen.moves(), ["helped", "notHelped", "back", "searchAgain"]);
    let solved = Flow::not_helped().then(choose_case(2)).then(helped(None));
    assert_eq!(solved.session().end.as_ref().and_then(|end| end.case), None);
    let contact_of_case = chosen.then(not_helped(&[]));
    assert_eq!(contact_of_case.step(), HelpStep::Contact, "no kind and no description again");
    assert_eq!(contact_of_case.session().about().map(ProductId::as_str), Some("storage"));
    let ended = contact_of_case
        .then(contact(Channel::Email, "en"))
        .then(HelpSessionCommand::EndWithCase(EndWithCase { case: case(2) }));
    let end = ended.session().end.clone().unwrap();
    assert_eq!((end.case, end.continued), (Some(case(2)), true));
}

/// R-HELP-2.
#[test]
fn r_help_2_otherwise_kind_description_second_suggestions_and_contact_lead_to_a_new_case() {
    let kinds = Flow::not_helped().then(not_helped(&[]));
    assert_eq!((kinds.step(), kinds.moves()), (HelpStep::Kinds, vec!["chooseKind", "back", "searchAgain"]));
    let odd = HelpSessionCommand::ChooseKind(ChooseProblemKind { kind: "odd".to_owned() });
    assert_eq!(kinds.refused(odd), "INVALID_FIELD");
    let described = kinds.then(HelpSessionCommand::ChooseKind(ChooseProblemKind { kind: "slow".to_owned() }));
    assert_eq!(described.moves(), ["describe", "helped", "back", "searchAgain"], "its information may help");
    let flow = Flow::at_contact();
    assert_eq!(
        (flow.step(), flow.moves()),
        (HelpStep::Contact, vec!["chooseContact", "back", "searchAgain"])
    );
    let flow = flow.then(contact(Channel::Phone, "fr"));
    assert_eq!((flow.step(), flow.moves()), (HelpStep::Ready, vec!["startCase", "back", "searchAgain"]));
    let session = flow.session();
    assert_eq!(session.draft_title().as_deref(), Some("The machine is slow"));
    let description = "Since 9:00 every request takes a minute.";
    assert_eq!(session.draft_description().map(String::as_str), Some(description));
    assert_eq!(session.kind.as_deref(), Some("slow"));
    assert_eq!(session.shown.len(), 3, "resize was suggested twice and is one");
    let ended = flow.then(HelpSessionCommand::EndWithCase(EndWithCase { case: case(9) }));
    let end = ended.session().end.clone().unwrap();
    assert_eq!((ended.step(), end.case, end.continued), (HelpStep::BecameCase, Some(case(9)), false));
    let again = HelpSessionCommand::EndWithCase(EndWithCase { case: case(10) });
    assert_eq!(ended.refused(again), "HELP_SESSION_ENDED");
}

#[test]
fn r_help_2_without_recent_cases_or_kinds_these_steps_are_left_out() {
    assert_eq!(Flow::described().then(not_helped(&[])).step(), HelpStep::Kinds);
    let mut flow = Flow::described();
    flow.catalogue.problem_kinds.clear();
    assert_eq!(flow.then(not_helped(&[])).step(), HelpStep::Description);
}

/// R-HELP-2: every step can go back or search again.
#[test]
fn r_help_2_every_step_can_go_back_to_the_one_before_or_search_again() {
    let mut flow = Flow::at_contact().then(contact(Channel::Email, "fr"));
    let mut steps = Vec::new();
    while flow.step() != HelpStep::Describe {
        let again = Flow { state: flow.state.clone(), ..Flow::new() }.then(AGAIN);
        assert_eq!(again.step(), HelpStep::Describe);
        let Flow { state: returned, .. } = again.then(BACK);
        assert_eq!(returned, flow.state, "and back from there, with all that was chosen");
        flow = flow.then(BACK);
        steps.push(flow.step());
    }
    assert_eq!(steps, [Contact, MoreSuggestions, Description, Kinds, RecentCases, Suggestions, Describe]);
    assert_eq!(flow.refused(BACK), "NOT_AT_THIS_STEP");
    assert_eq!(flow.moves(), ["describe"]);
    let session = flow.session();
    assert_eq!((&session.kind, &session.contact, &session.chosen_case), (&None, &None, &None));
    assert_eq!(session.draft_title().as_deref(), Some("The machine is slow"), "what was written stays");
}

#[test]
fn r_help_2_going_back_from_a_chosen_case_forgets_it() {
    let flow = Flow::not_helped().then(choose_case(1)).then(not_helped(&[])).then(BACK);
    assert_eq!(flow.step(), HelpStep::RecentCase);
    assert!(flow.session().chosen_case.is_some());
    let flow = flow.then(BACK).then(not_helped(&[]));
    assert_eq!((flow.step(), &flow.session().chosen_case), (HelpStep::Kinds, &None));
}

/// R-HELP-2, R-PHONE-1.
#[test]
fn r_help_2_channels_are_those_entitled_and_open_with_the_languages_spoken_there() {
    let options = |access: &Access, product: Option<&str>, second| {
        let product = product.map(|id| ProductId::new(id).unwrap());
        let options = contact::options(access, &catalogue(), product.as_ref(), at(second));
        options.into_iter().map(|option| (option.channel, option.languages)).collect::<Vec<_>>()
    };
    let all: BTreeSet<_> = ["en", "fr", "ja"].map(str::to_owned).into();
    let spoken: BTreeSet<_> = ["en", "fr"].map(str::to_owned).into();
    let written = [(Channel::Web, all.clone()), (Channel::Email, all.clone())];
    let access = acme().build();
    let open = options(&access, Some("compute"), OPEN);
    assert_eq!(open, [written[0].clone(), written[1].clone(), (Channel::Phone, spoken.clone())]);
    assert_eq!(options(&access, Some("compute"), 0), written, "closed");
    assert_eq!(options(&access, None, OPEN), open, "of any product");
    let silver = acme().without_entitlements().entitled("compute", "silver").build();
    assert_eq!(options(&silver, Some("compute"), OPEN), written, "not entitled");
    assert!(options(&acme().without_entitlements().build(), None, OPEN).is_empty());
    let flow = Flow { second: 0, ..Flow::at_contact() };
    assert_eq!(flow.refused(contact(Channel::Phone, "fr")), "INVALID_FIELD");
    assert_eq!(flow.refused(contact(Channel::Chat, "fr")), "INVALID_FIELD");
    let flow = Flow::at_contact();
    assert_eq!(flow.refused(contact(Channel::Phone, "ja")), "INVALID_FIELD", "nobody speaks it there");
    assert_eq!(flow.then(contact(Channel::Phone, "")).session().contact.as_ref().unwrap().language, "fr");
}

#[test]
fn what_is_not_of_the_step_or_was_not_suggested_is_refused() {
    let flow = Flow::described();
    assert_eq!(flow.refused(describe("Again", &[])), "NOT_AT_THIS_STEP");
    assert_eq!(flow.refused(open("secret")), "INVALID_FIELD");
    assert_eq!(flow.refused(helped(Some("secret"))), "INVALID_FIELD");
    let end = HelpSessionCommand::EndWithCase(EndWithCase { case: case(1) });
    assert_eq!(flow.refused(end), "NOT_AT_THIS_STEP");
    let flow = Flow::new();
    assert_eq!(flow.refused(describe(" \n", &[])), "INVALID_FIELD");
    assert_eq!(flow.refused(describe(&"x".repeat(MAX_PROBLEM_CHARS + 1), &[])), "INVALID_FIELD");
    assert_eq!(flow.refused(open("restart")), "NOT_AT_THIS_STEP");
}

#[test]
fn a_session_is_of_whoever_began_it_and_of_no_one_else() {
    let flow = Flow::described();
    let reason = |who: &str| flow.decide(who, &open("restart")).map_err(|rejection| rejection.reason());
    assert!(reason("alice").is_ok());
    assert_eq!(reason("bob"), Err("HELP_SESSION_NOT_FOUND"));
    assert_eq!(reason("peter"), Err("NOT_A_MEMBER"));
    assert_eq!(reason("agent-north"), Err("NOT_FOR_YOU"));
    let nothing = Flow { state: HelpSession::default(), ..Flow::new() };
    assert_eq!(nothing.refused(open("restart")), "HELP_SESSION_NOT_FOUND");
    let start = |product: &str| {
        let product = Some(ProductId::new(product).unwrap());
        HelpSessionCommand::Start(StartHelpSession { language: "en".to_owned(), product })
    };
    assert_eq!(nothing.refused(start("toaster")), "INVALID_FIELD");
    assert_eq!(nothing.refused(start("identity")), "ROLE_TOO_LOW");
    assert!(nothing.decide("carol", &start("compute")).is_ok(), "who reads gets help too");
}

#[test]
fn a_fold_survives_being_kept_as_text() {
    let flow = Flow::at_contact();
    let text = serde_json::to_string(&flow.state).unwrap();
    assert_eq!(serde_json::from_str::<HelpSession>(&text).unwrap(), flow.state);
}
