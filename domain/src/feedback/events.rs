//! What is written about feedback. The struct is the contract with the log; nothing of it leaves to analytics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::domain_events;
use crate::ids::{AccountId, FeedbackId};
use crate::personal::{Contact, Personal, personal_fields};

/// Somebody said what they think of the support centre.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedbackSent {
    /// The feedback.
    pub feedback: FeedbackId,
    /// Who sent it.
    pub sender: AccountId,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
    /// What they say.
    pub text: Personal<String>,
}
personal_fields!(FeedbackSent { contact, text });

domain_events! {
    /// Everything that can have happened to feedback.
    pub enum FeedbackEvent {
        /// Somebody said what they think.
        FeedbackSent @ 1,
    }
}
