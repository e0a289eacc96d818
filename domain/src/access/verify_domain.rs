//! Recording a domain as verified (R-ORG-1). The claim that makes it unique is a stream of its own: see
//! [`crate::domain_claim`].

use crate::access::{Access, AccessEvent, AccessRejection, DomainVerified};
use crate::address::DomainName;
use crate::context::Context;

/// Records a domain as the organization's.
#[derive(Clone, Debug)]
pub struct VerifyDomain {
    /// The domain, in any spelling.
    pub domain: String,
}

impl VerifyDomain {
    pub(super) fn decide(
        &self,
        access: &Access,
        context: &Context<'_>,
    ) -> Result<Vec<AccessEvent>, AccessRejection> {
        let domain = DomainName::parse(&self.domain)
            .map_err(|why| AccessRejection::invalid("domain", why.to_string()))?;
        if domain.is_within(&context.catalogue.access.consumer_mail_domains) {
            return Err(AccessRejection::invalid(
                "domain",
                "a domain of consumer mail belongs to no organization",
            ));
        }
        if access.domains.contains(domain.as_str()) {
            return Ok(Vec::new());
        }
        Ok(vec![DomainVerified { domain: domain.to_string() }.into()])
    }
}

#[cfg(test)]
mod tests {
    use crate::access::{AccessCommand, AccessEvent, DomainVerified, VerifyDomain};
    use crate::testing::{acme, at, decide_access, people};

    fn verify(domain: &str) -> Result<Vec<AccessEvent>, &'static str> {
        let command = AccessCommand::VerifyDomain(VerifyDomain { domain: domain.to_owned() });
        decide_access(&acme().build(), &command, &people("operator"), at(0))
            .map_err(|rejection| rejection.reason())
    }

    /// R-ORG-1.
    #[test]
    fn r_org_1_an_organization_has_verified_domains_in_their_one_form() {
        let verified = |domain: &str| Ok(vec![DomainVerified { domain: domain.to_owned() }.into()]);
        assert_eq!(verify("Labs.Acme.Example"), verified("labs.acme.example"));
        assert_eq!(verify("Bücher.example"), verified("xn--bcher-kva.example"));
        assert_eq!(verify("acme.example"), Ok(vec![]), "already verified");
        assert_eq!(verify("ACME.Example"), Ok(vec![]), "already verified");
    }

    #[test]
    fn what_is_no_domain_or_looks_like_another_is_refused() {
        for bad in ["", "acme", "a..b", "-a.example", "\u{430}cme.example", "a b.example"] {
            assert_eq!(verify(bad), Err("INVALID_FIELD"), "{bad:?}");
        }
    }

    /// R-ACCESS-8.
    #[test]
    fn r_access_8_a_consumer_mail_domain_is_not_verified() {
        assert_eq!(verify("Mail.Example"), Err("INVALID_FIELD"));
        assert_eq!(verify("eu.mail.example"), Err("INVALID_FIELD"));
    }
}
