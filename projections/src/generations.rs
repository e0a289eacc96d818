//! What the read database knows of its models: which generations there are, how far each has come, and which one queries
//! see. A generation's tables are listed, so that the ones of an older release are found and dropped too.
//!
//! In SQLite a view per table shows the active generation, and what is not active any more goes in the same transaction. In
//! PostgreSQL queries name the generation that they have found active; its tables stay for a while after another has become
//! active, for whoever reads them still.

use std::fmt::Write as _;

use dossier_eventlog::{EventId, Position};
use uuid::Uuid;

use crate::database::{ReadDatabase, WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::full_text;
use crate::model::{Checkpoint, ColumnKind, Generation, ReadModel, Table};
use crate::rows::postgres_type;
use crate::sql::{Engine, Sql};

/// A generation that is being filled, and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    pub(crate) generation: Generation,
    pub(crate) checkpoint: Checkpoint,
}

impl ReadDatabase {
    /// Makes sure that queries see a generation, and drops what an interrupted rebuild has left; answers the generation and
    /// whether it has to be built anew before it serves this release.
    ///
    /// What another release has built is replaced at once in SQLite, where nobody else is served. In PostgreSQL that
    /// release may be at work: a newer one's stays, an older one's until another is built.
    pub(crate) async fn open_model(
        &self,
        model: &dyn ReadModel,
        log_id: Uuid,
    ) -> Result<(Live, bool), ProjectionError> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        transaction.lock_generations(model).await?;
        let own = model.schema_version();
        let opened = match active(&mut transaction, model).await? {
            Some((version, live)) if version == own || transaction.engine() == Engine::Postgres => {
                // Another process may be at it.
                if transaction.may_rebuild(model).await? {
                    discard_others(&mut transaction, model, live.generation).await?;
                }
                (live, version < own)
            }
            _ => {
                let live = create(&mut transaction, model, log_id).await?;
                show(&mut transaction, model, live.generation).await?;
                (live, false)
            }
        };
        transaction.commit().await?;
        Ok(opened)
    }

    /// The generation that queries see, with the schema version it was built for.
    pub(crate) async fn active(&self, model: &dyn ReadModel) -> Result<Option<(i64, Live)>, ProjectionError> {
        Ok(first_active(self.fetch_all(&active_sql(model)).await?))
    }

    /// Creates empty tables for the next generation, with a checkpoint at the start.
    pub(crate) async fn create_generation(
        &self,
        model: &dyn ReadModel,
        log_id: Uuid,
    ) -> Result<Live, ProjectionError> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        transaction.lock_generations(model).await?;
        let live = create(&mut transaction, model, log_id).await?;
        transaction.commit().await?;
        Ok(live)
    }

    /// Drops a generation that has not become active.
    pub(crate) async fn discard(
        &self,
        model: &dyn ReadModel,
        generation: Generation,
    ) -> Result<(), ProjectionError> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        transaction.lock_generations(model).await?;
        // A switch that was reported as failed may have held.
        let is_active =
            active(&mut transaction, model).await?.is_some_and(|(_, live)| live.generation == generation);
        if !is_active {
            drop_generation(&mut transaction, model, generation.0).await?;
        }
        transaction.commit().await
    }
}

/// Moves a generation's checkpoint inside a transaction, if it still stands where it was read: a paused twin that comes
/// back finds it moved, or gone with its generation. Whoever looks on is told when it commits.
pub(crate) async fn move_checkpoint(
    transaction: &mut WriteTransaction<'_>,
    model: &dyn ReadModel,
    live: &Live,
    to: (Position, EventId),
) -> Result<(), ProjectionError> {
    let told = transaction.channel().map(str::to_owned);
    let mut sql = Sql::new(if told.is_some() { "WITH moved AS (" } else { "" });
    sql.push("UPDATE checkpoints SET position = ").push_bind(stored(to.0));
    sql.push(", event_id = ").push_bind(Some(&to.1.0.as_bytes()[..]));
    sql.push(" WHERE model = ").push_bind(model.name());
    sql.push(" AND generation = ").push_bind(live.generation.0);
    sql.push(" AND position = ").push_bind(stored(live.checkpoint.position));
    let event_id = live.checkpoint.event_id.as_ref();
    sql.push(" AND event_id IS NOT DISTINCT FROM ").push_bind(event_id.map(|id| &id.0.as_bytes()[..]));
    if let Some(channel) = told {
        let news = format!("{} {} {}", model.name(), live.generation.0, to.0.0);
        sql.push(" RETURNING 1) SELECT pg_notify(").push_bind(channel).push(", ").push_bind(news);
        sql.push(") FROM moved");
    }
    if transaction.execute(&sql).await? == 1 { Ok(()) } else { Err(ProjectionError::Fenced) }
}

/// The active generation, held where it is until the transaction ends.
pub(crate) async fn hold_active(
    transaction: &mut WriteTransaction<'_>,
    model: &dyn ReadModel,
) -> Result<Option<Live>, ProjectionError> {
    transaction.lock_generations(model).await?;
    let mut sql = active_sql(model);
    sql.push_for_update();
    Ok(first_active(transaction.fetch_all(&sql).await?).map(|(_, live)| live))
}

