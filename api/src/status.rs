//! The one shape of every refusal: `google.rpc.Status` in JSON, with a stable reason.
//!
//! `{"error":{"code":404,"message":"…","status":"NOT_FOUND","details":[…]}}`. `code` is always the HTTP
//! status, `details` always begins with an ErrorInfo whose `reason` programs may rely on; messages are for
//! people and may change.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// The domain written into every ErrorInfo.
pub const ERROR_DOMAIN: &str = "dossier";

/// What kind of refusal it is; decides the HTTP status and the canonical name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// 400: the request itself is wrong and stays wrong however often it is sent.
    InvalidArgument,
    /// 400: the request is well formed, but the state of the resource forbids it.
    FailedPrecondition,
    /// 401: no bearer token, or one that is not believed. Used for nothing else.
    Unauthenticated,
    /// 403: the caller is known and may not.
    PermissionDenied,
    /// 404: nothing of this name under a parent that the caller may see, or an unknown path.
    NotFound,
    /// 405: the path exists, not with this HTTP method.
    MethodNotAllowed,
    /// 409: somebody else was faster; read again and repeat.
    Aborted,
    /// 409: it exists already.
    AlreadyExists,
    /// 413: the body is larger than the server takes.
    PayloadTooLarge,
    /// 416: the byte range asked for lies outside the content.
    RangeNotSatisfiable,
    /// 429: too many requests.
    ResourceExhausted,
    /// 499: the caller went away.
    Cancelled,
    /// 500: a fault on this side.
    Internal,
    /// 501: known, and not offered here.
    Unimplemented,
    /// 503: not now; for a command it also means *known not stored*.
    Unavailable,
    /// 504: it took too long.
    DeadlineExceeded,
}

impl Code {
    /// The HTTP status, also written as `error.code`.
    pub fn http_status(self) -> StatusCode {
        match self {
            Self::InvalidArgument | Self::FailedPrecondition => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Aborted | Self::AlreadyExists => StatusCode::CONFLICT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            // 499 has no name in the registry; any number from 100 to 999 is a status.
            Self::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// The canonical name, written as `error.status`.
    pub fn name(self) -> &'static str {
        match self {
            // Too large stays too large: not RESOURCE_EXHAUSTED, which clients take for "try later".
            Self::InvalidArgument | Self::PayloadTooLarge => "INVALID_ARGUMENT",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::NotFound => "NOT_FOUND",
            Self::MethodNotAllowed | Self::Unimplemented => "UNIMPLEMENTED",
            Self::Aborted => "ABORTED",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::RangeNotSatisfiable => "OUT_OF_RANGE",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::Cancelled => "CANCELLED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
        }
    }

    /// The reason of an error to which nobody gave a better one.
    pub fn default_reason(self) -> &'static str {
        match self {
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            Self::RangeNotSatisfiable => "RANGE_NOT_SATISFIABLE",
            other => other.name(),
        }
    }
}

/// One field of the request that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// The path of the field or query parameter, in lowerCamelCase.
    pub field: String,
    /// What is wrong with it, for a person.
    pub description: String,
}

/// A link that helps whoever met the error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelpLink {
    /// What is to be found there.
    pub description: String,
    /// Where.
    pub url: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    code: Code,
    reason: Cow<'static, str>,
    message: String,
    metadata: BTreeMap<String, String>,
    violations: Vec<FieldViolation>,
    links: Vec<HelpLink>,
    retry_after_seconds: Option<u32>,
    challenge: &'static str,
    content_range: Option<String>,
}

/// A refusal as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError(Box<Parts>);

