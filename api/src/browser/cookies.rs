//! The cookies of this server.

use axum::http::{HeaderMap, HeaderValue, header};
use jiff::SignedDuration;

/// A cookie of ours, by what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The id of a session.
    Session,
    /// A sign-in under way.
    Attempt,
}

impl Cookie {
    /// What it is called; `secure` where browsers come by TLS.
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-dossier-session",
            (Self::Session, false) => "dossier-session",
            (Self::Attempt, true) => "__Host-dossier-sign-in",
            (Self::Attempt, false) => "dossier-sign-in",
        }
    }

    /// Its value in a request.
    pub(super) fn of(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        let lists = headers.get_all(header::COOKIE).into_iter();
        let mut pairs = lists.filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(';'));
        pairs.find_map(|pair| pair.trim().strip_prefix(self.name(secure))?.strip_prefix('='))
    }

    /// The header that sets it for a time; the value is safe in a cookie.
    pub(super) fn set(self, value: &str, lifetime: SignedDuration, secure: bool) -> HeaderValue {
        let only_by_tls = if secure { "; Secure" } else { "" };
        let text = format!(
            "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{only_by_tls}",
            self.name(secure),
            lifetime.as_secs()
        );
        let mut header = HeaderValue::try_from(text).expect("cookies are made of safe characters");
        header.set_sensitive(true);
        header
    }

    /// The header that removes it.
    pub(super) fn removed(self, secure: bool) -> HeaderValue {
        self.set("", SignedDuration::ZERO, secure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "x=1; __Host-dossier-session2=no".parse().unwrap());
        headers.append(header::COOKIE, "dossier-session=plain;__Host-dossier-session=abc=".parse().unwrap());
        assert_eq!(Cookie::Session.of(&headers, true), Some("abc="));
        assert_eq!(Cookie::Session.of(&headers, false), Some("plain"));
        assert_eq!(Cookie::Attempt.of(&headers, true), None);
    }

    #[test]
    fn a_cookie_is_for_this_origin_by_tls_and_no_script() {
        let set = Cookie::Session.set("abc", SignedDuration::from_hours(8), true);
        assert_eq!(
            set.to_str().unwrap(),
            "__Host-dossier-session=abc; Path=/; Max-Age=28800; HttpOnly; SameSite=Lax; Secure"
        );
        let removed = Cookie::Attempt.removed(false);
        assert_eq!(removed.to_str().unwrap(), "dossier-sign-in=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }
}
