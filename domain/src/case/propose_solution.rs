//! Proposing a solution (R-RESOLVE-1): the case becomes SOLUTION_PROVIDED.

use super::comment::MAX_COMMENT_CHARS;
use super::events::{AutomaticClosing, CaseEvent, SolutionKind, SolutionParticulars, SolutionProposed};
use super::file::check_text;
use super::rejection::CaseRejection;
use super::response;
use super::state::{Case, check_open};
use crate::context::Context;
use crate::personal::Personal;

/// Longest link, in bytes.
const MAX_URL_BYTES: usize = 2_000;

/// Proposes a solution.
#[derive(Clone, Debug)]
pub struct ProposeSolution {
    /// Of which kind.
    pub solution: SolutionKind,
    /// In support's words.
    pub text: Personal<String>,
    /// What its kind needs, and nothing else.
    pub particulars: SolutionParticulars,
}

impl ProposeSolution {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        check_text("text", &self.text, 1, MAX_COMMENT_CHARS)?;
        check_open(case)?;
        let community = context.catalogue.links.community.as_deref();
        let particulars = particulars(self.solution, &self.particulars, community)?;
        let closing = context.catalogue.closing.instants(context.now);
        let automatic_closing =
            closing.map(|(announced_from, closes_at)| AutomaticClosing { announced_from, closes_at });
        let proposed = SolutionProposed {
            solution: self.solution,
            text: self.text.clone(),
            author: context.actor.contact.clone(),
            particulars,
            automatic_closing,
            known_issue: None,
        };
        Ok([proposed.into()].into_iter().chain(response::answers(case, context)).collect())
    }
}

/// What a kind brings along, checked (R-RESOLVE-1): everything it needs, and nothing that belongs to another kind. A missing
/// feature is offered to the community that the catalogue names, unless support names another place.
pub(super) fn particulars(
    kind: SolutionKind,
    given: &SolutionParticulars,
    community: Option<&str>,
) -> Result<SolutionParticulars, CaseRejection> {
    let mut taken = given.clone();
    if kind == SolutionKind::MissingFeature && taken.idea_url.is_none() {
        taken.idea_url = community.map(str::to_owned);
    }
    let needed = |field, wanted: SolutionKind, given: bool, what: &str| match (kind == wanted, given) {
        (true, false) => Err(CaseRejection::invalid(field, format!("a solution of this kind needs {what}"))),
        (false, true) => Err(CaseRejection::invalid(field, "belongs to a solution of another kind")),
        _ => Ok(()),
    };
    let idea = taken.idea_url.as_deref();
    needed(
        "ideaUrl",
        SolutionKind::MissingFeature,
        idea.is_some(),
        "the page where it is posted as an idea",
    )?;
    check_url("ideaUrl", idea)?;
    let advice = taken.recommendations.as_ref();
    needed("recommendations", SolutionKind::NotReproducible, advice.is_some(), "recommendations")?;
    let contact = taken.third_party_contact.as_ref();
    needed("thirdPartyContact", SolutionKind::ThirdParty, contact.is_some(), "the third party's contact")?;
    for (field, text) in [("recommendations", advice), ("thirdPartyContact", contact)] {
        text.map_or(Ok(()), |text| check_text(field, text, 1, MAX_COMMENT_CHARS))?;
    }
    let outage = taken.outage_url.as_deref();
    needed(
        "outageUrl",
        SolutionKind::Outage,
        outage.is_some(),
        "the link to the outage on the status dashboard",
    )?;
    check_url("outageUrl", outage)?;
    Ok(taken)
}

/// Whether a text is a link that people are sent to.
pub(crate) fn is_link(url: &str) -> bool {
    url.len() <= MAX_URL_BYTES
        && !url.contains(|c: char| c.is_whitespace() || c.is_control())
        && ["https://", "http://"].iter().any(|scheme| {
            url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        })
}

