//! What the read database knows of its models: which generations there are, how far each has come, and which one queries
//! see. A generation's tables are listed, so that the ones of an older release are found and dropped too.

use dossier_eventlog::{EventId, Position};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
use uuid::Uuid;

use crate::database::{ReadDatabase, begin, stored};
use crate::error::ProjectionError;
use crate::model::{Checkpoint, Generation, ReadModel};

/// A generation that is being filled, and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    pub(crate) generation: Generation,
    pub(crate) checkpoint: Checkpoint,
}

impl ReadDatabase {
    /// Makes sure that queries see a generation of the model's schema version, and drops what an interrupted rebuild has
    /// left; answers the generation.
    pub(crate) async fn open_model(
        &self,
        model: &dyn ReadModel,
        log_id: Uuid,
    ) -> Result<Live, ProjectionError> {
        let mut writer = self.writer().await;
        let mut transaction = begin(&mut writer).await?;
        let live = match active(&mut transaction, model).await? {
            Some((version, live)) if version == model.schema_version() => {
                drop_others(&mut transaction, model, live.generation).await?;
                live
            }
            _ => {
                let live = create(&mut transaction, model, log_id).await?;
                show(&mut transaction, model, live.generation).await?;
                live
            }
        };
        transaction.commit().await?;
        Ok(live)
    }

    /// The generation that queries see, with the schema version it was built for.
    pub(crate) async fn active(&self, model: &dyn ReadModel) -> Result<Option<(i64, Live)>, ProjectionError> {
        active(&mut *self.writer().await, model).await
    }

    /// Creates empty tables for the next generation, with a checkpoint at the start.
    pub(crate) async fn create_generation(
        &self,
        model: &dyn ReadModel,
        log_id: Uuid,
    ) -> Result<Live, ProjectionError> {
        let mut writer = self.writer().await;
        let mut transaction = begin(&mut writer).await?;
        let live = create(&mut transaction, model, log_id).await?;
        transaction.commit().await?;
        Ok(live)
    }

