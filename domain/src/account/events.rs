//! What is written about an account. These structs are the contract with the log; nothing of them leaves to analytics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::domain_events;
use crate::ids::{AccountId, EmailKey, OrganizationId};
use crate::personal::{Contact, Personal, personal_fields};

/// How an account came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provisioning {
    /// The organization's directory fed it (SCIM).
    Directory,
    /// The person signed in, where the organization allows it.
    FirstSignIn,
}

/// Whom an identity provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SignIn {
    /// The issuer, an URL.
    pub issuer: String,
    /// What the issuer calls the person.
    pub subject: String,
}

/// The account exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountOpened {
    /// The account.
    pub account: AccountId,
    /// For which organization.
    pub organization: OrganizationId,
    /// How.
    pub provisioning: Provisioning,
    /// Who vouches for the person.
    pub sign_in: Personal<SignIn>,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
    /// Pseudonym of their address.
    pub email: EmailKey,
}
personal_fields!(AccountOpened { sign_in, contact });

/// The person's verified address changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountEmailChanged {
    /// Pseudonym of the new address.
    pub email: EmailKey,
    /// How they are shown and reached now.
    pub contact: Personal<Contact>,
}
personal_fields!(AccountEmailChanged { contact });

/// The name to show changed, or the way in which the same address is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountRenamed {
    /// How they are shown and reached now.
    pub contact: Personal<Contact>,
}
personal_fields!(AccountRenamed { contact });

/// The person is out, at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountDeactivated {}
personal_fields!(AccountDeactivated {});

/// The person is in again, with the grants that they have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountReactivated {}
personal_fields!(AccountReactivated {});

/// The directory knows the person no more: they are out, at once, and their address is free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountDeleted {}
personal_fields!(AccountDeleted {});

domain_events! {
    /// Everything that can have happened to an account.
    pub enum AccountEvent {
        /// It exists.
        AccountOpened @ 1,
        /// The address changed.
        AccountEmailChanged @ 1,
        /// The name changed.
        AccountRenamed @ 1,
        /// It is out.
        AccountDeactivated @ 1,
        /// It is in again.
        AccountReactivated @ 1,
        /// It has ended; the same directory may open it again.
        AccountDeleted @ 1,
    }
}
