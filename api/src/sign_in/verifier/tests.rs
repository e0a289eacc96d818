//! Tokens that are believed, and those that are not, each for one reason.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use proptest::prelude::*;
use serde_json::json;

use super::super::keys::{StaticKeys, VerifyKey};
use super::*;

const ISSUER: &str = "https://issuer.example";
const NOW: i64 = 1_800_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn point() -> Vec<u8> {
    key().verifying_key().to_sec1_point(false).as_bytes().to_vec()
}

fn verifier() -> Verifier {
    let keys = StaticKeys::new(vec![VerifyKey::es256("k".into(), &point())]);
    let settings =
        VerifierSettings::new(ISSUER, vec!["dossier".into(), "other".into()], "realm_access.roles");
    Verifier::new(settings, Arc::new(keys))
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "dossier", "sub": "u1", "email": "Alice@Acme.Example", "email_verified": true, "exp": NOW + 60})
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn signed(header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature: Signature = key().sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn token(claims: &Value) -> String {
    signed(&json!({"alg": "ES256", "kid": "k"}), claims)
}

async fn outcome(token: &str) -> Result<Arc<Principal>, SignInError> {
    verifier().verify(token, now()).await
}

async fn with(name: &str, value: Value) -> Result<Arc<Principal>, SignInError> {
    let mut claims = claims();
    claims[name] = value;
    outcome(&token(&claims)).await
}

async fn without(name: &str) -> Result<Arc<Principal>, SignInError> {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    outcome(&token(&claims)).await
}

#[tokio::test]
async fn a_good_token_becomes_a_principal() {
    let mut all = claims();
    all["name"] = json!("Alice");
    all["support_provider"] = json!("north");
    all["realm_access"] = json!({"roles": ["agent", "agent", "", 7, "engineer"]});
    let principal = outcome(&token(&all)).await.unwrap();
    assert_eq!(
        *principal,
        Principal {
            issuer: ISSUER.into(),
            subject: "u1".into(),
            email: "alice@acme.example".into(),
            display_name: Some("Alice".into()),
            staff_roles: vec!["agent".into(), "engineer".into()],
            provider: Some("north".into()),
            organization: None,
            token_expires_at: Timestamp::from_second(NOW + 60).unwrap(),
        }
    );
    let plain = outcome(&token(&claims())).await.unwrap();
    assert!(plain.staff_roles.is_empty() && plain.provider.is_none() && plain.display_name.is_none());
}

#[tokio::test]
async fn issuer_and_audience_must_be_ours() {
    assert_eq!(with("iss", json!("https://issuer.example/")).await, Err(SignInError::Issuer));
    assert_eq!(without("iss").await, Err(SignInError::Issuer));
    assert_eq!(with("aud", json!("another")).await, Err(SignInError::Audience));
    assert_eq!(with("aud", json!(["another"])).await, Err(SignInError::Audience));
    assert_eq!(without("aud").await, Err(SignInError::Audience));
    assert!(with("aud", json!(["another", "other"])).await.is_ok());
}

#[tokio::test]
async fn times_are_checked_with_thirty_seconds_of_leeway() {
    assert!(with("exp", json!(NOW - 29)).await.is_ok());
    assert_eq!(with("exp", json!(NOW - 30)).await, Err(SignInError::Expired));
    assert_eq!(with("exp", json!("soon")).await.unwrap_err().reason(), "TOKEN_MALFORMED");
    assert_eq!(without("exp").await.unwrap_err().reason(), "TOKEN_MALFORMED");
    assert!(with("exp", json!(1e300)).await.is_ok());
    assert!(with("nbf", json!(NOW + 30)).await.is_ok());
    assert_eq!(with("nbf", json!(NOW + 31)).await, Err(SignInError::NotYetValid));
    assert_eq!(with("nbf", json!(i64::MIN)).await.map(|_| ()), Ok(()));
}

#[tokio::test]
async fn a_remembered_token_expires_all_the_same() {
    let verifier = verifier();
    let token = token(&claims());
    let first = verifier.verify(&token, now()).await.unwrap();
    let again = verifier.verify(&token, now() + SignedDuration::from_secs(89)).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again), "the second answer comes from memory");
    let late = verifier.verify(&token, now() + SignedDuration::from_secs(90)).await;
    assert_eq!(late, Err(SignInError::Expired));
}

