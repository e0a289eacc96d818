//! The issuer's keys and endpoints by OpenID Connect discovery: fetched once, kept, refreshed, and never lost to an outage.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Url, redirect};
use serde_json::Value;
use tokio::sync::Mutex;

use super::keys::{KeySet, KeySource, KeysUnavailable};

/// Larger documents are not read, in bytes.
const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;

/// How keys are fetched and kept.
#[derive(Debug, Clone)]
pub struct RemoteKeysSettings {
    /// Keys older than this are refreshed in the background; older than twice this, before they are used.
    pub max_age: SignedDuration,
    /// The shortest time between two fetches once there are keys, however many tokens name unknown ones. A key that
    /// the issuer just began to use is known at the latest after this time.
    pub min_interval: SignedDuration,
    /// The shortest time between two fetches while there are no keys at all.
    pub cold_interval: SignedDuration,
    /// How long one request to the issuer may take.
    pub timeout: Duration,
}

impl Default for RemoteKeysSettings {
    fn default() -> Self {
        Self {
            max_age: SignedDuration::from_mins(5),
            min_interval: SignedDuration::from_secs(10),
            cold_interval: SignedDuration::from_secs(2),
            timeout: Duration::from_secs(5),
        }
    }
}

/// Why an issuer cannot be used at all. The operator acts.
#[derive(Debug, thiserror::Error)]
pub enum RemoteKeysError {
    /// The issuer is no http(s) URL.
    #[error(
        "{0} is not an http(s) URL; give the issuer as its tokens name it, such as https://accounts.example.com"
    )]
    BadIssuer(String),
    /// The HTTP client cannot be built.
    #[error("no HTTP client for the issuer's keys: {0}")]
    Client(#[from] reqwest::Error),
}

/// Why one fetch failed; for the log, and never more than that.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("request failed: {}", .0.without_url_text())]
    Request(#[from] reqwest::Error),
    #[error("answer is larger than {MAX_DOCUMENT_BYTES} bytes")]
    TooLarge,
    #[error("answer is not JSON")]
    NotJson,
    #[error("discovery document names another issuer")]
    OtherIssuer,
    #[error("discovery document has no usable jwks_uri")]
    BadJwksUri,
    #[error("key document holds no keys that can be used")]
    NoKeys,
}

/// What reqwest says, without the address: an issuer's URL may hold a secret.
trait WithoutUrl {
    fn without_url_text(&self) -> String;
}

impl WithoutUrl for reqwest::Error {
    fn without_url_text(&self) -> String {
        let kind = if self.is_timeout() {
            "timed out"
        } else if self.is_connect() {
            "no connection"
        } else if self.is_status() {
            "refused"
        } else {
            "broken off"
        };
        self.status().map_or_else(|| kind.to_owned(), |status| format!("{kind} with status {status}"))
    }
}

/// The keys of a remote issuer.
#[derive(Clone)]
pub struct RemoteKeys(Arc<Shared>);

struct Shared {
    issuer: String,
    discovery: Url,
    client: Client,
    settings: RemoteKeysSettings,
    current: RwLock<Option<Loaded>>,
    /// Held while fetching: whoever waits for it finds the work done.
    fetching: Mutex<Attempts>,
    /// How many fetches have ended, to see whether one ended while waiting.
    ended: AtomicU64,
    /// Whether the latest fetch failed.
    failing: AtomicBool,
}

/// Where an issuer signs people in, as its discovery document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Where a browser is sent to sign in.
    pub authorization: Url,
    /// Where a code becomes an ID token.
    pub token: Url,
    /// Where a browser is sent to sign out of the issuer too, if it offers that.
    pub end_session: Option<Url>,
    /// Whether a client's secret goes into the body of a request, because the issuer does not take it in a header.
    pub secret_in_body: bool,
    /// Whether a request may name the claims that it wants in the ID token.
    pub takes_claims: bool,
    /// Whether every answer to a browser names the issuer (RFC 9207).
    pub names_itself: bool,
}

impl Endpoints {
    /// `None` when a document names none, or none that may be used.
    fn of(document: &Value, allowed: impl Fn(&Url) -> bool) -> Option<Self> {
        let url = |name: &str| {
            let url = Url::parse(document.get(name)?.as_str()?).ok()?;
            allowed(&url).then_some(url)
        };
        let methods = document.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
        let takes = |method: &str| methods.is_some_and(|list| list.iter().any(|one| one == method));
        let says = |name: &str| document.get(name).and_then(Value::as_bool).unwrap_or(false);
        Some(Self {
            authorization: url("authorization_endpoint")?,
            token: url("token_endpoint")?,
            end_session: url("end_session_endpoint"),
            secret_in_body: takes("client_secret_post") && !takes("client_secret_basic"),
            takes_claims: says("claims_parameter_supported"),
            names_itself: says("authorization_response_iss_parameter_supported"),
        })
    }
}

