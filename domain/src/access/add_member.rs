//! Giving somebody access: listed, with a role per product and the support privilege (R-ACCESS-1), from a recorded
//! instant on (R-ACCESS-3).

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};

use super::list_member::list;
use crate::access::{Access, AccessEvent, AccessGranted, AccessRejection};
use crate::authority::Role;
use crate::context::Context;
use crate::ids::{AccountId, ProductId};
use crate::personal::{Contact, Personal};

/// Adds somebody.
#[derive(Clone, Debug)]
pub struct AddMember {
    /// The person.
    pub account: AccountId,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
    /// Role on each product; at least one.
    pub roles: BTreeMap<ProductId, Role>,
    /// When the access begins; `None`: with the decision.
    pub effective_at: Option<Timestamp>,
}

impl AddMember {
    pub(super) fn decide(
        &self,
        access: &Access,
        context: &Context<'_>,
    ) -> Result<Vec<AccessEvent>, AccessRejection> {
        let listed = list(access, self.account, &self.contact)?;
        if access.members.get(&self.account).is_some_and(|member| member.grant.is_some()) {
            return Err(AccessRejection::AlreadyGranted);
        }
        let invalid = |field, why: &str| AccessRejection::Invalid { field, why: why.to_owned() };
        if self.roles.is_empty() {
            return Err(invalid("roles", "give a role on at least one product"));
        }
        if let Some(product) = self.roles.keys().find(|product| context.catalogue.product(product).is_none())
        {
            return Err(invalid("roles", &format!("{product} is not in the catalogue")));
        }
        let effective_at = self.effective_at.unwrap_or(context.now);
        let latest = context.now.saturating_add(24.hours()).unwrap_or(Timestamp::MAX);
        if effective_at < context.now || latest < effective_at {
            return Err(invalid("effectiveAt", "must be from now on, at most 24 hours ahead"));
        }
        let granted = AccessGranted {
            account: self.account,
            roles: self.roles.clone(),
            support_privilege: true,
            effective_at,
        };
        Ok(listed.into_iter().chain([granted.into()]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::AccessCommand;
    use crate::testing::{acme, at, decide_access, people};

    fn add(who: &str, effective_at: Option<Timestamp>) -> Result<Vec<AccessEvent>, &'static str> {
        let person = people(who);
        let command = AccessCommand::AddMember(AddMember {
            account: person.account,
            contact: person.contact,
            roles: BTreeMap::from([(ProductId::new("compute").unwrap(), Role::Editor)]),
            effective_at,
        });
        decide_access(&acme().build(), &command, &people("operator"), at(0))
            .map_err(|rejection| rejection.reason())
    }

    /// R-ACCESS-1.
    #[test]
    fn r_access_1_adding_lists_the_person_and_grants_the_support_privilege() {
        let events = add("erin", None).unwrap();
        let [AccessEvent::MemberListed(_), AccessEvent::AccessGranted(granted)] = &events[..] else {
            panic!("{events:?}");
        };
        assert!(granted.support_privilege);
        assert_eq!(granted.effective_at, at(0));
    }

    /// R-ACCESS-1.
    #[test]
    fn r_access_1_somebody_who_has_a_grant_is_not_added_again() {
        assert_eq!(add("alice", None), Err("ALREADY_GRANTED"));
    }

    /// R-ACCESS-1.
    #[test]
    fn r_access_1_an_address_outside_the_verified_domains_is_refused() {
        assert_eq!(add("peter", None), Err("INVALID_FIELD"));
    }

    /// R-ACCESS-3.
    #[test]
    fn r_access_3_access_begins_at_most_24_hours_ahead() {
        assert!(add("erin", Some(at(24 * 3600))).is_ok());
        assert_eq!(add("erin", Some(at(24 * 3600 + 1))), Err("INVALID_FIELD"));
        assert_eq!(add("erin", Some(at(-1))), Err("INVALID_FIELD"));
    }
}
