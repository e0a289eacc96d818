//! Who is affected by a known issue, and who wants mails about it (R-KI-4, R-KI-5).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::ids::{AccountId, CaseId, OrganizationId};

/// A user who said at least once that the issue affects them, for one organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AffectedUser {
    /// The case that was filed for them.
    pub case: CaseId,
    /// Whether it affects them: then they are counted, and their case is linked.
    pub affected: bool,
    /// Whether they want mails.
    pub subscribed: bool,
}

/// Somebody who gets mails about an issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subscriber<'a> {
    /// The organization that they spoke for.
    pub organization: &'a OrganizationId,
    /// The user.
    pub account: AccountId,
    /// Their case.
    pub case: CaseId,
}

/// All of them, by organization and account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AffectedUsers(BTreeMap<OrganizationId, BTreeMap<AccountId, AffectedUser>>);

impl AffectedUsers {
    /// What one user said for an organization; `None`: nothing ever.
    pub fn get(&self, organization: &OrganizationId, account: AccountId) -> Option<AffectedUser> {
        self.0.get(organization)?.get(&account).copied()
    }

    /// Everybody who ever said something, by organization and account.
    pub fn iter(&self) -> impl Iterator<Item = (&OrganizationId, AccountId, AffectedUser)> {
        self.0.iter().flat_map(|(organization, users)| {
            users.iter().map(move |(account, user)| (organization, *account, *user))
        })
    }

    /// Those who get mails, by organization and account.
    pub fn subscribers(&self) -> impl Iterator<Item = Subscriber<'_>> {
        self.picked(|user| user.subscribed)
    }

    /// Those whom it affects, by organization and account: their cases are linked.
    pub fn affected(&self) -> impl Iterator<Item = Subscriber<'_>> {
        self.picked(|user| user.affected)
    }

    /// How many organizations it affects.
    pub fn organizations_count(&self) -> usize {
        self.0.values().filter(|users| users.values().any(|user| user.affected)).count()
    }

    /// How many users it affects; one who speaks for two organizations is one.
    pub fn users_count(&self) -> usize {
        self.affected().map(|user| user.account).collect::<BTreeSet<_>>().len()
    }

    fn picked(&self, pick: fn(&AffectedUser) -> bool) -> impl Iterator<Item = Subscriber<'_>> {
        self.iter().filter(move |(_, _, user)| pick(user)).map(|(organization, account, user)| Subscriber {
            organization,
            account,
            case: user.case,
        })
    }

    pub(super) fn set(&mut self, organization: &OrganizationId, account: AccountId, user: AffectedUser) {
        self.0.entry(organization.clone()).or_default().insert(account, user);
    }
}
