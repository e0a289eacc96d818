//! The account aggregate, one per person who signs in: their verified address, their name, and whether the account is
//! active. Its id is a pseudonym of issuer and subject, so that whoever signs in is known without a lookup.
//!
//! An account is opened for an organization, either by the organization's directory (SCIM) or by a first sign-in where
//! the organization allows it, with an address in one of its verified domains. A deactivated account is out at once:
//! its authority is none.
//!
//! An address belongs to one account at a time. [`email_claim`] makes it so: first the claim of the address is
//! appended, then the account's event, guarded by the claim's revision; last the claim of an address given up is
//! released. Any step that is missing is made up for by repeating the command, and a claim whose holder does not have
//! the address may be taken over.

mod change_contact;
mod deactivate;
mod delete_account;
pub mod email_claim;
mod events;
mod notification_preferences;
mod open_account;
mod recognize;
mod rejection;
mod state;

pub use change_contact::ChangeContact;
pub use deactivate::{DeactivateAccount, ReactivateAccount};
pub use delete_account::DeleteAccount;
pub use email_claim::{
    ClaimEmail, EmailClaim, EmailClaimCommand, EmailClaimEvent, EmailClaimed, EmailReleased, HolderState,
    ReleaseEmail,
};
pub use events::{
    AccountDeactivated, AccountDeleted, AccountEmailChanged, AccountEvent, AccountOpened, AccountReactivated,
    AccountRenamed, NotificationPreferencesChanged, Provisioning, SignIn, StaffRecognized,
};
pub use notification_preferences::ChangeNotificationPreferences;
pub use open_account::OpenAccount;
pub use recognize::{is_news, recognize};
pub use rejection::AccountRejection;
pub use state::{Account, AccountStatus, OpenedAccount, RecognizedStaff};

use crate::authority::Action;
use crate::context::Context;
use crate::ids::AccountId;

/// What can be asked of an account.
#[derive(Clone, Debug)]
pub enum AccountCommand {
    /// Open it.
    Open(OpenAccount),
    /// Change its address or name.
    ChangeContact(ChangeContact),
    /// Deactivate it.
    Deactivate(DeactivateAccount),
    /// Make it active again.
    Reactivate(ReactivateAccount),
    /// End it.
    Delete(DeleteAccount),
}

/// Decides a command on an account; the context's organization is the one for which it is or was opened.
///
/// # Errors
/// [`AccountRejection`] says why nothing happens. An account of another organization is not found, nor is a deleted one.
pub fn decide(
    account: &Account,
    id: AccountId,
    command: &AccountCommand,
    context: &Context<'_>,
) -> Result<Vec<AccountEvent>, AccountRejection> {
    if let AccountCommand::Open(command) = command {
        return command.decide(account, id, context);
    }
    let by_provisioner = context.authority.open_to(Action::ProvisionAccounts);
    let own = matches!(command, AccountCommand::ChangeContact(_)) && context.actor.account == id;
    if !own {
        by_provisioner?;
    }
    let opened = account
        .opened()
        .filter(|opened| own || (Some(&opened.organization) == context.organization && !opened.deleted))
        .ok_or(AccountRejection::NotFound)?;
    match command {
        AccountCommand::Open(_) => Err(AccountRejection::AlreadyOpen),
        AccountCommand::ChangeContact(command) => command.decide(opened, own, context),
        AccountCommand::Deactivate(command) => Ok(command.decide(opened)),
        AccountCommand::Reactivate(command) => Ok(command.decide(opened)),
        AccountCommand::Delete(command) => Ok(command.decide(opened)),
    }
}
