//! One request on its way to its use case, and the reply on its way back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;
use dossier_commands::{ActsFor, Request, Standpoint, identity};
use dossier_domain::access::Access;
use dossier_domain::{
    Actor, AttachmentId, Authority, CaseId, CommandId, CommentId, OrganizationId, VisibilityScope,
};
use dossier_eventlog::Position;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::App;
use crate::endpoints::Endpoint;
use crate::path::unknown_path;
use crate::proto_json::EnumEncoding;
use crate::query::Query;
use crate::sign_in::Principal;
use crate::status::{ApiError, Code, excerpt};

/// Names a command for repeating it safely.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is the one of an earlier request.
pub const IDEMPOTENT_REPLAY: HeaderName = HeaderName::from_static("idempotent-replay");
/// How far the log had come with a command.
pub const DOSSIER_POSITION: HeaderName = HeaderName::from_static("dossier-position");
/// How far the read models must have come for a query.
pub const DOSSIER_MIN_POSITION: HeaderName = HeaderName::from_static("dossier-min-position");
/// How long a query may wait for that, in seconds.
pub const DOSSIER_MAX_WAIT: HeaderName = HeaderName::from_static("dossier-max-wait");
/// Names a request in logs and in answers.
pub const DOSSIER_REQUEST_ID: HeaderName = HeaderName::from_static("dossier-request-id");
/// Ties requests of one undertaking together.
pub const DOSSIER_CORRELATION_ID: HeaderName = HeaderName::from_static("dossier-correlation-id");
/// The organization that the caller acts for (R-RES-1).
pub const DOSSIER_ACTING_FOR: HeaderName = HeaderName::from_static("dossier-acting-for");
/// The case that a follow-up would follow (R-REOPEN-4).
pub const DOSSIER_FOLLOW_UP_OF: HeaderName = HeaderName::from_static("dossier-follow-up-of");

/// Which version of the public API was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// v2.
    V2,
    /// v2beta.
    V2Beta,
    /// SCIM 2.0, which is no version of that API.
    Scim,
}

/// What the path named, decoded and unchecked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// Kind and id of the parent.
    pub parent: Option<(String, String)>,
    /// Whether the parent stands for all that the caller acts for: `organizations/-`.
    pub across: bool,
    /// Id of the case.
    pub case: String,
    /// Id of the comment.
    pub comment: String,
    /// Id of the attachment.
    pub attachment: String,
    /// Id of anything else, in the collection before it.
    pub item: String,
}

/// A signed-in, routed, authorized request.
pub struct Call {
    /// The system.
    pub app: Arc<App>,
    /// Which endpoint it is for.
    pub endpoint: &'static Endpoint,
    /// In which version.
    pub version: Version,
    /// What the path named.
    pub params: Params,
    /// The organization that the path named; `None` where it names none, or all that the caller acts for.
    pub parent: Option<Parent>,
    /// What the caller may do: for the organization of the path, or where none is named.
    pub authority: Authority,
    /// What that is computed from.
    pub standpoint: Standpoint,
    /// For whom the caller says they act.
    pub acts_for: Option<ActsFor>,
    /// The query string.
    pub query: Query,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body; empty where it is an upload.
    pub body: Bytes,
    /// The body of an upload, as it arrives.
    pub upload: Mutex<Option<Body>>,
    /// Who asks.
    pub actor: Actor,
    /// Who signed in; nobody where none need.
    pub principal: Option<Arc<Principal>>,
    /// When their token stops being good.
    pub token_expires_at: Timestamp,
    /// Told when the server is to stop: what would go on for ever ends then.
    pub draining: CancellationToken,
    /// Names this request.
    pub request_id: String,
}

/// The organization of a path, and what the caller may do for it.
#[derive(Clone, Debug)]
pub struct Parent {
    /// The organization.
    pub organization: OrganizationId,
    /// Its access, as the caller's authority was computed from it.
    pub access: Arc<Access>,
    /// The caller's authority.
    pub authority: Authority,
}

impl Call {
    /// The organization and the caller's authority for it.
    ///
    /// # Errors
    /// 404 on a path without one, which the endpoint table rules out.
    pub fn parent(&self) -> Result<&Parent, ApiError> {
        self.parent.as_ref().ok_or_else(unknown_path)
    }

    /// What the caller may see.
    ///
    /// # Errors
    /// As [`Call::parent`].
    pub fn scope(&self) -> Result<VisibilityScope, ApiError> {
        Ok(self.parent()?.authority.visibility())
    }

    /// The case of the path.
    ///
    /// # Errors
    /// 404 when the text cannot be a case's id.
    pub fn case_id(&self) -> Result<CaseId, ApiError> {
        self.params.case.parse().map_err(|_| case_not_found())
    }

