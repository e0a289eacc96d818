//! Why a command has no outcome. Each variant says who acts next.

use dossier_domain::DecodeError;
use dossier_domain::personal::InvalidPlain;
use dossier_eventlog::{ReadError, SealError};

/// Why a stream was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store or the key store cannot answer now. The caller repeats later.
    #[error("{0}")]
    Unavailable(String),
    /// Stored bytes make no sense to this release, or the key store does not fit the log. The operator acts.
    #[error("{0}")]
    Damaged(String),
}

impl From<ReadError> for LoadError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) => Self::Unavailable(error.to_string()),
            ReadError::Damaged(_) => Self::Damaged(error.to_string()),
        }
    }
}

impl From<SealError> for LoadError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Unavailable(_) => Self::Unavailable(error.to_string()),
            SealError::Erased(_) | SealError::MissingKey(_) | SealError::Damaged(_) => {
                Self::Damaged(error.to_string())
            }
        }
    }
}

impl From<DecodeError> for LoadError {
    fn from(error: DecodeError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<InvalidPlain> for LoadError {
    fn from(error: InvalidPlain) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<serde_json::Error> for LoadError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(format!("metadata of an event is not readable: {error}"))
    }
}

/// Why a command was not applied.
#[derive(Debug, thiserror::Error)]
pub enum CommandError<R> {
    /// The business refuses. The caller changes something.
    #[error(transparent)]
    Rejected(R),
    /// The command id was used for another body. The caller takes a new one.
    #[error("this idempotency key was used for another request; use a new key for a new request")]
    KeyReused,
    /// The resource has another revision than the caller demands. The caller reads it again.
    #[error("the resource has changed since it was read; read it again and decide anew")]
    PreconditionFailed,
    /// Others change the same resource all the time. The caller repeats.
    #[error("others are changing the same resource; send the request again")]
    Contention,
    /// The events would be larger than the log takes. The caller sends less.
    #[error("{0}")]
    TooLarge(String),
    /// Nothing was stored, for now. The caller repeats later.
    #[error("{0}")]
    Unavailable(String),
    /// It may be stored or not. The caller repeats with the same command id.
    #[error("whether the command was applied is not known; repeat it with the same Idempotency-Key")]
    OutcomeUnknown,
    /// The log or the key store is not readable. The operator acts.
    #[error("{0}")]
    Damaged(String),
}

impl<R> From<LoadError> for CommandError<R> {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unavailable(cause) => Self::Unavailable(cause),
            LoadError::Damaged(cause) => Self::Damaged(cause),
        }
    }
}
