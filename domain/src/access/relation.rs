//! How a customer and resellers stand to each other: the one fact about them that every read needs.

use serde::{Deserialize, Serialize};

use crate::access::events::{AccessEvent, GrantChannel};
use crate::ids::OrganizationId;

/// What reads must know of a customer and resellers: who manages it, and whether they are let in (R-RES-2, R-RES-3).
/// A projector folds it from the same events, and keeps the intervals in which [`Self::allowed`] was somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResellerRelation {
    /// The managing reseller; `None`: direct.
    pub manager: Option<OrganizationId>,
    /// Let in by an owner of the customer, in the centre.
    pub allowed_in_centre: bool,
    /// Let in by the operator, in account management.
    pub allowed_in_account_management: bool,
}

impl ResellerRelation {
    /// The reseller that is let in: it manages the customer, and either grant suffices.
    pub fn allowed(&self) -> Option<&OrganizationId> {
        self.manager.as_ref().filter(|_| self.allowed_in_centre || self.allowed_in_account_management)
    }

    /// The relation after an event; whether the event was about it.
    pub fn evolve(&mut self, event: &AccessEvent) -> bool {
        match event {
            // A transfer ends the grant.
            AccessEvent::ManagementTransferred(event) => {
                *self = Self { manager: event.manager.clone(), ..Self::default() };
            }
            AccessEvent::ResellerAccessAllowed(event) if self.manager.as_ref() == Some(&event.reseller) => {
                match event.channel {
                    GrantChannel::Centre => self.allowed_in_centre = true,
                    GrantChannel::AccountManagement => self.allowed_in_account_management = true,
                }
            }
            AccessEvent::ResellerAccessWithdrawn(event) if self.manager.as_ref() == Some(&event.reseller) => {
                self.allowed_in_account_management = false;
                if event.channel == GrantChannel::Centre {
                    self.allowed_in_centre = false;
                }
            }
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{ManagementTransferred, ResellerAccessAllowed, ResellerAccessWithdrawn};

    fn id(name: &str) -> OrganizationId {
        OrganizationId::new(name).unwrap()
    }

    fn allowed(name: &str, channel: GrantChannel) -> AccessEvent {
        ResellerAccessAllowed { reseller: id(name), channel }.into()
    }

    fn withdrawn(name: &str, channel: GrantChannel) -> AccessEvent {
        ResellerAccessWithdrawn { reseller: id(name), channel }.into()
    }

    fn managed_by_nimbus() -> ResellerRelation {
        let mut relation = ResellerRelation::default();
        relation.evolve(&ManagementTransferred { manager: Some(id("nimbus")) }.into());
        relation
    }

    /// R-RES-2.
    #[test]
    fn r_res_2_what_is_said_of_another_reseller_than_the_manager_changes_nothing() {
        for channel in [GrantChannel::Centre, GrantChannel::AccountManagement] {
            let mut relation = managed_by_nimbus();
            assert!(!relation.evolve(&allowed("stratus", channel)));
            assert_eq!(relation, managed_by_nimbus());
            assert!(relation.evolve(&allowed("nimbus", channel)));
            assert!(!relation.evolve(&withdrawn("stratus", channel)));
            assert_eq!(relation.allowed(), Some(&id("nimbus")));
            assert!(relation.evolve(&withdrawn("nimbus", channel)));
            assert_eq!(relation, managed_by_nimbus());
        }
    }

    /// R-RES-2.
    #[test]
    fn r_res_2_each_channel_lets_in_and_the_centre_ends_both() {
        let (centre, account) = (GrantChannel::Centre, GrantChannel::AccountManagement);
        let after = |events: &[AccessEvent]| {
            let mut relation = managed_by_nimbus();
            for event in events {
                relation.evolve(event);
            }
            (relation.allowed_in_centre, relation.allowed_in_account_management)
        };
        let both = [allowed("nimbus", centre), allowed("nimbus", account)];
        assert_eq!(after(&both[..1]), (true, false));
        assert_eq!(after(&both[1..]), (false, true));
        assert_eq!(after(&[&both[..], &[withdrawn("nimbus", account)]].concat()), (true, false));
        assert_eq!(after(&[&both[..], &[withdrawn("nimbus", centre)]].concat()), (false, false));
    }

    /// R-RES-3.
    #[test]
    fn r_res_3_a_transfer_ends_both_grants_even_to_the_same_reseller() {
        let mut relation = managed_by_nimbus();
        relation.evolve(&allowed("nimbus", GrantChannel::Centre));
        relation.evolve(&allowed("nimbus", GrantChannel::AccountManagement));
        assert!(relation.evolve(&ManagementTransferred { manager: Some(id("nimbus")) }.into()));
        assert_eq!((relation.clone(), relation.allowed()), (managed_by_nimbus(), None));
        relation.evolve(&ManagementTransferred { manager: None }.into());
        assert_eq!(relation, ResellerRelation::default());
    }
}
