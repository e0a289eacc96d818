//! What changes, told to all streams of this process by one reader of the log: a thousand streams cost one subscription, and
//! each looks into the read models only when something of its own organization, or of who may see it, has changed.
//!
//! Changes are told in the order of the log, and only when the read model of cases shows them. While nobody listens nothing is
//! read.

mod change;
mod hub;

pub use change::{Change, Changed};
pub use hub::{Hub, Listener};
