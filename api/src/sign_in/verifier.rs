//! Checks one bearer token: form, algorithm, signature, and every claim that matters.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::keys::{ACCEPTED_ALGORITHMS, KeySet, KeySource};
use super::{Principal, SignInError};

/// Longer tokens are refused unread, in bytes.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// How many verified tokens are remembered.
const REMEMBERED_TOKENS: usize = 10_000;
/// Longer addresses are not addresses (RFC 5321).
const MAX_EMAIL_BYTES: usize = 254;

/// What a token must say.
#[derive(Debug, Clone)]
pub struct VerifierSettings {
    /// The issuer, compared byte for byte.
    pub issuer: String,
    /// A token must be for at least one of these.
    pub audiences: Vec<String>,
    /// The claim that holds roles of staff; a dotted name also reaches into objects (`realm_access.roles`).
    pub staff_claim: String,
    /// How far the clocks of issuer and server may differ, in seconds.
    pub leeway_seconds: u32,
}

impl VerifierSettings {
    /// Settings with the usual leeway of 30 seconds.
    pub fn new(issuer: impl Into<String>, audiences: Vec<String>, staff_claim: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), audiences, staff_claim: staff_claim.into(), leeway_seconds: 30 }
    }
}

/// Turns bearer tokens into principals.
pub struct Verifier {
    settings: VerifierSettings,
    keys: Arc<dyn KeySource>,
    /// Verified tokens by digest, each with the generation of keys it was verified with: a key that is withdrawn
    /// takes its tokens along.
    verified: Cache<[u8; 32], (u64, Arc<Principal>)>,
}

impl Verifier {
    /// A verifier of one issuer.
    pub fn new(settings: VerifierSettings, keys: Arc<dyn KeySource>) -> Self {
        Self { settings, keys, verified: Cache::new(REMEMBERED_TOKENS) }
    }

    /// The issuer whose tokens are believed.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// The claims that make a principal, beside those that every token has.
    pub fn claims(&self) -> [&str; 6] {
        let staff = self.settings.staff_claim.as_str();
        let staff = staff.split_once('.').map_or(staff, |(object, _)| object);
        ["email", "email_verified", "name", "organization", "support_provider", staff]
    }

    /// Signs in whoever sent these headers.
    ///
    /// # Errors
    /// [`SignInError`]; each is counted in `dossier_sign_in_refused_total` by reason.
    pub async fn sign_in(&self, headers: &HeaderMap, now: Timestamp) -> Result<Arc<Principal>, SignInError> {
        let outcome = match bearer_token(headers) {
            Ok(token) => self.check(token, now).await,
            Err(error) => Err(error),
        };
        counted(outcome)
    }

    /// Verifies one token.
    ///
    /// # Errors
    /// As [`Verifier::sign_in`].
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Principal>, SignInError> {
        counted(self.check(token, now).await)
    }

