//! Recording a domain as verified (R-ORG-1). The claim that makes it unique is a stream of its own.

use crate::access::{Access, AccessEvent, AccessRejection, DomainVerified};

/// Records a domain as the organization's.
#[derive(Clone, Debug)]
pub struct VerifyDomain {
    /// The domain.
    pub domain: String,
}

impl VerifyDomain {
    pub(super) fn decide(&self, access: &Access) -> Result<Vec<AccessEvent>, AccessRejection> {
        if access.registration.is_none() {
            return Err(AccessRejection::NotRegistered);
        }
        let domain = self.domain.to_ascii_lowercase();
        let label_ok = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if domain.len() > 253 || !domain.contains('.') || !domain.split('.').all(label_ok) {
            return Err(AccessRejection::Invalid {
                field: "domain",
                why: "wanted a domain name in ASCII (punycode for others), such as acme.example".to_owned(),
            });
        }
        if access.domains.contains(&domain) {
            return Ok(Vec::new());
        }
        Ok(vec![DomainVerified { domain }.into()])
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
    fn r_org_1_an_organization_has_verified_domains_in_lower_case() {
        assert_eq!(
            verify("Labs.Acme.Example"),
            Ok(vec![DomainVerified { domain: "labs.acme.example".to_owned() }.into()])
        );
        assert_eq!(verify("acme.example"), Ok(vec![]), "already verified");
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for bad in [
            "",
            "acme",
            "a..b",
            "-a.example",
            "аcme.example",
            "a b.example",
            &format!("{}.e", "a".repeat(64)),
        ] {
            assert_eq!(verify(bad), Err("INVALID_FIELD"), "{bad:?}");
        }
    }
}
