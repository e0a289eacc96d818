//! Names for people that give nobody away: pseudonyms under the key store's secret.

use dossier_domain::address::EmailAddress;
use dossier_domain::{AccountId, CommandId, EmailKey, Subject};
use dossier_eventlog::Sealer;
use uuid::Uuid;

/// The account of whoever an issuer calls by a subject. The same pair always gives the same account, so that no lookup and
/// no claim is needed, and nobody without the secret can tell the pair from the id.
pub fn account_id(sealer: &Sealer, issuer: &str, subject: &str) -> AccountId {
    AccountId(ulid::Ulid::from(sealer.pseudonym("account", format!("{issuer}\0{subject}").as_bytes())))
}

/// The pseudonym of an address in the form in which addresses are compared: every way to write it gives the same.
pub fn email_key(sealer: &Sealer, email: &EmailAddress) -> EmailKey {
    EmailKey(ulid::Ulid::from(sealer.pseudonym("email", email.canonical().as_bytes())))
}

/// The subject that stands for an address.
pub fn contact_subject(sealer: &Sealer, email: &str) -> Subject {
    Subject::contact(sealer.pseudonym("contact", email.to_lowercase().as_bytes()))
}

/// The id of a command that a caller may repeat: its key within the scope in which the key is theirs.
pub fn command_id(sealer: &Sealer, scope: &[&str], key: &str) -> CommandId {
    let mut material = Vec::new();
    for part in scope.iter().copied().chain([key]) {
        material.extend_from_slice(&(part.len() as u64).to_be_bytes());
        material.extend_from_slice(part.as_bytes());
    }
    CommandId(Uuid::new_v8(sealer.pseudonym("command", &material).to_be_bytes()))
}

/// Keyed digest of a command's body, to tell a repeat from another command under the same id.
pub fn fingerprint(sealer: &Sealer, body: &[u8]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(&sealer.fingerprint("command", body)[..18])
}
