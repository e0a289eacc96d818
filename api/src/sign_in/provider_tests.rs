//! The verifier against a private OpenID provider that rotates its keys, fails and comes back.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

use super::*;

/// A private provider: what it publishes can be changed while it runs.
struct Provider {
    issuer: String,
    published: Arc<Mutex<Value>>,
    claimed_issuer: Arc<Mutex<String>>,
    up: Arc<AtomicBool>,
    fetches: Arc<AtomicUsize>,
}

fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn jwk(seed: u8) -> Value {
    let point = signing_key(seed).verifying_key().to_sec1_point(false);
    let part = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point.as_bytes()[range]);
    json!({"kty": "EC", "crv": "P-256", "kid": format!("k{seed}"), "x": part(1..33), "y": part(33..65)})
}

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

impl Provider {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let published = Arc::new(Mutex::new(json!({"keys": [jwk(1)]})));
        let claimed_issuer = Arc::new(Mutex::new(issuer.clone()));
        let (up, fetches) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let jwks = {
            let (published, up, fetches) = (published.clone(), up.clone(), fetches.clone());
            move || async move {
                fetches.fetch_add(1, Ordering::SeqCst);
                // Long enough for others to queue up behind this fetch.
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                if up.load(Ordering::SeqCst) {
                    Ok(Json(published.lock().unwrap().clone()))
                } else {
                    Err(StatusCode::BAD_GATEWAY)
                }
            }
        };
        let discovery = {
            let (claimed, jwks_uri) = (claimed_issuer.clone(), format!("{issuer}/keys"));
            move || async move { Json(json!({"issuer": *claimed.lock().unwrap(), "jwks_uri": jwks_uri})) }
        };
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(jwks));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { issuer, published, claimed_issuer, up, fetches }
    }

    fn verifier(&self) -> Verifier {
        let keys = RemoteKeys::new(&self.issuer, RemoteKeysSettings::default()).unwrap();
        Verifier::new(VerifierSettings::new(&self.issuer, vec!["dossier".into()], "roles"), Arc::new(keys))
    }

    fn publish(&self, keys: &[Value]) {
        *self.published.lock().unwrap() = json!({"keys": keys});
    }

    fn token(&self, seed: u8) -> String {
        self.token_with_kid(seed, &format!("k{seed}"))
    }

    fn token_with_kid(&self, seed: u8, kid: &str) -> String {
        let header = json!({"alg": "ES256", "kid": kid});
        let claims = json!({"iss": self.issuer, "aud": "dossier", "sub": "1", "email": "a@b", "email_verified": true,
            "exp": later(86_400).as_second()});
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature: Signature = signing_key(seed).sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Lets a background refresh finish.
    async fn until_fetched(&self, fetches: usize) {
        for _ in 0..500 {
            if self.fetches() >= fetches {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        assert_eq!(self.fetches(), fetches);
    }
}

#[tokio::test]
async fn keys_are_discovered_once_for_many_callers_at_the_same_time() {
    let provider = Provider::start().await;
    let verifier = provider.verifier();
    let token = provider.token(1);
    // Callers read their clocks before they queue up: some are a little behind.
    let calls = (0..50).map(|i| verifier.verify(&token, later(-i)));
    let outcomes = futures::future::join_all(calls).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(provider.fetches(), 1);
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let provider = Provider::start().await;
    let verifier = provider.verifier();
    verifier.verify(&provider.token(1), now()).await.unwrap();
    provider.publish(&[jwk(1), jwk(2)]);
    verifier.verify(&provider.token(2), later(11)).await.unwrap();
    verifier.verify(&provider.token(1), later(11)).await.unwrap();
    assert_eq!(provider.fetches(), 2);
}

#[tokio::test]
async fn a_withdrawn_key_takes_the_remembered_tokens_along() {
    let provider = Provider::start().await;
    let verifier = provider.verifier();
    let old = provider.token(1);
    verifier.verify(&old, now()).await.unwrap();
    provider.publish(&[jwk(2)]);
    verifier.verify(&provider.token(2), later(11)).await.unwrap();
    assert_eq!(verifier.verify(&old, later(12)).await, Err(SignInError::KeyUnknown));
}

#[tokio::test]
async fn old_keys_are_refreshed_in_the_background_and_very_old_ones_before_use() {
    let provider = Provider::start().await;
    let verifier = provider.verifier();
    let old = provider.token(1);
    verifier.verify(&old, now()).await.unwrap();
    verifier.verify(&old, later(299)).await.unwrap();
    assert_eq!(provider.fetches(), 1);
    verifier.verify(&old, later(301)).await.unwrap();
    provider.until_fetched(2).await;
    provider.publish(&[jwk(2)]);
    assert_eq!(verifier.verify(&old, later(301 + 601)).await, Err(SignInError::KeyUnknown));
    assert_eq!(provider.fetches(), 3);
}

#[tokio::test]
async fn a_storm_of_unknown_keys_makes_one_fetch_per_interval() {
    let provider = Provider::start().await;
    let verifier = provider.verifier();
    verifier.verify(&provider.token(1), now()).await.unwrap();
    for second in 0..25_i64 {
        let storm: Vec<_> =
            (0..20).map(|i| provider.token_with_kid(9, &format!("garbage-{second}-{i}"))).collect();
        let calls = storm.iter().map(|token| verifier.verify(token, later(second)));
        for outcome in futures::future::join_all(calls).await {
            assert_eq!(outcome, Err(SignInError::KeyUnknown));
        }
    }
    // At 0 s the warm-up, then at 10 s and 20 s.
    assert_eq!(provider.fetches(), 3);
}

#[tokio::test]
async fn after_warm_up_an_issuer_that_is_down_does_no_harm() {
    let provider = Provider::start().await;
    let verifier = provider.verifier();
    verifier.verify(&provider.token(1), now()).await.unwrap();
    provider.up.store(false, Ordering::SeqCst);
    let fresh = provider.token_with_kid(1, "k1");
    verifier.verify(&fresh, later(100_000 - 20_000)).await.unwrap();
    // A key that we cannot ask about is not the caller's fault.
    assert_eq!(verifier.verify(&provider.token(2), later(80_001)).await, Err(SignInError::IssuerUnavailable));
    provider.up.store(true, Ordering::SeqCst);
    provider.publish(&[jwk(1), jwk(2)]);
    verifier.verify(&provider.token(2), later(80_020)).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_was_never_reached_is_503_and_not_asked_for_every_token() {
    let provider = Provider::start().await;
    provider.up.store(false, Ordering::SeqCst);
    let verifier = provider.verifier();
    for _ in 0..10 {
        assert_eq!(verifier.verify(&provider.token(1), now()).await, Err(SignInError::IssuerUnavailable));
    }
    assert_eq!(provider.fetches(), 1);
    provider.up.store(true, Ordering::SeqCst);
    verifier.verify(&provider.token(1), later(2)).await.unwrap();
}

#[tokio::test]
async fn a_document_of_another_issuer_or_without_keys_is_not_believed() {
    let provider = Provider::start().await;
    *provider.claimed_issuer.lock().unwrap() = "https://evil.example".into();
    let verifier = provider.verifier();
    assert_eq!(verifier.verify(&provider.token(1), now()).await, Err(SignInError::IssuerUnavailable));
    assert_eq!(provider.fetches(), 0);
    *provider.claimed_issuer.lock().unwrap() = provider.issuer.clone();
    verifier.verify(&provider.token(1), later(2)).await.unwrap();
    // An empty key document is a mistake of the issuer, not a reason to lock everybody out.
    provider.publish(&[]);
    verifier.verify(&provider.token(1), later(1000)).await.unwrap();
}
