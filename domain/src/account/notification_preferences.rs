//! Saying which mails one wants: each for themselves, whether an account was opened for them or not.

use super::events::{AccountEvent, NotificationPreferencesChanged};
use super::rejection::AccountRejection;
use super::state::{Account, AccountStatus};
use crate::authority::AccessRefusal;
use crate::context::Context;
use crate::ids::AccountId;
use crate::notification::{CaseMails, NotificationPreferences};

/// Changes which mails a person wants; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ChangeNotificationPreferences {
    /// Which mails about cases.
    pub case_mails: Option<CaseMails>,
    /// The language of mails; inside, `None` stands for each case's own.
    pub language: Option<Option<String>>,
}

impl ChangeNotificationPreferences {
    /// Decides the command on the account of the actor.
    ///
    /// # Errors
    /// [`AccountRejection`] for somebody else's account, a deactivated one, or a language that support does not write.
    pub fn decide(
        &self,
        account: &Account,
        id: AccountId,
        context: &Context<'_>,
    ) -> Result<Vec<AccountEvent>, AccountRejection> {
        if context.actor.account != id {
            return Err(AccessRefusal::NotForYou { who: "the person themselves" }.into());
        }
        if account.status() == AccountStatus::Deactivated {
            return Err(AccessRefusal::NoAccount { deactivated: true }.into());
        }
        let known = &context.catalogue.languages;
        if let Some(Some(language)) = &self.language
            && !known.contains(language)
        {
            let known: Vec<_> = known.iter().map(String::as_str).collect();
            return Err(AccountRejection::invalid("language", format!("give one of {}", known.join(", "))));
        }
        let before = account.preferences();
        let after = NotificationPreferences {
            case_mails: self.case_mails.unwrap_or(before.case_mails),
            language: self.language.clone().unwrap_or_else(|| before.language.clone()),
        };
        if after == *before {
            return Ok(Vec::new());
        }
        let NotificationPreferences { case_mails, language } = after;
        Ok(vec![NotificationPreferencesChanged { case_mails, language }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountDeactivated;
    use crate::testing::{Circumstances, acme, at, evolved, opened, people};

    fn change(
        account: &Account,
        who: &str,
        whose: &str,
        command: &ChangeNotificationPreferences,
    ) -> Result<Account, &'static str> {
        let (actor, access) = (people(who), acme().build());
        let circumstances = Circumstances::new(&access, &actor, at(0));
        let decided = circumstances.decide(|context| command.decide(account, people(whose).account, context));
        decided.map(|events| evolved(account, &events)).map_err(|refused| refused.reason())
    }

    fn in_language(language: Option<&str>) -> ChangeNotificationPreferences {
        let language = Some(language.map(str::to_owned));
        ChangeNotificationPreferences { language, ..ChangeNotificationPreferences::default() }
    }

    #[test]
    fn what_is_not_named_stays_and_an_account_that_was_never_opened_has_preferences_too() {
        let none = ChangeNotificationPreferences { case_mails: Some(CaseMails::None), language: None };
        let account = change(&Account::default(), "alice", "alice", &in_language(Some("fr"))).unwrap();
        let account = change(&account, "alice", "alice", &none).unwrap();
        assert_eq!(account.status(), AccountStatus::Unknown);
        let wanted = account.preferences();
        assert_eq!((wanted.case_mails, wanted.language.as_deref()), (CaseMails::None, Some("fr")));
        let again = none.clone();
        assert_eq!(change(&account, "alice", "alice", &again).unwrap(), account);
        assert_eq!(
            change(&account, "alice", "alice", &in_language(None)).unwrap().preferences().language,
            None
        );
    }

    #[test]
    fn nobody_changes_somebody_elses_and_who_is_out_changes_nothing() {
        let french = in_language(Some("fr"));
        assert_eq!(change(&opened("erin"), "alice", "erin", &french).err(), Some("NOT_FOR_YOU"));
        let out = evolved(&opened("erin"), &[AccountDeactivated {}.into()]);
        assert_eq!(change(&out, "erin", "erin", &french).err(), Some("NO_ACCOUNT"));
        let unknown = in_language(Some("xx"));
        assert_eq!(change(&opened("erin"), "erin", "erin", &unknown).err(), Some("INVALID_FIELD"));
    }

    #[test]
    fn an_account_that_is_opened_later_keeps_them() {
        let account = change(&Account::default(), "erin", "erin", &in_language(Some("fr"))).unwrap();
        let mut opened_later = account;
        let AccountEvent::AccountOpened(event) = opening() else { unreachable!() };
        crate::Aggregate::evolve(&mut opened_later, &event.into(), at(1));
        assert_eq!(opened_later.status(), AccountStatus::Active);
        assert_eq!(opened_later.preferences().language.as_deref(), Some("fr"));
    }

    fn opening() -> AccountEvent {
        let person = people("erin");
        crate::account::AccountOpened {
            account: person.account,
            organization: crate::testing::acme_id(),
            provisioning: crate::account::Provisioning::FirstSignIn,
            sign_in: crate::testing::sign_in("erin"),
            contact: person.contact,
            email: crate::testing::email_key("erin"),
        }
        .into()
    }
}
