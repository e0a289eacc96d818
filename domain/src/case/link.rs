//! How one case has to do with another: for support's eyes, also across organizations.

use super::check_visible;
use super::events::{CaseEvent, CasesLinked, CasesUnlinked, LinkKind};
use super::rejection::CaseRejection;
use super::state::{Case, CaseState};
use crate::access::Access;
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
        // Support sees by provider, for which the access of the other's organization does not matter.
        let seen = |other: &&Case| check_visible(other, &Access::default(), context).is_ok();
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
