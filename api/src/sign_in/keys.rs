//! Public keys that verify tokens, and where they come from.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde_json::Value;

/// The algorithms that are accepted. All asymmetric: with a shared secret, whoever verifies could also sign.
pub const ACCEPTED_ALGORITHMS: [Algorithm; 5] =
    [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];

/// Shorter RSA keys are not believed, in bytes of the modulus (2048 bits).
const MIN_RSA_BYTES: usize = 256;
/// Keys beyond this are left out: each may have to be tried for a token without a key id.
const MAX_KEYS: usize = 32;

/// A public key and what it may be used for.
#[derive(Debug, Clone)]
pub struct VerifyKey {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl VerifyKey {
    /// A key of the published form; `None` when it is not for signatures, not asymmetric, too weak or unknown.
    pub fn from_jwk(value: &Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
        let for_signatures = jwk.common.public_key_use.as_ref().is_none_or(|u| *u == PublicKeyUse::Signature)
            && jwk.common.key_operations.as_ref().is_none_or(|ops| ops.contains(&KeyOperations::Verify));
        // What a key may do follows from its own type, never from the token.
        let mut algorithms = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => vec![Algorithm::RS256, Algorithm::PS256],
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
                vec![Algorithm::ES256]
            }
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P384 => {
                vec![Algorithm::ES384]
            }
            AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => {
                vec![Algorithm::EdDSA]
            }
            _ => return None,
        };
        if let Some(only) = jwk.common.key_algorithm {
            algorithms.retain(|algorithm| Algorithm::try_from(only).is_ok_and(|only| only == *algorithm));
        }
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        let strong = match key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, .. } => {
                n.iter().skip_while(|byte| **byte == 0).count() >= MIN_RSA_BYTES
            }
            DecodingKeyKind::SecretOrDer(_) => true,
        };
        (for_signatures && strong && !algorithms.is_empty()).then_some(Self {
            id: jwk.common.key_id,
            algorithms,
            key,
        })
    }

    /// A P-256 key from its uncompressed SEC1 point.
    pub(crate) fn es256(id: String, point: &[u8]) -> Self {
        Self { id: Some(id), algorithms: vec![Algorithm::ES256], key: DecodingKey::from_ec_der(point) }
    }

    /// Whether this key may verify this algorithm.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// The key itself.
    pub(crate) fn key(&self) -> &DecodingKey {
        &self.key
    }
}

/// The keys of an issuer at one time.
#[derive(Debug, Clone)]
pub struct KeySet {
    generation: u64,
    keys: Vec<VerifyKey>,
}

impl KeySet {
    /// A set. `generation` is a number that no other set of the same source has.
    pub fn new(generation: u64, keys: Vec<VerifyKey>) -> Self {
        Self { generation, keys }
    }

    /// The usable keys of a JWKS document; `None` when it is no such document. Keys of other kinds are left out.
    pub fn from_jwks(generation: u64, document: &Value) -> Option<Self> {
        let listed = document.get("keys")?.as_array()?;
        let keys = listed.iter().filter_map(VerifyKey::from_jwk).take(MAX_KEYS).collect();
        Some(Self { generation, keys })
    }

    /// What was verified with one generation must be verified again with another.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether nothing can be verified with it.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that a token names: those of that id, or all when it names none.
    pub(crate) fn candidates<'a>(&'a self, id: Option<&'a str>) -> impl Iterator<Item = &'a VerifyKey> {
        self.keys.iter().filter(move |key| id.is_none() || key.id.as_deref() == id)
    }
}

/// The issuer's keys cannot be had now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the issuer's keys are not available")]
pub struct KeysUnavailable;