type ActiveRow = (i64, i64, Vec<u8>, i64, Option<Vec<u8>>);

fn active_sql(model: &dyn ReadModel) -> Sql {
    Sql::new(
        "SELECT schema_version, generation, log_id, position, event_id
         FROM read_models JOIN checkpoints ON model = name AND generation = active_generation
         WHERE name = ",
    )
    .bind(model.name())
}

fn first_active(rows: Vec<ActiveRow>) -> Option<(i64, Live)> {
    let (version, generation, log_id, position, event_id) = rows.into_iter().next()?;
    let checkpoint = checkpoint(&log_id, position, event_id);
    Some((version, Live { generation: Generation(generation), checkpoint }))
}

async fn active(
    transaction: &mut WriteTransaction<'_>,
    model: &dyn ReadModel,
) -> Result<Option<(i64, Live)>, ProjectionError> {
    Ok(first_active(transaction.fetch_all(&active_sql(model)).await?))
}

/// A checkpoint as it is stored.
pub(crate) fn checkpoint(log_id: &[u8], position: i64, event_id: Option<Vec<u8>>) -> Checkpoint {
    let uuid = |bytes: &[u8]| Uuid::from_slice(bytes).unwrap_or_default();
    Checkpoint {
        log_id: uuid(log_id),
        position: Position(u64::try_from(position).unwrap_or(0)),
        event_id: event_id.map(|bytes| EventId(uuid(&bytes))),
    }
}

async fn create(
    transaction: &mut WriteTransaction<'_>,
    model: &dyn ReadModel,
    log_id: Uuid,
) -> Result<Live, ProjectionError> {
    // One that has no checkpoint any more may still have tables.
    let sql = Sql::new("SELECT generation FROM checkpoints WHERE model = ")
        .bind(model.name())
        .then(" UNION ALL SELECT generation FROM generation_tables WHERE model = ")
        .bind(model.name());
    let known: Vec<(i64,)> = transaction.fetch_all(&sql).await?;
    let last = known.into_iter().map(|(generation,)| generation).max();
    let generation = Generation(last.unwrap_or(0) + 1);
    for table in model.tables() {
        let name = generation.table(table.name);
        let definition = definition(transaction.engine(), &name, table);
        transaction.define(definition).await?;
        list_table(transaction, model, generation, table.name).await?;
    }
    if let Some(index) = model.text_index() {
        let (name, table) = (generation.table(index.name), generation.table(index.table));
        let engine = transaction.engine();
        transaction.define(full_text::definition(engine, &name, &table)).await?;
        // In PostgreSQL it is part of the table.
        if engine == Engine::Sqlite {
            list_table(transaction, model, generation, index.name).await?;
        }
    }
    let sql = Sql::new("INSERT INTO checkpoints (model, generation, log_id, position) VALUES (")
        .bind(model.name())
        .then(", ")
        .bind(generation.0)
        .then(", ")
        .bind(Some(&log_id.as_bytes()[..]))
        .then(", 0)");
    transaction.execute(&sql).await?;
    Ok(Live { generation, checkpoint: Checkpoint { log_id, position: Position::START, event_id: None } })
}

/// Notes that a generation has a table, so that it is found and dropped.
async fn list_table(
    transaction: &mut WriteTransaction<'_>,
    model: &dyn ReadModel,
    generation: Generation,
    table: &str,
) -> Result<(), ProjectionError> {
    let sql = Sql::new("INSERT INTO generation_tables (table_name, view_name, model, generation) VALUES (")
        .bind(generation.table(table))
        .then(", ")
        .bind(table)
        .then(", ")
        .bind(model.name())
        .then(", ")
        .bind(generation.0)
        .then(")");
    transaction.execute(&sql).await?;
    Ok(())
}

/// The statements that make a table and its indexes.
fn definition(engine: Engine, name: &str, table: &Table) -> String {
    let columns = table.columns.iter().map(|column| {
        let kind = match (engine, column.kind) {
            (Engine::Sqlite, ColumnKind::Text) => "TEXT",
            (Engine::Sqlite, ColumnKind::Integer | ColumnKind::Boolean) => "INTEGER",
            // Compared and indexed as bytes, like in SQLite.
            (Engine::Postgres, ColumnKind::Text) => "TEXT COLLATE \"C\"",
            (Engine::Postgres, kind) => postgres_type(kind),
        };
        format!("{} {kind}{}", column.name, if column.optional { "" } else { " NOT NULL" })
    });
    let columns: Vec<String> = columns.collect();
    let (columns, key) = (columns.join(", "), table.key.join(", "));
    let how = match engine {
        Engine::Sqlite => "STRICT",
        // Room for a row's next version beside it, which then needs no new entries in the indexes.
        Engine::Postgres => "WITH (fillfactor = 80)",
    };
    let mut text = format!("CREATE TABLE {name} ({columns}, PRIMARY KEY ({key})) {how};");
    for (number, index) in table.indexes.iter().enumerate() {
        let (columns, rows) = index.split_at(index.find(" WHERE ").unwrap_or(index.len()));
        write!(text, "CREATE INDEX {name}_i{number} ON {name} ({columns}){rows};")
            .expect("a string takes everything");
    }
    text
}

