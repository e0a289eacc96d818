//! One request to do something: who asks, under which id, and on what condition.

use dossier_domain::{Actor, CommandId, OrganizationId, Side};

use crate::fold::Folded;

/// For whom somebody says they act (R-RES-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActsFor {
    /// The organization: a reseller, or the resource's own.
    pub organization: OrganizationId,
    /// A few customers of it that may have an eligible plan, as a read model names them. They are looked up in the log,
    /// and only where neither the reseller nor the resource's organization has one (R-RES-6).
    pub entitled_customers: Vec<OrganizationId>,
}

/// What surrounds a command.
#[derive(Clone, Debug)]
pub struct Request {
    /// The command's id. The same id with the same fingerprint is the same intention.
    pub command_id: CommandId,
    /// Keyed digest of the command's body: the same id with another fingerprint is refused.
    pub fingerprint: String,
    /// Who asks.
    pub actor: Actor,
    /// For whom they say they act; `None`: directly.
    pub acting_for: Option<ActsFor>,
    /// Ties together everything that one request sets in motion.
    pub correlation_id: String,
    /// The event that made the command, for what acts by itself.
    pub causation_id: Option<String>,
    /// Revisions, as the caller sees them, of which the resource must have one; `None`: unconditional.
    pub if_match: Option<Vec<u64>>,
}

impl Request {
    /// The same request as a step of it on another stream.
    pub(crate) fn step(&self, purpose: &str) -> Self {
        Self { command_id: self.command_id.step(purpose), if_match: None, ..self.clone() }
    }

    /// Whether the resource has one of the revisions that the caller demands, as its side sees them.
    pub(crate) fn precondition_holds<A>(&self, folded: &Folded<A>, side: Side) -> bool {
        let Some(wanted) = &self.if_match else { return true };
        let seen = match side {
            Side::Customer | Side::Reseller => folded.customer_revision,
            Side::Support => folded.revision,
        };
        seen.is_some_and(|revision| wanted.contains(&revision.0))
    }
}
