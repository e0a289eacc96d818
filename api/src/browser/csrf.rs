//! Tells requests of our pages from those that other pages make a browser send along with our cookie.

use axum::http::{HeaderMap, HeaderName, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::sign_in::SignInError;

/// Carries the session's CSRF token on requests that may change something.
pub const DOSSIER_CSRF_TOKEN: HeaderName = HeaderName::from_static("dossier-csrf-token");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Makes and checks CSRF tokens.
pub struct CsrfGuard {
    mac: Hmac<Sha256>,
    origins: Vec<String>,
}

impl CsrfGuard {
    /// A guard under a secret that all nodes share, for pages of these origins: ours, and those on the allow-list.
    pub fn new(secret: &[u8; 32], origins: Vec<String>) -> Self {
        let mac = <Hmac<Sha256>>::new_from_slice(secret).expect("HMAC takes a key of any length");
        Self { mac, origins }
    }

    /// The token of a session, by its id.
    pub fn token(&self, session_id: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.tag(session_id).finalize().into_bytes())
    }

    /// Lets a request with a session's cookie pass when it changes nothing, or comes from a page that may send it.
    ///
    /// # Errors
    /// [`SignInError::OriginNotAllowed`], [`SignInError::CsrfTokenMissing`], [`SignInError::CsrfTokenWrong`].
    pub fn check(&self, headers: &HeaderMap, method: &Method, session_id: &str) -> Result<(), SignInError> {
        if method.is_safe() {
            return Ok(());
        }
        self.check_origin(headers)?;
        let token = headers.get(DOSSIER_CSRF_TOKEN).ok_or(SignInError::CsrfTokenMissing)?;
        let tag = URL_SAFE_NO_PAD.decode(token).map_err(|_| SignInError::CsrfTokenWrong)?;
        self.tag(session_id).verify_slice(&tag).map_err(|_| SignInError::CsrfTokenWrong)
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), SignInError> {
        if let Some(origin) = headers.get(header::ORIGIN) {
            let allowed = self.origins.iter().any(|one| one.as_bytes() == origin.as_bytes());
            return if allowed { Ok(()) } else { Err(SignInError::OriginNotAllowed) };
        }
        // A browser that names no origin may still say how far away the page was; `none` is the person in front of it.
        let near = |site: &[u8]| matches!(site, b"same-origin" | b"none");
        if headers.get(SEC_FETCH_SITE).is_none_or(|site| near(site.as_bytes())) {
            Ok(())
        } else {
            Err(SignInError::OriginNotAllowed)
        }
    }

    fn tag(&self, session_id: &str) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(b"dossier csrf token 1\0");
        mac.update(session_id.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> CsrfGuard {
        CsrfGuard::new(&[7; 32], vec!["https://own.example".into(), "https://listed.example".into()])
    }

    fn check(method: &Method, headers: &[(&'static str, &str)]) -> Result<(), SignInError> {
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), value.parse::<axum::http::HeaderValue>().unwrap())
        });
        guard().check(&headers.collect(), method, "session")
    }

    #[test]
    fn what_changes_nothing_needs_no_token() {
        let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(check(&method, &foreign), Ok(()));
        }
    }

    #[test]
    fn what_may_change_something_needs_the_sessions_own_token() {
        let token = guard().token("session");
        for method in [Method::POST, Method::PATCH, Method::PUT, Method::DELETE] {
            assert_eq!(check(&method, &[]), Err(SignInError::CsrfTokenMissing));
            assert_eq!(check(&method, &[("dossier-csrf-token", &token)]), Ok(()));
            for wrong in [guard().token("other"), String::new(), "!".to_owned(), token[..20].to_owned()] {
                let outcome = check(&method, &[("dossier-csrf-token", &wrong)]);
                assert_eq!(outcome, Err(SignInError::CsrfTokenWrong), "{wrong}");
            }
        }
        assert_ne!(CsrfGuard::new(&[8; 32], Vec::new()).token("session"), token);
    }

    #[test]
    fn a_page_of_another_origin_is_refused_even_with_the_token() {
        let token = guard().token("session");
        let with = |name, value| check(&Method::POST, &[("dossier-csrf-token", &token), (name, value)]);
        for origin in ["https://own.example", "https://listed.example"] {
            assert_eq!(with("origin", origin), Ok(()));
        }
        for origin in ["https://evil.example", "null", "https://own.example.evil", "http://own.example", ""] {
            assert_eq!(with("origin", origin), Err(SignInError::OriginNotAllowed), "{origin}");
        }
        for site in ["same-origin", "none"] {
            assert_eq!(with("sec-fetch-site", site), Ok(()));
        }
        for site in ["same-site", "cross-site", "new"] {
            assert_eq!(with("sec-fetch-site", site), Err(SignInError::OriginNotAllowed), "{site}");
        }
    }
}
