//! Who asks: an actor with the state of their account, and for whom they say they act.

use jiff::Timestamp;

use super::Actor;
use crate::access::Access;
use crate::account::AccountStatus;
use crate::catalogue::Catalogue;
use crate::ids::OrganizationId;

/// Whether a reseller may use the centre at all for its customers (R-RES-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CentreAccess {
    /// It or a customer that it manages has an eligible plan.
    Open,
    /// None has.
    Closed,
}

impl CentreAccess {
    /// Whether the centre is open to a reseller, from its own access and that of customers; those that it does not
    /// manage do not count. One that opens it is enough: nobody need load them all.
    pub fn of<'a>(
        reseller: &OrganizationId,
        own: &Access,
        customers: impl IntoIterator<Item = &'a Access>,
        catalogue: &Catalogue,
        now: Timestamp,
    ) -> Self {
        let open = own.has_eligible_plan(catalogue, now)
            || customers.into_iter().any(|customer| {
                customer.manager() == Some(reseller) && customer.has_eligible_plan(catalogue, now)
            });
        if open { Self::Open } else { Self::Closed }
    }
}

/// The organization that somebody says they act for (R-RES-1).
#[derive(Clone, Copy, Debug)]
pub struct ActingFor<'a> {
    /// The organization.
    pub organization: &'a OrganizationId,
    /// Its access state.
    pub access: &'a Access,
    /// Whether it may use the centre for customers.
    pub centre: CentreAccess,
}

/// Who asks: an actor, the state of their account, and for which organization they act.
#[derive(Clone, Copy, Debug)]
pub struct Principal<'a> {
    /// The actor.
    pub actor: &'a Actor,
    /// The state of their account.
    pub account: AccountStatus,
    /// The organization that they say they act for; `None`: directly.
    pub acting_for: Option<ActingFor<'a>>,
}

impl<'a> Principal<'a> {
    /// Somebody with an active account who acts directly.
    pub fn direct(actor: &'a Actor) -> Self {
        Self { actor, account: AccountStatus::Active, acting_for: None }
    }
}
