//! Where a webhook lies: an address of the web that may be called.

use core::net::IpAddr;
use std::fmt;

use url::{Host, Url};

use super::address::is_public;

/// Longest address, in bytes.
pub const MAX_URL_BYTES: usize = 2_048;

/// Which targets are called at all; the operator's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetPolicy {
    /// `https` at public addresses.
    #[default]
    Public,
    /// Anything, for tests and development: plain `http` and private addresses too.
    Any,
}

impl TargetPolicy {
    /// Whether an address may be called.
    pub fn allows(self, address: IpAddr) -> bool {
        self == Self::Any || is_public(address)
    }
}

/// An address that may be called, as far as its text tells: what its name leads to is checked with every sending.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(String);

impl WebhookUrl {
    /// Reads and checks an address.
    ///
    /// # Errors
    /// What is wrong and what would do; without the address, which may hold a secret.
    pub fn parse(text: &str, policy: TargetPolicy) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > MAX_URL_BYTES {
            return Err(format!("must have at most {MAX_URL_BYTES} bytes"));
        }
        let url = Url::parse(text).map_err(|why| format!("is no address of the web ({why})"))?;
        match url.scheme() {
            "https" => {}
            "http" if policy == TargetPolicy::Any => {}
            _ => return Err("must begin with https://".to_owned()),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user or password; messages are signed instead".to_owned());
        }
        if url.fragment().is_some() {
            return Err("must not hold a #fragment; no server would see it".to_owned());
        }
        // The reader has every host that is a number, in whatever notation, as an address by now.
        let literal = match url.host() {
            None => return Err("names no host".to_owned()),
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
        };
        if literal.is_some_and(|address| !policy.allows(address)) {
            return Err("lies at a private or reserved address; give one of the public internet".to_owned());
        }
        Ok(Self(url.into()))
    }

    /// The address, in its one spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WebhookUrl {
    /// Never shows the address, which may hold a secret: debug output reaches logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookUrl")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn public(text: &str) -> Result<String, String> {
        WebhookUrl::parse(text, TargetPolicy::Public).map(|url| url.as_str().to_owned())
    }

    #[test]
    fn an_https_address_is_taken_in_its_one_spelling() {
        assert_eq!(public("https://Hooks.Acme.example"), Ok("https://hooks.acme.example/".to_owned()));
        assert_eq!(
            public(" https://acme.example:8443/a?b=c "),
            Ok("https://acme.example:8443/a?b=c".to_owned())
        );
        assert!(public("https://8.8.8.8/").is_ok());
    }

    #[test]
    fn what_is_no_https_address_of_the_public_internet_is_refused() {
        for bad in [
            "",
            "acme.example",
            "http://acme.example/",
            "ftp://acme.example/",
            "file:///etc/passwd",
            "https://",
            "https://user@acme.example/",
            "https://user:word@acme.example/",
            "https://acme.example/#x",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://10.1.2.3:8443/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fd00::1]/",
            "https://\u{ff11}27.0.0.1/",
        ] {
            assert!(public(bad).is_err(), "{bad}");
        }
        assert!(public(&format!("https://acme.example/{}", "a".repeat(MAX_URL_BYTES))).is_err());
    }

    #[test]
    fn tests_and_development_may_call_themselves() {
        for text in ["http://127.0.0.1:8080/hook", "https://[::1]/", "http://localhost/"] {
            assert!(WebhookUrl::parse(text, TargetPolicy::Any).is_ok(), "{text}");
        }
        assert!(WebhookUrl::parse("file:///etc/passwd", TargetPolicy::Any).is_err());
    }

    proptest! {
        #[test]
        fn no_notation_of_a_private_address_is_taken(low: u32, style in 0..4_usize) {
            let address = 0x0a00_0000 | (low & 0x00ff_ffff);
            let [a, b, c, d] = address.to_be_bytes();
            let host = match style {
                0 => format!("{a}.{b}.{c}.{d}"),
                1 => address.to_string(),
                2 => format!("0x{address:08x}"),
                _ => format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
            };
            prop_assert!(public(&format!("https://{host}/")).is_err(), "{}", host);
        }

        #[test]
        fn no_text_makes_the_reader_panic_and_no_refusal_repeats_it(text in "(https?://|//|@|:|\\[|\\]|#|canary|\\PC){0,12}") {
            if let Err(why) = WebhookUrl::parse(&text, TargetPolicy::Any) {
                prop_assert!(!why.contains("canary"), "{}", why);
            }
        }
    }
}