#[tokio::test]
async fn an_address_must_be_there_and_verified() {
    for unverified in [json!(false), json!("false"), json!(null), json!(1)] {
        assert_eq!(with("email_verified", unverified).await, Err(SignInError::EmailNotVerified));
    }
    assert_eq!(without("email_verified").await, Err(SignInError::EmailNotVerified));
    assert_eq!(without("email").await, Err(SignInError::EmailNotVerified));
    assert!(with("email_verified", json!("true")).await.is_ok());
    for bad in ["alice", "@acme", "alice@", "a b@c", "a\n@b"] {
        assert_eq!(with("email", json!(bad)).await.unwrap_err().reason(), "TOKEN_MALFORMED", "{bad}");
    }
    for bad in [json!(""), json!("  "), json!(7)] {
        assert_eq!(with("sub", bad).await.unwrap_err().reason(), "TOKEN_MALFORMED");
    }
}

#[tokio::test]
async fn unsigned_tokens_and_shared_secrets_are_refused() {
    for algorithm in ["none", "None", "HS256", "RS512", "ES512", ""] {
        let header = json!({"alg": algorithm, "kid": "k"});
        assert_eq!(outcome(&signed(&header, &claims())).await, Err(SignInError::Algorithm), "{algorithm}");
        let unsigned = format!("{}.{}.", part(&header), part(&claims()));
        assert_eq!(outcome(&unsigned).await, Err(SignInError::Algorithm), "{algorithm}");
    }
    // Not even worth a look at the keys.
    let unknown = json!({"alg": "HS256", "kid": "x"});
    assert_eq!(outcome(&signed(&unknown, &claims())).await, Err(SignInError::Algorithm));
    // The public key as an HMAC secret: what an attacker has.
    let message = format!("{}.{}", part(&json!({"alg": "HS256", "kid": "k"})), part(&claims()));
    let mut mac = Hmac::<Sha256>::new_from_slice(&point()).unwrap();
    mac.update(message.as_bytes());
    let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
    assert_eq!(outcome(&forged).await, Err(SignInError::Algorithm));
}

#[tokio::test]
async fn the_algorithm_must_fit_the_key() {
    for algorithm in ["RS256", "ES384", "EdDSA", "PS256"] {
        let header = json!({"alg": algorithm, "kid": "k"});
        assert_eq!(outcome(&signed(&header, &claims())).await, Err(SignInError::Algorithm), "{algorithm}");
    }
}

