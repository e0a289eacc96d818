//! Registering an organization (R-ORG-1).

use crate::access::{Access, AccessEvent, AccessRejection, OrganizationRegistered};
use crate::ids::OrganizationId;

/// Registers the organization.
#[derive(Clone, Debug)]
pub struct RegisterOrganization {
    /// The organization.
    pub organization: OrganizationId,
    /// Name to show.
    pub display_name: String,
    /// ISO 3166 country or region.
    pub country: String,
    /// Preferred language, BCP 47.
    pub language: String,
    /// Whether it is a reseller's own account.
    pub reseller: bool,
}

impl RegisterOrganization {
    pub(super) fn decide(&self, access: &Access) -> Result<Vec<AccessEvent>, AccessRejection> {
        if access.registration.is_some() {
            return Err(AccessRejection::AlreadyRegistered);
        }
        if self.display_name.trim().is_empty() {
            return Err(AccessRejection::Invalid {
                field: "displayName",
                why: "give the organization a name".to_owned(),
            });
        }
        Ok(vec![
            OrganizationRegistered {
                organization: self.organization.clone(),
                display_name: self.display_name.clone(),
                country: self.country.clone(),
                language: self.language.clone(),
                reseller: self.reseller,
            }
            .into(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use crate::access::{AccessCommand, RegisterOrganization};
    use crate::testing::{acme, acme_id, at, decide_access, people};

    fn register() -> AccessCommand {
        AccessCommand::RegisterOrganization(RegisterOrganization {
            organization: acme_id(),
            display_name: "Acme".to_owned(),
            country: "FR".to_owned(),
            language: "fr".to_owned(),
            reseller: false,
        })
    }

    /// R-ORG-1.
    #[test]
    fn r_org_1_an_operator_registers_an_organization_once() {
        let operator = people("operator");
        let events = decide_access(&crate::access::Access::default(), &register(), &operator, at(0)).unwrap();
        assert_eq!(events.len(), 1);
        let again = decide_access(&acme().build(), &register(), &operator, at(0)).unwrap_err();
        assert_eq!(again.reason(), "ALREADY_REGISTERED");
    }

    #[test]
    fn nobody_else_registers_an_organization() {
        for who in ["alice", "agent-north", "peter"] {
            let refused = decide_access(&acme().build(), &register(), &people(who), at(0)).unwrap_err();
            assert!(["NOT_FOR_YOU", "NOT_A_MEMBER"].contains(&refused.reason()), "{who}: {refused}");
        }
    }
}
