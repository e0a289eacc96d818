//! Giving a claimed domain up before it is verified.

use super::{DomainClaim, DomainClaimEvent, DomainReleased};
use crate::access::AccessRejection;
use crate::address::DomainName;
use crate::context::Context;
use crate::ids::OrganizationId;

/// Gives the organization's claim up.
#[derive(Clone, Debug)]
pub struct ReleaseDomain {
    /// The domain.
    pub domain: DomainName,
}

impl ReleaseDomain {
    /// Releasing what one does not hold changes nothing.
    pub(super) fn decide(
        &self,
        claim: &DomainClaim,
        organization: &OrganizationId,
        context: &Context<'_>,
    ) -> Result<Vec<DomainClaimEvent>, AccessRejection> {
        if context.access.domains.contains(self.domain.as_str()) {
            return Err(AccessRejection::Invalid {
                field: "domain",
                why: "is verified; people may have access by it".to_owned(),
            });
        }
        if claim.holder.as_ref().is_none_or(|holder| holder.organization != *organization) {
            return Ok(Vec::new());
        }
        Ok(vec![DomainReleased { organization: organization.clone() }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Claimant, DomainClaimCommand};
    use super::*;
    use crate::testing::{acme, at, decide_domain_claim};

    fn release(holder: &str, who: &str, domain: &str) -> Result<usize, &'static str> {
        let organization = OrganizationId::new(holder).unwrap();
        let claim = DomainClaim {
            holder: Some(Claimant { organization, challenge: String::new(), claimed_at: at(0) }),
        };
        let command =
            DomainClaimCommand::Release(ReleaseDomain { domain: DomainName::parse(domain).unwrap() });
        decide_domain_claim(&claim, &command, who, &acme().build(), at(0))
            .map(|events| events.len())
            .map_err(|rejection| rejection.reason())
    }

    #[test]
    fn a_claim_is_given_up_by_its_holder_and_not_once_the_domain_is_verified() {
        assert_eq!(release("acme", "alice", "new.example"), Ok(1));
        assert_eq!(release("initech", "alice", "new.example"), Ok(0));
        assert_eq!(release("acme", "bob", "new.example"), Err("ROLE_TOO_LOW"));
        assert_eq!(release("acme", "operator", "acme.example"), Err("INVALID_FIELD"));
    }
}