    /// The comment of the path.
    ///
    /// # Errors
    /// 404 when the text cannot be a comment's id.
    pub fn comment_id(&self) -> Result<CommentId, ApiError> {
        self.params.comment.parse().map_err(|_| comment_not_found())
    }

    /// The attachment of the path.
    ///
    /// # Errors
    /// 404 when the text cannot be an attachment's id.
    pub fn attachment_id(&self) -> Result<AttachmentId, ApiError> {
        self.params.attachment.parse().map_err(|_| attachment_not_found())
    }

    /// How enums are to be written.
    pub fn enums(&self) -> EnumEncoding {
        self.query.enum_encoding()
    }

    /// Where a page begins, from the token of the page before it.
    ///
    /// # Errors
    /// 400 for a token that is malformed or was given for another scope.
    pub fn cursor<C: DeserializeOwned>(&self, scope: &str) -> Result<Option<C>, ApiError> {
        self.query.text("pageToken").map(|token| self.app.page_tokens.open(scope, token)).transpose()
    }

    /// What surrounds the command that this request makes.
    ///
    /// # Errors
    /// 400 for an idempotency key that is neither a ULID nor a UUID, or a condition that cannot be read.
    pub fn command_request(&self) -> Result<Request, ApiError> {
        let sealer = self.app.commands.sealer();
        let command_id = match self.headers.get(IDEMPOTENCY_KEY) {
            None => CommandId(Uuid::from_u128(self.app.random_id())),
            Some(key) => {
                let key = idempotency_key(key)?;
                let account = self.actor.account.to_string();
                let acting_for = self.acts_for.as_ref().map_or("", |acts_for| acts_for.organization.as_str());
                // The scope in which the key is the caller's: another person's, method's or resource's key is another.
                let resource = self.resource();
                identity::command_id(sealer, &[&account, acting_for, self.endpoint.id, &resource], &key)
            }
        };
        let mask = self.query.get("updateMask").unwrap_or_default();
        let body = [mask.as_bytes(), b"\n", &self.body].concat();
        Ok(Request {
            command_id,
            fingerprint: identity::fingerprint(sealer, &body),
            actor: self.actor.clone(),
            acting_for: self.acts_for.clone(),
            correlation_id: self.correlation_id(),
            causation_id: None,
            if_match: self.if_match()?,
        })
    }

    /// The name of the resource, the same in both versions.
    fn resource(&self) -> String {
        let (kind, id) = self.params.parent.clone().unwrap_or_default();
        let name = format!("{kind}/{id}/cases/{}/comments/{}", self.params.case, self.params.comment);
        if self.params.item.is_empty() { name } else { format!("{name}/{}", self.params.item) }
    }

    /// The undertaking that this request belongs to: as the caller names it, else the request itself.
    pub fn correlation_id(&self) -> String {
        self.headers
            .get(DOSSIER_CORRELATION_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|text| (1..=128).contains(&text.len()))
            .filter(|text| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)))
            .unwrap_or(&self.request_id)
            .to_owned()
    }

    /// The revisions of which the resource must have one; an etag that is none of ours matches nothing.
    fn if_match(&self) -> Result<Option<Vec<u64>>, ApiError> {
        let mut revisions = Vec::new();
        let mut given = false;
        for value in self.headers.get_all(axum::http::header::IF_MATCH) {
            given = true;
            let text = value.to_str().map_err(|_| {
                ApiError::invalid_field("If-Match", "wanted the ETag of an earlier answer")
                    .with_reason("INVALID_ETAG")
            })?;
            for etag in text.split(',').map(str::trim) {
                if etag == "*" {
                    return Ok(None);
                }
                let revision: Option<u64> = etag.trim_start_matches("W/").trim_matches('"').parse().ok();
                revisions.extend(revision);
            }
        }
        Ok(given.then_some(revisions))
    }
}

/// The key, in one spelling.
pub(crate) fn idempotency_key(value: &HeaderValue) -> Result<String, ApiError> {
    let text = value.to_str().unwrap_or_default().trim();
    let known = Uuid::try_parse(text)
        .map(|uuid| uuid.as_u128())
        .or_else(|_| ulid::Ulid::from_string(text).map(|ulid| ulid.0))
        .map(|number| format!("{number:032x}"));
    known.map_err(|_| {
        ApiError::invalid_field(
            "Idempotency-Key",
            format!("`{}` is neither a ULID nor a UUID; use a new one per command", excerpt(text)),
        )
        .with_reason("INVALID_IDEMPOTENCY_KEY")
    })
}

