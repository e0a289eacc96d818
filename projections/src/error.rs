//! What can go wrong on the read side, by who acts next.

use std::path::PathBuf;

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
}

impl From<sqlx::Error> for ProjectionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(format!("read database: {error}"))
    }
}

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
