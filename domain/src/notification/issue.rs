//! The messages that news of a known issue calls for (R-KI-6): one for each who said that it affects them and wants mails.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::circle::{Reseller, Withheld};
use super::kind::MessageKind;
use crate::access::Access;
use crate::account::{Account, AccountStatus};
use crate::authority::{ActingFor, Action, Actor, Authority, Principal};
use crate::catalogue::Catalogue;
use crate::ids::{AccountId, OrganizationId};
use crate::known_issue::{KnownIssue, KnownIssueEvent, products_followed};
use crate::personal::{Contact, Personal, Subject};

/// Mails about known issues are in English, whatever the case's language (R-KI-7).
pub const ISSUE_LANGUAGE: &str = "en";

/// What the events of one command on a known issue are told as; nothing where nobody is mailed about them.
pub fn issue_news(events: &[KnownIssueEvent]) -> Option<MessageKind> {
    let kind = |event: &KnownIssueEvent| match event {
        KnownIssueEvent::KnownIssueUpdatePosted(_) => Some(MessageKind::KnownIssueUpdated),
        KnownIssueEvent::KnownIssueResolved(_) => Some(MessageKind::KnownIssueResolved),
        _ => None,
    };
    events.iter().filter_map(kind).max()
}

/// A known issue with the access of one organization whose people said that it affects them, at one instant.
#[derive(Clone, Copy, Debug)]
pub struct IssueCircle<'a> {
    /// The issue.
    pub issue: &'a KnownIssue,
    /// The organization that they spoke for.
    pub organization: &'a OrganizationId,
    /// Its access.
    pub access: &'a Access,
    /// The reseller that manages it, where one does.
    pub reseller: Option<Reseller<'a>>,
    /// Which plans make a product eligible.
    pub catalogue: &'a Catalogue,
    /// The instant.
    pub at: Timestamp,
}

impl IssueCircle<'_> {
    /// Whether somebody who spoke for the organization may be told now (R-NOTIFY-3): asked at the event and again at sending.
    /// These mails have an end of their own (R-KI-5), so that what somebody wants of cases does not matter.
    ///
    /// # Errors
    /// [`Withheld`] says why not.
    pub fn check(&self, id: AccountId, account: &Account) -> Result<(), Withheld> {
        if account.status() == AccountStatus::Deactivated {
            return Err(Withheld::Deactivated);
        }
        match self.issue.affected.get(self.organization, id) {
            Some(user) if user.subscribed => {}
            Some(_) => return Err(Withheld::Stopped),
            None => return Err(Withheld::NotConcerned),
        }
        let product = &self.issue.product;
        let published = self.issue.publication.is_some();
        let has_product = products_followed(self.access, self.catalogue, self.at).contains(product);
        let reseller = self.reseller.map(|reseller| ActingFor {
            organization: reseller.organization,
            access: reseller.access,
            centre: reseller.centre,
        });
        let follows = self.follows(id, None) || reseller.is_some_and(|acting| self.follows(id, Some(acting)));
        if published && has_product && follows { Ok(()) } else { Err(Withheld::NotVisible) }
    }

    fn follows(&self, id: AccountId, acting_for: Option<ActingFor<'_>>) -> bool {
        let nobody = Contact { email: String::new(), display_name: String::new() };
        let actor = Actor::new(id, Personal::new(Subject::account(id), nobody), []);
        let principal = Principal { actor: &actor, account: AccountStatus::Active, acting_for };
        let authority = Authority::towards(&principal, self.organization, self.access, self.at);
        authority.require(Action::FollowKnownIssues, &self.issue.product).is_ok()
    }
}