/// How long a query may wait: seconds, at most 30.
///
/// # Errors
/// 400 when the text is no number of seconds.
pub fn max_wait(headers: &HeaderMap) -> Result<Duration, ApiError> {
    let Some(value) = headers.get(DOSSIER_MAX_WAIT) else { return Ok(Duration::from_secs(2)) };
    let seconds = value.to_str().ok().and_then(|text| text.trim().trim_end_matches('s').parse::<f64>().ok());
    match seconds {
        Some(seconds) if seconds >= 0.0 => Ok(Duration::from_secs_f64(seconds.min(30.0))),
        _ => Err(ApiError::invalid_field("Dossier-Max-Wait", "wanted a number of seconds, such as 2 or 0.5")),
    }
}

/// The position that a query must not be older than.
///
/// # Errors
/// 400 when the text is no position.
pub fn min_position(headers: &HeaderMap) -> Result<Option<Position>, ApiError> {
    let Some(value) = headers.get(DOSSIER_MIN_POSITION) else { return Ok(None) };
    let position = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    position.map(|position| Some(Position(position))).ok_or_else(|| {
        ApiError::invalid_field("Dossier-Min-Position", "wanted the Dossier-Position of an earlier answer")
    })
}

/// No case of this name, or none that the caller may see.
pub fn case_not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such case").with_reason("CASE_NOT_FOUND")
}

/// No comment of this name in this case.
pub fn comment_not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such comment in this case").with_reason("COMMENT_NOT_FOUND")
}

/// No attachment of this name in this case.
pub fn attachment_not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such attachment in this case")
        .with_reason("ATTACHMENT_NOT_FOUND")
}

/// What is answered.
#[derive(Debug)]
pub enum ReplyBody {
    /// A JSON document.
    Json(Vec<u8>),
    /// Bytes as they come; the headers say what they are.
    Stream(Body),
}

/// The answer of a use case.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status of a success.
    pub status: StatusCode,
    /// What is answered.
    pub body: ReplyBody,
    /// Where the log stood after a command.
    pub position: Option<Position>,
    /// More headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// An answer with a body.
    ///
    /// # Errors
    /// 500 when the body cannot be serialized.
    pub fn json(body: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(body).map_err(|error| ApiError::internal(error.to_string()))?;
        Ok(Self { status: StatusCode::OK, body: ReplyBody::Json(body), position: None, headers: Vec::new() })
    }

    /// An answer of bytes.
    pub fn stream(status: StatusCode, body: Body) -> Self {
        Self { status, body: ReplyBody::Stream(body), position: None, headers: Vec::new() }
    }

    /// Says where the log stands after the command, and whether this is an earlier answer.
    #[must_use]
    pub fn after_command(mut self, position: Position, replayed: bool) -> Self {
        self.position = Some(position);
        if replayed {
            self.headers.push((IDEMPOTENT_REPLAY, HeaderValue::from_static("true")));
        }
        self
    }

    /// Adds a header; a value that is no header value is left out.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Adds the revision as the caller sees it.
    #[must_use]
    pub fn with_etag(self, revision: i64) -> Self {
        self.with_header(axum::http::header::ETAG, &format!("\"{revision}\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn a_ulid_and_a_uuid_are_keys_and_nothing_else_is() {
        for good in ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "123e4567-e89b-12d3-a456-426614174000"] {
            assert!(idempotency_key(&HeaderValue::from_static(good)).is_ok(), "{good}");
        }
        for bad in ["", "1", "not-a-key", "01ARZ3NDEKTSV4RRFFQ69G5FA!"] {
            let refused = idempotency_key(&HeaderValue::from_str(bad).unwrap()).unwrap_err();
            assert_eq!(refused.reason(), "INVALID_IDEMPOTENCY_KEY", "{bad:?}");
        }
    }

    #[test]
    fn a_wait_is_a_number_of_seconds_and_at_most_thirty() {
        let wait = |text| max_wait(&headers(DOSSIER_MAX_WAIT, text)).map(|wait| wait.as_millis());
        assert_eq!(max_wait(&HeaderMap::new()).unwrap(), Duration::from_secs(2));
        assert_eq!((wait("0.5").unwrap(), wait("3s").unwrap(), wait("999").unwrap()), (500, 3_000, 30_000));
        for bad in ["", "-1", "soon", "NaN"] {
            assert!(wait(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_position_is_one_that_was_given() {
        assert_eq!(min_position(&HeaderMap::new()).unwrap(), None);
        assert_eq!(min_position(&headers(DOSSIER_MIN_POSITION, "17")).unwrap(), Some(Position(17)));
        assert!(min_position(&headers(DOSSIER_MIN_POSITION, "-1")).is_err());
    }
}
