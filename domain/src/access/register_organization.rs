//! Registering an organization (R-ORG-1).

use crate::access::{Access, AccessEvent, AccessRejection, OrganizationRegistered, TechnicalContactChanged};
use crate::ids::OrganizationId;
use crate::personal::{Contact, Personal};

/// Longest name, in characters.
const MAX_DISPLAY_NAME_CHARS: usize = 200;

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
    /// Whom to reach about technical matters.
    pub technical_contact: Option<Personal<Contact>>,
}

impl RegisterOrganization {
    pub(super) fn decide(&self, access: &Access) -> Result<Vec<AccessEvent>, AccessRejection> {
        if access.registration.is_some() {
            return Err(AccessRejection::AlreadyRegistered);
        }
        check_display_name(&self.display_name)?;
        check_country(&self.country)?;
        check_language(&self.language)?;
        let registered = OrganizationRegistered {
            organization: self.organization.clone(),
            display_name: self.display_name.clone(),
            country: self.country.clone(),
            language: self.language.clone(),
            reseller: self.reseller,
        };
        let contact = self
            .technical_contact
            .clone()
            .map(|contact| TechnicalContactChanged { contact: Some(contact) }.into());
        Ok([registered.into()].into_iter().chain(contact).collect())
    }
}

pub(super) fn check_display_name(name: &str) -> Result<(), AccessRejection> {
    if name.trim().is_empty() || name.chars().count() > MAX_DISPLAY_NAME_CHARS {
        let why = format!("give the organization a name of at most {MAX_DISPLAY_NAME_CHARS} characters");
        return Err(AccessRejection::invalid("displayName", why));
    }
    Ok(())
}

/// Shape only: which codes are in use changes more often than this code.
pub(super) fn check_country(code: &str) -> Result<(), AccessRejection> {
    let letters = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    let digits = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    if letters || digits {
        return Ok(());
    }
    Err(AccessRejection::invalid("country", "wanted an ISO 3166 country (FR) or a UN M49 region (150)"))
}

pub(super) fn check_language(tag: &str) -> Result<(), AccessRejection> {
    let subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let primary = tag.split('-').next().unwrap_or_default();
    let known = (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_lowercase());
    if known && tag.len() <= 35 && tag.split('-').all(subtag) {
        return Ok(());
    }
    Err(AccessRejection::invalid("languageCode", "wanted a language tag, such as fr or pt-BR"))
}

#[cfg(test)]
mod tests {
    use crate::access::{Access, AccessCommand, AccessEvent, RegisterOrganization};
    use crate::testing::{acme, acme_id, at, decide_access, people};

    fn register(change: impl FnOnce(&mut RegisterOrganization)) -> AccessCommand {
        let mut command = RegisterOrganization {
            organization: acme_id(),
            display_name: "Acme".to_owned(),
            country: "FR".to_owned(),
            language: "fr".to_owned(),
            reseller: false,
            technical_contact: Some(people("alice").contact),
        };
        change(&mut command);
        AccessCommand::RegisterOrganization(command)
    }

    /// R-ORG-1.
    #[test]
    fn r_org_1_an_operator_registers_an_organization_once_with_its_technical_contact() {
        let operator = people("operator");
        let events = decide_access(&Access::default(), &register(|_| ()), &operator, at(0)).unwrap();
        assert!(matches!(
            &events[..],
            [AccessEvent::OrganizationRegistered(_), AccessEvent::TechnicalContactChanged(_)]
        ));
        let bare = register(|command| command.technical_contact = None);
        assert_eq!(decide_access(&Access::default(), &bare, &operator, at(0)).unwrap().len(), 1);
        let again = decide_access(&acme().build(), &register(|_| ()), &operator, at(0)).unwrap_err();
        assert_eq!(again.reason(), "ALREADY_REGISTERED");
    }

    /// R-ORG-1.
    #[test]
    fn r_org_1_name_country_and_language_have_their_shapes() {
        let field = |change: fn(&mut RegisterOrganization)| {
            let result = decide_access(&Access::default(), &register(change), &people("operator"), at(0));
            result.err().and_then(|refused| refused.field())
        };
        assert_eq!(field(|command| command.display_name = " ".to_owned()), Some("displayName"));
        assert_eq!(field(|command| command.display_name = "x".repeat(201)), Some("displayName"));
        assert_eq!(field(|command| command.country = "fr".to_owned()), Some("country"));
        assert_eq!(field(|command| command.country = "FRA".to_owned()), Some("country"));
        assert_eq!(field(|command| command.country = "150".to_owned()), None);
        assert_eq!(field(|command| command.language = "french".to_owned()), Some("languageCode"));
        assert_eq!(field(|command| command.language = "pt-BR".to_owned()), None);
        assert_eq!(field(|command| command.language = "fr--CA".to_owned()), Some("languageCode"));
    }

    #[test]
    fn nobody_else_registers_an_organization() {
        for who in ["alice", "agent-north", "peter"] {
            let refused = decide_access(&acme().build(), &register(|_| ()), &people(who), at(0)).unwrap_err();
            assert!(["NOT_FOR_YOU", "NOT_A_MEMBER"].contains(&refused.reason()), "{who}: {refused}");
        }
    }
}
