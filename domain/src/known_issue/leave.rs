//! 'Not affected', and no more mails (R-KI-5). Neither needs signing in: by the link in a mail the system speaks for whom it
//! was sent to.

use super::KnownIssue;
use super::affected::AffectedUser;
use super::events::{AffectedUserLeft, AffectedUserUnsubscribed, KnownIssueEvent, SaidVia};
use super::rejection::KnownIssueRejection;
use crate::authority::{AccessRefusal, Action};
use crate::context::Context;
use crate::ids::{AccountId, OrganizationId};

/// Says that it does not affect one: also unlinks the case and ends the mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SayNotAffected {
    /// For whom the system says so; `None`: for the actor.
    pub on_behalf_of: Option<AccountId>,
}

/// Wants no more mails, and stays counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe {
    /// For whom the system says so; `None`: for the actor.
    pub on_behalf_of: Option<AccountId>,
}

impl SayNotAffected {
    /// Saying it again changes nothing; on a resolved issue it is heard, too, for its mail offers it.
    pub(super) fn decide(
        &self,
        issue: &KnownIssue,
        context: &Context<'_>,
    ) -> Result<Vec<KnownIssueEvent>, KnownIssueRejection> {
        let (organization, account, user, via) = spoken(issue, self.on_behalf_of, context)?;
        let case = user.case;
        Ok(if user.affected {
            vec![AffectedUserLeft { account, organization, case, via }.into()]
        } else {
            unsubscribed(organization, account, user, via)
        })
    }
}

impl Unsubscribe {
    /// Saying it again changes nothing.
    pub(super) fn decide(
        &self,
        issue: &KnownIssue,
        context: &Context<'_>,
    ) -> Result<Vec<KnownIssueEvent>, KnownIssueRejection> {
        let (organization, account, user, via) = spoken(issue, self.on_behalf_of, context)?;
        Ok(unsubscribed(organization, account, user, via))
    }
}

fn unsubscribed(
    organization: OrganizationId,
    account: AccountId,
    user: AffectedUser,
    via: SaidVia,
) -> Vec<KnownIssueEvent> {
    if user.subscribed {
        vec![AffectedUserUnsubscribed { account, organization, case: user.case, via }.into()]
    } else {
        Vec::new()
    }
}

/// Who speaks, what they had said, and how.
fn spoken(
    issue: &KnownIssue,
    on_behalf_of: Option<AccountId>,
    context: &Context<'_>,
) -> Result<(OrganizationId, AccountId, AffectedUser, SaidVia), KnownIssueRejection> {
    let is_system = context.authority.open_to(Action::ActAsSystem).is_ok();
    let (account, via) = match on_behalf_of {
        Some(account) if is_system => (account, SaidVia::MailLink),
        Some(_) => return Err(AccessRefusal::NotForYou { who: "the system itself" }.into()),
        None => (context.actor.account, SaidVia::SignedIn),
    };
    if issue.publication.is_none() {
        return Err(KnownIssueRejection::NotFound);
    }
    let organization = context.organization.ok_or(AccessRefusal::NotAMember)?;
    let user = issue.affected.get(organization, account).ok_or(KnownIssueRejection::NotJoined)?;
    Ok((organization.clone(), account, user, via))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Given, me_too, not_affected, resolve, unsubscribe};
    use super::*;
    use crate::known_issue::KnownIssueCommand;
    use crate::testing::{acme, people};

    fn joined() -> Given {
        Given::published().and("alice", 5, &me_too()).and("bob", 5, &me_too())
    }

    fn subscribers(given: &Given) -> Vec<AccountId> {
        given.issue().affected.subscribers().map(|user| user.account).collect()
    }

    /// R-KI-5.
    #[test]
    fn r_ki_5_unsubscribing_keeps_case_and_count() {
        let given = joined().and("alice", 6, &unsubscribe());
        assert_eq!(subscribers(&given), [people("bob").account]);
        assert_eq!(given.issue().affected.users_count(), 2);
        assert_eq!(given.when("alice", 7, &unsubscribe()).events(), vec![]);
    }

    /// R-KI-5.
    #[test]
    fn r_ki_5_not_affected_unsubscribes_unlinks_and_decrements_also_after_the_resolution() {
        for given in [joined(), joined().and("engineer", 6, &resolve())] {
            let events = given.clone().when("alice", 7, &not_affected()).events();
            let [KnownIssueEvent::AffectedUserLeft(left)] = &events[..] else { panic!("{events:?}") };
            assert_eq!(left.via, SaidVia::SignedIn);
            let given = given.and("alice", 7, &not_affected());
            assert_eq!(subscribers(&given), [people("bob").account]);
            assert_eq!(given.issue().affected.users_count(), 1);
            for again in [not_affected(), unsubscribe()] {
                assert_eq!(given.clone().when("alice", 8, &again).events(), vec![]);
            }
        }
    }

    /// R-KI-5.
    #[test]
    fn r_ki_5_neither_needs_signing_in_and_only_the_system_speaks_for_others() {
        let alice = Some(people("alice").account);
        let not_affected = KnownIssueCommand::SayNotAffected(SayNotAffected { on_behalf_of: alice });
        let unsubscribe = KnownIssueCommand::Unsubscribe(Unsubscribe { on_behalf_of: alice });
        // Whatever has become of the organization's access: the link still works.
        let gone = joined().in_access(acme().without_entitlements().managed_by("nimbus").build());
        for (command, subscribed) in [(&not_affected, false), (&unsubscribe, false)] {
            let after = gone.clone().and("system", 9, command);
            assert_eq!(subscribers(&after).contains(&people("alice").account), subscribed);
            assert_eq!(joined().when("bob", 9, command).reason(), "NOT_FOR_YOU");
            assert_eq!(joined().when("engineer", 9, command).reason(), "NOT_FOR_YOU");
        }
        let events = gone.when("system", 9, &not_affected).events();
        let [KnownIssueEvent::AffectedUserLeft(left)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(left.via, SaidVia::MailLink);
    }

    #[test]
    fn who_never_joined_has_nothing_to_leave() {
        for command in [not_affected(), unsubscribe()] {
            assert_eq!(Given::published().when("alice", 5, &command).reason(), "NOT_JOINED");
            assert_eq!(Given::suspected().when("alice", 5, &command).reason(), "KNOWN_ISSUE_NOT_FOUND");
            assert_eq!(Given::published().when("peter", 5, &command).reason(), "NOT_A_MEMBER");
        }
    }
}
