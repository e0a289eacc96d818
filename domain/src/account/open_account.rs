//! Opening an account: by the organization's directory, or by a first sign-in where the organization allows it.

use super::events::{AccountEvent, AccountOpened, Provisioning, SignIn};
use super::rejection::AccountRejection;
use super::state::{Account, AccountStatus};
use crate::address::EmailAddress;
use crate::authority::{AccessRefusal, Action};
use crate::context::Context;
use crate::ids::{AccountId, EmailKey, OrganizationId};
use crate::personal::{Contact, Personal};

/// Opens an account.
#[derive(Clone, Debug)]
pub struct OpenAccount {
    /// How it comes to be.
    pub provisioning: Provisioning,
    /// Who vouches for the person.
    pub sign_in: Personal<SignIn>,
    /// How they are shown and reached; the address must have been verified.
    pub contact: Personal<Contact>,
    /// Pseudonym of the address, whose claim the account holds.
    pub email: EmailKey,
}

impl OpenAccount {
    /// A first sign-in of who has an account opens none, and is no mistake.
    pub(super) fn decide(
        &self,
        account: &Account,
        id: AccountId,
        context: &Context<'_>,
    ) -> Result<Vec<AccountEvent>, AccountRejection> {
        match self.provisioning {
            Provisioning::Directory => context.authority.open_to(Action::ProvisionAccounts)?,
            Provisioning::FirstSignIn if context.actor.account != id => {
                return Err(AccessRefusal::NotForYou { who: "the person who signs in" }.into());
            }
            Provisioning::FirstSignIn => {}
        }
        match (account.status(), self.provisioning) {
            (AccountStatus::Unknown, _) => {}
            (_, Provisioning::Directory) if is_deleted_from(account, context.organization) => {}
            (_, Provisioning::Directory) => return Err(AccountRejection::AlreadyOpen),
            (AccountStatus::Active, Provisioning::FirstSignIn) => return Ok(Vec::new()),
            (AccountStatus::Deactivated, Provisioning::FirstSignIn) => {
                return Err(AccessRefusal::NoAccount { deactivated: true }.into());
            }
        }
        let organization = context.organization.ok_or(AccountRejection::NotFound)?.clone();
        let allowed =
            context.access.first_sign_in_opens_accounts || self.provisioning == Provisioning::Directory;
        if context.access.registration.is_none() || !allowed {
            return Err(AccountRejection::FirstSignInNotAllowed);
        }
        check_email(&self.contact, context)?;
        Ok(vec![
            AccountOpened {
                account: id,
                organization,
                provisioning: self.provisioning,
                sign_in: self.sign_in.clone(),
                contact: self.contact.clone(),
                email: self.email,
            }
            .into(),
        ])
    }
}

/// Whether an organization's directory has deleted the account: only then, and only there, may it be opened again.
fn is_deleted_from(account: &Account, organization: Option<&OrganizationId>) -> bool {
    account.opened().is_some_and(|opened| opened.deleted && Some(&opened.organization) == organization)
}

/// The address must be in a verified domain of the organization, and none of consumer mail (R-ACCESS-8).
pub(super) fn check_email(
    contact: &Personal<Contact>,
    context: &Context<'_>,
) -> Result<(), AccountRejection> {
    let email = contact.open().map(|contact| contact.email.as_str()).unwrap_or_default();
    let email =
        EmailAddress::parse(email).map_err(|why| AccountRejection::invalid("email", why.to_string()))?;
    if email.domain().is_within(&context.catalogue.access.consumer_mail_domains)
        || !context.access.domains.contains(email.domain().as_str())
    {
        return Err(AccountRejection::invalid(
            "email",
            "must be in one of the organization's verified domains",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountCommand;
    use crate::testing::{acme, decide_account, email_key, opened, people, sign_in};

    fn open(who: &str, whom: &str, provisioning: Provisioning, allowed: bool) -> Result<usize, &'static str> {
        open_in(&Account::default(), who, whom, provisioning, allowed)
    }

    fn open_in(
        account: &Account,
        who: &str,
        whom: &str,
        provisioning: Provisioning,
        allowed: bool,
    ) -> Result<usize, &'static str> {
        let person = people(whom);
        let command = AccountCommand::Open(OpenAccount {
            provisioning,
            sign_in: sign_in(whom),
            contact: person.contact,
            email: email_key(whom),
        });
        let mut access = acme().domain("mail.example").build();
        access.first_sign_in_opens_accounts = allowed;
        decide_account(account, whom, &command, who, &access)
            .map(|events| events.len())
            .map_err(|rejection| rejection.reason())
    }

    #[test]
    fn the_directory_opens_accounts_with_addresses_of_the_organization() {
        for who in ["provisioner", "operator"] {
            assert_eq!(open(who, "erin", Provisioning::Directory, false), Ok(1), "{who}");
        }
        assert_eq!(open("alice", "erin", Provisioning::Directory, true), Err("NOT_FOR_YOU"));
        assert_eq!(open("peter", "peter", Provisioning::Directory, true), Err("NOT_A_MEMBER"));
        assert_eq!(open("provisioner", "peter", Provisioning::Directory, true), Err("INVALID_FIELD"));
        assert_eq!(
            open("provisioner", "mallory", Provisioning::Directory, true),
            Err("INVALID_FIELD"),
            "R-ACCESS-8"
        );
        assert_eq!(
            open_in(&opened("erin"), "provisioner", "erin", Provisioning::Directory, true),
            Err("ACCOUNT_ALREADY_OPEN")
        );
    }

    #[test]
    fn a_first_sign_in_opens_ones_own_account_where_the_organization_allows_it() {
        assert_eq!(open("erin", "erin", Provisioning::FirstSignIn, true), Ok(1));
        assert_eq!(open("erin", "erin", Provisioning::FirstSignIn, false), Err("NO_ACCOUNT"));
        assert_eq!(open("erin", "bob", Provisioning::FirstSignIn, true), Err("NOT_FOR_YOU"));
        assert_eq!(open("peter", "peter", Provisioning::FirstSignIn, true), Err("INVALID_FIELD"));
        assert_eq!(open_in(&opened("erin"), "erin", "erin", Provisioning::FirstSignIn, true), Ok(0));
    }
}
