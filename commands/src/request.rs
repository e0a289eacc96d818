//! One request to do something: who asks, under which id, and on what condition.

use dossier_domain::{Actor, CommandId};

/// What surrounds a command.
#[derive(Clone, Debug)]
pub struct Request {
    /// The command's id. The same id with the same fingerprint is the same intention.
    pub command_id: CommandId,
    /// Keyed digest of the command's body: the same id with another fingerprint is refused.
    pub fingerprint: String,
    /// Who asks.
    pub actor: Actor,
    /// Ties together everything that one request sets in motion.
    pub correlation_id: String,
    /// The event that made the command, for what acts by itself.
    pub causation_id: Option<String>,
    /// Revisions, as the caller sees them, of which the resource must have one; `None`: unconditional.
    pub if_match: Option<Vec<u64>>,
}
