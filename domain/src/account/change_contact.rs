//! Changing the address or the name of an account: by the directory that feeds it, or by a sign-in that says otherwise.

use super::events::{AccountEmailChanged, AccountEvent, AccountRenamed};
use super::open_account::check_email;
use super::rejection::AccountRejection;
use super::state::OpenedAccount;
use crate::address::EmailAddress;
use crate::authority::AccessRefusal;
use crate::context::Context;
use crate::ids::EmailKey;
use crate::personal::{Contact, Personal};

/// Changes how somebody is shown and reached.
#[derive(Clone, Debug)]
pub struct ChangeContact {
    /// The new contact; the address must have been verified.
    pub contact: Personal<Contact>,
    /// Pseudonym of the address, whose claim the account holds.
    pub email: EmailKey,
}

impl ChangeContact {
    /// The directory gives addresses of its organization only. Who signs in brings an address that the issuer verified,
    /// whichever it is: grants belong to the account and stay.
    pub(super) fn decide(
        &self,
        account: &OpenedAccount,
        own: bool,
        context: &Context<'_>,
    ) -> Result<Vec<AccountEvent>, AccountRejection> {
        if own && !account.active {
            return Err(AccessRefusal::NoAccount { deactivated: true }.into());
        }
        if account.email == self.email {
            if account.contact.open() == self.contact.open() {
                return Ok(Vec::new());
            }
            return Ok(vec![AccountRenamed { contact: self.contact.clone() }.into()]);
        }
        if own {
            let email = self.contact.open().map(|contact| contact.email.as_str()).unwrap_or_default();
            EmailAddress::parse(email).map_err(|why| AccountRejection::invalid("email", why.to_string()))?;
        } else {
            check_email(&self.contact, context)?;
        }
        Ok(vec![AccountEmailChanged { email: self.email, contact: self.contact.clone() }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Account, AccountCommand, AccountEvent};
    use crate::testing::{acme, decide_account, email_key, evolved, opened, people};

    fn change(
        account: &Account,
        who: &str,
        email: &str,
        name: &str,
    ) -> Result<Vec<AccountEvent>, &'static str> {
        let contact = Contact { email: email.to_owned(), display_name: name.to_owned() };
        let command = AccountCommand::ChangeContact(ChangeContact {
            contact: Personal::new(people("erin").contact.subject().clone(), contact),
            email: email_key(email.split(['@', '+']).next().unwrap()),
        });
        decide_account(account, "erin", &command, who, &acme().build())
            .map_err(|rejection| rejection.reason())
    }

    #[test]
    fn another_address_is_one_event_and_another_name_another() {
        let erin = opened("erin");
        for who in ["erin", "provisioner"] {
            let email = change(&erin, who, "erin.smith@acme.example", "erin").unwrap();
            assert!(matches!(&email[..], [AccountEvent::AccountEmailChanged(_)]), "{who}: {email:?}");
            assert!(evolved(&erin, &email).has_email(email_key("erin.smith")));
            let name = change(&erin, who, "erin@acme.example", "Erin Smith").unwrap();
            assert!(matches!(&name[..], [AccountEvent::AccountRenamed(_)]), "{who}: {name:?}");
            let written = change(&erin, who, "erin+x@acme.example", "erin").unwrap();
            assert!(
                matches!(&written[..], [AccountEvent::AccountRenamed(_)]),
                "the same mailbox, written otherwise"
            );
            assert_eq!(change(&erin, who, "erin@acme.example", "erin"), Ok(vec![]));
        }
    }

    #[test]
    fn a_sign_in_may_bring_an_address_elsewhere_and_a_directory_may_not() {
        let erin = opened("erin");
        assert_eq!(change(&erin, "erin", "erin2@initech.example", "erin").unwrap().len(), 1);
        assert_eq!(change(&erin, "provisioner", "erin2@initech.example", "erin"), Err("INVALID_FIELD"));
        assert_eq!(change(&erin, "erin", "nonsense", "erin"), Err("INVALID_FIELD"));
    }

    #[test]
    fn nobody_changes_somebody_elses_account_or_one_that_is_not_there() {
        assert_eq!(change(&opened("erin"), "alice", "e@acme.example", "x"), Err("NOT_FOR_YOU"));
        assert_eq!(
            change(&Account::default(), "provisioner", "e@acme.example", "x"),
            Err("ACCOUNT_NOT_FOUND")
        );
        assert_eq!(change(&Account::default(), "erin", "e@acme.example", "x"), Err("ACCOUNT_NOT_FOUND"));
    }
}
