//! PostgreSQL: everything in a schema of its own. Queries name the tables of the active generation themselves, because a
//! view cannot be switched without a lock that queries of several tables would deadlock with; each table they name checks,
//! in the statement's own snapshot, that its generation is still the active one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, Postgres};

use crate::error::OpenError;
use crate::location::PostgresOptions;
use crate::sql::{AnyConnection, LiveName, ReadRow, Sql, view_name};

/// How long one statement of a projector may take.
const WRITE_TIMEOUT: Duration = Duration::from_mins(1);
/// A connection that was in use so long ago is taken to work.
const TRUSTED: Duration = Duration::from_secs(1);
/// What the network takes beside a statement.
const MARGIN: Duration = Duration::from_millis(500);
/// How often a query that has met a switch is tried.
const ATTEMPTS: u32 = 5;
/// Raised when a statement names a generation that is not active any more.
const NOT_ACTIVE: &str = "DR001";
const UNDEFINED_TABLE: &str = "42P01";

/// `CREATE … IF NOT EXISTS` is not safe against itself: several processes may start at once.
const BOOKKEEPING: &str = "
BEGIN;
SELECT pg_advisory_xact_lock(hashtextextended('{schema}', 0));
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {schema}.read_models (
    name TEXT PRIMARY KEY,
    schema_version BIGINT NOT NULL,
    active_generation BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS {schema}.checkpoints (
    model TEXT NOT NULL,
    generation BIGINT NOT NULL,
    log_id BYTEA NOT NULL,
    position BIGINT NOT NULL,
    event_id BYTEA,
    PRIMARY KEY (model, generation)
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS {schema}.generation_tables (
    table_name TEXT PRIMARY KEY,
    view_name TEXT NOT NULL,
    model TEXT NOT NULL,
    generation BIGINT NOT NULL,
    retired_at TIMESTAMPTZ
);
CREATE TABLE IF NOT EXISTS {schema}.projector_reports (
    model TEXT PRIMARY KEY,
    halted TEXT,
    last_error TEXT
);
CREATE TABLE IF NOT EXISTS {schema}.projector_leases (
    model TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE OR REPLACE FUNCTION {schema}.is_active(model TEXT, generation BIGINT) RETURNS BOOLEAN
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM {schema}.read_models WHERE name = $1 AND active_generation = $2) THEN
        RETURN TRUE;
    END IF;
    RAISE EXCEPTION 'generation % of % is not active', $2, $1 USING ERRCODE = 'DR001';
END $$;
COMMIT;";

/// Which generation of each table is active: by table, its model and the generation.
type ActiveTables = BTreeMap<String, (String, i64)>;

/// The connections to a database.
pub(super) struct PostgresDatabase {
    options: PostgresOptions,
    schema: Arc<str>,
    connect: PgConnectOptions,
    queries: PgPool,
    writers: PgPool,
    /// As last seen; a statement that finds it outdated has it read again.
    active: RwLock<Arc<ActiveTables>>,
    /// Tells this process from others that hold leases.
    holder: String,
}

impl PostgresDatabase {
    pub(super) async fn open(options: &PostgresOptions) -> Result<Self, OpenError> {
        let name = |character: char| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_'
        };
        if options.schema.is_empty() || !options.schema.chars().all(name) {
            return Err(OpenError::BadSchemaName { name: options.schema.clone() });
        }
        let unavailable = |error: sqlx::Error| OpenError::Unavailable { cause: error.to_string() };
        let connect = PgConnectOptions::from_str(&options.url)
            .map_err(unavailable)?
            .application_name("dossier-read")
            .options([("search_path", options.schema.as_str())]);
        let millis = |duration: Duration| duration.as_millis().to_string();
        let queries = PgPoolOptions::new()
            .max_connections(options.query_connections)
            .acquire_timeout(options.acquire_timeout)
            // A connection in use is not asked whether it works: a query that finds it broken takes another.
            .test_before_acquire(false)
            .before_acquire(|connection, usage| {
                Box::pin(async move {
                    let works = usage.idle_for < TRUSTED || connection.ping().await.is_ok();
                    Ok(works)
                })
            })
            .connect_lazy_with(connect.clone().options([
                ("statement_timeout", millis(options.statement_timeout)),
                ("idle_in_transaction_session_timeout", millis(options.statement_timeout)),
            ]));
        let writers = PgPoolOptions::new()
            .max_connections(options.write_connections)
            .acquire_timeout(options.acquire_timeout)
            .connect_lazy_with(connect.clone().options([
                ("statement_timeout", millis(WRITE_TIMEOUT)),
                // A crash may lose the last transactions: they are projected again.
                ("synchronous_commit", "off".to_owned()),
            ]));
        let schema = BOOKKEEPING.replace("{schema}", &options.schema);
        sqlx::raw_sql(sqlx::AssertSqlSafe(schema)).execute(&writers).await.map_err(unavailable)?;
        let holder = sqlx::query_scalar("SELECT gen_random_uuid()::text")
            .fetch_one(&writers)
            .await
            .map_err(unavailable)?;
        Ok(Self {
            options: options.clone(),
            schema: options.schema.as_str().into(),
            connect,
            queries,
            writers,
            active: RwLock::default(),
            holder,
        })
    }

    pub(super) fn options(&self) -> &PostgresOptions {
        &self.options
    }

    pub(super) fn holder(&self) -> &str {
        &self.holder
    }

    pub(super) async fn close(&self) {
        self.queries.close().await;
        self.writers.close().await;
    }

    /// A connection that hears what projectors and rebuilds tell.
    pub(super) async fn listen(&self) -> Result<PgListener, sqlx::Error> {
        // A pool of its own: it may wait for ever without taking a connection from anybody.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(self.options.acquire_timeout)
            .connect_lazy_with(self.connect.clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(&self.options.schema).await?;
        Ok(listener)
    }

    /// A connection that queries, or one that writes.
    async fn checked_out(&self, pool: &PgPool, limit: Duration) -> Result<Checked, sqlx::Error> {
        let connection = Some(pool.acquire().await?);
        Ok(Checked { connection, limit, schema: self.schema.clone(), reusable: true })
    }

    pub(super) async fn writer(&self) -> Result<Checked, sqlx::Error> {
        self.checked_out(&self.writers, WRITE_TIMEOUT).await
    }

    pub(super) async fn fetch_all<T: ReadRow>(&self, sql: &Sql) -> Result<Vec<T>, sqlx::Error> {
        let mut attempt = 1;
        loop {
            let mut connection = self.checked_out(&self.queries, self.options.statement_timeout).await?;
            let mut active = self.active.read().unwrap_or_else(PoisonError::into_inner).clone();
            if active.is_empty() {
                active = self.look_up(&mut connection).await?;
            }
            let named = |table: &str, text: &mut String| name_checked(&active, table, text);
            match connection.fetch_all(sql, &named).await {
                Err(error) if is_outdated(&error) && attempt < ATTEMPTS => {
                    attempt += 1;
                    self.look_up(&mut connection).await?;
                }
                Err(error) if is_broken(&error) && attempt < ATTEMPTS => attempt += 1,
                answer => return answer,
            }
        }
    }

    async fn look_up(&self, connection: &mut Checked) -> Result<Arc<ActiveTables>, sqlx::Error> {
        let active = Arc::new(read_active(connection).await?);
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = active.clone();
        Ok(active)
    }

    /// A transaction that sees the database as it is now.
    pub(super) async fn snapshot(&self) -> Result<PostgresSnapshot, sqlx::Error> {
        let mut connection = self.checked_out(&self.queries, self.options.statement_timeout).await?;
        connection.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let active = read_active(&mut connection).await?;
        Ok(PostgresSnapshot { connection, active })
    }
}

/// A connection of a pool. One that is given back in the middle of something is closed instead.
pub(crate) struct Checked {
    pub(super) schema: Arc<str>,
    connection: Option<PoolConnection<Postgres>>,
    limit: Duration,
    reusable: bool,
}

impl Checked {
    pub(super) async fn fetch_all<T: ReadRow>(
        &mut self,
        sql: &Sql,
        live: LiveName<'_>,
    ) -> Result<Vec<T>, sqlx::Error> {
        let (connection, running) = self.parts();
        running.until(AnyConnection::Postgres(connection).fetch_all(sql, live)).await
    }

    pub(super) async fn execute(&mut self, sql: &Sql, live: LiveName<'_>) -> Result<u64, sqlx::Error> {
        let (connection, running) = self.parts();
        running.until(AnyConnection::Postgres(connection).execute(sql, live)).await
    }

    pub(super) async fn define(&mut self, text: String) -> Result<(), sqlx::Error> {
        let (connection, running) = self.parts();
        running.until(AnyConnection::Postgres(connection).define(text)).await
    }

    /// Begins a transaction; the connection is good for others again when it has ended.
    pub(super) async fn begin(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        self.reusable = false;
        self.define(statement.to_owned()).await
    }

    pub(super) async fn end(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        self.define(statement.to_owned()).await?;
        self.reusable = true;
        Ok(())
    }

    fn parts(&mut self) -> (&mut PgConnection, Running<'_>) {
        let connection = self.connection.as_mut().expect("it is there until it is dropped");
        (connection, Running { limit: self.limit, reusable: &mut self.reusable })
    }
}

/// A statement on its way.
struct Running<'a> {
    limit: Duration,
    reusable: &'a mut bool,
}

impl Running<'_> {
    /// Waits for the answer, but not for ever: a server that is frozen or cut off does not end statements by itself.
    async fn until<T>(self, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
        let was_reusable = std::mem::replace(self.reusable, false);
        let answer = tokio::time::timeout(self.limit + MARGIN, answer).await;
        let answer = answer.map_err(|_| {
            sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the server does not answer"))
        })?;
        *self.reusable = was_reusable;
        answer
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.as_mut().filter(|_| !self.reusable) {
            connection.close_on_drop();
        }
    }
}

