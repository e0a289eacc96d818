//! How browsers sign in, and which pages may call.

use jiff::SignedDuration;
use reqwest::Url;

use super::layers::{Given, Layers};
use super::{ConfigError, layers, values};

/// How long a session lasts unless told.
pub const DEFAULT_SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(8);
const MIN_SESSION_LIFETIME: SignedDuration = SignedDuration::from_mins(1);
const MAX_SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 30);

/// A value that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A value to keep.
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The value, for whoever must send it.
    pub fn exposed(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// How browsers sign in at the OpenID Connect issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Browser {
    /// What the issuer calls this server.
    pub client_id: String,
    /// What it proves that with; a public client has none, and proves with PKCE alone that it is who began.
    pub client_secret: Option<Secret>,
    /// The origin under which browsers reach this server, without a slash at its end.
    pub public_url: String,
    /// How long a session lasts from sign-in on, whatever is done with it.
    pub session_lifetime: SignedDuration,
}

/// `None`: browsers do not sign in here.
pub(super) fn resolve(layers: &Layers) -> Result<Option<Browser>, ConfigError> {
    let Some(client_id) = layers.get("oidc_client_id") else {
        return match layers.get("oidc_client_secret") {
            None => Ok(None),
            Some(secret) => Err(secret.refused("oidc_client_id is not set", "set both, or neither")),
        };
    };
    let public_url = layers.get("public_url").ok_or_else(|| {
        ConfigError::new(format!(
            "public_url is not set, and with oidc_client_id the issuer must know where to send browsers back to; set --{} \
             or {} to the address that they see, such as https://support.example.com",
            layers::kebab("public_url"),
            layers::variable("public_url")
        ))
    })?;
    Ok(Some(Browser {
        client_id: client_id.text().to_owned(),
        client_secret: layers.get("oidc_client_secret").map(|given| Secret(given.text().to_owned())),
        public_url: origin(public_url, public_url.text())?,
        session_lifetime: layers
            .get("session_lifetime")
            .map_or(Ok(DEFAULT_SESSION_LIFETIME), session_lifetime)?,
    }))
}

pub(super) fn cors_origins(given: &Given) -> Result<Vec<String>, ConfigError> {
    values::list(given)?.iter().map(|text| origin(given, text)).collect()
}

fn session_lifetime(given: &Given) -> Result<SignedDuration, ConfigError> {
    values::parse_duration(given.text())
        .filter(|lifetime| (MIN_SESSION_LIFETIME..=MAX_SESSION_LIFETIME).contains(lifetime))
        .ok_or_else(|| given.refused("is no time from 1m to 720h", "give one such as 8h"))
}

/// An origin as browsers write it. Without TLS only on this machine: anybody on the way could take the cookie.
pub(super) fn origin(given: &Given, text: &str) -> Result<String, ConfigError> {
    let refused = |why| given.refused(why, "give an origin such as https://support.example.com");
    let url = Url::parse(text).map_err(|_| refused("holds what is no origin"))?;
    let origin = url.origin().ascii_serialization();
    let exact = !text.contains('*') && text.trim_end_matches('/').eq_ignore_ascii_case(&origin);
    if !matches!(url.scheme(), "http" | "https") || !exact {
        return Err(refused("holds what is no origin: scheme, host and port, and nothing more"));
    }
    let loopback = match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback()),
        None => false,
    };
    if url.scheme() == "http" && !loopback {
        return Err(refused("holds an origin without TLS that is not on this machine"));
    }
    Ok(origin)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{refused, resolve};
    use super::*;

    const OPENID: &str = "--oidc-issuer https://i.example --oidc-audience dossier";
    const CLIENT: &str = "--oidc-client-id d --public-url https://Support.Example/";

    #[test]
    fn browsers_sign_in_where_a_client_id_is_set() {
        assert_eq!(resolve(OPENID, &[], None).unwrap().browser, None);
        let browser = resolve(&format!("{OPENID} {CLIENT}"), &[], None).unwrap().browser.unwrap();
        assert_eq!((browser.client_id.as_str(), &browser.client_secret), ("d", &None));
        assert_eq!(browser.public_url, "https://support.example");
        assert_eq!(browser.session_lifetime, SignedDuration::from_hours(8));
        let line = format!("{OPENID} {CLIENT} --session-lifetime 30m");
        let lifetime = resolve(&line, &[], None).unwrap().browser.unwrap().session_lifetime;
        assert_eq!(lifetime, SignedDuration::from_mins(30));
    }

    #[test]
    fn a_secret_is_never_printed() {
        let environment = [("DOSSIER_OIDC_CLIENT_SECRET", "pssst")];
        let settings = resolve(&format!("{OPENID} {CLIENT}"), &environment, None).unwrap();
        assert!(!format!("{settings:?}").contains("pssst"));
        assert_eq!(settings.browser.unwrap().client_secret.unwrap().exposed(), "pssst");
        let sentence = resolve(OPENID, &environment, None).unwrap_err().to_string();
        assert!(sentence.contains("oidc_client_id is not set") && !sentence.contains("pssst"), "{sentence}");
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        refused(&format!("{OPENID} --oidc-client-id d"), &["public_url is not set", "--public-url"]);
        for bad in ["http://support.example", "https://a.example/path", "ftp://a.example", "support.example"]
        {
            let line = format!("{OPENID} --oidc-client-id d --public-url {bad}");
            refused(&line, &["--public-url is", bad, "such as https://support.example.com"]);
        }
        for bad in
            ["*", "null", "https://a.example/x", "https://*.example", "https://a.example,http://b.example"]
        {
            refused(&format!("--dev --cors-origins {bad}"), &["--cors-origins is", "such as https://"]);
        }
        refused(&format!("{OPENID} {CLIENT} --session-lifetime 1s"), &["--session-lifetime is", "8h"]);
        refused("--dev --oidc-client-id d", &["--oidc-client-id is", "its own issuer"]);
    }

    #[test]
    fn pages_on_this_machine_may_be_without_tls() {
        let settings = resolve(
            "--dev --cors-origins https://a.example,http://localhost:3000,http://127.0.0.1:5173",
            &[],
            None,
        )
        .unwrap();
        assert_eq!(
            settings.cors_origins,
            ["https://a.example", "http://localhost:3000", "http://127.0.0.1:5173"]
        );
    }
}
