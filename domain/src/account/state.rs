//! The fold of an account's events.

use jiff::Timestamp;
use serde::Serialize;

use super::events::{AccountEvent, Provisioning, SignIn};
use crate::event::{Aggregate, EventAudience};
use crate::ids::{EmailKey, OrganizationId};
use crate::personal::{Contact, Personal, PersonalFields, PersonalSlot};

/// Whether somebody who signed in is known here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// No account was opened for them.
    #[default]
    Unknown,
    /// Their account is active.
    Active,
    /// Their account was deactivated or deleted: they are out.
    Deactivated,
}

/// An account that was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenedAccount {
    /// For which organization.
    pub organization: OrganizationId,
    /// How.
    pub provisioning: Provisioning,
    /// Who vouches for the person.
    pub sign_in: Personal<SignIn>,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
    /// Pseudonym of their address.
    pub email: EmailKey,
    /// Whether they are in.
    pub active: bool,
    /// Whether the directory knows them no more.
    pub deleted: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// An account, or nothing yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Account(Option<OpenedAccount>);

impl Account {
    /// The account, once it is opened.
    pub fn opened(&self) -> Option<&OpenedAccount> {
        self.0.as_ref()
    }

    /// Whether its person is known here.
    pub fn status(&self) -> AccountStatus {
        match &self.0 {
            None => AccountStatus::Unknown,
            Some(opened) if opened.active => AccountStatus::Active,
            Some(_) => AccountStatus::Deactivated,
        }
    }

    /// Whether its person has an address, active or not. Who was deleted has none.
    pub fn has_email(&self, email: EmailKey) -> bool {
        self.0.as_ref().is_some_and(|opened| opened.email == email && !opened.deleted)
    }
}

impl PersonalFields for Account {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        if let Some(opened) = &mut self.0 {
            opened.sign_in.for_each_personal(visit);
            opened.contact.for_each_personal(visit);
        }
    }
}

impl Aggregate for Account {
    type Event = AccountEvent;

    fn evolve(&mut self, event: &AccountEvent, at: Timestamp) {
        if let AccountEvent::AccountOpened(event) = event {
            self.0 = Some(OpenedAccount {
                organization: event.organization.clone(),
                provisioning: event.provisioning,
                sign_in: event.sign_in.clone(),
                contact: event.contact.clone(),
                email: event.email,
                active: true,
                deleted: false,
                opened_at: at,
                changed_at: at,
            });
        }
        let Some(opened) = &mut self.0 else { return };
        opened.changed_at = at;
        match event {
            AccountEvent::AccountOpened(_) => {}
            AccountEvent::AccountEmailChanged(event) => {
                opened.email = event.email;
                opened.contact = event.contact.clone();
            }
            AccountEvent::AccountRenamed(event) => opened.contact = event.contact.clone(),
            AccountEvent::AccountDeactivated(_) => opened.active = false,
            AccountEvent::AccountReactivated(_) => opened.active = true,
            AccountEvent::AccountDeleted(_) => {
                opened.active = false;
                opened.deleted = true;
            }
        }
    }

    /// An account may serve several organizations: its events are for none of them.
    fn audience(_event: &AccountEvent) -> EventAudience {
        EventAudience::Internal
    }
}
