//! The mailer with a real mail server that does wrong what it is told to.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails it")]

mod delivery;
mod kill;
mod rig;
#[path = "../../../tests/src/smtp.rs"]
#[expect(dead_code, unreachable_pub, reason = "shared with tests that use the rest of it")]
mod smtp;
mod tls;
