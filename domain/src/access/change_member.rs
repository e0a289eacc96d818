//! Changing what a member may do, at once: by owners of the products (R-ACCESS-2).

use std::collections::BTreeMap;

use crate::access::{Access, AccessEvent, AccessRejection, Grant, MemberAccessChanged};
use crate::authority::{Action, Role, Side};
use crate::context::Context;
use crate::ids::{AccountId, ProductId};

/// Changes a member's roles; products that are not named stay.
#[derive(Clone, Debug)]
pub struct ChangeMember {
    /// The member.
    pub account: AccountId,
    /// The new role on each product to change; `None` takes it away.
    pub roles: BTreeMap<ProductId, Option<Role>>,
    /// Whether the support privilege is included; `None`: as it is.
    pub support_privilege: Option<bool>,
}

impl ChangeMember {
    pub(super) fn decide(
        &self,
        access: &Access,
        context: &Context<'_>,
    ) -> Result<Vec<AccessEvent>, AccessRejection> {
        let grant = access
            .members
            .get(&self.account)
            .and_then(|member| member.grant.as_ref())
            .ok_or(AccessRejection::NoSuchMember)?;
        check_other(self.account, context)?;
        let mut roles = grant.roles.clone();
        for (product, role) in &self.roles {
            if grant.roles.get(product) == role.as_ref() {
                continue;
            }
            if context.catalogue.product(product).is_none() && role.is_some() {
                return Err(AccessRejection::invalid("roles", format!("{product} is not in the catalogue")));
            }
            context.authority.require(Action::ManageMembers, product)?;
            match role {
                Some(role) => roles.insert(product.clone(), *role),
                None => roles.remove(product),
            };
        }
        if roles.is_empty() {
            return Err(AccessRejection::invalid(
                "roles",
                "leave a role on at least one product, or remove the member",
            ));
        }
        let support_privilege = self.support_privilege.unwrap_or(grant.support_privilege);
        if support_privilege != grant.support_privilege {
            check_owns_all(grant, context)?;
        }
        if roles == grant.roles && support_privilege == grant.support_privilege {
            return Ok(Vec::new());
        }
        let stays_owner = |product: &ProductId| support_privilege && roles.get(product) == Some(&Role::Owner);
        check_last_owner(access, self.account, grant, stays_owner, context)?;
        Ok(vec![MemberAccessChanged { account: self.account, roles, support_privilege }.into()])
    }
}

/// Owners change and remove *other* users: nobody raises or loses their own access by themselves (R-ACCESS-2).
pub(super) fn check_other(account: AccountId, context: &Context<'_>) -> Result<(), AccessRejection> {
    if context.authority.side() != Side::Support && account == context.actor.account {
        return Err(AccessRejection::OwnAccess);
    }
    Ok(())
}

/// Whether the actor is an owner of every product of a grant.
pub(super) fn check_owns_all(grant: &Grant, context: &Context<'_>) -> Result<(), AccessRejection> {
    for product in grant.roles.keys() {
        context.authority.require(Action::ManageMembers, product)?;
    }
    Ok(())
}

