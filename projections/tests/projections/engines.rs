//! What is said of read models is said of both engines.

use std::path::Path;

use dossier_projections::{Engine, ReadLocation};
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};

/// Tables that are not of a read model.
const BOOKKEEPING: &str =
    "('read_models', 'checkpoints', 'generation_tables', 'projector_reports', 'projector_leases')";

tokio::task_local! {
    static ENGINE: Engine;
}

/// Runs what a test says on an engine.
pub(crate) async fn on<T>(engine: Engine, test: impl Future<Output = T>) -> T {
    // On the heap: it is large, and tests have small stacks.
    ENGINE.scope(engine, Box::pin(test)).await
}

/// Makes tests of functions, one on each engine.
macro_rules! on_each_engine {
    ($($test:ident),* $(,)?) => {
        on_each_engine!(on_sqlite, on_postgres, "current_thread": $($test),*);
    };
    (multi_thread: $($test:ident),* $(,)?) => {
        on_each_engine!(on_sqlite_with_threads, on_postgres_with_threads, "multi_thread": $($test),*);
    };
    ($sqlite:ident, $postgres:ident, $flavor:literal: $($test:ident),*) => {
        mod $sqlite {
            $(#[tokio::test(flavor = $flavor)]
            async fn $test() {
                crate::engines::on(dossier_projections::Engine::Sqlite, super::$test()).await;
            })*
        }

        #[cfg(feature = "postgres")]
        mod $postgres {
            $(#[tokio::test(flavor = $flavor)]
            async fn $test() {
                crate::engines::on(dossier_projections::Engine::Postgres, super::$test()).await;
            })*
        }
    };
}

/// Runs what a property says on each engine; each has a runtime of its own.
pub(crate) fn block_on_each_engine(test: impl AsyncFn()) {
    let engines =
        if cfg!(feature = "postgres") { &[Engine::Sqlite, Engine::Postgres][..] } else { &[Engine::Sqlite] };
    for engine in engines {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(on(*engine, test()));
    }
}

/// A place for read models where there are none, on the engine of the test, which is SQLite unless told.
pub(crate) fn fresh_location(directory: &Path) -> ReadLocation {
    match ENGINE.try_with(|engine| *engine) {
        #[cfg(feature = "postgres")]
        Ok(Engine::Postgres) => postgres::fresh_location(),
        _ => ReadLocation::sqlite(directory.join("read.db")),
    }
}

/// A text as rows show it: PostgreSQL's cannot hold U+0000.
pub(crate) fn storable(text: &str) -> std::borrow::Cow<'_, str> {
    match ENGINE.get() {
        Engine::Sqlite => text.into(),
        Engine::Postgres => text.replace('\0', "\u{fffd}").into(),
    }
}

/// Names of the tables of read models, but for those that only old queries may still read.
pub(crate) async fn tables(location: &ReadLocation) -> Vec<String> {
    names(location, "table").await
}

/// Names of the views, which only SQLite has.
pub(crate) async fn views(location: &ReadLocation) -> Option<Vec<String>> {
    match location {
        ReadLocation::Sqlite(_) => Some(names(location, "view").await),
        ReadLocation::Postgres(_) => None,
    }
}

async fn names(location: &ReadLocation, kind: &str) -> Vec<String> {
    match location {
        ReadLocation::Sqlite(path) => {
            let sql = format!(
                "SELECT name FROM sqlite_master WHERE type = $1 AND name NOT IN {BOOKKEEPING}
                 AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow') ORDER BY name"
            );
            let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
            let names = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(kind);
            names.fetch_all(&mut connection).await.unwrap()
        }
        #[cfg(feature = "postgres")]
        ReadLocation::Postgres(options) => postgres::tables(options).await,
        #[cfg(not(feature = "postgres"))]
        ReadLocation::Postgres(_) => unreachable!("not built"),
    }
}

#[cfg(feature = "postgres")]
pub(crate) mod postgres {
    use std::str::FromStr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use dossier_eventlog::contract::servers::Postgres;
    use dossier_projections::{PostgresOptions, ReadLocation};
    use sqlx::postgres::PgConnectOptions;
    use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

    use super::BOOKKEEPING;

    /// A schema of its own in a database that all tests share.
    pub(crate) fn fresh_location() -> ReadLocation {
        static URL: OnceLock<String> = OnceLock::new();
        static SCHEMAS: AtomicU32 = AtomicU32::new(0);
        let url = URL.get_or_init(|| Postgres::shared().fresh_database());
        let schema = format!("read_{}", SCHEMAS.fetch_add(1, Ordering::Relaxed));
        ReadLocation::Postgres(PostgresOptions { schema, ..PostgresOptions::new(url) })
    }

    pub(crate) async fn connect(options: &PostgresOptions) -> PgConnection {
        let connect = PgConnectOptions::from_str(&options.url).unwrap();
        connect.options([("search_path", &options.schema)]).connect().await.unwrap()
    }

    pub(crate) async fn tables(options: &PostgresOptions) -> Vec<String> {
        let sql = format!(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = $1 AND tablename NOT IN {BOOKKEEPING}
             AND tablename NOT IN (SELECT table_name FROM generation_tables WHERE retired_at IS NOT NULL)
             ORDER BY tablename"
        );
        let names = sqlx::query_scalar(AssertSqlSafe(sql)).bind(&options.schema);
        names.fetch_all(&mut connect(options).await).await.unwrap()
    }
}
