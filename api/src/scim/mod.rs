//! SCIM 2.0 (RFC 7643, RFC 7644) at `/scim/v2`: an organization's directory feeds the accounts of its people.
//!
//! * Whose accounts they are is said by the directory's token: its claim `organization` binds it to one (see
//!   [`crate::pipeline`]); no path names an organization.
//! * `id` is the account, `externalId` what the identity provider calls the person (the claim `sub`), which never changes;
//!   `userName` is the address, and `emails` shows the same one again. A request that tells two addresses is refused.
//! * Of a name one text is kept: `displayName`, else `name.formatted`, else both of its parts, else the address.
//! * What is told beyond that is passed over: directories send all that they have.
//! * `active: false` takes somebody out at once and can be taken back. `DELETE` does as well, frees the address, and from
//!   then on the directory finds no such user (RFC 7644, 3.6), until it creates them again: then they are who they were.
//!
//! No crate does this: `scim-server` wants to own storage and tenants, and typed models refuse what the large directories
//! send, such as `"False"` for a boolean.

pub mod filter;
pub mod reading;
pub mod user;

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;

use crate::status::{ApiError, Code};

/// The media type of everything that is answered.
pub const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/scim+json");
/// The schema of a user.
pub const USER_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of a list.
pub const LIST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The schema of a refusal.
pub const ERROR_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The reason of a filter that is not understood.
pub const INVALID_FILTER: &str = "INVALID_FILTER";
/// The reason of a path in a patch that is none.
pub const INVALID_PATCH_PATH: &str = "INVALID_PATCH_PATH";
/// The reason of a removal that does not say of what.
pub const NO_TARGET: &str = "NO_TARGET";
/// The reason of a change to what never changes.
pub const IMMUTABLE: &str = "IMMUTABLE";

/// Whether a path is one of SCIM, also where nothing is served.
pub fn is_scim(path: &str) -> bool {
    path.strip_prefix("/scim").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A refusal in SCIM's shape, with our stable `reason` beside; headers are those that every refusal has.
pub fn refused(error: ApiError) -> Response<Body> {
    let status = match error.reason() {
        "ETAG_MISMATCH" => StatusCode::PRECONDITION_FAILED,
        _ => error.code().http_status(),
    };
    let mut body = json!({
        "schemas": [ERROR_SCHEMA],
        "status": status.as_str(),
        "detail": error.message(),
        "reason": error.reason(),
    });
    if let Some(scim_type) = scim_type(&error) {
        body["scimType"] = json!(scim_type);
    }
    let mut response = error.into_response();
    *response.status_mut() = status;
    response.headers_mut().remove(CONTENT_LENGTH);
    *response.body_mut() = Body::from(body.to_string());
    response
}

/// The keyword of RFC 7644, table 9, where one fits.
fn scim_type(error: &ApiError) -> Option<&'static str> {
    match (error.code(), error.reason()) {
        (Code::AlreadyExists, _) => Some("uniqueness"),
        (Code::InvalidArgument, reason) => Some(match reason {
            INVALID_FILTER => "invalidFilter",
            INVALID_PATCH_PATH => "invalidPath",
            NO_TARGET => "noTarget",
            IMMUTABLE => "mutability",
            "INVALID_BODY" | "BODY_CUT" => "invalidSyntax",
            _ => "invalidValue",
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_scim_is_scim() {
        for path in ["/scim", "/scim/", "/scim/v2/Users", "/scim/v1"] {
            assert!(is_scim(path), "{path}");
        }
        for path in ["/", "/scimitar", "/v2/scim/v2/Users"] {
            assert!(!is_scim(path), "{path}");
        }
    }

    #[test]
    fn a_refusal_keeps_its_headers_and_names_its_keyword() {
        let response = refused(ApiError::unauthenticated("who are you?"));
        assert_eq!(response.status(), 401);
        assert!(response.headers().contains_key("www-authenticate"));
        let keyword = |code, reason: &'static str| scim_type(&ApiError::new(code, "no").with_reason(reason));
        assert_eq!(keyword(Code::AlreadyExists, "EMAIL_TAKEN"), Some("uniqueness"));
        assert_eq!(keyword(Code::InvalidArgument, "INVALID_FIELD"), Some("invalidValue"));
        assert_eq!(keyword(Code::InvalidArgument, IMMUTABLE), Some("mutability"));
        assert_eq!(keyword(Code::PermissionDenied, "NOT_FOR_YOU"), None);
        let stale = refused(ApiError::aborted("read it again").with_reason("ETAG_MISMATCH"));
        assert_eq!(stale.status(), 412);
    }
}
