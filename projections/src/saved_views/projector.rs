//! Events of saved views to rows: what a batch touches is loaded at once, changed in memory, and written at once.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dossier_domain::saved_view::SavedViewEvent;
use dossier_eventlog::Position;
use serde::Serialize;

use crate::database::{WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, ReadModel, Table};
use crate::rows::{of_streams, replace};

/// The read model `saved_views`.
pub struct SavedViews;

/// A saved view as the read side shows it. Erased values are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct SavedViewRow {
    /// Its id.
    pub view: String,
    /// Position of its saving: the order of the list.
    pub saved_position: i64,
    /// Account of whose it is.
    pub owner: String,
    /// Name to show.
    pub title: Option<String>,
    /// The filter.
    pub filter: Option<String>,
    /// The provider whose agents see it too; empty for none.
    pub shared_with: String,
    /// When it was saved, microseconds since 1970.
    pub saved_at_micros: i64,
    /// When it last changed.
    pub updated_at_micros: i64,
    /// Whether it is gone.
    pub deleted: bool,
    /// Revision of the stream.
    pub revision: i64,
}

const VIEWS: Table = Table {
    name: "saved_views",
    columns: &[
        Column::text("view"),
        Column::integer("saved_position"),
        Column::text("owner"),
        Column::text("title").or_null(),
        Column::text("filter").or_null(),
        Column::text("shared_with"),
        Column::integer("saved_at_micros"),
        Column::integer("updated_at_micros"),
        Column::boolean("deleted"),
        Column::integer("revision"),
    ],
    key: &["view"],
    indexes: &["owner, saved_position", "shared_with, saved_position"],
};

#[async_trait]
impl ReadModel for SavedViews {
    fn name(&self) -> &'static str {
        "saved_views"
    }

    fn schema_version(&self) -> i64 {
        1
    }

    fn categories(&self) -> &'static [&'static str] {
        &["saved_view"]
    }

    fn tables(&self) -> &'static [Table] {
        &[VIEWS]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let mut rows =
            of_streams(transaction, generation, &VIEWS, events, |row: &SavedViewRow| &row.view).await?;
        for event in events {
            take_in(&mut rows, event);
        }
        replace(transaction, generation, &VIEWS, rows.values(), |row| &row.view).await
    }
}

fn take_in(rows: &mut BTreeMap<String, SavedViewRow>, projected: &ProjectedEvent) {
    let ReadEvent::SavedView(event) = &projected.event else { return };
    let (id, revision) = (projected.stream.id(), stored(Position(projected.revision.0)));
    // Delivered before: the row has it.
    if rows.get(id).is_some_and(|row| row.revision >= revision) {
        return;
    }
    let at_micros = projected.recorded_at.as_microsecond();
    if let SavedViewEvent::ViewSaved(saved) = event {
        let row = SavedViewRow {
            view: id.to_owned(),
            saved_position: stored(projected.position),
            owner: saved.owner.to_string(),
            title: saved.title.open().cloned(),
            filter: saved.filter.open().cloned(),
            shared_with: saved.shared_with.as_ref().map(ToString::to_string).unwrap_or_default(),
            saved_at_micros: at_micros,
            updated_at_micros: at_micros,
            deleted: false,
            revision,
        };
        rows.insert(id.to_owned(), row);
        return;
    }
    let Some(row) = rows.get_mut(id) else { return };
    row.revision = revision;
    row.updated_at_micros = at_micros;
    match event {
        SavedViewEvent::ViewSaved(_) => {}
        SavedViewEvent::ViewChanged(changed) => {
            row.title = changed.title.open().cloned();
            row.filter = changed.filter.open().cloned();
            row.shared_with = changed.shared_with.as_ref().map(ToString::to_string).unwrap_or_default();
        }
        SavedViewEvent::ViewDeleted(_) => {
            row.deleted = true;
            row.title = None;
            row.filter = None;
        }
    }
}
