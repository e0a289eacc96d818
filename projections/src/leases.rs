//! Who projects: several processes may offer to, one at a time does. A lease that is not renewed runs out by the database's
//! clock, so that another process takes over from one that is dead, cut off or paused; what the old one may still try to
//! write is fenced by the checkpoint. In SQLite, which one process has for itself, nobody else is there.

use std::time::Duration;

use crate::database::{ReadDatabase, WriteTransaction, Writer};
use crate::error::ProjectionError;
use crate::model::ReadModel;
use crate::sql::Sql;

/// How often a rebuild looks whether the one before it has ended.
#[cfg(feature = "postgres")]
const LOOK_AGAIN: Duration = Duration::from_millis(250);

impl ReadDatabase {
    /// How often a lease is renewed, and asked for; `None` where nobody else could have it.
    pub(crate) fn lease_pace(&self) -> Option<Duration> {
        #[cfg(feature = "postgres")]
        return self.postgres().map(|(options, _)| options.lease / 6);
        #[cfg(not(feature = "postgres"))]
        None
    }

    /// Takes or keeps the lease of a model; `false` when another process has it.
    pub(crate) async fn take_lease(&self, model: &dyn ReadModel) -> Result<bool, ProjectionError> {
        #[cfg(feature = "postgres")]
        if let Some((options, holder)) = self.postgres() {
            let millis = i64::try_from(options.lease.as_millis()).unwrap_or(i64::MAX);
            let sql = Sql::new("INSERT INTO projector_leases (model, holder, expires_at) VALUES (")
                .bind(model.name())
                .then(", ")
                .bind(holder)
                .then(", clock_timestamp() + interval '1 millisecond' * ")
                .bind(millis)
                .then(
                    ") ON CONFLICT (model) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
                     WHERE projector_leases.holder = excluded.holder
                        OR projector_leases.expires_at < clock_timestamp()",
                );
            return Ok(self.execute(&sql).await? == 1);
        }
        let _ = model;
        Ok(true)
    }

    /// Gives the lease of a model back.
    pub(crate) async fn release_lease(&self, model: &dyn ReadModel) -> Result<(), ProjectionError> {
        #[cfg(feature = "postgres")]
        if let Some((_, holder)) = self.postgres() {
            let sql = Sql::new("DELETE FROM projector_leases WHERE model = ")
                .bind(model.name())
                .then(" AND holder = ")
                .bind(holder);
            self.execute(&sql).await?;
        }
        let _ = model;
        Ok(())
    }

    /// Lets other processes know why a projector does not get on; nothing to tell takes back what was told.
    pub(crate) async fn report(
        &self,
        model: &dyn ReadModel,
        halted: Option<String>,
        last_error: Option<String>,
    ) -> Result<(), ProjectionError> {
        let sql = Sql::new("INSERT INTO projector_reports (model, halted, last_error) VALUES (")
            .bind(model.name())
            .then(", ")
            .bind(halted)
            .then(", ")
            .bind(last_error)
            .then(
                ") ON CONFLICT (model) DO UPDATE SET halted = excluded.halted, last_error = excluded.last_error",
            );
        self.execute(&sql).await?;
        Ok(())
    }

    /// Waits until no other process rebuilds a model; until the answer is dropped, none can.
    pub(crate) async fn lock_rebuild(
        &self,
        model: &dyn ReadModel,
    ) -> Result<RebuildLock<'_>, ProjectionError> {
        #[cfg(feature = "postgres")]
        if self.postgres().is_some() {
            // The lock is the transaction's: it ends with this process at the latest.
            let mut writer = self.writer().await?;
            loop {
                let mut transaction = writer.begin().await?;
                if transaction.may_rebuild(model).await? {
                    break;
                }
                transaction.commit().await?;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            return Ok(RebuildLock { _holds: Some(writer) });
        }
        let _ = model;
        Ok(RebuildLock { _holds: None })
    }

    async fn execute(&self, sql: &Sql) -> Result<u64, ProjectionError> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let changed = transaction.execute(sql).await?;
        transaction.commit().await?;
        Ok(changed)
    }
}

/// Keeps other processes from rebuilding a model.
pub(crate) struct RebuildLock<'a> {
    _holds: Option<Writer<'a>>,
}

impl WriteTransaction<'_> {
    /// Waits until no other transaction looks after the generations of a model.
    pub(crate) async fn lock_generations(&mut self, model: &dyn ReadModel) -> Result<(), ProjectionError> {
        if let Some(channel) = self.channel() {
            let name = format!("{channel} generations {}", model.name());
            let sql = Sql::new("SELECT pg_advisory_xact_lock(hashtextextended(").bind(name).then(", 0))");
            self.execute(&sql).await?;
        }
        Ok(())
    }

    /// Whether no other transaction rebuilds a model; from now on none can.
    pub(crate) async fn may_rebuild(&mut self, model: &dyn ReadModel) -> Result<bool, ProjectionError> {
        let Some(channel) = self.channel() else { return Ok(true) };
        let name = format!("{channel} rebuild {}", model.name());
        let sql = Sql::new("SELECT pg_try_advisory_xact_lock(hashtextextended(").bind(name).then(", 0))");
        let free: Vec<(bool,)> = self.fetch_all(&sql).await?;
        Ok(free.first().is_some_and(|(free,)| *free))
    }
}