    /// Verifies an ID token that was asked for with `nonce` by the client that this verifier has as its audience. Not
    /// remembered: each is used once. Counts nothing: the sign-in that it is part of does.
    ///
    /// # Errors
    /// As [`Verifier::verify`], and [`SignInError::Nonce`].
    pub async fn verify_id_token(
        &self,
        token: &str,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Principal, SignInError> {
        let (claims, _) = self.authentic_claims(token, self.current_keys(token, now).await?, now).await?;
        let principal = self.check_claims(&claims, now)?;
        // Of a token for several audiences, the party that it was given to must be us (OpenID Connect Core 3.1.3.7).
        let given_to = claims.get("azp").and_then(Value::as_str);
        let several = texts(claims.get("aud")).nth(1).is_some();
        let ours = |party: &str| self.settings.audiences.iter().any(|audience| audience == party);
        if given_to.map_or(several, |party| !ours(party)) {
            return Err(SignInError::Audience);
        }
        if claims.get("nonce").and_then(Value::as_str) != Some(nonce) {
            return Err(SignInError::Nonce);
        }
        Ok(principal)
    }

    async fn check(&self, token: &str, now: Timestamp) -> Result<Arc<Principal>, SignInError> {
        let keys = self.current_keys(token, now).await?;
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some((generation, principal)) = self.verified.get(&digest)
            && generation == keys.generation()
        {
            return self.unexpired(principal.token_expires_at.as_second(), now).map(|()| principal);
        }
        let (claims, generation) = self.authentic_claims(token, keys, now).await?;
        let principal = Arc::new(self.check_claims(&claims, now)?);
        self.verified.insert(digest, (generation, Arc::clone(&principal)));
        Ok(principal)
    }

    async fn current_keys(&self, token: &str, now: Timestamp) -> Result<Arc<KeySet>, SignInError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(SignInError::Malformed("it is too long"));
        }
        self.keys.keys(now).await.map_err(|_| SignInError::IssuerUnavailable)
    }

    /// The claims of a token that our issuer has signed, and the generation of keys that says so.
    async fn authentic_claims(
        &self,
        token: &str,
        keys: Arc<KeySet>,
        now: Timestamp,
    ) -> Result<(Map<String, Value>, u64), SignInError> {
        let signed = Signed::parse(token)?;
        let claims = signed.claims()?;
        // Looked at before the signature, so that tokens of other issuers never make us ask ours for newer keys.
        if claims.get("iss").and_then(Value::as_str) != Some(self.settings.issuer.as_str()) {
            return Err(SignInError::Issuer);
        }
        let generation = self.check_signature(&signed, keys, now).await?;
        Ok((claims, generation))
    }

    /// Answers the generation of the keys that verified the signature.
    async fn check_signature(
        &self,
        signed: &Signed<'_>,
        keys: Arc<KeySet>,
        now: Timestamp,
    ) -> Result<u64, SignInError> {
        let first = signed.verified_by(&keys);
        // A key may be newer than what is known here; a token without a key id may be signed with such a one.
        let newer_may_help = match first {
            Err(SignInError::KeyUnknown) => true,
            Err(SignInError::Signature | SignInError::Algorithm) => signed.key_id.is_none(),
            _ => false,
        };
        if !newer_may_help {
            return first.map(|()| keys.generation());
        }
        let newer = self.keys.newer_than(&keys, now).await.map_err(|_| SignInError::IssuerUnavailable)?;
        if newer.generation() == keys.generation() {
            return first.map(|()| keys.generation());
        }
        signed.verified_by(&newer).map(|()| newer.generation())
    }

    /// The claims of a token of our issuer, its signature verified.
    fn check_claims(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<Principal, SignInError> {
        let text =
            |name: &str| claims.get(name).and_then(Value::as_str).map(str::trim).filter(|s| !s.is_empty());
        let for_us =
            texts(claims.get("aud")).any(|audience| self.settings.audiences.iter().any(|a| a == audience));
        if !for_us {
            return Err(SignInError::Audience);
        }
        let expires = seconds(claims, "exp")?.ok_or(SignInError::Malformed("it has no expiry"))?;
        self.unexpired(expires, now)?;
        let leeway = i64::from(self.settings.leeway_seconds);
        if seconds(claims, "nbf")?.is_some_and(|begins| begins.saturating_sub(leeway) > now.as_second()) {
            return Err(SignInError::NotYetValid);
        }
        let subject = text("sub").ok_or(SignInError::Malformed("it has no subject"))?;
        // Some issuers write this boolean as text.
        let verified = match claims.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(text)) => text == "true",
            _ => false,
        };
        let email = text("email").filter(|_| verified).ok_or(SignInError::EmailNotVerified)?;
        let email = normalized(email).ok_or(SignInError::Malformed("its email claim is no address"))?;
        Ok(Principal {
            issuer: self.settings.issuer.clone(),
            subject: subject.to_owned(),
            email,
            display_name: text("name").map(str::to_owned),
            staff_roles: staff_roles(claims, &self.settings.staff_claim),
            provider: text("support_provider").map(str::to_owned),
            organization: text("organization").map(str::to_owned),
            token_expires_at: Timestamp::from_second(expires).unwrap_or(Timestamp::MAX),
        })
    }

    fn unexpired(&self, expires: i64, now: Timestamp) -> Result<(), SignInError> {
        let last = expires.saturating_add(i64::from(self.settings.leeway_seconds));
        if now.as_second() < last { Ok(()) } else { Err(SignInError::Expired) }
    }
}

