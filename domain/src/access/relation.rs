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
