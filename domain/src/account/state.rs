//! The fold of an account's events.

use jiff::Timestamp;
use serde::Serialize;

use std::collections::BTreeSet;

use super::events::{AccountEvent, Provisioning, SignIn, StaffRecognized};
use crate::authority::StaffRole;
use crate::event::{Aggregate, EventAudience};
use crate::ids::{EmailKey, OrganizationId, ProviderId};
use crate::notification::NotificationPreferences;
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

/// What the last sign-in of somebody of the operator's side said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecognizedStaff {
    /// What they are.
    pub roles: BTreeSet<StaffRole>,
    /// The support provider that they work for.
    pub provider: Option<ProviderId>,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
}

/// An account, or nothing yet; and which mails its person wants, who may be a member without an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    #[serde(flatten)]
    opened: Option<OpenedAccount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    staff: Option<RecognizedStaff>,
    #[serde(skip_serializing_if = "NotificationPreferences::is_default")]
    notification_preferences: NotificationPreferences,
}

impl Account {
    /// The account, once it is opened.
    pub fn opened(&self) -> Option<&OpenedAccount> {
        self.opened.as_ref()
    }

    /// Which mails its person wants.
    pub fn preferences(&self) -> &NotificationPreferences {
        &self.notification_preferences
    }

    /// What its person is on the operator's side, as their last sign-in said; customers are nothing there.
    pub fn staff(&self) -> Option<&RecognizedStaff> {
        self.staff.as_ref()
    }

    /// The same where it makes them an agent who is in.
    pub fn agent(&self) -> Option<&RecognizedStaff> {
        let is_in = self.status() != AccountStatus::Deactivated;
        self.staff().filter(|staff| is_in && staff.roles.contains(&StaffRole::Agent))
    }

    /// Whether its person is known here.
    pub fn status(&self) -> AccountStatus {
        match &self.opened {
            None => AccountStatus::Unknown,
            Some(opened) if opened.active => AccountStatus::Active,
            Some(_) => AccountStatus::Deactivated,
        }
    }

    /// Whether its person has an address, active or not. Who was deleted has none.
    pub fn has_email(&self, email: EmailKey) -> bool {
        self.opened.as_ref().is_some_and(|opened| opened.email == email && !opened.deleted)
    }
}

impl PersonalFields for Account {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        if let Some(staff) = &mut self.staff {
            staff.contact.for_each_personal(visit);
        }
        if let Some(opened) = &mut self.opened {
            opened.sign_in.for_each_personal(visit);
            opened.contact.for_each_personal(visit);
        }
    }
}

impl Aggregate for Account {
    type Event = AccountEvent;

    fn evolve(&mut self, event: &AccountEvent, at: Timestamp) {
        if let AccountEvent::StaffRecognized(StaffRecognized { roles, provider, contact }) = event {
            let (roles, provider, contact) = (roles.clone(), provider.clone(), contact.clone());
            self.staff = Some(RecognizedStaff { roles, provider, contact });
            // What its directory knows of it is as it was.
            return;
        }
        if let AccountEvent::AccountOpened(event) = event {
            self.opened = Some(OpenedAccount {
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
        if let AccountEvent::NotificationPreferencesChanged(event) = event {
            self.notification_preferences =
                NotificationPreferences { case_mails: event.case_mails, language: event.language.clone() };
            return;
        }
        let Some(opened) = &mut self.opened else { return };
        opened.changed_at = at;
        match event {
            AccountEvent::AccountOpened(_)
            | AccountEvent::StaffRecognized(_)
            | AccountEvent::NotificationPreferencesChanged(_) => {}
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
