//! Listing somebody in the organization's directory: no access comes with it (R-ACCESS-7).

use crate::access::{Access, AccessEvent, AccessRejection, MemberListed};
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
    pub(super) fn decide(&self, access: &Access) -> Result<Vec<AccessEvent>, AccessRejection> {
        Ok(list(access, self.account, &self.contact)?.into_iter().collect())
    }
}

/// The event that lists somebody, unless they are listed already. The address must be in a verified domain.
pub(super) fn list(
    access: &Access,
    account: AccountId,
    contact: &Personal<Contact>,
) -> Result<Option<AccessEvent>, AccessRejection> {
    if access.registration.is_none() {
        return Err(AccessRejection::NotRegistered);
    }
    if access.members.contains_key(&account) {
        return Ok(None);
    }
    let domain = contact.open().and_then(|contact| contact.email.rsplit_once('@')).map(|(_, domain)| domain);
    if !domain.is_some_and(|domain| access.domains.contains(&domain.to_ascii_lowercase())) {
        return Err(AccessRejection::Invalid {
            field: "email",
            why: "must be in one of the organization's verified domains".to_owned(),
        });
    }
    Ok(Some(MemberListed { account, contact: contact.clone() }.into()))
}
