//! Asking for an account back, without signing in (R-ACCESS-6).

use std::fmt;

use super::rejection::check_text;
use super::{AccountRecovery, AccountRecoveryEvent, AccountRecoveryRejection, AccountRecoveryRequested};
use crate::address::EmailAddress;
use crate::context::Context;
use crate::ids::AccountRecoveryId;
use crate::personal::{Personal, Subject};

/// Longest description, in characters.
pub const MAX_DESCRIPTION_CHARS: usize = 5_000;

/// Asks support to recover an account. No account is looked at: the answer is the same whether or not there is one.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestAccountRecovery {
    /// Where to answer.
    pub email: String,
    /// What happened.
    pub description: String,
    /// The language to answer in, a wish (BCP 47); one that support does not speak becomes `en`.
    pub language: String,
}

impl fmt::Debug for RequestAccountRecovery {
    /// Never shows what is personal: debug output reaches logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestAccountRecovery").field("language", &self.language).finish_non_exhaustive()
    }
}

impl RequestAccountRecovery {
    /// What was asked already stays as it is.
    pub(super) fn decide(
        &self,
        state: &AccountRecovery,
        context: &Context<'_>,
    ) -> Result<Vec<AccountRecoveryEvent>, AccountRecoveryRejection> {
        if state.requested().is_some() {
            return Ok(Vec::new());
        }
        let email = EmailAddress::parse(&self.email)
            .map_err(|error| AccountRecoveryRejection::Invalid { field: "email", why: error.to_string() })?;
        check_text("description", &self.description, MAX_DESCRIPTION_CHARS)?;
        let recovery = AccountRecoveryId::derived(context.command_id);
        let personal = |text: &str| Personal::new(Subject::account_recovery(recovery), text.to_owned());
        Ok(vec![
            AccountRecoveryRequested {
                recovery,
                email: personal(email.as_given()),
                description: personal(&self.description),
                language: context.catalogue.language(&self.language),
            }
            .into(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decide_as, request, requested};
    use super::super::{AccountRecoveryCommand, AccountRecoveryState};
    use super::*;
    use crate::event::{Aggregate, EventAudience};
    use crate::testing::{at, people};

    fn refused(command: RequestAccountRecovery) -> (Option<&'static str>, String) {
        let command = AccountRecoveryCommand::Request(command);
        let rejection = decide_as(&people("peter"), &AccountRecovery::default(), &command).unwrap_err();
        assert_eq!(rejection.reason(), "INVALID_FIELD");
        (rejection.field(), rejection.to_string())
    }

    /// R-ACCESS-6.
    #[test]
    fn r_access_6_anybody_asks_for_an_account_back_and_it_is_kept_for_support_under_a_subject_of_its_own() {
        for who in ["peter", "alice", "agent-north"] {
            let command = AccountRecoveryCommand::Request(request());
            let events = decide_as(&people(who), &AccountRecovery::default(), &command).unwrap();
            let [event @ AccountRecoveryEvent::AccountRecoveryRequested(asked)] = &events[..] else {
                panic!("{events:?}")
            };
            assert_eq!(asked.email.open().map(String::as_str), Some("Lost@Acme.example"));
            assert_eq!(asked.language, "fr");
            let subject = format!("account_recovery-{}", asked.recovery);
            assert_eq!(
                (asked.email.subject().as_str(), asked.description.subject().as_str()),
                (&*subject, &*subject)
            );
            assert_eq!(AccountRecovery::audience(event), EventAudience::Support);
            let mut state = AccountRecovery::default();
            state.evolve(event, at(5));
            assert_eq!(state.state(), AccountRecoveryState::Open);
            assert_eq!(state.requested().map(|requested| requested.at), Some(at(5)));
        }
    }

    #[test]
    fn what_was_asked_already_is_not_asked_again() {
        let again = AccountRecoveryCommand::Request(request());
        assert_eq!(decide_as(&people("peter"), &requested(), &again), Ok(Vec::new()));
    }

    /// R-ACCESS-6.
    #[test]
    fn r_access_6_an_address_that_is_none_and_a_text_of_no_length_or_too_much_are_refused_by_field() {
        let with = |change: fn(&mut RequestAccountRecovery)| {
            let mut request = request();
            change(&mut request);
            refused(request)
        };
        for bad in ["", "lost", "lost@acme", "lost@аcme.example"] {
            let mut request = request();
            bad.clone_into(&mut request.email);
            assert_eq!(refused(request).0, Some("email"), "{bad}");
        }
        assert_eq!(with(|request| request.description = " \n".to_owned()).0, Some("description"));
        let (field, why) = with(|request| request.description = "ä".repeat(MAX_DESCRIPTION_CHARS + 1));
        assert_eq!(field, Some("description"));
        assert!(why.contains("5000"), "{why}");
        let mut longest = request();
        longest.description = "ä".repeat(MAX_DESCRIPTION_CHARS);
        let command = AccountRecoveryCommand::Request(longest);
        assert!(decide_as(&people("peter"), &AccountRecovery::default(), &command).is_ok());
    }

    #[test]
    fn debug_output_never_shows_who_asks() {
        let shown = format!("{:?}", request());
        assert!(!shown.contains("Acme") && !shown.contains("phone"), "{shown}");
    }
}
