//! Who is concerned by a case at an instant, and who of them may be told.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::account::{Account, AccountStatus};
use crate::address::EmailAddress;
use crate::authority::{
    ActingFor, Action, Actor, Authority, CaseFacts, CentreAccess, Principal, Side, VisibilityScope,
};
use crate::case::Case;
use crate::ids::{AccountId, EmailKey, OrganizationId};
use crate::notification::{CaseMails, MessageKind};
use crate::personal::{Contact, Personal, Subject};

/// Why somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// They filed the case.
    Filer,
    /// They own the product, and who filed the case for them has left (R-RES-7).
    ProductOwner,
    /// The case names their address.
    Subscriber,
    /// They said that a known issue affects them.
    KnownIssueSubscriber,
}

impl Reason {
    /// The name, in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Filer => "filer",
            Self::ProductOwner => "product_owner",
            Self::Subscriber => "subscriber",
            Self::KnownIssueSubscriber => "known_issue_subscriber",
        }
    }

    /// The reason of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Filer, Self::ProductOwner, Self::Subscriber, Self::KnownIssueSubscriber]
            .into_iter()
            .find(|reason| reason.as_str() == name)
    }
}

/// What stands for somebody who is told, without an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecipientKey {
    /// Somebody who signs in.
    Account(AccountId),
    /// Whoever reads what goes to an address: its pseudonym, the same however the address is written.
    Address(EmailKey),
}

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Somebody who signs in, at the address that they sign in with.
    Account(AccountId),
    /// An address that a case names.
    Address(Personal<String>),
}

/// Why somebody who is concerned is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Withheld {
    /// They do not see the case, or not any more (R-NOTIFY-3).
    NotVisible,
    /// The account is deactivated.
    Deactivated,
    /// They do not want mails about this case.
    Stopped,
    /// They do not want mails about any case.
    OptedOut,
    /// They are not concerned any more: they gave the product up, or the case names their address no more.
    NotConcerned,
    /// The address is in no verified domain of those who see the case.
    UnverifiedAddress,
}

impl Withheld {
    /// The name, in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotVisible => "not_visible",
            Self::Deactivated => "deactivated",
            Self::Stopped => "stopped",
            Self::OptedOut => "opted_out",
            Self::NotConcerned => "not_concerned",
            Self::UnverifiedAddress => "unverified_address",
        }
    }
}

/// The reseller that manages a case's organization, as it stood at the instant.
#[derive(Clone, Copy, Debug)]
pub struct Reseller<'a> {
    /// The reseller.
    pub organization: &'a OrganizationId,
    /// Its own access.
    pub access: &'a Access,
    /// Whether it may use the centre (R-RES-6).
    pub centre: CentreAccess,
}

/// Somebody who is concerned: for which reason, and what is known of the account, where there is one.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// Whom the message would be for.
    pub recipient: &'a Recipient,
    /// Why.
    pub reason: Reason,
    /// What stands for them: of an address, whoever signs in with it, where somebody does.
    pub key: RecipientKey,
    /// The pseudonym of the address, where the message is for one.
    pub address: Option<EmailKey>,
    /// Their account, where they have one.
    pub account: Option<&'a Account>,
}

/// A case with everything that decides who may be told of it, at one instant.
#[derive(Clone, Copy, Debug)]
pub struct Circle<'a> {
    /// The case.
    pub case: &'a Case,
    /// The access of its organization.
    pub access: &'a Access,
    /// The reseller that manages it, where one does.
    pub reseller: Option<Reseller<'a>>,
    /// The instant.
    pub at: Timestamp,
}

