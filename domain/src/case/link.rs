//! How one case has to do with another: for support's eyes, also across organizations.

use super::events::{CaseEvent, CasesLinked, CasesUnlinked, LinkKind};
use super::rejection::CaseRejection;
use super::state::{Case, CaseState};
use crate::authority::CaseFacts;
use crate::context::Context;
use crate::ids::CaseId;

/// Most links of one case.
pub const MAX_LINKS: usize = 100;

/// Links the case with another one. Only this case's history tells it; whoever lists links reads both directions.
#[derive(Clone, Debug)]
pub struct LinkCases {
    /// The other case, as loaded.
    pub other: CaseState,
    /// How they have to do with each other.
    pub kind: LinkKind,
}

impl LinkCases {
    /// Linking them again in the same way changes nothing.
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        let scope = context.authority.visibility_everywhere();
        // Support sees by provider, for which it does not matter whom the other's organization lets in.
        let seen = |other: &&Case| scope.admits(&CaseFacts::of(other, None));
        let other = self.other.filed().filter(seen);
        let other = other.ok_or_else(|| CaseRejection::invalid("other", "there is no such case"))?;
        if other.id == case.id {
            return Err(CaseRejection::invalid(
                "other",
                "a case is not linked with itself; name another one",
            ));
        }
        if case.links.contains(&(other.id, self.kind)) {
            return Ok(Vec::new());
        }
        if case.links.len() >= MAX_LINKS {
            return Err(CaseRejection::invalid("other", format!("a case has at most {MAX_LINKS} links")));
        }
        Ok(vec![CasesLinked { other: other.id, kind: self.kind }.into()])
    }
}

/// Takes a link away.
#[derive(Clone, Debug)]
pub struct UnlinkCases {
    /// The other case.
    pub other: CaseId,
    /// How they had to do with each other.
    pub kind: LinkKind,
}

impl UnlinkCases {
    /// Taking away what is not there changes nothing.
    pub(super) fn decide(&self, case: &Case) -> Vec<CaseEvent> {
        let (other, kind) = (self.other, self.kind);
        if case.links.contains(&(other, kind)) {
            vec![CasesUnlinked { other, kind }.into()]
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CaseCommand;
    use crate::case::invariants::{other_case, supported_case};
    use crate::event::EventAudience;
    use crate::ids::{OrganizationId, ProviderId};
    use crate::testing::link;

    #[test]
    fn support_links_a_case_with_another_that_it_sees_and_takes_the_link_away_again() {
        let given = supported_case();
        let other = other_case(given.clone().state().filed().unwrap());
        let events = given.clone().when("agent-north", 1, &link(&other)).events();
        assert_eq!(events[0].audience(), EventAudience::Support);
        let mut foreign = other.clone();
        foreign.0.as_mut().unwrap().organization = OrganizationId::new("globex").unwrap();
        assert_eq!(given.clone().when("agent-north", 1, &link(&foreign)).events().len(), 1);
        let linked = given.clone().and("agent-north", 1, &link(&other));
        assert_eq!(linked.clone().when("agent-north", 2, &link(&other)).events(), vec![]);
        let unlink = |kind| CaseCommand::UnlinkCases(UnlinkCases { other: other.filed().unwrap().id, kind });
        assert_eq!(linked.clone().when("agent-north", 2, &unlink(LinkKind::CausedBy)).events(), vec![]);
        let unlinked = linked.when("agent-north", 2, &unlink(LinkKind::Related)).state();
        assert!(unlinked.filed().unwrap().links.is_empty());
        assert_eq!(given.when("alice", 1, &link(&other)).rejection().reason(), "NOT_FOR_YOU");
    }

    /// R-ROUTE-1.
    #[test]
    fn r_route_1_what_another_provider_has_is_linked_no_more_than_what_is_not_there_or_the_case_itself() {
        let given = supported_case();
        let state = given.clone().state();
        let mut elsewhere = other_case(state.filed().unwrap());
        elsewhere.0.as_mut().unwrap().provider = ProviderId::new("south").ok();
        for other in [elsewhere, CaseState::default(), state] {
            let refused = given.clone().when("agent-north", 1, &link(&other)).rejection();
            assert_eq!(refused.field(), Some("other"));
        }
    }
}