/// Who gets mails about an issue, by the organizations that they spoke for; who spoke for several is named once.
pub fn issue_subscribers(issue: &KnownIssue) -> BTreeMap<&OrganizationId, Vec<AccountId>> {
    let mut by_organization = BTreeMap::<_, Vec<_>>::new();
    for subscriber in issue.affected.subscribers() {
        by_organization.entry(subscriber.organization).or_default().push(subscriber.account);
    }
    by_organization
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AccountDeactivated, NotificationPreferencesChanged};
    use crate::authority::CentreAccess;
    use crate::known_issue::testing::{
        Given, confirm, me_too, not_affected, post, publish, resolve, unsubscribe,
    };
    use crate::known_issue::{CustomerImpact, KnownIssueCommand};
    use crate::notification::CaseMails;
    use crate::testing::{AccessBuilder, acme, acme_id, at, catalogue, evolved, opened, people, reseller};

    fn check(given: &Given, access: &Access, who: &str, account: &Account) -> Result<(), Withheld> {
        let (catalogue, organization) = (catalogue(), acme_id());
        let own = reseller("nimbus").build();
        let reseller = access.manager().map(|manager| Reseller {
            organization: manager,
            access: &own,
            centre: CentreAccess::Open,
        });
        let circle = IssueCircle {
            issue: given.issue(),
            organization: &organization,
            access,
            reseller,
            catalogue: &catalogue,
            at: at(20),
        };
        circle.check(people(who).account, account)
    }

    fn told(given: &Given, access: AccessBuilder, who: &str) -> Result<(), Withheld> {
        check(given, &access.build(), who, &opened(who))
    }

    /// R-KI-6, R-KI-5.
    #[test]
    fn r_ki_6_who_said_that_it_affects_them_is_told_until_they_want_no_more_mails() {
        let given = Given::published().and("alice", 5, &me_too());
        assert_eq!(issue_subscribers(given.issue()).values().flatten().count(), 1);
        assert_eq!(told(&given, acme(), "alice"), Ok(()));
        assert_eq!(told(&given, acme(), "bob"), Err(Withheld::NotConcerned));
        for end in [unsubscribe(), not_affected()] {
            let ended = given.clone().and("alice", 6, &end);
            assert_eq!(told(&ended, acme(), "alice"), Err(Withheld::Stopped));
            assert!(issue_subscribers(ended.issue()).is_empty());
        }
    }

    /// R-KI-6: only updates and the resolution are news.
    #[test]
    fn r_ki_6_updates_and_the_resolution_are_mailed_and_nothing_else_is() {
        let kind = |given: Given, who: &str, command: &KnownIssueCommand| {
            issue_news(&given.when(who, 9, command).events())
        };
        let published = Given::published();
        assert_eq!(kind(published.clone(), "engineer", &post("soon")), Some(MessageKind::KnownIssueUpdated));
        assert_eq!(kind(published.clone(), "engineer", &resolve()), Some(MessageKind::KnownIssueResolved));
        assert_eq!(kind(published, "alice", &me_too()), None);
        let confirmed = Given::suspected().and("engineer", 1, &confirm(CustomerImpact::High));
        assert_eq!(kind(confirmed, "engineer", &publish()), None);
    }

    /// R-NOTIFY-3.
    #[test]
    fn r_notify_3_who_may_no_longer_see_the_issue_is_not_told() {
        let given = Given::published().and("alice", 5, &me_too());
        let none = acme().without_entitlements();
        assert_eq!(told(&given, none, "alice"), Err(Withheld::NotVisible), "without a plan");
        let mut gone = acme().build();
        gone.members.clear();
        assert_eq!(check(&given, &gone, "alice", &opened("alice")), Err(Withheld::NotVisible));
        let out = evolved(&opened("alice"), &[AccountDeactivated {}.into()]);
        assert_eq!(check(&given, &acme().build(), "alice", &out), Err(Withheld::Deactivated));
        let quiet = NotificationPreferencesChanged { case_mails: CaseMails::None, language: None };
        let quiet = evolved(&opened("alice"), &[quiet.into()]);
        assert_eq!(check(&given, &acme().build(), "alice", &quiet), Ok(()), "that is about cases");
    }

    /// R-KI-6, R-RES-2.
    #[test]
    fn r_res_2_somebody_of_the_reseller_is_told_while_it_is_let_in() {
        let access = acme().letting_in("nimbus");
        let given = Given::published().in_access(access.clone().build()).and("nina", 5, &me_too());
        assert_eq!(told(&given, access, "nina"), Ok(()));
        assert_eq!(told(&given, acme().managed_by("nimbus"), "nina"), Err(Withheld::NotVisible));
        assert_eq!(told(&given, acme(), "nina"), Err(Withheld::NotVisible));
    }
}
