//! Listing somebody in the organization's directory: no access comes with it (R-ACCESS-7).

use crate::access::{Access, AccessEvent, AccessRejection, MemberListed};
use crate::address::EmailAddress;
use crate::context::Context;
use crate::ids::AccountId;
use crate::personal::{Contact, Personal};

/// Lists somebody.
#[derive(Clone, Debug)]
pub struct ListMember {
    /// The person.
    pub account: AccountId,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
}

impl ListMember {
    pub(super) fn decide(
        &self,
        access: &Access,
        context: &Context<'_>,
    ) -> Result<Vec<AccessEvent>, AccessRejection> {
        Ok(list(access, self.account, &self.contact, context)?.into_iter().collect())
    }
}

/// The event that lists somebody, unless they are listed already. The address must be in a verified domain (R-ACCESS-1)
/// that is not one of consumer mail (R-ACCESS-8).
pub(super) fn list(
    access: &Access,
    account: AccountId,
    contact: &Personal<Contact>,
    context: &Context<'_>,
) -> Result<Option<AccessEvent>, AccessRejection> {
    let email = contact.open().map(|contact| contact.email.as_str()).unwrap_or_default();
    let email =
        EmailAddress::parse(email).map_err(|why| AccessRejection::invalid("email", why.to_string()))?;
    if email.domain().is_within(&context.catalogue.access.consumer_mail_domains) {
        return Err(AccessRejection::invalid("email", "an address of consumer mail gets no access"));
    }
    if !access.domains.contains(email.domain().as_str()) {
        return Err(AccessRejection::invalid(
            "email",
            "must be in one of the organization's verified domains",
        ));
    }
    if access.members.contains_key(&account) {
        return Ok(None);
    }
    Ok(Some(MemberListed { account, contact: contact.clone() }.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::AccessCommand;
    use crate::testing::{acme, at, decide_access, people};

    fn list_as(who: &str, email: &str) -> Result<usize, &'static str> {
        let person = people("erin");
        let contact = Contact { email: email.to_owned(), display_name: "Erin".to_owned() };
        let command = AccessCommand::ListMember(ListMember {
            account: person.account,
            contact: Personal::new(person.contact.subject().clone(), contact),
        });
        let access = acme().domain("mail.example").build();
        decide_access(&access, &command, &people(who), at(0))
            .map(|events| events.len())
            .map_err(|rejection| rejection.reason())
    }

    /// R-ACCESS-1: the domain decides, however the address is written.
    #[test]
    fn r_access_1_an_address_of_a_verified_domain_is_listed_in_any_case_and_with_a_tag() {
        for email in ["erin@acme.example", "Erin+x@ACME.Example", "erin@ａｃｍｅ.example"] {
            assert_eq!(list_as("operator", email), Ok(1), "{email}");
        }
        for email in ["erin@initech.example", "erin@sub.acme.example", "erin@\u{430}cme.example", "erin"] {
            assert_eq!(list_as("operator", email), Err("INVALID_FIELD"), "{email}");
        }
    }

    /// R-ACCESS-8.
    #[test]
    fn r_access_8_a_consumer_mail_address_is_not_granted_even_where_its_domain_was_once_verified() {
        assert_eq!(list_as("operator", "erin@mail.example"), Err("INVALID_FIELD"));
    }

    #[test]
    fn a_member_lists_colleagues_and_outsiders_list_nobody() {
        assert_eq!(list_as("carol", "erin@acme.example"), Ok(1));
        assert_eq!(list_as("dave", "erin@acme.example"), Err("NO_SUPPORT_PRIVILEGE"));
        assert_eq!(list_as("peter", "erin@acme.example"), Err("NOT_A_MEMBER"));
        assert_eq!(list_as("agent-north", "erin@acme.example"), Err("NOT_FOR_YOU"));
    }
}