    /// Makes a generation the one that queries see, and drops every other, in one transaction.
    pub(crate) async fn activate(
        &self,
        model: &dyn ReadModel,
        generation: Generation,
    ) -> Result<(), ProjectionError> {
        let mut writer = self.writer().await;
        let mut transaction = begin(&mut writer).await?;
        show(&mut transaction, model, generation).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Drops a generation that has not become active.
    pub(crate) async fn discard(
        &self,
        model: &dyn ReadModel,
        generation: Generation,
    ) -> Result<(), ProjectionError> {
        let mut writer = self.writer().await;
        let mut transaction = begin(&mut writer).await?;
        // A switch that was reported as failed may have held.
        let is_active =
            active(&mut transaction, model).await?.is_some_and(|(_, live)| live.generation == generation);
        if !is_active {
            drop_generation(&mut transaction, model, generation.0).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// Moves a generation's checkpoint inside a transaction, if it still stands where it was read: a paused twin that comes
/// back finds it moved.
pub(crate) async fn move_checkpoint(
    transaction: &mut SqliteConnection,
    model: &dyn ReadModel,
    live: &Live,
    to: (Position, EventId),
) -> Result<(), ProjectionError> {
    let moved = sqlx::query(
        "UPDATE checkpoints SET position = $1, event_id = $2
         WHERE model = $3 AND generation = $4 AND position = $5 AND event_id IS $6",
    )
    .bind(stored(to.0))
    .bind(&to.1.0.as_bytes()[..])
    .bind(model.name())
    .bind(live.generation.0)
    .bind(stored(live.checkpoint.position))
    .bind(live.checkpoint.event_id.as_ref().map(|id| &id.0.as_bytes()[..]))
    .execute(transaction)
    .await?;
    if moved.rows_affected() == 1 { Ok(()) } else { Err(ProjectionError::Fenced) }
}

async fn active(
    connection: &mut SqliteConnection,
    model: &dyn ReadModel,
) -> Result<Option<(i64, Live)>, ProjectionError> {
    let row = sqlx::query(
        "SELECT schema_version, generation, log_id, position, event_id
         FROM read_models JOIN checkpoints ON model = name AND generation = active_generation
         WHERE name = $1",
    )
    .bind(model.name())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.get(0), live(&row))))
}

fn live(row: &SqliteRow) -> Live {
    let uuid = |bytes: &[u8]| Uuid::from_slice(bytes).unwrap_or_default();
    Live {
        generation: Generation(row.get("generation")),
        checkpoint: Checkpoint {
            log_id: uuid(row.get("log_id")),
            position: Position(u64::try_from(row.get::<i64, _>("position")).unwrap_or(0)),
            event_id: row.get::<Option<&[u8]>, _>("event_id").map(|bytes| EventId(uuid(bytes))),
        },
    }
}

async fn create(
    transaction: &mut SqliteConnection,
    model: &dyn ReadModel,
    log_id: Uuid,
) -> Result<Live, ProjectionError> {
    let last: Option<i64> = sqlx::query_scalar("SELECT max(generation) FROM checkpoints WHERE model = $1")
        .bind(model.name())
        .fetch_one(&mut *transaction)
        .await?;
    let generation = Generation(last.unwrap_or(0) + 1);
    for table in model.tables() {
        let name = generation.table(table.name);
        run(transaction, format!("CREATE TABLE {name} ({}) STRICT", table.columns)).await?;
        for (number, columns) in table.indexes.iter().enumerate() {
            run(transaction, format!("CREATE INDEX {name}_i{number} ON {name} ({columns})")).await?;
        }
        sqlx::query(
            "INSERT INTO generation_tables (table_name, view_name, model, generation) VALUES ($1, $2, $3, $4)",
        )
        .bind(name)
        .bind(table.name)
        .bind(model.name())
        .bind(generation.0)
        .execute(&mut *transaction)
        .await?;
    }
    sqlx::query("INSERT INTO checkpoints (model, generation, log_id, position) VALUES ($1, $2, $3, 0)")
        .bind(model.name())
        .bind(generation.0)
        .bind(&log_id.as_bytes()[..])
        .execute(&mut *transaction)
        .await?;
    Ok(Live { generation, checkpoint: Checkpoint { log_id, position: Position::START, event_id: None } })
}

/// Points the views at a generation and drops all others, with the views of a release that had other tables.
async fn show(
    transaction: &mut SqliteConnection,
    model: &dyn ReadModel,
    generation: Generation,
) -> Result<(), ProjectionError> {
    let views: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT view_name FROM generation_tables WHERE model = $1")
            .bind(model.name())
            .fetch_all(&mut *transaction)
            .await?;
    let own = model.tables().iter().map(|table| table.name);
    for view in views.iter().map(String::as_str).chain(own) {
        run(transaction, format!("DROP VIEW IF EXISTS {view}")).await?;
    }
    for table in model.tables() {
        let (view, live) = (table.name, generation.table(table.name));
        run(transaction, format!("CREATE VIEW {view} AS SELECT * FROM {live}")).await?;
    }
    drop_others(transaction, model, generation).await?;
    let shown = sqlx::query(
        "INSERT INTO read_models (name, schema_version, active_generation)
         SELECT model, $3, generation FROM checkpoints WHERE model = $1 AND generation = $2
         ON CONFLICT (name) DO UPDATE SET schema_version = $3, active_generation = $2",
    )
    .bind(model.name())
    .bind(generation.0)
    .bind(model.schema_version())
    .execute(transaction)
    .await?;
    // Another process may have dropped it: then the views would show nothing.
    if shown.rows_affected() == 1 { Ok(()) } else { Err(ProjectionError::Fenced) }
}

async fn drop_others(
    transaction: &mut SqliteConnection,
    model: &dyn ReadModel,
    keep: Generation,
) -> Result<(), ProjectionError> {
    let others: Vec<i64> =
        sqlx::query_scalar("SELECT generation FROM checkpoints WHERE model = $1 AND generation <> $2")
            .bind(model.name())
            .bind(keep.0)
            .fetch_all(&mut *transaction)
            .await?;
    for other in others {
        drop_generation(transaction, model, other).await?;
    }
    Ok(())
}

async fn drop_generation(
    transaction: &mut SqliteConnection,
    model: &dyn ReadModel,
    generation: i64,
) -> Result<(), ProjectionError> {
    let tables: Vec<String> = sqlx::query_scalar(
        "DELETE FROM generation_tables WHERE model = $1 AND generation = $2 RETURNING table_name",
    )
    .bind(model.name())
    .bind(generation)
    .fetch_all(&mut *transaction)
    .await?;
    for table in tables {
        run(transaction, format!("DROP TABLE IF EXISTS {table}")).await?;
    }
    sqlx::query("DELETE FROM checkpoints WHERE model = $1 AND generation = $2")
        .bind(model.name())
        .bind(generation)
        .execute(transaction)
        .await?;
    Ok(())
}

async fn run(transaction: &mut SqliteConnection, sql: String) -> Result<(), ProjectionError> {
    sqlx::query(AssertSqlSafe(sql)).persistent(false).execute(transaction).await?;
    Ok(())
}
