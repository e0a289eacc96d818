//! Claiming a domain (R-ORG-1).

use super::{DomainClaim, DomainClaimEvent, DomainClaimed};
use crate::access::AccessRejection;
use crate::address::DomainName;
use crate::context::Context;
use crate::ids::OrganizationId;

/// Claims the domain for the organization.
#[derive(Clone, Debug)]
pub struct ClaimDomain {
    /// The domain.
    pub domain: DomainName,
    /// Whether the other organization that holds the claim has verified the domain; without one it does not matter.
    pub holder_has_verified: bool,
}

impl ClaimDomain {
    /// Claiming again what one holds changes nothing.
    pub(super) fn decide(
        &self,
        claim: &DomainClaim,
        organization: &OrganizationId,
        context: &Context<'_>,
    ) -> Result<Vec<DomainClaimEvent>, AccessRejection> {
        if self.domain.is_within(&context.catalogue.access.consumer_mail_domains) {
            return Err(AccessRejection::Invalid {
                field: "domain",
                why: "a domain of consumer mail belongs to no organization".to_owned(),
            });
        }
        match &claim.holder {
            Some(holder) if holder.organization == *organization => return Ok(Vec::new()),
            Some(holder) if self.holder_has_verified || context.now < holder.unverified_until() => {
                return Err(AccessRejection::DomainTaken { domain: self.domain.to_string() });
            }
            Some(_) | None => {}
        }
        let challenge = ulid::Ulid::from(context.command_id.derive("domain challenge")).to_string();
        Ok(vec![DomainClaimed { organization: organization.clone(), challenge }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Claimant, DomainClaimCommand};
    use super::*;
    use crate::testing::{acme, at, decide_domain_claim};

    fn held_by(name: &str) -> DomainClaim {
        let organization = OrganizationId::new(name).unwrap();
        DomainClaim { holder: Some(Claimant { organization, challenge: "c".to_owned(), claimed_at: at(0) }) }
    }

    fn claim_at(
        claim: &DomainClaim,
        who: &str,
        domain: &str,
        verified: bool,
        second: i64,
    ) -> Result<usize, &'static str> {
        let command = DomainClaimCommand::Claim(ClaimDomain {
            domain: DomainName::parse(domain).unwrap(),
            holder_has_verified: verified,
        });
        decide_domain_claim(claim, &command, who, &acme().build(), at(second))
            .map(|events| events.len())
            .map_err(|rejection| rejection.reason())
    }

    const WEEK: i64 = 7 * 24 * 3600;

    /// R-ORG-1.
    #[test]
    fn r_org_1_the_first_organization_to_claim_a_domain_has_it_and_claiming_again_changes_nothing() {
        assert_eq!(claim_at(&DomainClaim::default(), "operator", "new.example", false, 0), Ok(1));
        assert_eq!(claim_at(&held_by("acme"), "operator", "new.example", false, 0), Ok(0));
        assert_eq!(claim_at(&held_by("initech"), "operator", "new.example", false, 0), Err("DOMAIN_TAKEN"));
    }

    /// R-ORG-1.
    #[test]
    fn r_org_1_a_claim_that_is_not_verified_within_seven_days_may_be_taken_over() {
        let held = held_by("initech");
        assert_eq!(claim_at(&held, "operator", "new.example", false, WEEK - 1), Err("DOMAIN_TAKEN"));
        assert_eq!(claim_at(&held, "operator", "new.example", false, WEEK), Ok(1));
        assert_eq!(claim_at(&held, "operator", "new.example", true, WEEK), Err("DOMAIN_TAKEN"));
    }

    #[test]
    fn owners_and_the_operator_claim_and_nobody_else() {
        assert_eq!(claim_at(&DomainClaim::default(), "alice", "new.example", false, 0), Ok(1));
        for (who, reason) in
            [("bob", "ROLE_TOO_LOW"), ("peter", "NOT_A_MEMBER"), ("agent-north", "NOT_FOR_YOU")]
        {
            assert_eq!(claim_at(&DomainClaim::default(), who, "new.example", false, 0), Err(reason), "{who}");
        }
    }

    /// R-ACCESS-8.
    #[test]
    fn r_access_8_a_consumer_mail_domain_is_not_claimed() {
        assert_eq!(
            claim_at(&DomainClaim::default(), "operator", "eu.mail.example", false, 0),
            Err("INVALID_FIELD")
        );
    }
}
