//! Closing the recovery of an account, for support (R-ACCESS-6).

use super::rejection::check_text;
use super::{
    AccountRecovery, AccountRecoveryClosed, AccountRecoveryEvent, AccountRecoveryRejection,
    AccountRecoveryState,
};
use crate::context::Context;
use crate::personal::Personal;

/// Longest outcome, in characters.
pub const MAX_OUTCOME_CHARS: usize = 5_000;

/// Closes it with what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseAccountRecovery {
    /// What came of it, for support. It speaks of the person: it is kept under the same subject as what they wrote.
    pub outcome: String,
}

impl CloseAccountRecovery {
    pub(super) fn decide(
        &self,
        state: &AccountRecovery,
        context: &Context<'_>,
    ) -> Result<Vec<AccountRecoveryEvent>, AccountRecoveryRejection> {
        let requested = state.requested().ok_or(AccountRecoveryRejection::NotFound)?;
        if state.state() == AccountRecoveryState::Closed {
            return Err(AccountRecoveryRejection::AlreadyClosed);
        }
        check_text("outcome", &self.outcome, MAX_OUTCOME_CHARS)?;
        let outcome = Personal::new(requested.email.subject().clone(), self.outcome.clone());
        Ok(vec![AccountRecoveryClosed { closed_by: context.actor.account, outcome }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::AccountRecoveryCommand;
    use super::super::testing::{decide_as, requested};
    use super::*;
    use crate::event::{Aggregate, EventAudience};
    use crate::testing::{at, people};

    fn close(outcome: &str) -> AccountRecoveryCommand {
        AccountRecoveryCommand::Close(CloseAccountRecovery { outcome: outcome.to_owned() })
    }

    fn reason(who: &str, state: &AccountRecovery, outcome: &str) -> Option<&'static str> {
        decide_as(&people(who), state, &close(outcome)).err().map(|rejection| rejection.reason())
    }

    /// R-ACCESS-6.
    #[test]
    fn r_access_6_agents_and_the_operator_close_a_recovery_once_with_what_came_of_it() {
        let mut state = requested();
        for who in ["agent-north", "operator"] {
            assert_eq!(reason(who, &state, "Identity proven by phone."), None, "{who}");
        }
        let events = decide_as(&people("agent-north"), &state, &close("Proven.")).unwrap();
        let [event @ AccountRecoveryEvent::AccountRecoveryClosed(closed)] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(closed.closed_by, people("agent-north").account);
        assert_eq!(closed.outcome.subject(), state.requested().unwrap().email.subject());
        assert_eq!(AccountRecovery::audience(event), EventAudience::Support);
        state.evolve(event, at(9));
        assert_eq!(state.state(), AccountRecoveryState::Closed);
        assert_eq!(state.closed().map(|closed| closed.at), Some(at(9)));
        assert_eq!(reason("agent-north", &state, "Again."), Some("ACCOUNT_RECOVERY_CLOSED"));
    }

    /// R-ACCESS-6.
    #[test]
    fn r_access_6_nobody_else_closes_a_recovery_nor_learns_whether_there_is_one() {
        for who in ["alice", "peter", "engineer", "auditor", "analyst", "provisioner"] {
            for state in [requested(), AccountRecovery::default()] {
                assert_eq!(reason(who, &state, "Proven."), Some("NOT_FOR_YOU"), "{who}");
            }
        }
    }

    #[test]
    fn what_nobody_asked_for_is_not_closed_and_an_outcome_says_something() {
        let nothing = AccountRecovery::default();
        assert_eq!(reason("operator", &nothing, "Proven."), Some("ACCOUNT_RECOVERY_NOT_FOUND"));
        assert_eq!(reason("operator", &requested(), " "), Some("INVALID_FIELD"));
        let long = "x".repeat(MAX_OUTCOME_CHARS + 1);
        assert_eq!(reason("operator", &requested(), &long), Some("INVALID_FIELD"));
    }
}
