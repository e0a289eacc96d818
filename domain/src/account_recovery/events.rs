//! What is written about the recovery of an account. These structs are the contract with the log; nothing of them
//! leaves to analytics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::domain_events;
use crate::ids::{AccountId, AccountRecoveryId};
use crate::personal::{Personal, personal_fields};

/// Somebody cannot sign in and asks for their account back. Whether there is one is not said here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountRecoveryRequested {
    /// The recovery.
    pub recovery: AccountRecoveryId,
    /// Where to answer, as it was given; nobody has verified it.
    pub email: Personal<String>,
    /// What they say.
    pub description: Personal<String>,
    /// The language to answer in.
    pub language: String,
}
personal_fields!(AccountRecoveryRequested { email, description });

/// Support is done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountRecoveryClosed {
    /// Who closed it.
    pub closed_by: AccountId,
    /// What came of it, for support.
    pub outcome: Personal<String>,
}
personal_fields!(AccountRecoveryClosed { outcome });

domain_events! {
    /// Everything that can have happened to the recovery of an account.
    pub enum AccountRecoveryEvent {
        /// Somebody asks for their account back.
        AccountRecoveryRequested @ 1,
        /// Support is done with it.
        AccountRecoveryClosed @ 1,
    }
}
