//! Changing what is known of an organization (R-ORG-1): the operator everything, its owners the language and the
//! technical contact.

use super::register_organization::{check_country, check_display_name, check_language};
use crate::access::{
    Access, AccessEvent, AccessRejection, FirstSignInPolicyChanged, OrganizationChanged,
    TechnicalContactChanged,
};
use crate::authority::{AccessRefusal, Side};
use crate::context::Context;
use crate::personal::{Contact, Personal};

/// Changes the organization; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ChangeOrganization {
    /// Name to show.
    pub display_name: Option<String>,
    /// ISO 3166 country or UN M49 region.
    pub country: Option<String>,
    /// Preferred language, BCP 47.
    pub language: Option<String>,
    /// Whom to reach about technical matters; `Some(None)`: nobody.
    pub technical_contact: Option<Option<Personal<Contact>>>,
    /// Whether whoever signs in with an address of a verified domain gets an account.
    pub first_sign_in_opens_accounts: Option<bool>,
}

impl ChangeOrganization {
    pub(super) fn decide(
        &self,
        access: &Access,
        context: &Context<'_>,
    ) -> Result<Vec<AccessEvent>, AccessRejection> {
        let Some(known) = &access.registration else { return Err(AccessRejection::NotRegistered) };
        let by_operator = self.display_name.is_some()
            || self.country.is_some()
            || self.first_sign_in_opens_accounts.is_some();
        if by_operator && context.authority.side() != Side::Support {
            return Err(AccessRefusal::NotForYou { who: "support staff" }.into());
        }
        let changed = OrganizationChanged {
            display_name: self.display_name.clone().unwrap_or_else(|| known.display_name.clone()),
            country: self.country.clone().unwrap_or_else(|| known.country.clone()),
            language: self.language.clone().unwrap_or_else(|| known.language.clone()),
        };
        check_display_name(&changed.display_name)?;
        check_country(&changed.country)?;
        check_language(&changed.language)?;
        let mut events = Vec::new();
        if (&changed.display_name, &changed.country, &changed.language)
            != (&known.display_name, &known.country, &known.language)
        {
            events.push(changed.into());
        }
        if let Some(contact) = &self.technical_contact {
            // The known one is sealed and cannot be compared: only clearing nothing is seen to change nothing.
            if contact.is_some() || access.technical_contact.is_some() {
                events.push(TechnicalContactChanged { contact: contact.clone() }.into());
            }
        }
        if let Some(opens_accounts) = self.first_sign_in_opens_accounts
            && opens_accounts != access.first_sign_in_opens_accounts
        {
            events.push(FirstSignInPolicyChanged { opens_accounts }.into());
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::access::AccessCommand;
    use crate::testing::{acme, at, decide_access, people};

    fn change(who: &str, command: ChangeOrganization) -> Result<(usize, Access), &'static str> {
        let mut access = acme().build();
        let command = AccessCommand::ChangeOrganization(command);
        let events =
            decide_access(&access, &command, &people(who), at(0)).map_err(|refused| refused.reason())?;
        for event in &events {
            access.evolve(event, at(0));
        }
        Ok((events.len(), access))
    }

    /// R-ORG-1.
    #[test]
    fn r_org_1_the_operator_changes_everything_and_only_what_differs_is_written() {
        let (events, access) = change(
            "operator",
            ChangeOrganization {
                display_name: Some("Acme SA".to_owned()),
                country: Some("BE".to_owned()),
                language: Some("nl".to_owned()),
                technical_contact: Some(Some(people("bob").contact)),
                first_sign_in_opens_accounts: Some(true),
            },
        )
        .unwrap();
        let known = access.registration.unwrap();
        assert_eq!(
            (known.display_name.as_str(), known.country.as_str(), known.language.as_str()),
            ("Acme SA", "BE", "nl")
        );
        assert_eq!(access.technical_contact, Some(people("bob").contact));
        assert!(access.first_sign_in_opens_accounts && !known.reseller);
        assert_eq!(events, 3);
        let same = ChangeOrganization {
            display_name: Some("Acme".to_owned()),
            technical_contact: Some(None),
            first_sign_in_opens_accounts: Some(false),
            ..ChangeOrganization::default()
        };
        assert_eq!(change("operator", same).unwrap().0, 0);
    }

    /// R-ORG-1.
    #[test]
    fn r_org_1_owners_change_language_and_technical_contact_and_others_nothing() {
        let language =
            || ChangeOrganization { language: Some("en".to_owned()), ..ChangeOrganization::default() };
        let name =
            || ChangeOrganization { display_name: Some("Mine".to_owned()), ..ChangeOrganization::default() };
        let policy = || ChangeOrganization {
            first_sign_in_opens_accounts: Some(true),
            ..ChangeOrganization::default()
        };
        let contact = ChangeOrganization {
            technical_contact: Some(Some(people("bob").contact)),
            ..ChangeOrganization::default()
        };
        assert_eq!(change("alice", language()).unwrap().0, 1);
        assert_eq!(change("alice", contact).unwrap().0, 1);
        assert_eq!(change("alice", name()).err(), Some("NOT_FOR_YOU"));
        assert_eq!(change("alice", policy()).err(), Some("NOT_FOR_YOU"));
        assert_eq!(change("bob", language()).err(), Some("ROLE_TOO_LOW"));
        assert_eq!(change("peter", language()).err(), Some("NOT_A_MEMBER"));
        let bad = ChangeOrganization { language: Some("?".to_owned()), ..ChangeOrganization::default() };
        assert_eq!(change("alice", bad).err(), Some("INVALID_FIELD"));
    }
}
