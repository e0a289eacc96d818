//! Sending feedback (R-FEEDBACK-1).

use std::fmt;

use super::{Feedback, FeedbackEvent, FeedbackRejection, FeedbackSent};
use crate::context::Context;
use crate::ids::FeedbackId;
use crate::personal::Personal;

/// Longest feedback, in characters.
pub const MAX_FEEDBACK_CHARS: usize = 10_000;

/// Sends feedback.
#[derive(Clone, PartialEq, Eq)]
pub struct SendFeedback {
    /// What they say.
    pub text: String,
}

impl fmt::Debug for SendFeedback {
    /// Never shows what is personal: debug output reaches logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendFeedback").finish_non_exhaustive()
    }
}

impl SendFeedback {
    /// What was sent already stays as it is.
    pub(super) fn decide(
        &self,
        state: &Feedback,
        context: &Context<'_>,
    ) -> Result<Vec<FeedbackEvent>, FeedbackRejection> {
        if state.sent().is_some() {
            return Ok(Vec::new());
        }
        let invalid = |why: String| FeedbackRejection::Invalid { field: "text", why };
        if self.text.trim().is_empty() {
            return Err(invalid("must not be empty".to_owned()));
        }
        // Bytes bound characters from above.
        if self.text.len() > MAX_FEEDBACK_CHARS && self.text.chars().count() > MAX_FEEDBACK_CHARS {
            return Err(invalid(format!("must have at most {MAX_FEEDBACK_CHARS} characters")));
        }
        let contact = &context.actor.contact;
        Ok(vec![
            FeedbackSent {
                feedback: FeedbackId::derived(context.command_id),
                sender: context.actor.account,
                contact: contact.clone(),
                text: Personal::new(contact.subject().clone(), self.text.clone()),
            }
            .into(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use crate::account::AccountStatus;
    use crate::authority::{Authority, Principal};
    use crate::event::{Aggregate, EventAudience};
    use crate::testing::{Circumstances, at, people};

    fn send_as(
        who: &str,
        account: AccountStatus,
        state: &Feedback,
        text: &str,
    ) -> Result<Vec<FeedbackEvent>, FeedbackRejection> {
        let (actor, access) = (people(who), Access::default());
        let principal = Principal { account, ..Principal::direct(&actor) };
        let authority = Authority::across(&principal, at(0));
        Circumstances::new(&access, &actor, at(0)).decide(|context| {
            let context =
                Context { authority: &authority, organization: None, access_revision: None, ..*context };
            super::super::decide(state, &SendFeedback { text: text.to_owned() }, &context)
        })
    }

    /// R-FEEDBACK-1.
    #[test]
    fn r_feedback_1_whoever_is_signed_in_sends_feedback_member_or_not() {
        for (who, account) in [
            ("alice", AccountStatus::Active),
            ("peter", AccountStatus::Unknown),
            ("agent-north", AccountStatus::Active),
            ("auditor", AccountStatus::Unknown),
        ] {
            let events = send_as(who, account, &Feedback::default(), "I like it.").unwrap();
            let [event @ FeedbackEvent::FeedbackSent(sent)] = &events[..] else { panic!("{events:?}") };
            assert_eq!(sent.sender, people(who).account);
            assert_eq!(sent.text.open().map(String::as_str), Some("I like it."));
            assert_eq!(sent.text.subject(), people(who).contact.subject());
            assert_eq!(Feedback::audience(event), EventAudience::Support);
            let mut state = Feedback::default();
            state.evolve(event, at(3));
            assert_eq!(state.sent().map(|sent| sent.at), Some(at(3)));
            assert_eq!(send_as(who, account, &state, "I like it."), Ok(Vec::new()));
        }
    }

    #[test]
    fn a_deactivated_account_sends_none_and_a_text_says_something_and_is_bounded() {
        let refused = |account, text: &str| {
            send_as("alice", account, &Feedback::default(), text).map(|_| ()).unwrap_err().reason()
        };
        assert_eq!(refused(AccountStatus::Deactivated, "Hello"), "NO_ACCOUNT");
        assert_eq!(refused(AccountStatus::Active, " \n"), "INVALID_FIELD");
        let long = "ä".repeat(MAX_FEEDBACK_CHARS);
        assert!(send_as("alice", AccountStatus::Active, &Feedback::default(), &long).is_ok());
        assert_eq!(refused(AccountStatus::Active, &(long + "ä")), "INVALID_FIELD");
    }

    #[test]
    fn debug_output_never_shows_what_was_said() {
        let shown = format!("{:?}", SendFeedback { text: "secret".to_owned() });
        assert!(!shown.contains("secret"), "{shown}");
    }
}
