//! Notifications: who is to be told what of an event, as a pure function of the states at that instant (R-NOTIFY-1, R-NOTIFY-3,
//! R-RES-7).
//!
//! What will never be derived here: a message about what only support may learn of, one to whoever did the thing (filing
//! excepted), one to an address outside the verified domains, two messages of one command to one person. Who is told is
//! asked twice, with the same function: at the event ([`intended`]) and once more when the message is about to leave
//! ([`Circle::check`]).

mod circle;
mod intended;
mod issue;
mod kind;
mod preferences;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use circle::{Circle, Person, Reason, Recipient, RecipientKey, Reseller, Withheld};
pub use intended::{Deed, Directory, Intended, intended};
pub use issue::{ISSUE_LANGUAGE, IssueCircle, issue_news, issue_subscribers};
pub use kind::MessageKind;
pub use preferences::{CaseMails, NotificationPreferences};
