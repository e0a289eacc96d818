//! The stores that can be checked, each made empty for a check.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dossier_eventlog::{EventStore, KurrentOptions, KurrentStore, MemoryStore, SqliteOptions, SqliteStore};
use dossier_kurrentdb_double::Double;
use tempfile::TempDir;
use uuid::Uuid;

/// Which engine the URL names.
pub(crate) enum Engine {
    Memory,
    Sqlite {
        folder: PathBuf,
    },
    Kurrent {
        url: String,
        /// Runs as long as this.
        _double: Option<Double>,
    },
    #[cfg(feature = "postgres")]
    Postgres {
        url: String,
    },
}

/// An empty store, and what has to be cleaned up after it.
pub(crate) struct Subject {
    pub(crate) store: Arc<dyn EventStore>,
    after: After,
}

enum After {
    Nothing,
    Folder(TempDir, Arc<SqliteStore>),
    #[cfg(feature = "postgres")]
    Database {
        url: String,
        name: String,
        store: Arc<dossier_eventlog::postgres::PostgresStore>,
    },
}

impl Engine {
    pub(crate) async fn new(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("double", "")) => {
                let double = Double::started().await;
                Ok(Self::Kurrent { url: double.url(), _double: Some(double) })
            }
            Some(("sqlite", folder)) if !folder.is_empty() => {
                std::fs::create_dir_all(folder).map_err(|error| format!("`{folder}`: {error}"))?;
                Ok(Self::Sqlite { folder: folder.into() })
            }
            Some(("kurrentdb" | "kurrentdb+discover" | "esdb" | "esdb+discover", _)) => {
                Ok(Self::Kurrent { url: url.to_owned(), _double: None })
            }
            #[cfg(feature = "postgres")]
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres { url: url.to_owned() }),
            #[cfg(not(feature = "postgres"))]
            Some(("postgres" | "postgresql", _)) => {
                Err("this program was built without PostgreSQL: build it with `--features postgres`".to_owned())
            }
            // What it holds may be secret.
            _ => Err("no store has such a URL; wanted memory:, sqlite:FOLDER, postgres://…, kurrentdb://… or double:".to_owned()),
        }
    }

    pub(crate) async fn fresh(&self) -> Result<Subject, String> {
        let id = random_id();
        match self {
            Self::Memory => Ok(Subject { store: Arc::new(MemoryStore::new(id)), after: After::Nothing }),
            Self::Sqlite { folder } => {
                let folder = TempDir::new_in(folder).map_err(|error| error.to_string())?;
                let path = folder.path().join("events.db");
                let store = SqliteStore::open(&path, SqliteOptions::default(), id).await;
                let store = Arc::new(store.map_err(|error| error.to_string())?);
                Ok(Subject { store: Arc::clone(&store) as _, after: After::Folder(folder, store) })
            }
            Self::Kurrent { url, .. } => {
                let options = KurrentOptions {
                    namespace: format!("contract-{}", id.simple()),
                    // The contract is not about how fast the machine is.
                    append_timeout: Duration::from_secs(20),
                    read_timeout: Duration::from_secs(20),
                    ..KurrentOptions::default()
                };
                let store = KurrentStore::open(url, options, id).await.map_err(|error| error.to_string())?;
                Ok(Subject { store: Arc::new(store), after: After::Nothing })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { url } => {
                let name = format!("contract_{}", id.simple());
                postgres::execute(url, format!("CREATE DATABASE {name}")).await?;
                let own = postgres::with_database(url, &name)?;
                let store = dossier_eventlog::postgres::PostgresStore::open(
                    &own,
                    dossier_eventlog::postgres::PostgresOptions::default(),
                    id,
                );
                let store = Arc::new(store.await.map_err(|error| error.to_string())?);
                let after = After::Database { url: url.clone(), name, store: Arc::clone(&store) };
                Ok(Subject { store, after })
            }
        }
    }
}

impl Subject {
    /// Removes what the check left behind.
    pub(crate) async fn discard(self) -> Result<(), String> {
        match self.after {
            After::Nothing => Ok(()),
            After::Folder(folder, store) => {
                store.close().await;
                folder.close().map_err(|error| error.to_string())
            }
            #[cfg(feature = "postgres")]
            After::Database { url, name, store } => {
                store.close().await;
                postgres::execute(&url, format!("DROP DATABASE {name} WITH (FORCE)")).await
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program's edge: logs of two runs on one server must not meet"
)]
fn random_id() -> Uuid {
    Uuid::new_v4()
}

#[cfg(feature = "postgres")]
mod postgres {
    //! A database per check.

    use sqlx::postgres::PgConnectOptions;
    use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

    pub(super) async fn execute(url: &str, statement: String) -> Result<(), String> {
        let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| error.to_string())?;
        let mut connection = options.connect().await.map_err(|error| error.to_string())?;
        // It holds nothing but a number of ours.
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .map_err(|error| error.to_string())?;
        connection.close().await.map_err(|error| error.to_string())
    }

    /// The same URL with another database.
    pub(super) fn with_database(url: &str, name: &str) -> Result<String, String> {
        let (scheme, rest) = url.split_once("://").ok_or("a URL without `://`")?;
        let (place, parameters) = rest
            .split_once('?')
            .map_or((rest, String::new()), |(place, parameters)| (place, format!("?{parameters}")));
        let server = place.split_once('/').map_or(place, |(server, _)| server);
        Ok(format!("{scheme}://{server}/{name}{parameters}"))
    }
}