fn check_url(field: &'static str, url: Option<&str>) -> Result<(), CaseRejection> {
    match url {
        Some(url) if !is_link(url) => {
            Err(CaseRejection::invalid(field, "wanted a link, such as https://status.example/incidents/1"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Status;
    use crate::testing::{Given, catalogue, close, personal, propose, propose_kind};

    /// R-RESOLVE-1.
    #[test]
    fn r_resolve_1_each_of_the_six_kinds_needs_its_particulars_and_takes_no_others() {
        let none = SolutionParticulars::default;
        let idea = SolutionParticulars { idea_url: Some("https://ideas.example/".to_owned()), ..none() };
        let advice = SolutionParticulars { recommendations: Some(personal("try 2.0")), ..none() };
        let contact =
            SolutionParticulars { third_party_contact: Some(personal("db@vendor.example")), ..none() };
        let outage =
            SolutionParticulars { outage_url: Some("https://status.example/1".to_owned()), ..none() };
        let all = [
            (None, none()),
            (Some("ideaUrl"), idea),
            (Some("recommendations"), advice),
            (Some("thirdPartyContact"), contact),
            (Some("outageUrl"), outage),
        ];
        for (kind, needed) in [
            (SolutionKind::Solved, 0),
            (SolutionKind::MissingFeature, 1),
            (SolutionKind::NotReproducible, 2),
            (SolutionKind::ThirdParty, 3),
            (SolutionKind::OutOfScope, 0),
            (SolutionKind::Outage, 4),
        ] {
            for (index, (field, particulars)) in all.iter().enumerate() {
                let result =
                    Given::filed().when("agent-north", 1, &propose_kind(kind, particulars.clone())).result();
                match result {
                    Ok(events) => {
                        assert_eq!(index, needed, "{kind:?}");
                        let CaseEvent::SolutionProposed(event) = &events[0] else { panic!("{events:?}") };
                        assert_eq!((event.solution, &event.particulars), (kind, particulars));
                    }
                    Err(refused) => {
                        assert_ne!(index, needed, "{kind:?}: {refused}");
                        assert!(refused.field() == *field || refused.field() == all[needed].0, "{kind:?}");
                    }
                }
            }
        }
    }

    /// R-RESOLVE-1.
    #[test]
    fn r_resolve_1_a_missing_feature_is_offered_to_the_community_and_links_are_links() {
        let mut with_community = catalogue();
        with_community.links.community = Some("https://community.example/".to_owned());
        let given = Given::filed().in_catalogue(with_community);
        let missing = |idea_url: Option<&str>| {
            let idea_url = idea_url.map(str::to_owned);
            propose_kind(
                SolutionKind::MissingFeature,
                SolutionParticulars { idea_url, ..SolutionParticulars::default() },
            )
        };
        let events = given.clone().when("agent-north", 1, &missing(None)).events();
        let CaseEvent::SolutionProposed(event) = &events[0] else { panic!("{events:?}") };
        assert_eq!(event.particulars.idea_url.as_deref(), Some("https://community.example/"));
        for bad in ["", "ideas", "javascript:1", "https://", "https:///x", "https://a b", "http://a\n"] {
            let refused = given.clone().when("agent-north", 1, &missing(Some(bad))).rejection();
            assert_eq!(refused.field(), Some("ideaUrl"), "{bad:?}");
        }
    }

    /// R-CASE-3.
    #[test]
    fn r_case_3_proposing_makes_the_case_solution_provided() {
        let state = Given::filed().when("agent-north", 1, &propose()).state();
        assert_eq!(state.filed().unwrap().status, Status::SolutionProvided);
    }

    #[test]
    fn only_support_proposes_and_only_on_an_open_case() {
        assert_eq!(Given::filed().when("alice", 1, &propose()).rejection().reason(), "NOT_FOR_YOU");
        let closed = Given::filed().and("alice", 1, &close());
        assert_eq!(closed.when("agent-north", 2, &propose()).rejection().reason(), "CASE_CLOSED");
    }
}
