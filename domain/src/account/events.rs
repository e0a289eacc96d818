//! What is written about an account. These structs are the contract with the log; nothing of them leaves to analytics.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::authority::StaffRole;
use crate::event::domain_events;
use crate::ids::{AccountId, EmailKey, OrganizationId, ProviderId};
use crate::notification::CaseMails;
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

/// The person said which mails they want. It may be the stream's first event: who is a member needs no account opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationPreferencesChanged {
    /// Which mails about cases.
    pub case_mails: CaseMails,
    /// In which language, BCP 47; `None`: in each case's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}
personal_fields!(NotificationPreferencesChanged {});

/// The person signed in as one of the operator's side: what the token said, where that is new. An agent is known to others by
/// it, and who is none any more by one without that role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StaffRecognized {
    /// What they are on the operator's side.
    pub roles: BTreeSet<StaffRole>,
    /// The support provider that they work for.
    pub provider: Option<ProviderId>,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
}
personal_fields!(StaffRecognized { contact });

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
        /// The person said which mails they want.
        NotificationPreferencesChanged @ 1,
        /// Its person signed in as one of the operator's side.
        StaffRecognized @ 1,
    }
}
