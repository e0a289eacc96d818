//! In PostgreSQL a generation's tables outlive its end for a while: whoever began to read them reads on. Then they go, one
//! by one, so that no two locks are held at once.

use std::time::Duration;

use crate::database::ReadDatabase;
use crate::error::ProjectionError;
use crate::location::PostgresOptions;
use crate::sql::Sql;

/// Statements that a query's transaction has, at most.
const STATEMENTS: u32 = 3;

/// How long the longest query may still read what it began to.
fn kept_for(options: &PostgresOptions) -> Duration {
    options.statement_timeout * STATEMENTS
}

impl ReadDatabase {
    /// Drops the tables that nobody reads any more.
    pub(crate) async fn drop_retired(&self) -> Result<(), ProjectionError> {
        let Some((options, _)) = self.postgres() else { return Ok(()) };
        let millis = i64::try_from(kept_for(options).as_millis()).unwrap_or(i64::MAX);
        let sql = Sql::new(
            "SELECT table_name FROM generation_tables WHERE retired_at < now() - interval '1 millisecond' * ",
        )
        .bind(millis);
        let tables: Vec<(String,)> = self.fetch_all(&sql).await?;
        for (table,) in tables {
            let mut writer = self.writer().await?;
            let mut transaction = writer.begin().await?;
            // Queries that come while this waits for others wait too: not for long.
            transaction.define("SET LOCAL lock_timeout = '200ms'".to_owned()).await?;
            let sql = Sql::new("DELETE FROM generation_tables WHERE table_name = ").bind(table.as_str());
            // Another process may do the same.
            if transaction.execute(&sql).await? == 1 {
                transaction.define(format!("DROP TABLE IF EXISTS {table}")).await?;
            }
            transaction.commit().await?;
        }
        Ok(())
    }
}
