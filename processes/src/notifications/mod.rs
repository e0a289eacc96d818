//! Messages to people and machines about what happened: each is intended once ([`ledger`]), and sent by what carries it away.
//!
//! What will never happen here: a message on replay (messages are intended together with the checkpoint of who found them, in
//! the work store), a second acceptance of one message that nobody asked for, a plain address in a table.

mod circles;
pub mod compose;
pub mod fan_out;
pub mod keeper;
pub mod ledger;
pub mod mailer;
mod message;
pub mod templates;
pub mod webhooks;
#[cfg(test)]
mod world;
