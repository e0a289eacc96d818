//! Giving somebody access: listed, with a role per product and the support privilege (R-ACCESS-1), from a recorded
//! instant on (R-ACCESS-3).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::list_member::list;
use crate::access::{Access, AccessEvent, AccessGranted, AccessRejection};
use crate::account::AccountStatus;
use crate::authority::{Role, Side};
use crate::catalogue::MAX_GRANT_DELAY_SECONDS;
use crate::context::Context;
use crate::ids::{AccountId, ProductId};
use crate::personal::{Contact, Personal};

/// Adds somebody.
#[derive(Clone, Debug)]
pub struct AddMember {
    /// The person.
    pub account: AccountId,
    /// Whether they have an account. Members add who has an active one; the operator adds an organization's first
    /// people before they ever signed in, too.
    pub account_status: AccountStatus,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
    /// Role on each product; at least one.
    pub roles: BTreeMap<ProductId, Role>,
    /// When the access begins, which only the operator may say; `None`: after the catalogue's delay.
    pub effective_at: Option<Timestamp>,
}

impl AddMember {
    pub(super) fn decide(
        &self,
        access: &Access,
        context: &Context<'_>,
    ) -> Result<Vec<AccessEvent>, AccessRejection> {
        let by_operator = context.authority.side() == Side::Support;
        // Asked first: whether somebody of another organization has an account is nobody's business here.
        let listed = list(access, self.account, &self.contact, context)?;
        match self.account_status {
            AccountStatus::Active => {}
            AccountStatus::Unknown if by_operator => {}
            AccountStatus::Unknown | AccountStatus::Deactivated => return Err(AccessRejection::NoAccount),
        }
        if access.members.get(&self.account).is_some_and(|member| member.grant.is_some()) {
            return Err(AccessRejection::AlreadyGranted);
        }
        if self.roles.is_empty() {
            return Err(AccessRejection::invalid("roles", "give a role on at least one product"));
        }
        for (product, role) in &self.roles {
            check_grantable(product, *role, context)?;
        }
        let granted = AccessGranted {
            account: self.account,
            roles: self.roles.clone(),
            support_privilege: true,
            effective_at: self.effective_at(by_operator, context)?,
        };
        Ok(listed.into_iter().chain([granted.into()]).collect())
    }

    fn effective_at(&self, by_operator: bool, context: &Context<'_>) -> Result<Timestamp, AccessRejection> {
        let after = |seconds: u32| {
            context.now.saturating_add(SignedDuration::from_secs(seconds.into())).unwrap_or(Timestamp::MAX)
        };
        match self.effective_at {
            None => Ok(after(context.catalogue.access.grant_delay_seconds)),
            Some(_) if !by_operator => {
                Err(AccessRejection::invalid("effectiveTime", "only the operator says when access begins"))
            }
            Some(at) if (context.now..=after(MAX_GRANT_DELAY_SECONDS)).contains(&at) => Ok(at),
            Some(_) => {
                Err(AccessRejection::invalid("effectiveTime", "must be from now on, at most 24 hours ahead"))
            }
        }
    }
}