impl ApiError {
    /// An error of this code, with the code's default reason.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            reason: Cow::Borrowed(code.default_reason()),
            message: message.into(),
            metadata: BTreeMap::new(),
            violations: Vec::new(),
            links: Vec::new(),
            retry_after_seconds: None,
            challenge: "Bearer",
            content_range: None,
        }))
    }

    /// 400: the request as a whole is wrong.
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// 400: one field or query parameter is wrong; the message names it.
    pub fn invalid_field(field: impl Into<String>, description: impl Into<String>) -> Self {
        let (field, description) = (field.into(), description.into());
        let error = Self::new(Code::InvalidArgument, format!("{field}: {description}"));
        error.with_violation(field, description)
    }

    /// 400: the state of the resource forbids it.
    pub fn failed_precondition(message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, message)
    }

    /// 401: no bearer token that is believed.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(Code::Unauthenticated, message)
    }

    /// 403: known, and not allowed.
    pub fn permission_denied(message: impl Into<String>) -> Self {
        Self::new(Code::PermissionDenied, message)
    }

    /// 404: nothing of this name.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// 409: a concurrency conflict.
    pub fn aborted(message: impl Into<String>) -> Self {
        Self::new(Code::Aborted, message)
    }

    /// 500: a fault on this side. The message goes to the client: no secrets, no personal data.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, message)
    }

    /// 503: not now; `retry_after_seconds` becomes the Retry-After header.
    pub fn unavailable(message: impl Into<String>, retry_after_seconds: u32) -> Self {
        Self::new(Code::Unavailable, message).with_retry_after(retry_after_seconds)
    }

    /// Names the stable reason, in UPPER_SNAKE_CASE.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.0.reason = reason.into();
        self
    }

    /// Adds a value that programs may read from the ErrorInfo.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.metadata.insert(key.into(), value.into());
        self
    }

    /// Adds a field that is wrong.
    #[must_use]
    pub fn with_violation(mut self, field: impl Into<String>, description: impl Into<String>) -> Self {
        self.0.violations.push(FieldViolation { field: field.into(), description: description.into() });
        self
    }

    /// Adds a link that helps.
    #[must_use]
    pub fn with_help(mut self, description: impl Into<String>, url: impl Into<String>) -> Self {
        self.0.links.push(HelpLink { description: description.into(), url: url.into() });
        self
    }

    /// Says when repeating makes sense, in seconds from now.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// The WWW-Authenticate header that a 401 carries; `Bearer` unless told.
    #[must_use]
    pub fn with_challenge(mut self, challenge: &'static str) -> Self {
        self.0.challenge = challenge;
        self
    }

    /// The Content-Range header that a 416 carries: what could have been asked for.
    #[must_use]
    pub fn with_content_range(mut self, range: String) -> Self {
        self.0.content_range = Some(range);
        self
    }

    /// The kind of refusal.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The stable reason.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The text for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// A value that programs may read from the ErrorInfo.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.0.metadata.get(key).map(String::as_str)
    }

    /// The fields that are wrong.
    pub fn violations(&self) -> &[FieldViolation] {
        &self.0.violations
    }

    /// The links that help.
    pub fn links(&self) -> &[HelpLink] {
        &self.0.links
    }

    /// The body as it goes out.
    pub fn body(&self) -> Value {
        let parts = &self.0;
        let mut info = json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": parts.reason,
            "domain": ERROR_DOMAIN,
        });
        if !parts.metadata.is_empty() {
            info["metadata"] = json!(parts.metadata);
        }
        let mut details = vec![info];
        if !parts.violations.is_empty() {
            let list: Vec<_> = parts
                .violations
                .iter()
                .map(|wrong| json!({"field": wrong.field, "description": wrong.description}))
                .collect();
            details
                .push(json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": list}));
        }
        if !parts.links.is_empty() {
            let list: Vec<_> = parts
                .links
                .iter()
                .map(|link| json!({"description": link.description, "url": link.url}))
                .collect();
            details.push(json!({"@type": "type.googleapis.com/google.rpc.Help", "links": list}));
        }
        if let Some(seconds) = parts.retry_after_seconds {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": format!("{seconds}s"),
            }));
        }
        json!({"error": {
            "code": parts.code.http_status().as_u16(),
            "message": parts.message,
            "status": parts.code.name(),
            "details": details,
        }})
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {}", self.0.code.name(), self.0.reason, self.0.message)
    }
}

impl std::error::Error for ApiError {}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.0.code.http_status(), Json(self.body())).into_response();
        if self.0.code == Code::Unauthenticated {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(self.0.challenge));
        }
        if let Some(seconds) = self.0.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(range) =
            self.0.content_range.as_deref().and_then(|range| HeaderValue::from_str(range).ok())
        {
            response.headers_mut().insert(header::CONTENT_RANGE, range);
        }
        response
    }
}

/// The beginning of a text from outside, quoted, short enough for an error message (40 characters) and
/// without control characters.
pub fn excerpt(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut short: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    format!("\"{short}\"")
}

#[cfg(test)]
mod tests;