/// What one fetch brings.
struct Fetched {
    jwks: Value,
    endpoints: Option<Arc<Endpoints>>,
}

#[derive(Clone)]
struct Loaded {
    keys: Arc<KeySet>,
    endpoints: Option<Arc<Endpoints>>,
    /// The document as it was parsed, to see whether the next one differs.
    document: Arc<Value>,
    fetched_at: Timestamp,
}

#[derive(Default)]
struct Attempts {
    last_at: Option<Timestamp>,
    last_failed: bool,
}

impl RemoteKeys {
    /// Keys of `issuer`, fetched when first needed. The process must have installed a rustls provider.
    ///
    /// # Errors
    /// [`RemoteKeysError`] when the issuer is no http(s) URL or no HTTP client can be built.
    pub fn new(issuer: &str, settings: RemoteKeysSettings) -> Result<Self, RemoteKeysError> {
        let bad = || RemoteKeysError::BadIssuer(issuer.to_owned());
        let named = Url::parse(issuer).map_err(|_| bad())?;
        let plain = named.query().is_none() && named.fragment().is_none();
        if !matches!(named.scheme(), "http" | "https") || !named.has_host() || !plain {
            return Err(bad());
        }
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let discovery = Url::parse(&address).map_err(|_| bad())?;
        let client = Client::builder()
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout)
            // Where the keys are is said by the document, not by whoever answers on the way.
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Self(Arc::new(Shared {
            issuer: issuer.to_owned(),
            discovery,
            client,
            settings,
            current: RwLock::new(None),
            fetching: Mutex::new(Attempts::default()),
            ended: AtomicU64::new(0),
            failing: AtomicBool::new(false),
        })))
    }

    /// Where the issuer signs people in.
    ///
    /// # Errors
    /// [`KeysUnavailable`] when the issuer was never reached, or names no endpoints that may be used.
    pub async fn endpoints(&self, now: Timestamp) -> Result<Arc<Endpoints>, KeysUnavailable> {
        self.keys(now).await?;
        self.0.current().and_then(|loaded| loaded.endpoints).ok_or(KeysUnavailable)
    }

    /// The client that speaks to the issuer: it follows no redirects and waits for no longer than configured.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Whether keys are there, and how old they are: for health reports.
    pub fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        self.0.current().map(|loaded| loaded.age(now))
    }
}

impl Loaded {
    /// Never negative: a clock that went back does not make keys younger than new.
    fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.fetched_at).max(SignedDuration::ZERO)
    }
}

#[async_trait]
impl KeySource for RemoteKeys {
    async fn keys(&self, now: Timestamp) -> Result<Arc<KeySet>, KeysUnavailable> {
        let Some(loaded) = self.0.current() else {
            self.0.refresh(now).await;
            return self.0.current().map(|loaded| loaded.keys).ok_or(KeysUnavailable);
        };
        let age = loaded.age(now);
        let max_age = self.0.settings.max_age;
        if age > max_age.saturating_mul(2) && !self.0.failing.load(Ordering::Acquire) {
            // Nobody asked for long: a key withdrawn meanwhile must not open the door once more. While the issuer is
            // down, though, nobody waits for it.
            self.0.refresh(now).await;
            return Ok(self.0.current().map_or(loaded.keys, |newer| newer.keys));
        }
        if age > max_age && self.0.fetching.try_lock().is_ok() {
            let shared = Arc::clone(&self.0);
            tokio::spawn(async move { shared.refresh(now).await });
        }
        Ok(loaded.keys)
    }

    async fn newer_than(&self, seen: &KeySet, now: Timestamp) -> Result<Arc<KeySet>, KeysUnavailable> {
        let newer = |loaded: &Loaded| loaded.keys.generation() != seen.generation();
        if let Some(loaded) = self.0.current().filter(newer) {
            return Ok(loaded.keys);
        }
        let last_failed = self.0.refresh(now).await;
        let loaded = self.0.current().ok_or(KeysUnavailable)?;
        // The key may be a new one that only a reachable issuer could tell us of.
        if last_failed && !newer(&loaded) { Err(KeysUnavailable) } else { Ok(loaded.keys) }
    }
}