/// Whether the actor may give a role on a product: nobody grants a role above their own (R-ACCESS-1).
fn check_grantable(product: &ProductId, role: Role, context: &Context<'_>) -> Result<(), AccessRejection> {
    if context.catalogue.product(product).is_none() {
        return Err(AccessRejection::invalid("roles", format!("{product} is not in the catalogue")));
    }
    let own = context.authority.role_on(product);
    if context.authority.side() == Side::Support || own.is_some_and(|own| role <= own) {
        return Ok(());
    }
    Err(AccessRejection::RoleAboveOwn { product: product.clone(), own })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::AccessCommand;
    use crate::testing::{acme, at, decide_access, decide_access_with, people};

    fn adding(whom: &str, product: &str, role: Role) -> AddMember {
        let person = people(whom);
        AddMember {
            account: person.account,
            account_status: AccountStatus::Active,
            contact: person.contact,
            roles: BTreeMap::from([(ProductId::new(product).unwrap(), role)]),
            effective_at: None,
        }
    }

    fn decided(who: &str, command: AddMember) -> Result<Vec<AccessEvent>, &'static str> {
        decide_access(&acme().build(), &AccessCommand::AddMember(command), &people(who), at(0))
            .map_err(|rejection| rejection.reason())
    }

    fn add(who: &str, whom: &str, role: Role) -> Result<Vec<AccessEvent>, &'static str> {
        decided(who, adding(whom, "compute", role))
    }

    /// R-ACCESS-1.
    #[test]
    fn r_access_1_adding_lists_the_person_and_grants_the_support_privilege() {
        let events = add("alice", "erin", Role::Editor).unwrap();
        let [AccessEvent::MemberListed(_), AccessEvent::AccessGranted(granted)] = &events[..] else {
            panic!("{events:?}");
        };
        assert!(granted.support_privilege);
        assert_eq!(granted.effective_at, at(0));
    }

    /// R-ACCESS-1.
    #[test]
    fn r_access_1_any_user_with_access_adds_others_and_nobody_grants_a_role_above_their_own() {
        let highest = |who| {
            [Role::Viewer, Role::Editor, Role::Owner]
                .map(|role| add(who, "erin", role).err().unwrap_or("yes"))
        };
        assert_eq!(highest("operator"), ["yes"; 3]);
        assert_eq!(highest("alice"), ["yes"; 3]);
        assert_eq!(highest("bob"), ["yes", "yes", "ROLE_ABOVE_OWN"]);
        assert_eq!(highest("carol"), ["yes", "ROLE_ABOVE_OWN", "ROLE_ABOVE_OWN"]);
        assert_eq!(highest("dave"), ["NO_SUPPORT_PRIVILEGE"; 3]);
        assert_eq!(highest("peter"), ["NOT_A_MEMBER"; 3]);
        assert_eq!(highest("agent-north"), ["NOT_FOR_YOU"; 3]);
        assert_eq!(decided("alice", adding("erin", "identity", Role::Viewer)), Err("ROLE_ABOVE_OWN"));
    }

    /// R-ACCESS-1.
    #[test]
    fn r_access_1_somebody_who_has_a_grant_is_not_added_again_and_who_is_listed_is_not_listed_again() {
        assert_eq!(add("alice", "bob", Role::Viewer), Err("ALREADY_GRANTED"));
        assert_eq!(add("alice", "dave", Role::Viewer).unwrap().len(), 1);
    }

    /// R-ACCESS-1.
    #[test]
    fn r_access_1_an_address_outside_the_verified_domains_is_refused() {
        assert_eq!(add("operator", "peter", Role::Viewer), Err("INVALID_FIELD"));
    }

    /// R-ACCESS-1.
    #[test]
    fn r_access_1_only_somebody_with_an_active_account_is_added_and_by_the_operator_also_before_the_first_sign_in()
     {
        let with = |who, account_status| {
            decided(who, AddMember { account_status, ..adding("erin", "compute", Role::Viewer) }).err()
        };
        assert_eq!(with("alice", AccountStatus::Unknown), Some("NO_ACCOUNT"));
        assert_eq!(with("alice", AccountStatus::Deactivated), Some("NO_ACCOUNT"));
        assert_eq!(with("operator", AccountStatus::Unknown), None);
        assert_eq!(with("operator", AccountStatus::Deactivated), Some("NO_ACCOUNT"));
    }

    /// R-ACCESS-1.
    #[test]
    fn r_access_1_outside_the_verified_domains_nobody_learns_who_has_an_account() {
        for account_status in [AccountStatus::Active, AccountStatus::Unknown, AccountStatus::Deactivated] {
            let peter = AddMember { account_status, ..adding("peter", "compute", Role::Viewer) };
            assert_eq!(decided("alice", peter), Err("INVALID_FIELD"), "{account_status:?}");
        }
    }

    #[test]
    fn roles_must_be_given_on_products_of_the_catalogue() {
        assert_eq!(decided("operator", adding("erin", "toaster", Role::Viewer)), Err("INVALID_FIELD"));
        let none = AddMember { roles: BTreeMap::new(), ..adding("erin", "compute", Role::Viewer) };
        assert_eq!(decided("operator", none), Err("INVALID_FIELD"));
    }

    /// R-ACCESS-3.
    #[test]
    fn r_access_3_access_begins_at_most_24_hours_ahead_and_only_the_operator_says_when() {
        let from = |who, second| {
            let command =
                AddMember { effective_at: Some(at(second)), ..adding("erin", "compute", Role::Viewer) };
            decided(who, command).err()
        };
        assert_eq!(from("operator", 0), None);
        assert_eq!(from("operator", 24 * 3600), None);
        assert_eq!(from("operator", 24 * 3600 + 1), Some("INVALID_FIELD"));
        assert_eq!(from("operator", -1), Some("INVALID_FIELD"));
        assert_eq!(from("alice", 0), Some("INVALID_FIELD"));
    }

    /// R-ACCESS-3.
    #[test]
    fn r_access_3_access_begins_after_the_delay_that_the_catalogue_configures() {
        let command = AccessCommand::AddMember(adding("erin", "compute", Role::Viewer));
        let events = decide_access_with(&acme().build(), &command, &people("alice"), at(0), |catalogue| {
            catalogue.access.grant_delay_seconds = 3_600;
        })
        .unwrap();
        assert!(
            matches!(&events[1], AccessEvent::AccessGranted(granted) if granted.effective_at == at(3_600))
        );
    }
}
