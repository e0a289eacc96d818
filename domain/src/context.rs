//! What a decision is made in: everything that is neither the aggregate's state nor the command.

use jiff::Timestamp;

use crate::access::Access;
use crate::authority::{ActingFor, Actor, Authority};
use crate::catalogue::Catalogue;
use crate::ids::{CommandId, OrganizationId};

/// The circumstances of one command.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The instant of the decision: the clock, or the stream's last event where the clock is behind it.
    pub now: Timestamp,
    /// The command's id; ids of what it creates are derived from it.
    pub command_id: CommandId,
    /// Who acts.
    pub actor: &'a Actor,
    /// What they may do for the organization.
    pub authority: &'a Authority,
    /// The organization that the actor says they act for; `None`: directly.
    pub acting_for: Option<ActingFor<'a>>,
    /// The organization; `None` for what belongs to none.
    pub organization: Option<&'a OrganizationId>,
    /// The organization's access state, as guarded by the append; empty without an organization.
    pub access: &'a Access,
    /// Revision of that state; `None` when the organization has no event.
    pub access_revision: Option<u64>,
    /// Products, plans and classifications.
    pub catalogue: &'a Catalogue,
}