impl Circle<'_> {
    /// Everybody who is concerned, who may be told or not, the most concerned first. `was_open`: whether the case was open
    /// just before.
    pub(super) fn concerned(&self, was_open: bool) -> Vec<(Recipient, Reason)> {
        let mut concerned = Vec::new();
        if self.filers_reseller_has_left() {
            if was_open || self.case.status.is_open() {
                concerned
                    .extend(self.owners().map(|owner| (Recipient::Account(owner), Reason::ProductOwner)));
            }
        } else if let Some(filer) = self.case.filer.subject().account_id() {
            concerned.push((Recipient::Account(filer), Reason::Filer));
        }
        let subscribers = self.case.subscribers.iter().cloned();
        concerned.extend(subscribers.map(|address| (Recipient::Address(address), Reason::Subscriber)));
        concerned
    }

    /// Whether somebody who is concerned may be told now (R-NOTIFY-3): asked at the event and again at sending.
    ///
    /// # Errors
    /// [`Withheld`] says why not.
    pub fn check(&self, person: &Person<'_>) -> Result<(), Withheld> {
        let account = person.account;
        if account.is_some_and(|account| account.status() == AccountStatus::Deactivated) {
            return Err(Withheld::Deactivated);
        }
        match (person.recipient, person.reason) {
            (Recipient::Account(account), Reason::Filer) => self.check_filer(*account)?,
            (Recipient::Account(account), Reason::ProductOwner) => {
                if !self.filers_reseller_has_left() || !self.owns(*account) {
                    return Err(Withheld::NotConcerned);
                }
            }
            (Recipient::Account(account), _) => self.check_member(*account, None)?,
            (Recipient::Address(address), _) => self.check_subscriber(address)?,
        }
        if self.has_stopped(person) {
            return Err(Withheld::Stopped);
        }
        if account.is_some_and(|account| account.preferences().case_mails == CaseMails::None) {
            return Err(Withheld::OptedOut);
        }
        Ok(())
    }

    /// Whether somebody of the case's organization may be told of the case by a machine of theirs (R-NOTIFY-3): asked at the
    /// event and again at sending.
    ///
    /// # Errors
    /// [`Withheld`] says why not.
    pub fn check_machine_of(&self, person: AccountId, account: &Account) -> Result<(), Withheld> {
        if account.status() == AccountStatus::Deactivated {
            return Err(Withheld::Deactivated);
        }
        self.check_member(person, None)
    }

    /// Whether a message of a kind brings the link of the survey: it is for the filer, or for whoever is told in their place.
    pub fn brings_survey(kind: MessageKind, reason: Reason) -> bool {
        kind == MessageKind::CaseClosed && matches!(reason, Reason::Filer | Reason::ProductOwner)
    }

    /// Whether the case was filed by a reseller that does not see it any more (R-RES-7): it manages the customer no longer, or
    /// is not let in.
    fn filers_reseller_has_left(&self) -> bool {
        self.case.filed_by_reseller().is_some_and(|filer| self.access.allowed_reseller() != Some(filer))
    }

    fn owners(&self) -> impl Iterator<Item = AccountId> {
        self.access.members.keys().copied().filter(|account| self.owns(*account))
    }

    fn owns(&self, account: AccountId) -> bool {
        self.access.is_effective_owner(account, &self.case.product, self.at)
    }

    fn check_filer(&self, account: AccountId) -> Result<(), Withheld> {
        if self.case.filer.subject().account_id() != Some(account) {
            return Err(Withheld::NotConcerned);
        }
        match (self.case.side, self.reseller) {
            (Side::Reseller, Some(reseller)) => {
                let acting = ActingFor {
                    organization: reseller.organization,
                    access: reseller.access,
                    centre: reseller.centre,
                };
                self.check_member(account, Some(acting))
            }
            (Side::Reseller, None) => Err(Withheld::NotVisible),
            (Side::Customer | Side::Support, _) => self.check_member(account, None),
        }
    }

    /// Whether an account reads the case, by itself or acting for a reseller: the authority that every read is judged by.
    fn check_member(&self, account: AccountId, acting_for: Option<ActingFor<'_>>) -> Result<(), Withheld> {
        // Who is mailed is nobody of the operator's side, whatever they sign in as besides.
        let nobody = Contact { email: String::new(), display_name: String::new() };
        let actor = Actor::new(account, Personal::new(Subject::account(account), nobody), []);
        let principal = Principal { actor: &actor, account: AccountStatus::Active, acting_for };
        let authority = Authority::towards(&principal, &self.case.organization, self.access, self.at);
        let reads = authority.require(Action::ReadCases, &self.case.product).is_ok();
        let facts = CaseFacts::of(self.case, self.access.allowed_reseller());
        if reads && authority.visibility().admits(&facts) { Ok(()) } else { Err(Withheld::NotVisible) }
    }

    /// An address is told while the case names it and it is in a verified domain: of the organization, whose people decide
    /// who is told, or of its managing reseller, where that one sees the case.
    fn check_subscriber(&self, address: &Personal<String>) -> Result<(), Withheld> {
        if !self.case.subscribers.iter().any(|named| named.subject() == address.subject()) {
            return Err(Withheld::NotConcerned);
        }
        let address = address.open().and_then(|address| EmailAddress::parse(address).ok());
        let domain = address.as_ref().map(|address| address.domain().as_str());
        let is_in = |domains: &BTreeSet<String>| domain.is_some_and(|domain| domains.contains(domain));
        if is_in(&self.access.domains) {
            return Ok(());
        }
        match self.reseller.filter(|reseller| is_in(&reseller.access.domains)) {
            Some(reseller) if self.is_seen_by(&reseller) => Ok(()),
            Some(_) => Err(Withheld::NotVisible),
            None => Err(Withheld::UnverifiedAddress),
        }
    }

    fn is_seen_by(&self, reseller: &Reseller<'_>) -> bool {
        let scope = VisibilityScope::Reseller {
            reseller: reseller.organization.clone(),
            customer: Some(self.case.organization.clone()),
            products: BTreeSet::from([self.case.product.clone()]),
        };
        let facts = CaseFacts::of(self.case, self.access.allowed_reseller());
        reseller.centre == CentreAccess::Open && scope.admits(&facts)
    }

    /// Whether they have told this case to stop, as themselves or by the address.
    fn has_stopped(&self, person: &Person<'_>) -> bool {
        let stopped = &self.case.notifications_stopped;
        let by_address = person.address.map(RecipientKey::Address);
        stopped.contains(&person.key) || by_address.is_some_and(|key| stopped.contains(&key))
    }
}
