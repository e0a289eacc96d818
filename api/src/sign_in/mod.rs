//! Sign-in: a bearer token of an OpenID Connect issuer, or the session of a browser that signed in there, becomes a
//! [`Principal`], or a refusal with a stable reason.
//!
//! * [`verifier`] checks one token against a set of keys.
//! * [`discovery`] gets the issuer's keys and keeps them fresh.
//! * [`methods`] takes a bearer token first, then the cookie of a session (see [`crate::browser`]).
//! * [`dev_issuer`] is the issuer built in for `--dev`.
//!
//! Nothing here knows organizations or rights: a principal is only who somebody is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::status::ApiError;

pub mod dev_issuer;
pub mod discovery;
pub mod keys;
pub mod methods;
pub mod verifier;

pub use dev_issuer::DevIssuer;
pub use discovery::{Endpoints, RemoteKeys, RemoteKeysSettings};
pub use keys::{KeySet, KeySource, StaticKeys, VerifyKey};
pub use methods::SignInMethods;
pub use verifier::{Verifier, VerifierSettings};

/// Who signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The issuer that vouches for everything else.
    pub issuer: String,
    /// The issuer's name for this person, never empty, never reused.
    pub subject: String,
    /// The verified address, trimmed and in lower case.
    pub email: String,
    /// How the person is called, when the issuer says.
    pub display_name: Option<String>,
    /// Roles on the support side, each once; empty for customers.
    pub staff_roles: Vec<String>,
    /// The support provider an agent works for (claim `support_provider`).
    pub provider: Option<String>,
    /// The organization whose accounts a provisioner feeds (claim `organization`).
    pub organization: Option<String>,
    /// When the token stops being good, or the session ends.
    pub token_expires_at: Timestamp,
}

/// Why nobody is signed in. All but the two `…Unavailable` are for the caller to mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SignInError {
    /// No `Authorization: Bearer` header.
    #[error("no bearer token was sent; send Authorization: Bearer TOKEN")]
    Missing,
    /// The token is no signed JWT, or lacks a claim that it must have.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// The signature is not the issuer's.
    #[error("the signature of the token is not valid")]
    Signature,
    /// The algorithm is not allowed, or does not fit the key.
    #[error("the token is signed with an algorithm that is not accepted")]
    Algorithm,
    /// Another issuer.
    #[error("the token comes from another issuer")]
    Issuer,
    /// Made for another application.
    #[error("the token was issued for another audience")]
    Audience,
    /// Past its expiry.
    #[error("the token has expired")]
    Expired,
    /// Before its not-before.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Signed with a key that the issuer does not publish.
    #[error("the token is signed with a key that its issuer does not publish")]
    KeyUnknown,
    /// No address, or one that the issuer has not verified.
    #[error("the issuer has not verified an email address of this account")]
    EmailNotVerified,
    /// An ID token that another sign-in asked for.
    #[error("the token was issued for another sign-in")]
    Nonce,
    /// The cookie of a session that has ended, or never was.
    #[error("the session has ended; sign in again")]
    SessionEnded,
    /// A request that may change something, with a session's cookie and without its CSRF token.
    #[error(
        "a request with a session's cookie also needs the header Dossier-Csrf-Token; GET /session tells it"
    )]
    CsrfTokenMissing,
    /// The same with a token that is not the session's.
    #[error("the Dossier-Csrf-Token is not the one of this session; GET /session tells it")]
    CsrfTokenWrong,
    /// The same, begun by a page of an origin that is not allowed.
    #[error("the request was begun by a page of another origin, which is not in cors_origins")]
    OriginNotAllowed,
    /// The issuer's keys cannot be had now.
    #[error("the issuer's keys cannot be fetched at the moment; try again shortly")]
    IssuerUnavailable,
    /// The sessions cannot be looked up now.
    #[error("sessions cannot be looked up at the moment; try again shortly")]
    SessionsUnavailable,
}

impl SignInError {
    /// The stable reason that clients and the metric see.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Malformed(_) => "TOKEN_MALFORMED",
            Self::Signature => "TOKEN_SIGNATURE",
            Self::Algorithm => "TOKEN_ALGORITHM",
            Self::Issuer => "TOKEN_ISSUER",
            Self::Audience => "TOKEN_AUDIENCE",
            Self::Expired => "TOKEN_EXPIRED",
            Self::NotYetValid => "TOKEN_NOT_YET_VALID",
            Self::KeyUnknown => "TOKEN_KEY_UNKNOWN",
            Self::EmailNotVerified => "EMAIL_NOT_VERIFIED",
            Self::Nonce => "NONCE_MISMATCH",
            Self::SessionEnded => "SESSION_ENDED",
            Self::CsrfTokenMissing => "CSRF_TOKEN_MISSING",
            Self::CsrfTokenWrong => "CSRF_TOKEN_WRONG",
            Self::OriginNotAllowed => "ORIGIN_NOT_ALLOWED",
            Self::SessionsUnavailable => "SESSIONS_UNAVAILABLE",
            Self::IssuerUnavailable => "ISSUER_UNAVAILABLE",
        }
    }
}

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        let mut message = error.to_string();
        message[..1].make_ascii_uppercase();
        message.push('.');
        let refusal = match error {
            SignInError::IssuerUnavailable | SignInError::SessionsUnavailable => {
                Self::unavailable(message, 2)
            }
            SignInError::CsrfTokenMissing | SignInError::CsrfTokenWrong | SignInError::OriginNotAllowed => {
                Self::permission_denied(message)
            }
            SignInError::Missing | SignInError::SessionEnded => Self::unauthenticated(message),
            _ => Self::unauthenticated(message).with_challenge("Bearer error=\"invalid_token\""),
        };
        refusal.with_reason(error.reason())
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    #[test]
    fn a_refusal_is_a_401_with_a_challenge_and_a_missing_issuer_a_503() {
        for error in [
            SignInError::Missing,
            SignInError::Expired,
            SignInError::EmailNotVerified,
            SignInError::SessionEnded,
        ] {
            let refusal = ApiError::from(error);
            assert_eq!(refusal.reason(), error.reason());
            let response = refusal.into_response();
            assert_eq!(response.status(), 401);
            assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        }
        for error in [SignInError::IssuerUnavailable, SignInError::SessionsUnavailable] {
            let response = ApiError::from(error).into_response();
            assert_eq!(response.status(), 503);
            assert!(response.headers().contains_key("retry-after"));
        }
    }

    #[test]
    fn a_request_that_another_page_may_have_forged_is_a_403() {
        for error in
            [SignInError::CsrfTokenMissing, SignInError::CsrfTokenWrong, SignInError::OriginNotAllowed]
        {
            let refusal = ApiError::from(error);
            assert_eq!(refusal.reason(), error.reason());
            assert_eq!(refusal.into_response().status(), 403);
        }
    }
}

#[cfg(test)]
mod provider_tests;
