//! Ending an account, when the directory knows its person no more: out at once, as by deactivation, and no longer shown
//! to the directory. The address is free for somebody else.
//!
//! The same organization's directory may open the account again. No other one may: what the person was granted holds
//! again with the account, and an organization's people do not come back by the word of another.

use super::events::{AccountDeleted, AccountEvent};
use super::state::OpenedAccount;

/// Ends the account.
#[derive(Clone, Debug)]
pub struct DeleteAccount {}

impl DeleteAccount {
    pub(super) fn decide(&self, account: &OpenedAccount) -> Vec<AccountEvent> {
        let Self {} = self;
        if account.deleted { Vec::new() } else { vec![AccountDeleted {}.into()] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{
        Account, AccountCommand, AccountStatus, ChangeContact, DeactivateAccount, OpenAccount, Provisioning,
        ReactivateAccount,
    };
    use crate::testing::{
        acme, decide_account, decide_account_in, email_key, evolved, opened, people, sign_in,
    };

    fn delete() -> AccountCommand {
        AccountCommand::Delete(DeleteAccount {})
    }

    fn run(account: &Account, who: &str, command: &AccountCommand) -> Result<(usize, Account), &'static str> {
        let events = decide_account(account, "erin", command, who, &acme().build())
            .map_err(|rejection| rejection.reason())?;
        Ok((events.len(), evolved(account, &events)))
    }

    fn open(provisioning: Provisioning) -> AccountCommand {
        AccountCommand::Open(OpenAccount {
            provisioning,
            sign_in: sign_in("erin"),
            contact: people("erin").contact,
            email: email_key("erin"),
        })
    }

    #[test]
    fn a_deleted_account_is_out_and_gives_its_address_up_and_is_no_account_to_the_directory() {
        let out = AccountCommand::Deactivate(DeactivateAccount {});
        let deactivated = run(&opened("erin"), "provisioner", &out).unwrap().1;
        for account in [opened("erin"), deactivated] {
            let (events, deleted) = run(&account, "provisioner", &delete()).unwrap();
            assert_eq!((events, deleted.status()), (1, AccountStatus::Deactivated));
            assert!(!deleted.has_email(email_key("erin")));
            let change = AccountCommand::ChangeContact(ChangeContact {
                contact: people("erin").contact,
                email: email_key("other"),
            });
            let back = AccountCommand::Reactivate(ReactivateAccount {});
            for command in [&delete(), &out, &back, &change] {
                let refused = run(&deleted, "provisioner", command).err();
                assert_eq!(refused, Some("ACCOUNT_NOT_FOUND"), "{command:?}");
            }
            let own = run(&deleted, "erin", &change).err();
            assert_eq!(own, Some("NO_ACCOUNT"), "a sign-in changes nothing");
        }
    }

    #[test]
    fn the_same_directory_opens_it_again_and_neither_a_sign_in_nor_another_directory_does() {
        let (_, deleted) = run(&opened("erin"), "provisioner", &delete()).unwrap();
        assert_eq!(run(&deleted, "erin", &open(Provisioning::FirstSignIn)).err(), Some("NO_ACCOUNT"));
        let directory = open(Provisioning::Directory);
        let access = acme().build();
        let elsewhere =
            decide_account_in(&deleted, "erin", &directory, "operator", &access, "initech").unwrap_err();
        assert_eq!(elsewhere.reason(), "ACCOUNT_ALREADY_OPEN");
        let (events, again) = run(&deleted, "provisioner", &directory).unwrap();
        assert_eq!((events, again.status()), (1, AccountStatus::Active));
        assert!(again.has_email(email_key("erin")));
        assert_eq!(run(&again, "provisioner", &delete()).unwrap().0, 1);
    }

    #[test]
    fn nobody_else_deletes_an_account() {
        assert_eq!(run(&opened("erin"), "erin", &delete()).err(), Some("NOT_A_MEMBER"));
        assert_eq!(run(&opened("erin"), "alice", &delete()).err(), Some("NOT_FOR_YOU"));
        assert_eq!(run(&Account::default(), "provisioner", &delete()).err(), Some("ACCOUNT_NOT_FOUND"));
    }
}