/// The token of an `Authorization: Bearer` header.
///
/// # Errors
/// [`SignInError::Missing`] without such a header or with another scheme.
pub fn bearer_token(headers: &HeaderMap) -> Result<&str, SignInError> {
    let value = headers.get(header::AUTHORIZATION).ok_or(SignInError::Missing)?;
    let text = value.to_str().map_err(|_| SignInError::Malformed("it is not ASCII"))?;
    let (scheme, token) = text.trim().split_once(' ').ok_or(SignInError::Missing)?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        Ok(token)
    } else {
        Err(SignInError::Missing)
    }
}

/// An address as it is compared: trimmed, lower case. `None` when it is none.
pub fn normalized(email: &str) -> Option<String> {
    let email = email.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    let sound = !local.is_empty()
        && !domain.is_empty()
        && email.len() <= MAX_EMAIL_BYTES
        && !email.contains(|c: char| c.is_control() || c.is_whitespace());
    sound.then_some(email)
}

pub(crate) fn counted<T>(outcome: Result<T, SignInError>) -> Result<T, SignInError> {
    if let Err(error) = &outcome {
        metrics::counter!("dossier_sign_in_refused_total", "reason" => error.reason()).increment(1);
    }
    outcome
}

/// A token in its three parts; nothing of it is believed yet.
struct Signed<'a> {
    /// What the signature covers.
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
    algorithm: Algorithm,
    key_id: Option<String>,
}

impl<'a> Signed<'a> {
    fn parse(token: &'a str) -> Result<Self, SignInError> {
        let form = SignInError::Malformed("it is not a signed JWT");
        let (message, signature) = token.rsplit_once('.').ok_or(form)?;
        let (header, payload) = message.split_once('.').ok_or(form)?;
        if payload.contains('.') {
            return Err(form);
        }
        let header = decode_object(header).ok_or(form)?;
        // A critical extension must be understood or refused (RFC 7515); none is understood here.
        if header.contains_key("crit") {
            return Err(SignInError::Malformed("it has critical extensions"));
        }
        let algorithm = header.get("alg").and_then(Value::as_str).ok_or(form)?;
        let algorithm = algorithm.parse().map_err(|_| SignInError::Algorithm)?;
        if !ACCEPTED_ALGORITHMS.contains(&algorithm) {
            return Err(SignInError::Algorithm);
        }
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err(form),
        };
        Ok(Self { message, payload, signature, algorithm, key_id })
    }

    fn verified_by(&self, keys: &KeySet) -> Result<(), SignInError> {
        let mut outcome = Err(SignInError::KeyUnknown);
        for candidate in keys.candidates(self.key_id.as_deref()) {
            if !candidate.fits(self.algorithm) {
                // Says more than an unknown key, less than a wrong signature.
                if outcome == Err(SignInError::KeyUnknown) {
                    outcome = Err(SignInError::Algorithm);
                }
                continue;
            }
            let verified = jsonwebtoken::crypto::verify(
                self.signature,
                self.message.as_bytes(),
                candidate.key(),
                self.algorithm,
            );
            if matches!(verified, Ok(true)) {
                return Ok(());
            }
            outcome = Err(SignInError::Signature);
        }
        outcome
    }

    fn claims(&self) -> Result<Map<String, Value>, SignInError> {
        decode_object(self.payload).ok_or(SignInError::Malformed("its claims are no JSON object"))
    }
}

fn decode_object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// A NumericDate claim in whole seconds; issuers may send fractions.
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, SignInError> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and so do the comparisons")]
        Some(Value::Number(number)) => {
            Ok(number.as_i64().or_else(|| number.as_f64().map(|wide| wide as i64)))
        }
        Some(_) => Err(SignInError::Malformed("a time in it is no number")),
    }
}

/// The texts of a claim that is one text or a list of them.
fn texts(claim: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = match claim {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    list.iter().filter_map(Value::as_str)
}

fn staff_roles(claims: &Map<String, Value>, name: &str) -> Vec<String> {
    let reach = || {
        let (first, rest) = name.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |value, key| value.get(key))
    };
    let mut roles = Vec::new();
    for role in texts(claims.get(name).or_else(reach)).map(str::trim) {
        if !role.is_empty() && !roles.iter().any(|known| known == role) {
            roles.push(role.to_owned());
        }
    }
    roles
}

#[cfg(test)]
mod tests;