impl Shared {
    fn current(&self) -> Option<Loaded> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches the keys unless that was done a moment ago; true when the latest fetch failed. One caller fetches,
    /// the others wait for the outcome.
    async fn refresh(&self, now: Timestamp) -> bool {
        let ended_before = self.ended.load(Ordering::Acquire);
        let mut attempts = self.fetching.lock().await;
        let somebody_else_did = self.ended.load(Ordering::Acquire) != ended_before;
        if somebody_else_did || !self.is_due(&attempts, now) {
            return attempts.last_failed;
        }
        // Noted before the fetch: a caller who goes away in the middle has used the turn.
        attempts.last_at = Some(now);
        attempts.last_failed = true;
        match self.fetch().await {
            Ok(fetched) => match self.replace(fetched, now) {
                Ok(()) => attempts.last_failed = false,
                Err(error) => tracing::warn!(%error, "sign-in: issuer's keys were not refreshed"),
            },
            Err(error) => tracing::warn!(%error, "sign-in: issuer's keys were not refreshed"),
        }
        let outcome = if attempts.last_failed { "failed" } else { "ok" };
        metrics::counter!("dossier_sign_in_key_fetches_total", "outcome" => outcome).increment(1);
        self.failing.store(attempts.last_failed, Ordering::Release);
        self.ended.fetch_add(1, Ordering::Release);
        attempts.last_failed
    }

    fn is_due(&self, attempts: &Attempts, now: Timestamp) -> bool {
        let interval =
            if self.current().is_some() { self.settings.min_interval } else { self.settings.cold_interval };
        attempts.last_at.is_none_or(|last| {
            let since = now.duration_since(last);
            since >= interval || since.is_negative()
        })
    }

    fn replace(&self, fetched: Fetched, now: Timestamp) -> Result<(), FetchError> {
        let Fetched { jwks: document, endpoints } = fetched;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = current.as_mut().filter(|loaded| *loaded.document == document) {
            // The same keys keep their generation, and with it what was verified.
            loaded.fetched_at = now;
            loaded.endpoints = endpoints;
            return Ok(());
        }
        let generation = current.as_ref().map_or(0, |loaded| loaded.keys.generation() + 1);
        let keys = KeySet::from_jwks(generation, &document).ok_or(FetchError::NoKeys)?;
        if keys.is_empty() {
            return Err(FetchError::NoKeys);
        }
        let (keys, document) = (Arc::new(keys), Arc::new(document));
        *current = Some(Loaded { keys, endpoints, document, fetched_at: now });
        Ok(())
    }

    async fn fetch(&self) -> Result<Fetched, FetchError> {
        let document = self.get(self.discovery.clone()).await?;
        // Exactly as the tokens will name it (OpenID Connect Discovery 4.3).
        if document.get("issuer").and_then(Value::as_str) != Some(self.issuer.as_str()) {
            return Err(FetchError::OtherIssuer);
        }
        let jwks = document.get("jwks_uri").and_then(Value::as_str).ok_or(FetchError::BadJwksUri)?;
        let jwks = Url::parse(jwks).map_err(|_| FetchError::BadJwksUri)?;
        if !self.may_be_used(&jwks) {
            return Err(FetchError::BadJwksUri);
        }
        let endpoints = Endpoints::of(&document, |url| self.may_be_used(url)).map(Arc::new);
        Ok(Fetched { jwks: self.get(jwks).await?, endpoints })
    }

    fn may_be_used(&self, url: &Url) -> bool {
        match url.scheme() {
            "https" => true,
            // Only an issuer that is itself without TLS may point to addresses without TLS.
            "http" => self.discovery.scheme() == "http",
            _ => false,
        }
    }

    async fn get(&self, url: Url) -> Result<Value, FetchError> {
        let mut response = self.client.get(url).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_DOCUMENT_BYTES {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|_| FetchError::NotJson)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_those_that_may_be_used() {
        let document = serde_json::json!({
            "authorization_endpoint": "https://i.example/auth",
            "token_endpoint": "https://i.example/token",
            "end_session_endpoint": "http://i.example/logout",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        });
        let tls = |url: &Url| url.scheme() == "https";
        let endpoints = Endpoints::of(&document, tls).unwrap();
        assert_eq!(endpoints.authorization.as_str(), "https://i.example/auth");
        assert_eq!(endpoints.end_session, None);
        assert!(endpoints.secret_in_body && !endpoints.names_itself);
        for missing in ["authorization_endpoint", "token_endpoint"] {
            let mut document = document.clone();
            document[missing] = "http://i.example/".into();
            assert_eq!(Endpoints::of(&document, tls), None, "{missing}");
        }
    }

    #[test]
    fn an_issuer_is_an_http_url() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        for bad in
            ["", "accounts.example.com", "file:///etc", "ftp://x", "https://", "https://x?y", "https://x#y"]
        {
            let refused = RemoteKeys::new(bad, RemoteKeysSettings::default());
            assert!(matches!(refused, Err(RemoteKeysError::BadIssuer(_))), "{bad}");
        }
        for good in ["http://127.0.0.1:1", "https://accounts.example.com/realm/"] {
            assert!(RemoteKeys::new(good, RemoteKeysSettings::default()).is_ok(), "{good}");
        }
    }
}
