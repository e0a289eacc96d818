//! The messages that one command on a case calls for (R-NOTIFY-1).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::circle::{Circle, Person, Reason, Recipient, RecipientKey};
use super::kind::MessageKind;
use crate::account::Account;
use crate::address::EmailAddress;
use crate::case::{Case, CaseEvent};
use crate::ids::{AccountId, EmailKey};

/// One command on a case: what it did, and who.
#[derive(Clone, Copy, Debug)]
pub struct Deed<'a> {
    /// The case just before; `None`: there was none.
    pub before: Option<&'a Case>,
    /// The command's events.
    pub events: &'a [CaseEvent],
    /// Who did it.
    pub actor: AccountId,
    /// Who is told of the same by another message: a resolution that is proposed on the case of somebody who gets the known
    /// issue's mails (R-KI-6).
    pub told_elsewhere: &'a BTreeSet<AccountId>,
}

/// The people that an instant knows, by account and by address.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Accounts of those who may be told.
    pub accounts: BTreeMap<AccountId, Arc<Account>>,
    /// The pseudonyms of addresses, by their canonical form.
    pub addresses: BTreeMap<String, EmailKey>,
    /// Who signs in with an address.
    pub holders: BTreeMap<EmailKey, AccountId>,
}

/// A message that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intended {
    /// For whom.
    pub recipient: Recipient,
    /// Why them.
    pub reason: Reason,
    /// What stands for them: one command has one message for each.
    pub key: RecipientKey,
    /// What it is about.
    pub kind: MessageKind,
    /// In which language.
    pub language: String,
}

impl Directory {
    /// An account as the directory knows it; one that it does not know was never opened.
    pub fn account(&self, account: AccountId) -> Arc<Account> {
        self.accounts.get(&account).cloned().unwrap_or_default()
    }

    /// The account of who a key stands for, where it stands for one.
    pub fn account_of(&self, key: RecipientKey) -> Option<Arc<Account>> {
        match key {
            RecipientKey::Account(account) => Some(self.account(account)),
            RecipientKey::Address(_) => None,
        }
    }

    /// What stands for a recipient, and the pseudonym of the address where the message is for one. `None` for an address that
    /// is erased, or that the directory does not know: nobody can be told there.
    pub fn keys(&self, recipient: &Recipient) -> Option<(RecipientKey, Option<EmailKey>)> {
        match recipient {
            Recipient::Account(account) => Some((RecipientKey::Account(*account), None)),
            Recipient::Address(address) => {
                let address = EmailAddress::parse(address.open()?).ok()?;
                let key = *self.addresses.get(address.canonical())?;
                let holder = self.holders.get(&key).copied().map(RecipientKey::Account);
                Some((holder.unwrap_or(RecipientKey::Address(key)), Some(key)))
            }
        }
    }
}

/// The messages that a command calls for: one for each who is concerned and may be told. Whoever did it is told of filing alone,
/// and of a closing that brings them the survey (R-NOTIFY-1, R-SURVEY-1).
pub fn intended(deed: &Deed<'_>, circle: &Circle<'_>, directory: &Directory) -> Vec<Intended> {
    let Some(kind) = MessageKind::of_command(deed.events) else { return Vec::new() };
    let was_open = deed.before.is_some_and(|before| before.status.is_open());
    let mut told = BTreeSet::new();
    let mut messages = Vec::new();
    for (recipient, reason) in circle.concerned(was_open) {
        let Some((key, address)) = directory.keys(&recipient) else { continue };
        let own_act = key == RecipientKey::Account(deed.actor);
        let elsewhere = matches!(key, RecipientKey::Account(id) if deed.told_elsewhere.contains(&id));
        // Who closes their own case is asked how it was all the same (R-SURVEY-1).
        let told_of_own = kind == MessageKind::CaseFiled || Circle::brings_survey(kind, reason);
        if told.contains(&key) || elsewhere || (own_act && !told_of_own) {
            continue;
        }
        let account = directory.account_of(key);
        let person = Person { recipient: &recipient, reason, key, address, account: account.as_deref() };
        if circle.check(&person).is_err() {
            continue;
        }
        let language = account.and_then(|account| account.preferences().language.clone());
        let language = language.unwrap_or_else(|| circle.case.language.clone());
        told.insert(key);
        messages.push(Intended { recipient, reason, key, kind, language });
    }
    messages
}
