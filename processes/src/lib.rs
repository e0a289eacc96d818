//! What acts by itself: reactors (event → command), timers, the mailer, webhooks. They follow the log with checkpoints of their
//! own and enter at a command, like everybody else.
//!
//! What will never happen here: a rule of the business (it is asked in `domain`), an effect on replay (checkpoints live in a work
//! store that no rebuild touches), a second effect for one trigger (a reactor's command id is derived from its name and the
//! trigger's event id). What this crate never knows: HTTP.
//!
//! [`reactor`] says how to add a reactor; [`Reactors`] runs them.

pub mod blob_sweep;
pub mod known_issue_cases;
pub mod known_issue_solutions;
pub mod merge_completion;
pub mod notifications;
pub mod reactor;
pub mod timers;
pub mod volume_watch;
pub mod work_store;

pub use reactor::{Begin, Reactor, Reactors};
