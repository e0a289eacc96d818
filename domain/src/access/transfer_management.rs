//! Handing the management of an organization to a reseller, or making it direct (R-RES-3). It ends the reseller's access.

use crate::access::{Access, AccessEvent, AccessRejection, ManagementTransferred};
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
        if self.manager.is_some() && self.manager.as_ref() == context.organization {
            return Err(AccessRejection::invalid(
                "manager",
                "an organization does not manage itself; leave it empty for direct",
            ));
        }
        if access.manager() == self.manager.as_ref() {
            return Ok(Vec::new());
        }
        Ok(vec![ManagementTransferred { manager: self.manager.clone() }.into()])
    }

    /// Whether the organization named, with this access state, may manage others. Asked after [`super::decide`] has
    /// accepted, so that nobody else learns which organizations are resellers.
    ///
    /// # Errors
    /// [`AccessRejection::NotAReseller`].
    pub fn check_manager(&self, named: &Access) -> Result<(), AccessRejection> {
        match &self.manager {
            Some(organization) if !named.is_reseller() => {
                Err(AccessRejection::NotAReseller { organization: organization.clone() })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::AccessCommand;
    use crate::testing::{acme, at, decide_access, people, reseller};

    fn transfer(access: &Access, who: &str, to: Option<&str>) -> Result<usize, &'static str> {
        let manager = to.map(|name| OrganizationId::new(name).unwrap());
        let command = AccessCommand::TransferManagement(TransferManagement { manager });
        decide_access(access, &command, &people(who), at(0))
            .map(|events| events.len())
            .map_err(|refused| refused.reason())
    }

    /// R-RES-3.
    #[test]
    fn r_res_3_only_the_operator_transfers_and_to_the_same_manager_changes_nothing() {
        let managed = acme().managed_by("nimbus").build();
        assert_eq!(transfer(&managed, "operator", Some("stratus")), Ok(1));
        assert_eq!(transfer(&managed, "operator", None), Ok(1));
        assert_eq!(transfer(&managed, "operator", Some("nimbus")), Ok(0));
        assert_eq!(transfer(&acme().build(), "operator", None), Ok(0));
        assert_eq!(transfer(&managed, "operator", Some("acme")), Err("INVALID_FIELD"));
        assert_eq!(transfer(&managed, "alice", None), Err("NOT_FOR_YOU"));
        assert_eq!(transfer(&managed, "nina", Some("stratus")), Err("NOT_A_MEMBER"));
    }

    #[test]
    fn only_a_registered_reseller_manages_others() {
        let to = |manager: Option<&str>| TransferManagement {
            manager: manager.map(|name| OrganizationId::new(name).unwrap()),
        };
        assert_eq!(to(Some("nimbus")).check_manager(&reseller("nimbus").build()), Ok(()));
        for named in [acme().build(), Access::default()] {
            assert_eq!(to(Some("other")).check_manager(&named).unwrap_err().reason(), "NOT_A_RESELLER");
            assert_eq!(to(None).check_manager(&named), Ok(()));
        }
    }
}