/// Tokens made by another implementation (openssl), whose private keys nobody kept.
#[tokio::test]
async fn every_accepted_algorithm_verifies_tokens_made_elsewhere() {
    let samples: Value = serde_json::from_str(include_str!("sample_tokens.json")).unwrap();
    let keys =
        samples["keys"].as_array().unwrap().iter().map(|jwk| VerifyKey::from_jwk(jwk).unwrap()).collect();
    let settings = VerifierSettings::new(ISSUER, vec!["dossier".into()], "roles");
    let verifier = Verifier::new(settings, Arc::new(StaticKeys::new(keys)));
    let tokens = samples["tokens"].as_object().unwrap();
    assert_eq!(tokens.len() + 1, ACCEPTED_ALGORITHMS.len(), "ES256 has tests of its own");
    for (algorithm, token) in tokens {
        let token = token.as_str().unwrap();
        assert_eq!(verifier.verify(token, now()).await.unwrap().email, "a@b.example", "{algorithm}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[20] ^= 1;
        let altered = format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(verifier.verify(&altered, now()).await, Err(SignInError::Signature), "{algorithm}");
    }
}

#[tokio::test]
async fn a_changed_token_has_no_valid_signature() {
    let good = token(&claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = message.split_once('.').unwrap();
    let mut other = claims();
    other["email"] = json!("mallory@acme.example");
    let swapped = format!("{header}.{}.{signature}", part(&other));
    assert_eq!(outcome(&swapped).await, Err(SignInError::Signature));
    assert_eq!(outcome(&format!("{message}.")).await, Err(SignInError::Signature));
    assert_eq!(outcome(&format!("{message}.!!")).await, Err(SignInError::Signature));
}

#[tokio::test]
async fn the_key_is_found_by_its_id_or_tried_without_one() {
    let unknown = signed(&json!({"alg": "ES256", "kid": "x"}), &claims());
    assert_eq!(outcome(&unknown).await, Err(SignInError::KeyUnknown));
    assert!(outcome(&signed(&json!({"alg": "ES256"}), &claims())).await.is_ok());
}

#[tokio::test]
async fn what_is_no_jwt_is_malformed() {
    let header = part(&json!({"alg": "ES256", "kid": "k"}));
    let cases = [
        String::new(),
        "x".into(),
        "a.b".into(),
        "a.b.c".into(),
        "a.b.c.d.e".into(),
        format!("{header}.e30=.x"),
        format!("{header}.W10.x"),
        format!("{}.e30.x", part(&json!({"alg": 1}))),
        format!("{}.e30.x", part(&json!({"alg": "ES256", "kid": 1}))),
        format!("{}.e30.x", part(&json!({"alg": "ES256", "crit": ["b64"]}))),
        "x".repeat(MAX_TOKEN_BYTES + 1),
    ];
    for token in cases {
        assert_eq!(outcome(&token).await.unwrap_err().reason(), "TOKEN_MALFORMED", "{token:.60}");
    }
}

#[tokio::test]
async fn the_header_is_a_bearer_token_or_nothing() {
    let sign_in = async |value: Option<&str>| {
        let mut headers = HeaderMap::new();
        if let Some(value) = value {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        verifier().sign_in(&headers, now()).await
    };
    for missing in [None, Some(""), Some("Bearer"), Some("Bearer "), Some("Basic YTpi")] {
        assert_eq!(sign_in(missing).await, Err(SignInError::Missing), "{missing:?}");
    }
    assert!(sign_in(Some(&format!("bearer {}", token(&claims())))).await.is_ok());
}

proptest! {
    #[test]
    fn no_text_makes_the_verifier_panic(header in "\\PC{0,20}", payload in "\\PC{0,20}", raw in "[A-Za-z0-9._-]{0,60}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let shaped = format!("{}.{}.{}", encode(&header), encode(&payload), encode("x"));
        prop_assert!(runtime.block_on(outcome(&shaped)).is_err());
        prop_assert!(runtime.block_on(outcome(&raw)).is_err());
    }
}

#[tokio::test]
async fn an_id_token_is_for_the_sign_in_that_asked_for_it() {
    let outcome = async |name: &str, value: Value| {
        let mut claims = claims();
        claims["nonce"] = json!("n1");
        claims[name] = value;
        verifier().verify_id_token(&token(&claims), "n1", now()).await.map(|principal| principal.email)
    };
    assert_eq!(outcome("nonce", json!("n1")).await, Ok("alice@acme.example".into()));
    for other in [json!("n2"), json!(null), json!(""), json!(["n1"])] {
        assert_eq!(outcome("nonce", other).await, Err(SignInError::Nonce));
    }
    assert_eq!(outcome("aud", json!("api")).await, Err(SignInError::Audience));
    assert_eq!(outcome("azp", json!("api")).await, Err(SignInError::Audience));
    assert_eq!(outcome("azp", json!("dossier")).await, Ok("alice@acme.example".into()));
    // For several audiences, it must say to whom it was given.
    assert_eq!(outcome("aud", json!(["dossier", "api"])).await, Err(SignInError::Audience));
    assert_eq!(outcome("email_verified", json!(false)).await, Err(SignInError::EmailNotVerified));
    assert_eq!(outcome("exp", json!(NOW - 60)).await, Err(SignInError::Expired));
    assert_eq!(outcome("iss", json!("https://evil.example")).await, Err(SignInError::Issuer));
}

#[test]
fn what_is_asked_for_is_what_is_read() {
    let verifier = verifier();
    let claims = verifier.claims();
    assert!(claims.contains(&"email_verified") && claims.contains(&"realm_access"), "{claims:?}");
}