/// Where the keys of an issuer come from.
#[async_trait]
pub trait KeySource: Send + Sync + 'static {
    /// The keys as known now. Cheap once they are there.
    ///
    /// # Errors
    /// [`KeysUnavailable`] when none were ever had.
    async fn keys(&self, now: Timestamp) -> Result<Arc<KeySet>, KeysUnavailable>;

    /// The keys after a token asked for one that is not in `seen`: newer ones when the source knows any. Sources
    /// that fetch must bound how often they do so here, for anybody can send tokens.
    ///
    /// # Errors
    /// [`KeysUnavailable`] when newer keys may exist and could not be fetched.
    async fn newer_than(&self, seen: &KeySet, now: Timestamp) -> Result<Arc<KeySet>, KeysUnavailable>;
}

/// Keys that never change: those of the built-in issuer.
#[derive(Debug, Clone)]
pub struct StaticKeys(Arc<KeySet>);

impl StaticKeys {
    /// A source of exactly these keys.
    pub fn new(keys: Vec<VerifyKey>) -> Self {
        Self(Arc::new(KeySet::new(0, keys)))
    }
}

#[async_trait]
impl KeySource for StaticKeys {
    async fn keys(&self, _now: Timestamp) -> Result<Arc<KeySet>, KeysUnavailable> {
        Ok(Arc::clone(&self.0))
    }

    async fn newer_than(&self, _seen: &KeySet, _now: Timestamp) -> Result<Arc<KeySet>, KeysUnavailable> {
        Ok(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn p256() -> Value {
        json!({"kty": "EC", "crv": "P-256", "kid": "a",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
    }

    fn with(mut key: Value, name: &str, value: Value) -> Option<VerifyKey> {
        key[name] = value;
        VerifyKey::from_jwk(&key)
    }

    #[test]
    fn a_key_does_what_its_type_says_and_no_more() {
        let key = VerifyKey::from_jwk(&p256()).unwrap();
        let fitting: Vec<_> =
            ACCEPTED_ALGORITHMS.into_iter().filter(|algorithm| key.fits(*algorithm)).collect();
        assert_eq!(fitting, [Algorithm::ES256]);
        assert!(with(p256(), "alg", json!("ES256")).is_some());
        assert!(with(p256(), "alg", json!("ES384")).is_none());
        assert!(with(p256(), "alg", json!("HS256")).is_none());
    }

    #[test]
    fn keys_for_other_ends_are_left_out() {
        assert!(with(p256(), "use", json!("enc")).is_none());
        assert!(with(p256(), "key_ops", json!(["sign"])).is_none());
        assert!(with(p256(), "use", json!("sig")).is_some());
        assert!(with(p256(), "crv", json!("P-521")).is_none());
        assert!(VerifyKey::from_jwk(&json!({"kty": "oct", "k": "c2VjcmV0"})).is_none());
        assert!(VerifyKey::from_jwk(&json!({"kty": "new"})).is_none());
        assert!(VerifyKey::from_jwk(&json!("x")).is_none());
    }

    #[test]
    fn short_rsa_keys_are_not_believed() {
        use base64::Engine as _;
        let rsa = |bytes| {
            let n = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(vec![0xff_u8; bytes]);
            VerifyKey::from_jwk(&json!({"kty": "RSA", "n": n, "e": "AQAB"}))
        };
        assert!(rsa(128).is_none());
        assert!(rsa(256).is_some_and(|key| key.fits(Algorithm::RS256) && key.fits(Algorithm::PS256)));
    }

    #[test]
    fn a_document_keeps_the_keys_that_are_understood() {
        let document = json!({"keys": [{"kty": "new"}, p256(), 7]});
        let set = KeySet::from_jwks(3, &document).unwrap();
        assert_eq!(
            (set.generation(), set.candidates(Some("a")).count(), set.candidates(Some("b")).count()),
            (3, 1, 0)
        );
        assert_eq!(set.candidates(None).count(), 1);
        assert!(KeySet::from_jwks(0, &json!({"keys": {}})).is_none());
        assert!(KeySet::from_jwks(0, &json!([])).is_none());
    }
}
