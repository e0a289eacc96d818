//! Opening a database file: is it ours, of our version, whole, and of the right log? Each no is one sentence that
//! says what to do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use uuid::Uuid;

/// Marks a file as a Dossier event log (`PRAGMA application_id`): "DOSL".
pub(super) const LOG_APPLICATION_ID: i64 = 0x444f_534c;
/// Marks a file as a Dossier key store: "DOSK".
pub(super) const KEYS_APPLICATION_ID: i64 = 0x444f_534b;
/// How long a connection waits for another one's write.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a store was not opened. The operator acts: every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the log open.
    #[error(
        "{path} is in use by another process: stop that one first, or give this one a directory of its own"
    )]
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// The file is something else.
    #[error(
        "{path} is not a Dossier {wanted}: point the configuration at the right file, or move this one away"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was expected there.
        wanted: &'static str,
    },
    /// The file was written by a later release.
    #[error(
        "{path} has schema {found}, this release knows {known}: start the release that wrote it, or a later one"
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Schema version of the file.
        found: i64,
        /// Schema version of this release.
        known: i64,
    },
    /// The file is torn.
    #[error("{path} is damaged ({detail}): restore it from the last backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// There is no file where one must be.
    #[error(
        "{path} is missing beside a log that has events: restore it from its backup, or personal values stay sealed for ever"
    )]
    KeysMissing {
        /// The key store.
        path: PathBuf,
    },
    /// The key store belongs to another log.
    #[error(
        "{path} holds the keys of log {found}, not of {wanted}: restore the key store that was backed up with this log"
    )]
    KeysOfAnotherLog {
        /// The key store.
        path: PathBuf,
        /// The log it belongs to.
        found: Uuid,
        /// The log that was opened.
        wanted: Uuid,
    },
    /// There is no log to read.
    #[error("{path} does not exist: check the path, there is no log to read")]
    NoLog {
        /// The database.
        path: PathBuf,
    },
    /// The file cannot be used now.
    #[error(
        "{path} cannot be opened ({detail}): check that its directory exists, is writable and has free space"
    )]
    Unavailable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

/// What a database file must be.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) application_id: i64,
    pub(super) schema_version: i64,
}

/// State of a file that was opened.
pub(super) enum Found {
    /// Nothing is in it yet.
    Empty,
    /// It is ours and of our schema version.
    Ours,
}

/// Turns a driver's error into the operator's sentence.
pub(super) fn explain(path: &Path, kind: &Kind, error: &sqlx::Error) -> OpenError {
    const CORRUPT: u32 = 11;
    const NOT_A_DATABASE: u32 = 26;
    let path = path.to_owned();
    match primary_code(error) {
        Some(NOT_A_DATABASE) => OpenError::Foreign { path, wanted: kind.name },
        Some(CORRUPT) => OpenError::Damaged { path, detail: error.to_string() },
        _ => OpenError::Unavailable { path, detail: error.to_string() },
    }
}

/// SQLite's primary result code, where the error came from SQLite.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<u32> {
    extended_code(error).map(|code| code & 0xff)
}

/// SQLite's extended result code, where the error came from SQLite.
pub(super) fn extended_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// Options that every connection to a file shares.
pub(super) fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(64)
        .disable_statement_logging()
}

/// Options of a connection that writes durably: an acknowledged commit survives the loss of power.
pub(super) fn writer_options(path: &Path) -> SqliteConnectOptions {
    connect_options(path).create_if_missing(true).pragma("synchronous", "FULL")
}

/// Connects and looks whether the file is what it must be, changing nothing.
pub(super) async fn inspect(
    path: &Path,
    options: &SqliteConnectOptions,
    kind: &Kind,
) -> Result<(SqliteConnection, Found), OpenError> {
    let explain = |error: sqlx::Error| explain(path, kind, &error);
    let mut connection = options.connect().await.map_err(explain)?;
    let application_id = pragma(&mut connection, "application_id").await.map_err(explain)?;
    let schema_version = pragma(&mut connection, "user_version").await.map_err(explain)?;
    if application_id == kind.application_id {
        return match schema_version {
            found if found > kind.schema_version => {
                Err(OpenError::NewerSchema { path: path.to_owned(), found, known: kind.schema_version })
            }
            found if found < kind.schema_version => {
                // No release has written an older one.
                Err(OpenError::Foreign { path: path.to_owned(), wanted: kind.name })
            }
            _ => Ok((connection, Found::Ours)),
        };
    }
    let tables: i64 = sqlx::query("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(explain)?;
    if application_id == 0 && schema_version == 0 && tables == 0 {
        Ok((connection, Found::Empty))
    } else {
        Err(OpenError::Foreign { path: path.to_owned(), wanted: kind.name })
    }
}

/// Makes the tables of a new file, all or nothing, so that a crash in between leaves an empty file.
pub(super) async fn create_schema(
    connection: &mut SqliteConnection,
    kind: &Kind,
    statements: &[&'static str],
    meta: &[(&'static str, Vec<u8>)],
) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA journal_mode = WAL").execute(&mut *connection).await?;
    let mut transaction = connection.begin().await?;
    for statement in statements {
        sqlx::query(*statement).execute(&mut *transaction).await?;
    }
    sqlx::query("CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID")
        .execute(&mut *transaction)
        .await?;
    for (name, value) in meta {
        sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2)")
            .bind(*name)
            .bind(value.as_slice())
            .execute(&mut *transaction)
            .await?;
    }
    for (name, value) in [("application_id", kind.application_id), ("user_version", kind.schema_version)] {
        sqlx::query(AssertSqlSafe(format!("PRAGMA {name} = {value}"))).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    // Who this file is must not hang on the write-ahead log, whose torn end is cut off without a word.
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(connection).await.map(drop)
}

/// Reads one value that the schema always has.
pub(super) async fn meta(
    connection: &mut SqliteConnection,
    path: &Path,
    kind: &Kind,
    name: &'static str,
) -> Result<Vec<u8>, OpenError> {
    let row = sqlx::query("SELECT value FROM meta WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await
        .map_err(|error| explain(path, kind, &error))?;
    let damaged = || OpenError::Damaged { path: path.to_owned(), detail: format!("its {name} is missing") };
    row.ok_or_else(damaged)?.try_get(0).map_err(|_| damaged())
}

/// Reads the id of the log that a file is or belongs to.
pub(super) async fn log_id(
    connection: &mut SqliteConnection,
    path: &Path,
    kind: &Kind,
) -> Result<Uuid, OpenError> {
    let bytes = meta(connection, path, kind, "log_id").await?;
    Uuid::from_slice(&bytes)
        .map_err(|_| OpenError::Damaged { path: path.to_owned(), detail: "its log_id is no UUID".to_owned() })
}

/// Checks every page of a file that was not closed cleanly.
pub(super) async fn quick_check(
    connection: &mut SqliteConnection,
    path: &Path,
    kind: &Kind,
) -> Result<(), OpenError> {
    let verdict: String = sqlx::query("PRAGMA quick_check(1)")
        .fetch_one(connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| explain(path, kind, &error))?;
    if verdict == "ok" { Ok(()) } else { Err(OpenError::Damaged { path: path.to_owned(), detail: verdict }) }
}

async fn pragma(connection: &mut SqliteConnection, name: &'static str) -> Result<i64, sqlx::Error> {
    sqlx::query(AssertSqlSafe(format!("PRAGMA {name}"))).fetch_one(connection).await?.try_get(0)
}
