//! Identities. None of them holds personal data, and each that a command creates is derived from the command's id, so
//! that repeating the command names the same thing.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::Ulid;
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}")]
pub struct InvalidId {
    /// The text, shortened.
    pub text: String,
    /// What would do.
    pub wanted: &'static str,
}

/// Identity of a command: one intention of one principal, however often it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(pub Uuid);

impl CommandId {
    /// The id of the `index`-th event that this command causes.
    pub fn event_id(self, index: usize) -> Uuid {
        Uuid::new_v8(digest(self.0, &format!("event/{index}")).to_be_bytes())
    }

    /// The id of a command that this one needs on another stream, named by its purpose.
    #[must_use]
    pub fn step(self, purpose: &str) -> Self {
        Self(Uuid::new_v8(digest(self.0, &format!("step/{purpose}")).to_be_bytes()))
    }

    /// An id for something that this command creates, named by its purpose.
    pub fn derive(self, purpose: &str) -> u128 {
        digest(self.0, purpose)
    }
}

/// The first 128 bits of a SHA-256 over the command id and a purpose.
fn digest(command: Uuid, purpose: &str) -> u128 {
    let hash = Sha256::new().chain_update(command.as_bytes()).chain_update(purpose.as_bytes()).finalize();
    let mut first = [0; 16];
    first.copy_from_slice(&hash[..16]);
    u128::from_be_bytes(first)
}

