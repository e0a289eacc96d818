//! Recoveries that the tests speak of.

use super::{
    AccountRecovery, AccountRecoveryCommand, AccountRecoveryEvent, AccountRecoveryRejection,
    RequestAccountRecovery, decide,
};
use crate::access::Access;
use crate::event::Aggregate;
use crate::testing::{Circumstances, at, people};
use crate::{Actor, Authority, Context};

pub(super) fn request() -> RequestAccountRecovery {
    RequestAccountRecovery {
        email: " Lost@Acme.example ".to_owned(),
        description: "My phone with the second factor is gone.".to_owned(),
        language: "fr-BE".to_owned(),
    }
}

/// What somebody decides for no organization.
pub(super) fn decide_as(
    who: &Actor,
    state: &AccountRecovery,
    command: &AccountRecoveryCommand,
) -> Result<Vec<AccountRecoveryEvent>, AccountRecoveryRejection> {
    let (access, authority) = (Access::default(), Authority::across_organizations(who));
    Circumstances::new(&access, who, at(0)).decide(|context| {
        let context =
            Context { authority: &authority, organization: None, access_revision: None, ..*context };
        decide(state, command, &context)
    })
}

/// A recovery that somebody asked for.
pub(super) fn requested() -> AccountRecovery {
    let events =
        decide_as(&people("peter"), &AccountRecovery::default(), &AccountRecoveryCommand::Request(request()));
    let mut state = AccountRecovery::default();
    for event in events.unwrap() {
        state.evolve(&event, at(0));
    }
    state
}
