//! What can go wrong on the read side, by who acts next.

use std::path::PathBuf;

use dossier_eventlog::{BusError, ReadError};

use crate::location::ReadLocation;

/// Why the read database was not opened. The operator acts.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is not usable. It holds nothing that the log does not.
    #[error(
        "the read database {path} cannot be opened ({cause}); it holds nothing of its own: move it away and start again, it is rebuilt from the log",
        path = .path.display()
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the database said.
        cause: String,
    },
    /// The PostgreSQL server does not answer, or refuses.
    #[error("the read database cannot be reached: {cause}")]
    Unavailable {
        /// What was said.
        cause: String,
    },
    /// The schema's name would have to be quoted.
    #[error(
        "the schema {name:?} of the read database is no name of lower-case letters, digits and underscores"
    )]
    BadSchemaName {
        /// The name.
        name: String,
    },
    /// PostgreSQL is asked for and this build has none of it.
    #[error("this build has no PostgreSQL read models; build it with the feature postgres")]
    NotBuilt,
}

impl OpenError {
    /// What keeps the read models from being opened there.
    pub(crate) fn of(location: &ReadLocation, cause: String) -> Self {
        match location {
            ReadLocation::Sqlite(path) => Self::Unusable { path: path.clone(), cause },
            ReadLocation::Postgres(_) => Self::Unavailable { cause },
        }
    }
}

/// Why events were not projected.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// The log, the key store or the read database cannot answer now. The runner tries again.
    #[error("{0}")]
    Unavailable(String),
    /// Another projector has moved the checkpoint. The runner reads it again.
    #[error("the checkpoint was moved by another projector")]
    Fenced,
    /// The model cannot go on: an event that is not readable, or a log that is not the one it came from. The operator
    /// acts.
    #[error("{0}")]
    Halted(String),
    /// Another release has built the model anew: this one cannot go on, others can. The operator acts.
    #[error("another release has built the read model {0} anew; start this one again")]
    Superseded(&'static str),
}

impl From<ReadError> for ProjectionError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) => Self::Unavailable(error.to_string()),
            ReadError::Damaged(_) => Self::Halted(error.to_string()),
        }
    }
}

impl From<BusError> for ProjectionError {
    fn from(error: BusError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<sqlx::Error> for ProjectionError {
    fn from(error: sqlx::Error) -> Self {
        match remedy(&error) {
            Some(remedy) => Self::Halted(format!("read database: {error}; {remedy}")),
            None => Self::Unavailable(format!("read database: {error}")),
        }
    }
}

impl From<QueryError> for ProjectionError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Database(error) => error.into(),
            QueryError::Row(_) => Self::Halted(error.to_string()),
        }
    }
}

/// What helps where trying again does not.
fn remedy(error: &sqlx::Error) -> Option<&'static str> {
    const REBUILD: &str = "rebuild the read model";
    match error {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
            Some(REBUILD)
        }
        sqlx::Error::Database(error) => {
            let code = error.code()?;
            // PostgreSQL's codes have five characters; the first two tell the class: bad data, broken constraints.
            if code.len() == 5 {
                return ["22", "23"].contains(&&code[..2]).then_some(REBUILD);
            }
            // The low byte of SQLite's code says the kind.
            match code.parse::<u32>().ok()? & 0xff {
                SQLITE_CORRUPT | SQLITE_NOTADB => {
                    Some("stop, move the read database away and start again: it is rebuilt from the log")
                }
                SQLITE_TOOBIG | SQLITE_CONSTRAINT | SQLITE_MISMATCH => Some(REBUILD),
                _ => None,
            }
        }
        _ => None,
    }
}

const SQLITE_CORRUPT: u32 = 11;
const SQLITE_TOOBIG: u32 = 18;
const SQLITE_CONSTRAINT: u32 = 19;
const SQLITE_MISMATCH: u32 = 20;
const SQLITE_NOTADB: u32 = 26;

/// Why a query has no answer. The caller repeats later.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The read database cannot answer.
    #[error("read database: {0}")]
    Database(#[from] sqlx::Error),
    /// A row does not make sense to this release: rebuild the model.
    #[error("a row of {0} is not readable; run: dossier rebuild {0}")]
    Row(&'static str),
}
