//! What the inner rooms refuse, in the shape of the API.

use dossier_commands::{CommandError, LoadError};
use dossier_domain::AccessRefusal;
use dossier_domain::access::AccessRejection;
use dossier_domain::account::AccountRejection;
use dossier_domain::account_recovery::AccountRecoveryRejection;
use dossier_domain::case::{CaseRejection, Kind};
use dossier_domain::event_subscription::EventSubscriptionRejection;
use dossier_domain::feedback::FeedbackRejection;
use dossier_domain::help_session::HelpSessionRejection;
use dossier_domain::known_issue::KnownIssueRejection;
use dossier_domain::phone_call::PhoneCallRejection;
use dossier_domain::saved_view::SavedViewRejection;
use dossier_domain::webhook::WebhookRejection;
use dossier_eventlog::blobs::BlobError;
use dossier_processes::work_store::WorkStoreError;
use dossier_projections::{QueryError, WaitError};

use crate::status::{ApiError, Code};

/// Seconds after which trying again may help.
const RETRY_AFTER_SECONDS: u32 = 1;

/// Who may not, and why.
pub fn access(refusal: &AccessRefusal) -> ApiError {
    let error = ApiError::permission_denied(refusal.to_string()).with_reason(refusal.reason());
    refusal.metadata().into_iter().fold(error, |error, (key, value)| error.with_metadata(key, value))
}

/// What the business refuses on a case.
pub fn case(rejection: &CaseRejection) -> ApiError {
    rejected(
        rejection.kind(),
        rejection.to_string(),
        rejection.reason(),
        rejection.field(),
        rejection.metadata(),
    )
}

/// What the business refuses on an organization's access.
pub fn organization(rejection: &AccessRejection) -> ApiError {
    rejected(
        rejection.kind(),
        rejection.to_string(),
        rejection.reason(),
        rejection.field(),
        rejection.metadata(),
    )
}

/// What the business refuses on an account.
pub fn account(rejection: &AccountRejection) -> ApiError {
    rejected(
        rejection.kind(),
        rejection.to_string(),
        rejection.reason(),
        rejection.field(),
        rejection.metadata(),
    )
}

/// What the business refuses on the recovery of an account.
pub fn account_recovery(rejection: &AccountRecoveryRejection) -> ApiError {
    if let AccountRecoveryRejection::Access(refusal) = rejection {
        return access(refusal);
    }
    rejected(rejection.kind(), rejection.to_string(), rejection.reason(), rejection.field(), Vec::new())
}

/// What the business refuses on a subscription to events.
pub fn event_subscription(rejection: &EventSubscriptionRejection) -> ApiError {
    rejected(
        rejection.kind(),
        rejection.to_string(),
        rejection.reason(),
        rejection.field(),
        rejection.metadata(),
    )
}

/// What the business refuses on a webhook.
pub fn webhook(rejection: &WebhookRejection) -> ApiError {
    rejected(
        rejection.kind(),
        rejection.to_string(),
        rejection.reason(),
        rejection.field(),
        rejection.metadata(),
    )
}

/// What the business refuses on a known issue.
pub fn known_issue(rejection: &KnownIssueRejection) -> ApiError {
    if let KnownIssueRejection::Access(refusal) = rejection {
        return access(refusal);
    }
    rejected(
        rejection.kind(),
        rejection.to_string(),
        rejection.reason(),
        rejection.field(),
        rejection.metadata(),
    )
}

/// What the business refuses of a phone call.
pub fn phone_call(rejection: &PhoneCallRejection) -> ApiError {
    if let PhoneCallRejection::Access(refusal) = rejection {
        return access(refusal);
    }
    rejected(rejection.kind(), rejection.to_string(), rejection.reason(), rejection.field(), Vec::new())
}

/// What the business refuses on a saved view.
pub fn saved_view(rejection: &SavedViewRejection) -> ApiError {
    if let SavedViewRejection::Access(refusal) = rejection {
        return access(refusal);
    }
    rejected(rejection.kind(), rejection.to_string(), rejection.reason(), rejection.field(), Vec::new())
}

/// What the business refuses of feedback.
pub fn feedback(rejection: &FeedbackRejection) -> ApiError {
    if let FeedbackRejection::Access(refusal) = rejection {
        return access(refusal);
    }
    rejected(rejection.kind(), rejection.to_string(), rejection.reason(), rejection.field(), Vec::new())
}

/// Why the help assistant does not go on.
pub fn help_session(rejection: &HelpSessionRejection) -> ApiError {
    if let HelpSessionRejection::Access(refusal) = rejection {
        return access(refusal);
    }
    let (message, metadata) = (rejection.to_string(), rejection.metadata());
    rejected(rejection.kind(), message, rejection.reason(), rejection.field(), metadata)
}

