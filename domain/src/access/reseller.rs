//! Who manages an organization, and whether that reseller may see its cases (R-RES-2, R-RES-3).

use crate::access::{
    Access, AccessEvent, AccessRejection, ManagementTransferred, ResellerAccessAllowed,
    ResellerAccessWithdrawn,
};
use crate::context::Context;
use crate::ids::OrganizationId;

/// Hands the management to a reseller, or makes the organization direct.
#[derive(Clone, Debug)]
pub struct TransferManagement {
    /// The reseller; `None`: direct.
    pub manager: Option<OrganizationId>,
}

impl TransferManagement {
    pub(super) fn decide(
        &self,
        access: &Access,
        context: &Context<'_>,
    ) -> Result<Vec<AccessEvent>, AccessRejection> {
        if access.registration.is_none() {
            return Err(AccessRejection::NotRegistered);
        }
        if self.manager.is_some() && self.manager.as_ref() == context.organization {
            return Err(AccessRejection::Invalid {
                field: "manager",
                why: "an organization does not manage itself; leave it empty for direct".to_owned(),
            });
        }
        if access.manager() == self.manager.as_ref() {
            return Ok(Vec::new());
        }
        Ok(vec![ManagementTransferred { manager: self.manager.clone() }.into()])
    }
}

/// Lets the managing reseller see cases.
#[derive(Clone, Debug)]
pub struct AllowResellerAccess {
    /// The reseller.
    pub reseller: OrganizationId,
}

impl AllowResellerAccess {
    pub(super) fn decide(&self, access: &Access) -> Result<Vec<AccessEvent>, AccessRejection> {
        if access.manager() != Some(&self.reseller) {
            return Err(AccessRejection::NotTheManager { reseller: self.reseller.clone() });
        }
        if access.reseller_access.as_ref() == Some(&self.reseller) {
            return Ok(Vec::new());
        }
        Ok(vec![ResellerAccessAllowed { reseller: self.reseller.clone() }.into()])
    }
}

/// Stops a reseller from seeing cases.
#[derive(Clone, Debug)]
pub struct WithdrawResellerAccess {
    /// The reseller.
    pub reseller: OrganizationId,
}

impl WithdrawResellerAccess {
    pub(super) fn decide(&self, access: &Access) -> Vec<AccessEvent> {
        if access.reseller_access.as_ref() != Some(&self.reseller) {
            return Vec::new();
        }
        vec![ResellerAccessWithdrawn { reseller: self.reseller.clone() }.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::access::AccessCommand;
    use crate::testing::{acme, at, decide_access, people};

    fn run(access: &mut Access, command: &AccessCommand) -> Result<usize, &'static str> {
        let events = decide_access(access, command, &people("operator"), at(0))
            .map_err(|rejection| rejection.reason())?;
        for event in &events {
            access.evolve(event, at(0));
        }
        Ok(events.len())
    }

    /// R-RES-3.
    #[test]
    fn r_res_3_a_transfer_ends_the_grant_to_the_previous_reseller() {
        let mut access = acme().build();
        let [nimbus, stratus] = ["nimbus", "stratus"].map(|name| OrganizationId::new(name).unwrap());
        let transfer = |to: &OrganizationId| {
            AccessCommand::TransferManagement(TransferManagement { manager: Some(to.clone()) })
        };
        let allow = |whom: &OrganizationId| {
            AccessCommand::AllowResellerAccess(AllowResellerAccess { reseller: whom.clone() })
        };
        assert_eq!(run(&mut access, &allow(&nimbus)), Err("NOT_THE_MANAGER"));
        assert_eq!(run(&mut access, &transfer(&nimbus)), Ok(1));
        assert_eq!(run(&mut access, &allow(&nimbus)), Ok(1));
        assert_eq!(run(&mut access, &allow(&nimbus)), Ok(0));
        assert_eq!(run(&mut access, &transfer(&stratus)), Ok(1));
        assert_eq!(access.reseller_access, None);
        assert_eq!(access.manager(), Some(&stratus));
        assert_eq!(access.management.len(), 2);
    }

    /// R-RES-2.
    #[test]
    fn r_res_2_withdrawing_twice_changes_nothing() {
        let mut access = acme().build();
        let nimbus = OrganizationId::new("nimbus").unwrap();
        let withdraw =
            AccessCommand::WithdrawResellerAccess(WithdrawResellerAccess { reseller: nimbus.clone() });
        run(
            &mut access,
            &AccessCommand::TransferManagement(TransferManagement { manager: Some(nimbus.clone()) }),
        )
        .unwrap();
        run(&mut access, &AccessCommand::AllowResellerAccess(AllowResellerAccess { reseller: nimbus }))
            .unwrap();
        assert_eq!(run(&mut access, &withdraw), Ok(1));
        assert_eq!(run(&mut access, &withdraw), Ok(0));
    }
}
