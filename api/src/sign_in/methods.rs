//! The ways to say who one is: a bearer token, or the session of a browser.

use std::sync::Arc;

use axum::http::{HeaderMap, Method, header};
use jiff::Timestamp;

use super::verifier::counted;
use super::{Principal, SignInError, Verifier};
use crate::browser::Browsers;

/// Everything that signs people in.
pub struct SignInMethods {
    /// Checks bearer tokens.
    pub verifier: Arc<Verifier>,
    /// Signs browsers in, where that is configured.
    pub browsers: Option<Browsers>,
    /// Origins whose pages may call from a browser.
    pub cors_origins: Vec<String>,
}

impl SignInMethods {
    /// Who sent a request: by its bearer token, and without an `Authorization` header by its session's cookie. `method` is the
    /// one that was sent, whatever it stands for: one that may change something needs a CSRF token beside the cookie.
    ///
    /// # Errors
    /// [`SignInError`]; each is counted in `dossier_sign_in_refused_total` by reason.
    pub async fn sign_in(
        &self,
        headers: &HeaderMap,
        method: &Method,
        now: Timestamp,
    ) -> Result<Arc<Principal>, SignInError> {
        match &self.browsers {
            Some(browsers)
                if !headers.contains_key(header::AUTHORIZATION)
                    && browsers.sessions.are_claimed_by(headers) =>
            {
                let session = browsers.sessions.sign_in(headers, method, now).await;
                counted(session.map(|session| session.principal))
            }
            _ => self.verifier.sign_in(headers, now).await,
        }
    }
}