/// Whether every product keeps an effective owner when a member's grant ends, except where they stay one.
pub(super) fn check_last_owner(
    access: &Access,
    account: AccountId,
    grant: &Grant,
    stays_owner: impl Fn(&ProductId) -> bool,
    context: &Context<'_>,
) -> Result<(), AccessRejection> {
    let bereft = grant.roles.keys().find(|product| {
        !stays_owner(product) && access.is_last_effective_owner(account, product, context.now)
    });
    match bereft {
        Some(product) => Err(AccessRejection::LastOwner { product: product.clone() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::access::AccessCommand;
    use crate::testing::{acme, at, decide_access, people};

    fn changing(whom: &str, roles: &[(&str, Option<Role>)]) -> ChangeMember {
        let roles = roles.iter().map(|(product, role)| (ProductId::new(product).unwrap(), *role));
        ChangeMember { account: people(whom).account, roles: roles.collect(), support_privilege: None }
    }

    fn change_in(access: &Access, who: &str, command: ChangeMember) -> Result<Access, &'static str> {
        let command = AccessCommand::ChangeMember(command);
        let events =
            decide_access(access, &command, &people(who), at(0)).map_err(|rejection| rejection.reason())?;
        let mut after = access.clone();
        for event in &events {
            after.evolve(event, at(0));
        }
        Ok(after)
    }

    fn change(who: &str, whom: &str, roles: &[(&str, Option<Role>)]) -> Result<Access, &'static str> {
        change_in(&acme().build(), who, changing(whom, roles))
    }

    fn role(access: &Access, whom: &str, product: &str) -> Option<Role> {
        let grant = access.members[&people(whom).account].grant.as_ref().unwrap();
        grant.roles.get(&ProductId::new(product).unwrap()).copied()
    }

    /// R-ACCESS-2.
    #[test]
    fn r_access_2_owners_change_the_roles_of_other_users_and_what_is_not_named_stays() {
        let after = change("alice", "bob", &[("compute", Some(Role::Owner))]).unwrap();
        assert_eq!(
            (role(&after, "bob", "compute"), role(&after, "bob", "storage")),
            (Some(Role::Owner), Some(Role::Editor))
        );
        let after = change("alice", "bob", &[("compute", None)]).unwrap();
        assert_eq!(
            (role(&after, "bob", "compute"), role(&after, "bob", "storage")),
            (None, Some(Role::Editor))
        );
        assert!(change("operator", "bob", &[("compute", Some(Role::Viewer))]).is_ok());
    }

    /// R-ACCESS-2.
    #[test]
    fn r_access_2_nobody_but_an_owner_of_the_product_changes_a_role_and_never_their_own() {
        let demote = [("compute", Some(Role::Viewer))];
        for (who, reason) in [
            ("bob", "ROLE_TOO_LOW"),
            ("carol", "ROLE_TOO_LOW"),
            ("dave", "NO_SUPPORT_PRIVILEGE"),
            ("peter", "NOT_A_MEMBER"),
            ("agent-north", "NOT_FOR_YOU"),
        ] {
            assert_eq!(change(who, "bob", &demote).err(), Some(reason), "{who}");
        }
        assert_eq!(change("alice", "alice", &demote).err(), Some("OWN_ACCESS"));
        let owner_of_storage = acme().granted("erin", &[("storage", Role::Owner)]).build();
        assert_eq!(
            change_in(&owner_of_storage, "erin", changing("bob", &demote)).err(),
            Some("ROLE_TOO_LOW")
        );
        assert!(change_in(&owner_of_storage, "erin", changing("bob", &[("storage", None)])).is_ok());
    }

    /// R-ACCESS-2.
    #[test]
    fn r_access_2_the_last_effective_owner_of_a_product_is_not_demoted_and_a_pending_one_does_not_count() {
        let demote = || changing("alice", &[("compute", Some(Role::Editor))]);
        let alone = acme().build();
        assert_eq!(change_in(&alone, "operator", demote()).err(), Some("LAST_OWNER"));
        let with_pending = acme().pending_as("erin", Role::Owner, at(1)).build();
        assert_eq!(change_in(&with_pending, "operator", demote()).err(), Some("LAST_OWNER"));
        let with_another = acme().granted("erin", &[("compute", Role::Owner)]).build();
        assert!(change_in(&with_another, "operator", demote()).is_ok());
        assert!(change_in(&with_another, "erin", demote()).is_ok());
    }

    /// R-ACCESS-2, R-ACCESS-7.
    #[test]
    fn r_access_2_an_owner_without_the_support_privilege_is_no_effective_one() {
        let both = [("compute", Role::Owner), ("storage", Role::Owner)];
        let privilege = |whom, given| ChangeMember { support_privilege: Some(given), ..changing(whom, &[]) };
        let two = acme().granted("erin", &both).build();
        let without = change_in(&two, "operator", privilege("erin", false)).unwrap();
        assert_eq!(change_in(&without, "operator", privilege("alice", false)).err(), Some("LAST_OWNER"));
        assert!(change_in(&two, "operator", privilege("alice", false)).is_ok());
    }

    /// R-ACCESS-7.
    #[test]
    fn r_access_7_owners_of_all_products_of_a_member_take_the_support_privilege_away_and_give_it_back() {
        let privilege = |whom, given| ChangeMember { support_privilege: Some(given), ..changing(whom, &[]) };
        let without = change_in(&acme().build(), "alice", privilege("bob", false)).unwrap();
        assert!(!without.members[&people("bob").account].grant.as_ref().unwrap().support_privilege);
        assert_eq!(change_in(&without, "alice", privilege("bob", true)).unwrap(), acme().build());
        let owner_of_storage = acme().granted("erin", &[("storage", Role::Owner)]).build();
        assert_eq!(change_in(&owner_of_storage, "erin", privilege("bob", false)).err(), Some("ROLE_TOO_LOW"));
        assert_eq!(
            change_in(&acme().build(), "operator", privilege("alice", false)).err(),
            Some("LAST_OWNER")
        );
    }

    #[test]
    fn what_changes_nothing_is_no_event_and_what_leaves_nothing_is_refused() {
        assert_eq!(change("alice", "bob", &[("compute", Some(Role::Editor))]).unwrap(), acme().build());
        assert_eq!(
            change("alice", "bob", &[("compute", None), ("storage", None)]).err(),
            Some("INVALID_FIELD")
        );
        assert_eq!(
            change("operator", "bob", &[("toaster", Some(Role::Viewer))]).err(),
            Some("INVALID_FIELD")
        );
        assert_eq!(change("alice", "dave", &[("compute", Some(Role::Viewer))]).err(), Some("NO_SUCH_MEMBER"));
        assert_eq!(change("alice", "erin", &[("compute", Some(Role::Viewer))]).err(), Some("NO_SUCH_MEMBER"));
    }
}