/// Makes a generation the one that queries see. Every other goes, in PostgreSQL the one that was active after a while.
pub(crate) async fn show(
    transaction: &mut WriteTransaction<'_>,
    model: &dyn ReadModel,
    generation: Generation,
) -> Result<(), ProjectionError> {
    match transaction.engine() {
        Engine::Sqlite => {
            point_views(transaction, model, generation).await?;
            discard_others(transaction, model, generation).await?;
        }
        Engine::Postgres => retire_others(transaction, model, generation).await?,
    }
    let sql = Sql::new("INSERT INTO read_models (name, schema_version, active_generation) SELECT model, ")
        .bind(model.schema_version())
        .then(", generation FROM checkpoints WHERE model = ")
        .bind(model.name())
        .then(" AND generation = ")
        .bind(generation.0)
        .then(
            " ON CONFLICT (name) DO UPDATE SET schema_version = excluded.schema_version,
              active_generation = excluded.active_generation",
        );
    // Another process may have dropped it: then queries would see nothing.
    if transaction.execute(&sql).await? != 1 {
        return Err(ProjectionError::Fenced);
    }
    let sql = Sql::new("DELETE FROM projector_reports WHERE model = ").bind(model.name());
    transaction.execute(&sql).await?;
    if let Some(channel) = transaction.channel().map(str::to_owned) {
        let sql = Sql::new("SELECT pg_notify(").bind(channel).then(", ").bind(model.name()).then(")");
        transaction.execute(&sql).await?;
    }
    Ok(())
}

/// Points SQLite's views at a generation, and drops the views of a release that had other tables.
async fn point_views(
    transaction: &mut WriteTransaction<'_>,
    model: &dyn ReadModel,
    generation: Generation,
) -> Result<(), ProjectionError> {
    let sql = Sql::new("SELECT DISTINCT view_name FROM generation_tables WHERE model = ").bind(model.name());
    let views: Vec<(String,)> = transaction.fetch_all(&sql).await?;
    let own = model.tables().iter().map(|table| table.name);
    for view in views.iter().map(|(view,)| view.as_str()).chain(own) {
        transaction.define(format!("DROP VIEW IF EXISTS {view}")).await?;
    }
    for table in model.tables() {
        let (view, live) = (table.name, generation.table(table.name));
        transaction.define(format!("CREATE VIEW {view} AS SELECT * FROM {live}")).await?;
    }
    if let Some(index) = model.text_index() {
        let (view, shown) = (index.name, full_text::sqlite_view(&generation.table(index.name)));
        transaction.define(format!("CREATE VIEW {view} AS {shown}")).await?;
    }
    Ok(())
}

/// Takes the checkpoint of every other generation away, so that nobody writes into it any more, and has its tables dropped
/// later.
async fn retire_others(
    transaction: &mut WriteTransaction<'_>,
    model: &dyn ReadModel,
    keep: Generation,
) -> Result<(), ProjectionError> {
    for start in [
        "DELETE FROM checkpoints WHERE model = ",
        "UPDATE generation_tables SET retired_at = now() WHERE retired_at IS NULL AND model = ",
    ] {
        let sql = Sql::new(start).bind(model.name()).then(" AND generation <> ").bind(keep.0);
        transaction.execute(&sql).await?;
    }
    Ok(())
}

/// Drops every generation that is neither this one nor one that was active.
async fn discard_others(
    transaction: &mut WriteTransaction<'_>,
    model: &dyn ReadModel,
    keep: Generation,
) -> Result<(), ProjectionError> {
    let sql = Sql::new("SELECT generation FROM checkpoints WHERE model = ")
        .bind(model.name())
        .then(" AND generation <> ")
        .bind(keep.0);
    let others: Vec<(i64,)> = transaction.fetch_all(&sql).await?;
    for (other,) in others {
        drop_generation(transaction, model, other).await?;
    }
    Ok(())
}

async fn drop_generation(
    transaction: &mut WriteTransaction<'_>,
    model: &dyn ReadModel,
    generation: i64,
) -> Result<(), ProjectionError> {
    let sql = Sql::new("DELETE FROM generation_tables WHERE model = ")
        .bind(model.name())
        .then(" AND generation = ")
        .bind(generation)
        .then(" RETURNING table_name");
    let tables: Vec<(String,)> = transaction.fetch_all(&sql).await?;
    for (table,) in tables {
        transaction.define(format!("DROP TABLE IF EXISTS {table}")).await?;
    }
    let sql = Sql::new("DELETE FROM checkpoints WHERE model = ")
        .bind(model.name())
        .then(" AND generation = ")
        .bind(generation);
    transaction.execute(&sql).await?;
    Ok(())
}