/// The database at one moment.
pub(crate) struct PostgresSnapshot {
    pub(super) connection: Checked,
    active: ActiveTables,
}

impl PostgresSnapshot {
    pub(super) async fn fetch_all<T: ReadRow>(&mut self, sql: &Sql) -> Result<Vec<T>, sqlx::Error> {
        let active = &self.active;
        let named = |table: &str, text: &mut String| name(active, table, text);
        self.connection.fetch_all(sql, &named).await
    }
}

async fn read_active(connection: &mut Checked) -> Result<ActiveTables, sqlx::Error> {
    let sql = Sql::new(
        "SELECT view_name, model, generation
         FROM generation_tables JOIN read_models ON name = model AND active_generation = generation",
    );
    let rows: Vec<(String, String, i64)> = connection.fetch_all(&sql, &view_name).await?;
    Ok(rows.into_iter().map(|(table, model, generation)| (table, (model, generation))).collect())
}

/// The statement was made for tables that are not the active ones any more.
fn is_outdated(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == NOT_ACTIVE || code == UNDEFINED_TABLE)
}

/// The connection was ended by a server that has stopped, and may run again.
fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() != std::io::ErrorKind::TimedOut,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

/// A table of the active generation in a snapshot that has been asked which one that is.
fn name(active: &ActiveTables, table: &str, text: &mut String) {
    let generation = active.get(table).map_or(0, |(_, generation)| *generation);
    write!(text, "{table}_g{generation} AS {table}").expect("a string takes everything");
}

/// A table of what was the active generation when it was last asked for; the statement fails where it is not any more.
fn name_checked(active: &ActiveTables, table: &str, text: &mut String) {
    let Some((model, generation)) = active.get(table) else { return name(active, table, text) };
    write!(text, "(SELECT * FROM {table}_g{generation} WHERE is_active('{model}', {generation})) AS {table}")
        .expect("a string takes everything");
}
