//! The recovery of an account, for whoever cannot sign in (R-ACCESS-6): `account_recovery-{ULID}`. Anybody may ask,
//! without signing in; support reads and closes it. It belongs to no organization, and nothing here looks at accounts:
//! what is answered is the same whether or not there is one.
//!
//! All that is personal of one recovery has one subject of its own, so that it is erased as one.

mod close;
mod events;
mod rejection;
mod request;
#[cfg(test)]
mod testing;

pub use close::{CloseAccountRecovery, MAX_OUTCOME_CHARS};
pub use events::{AccountRecoveryClosed, AccountRecoveryEvent, AccountRecoveryRequested};
pub use rejection::AccountRecoveryRejection;
pub use request::{MAX_DESCRIPTION_CHARS, RequestAccountRecovery};

use jiff::Timestamp;
use serde::Serialize;

use crate::authority::Action;
use crate::context::Context;
use crate::event::{Aggregate, EventAudience};
use crate::ids::{AccountId, AccountRecoveryId};
use crate::personal::{Personal, PersonalFields, PersonalSlot};

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestedRecovery {
    /// The recovery.
    pub recovery: AccountRecoveryId,
    /// Where to answer; nobody has verified it.
    pub email: Personal<String>,
    /// What they say.
    pub description: Personal<String>,
    /// The language to answer in.
    pub language: String,
    /// When.
    pub at: Timestamp,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClosedRecovery {
    /// Who closed it.
    pub closed_by: AccountId,
    /// What came of it, for support.
    pub outcome: Personal<String>,
    /// When.
    pub at: Timestamp,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountRecoveryState {
    /// Nobody asked.
    None,
    /// Support has to answer.
    Open,
    /// Support is done.
    Closed,
}

/// The recovery of an account, or nothing yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountRecovery {
    requested: Option<RequestedRecovery>,
    closed: Option<ClosedRecovery>,
}

impl AccountRecovery {
    /// What was asked.
    pub fn requested(&self) -> Option<&RequestedRecovery> {
        self.requested.as_ref()
    }

    /// What came of it, once it is closed.
    pub fn closed(&self) -> Option<&ClosedRecovery> {
        self.closed.as_ref()
    }

    /// Where it stands.
    pub fn state(&self) -> AccountRecoveryState {
        match (&self.requested, &self.closed) {
            (None, _) => AccountRecoveryState::None,
            (Some(_), None) => AccountRecoveryState::Open,
            (Some(_), Some(_)) => AccountRecoveryState::Closed,
        }
    }
}

impl PersonalFields for AccountRecovery {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        if let Some(requested) = &mut self.requested {
            visit(&mut requested.email);
            visit(&mut requested.description);
        }
        if let Some(closed) = &mut self.closed {
            visit(&mut closed.outcome);
        }
    }
}

impl Aggregate for AccountRecovery {
    type Event = AccountRecoveryEvent;

    fn evolve(&mut self, event: &AccountRecoveryEvent, at: Timestamp) {
        match event {
            AccountRecoveryEvent::AccountRecoveryRequested(event) => {
                self.requested = Some(RequestedRecovery {
                    recovery: event.recovery,
                    email: event.email.clone(),
                    description: event.description.clone(),
                    language: event.language.clone(),
                    at,
                });
            }
            AccountRecoveryEvent::AccountRecoveryClosed(event) => {
                self.closed =
                    Some(ClosedRecovery { closed_by: event.closed_by, outcome: event.outcome.clone(), at });
            }
        }
    }

    fn audience(_event: &AccountRecoveryEvent) -> EventAudience {
        EventAudience::Support
    }
}

/// What can be asked of the recovery of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountRecoveryCommand {
    /// Ask for an account back.
    Request(RequestAccountRecovery),
    /// Close it.
    Close(CloseAccountRecovery),
}

impl AccountRecoveryCommand {
    /// What the actor must be allowed to do.
    pub fn action(&self) -> Action {
        match self {
            Self::Request(_) => Action::RequestAccountRecovery,
            Self::Close(_) => Action::HandleAccountRecovery,
        }
    }
}

/// Decides a command on the recovery of an account; the context has no organization.
///
/// # Errors
/// [`AccountRecoveryRejection`] says why nothing happens.
pub fn decide(
    state: &AccountRecovery,
    command: &AccountRecoveryCommand,
    context: &Context<'_>,
) -> Result<Vec<AccountRecoveryEvent>, AccountRecoveryRejection> {
    context.authority.open_to(command.action())?;
    match command {
        AccountRecoveryCommand::Request(command) => command.decide(state, context),
        AccountRecoveryCommand::Close(command) => command.decide(state, context),
    }
}
