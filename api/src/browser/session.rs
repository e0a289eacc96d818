//! Sessions: who signed in with a browser, kept under the id that only the browser has.

use std::sync::Arc;

use axum::http::{HeaderMap, Method};
use dossier_commands::identity;
use dossier_domain::Subject;
use dossier_eventlog::{Entropy, Opened, SealError, Sealer};
use dossier_processes::work_store::{SealedSession, SessionStore};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::cookies::Cookie;
use super::csrf::CsrfGuard;
use super::secret_text;
use crate::sign_in::{Principal, SignInError};

/// The characters of a session's id.
const ID_CHARS: usize = 43;

/// Why a session did not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BeginError {
    /// The account was erased for good.
    #[error("the account was erased")]
    Erased,
    /// The work store or the key store cannot be reached.
    #[error("sessions cannot be kept at the moment")]
    Unavailable,
}

/// A session as its browser knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who signed in; what they may do ends with the session.
    pub principal: Arc<Principal>,
    /// What requests that may change something must carry.
    pub csrf_token: String,
}

/// Who is signed in. Nothing is remembered between requests: the work store is asked each time, so that a session that ended on
/// one node has ended here.
pub struct Sessions {
    store: Arc<dyn SessionStore>,
    sealer: Arc<Sealer>,
    guard: CsrfGuard,
    lifetime: SignedDuration,
    secure: bool,
}

impl Sessions {
    /// Sessions of pages of `public_url` and of `origins`, each as long as `lifetime`.
    pub fn new(
        store: Arc<dyn SessionStore>,
        sealer: Arc<Sealer>,
        lifetime: SignedDuration,
        public_url: &str,
        origins: &[String],
    ) -> Self {
        let own = [public_url.to_owned()].into_iter();
        let guard =
            CsrfGuard::new(&sealer.fingerprint("csrf-tokens", b""), own.chain(origins.to_vec()).collect());
        Self { store, sealer, guard, lifetime, secure: public_url.starts_with("https:") }
    }

    /// Whether cookies are for TLS only.
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// How long a session lasts.
    pub fn lifetime(&self) -> SignedDuration {
        self.lifetime
    }

    /// Whether a request comes with a session's cookie, good or not.
    pub fn are_claimed_by(&self, headers: &HeaderMap) -> bool {
        self.id(headers).is_some()
    }

    /// Begins a session; answers its id.
    ///
    /// # Errors
    /// [`BeginError`].
    pub async fn begin(
        &self,
        principal: &Principal,
        entropy: &Entropy,
        now: Timestamp,
    ) -> Result<String, BeginError> {
        let account = identity::account_id(&self.sealer, &principal.issuer, &principal.subject);
        let subject = Subject::account(account).as_str().to_owned();
        let ends_at = now.saturating_add(self.lifetime).unwrap_or(Timestamp::MAX);
        // The ID token was good for a moment only; what counts from here on is the session.
        let principal = Principal { token_expires_at: ends_at, ..principal.clone() };
        let plain = serde_json::to_vec(&principal).expect("a principal is plain data");
        let unusable = |error: SealError| match error {
            SealError::Erased(_) => BeginError::Erased,
            _ => BeginError::Unavailable,
        };
        self.sealer.prepare_seal(std::slice::from_ref(&subject)).await.map_err(unusable)?;
        let sealed = self.sealer.seal(&subject, &plain).map_err(unusable)?;
        let id = secret_text(entropy);
        let session = SealedSession { digest: digest(&id), subject, sealed, ends_at };
        self.store.begin_session(&session, now).await.map_err(|error| {
            tracing::warn!(%error, "a session was not kept");
            BeginError::Unavailable
        })?;
        Ok(id)
    }

    /// Who sent a request with a session's cookie, if it may do what it asks for.
    ///
    /// # Errors
    /// [`SignInError::SessionEnded`], [`SignInError::SessionsUnavailable`], and those of [`CsrfGuard::check`].
    pub async fn sign_in(
        &self,
        headers: &HeaderMap,
        method: &Method,
        now: Timestamp,
    ) -> Result<Session, SignInError> {
        let id = self.id(headers).ok_or(SignInError::SessionEnded)?;
        let principal = self.principal(id, now).await?;
        self.guard.check(headers, method, id)?;
        Ok(Session { principal: Arc::new(principal), csrf_token: self.guard.token(id) })
    }

    /// Ends the session that a request came with, if there is one. Whether the request may is the caller's to check.
    ///
    /// # Errors
    /// [`SignInError::SessionsUnavailable`]: it may still be there.
    pub async fn end(&self, headers: &HeaderMap) -> Result<(), SignInError> {
        let Some(id) = self.id(headers) else { return Ok(()) };
        self.store.end_session(&digest(id)).await.map(drop).map_err(unavailable)
    }

    /// Lets a request that ends its session pass, whether or not that is still there.
    ///
    /// # Errors
    /// Those of [`CsrfGuard::check`].
    pub fn check_csrf(&self, headers: &HeaderMap, method: &Method) -> Result<(), SignInError> {
        self.id(headers).map_or(Ok(()), |id| self.guard.check(headers, method, id))
    }

    /// Notes that a sign-in was completed; false when it was before.
    ///
    /// # Errors
    /// [`SignInError::SessionsUnavailable`].
    pub async fn complete(&self, state: &str, until: Timestamp, now: Timestamp) -> Result<bool, SignInError> {
        self.store.complete_sign_in(&digest(state), until, now).await.map_err(unavailable)
    }

    /// Ends every session of an account, on every node.
    ///
    /// # Errors
    /// [`SignInError::SessionsUnavailable`]: some may still be there.
    pub async fn end_all_of(&self, account: dossier_domain::AccountId) -> Result<u64, SignInError> {
        self.store.end_sessions_of(Subject::account(account).as_str()).await.map_err(unavailable)
    }

    async fn principal(&self, id: &str, now: Timestamp) -> Result<Principal, SignInError> {
        let kept = self.store.session(&digest(id), now).await.map_err(unavailable)?;
        let session = kept.ok_or(SignInError::SessionEnded)?;
        if self.sealer.prepare_open(std::slice::from_ref(&session.subject)).await.is_err() {
            return Err(SignInError::SessionsUnavailable);
        }
        match self.sealer.open(&session.subject, &session.sealed) {
            Ok(Opened::Plain(plain)) => serde_json::from_slice(&plain).map_err(|_| SignInError::SessionEnded),
            Ok(Opened::Erased) | Err(_) => Err(SignInError::SessionEnded),
        }
    }

    fn id<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        Cookie::Session.of(headers, self.secure).filter(|id| id.len() == ID_CHARS)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn unavailable(error: dossier_processes::work_store::WorkStoreError) -> SignInError {
    tracing::warn!(%error, "sessions cannot be looked up");
    SignInError::SessionsUnavailable
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}
