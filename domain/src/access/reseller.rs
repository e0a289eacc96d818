//! Whether the managing reseller may see cases (R-RES-2): granted by an owner of the customer in the centre or by the
//! operator in account management. Either suffices; a withdrawal in the centre ends both.

use crate::access::{
    Access, AccessEvent, AccessRejection, GrantChannel, ResellerAccessAllowed, ResellerAccessWithdrawn,
};
use crate::authority::Side;
use crate::context::Context;
use crate::ids::OrganizationId;

/// Lets the managing reseller see cases.
#[derive(Clone, Debug)]
pub struct AllowResellerAccess {
    /// The reseller.
    pub reseller: OrganizationId,
}

impl AllowResellerAccess {
    pub(super) fn decide(
        &self,
        access: &Access,
        context: &Context<'_>,
    ) -> Result<Vec<AccessEvent>, AccessRejection> {
        if access.manager() != Some(&self.reseller) {
            return Err(AccessRejection::NotTheManager { reseller: self.reseller.clone() });
        }
        let channel = channel(context);
        let given = match channel {
            GrantChannel::Centre => access.relation.allowed_in_centre,
            GrantChannel::AccountManagement => access.relation.allowed_in_account_management,
        };
        if given {
            return Ok(Vec::new());
        }
        Ok(vec![ResellerAccessAllowed { reseller: self.reseller.clone(), channel }.into()])
    }
}

/// Stops a reseller from seeing cases.
#[derive(Clone, Debug)]
pub struct WithdrawResellerAccess {
    /// The reseller.
    pub reseller: OrganizationId,
}

impl WithdrawResellerAccess {
    /// Withdrawing what is not given changes nothing.
    pub(super) fn decide(&self, access: &Access, context: &Context<'_>) -> Vec<AccessEvent> {
        let channel = channel(context);
        let ends = access.manager() == Some(&self.reseller)
            && match channel {
                GrantChannel::Centre => access.allowed_reseller().is_some(),
                GrantChannel::AccountManagement => access.relation.allowed_in_account_management,
            };
        if !ends {
            return Vec::new();
        }
        vec![ResellerAccessWithdrawn { reseller: self.reseller.clone(), channel }.into()]
    }
}

/// Where the actor stands: the operator works in account management.
fn channel(context: &Context<'_>) -> GrantChannel {
    match context.authority.side() {
        Side::Support => GrantChannel::AccountManagement,
        Side::Customer | Side::Reseller => GrantChannel::Centre,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::access::{AccessCommand, TransferManagement};
    use crate::testing::{acme, at, decide_access, people};

    fn run(access: &mut Access, who: &str, command: &AccessCommand) -> Result<usize, &'static str> {
        let events =
            decide_access(access, command, &people(who), at(0)).map_err(|rejection| rejection.reason())?;
        for event in &events {
            access.evolve(event, at(0));
        }
        Ok(events.len())
    }

    fn organization(name: &str) -> OrganizationId {
        OrganizationId::new(name).unwrap()
    }

    fn allow(name: &str) -> AccessCommand {
        AccessCommand::AllowResellerAccess(AllowResellerAccess { reseller: organization(name) })
    }

    fn withdraw(name: &str) -> AccessCommand {
        AccessCommand::WithdrawResellerAccess(WithdrawResellerAccess { reseller: organization(name) })
    }

    fn transfer(name: &str) -> AccessCommand {
        AccessCommand::TransferManagement(TransferManagement { manager: Some(organization(name)) })
    }

    /// R-RES-3.
    #[test]
    fn r_res_3_a_transfer_ends_the_grant_to_the_previous_reseller() {
        let mut access = acme().build();
        assert_eq!(run(&mut access, "operator", &allow("nimbus")), Err("NOT_THE_MANAGER"));
        assert_eq!(run(&mut access, "operator", &transfer("nimbus")), Ok(1));
        assert_eq!(run(&mut access, "operator", &allow("nimbus")), Ok(1));
        assert_eq!(run(&mut access, "operator", &allow("nimbus")), Ok(0));
        assert_eq!(run(&mut access, "alice", &allow("nimbus")), Ok(1));
        assert_eq!(access.allowed_reseller(), Some(&organization("nimbus")));
        assert_eq!(run(&mut access, "operator", &transfer("stratus")), Ok(1));
        assert_eq!(access.allowed_reseller(), None);
        assert_eq!(access.manager(), Some(&organization("stratus")));
        assert_eq!(access.management.len(), 2);
        assert_eq!(run(&mut access, "operator", &transfer("nimbus")), Ok(1));
        assert_eq!(access.allowed_reseller(), None, "coming back brings no old grant back");
    }

    /// R-RES-2.
    #[test]
    fn r_res_2_either_grant_suffices_and_a_withdrawal_in_the_centre_ends_both() {
        let allowed_after = |steps: &[(&str, AccessCommand)]| {
            let mut access = acme().managed_by("nimbus").build();
            for (who, command) in steps {
                run(&mut access, who, command).unwrap();
            }
            access.allowed_reseller().is_some()
        };
        let (centre, account) = ("alice", "operator");
        assert!(!allowed_after(&[]));
        assert!(allowed_after(&[(centre, allow("nimbus"))]));
        assert!(allowed_after(&[(account, allow("nimbus"))]));
        let both = [(centre, allow("nimbus")), (account, allow("nimbus"))];
        assert!(allowed_after(&[&both[..], &[(account, withdraw("nimbus"))]].concat()));
        assert!(!allowed_after(&[&both[..], &[(centre, withdraw("nimbus"))]].concat()));
        assert!(!allowed_after(&[(account, allow("nimbus")), (centre, withdraw("nimbus"))]));
        assert!(!allowed_after(&[(account, allow("nimbus")), (account, withdraw("nimbus"))]));
        assert!(allowed_after(&[(centre, allow("nimbus")), (account, withdraw("nimbus"))]));
    }

    /// R-RES-2.
    #[test]
    fn r_res_2_withdrawing_twice_or_from_somebody_else_changes_nothing() {
        let mut access = acme().managed_by("nimbus").build();
        run(&mut access, "alice", &allow("nimbus")).unwrap();
        assert_eq!(run(&mut access, "alice", &withdraw("stratus")), Ok(0));
        assert_eq!(run(&mut access, "alice", &withdraw("nimbus")), Ok(1));
        assert_eq!(run(&mut access, "alice", &withdraw("nimbus")), Ok(0));
    }

    /// R-RES-2.
    #[test]
    fn r_res_2_only_owners_of_the_customer_and_the_operator_let_a_reseller_in() {
        for (who, reason) in [
            ("bob", "ROLE_TOO_LOW"),
            ("dave", "NO_SUPPORT_PRIVILEGE"),
            ("nina", "NOT_A_MEMBER"),
            ("agent-north", "NOT_FOR_YOU"),
        ] {
            let mut access = acme().managed_by("nimbus").build();
            assert_eq!(run(&mut access, who, &allow("nimbus")), Err(reason), "{who}");
            assert_eq!(run(&mut access, who, &withdraw("nimbus")), Err(reason), "{who}");
        }
    }
}
