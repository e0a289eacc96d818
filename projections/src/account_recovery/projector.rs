//! Events of recoveries to rows: what a batch touches is loaded at once, changed in memory, and written at once.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dossier_domain::Personal;
use dossier_domain::account_recovery::AccountRecoveryEvent;
use dossier_eventlog::Position;
use serde::Serialize;

use crate::database::{WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, ReadModel, Table};
use crate::rows::{of_streams, replace};

/// The read model `account_recovery`.
pub struct AccountRecoveries;

/// The recovery of an account as the read side shows it. Erased values are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct AccountRecoveryRow {
    /// Its id.
    pub recovery: String,
    /// Position of the asking: the order of the list.
    pub asked_position: i64,
    /// Where to answer, as it was given.
    pub email: Option<String>,
    /// What they say.
    pub description: Option<String>,
    /// The language to answer in.
    pub language: String,
    /// When they asked, microseconds since 1970.
    pub asked_at_micros: i64,
    /// Whether support is done with it.
    pub closed: bool,
    /// When.
    pub closed_at_micros: Option<i64>,
    /// Account of who closed it.
    pub closed_by: Option<String>,
    /// What came of it.
    pub outcome: Option<String>,
    /// Revision of the stream.
    pub revision: i64,
}

const RECOVERIES: Table = Table {
    name: "account_recoveries",
    columns: &[
        Column::text("recovery"),
        Column::integer("asked_position"),
        Column::text("email").or_null(),
        Column::text("description").or_null(),
        Column::text("language"),
        Column::integer("asked_at_micros"),
        Column::boolean("closed"),
        Column::integer("closed_at_micros").or_null(),
        Column::text("closed_by").or_null(),
        Column::text("outcome").or_null(),
        Column::integer("revision"),
    ],
    key: &["recovery"],
    indexes: &["asked_position", "closed, asked_position"],
};

#[async_trait]
impl ReadModel for AccountRecoveries {
    fn name(&self) -> &'static str {
        "account_recovery"
    }

    fn schema_version(&self) -> i64 {
        1
    }

    fn categories(&self) -> &'static [&'static str] {
        &["account_recovery"]
    }

    fn tables(&self) -> &'static [Table] {
        &[RECOVERIES]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let mut rows =
            of_streams(transaction, generation, &RECOVERIES, events, |row: &AccountRecoveryRow| {
                &row.recovery
            })
            .await?;
        for event in events {
            take_in(&mut rows, event);
        }
        replace(transaction, generation, &RECOVERIES, rows.values(), |row| &row.recovery).await
    }
}

fn take_in(rows: &mut BTreeMap<String, AccountRecoveryRow>, projected: &ProjectedEvent) {
    let ReadEvent::AccountRecovery(event) = &projected.event else { return };
    let (id, revision) = (projected.stream.id(), stored(Position(projected.revision.0)));
    // Delivered before: the row has it.
    if rows.get(id).is_some_and(|row| row.revision >= revision) {
        return;
    }
    let at_micros = projected.recorded_at.as_microsecond();
    match event {
        AccountRecoveryEvent::AccountRecoveryRequested(requested) => {
            let row = AccountRecoveryRow {
                recovery: id.to_owned(),
                asked_position: stored(projected.position),
                email: text(&requested.email),
                description: text(&requested.description),
                language: requested.language.clone(),
                asked_at_micros: at_micros,
                closed: false,
                closed_at_micros: None,
                closed_by: None,
                outcome: None,
                revision,
            };
            rows.insert(id.to_owned(), row);
        }
        AccountRecoveryEvent::AccountRecoveryClosed(closed) => {
            let Some(row) = rows.get_mut(id) else { return };
            row.revision = revision;
            row.closed = true;
            row.closed_at_micros = Some(at_micros);
            row.closed_by = Some(closed.closed_by.to_string());
            row.outcome = text(&closed.outcome);
        }
    }
}

fn text(value: &Personal<String>) -> Option<String> {
    value.open().cloned()
}
