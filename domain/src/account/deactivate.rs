//! Taking somebody out at once, and in again: by the directory or the operator.

use super::events::{AccountDeactivated, AccountEvent, AccountReactivated};
use super::state::OpenedAccount;

/// Deactivates the account.
#[derive(Clone, Debug)]
pub struct DeactivateAccount {}

impl DeactivateAccount {
    pub(super) fn decide(&self, account: &OpenedAccount) -> Vec<AccountEvent> {
        let Self {} = self;
        if account.active { vec![AccountDeactivated {}.into()] } else { Vec::new() }
    }
}

/// Makes the account active again; grants that were not removed hold again.
#[derive(Clone, Debug)]
pub struct ReactivateAccount {}

impl ReactivateAccount {
    pub(super) fn decide(&self, account: &OpenedAccount) -> Vec<AccountEvent> {
        let Self {} = self;
        if account.active { Vec::new() } else { vec![AccountReactivated {}.into()] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Account, AccountCommand, AccountStatus, ChangeContact, OpenAccount, Provisioning};
    use crate::testing::{
        acme, decide_account, decide_account_in, email_key, evolved, opened, people, sign_in,
    };

    fn run(account: &Account, who: &str, command: &AccountCommand) -> Result<(usize, Account), &'static str> {
        let events = decide_account(account, "erin", command, who, &acme().build())
            .map_err(|rejection| rejection.reason())?;
        Ok((events.len(), evolved(account, &events)))
    }

    #[test]
    fn a_deactivated_account_is_out_until_it_is_made_active_again_and_repeating_changes_nothing() {
        let out = AccountCommand::Deactivate(DeactivateAccount {});
        let back = AccountCommand::Reactivate(ReactivateAccount {});
        let (events, account) = run(&opened("erin"), "provisioner", &out).unwrap();
        assert_eq!((events, account.status()), (1, AccountStatus::Deactivated));
        assert_eq!(run(&account, "operator", &out).unwrap().0, 0);
        let (events, account) = run(&account, "operator", &back).unwrap();
        assert_eq!((events, account.status()), (1, AccountStatus::Active));
        assert_eq!(run(&account, "provisioner", &back).unwrap().0, 0);
    }

    #[test]
    fn nobody_takes_themselves_in_again_by_signing_in() {
        let out = AccountCommand::Deactivate(DeactivateAccount {});
        let (_, account) = run(&opened("erin"), "provisioner", &out).unwrap();
        let person = people("erin");
        let open = AccountCommand::Open(OpenAccount {
            provisioning: Provisioning::FirstSignIn,
            sign_in: sign_in("erin"),
            contact: person.contact.clone(),
            email: email_key("erin"),
        });
        let change = AccountCommand::ChangeContact(ChangeContact {
            contact: person.contact,
            email: email_key("other"),
        });
        for command in [open, change] {
            assert_eq!(run(&account, "erin", &command).err(), Some("NO_ACCOUNT"), "{command:?}");
        }
        let back = AccountCommand::Reactivate(ReactivateAccount {});
        for who in ["erin", "alice"] {
            assert!(
                ["NOT_A_MEMBER", "NOT_FOR_YOU"].contains(&run(&account, who, &back).err().unwrap()),
                "{who}"
            );
        }
    }

    #[test]
    fn the_directory_of_another_organization_finds_no_such_account() {
        let out = AccountCommand::Deactivate(DeactivateAccount {});
        let refused =
            decide_account_in(&opened("erin"), "erin", &out, "operator", &acme().build(), "initech")
                .unwrap_err();
        assert_eq!(refused.reason(), "ACCOUNT_NOT_FOUND");
        let elsewhere =
            decide_account_in(&opened("erin"), "erin", &out, "provisioner", &acme().build(), "initech")
                .unwrap_err();
        assert_eq!(elsewhere.reason(), "NOT_FOR_YOU", "it is bound to acme");
    }
}
