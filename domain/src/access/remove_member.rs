//! Removing a member, at once: by owners of every product on which they have a role (R-ACCESS-2). To take one product
//! away, change the member instead.

use super::change_member::{check_last_owner, check_other, check_owns_all};
use crate::access::{Access, AccessEvent, AccessRejection, MemberRemoved};
use crate::context::Context;
use crate::ids::AccountId;

/// Removes a member.
#[derive(Clone, Debug)]
pub struct RemoveMember {
    /// The member.
    pub account: AccountId,
}

impl RemoveMember {
    pub(super) fn decide(
        &self,
        access: &Access,
        context: &Context<'_>,
    ) -> Result<Vec<AccessEvent>, AccessRejection> {
        let member = access.members.get(&self.account).ok_or(AccessRejection::NoSuchMember)?;
        check_other(self.account, context)?;
        if let Some(grant) = &member.grant {
            check_owns_all(grant, context)?;
            check_last_owner(access, self.account, grant, |_| false, context)?;
        }
        Ok(vec![MemberRemoved { account: self.account }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::access::AccessCommand;
    use crate::authority::{AccessRefusal, Action, Authority, Role, VisibilityScope};
    use crate::testing::{acme, acme_id, at, decide_access, people};

    fn remove_in(access: &Access, who: &str, whom: &str) -> Result<Access, &'static str> {
        let command = AccessCommand::RemoveMember(RemoveMember { account: people(whom).account });
        let events =
            decide_access(access, &command, &people(who), at(0)).map_err(|rejection| rejection.reason())?;
        let mut after = access.clone();
        for event in &events {
            after.evolve(event, at(0));
        }
        Ok(after)
    }

    fn remove(who: &str, whom: &str) -> Result<Access, &'static str> {
        remove_in(&acme().build(), who, whom)
    }

    /// R-ACCESS-2.
    #[test]
    fn r_access_2_an_owner_removes_another_user_who_is_out_at_once() {
        let after = remove("alice", "bob").unwrap();
        let bob = Authority::of(&people("bob"), &acme_id(), &after, at(0));
        assert_eq!(bob.open_to(Action::ReadCases), Err(AccessRefusal::NotAMember));
        assert_eq!(bob.visibility(), VisibilityScope::Nothing);
        assert!(remove("alice", "dave").is_ok(), "who is only listed, too");
        assert!(remove("operator", "bob").is_ok());
    }

    /// R-ACCESS-2.
    #[test]
    fn r_access_2_only_an_owner_of_all_products_of_the_user_removes_them_and_nobody_themselves() {
        for (who, reason) in
            [("bob", "ROLE_TOO_LOW"), ("peter", "NOT_A_MEMBER"), ("agent-north", "NOT_FOR_YOU")]
        {
            assert_eq!(remove(who, "carol").err(), Some(reason), "{who}");
        }
        assert_eq!(remove("alice", "alice").err(), Some("OWN_ACCESS"));
        let owner_of_storage = acme().granted("erin", &[("storage", Role::Owner)]).build();
        assert_eq!(remove_in(&owner_of_storage, "erin", "carol").err(), Some("ROLE_TOO_LOW"));
        assert_eq!(remove("alice", "erin").err(), Some("NO_SUCH_MEMBER"));
    }

    /// R-ACCESS-2.
    #[test]
    fn r_access_2_the_last_effective_owner_is_not_removed_by_the_operator_either() {
        assert_eq!(remove("operator", "alice").err(), Some("LAST_OWNER"));
        let both = [("compute", Role::Owner), ("storage", Role::Owner)];
        assert!(remove_in(&acme().granted("erin", &both).build(), "erin", "alice").is_ok());
        let one = [("compute", Role::Owner)];
        assert_eq!(
            remove_in(&acme().granted("erin", &one).build(), "operator", "alice").err(),
            Some("LAST_OWNER")
        );
    }
}
