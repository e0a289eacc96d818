//! Messages to an organization's machines: by webhook as Standard Webhooks has it, or on a subject of the bus.
//!
//! # How a webhook's message travels
//!
//! It is a POST of a thin CloudEvent ([`payload`]), signed ([`signature`]), to an address that is checked with every attempt
//! ([`target`]). 2xx is acceptance, 410 disables the webhook, everything else is tried again with growing pauses
//! ([`backoff`]) over some days; then the message is a dead letter, which an operator can send again.
//!
//! **At least once**, as the standard has it: where the connection was lost after the request was written, or this process
//! died meanwhile, the message is sent again, and the receiver tells the repeat by `webhook-id`, which is the message's id
//! whatever the attempt. That is why nothing here marks a message as handed over: a mail would stay unknown, a webhook's
//! message is repeated.
//!
//! Messages of one receiver about one case arrive in order: a later one waits until the earlier one is settled. A receiver
//! has a few messages on their way at once, whatever waits for it, so that one that does not answer holds up no other.

pub mod backoff;
pub mod courier;
pub mod follower;
pub mod intended;
pub mod payload;
mod reports;
pub mod send;
pub mod signature;
mod slots;
pub mod target;
#[cfg(test)]
pub(crate) mod testing;
pub mod verdict;

pub use courier::Courier;
pub use follower::EventFollower;
pub use send::{Answer, Post, WebhookSender};
pub use target::{Resolve, SystemResolver, TargetError};

use dossier_domain::{Actor, StaffRole};
use dossier_eventlog::Sealer;

use crate::reactor::system_actor;

/// As whom the system says how deliveries go.
pub fn actor(sealer: &Sealer) -> Actor {
    system_actor(sealer, follower::NAME, [StaffRole::System])
}