fn rejected(
    kind: Kind,
    message: String,
    reason: &'static str,
    field: Option<&'static str>,
    metadata: Vec<(&'static str, String)>,
) -> ApiError {
    let code = match kind {
        Kind::Invalid => Code::InvalidArgument,
        Kind::Forbidden => Code::PermissionDenied,
        Kind::Precondition => Code::FailedPrecondition,
        Kind::NotFound => Code::NotFound,
        Kind::AlreadyExists => Code::AlreadyExists,
    };
    let mut error = ApiError::new(code, message.clone()).with_reason(reason);
    if let Some(field) = field {
        error = error.with_violation(field, message);
    }
    metadata.into_iter().fold(error, |error, (key, value)| error.with_metadata(key, value))
}

/// Why a command has no outcome.
pub fn command<R: std::error::Error>(error: &CommandError<R>, rejected: impl Fn(&R) -> ApiError) -> ApiError {
    let (code, reason) = match error {
        CommandError::Rejected(rejection) => return rejected(rejection),
        CommandError::Unavailable(cause) => return unavailable(cause),
        CommandError::Damaged(cause) => return damaged(cause),
        CommandError::KeyReused => (Code::Aborted, "IDEMPOTENCY_KEY_REUSED"),
        CommandError::PreconditionFailed => (Code::Aborted, "ETAG_MISMATCH"),
        CommandError::Contention => (Code::Aborted, "CONCURRENT_CHANGES"),
        CommandError::TooLarge(_) => (Code::InvalidArgument, "REQUEST_TOO_LARGE"),
        CommandError::OutcomeUnknown => (Code::Internal, "OUTCOME_UNKNOWN"),
    };
    ApiError::new(code, error.to_string()).with_reason(reason)
}

/// Why a stream was not loaded.
pub fn load(error: LoadError) -> ApiError {
    match error {
        LoadError::Unavailable(cause) => unavailable(&cause),
        LoadError::Damaged(cause) => damaged(&cause),
    }
}

/// Why history was not read.
pub fn history(error: LoadError) -> ApiError {
    match error {
        LoadError::Unavailable(cause) => {
            tracing::warn!(cause, "history cannot be read");
            ApiError::unavailable("the log cannot be read now; send the request again", RETRY_AFTER_SECONDS)
                .with_reason("STORE_UNAVAILABLE")
        }
        LoadError::Damaged(cause) => damaged(&cause),
    }
}

/// Why a query has no answer.
pub fn query(error: &QueryError) -> ApiError {
    tracing::error!(%error, "a query failed");
    ApiError::unavailable("the read models cannot answer now; try again", RETRY_AFTER_SECONDS)
        .with_reason("READ_MODEL_UNAVAILABLE")
}

/// Why what processes keep is not read or written.
pub fn work_store(error: &WorkStoreError) -> ApiError {
    tracing::error!(%error, "the work store does not answer");
    ApiError::unavailable("the work store cannot answer now; try again", RETRY_AFTER_SECONDS)
        .with_reason("WORK_STORE_UNAVAILABLE")
}

/// Why a query did not wait long enough for what it must not be older than.
pub fn wait(error: &WaitError) -> ApiError {
    let reason = match error {
        WaitError::TimedOut { .. } => "READ_MODEL_BEHIND",
        WaitError::Halted { .. } => "READ_MODEL_HALTED",
    };
    let message = match error {
        WaitError::TimedOut { model } => format!("the read model {model} has not come as far yet; try again"),
        WaitError::Halted { model, .. } => {
            format!("the read model {model} has halted; the operator must rebuild it")
        }
    };
    ApiError::unavailable(message, RETRY_AFTER_SECONDS).with_reason(reason)
}

/// Why a file is not stored or not read.
pub fn blob(error: &BlobError) -> ApiError {
    match error {
        BlobError::TooLarge { limit } => {
            ApiError::new(Code::PayloadTooLarge, format!("the file is larger than {limit} bytes; send less"))
                .with_reason("FILE_TOO_LARGE")
        }
        BlobError::Erased => {
            ApiError::not_found("the content was erased with its owner").with_reason("CONTENT_ERASED")
        }
        BlobError::Unavailable(cause) => {
            tracing::warn!(cause, "the blob store is not available");
            ApiError::unavailable(
                "files cannot be stored or read now; send the request again",
                RETRY_AFTER_SECONDS,
            )
            .with_reason("BLOBS_UNAVAILABLE")
        }
        BlobError::NotFound | BlobError::Damaged(_) => {
            tracing::error!(%error, "the content of an attachment is not readable");
            ApiError::internal("the content is not readable here; the operator must restore it")
                .with_reason("CONTENT_NOT_READABLE")
        }
    }
}

/// Known not stored (promise 12). The cause goes to the log, not to the caller.
fn unavailable(cause: &str) -> ApiError {
    tracing::warn!(cause, "a command was refused: the store is not available");
    ApiError::unavailable(
        "nothing was stored: the store cannot write now; send the request again",
        RETRY_AFTER_SECONDS,
    )
    .with_reason("STORE_UNAVAILABLE")
}

fn damaged(cause: &str) -> ApiError {
    tracing::error!(cause, "the log or the key store is not readable");
    ApiError::internal("the log is not readable here; the operator must act").with_reason("LOG_NOT_READABLE")
}
