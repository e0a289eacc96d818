//! The claim of an address: which account has it. A stream per pseudonym, `account_email-{key}`, answers 'the account
//! of this address' without a read model, and lets one account have an address at a time.
//!
//! The claim comes first, then the account's own event, which guards the claim's revision. A claim whose holder does
//! not have the address (the second half never came, or the holder has moved on) may be taken over; that append guards
//! the holder's account in turn, so that of two that race only one gets through.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection::AccountRejection;
use crate::event::{Aggregate, EventAudience, domain_events};
use crate::ids::AccountId;
use crate::personal::{PersonalFields, PersonalSlot, personal_fields};

/// The address belongs to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmailClaimed {
    /// The account.
    pub account: AccountId,
}
personal_fields!(EmailClaimed {});

/// The address belongs to the account no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmailReleased {
    /// The account.
    pub account: AccountId,
}
personal_fields!(EmailReleased {});

domain_events! {
    /// Everything that can have happened to the claim of an address.
    pub enum EmailClaimEvent {
        /// It belongs to an account.
        EmailClaimed @ 1,
        /// It belongs to that account no more.
        EmailReleased @ 1,
    }
}

/// Which account has an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EmailClaim {
    /// The account that holds the claim; whether it has the address, its own state says.
    pub holder: Option<AccountId>,
}

impl PersonalFields for EmailClaim {
    fn for_each_personal(&mut self, _visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {}
}

impl Aggregate for EmailClaim {
    type Event = EmailClaimEvent;

    fn evolve(&mut self, event: &EmailClaimEvent, _at: Timestamp) {
        match event {
            EmailClaimEvent::EmailClaimed(event) => self.holder = Some(event.account),
            EmailClaimEvent::EmailReleased(event) => {
                if self.holder == Some(event.account) {
                    self.holder = None;
                }
            }
        }
    }

    fn audience(_event: &EmailClaimEvent) -> EventAudience {
        EventAudience::Internal
    }
}

/// What another holder's account says of the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolderState {
    /// It has the address, active or not.
    HasIt,
    /// It does not have it: it was never opened, or has another one.
    HasItNot,
}

/// Claims the address for an account.
#[derive(Clone, Copy, Debug)]
pub struct ClaimEmail {
    /// The account.
    pub account: AccountId,
    /// What the account of another holder says; without one it does not matter.
    pub holder: HolderState,
}

/// Gives the address up.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseEmail {
    /// The account that had it.
    pub account: AccountId,
}

/// What can be asked of a claim. The system asks, on behalf of a command on an account that was allowed.
#[derive(Clone, Copy, Debug)]
pub enum EmailClaimCommand {
    /// Claim it.
    Claim(ClaimEmail),
    /// Give it up.
    Release(ReleaseEmail),
}

/// Decides a command on a claim. Claiming what one holds and releasing what one does not hold changes nothing.
///
/// # Errors
/// [`AccountRejection::EmailTaken`].
pub fn decide(
    claim: &EmailClaim,
    command: &EmailClaimCommand,
) -> Result<Vec<EmailClaimEvent>, AccountRejection> {
    match command {
        EmailClaimCommand::Claim(command) => match claim.holder {
            Some(holder) if holder == command.account => Ok(Vec::new()),
            Some(_) if command.holder == HolderState::HasIt => Err(AccountRejection::EmailTaken),
            Some(_) | None => Ok(vec![EmailClaimed { account: command.account }.into()]),
        },
        EmailClaimCommand::Release(command) if claim.holder == Some(command.account) => {
            Ok(vec![EmailReleased { account: command.account }.into()])
        }
        EmailClaimCommand::Release(_) => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::people;

    fn run(claim: &mut EmailClaim, command: EmailClaimCommand) -> Result<usize, AccountRejection> {
        let events = decide(claim, &command)?;
        for event in &events {
            claim.evolve(event, Timestamp::UNIX_EPOCH);
        }
        Ok(events.len())
    }

    #[test]
    fn an_address_has_one_account_and_is_taken_over_only_from_one_that_does_not_have_it() {
        let [alice, bob] = ["alice", "bob"].map(|name| people(name).account);
        let claim_as = |account, holder| EmailClaimCommand::Claim(ClaimEmail { account, holder });
        let mut claim = EmailClaim::default();
        assert_eq!(run(&mut claim, claim_as(alice, HolderState::HasIt)), Ok(1));
        assert_eq!(
            run(&mut claim, claim_as(alice, HolderState::HasIt)),
            Ok(0),
            "repeating completes a half-done pair"
        );
        assert_eq!(run(&mut claim, claim_as(bob, HolderState::HasIt)), Err(AccountRejection::EmailTaken));
        assert_eq!(run(&mut claim, claim_as(bob, HolderState::HasItNot)), Ok(1));
        assert_eq!(claim.holder, Some(bob));
        let release = |account| EmailClaimCommand::Release(ReleaseEmail { account });
        assert_eq!(run(&mut claim, release(alice)), Ok(0), "who holds it no more releases nothing");
        assert_eq!(run(&mut claim, release(bob)), Ok(1));
        assert_eq!(claim.holder, None);
    }
}
