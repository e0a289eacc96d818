//! Account events to rows: what a batch touches is loaded at once, changed in memory, and written at once.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dossier_domain::account::{AccountEvent, AccountOpened};
use dossier_domain::address::EmailAddress;
use dossier_domain::personal::{Contact, Personal};
use dossier_eventlog::Position;
use serde::Serialize;

use super::agents;
use crate::database::{WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, ReadModel, Table};
use crate::rows::{of_streams, replace};

/// The read model `accounts`.
pub struct Accounts;

/// An account as the read side shows it. Erased values are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct AccountRow {
    /// Its id.
    pub account: String,
    /// For which organization it was opened.
    pub organization: String,
    /// What the identity provider calls the person.
    pub subject: Option<String>,
    /// Address, as it was given.
    pub email: Option<String>,
    /// The address in the form in which addresses are compared.
    pub canonical_email: Option<String>,
    /// Name to show.
    pub display_name: Option<String>,
    /// Whether the person is in.
    pub active: bool,
    /// Whether the directory knows them no more.
    pub deleted: bool,
    /// When it was opened, microseconds since 1970.
    pub opened_at_micros: i64,
    /// When it last changed.
    pub updated_at_micros: i64,
    /// Revision of the stream.
    pub revision: i64,
}

const ACCOUNTS: Table = Table {
    name: "accounts",
    columns: &[
        Column::text("account"),
        Column::text("organization"),
        Column::text("subject").or_null(),
        Column::text("email").or_null(),
        Column::text("canonical_email").or_null(),
        Column::text("display_name").or_null(),
        Column::boolean("active"),
        Column::boolean("deleted"),
        Column::integer("opened_at_micros"),
        Column::integer("updated_at_micros"),
        Column::integer("revision"),
    ],
    key: &["account"],
    indexes: &["organization, account", "organization, canonical_email", "organization, subject"],
};

#[async_trait]
impl ReadModel for Accounts {
    fn name(&self) -> &'static str {
        "accounts"
    }

    fn schema_version(&self) -> i64 {
        2
    }

    fn categories(&self) -> &'static [&'static str] {
        &["account"]
    }

    fn tables(&self) -> &'static [Table] {
        &[ACCOUNTS, agents::TABLE]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        agents::project(transaction, generation, events).await?;
        let mut rows =
            of_streams(transaction, generation, &ACCOUNTS, events, |row: &AccountRow| &row.account).await?;
        for event in events {
            take_in(&mut rows, event);
        }
        replace(transaction, generation, &ACCOUNTS, rows.values(), |row| &row.account).await
    }
}

fn take_in(rows: &mut BTreeMap<String, AccountRow>, projected: &ProjectedEvent) {
    let ReadEvent::Account(event) = &projected.event else { return };
    let (id, revision) = (projected.stream.id(), stored(Position(projected.revision.0)));
    // Delivered before: the row has it.
    if rows.get(id).is_some_and(|row| row.revision >= revision) {
        return;
    }
    if let AccountEvent::AccountOpened(opened) = event {
        // Again, where it was deleted meanwhile.
        rows.insert(id.to_owned(), AccountRow::opened(opened, projected));
        return;
    }
    // Of nothing that a directory shows.
    if matches!(event, AccountEvent::StaffRecognized(_) | AccountEvent::NotificationPreferencesChanged(_)) {
        return;
    }
    let Some(row) = rows.get_mut(id) else { return };
    row.revision = revision;
    row.updated_at_micros = projected.recorded_at.as_microsecond();
    match event {
        AccountEvent::AccountOpened(_)
        | AccountEvent::StaffRecognized(_)
        | AccountEvent::NotificationPreferencesChanged(_) => {}
        AccountEvent::AccountEmailChanged(changed) => row.set_contact(&changed.contact),
        AccountEvent::AccountRenamed(renamed) => row.set_contact(&renamed.contact),
        AccountEvent::AccountDeactivated(_) => row.active = false,
        AccountEvent::AccountReactivated(_) => row.active = true,
        AccountEvent::AccountDeleted(_) => {
            row.active = false;
            row.deleted = true;
        }
    }
}

impl AccountRow {
    fn opened(opened: &AccountOpened, by: &ProjectedEvent) -> Self {
        let at_micros = by.recorded_at.as_microsecond();
        let mut row = Self {
            account: by.stream.id().to_owned(),
            organization: opened.organization.to_string(),
            subject: opened.sign_in.open().map(|sign_in| sign_in.subject.clone()),
            email: None,
            canonical_email: None,
            display_name: None,
            active: true,
            deleted: false,
            opened_at_micros: at_micros,
            updated_at_micros: at_micros,
            revision: stored(Position(by.revision.0)),
        };
        row.set_contact(&opened.contact);
        row
    }

    fn set_contact(&mut self, contact: &Personal<Contact>) {
        let contact = contact.open();
        self.email = contact.map(|contact| contact.email.clone());
        self.display_name = contact.map(|contact| contact.display_name.clone());
        // What no address is any more, by newer rules, is still found as it was given.
        self.canonical_email = contact.map(|contact| {
            EmailAddress::parse(&contact.email)
                .map_or_else(|_| contact.email.clone(), |email| email.canonical().to_owned())
        });
    }
}