macro_rules! ulid_id {
    ($(#[$meta:meta])* $name:ident, $wanted:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(#[schemars(with = "String")] pub Ulid);

        impl $name {
            /// The id that belongs to a command which creates one.
            pub fn derived(command: CommandId) -> Self {
                Self(Ulid::from(command.derive(stringify!($name))))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                // Only the canonical spelling names the resource: `Ulid` alone would also read lower case.
                Ulid::from_string(text).ok().filter(|ulid| ulid.to_string() == text).map(Self).ok_or_else(|| InvalidId {
                    text: text.chars().take(40).collect(),
                    wanted: $wanted,
                })
            }
        }
    };
}

ulid_id!(
    /// Identity of a case; its stream is `case-{id}`.
    CaseId,
    "a case id (26 letters and digits)"
);
impl CaseId {
    /// The id of a case that was somewhere else before, so that taking it over again names the same one.
    pub fn imported(source: &str, external_id: &str) -> Self {
        // The length keeps `a` + `bc` apart from `ab` + `c`.
        let purpose = format!("import/{}/{source}/{external_id}", source.len());
        Self(Ulid::from(digest(Uuid::nil(), &purpose)))
    }
}

ulid_id!(
    /// Identity of a comment within the system.
    CommentId,
    "a comment id (26 letters and digits)"
);
ulid_id!(
    /// Identity of an attachment within the system.
    AttachmentId,
    "an attachment id (26 letters and digits)"
);
ulid_id!(
    /// Identity of an internal note within the system.
    NoteId,
    "a note id (26 letters and digits)"
);
ulid_id!(
    /// Identity of a person's account, a pseudonym of issuer and subject; its stream is `account-{id}`.
    AccountId,
    "an account id (26 letters and digits)"
);

ulid_id!(
    /// Keyed pseudonym of an email address in the form in which addresses are compared; its claim is the stream
    /// `account_email-{key}`.
    EmailKey,
    "an email key (26 letters and digits)"
);

ulid_id!(
    /// Identity of a recorded export; its stream is `export-{id}`.
    ExportId,
    "an export id (26 letters and digits)"
);

ulid_id!(
    /// Identity of the recovery of an account; its stream is `account_recovery-{id}`.
    AccountRecoveryId,
    "an account recovery id (26 letters and digits)"
);

ulid_id!(
    /// Identity of a subscription to events; its stream is `event_subscription-{id}`.
    EventSubscriptionId,
    "a subscription id (26 letters and digits)"
);

ulid_id!(
    /// Identity of a webhook; its stream is `webhook-{id}`.
    WebhookId,
    "a webhook id (26 letters and digits)"
);

ulid_id!(
    /// Identity of a known issue; its stream is `known_issue-{id}`.
    KnownIssueId,
    "a known issue id (26 letters and digits)"
);
ulid_id!(
    /// Identity of a recorded phone call; its stream is `phone_call-{id}`.
    PhoneCallId,
    "a phone call id (26 letters and digits)"
);

ulid_id!(
    /// Identity of a saved view; its stream is `saved_view-{id}`.
    SavedViewId,
    "a saved view id (26 letters and digits)"
);

ulid_id!(
    /// Identity of feedback; its stream is `feedback-{id}`.
    FeedbackId,
    "a feedback id (26 letters and digits)"
);

ulid_id!(
    /// Identity of a session with the help assistant; its stream is `help_session-{id}`.
    HelpSessionId,
    "a help session id (26 letters and digits)"
);

macro_rules! name_id {
    ($(#[$meta:meta])* $name:ident, $wanted:literal) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Checks and takes over a name.
            ///
            /// # Errors
            /// [`InvalidId`] unless it is 1 to 63 lower-case letters, digits and dashes, starting with a letter or digit.
            pub fn new(text: &str) -> Result<Self, InvalidId> {
                let ok = !text.is_empty()
                    && text.len() <= 63
                    && !text.starts_with('-')
                    && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                if ok {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidId { text: text.chars().take(80).collect(), wanted: $wanted })
                }
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

name_id!(
    /// Identity of an organization (R-ORG-1): `acme` of `organizations/acme`.
    OrganizationId,
    "an organization id (lower-case letters, digits and dashes, at most 63)"
);
name_id!(
    /// Identity of a product in the catalogue.
    ProductId,
    "a product id (lower-case letters, digits and dashes, at most 63)"
);
name_id!(
    /// Identity of a support plan in the catalogue.
    PlanId,
    "a plan id (lower-case letters, digits and dashes, at most 63)"
);

name_id!(
    /// Identity of a support provider in the catalogue.
    ProviderId,
    "a provider id (lower-case letters, digits and dashes, at most 63)"
);
name_id!(
    /// Identity of a business calendar in the catalogue.
    CalendarId,
    "a calendar id (lower-case letters, digits and dashes, at most 63)"
);
name_id!(
    /// Identity of a private document in the catalogue.
    DocumentId,
    "a document id (lower-case letters, digits and dashes, at most 63)"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_command_names_the_same_things() {
        let command = CommandId(Uuid::from_u128(7));
        assert_eq!(CaseId::derived(command), CaseId::derived(command));
        assert_eq!(command.event_id(3), command.event_id(3));
        assert_ne!(command.event_id(3), command.event_id(4));
        assert_eq!(command.step("claim"), command.step("claim"));
        assert_ne!(
            command.step("claim").event_id(0),
            command.event_id(0),
            "each stream's events have their own ids"
        );
        assert_ne!(CaseId::derived(command).0, CommentId::derived(command).0);
        assert_ne!(CaseId::derived(command), CaseId::derived(CommandId(Uuid::from_u128(8))));
    }

    #[test]
    fn an_imported_case_has_one_id_for_ever_and_no_other_shares_it() {
        assert_eq!(CaseId::imported("old", "1"), CaseId::imported("old", "1"));
        assert_ne!(CaseId::imported("old", "1"), CaseId::imported("old", "2"));
        assert_ne!(CaseId::imported("a", "b/c"), CaseId::imported("a/b", "c"));
        assert_eq!(CaseId::imported("old", "1").to_string(), "7ZNTHSGW574GN456S0ZF0XXVFV");
    }

    #[test]
    fn only_the_canonical_spelling_of_an_id_is_read() {
        let id = CaseId::derived(CommandId(Uuid::from_u128(7)));
        assert_eq!(id.to_string().parse::<CaseId>(), Ok(id));
        assert!(id.to_string().to_lowercase().parse::<CaseId>().is_err());
        assert!("doesnotexist".parse::<CaseId>().is_err());
    }

    #[test]
    fn organization_ids_are_plain_lower_case_names() {
        assert!(OrganizationId::new("acme").is_ok());
        for bad in ["", "Acme", "a/b", "-a", "ä", "a b", &"a".repeat(64)] {
            assert!(OrganizationId::new(bad).is_err(), "{bad:?} must be refused");
        }
    }
}
