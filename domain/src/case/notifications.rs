//! Wanting no mails about a case any more, and wanting them again: by the link of a mail, or signed in, each for themselves.

use super::events::{CaseEvent, NotificationsChannel, NotificationsResumed, NotificationsStopped};
use super::rejection::CaseRejection;
use super::state::Case;
use crate::authority::Side;
use crate::context::Context;
use crate::notification::RecipientKey;

/// Stops or resumes the mails about a case for somebody; also of a closed case.
#[derive(Clone, Debug)]
pub struct ChangeNotifications {
    /// What stands for them: an account, or the pseudonym of an address
    pub recipient: RecipientKey,
    /// Whether they want none.
    pub stop: bool,
    /// How they said so. By the link it is the system that asks, once it has checked the signature.
    pub via: NotificationsChannel,
}

impl ChangeNotifications {
    /// Saying again what was said changes nothing: mail programs follow a link more than once.
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        let is_system = context.authority.side() == Side::Support;
        let fits = match self.via {
            NotificationsChannel::Link => is_system,
            NotificationsChannel::SignedIn => {
                !is_system && self.recipient == RecipientKey::Account(context.actor.account)
            }
        };
        if !fits {
            return Err(CaseRejection::NotYourNotifications);
        }
        if case.notifications_stopped.contains(&self.recipient) == self.stop {
            return Ok(Vec::new());
        }
        let (recipient, via) = (self.recipient, self.via);
        Ok(vec![if self.stop {
            NotificationsStopped { recipient, via }.into()
        } else {
            NotificationsResumed { recipient, via }.into()
        }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CaseCommand;
    use crate::testing::{Given, close, people};

    fn change(whose: &str, stop: bool, via: NotificationsChannel) -> CaseCommand {
        let recipient = RecipientKey::Account(people(whose).account);
        CaseCommand::ChangeNotifications(ChangeNotifications { recipient, stop, via })
    }

    fn link(whose: &str, stop: bool) -> CaseCommand {
        change(whose, stop, NotificationsChannel::Link)
    }

    fn signed_in(whose: &str, stop: bool) -> CaseCommand {
        change(whose, stop, NotificationsChannel::SignedIn)
    }

    #[test]
    fn mails_stop_and_resume_signed_in_and_by_the_link_also_of_a_closed_case_and_saying_so_again_changes_nothing()
     {
        let closed = Given::filed().and("alice", 1, &close());
        let stopped = closed.clone().and("system", 2, &link("alice", true));
        assert_eq!(stopped.clone().when("system", 3, &link("alice", true)).events(), vec![]);
        assert_eq!(stopped.clone().when("alice", 3, &signed_in("alice", true)).events(), vec![]);
        assert_eq!(stopped.clone().state().filed().unwrap().notifications_stopped.len(), 1);
        let resumed = stopped.and("alice", 4, &signed_in("alice", false));
        assert!(resumed.clone().state().filed().unwrap().notifications_stopped.is_empty());
        assert_eq!(resumed.when("alice", 5, &signed_in("alice", false)).events(), vec![]);
    }

    #[test]
    fn nobody_decides_for_somebody_else_and_nobody_says_that_they_have_the_link() {
        let refused =
            |who: &str, command: &CaseCommand| Given::filed().when(who, 1, command).rejection().reason();
        assert_eq!(refused("bob", &signed_in("alice", true)), "NOT_YOUR_NOTIFICATIONS");
        assert_eq!(refused("alice", &link("alice", true)), "NOT_YOUR_NOTIFICATIONS");
        assert_eq!(refused("system", &signed_in("alice", true)), "NOT_YOUR_NOTIFICATIONS");
        assert_eq!(refused("agent-north", &link("alice", true)), "NOT_FOR_YOU");
        assert_eq!(refused("peter", &signed_in("peter", true)), "NOT_A_MEMBER");
        assert_eq!(
            Given::filed().when("carol", 1, &signed_in("carol", true)).events().len(),
            1,
            "a viewer may"
        );
    }
}
