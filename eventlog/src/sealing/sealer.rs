//! Seals and opens values under the keys of their subjects; derives pseudonyms and fingerprints under the pepper.

use std::sync::Arc;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::ciphers::{Cached, Ciphers};
use super::stream::{PREFIX_BYTES, SealedStream};
use super::{Entropy, Erasure, KeyState, KeyStore, Opened, SealError, Secret};

/// First byte of every sealed value: which cipher and layout the rest has.
const SEALED_V1: u8 = 1;
/// Authenticated with every value, before the subject: a value of one subject or layout never opens as another's.
const AAD_V1: &[u8] = b"dossier sealed value 1\0";
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// Length of an authentication code.
pub const AUTHENTICATION_BYTES: usize = 16;

/// Seals and opens personal values, with a bounded cache of keys before the key store.
///
/// XChaCha20-Poly1305 with a random nonce; a value never opens for another subject. A key that another process erased
/// stays in this one's cache until the key store tells of it, which one that several processes share does soon, or
/// until [`Sealer::forget`].
pub struct Sealer {
    keys: Arc<dyn KeyStore>,
    entropy: Entropy,
    ciphers: Arc<Ciphers>,
    pepper: Hmac<Sha256>,
}

impl Sealer {
    /// A sealer on a key store.
    pub fn new(keys: Arc<dyn KeyStore>, entropy: Entropy) -> Self {
        let pepper = <Hmac<Sha256> as KeyInit>::new_from_slice(&keys.pepper()[..])
            .expect("HMAC takes a key of any length");
        let ciphers = Arc::new(Ciphers::new());
        let told = Arc::downgrade(&ciphers);
        keys.on_erasure(Box::new(move |erasure| {
            let Some(ciphers) = told.upgrade() else { return false };
            match erasure {
                Erasure::Of(subject) => ciphers.erased(subject),
                Erasure::Unknown => ciphers.doubt(),
            }
            true
        }));
        Self { keys, entropy, ciphers, pepper }
    }

    /// Makes sure that every subject has a key, durably, and that [`Sealer::seal`] finds it without waiting.
    ///
    /// # Errors
    /// [`SealError::Unavailable`], or [`SealError::Erased`] for a subject that was erased.
    pub async fn prepare_seal(&self, subjects: &[String]) -> Result<(), SealError> {
        self.prepare_open(subjects).await?;
        let missing = subjects
            .iter()
            .filter(|subject| self.ciphers.get(subject).is_none())
            .map(|subject| (subject.clone(), self.new_key()))
            .collect::<Vec<_>>();
        if !missing.is_empty() {
            let era = self.ciphers.era();
            let states = self.keys.create(missing).await?;
            self.remember(states, era);
        }
        for subject in subjects {
            if matches!(self.ciphers.get(subject), Some(Cached::Erased)) {
                return Err(SealError::Erased(subject.clone()));
            }
        }
        Ok(())
    }

    /// Makes sure that [`Sealer::open`] finds every subject's key without waiting. A subject that has no key is no
    /// error here but when it is opened.
    ///
    /// # Errors
    /// [`SealError::Unavailable`].
    pub async fn prepare_open(&self, subjects: &[String]) -> Result<(), SealError> {
        let (unknown, era) = self.ciphers.renew(subjects);
        if !unknown.is_empty() {
            let unknown = unknown.into_iter().cloned().collect::<Vec<_>>();
            let states = self.keys.keys(&unknown).await?;
            self.remember(states, era);
        }
        Ok(())
    }

    /// Seals a value for a prepared subject: one byte of version, the nonce, the ciphertext and the tag.
    ///
    /// # Errors
    /// [`SealError::Erased`] for an erased subject, [`SealError::MissingKey`] for one that was not prepared.
    pub fn seal(&self, subject: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let cipher = match self.ciphers.get(subject) {
            Some(Cached::Cipher(cipher)) => cipher,
            Some(Cached::Erased) => return Err(SealError::Erased(subject.to_owned())),
            None => return Err(SealError::MissingKey(subject.to_owned())),
        };
        let mut nonce = [0; NONCE_BYTES];
        (self.entropy)(&mut nonce);
        let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + plain.len() + TAG_BYTES);
        sealed.push(SEALED_V1);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let text = &mut sealed[1 + NONCE_BYTES..];
        let tag = cipher
            .encrypt_inout_detached(&XNonce::from(nonce), &aad(subject), text.into())
            .map_err(|_| SealError::Damaged(subject.to_owned()))?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens a value of a prepared subject.
    ///
    /// # Errors
    /// [`SealError::MissingKey`] for a subject without a key or not prepared, [`SealError::Damaged`] for bytes that
    /// were changed or sealed for another subject.
    pub fn open(&self, subject: &str, sealed: &[u8]) -> Result<Opened, SealError> {
        let cipher = match self.ciphers.get(subject) {
            Some(Cached::Cipher(cipher)) => cipher,
            Some(Cached::Erased) => return Ok(Opened::Erased),
            None => return Err(SealError::MissingKey(subject.to_owned())),
        };
        let damaged = || SealError::Damaged(subject.to_owned());
        let (version, rest) = sealed.split_first().ok_or_else(damaged)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(damaged)?;
        let (text, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or_else(damaged)?;
        if *version != SEALED_V1 {
            return Err(damaged());
        }
        let mut plain = text.to_vec();
        cipher
            .decrypt_inout_detached(
                &XNonce::from(*nonce),
                &aad(subject),
                plain.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .map_err(|_| damaged())?;
        Ok(Opened::Plain(plain))
    }

    /// Begins sealing a stream of chunks of a subject; makes its key when it has none. Answers the random prefix that
    /// [`Sealer::open_stream`] needs again.
    pub(crate) async fn seal_stream(
        &self,
        subject: &str,
        context: &str,
    ) -> Result<([u8; PREFIX_BYTES], SealedStream), SealError> {
        self.prepare_seal(&[subject.to_owned()]).await?;
        let prefix = self.draw();
        Ok((prefix, SealedStream::new(self.cipher(subject)?, prefix, subject, context)))
    }

    /// Begins opening what was sealed with the same subject, context and prefix.
    pub(crate) async fn open_stream(
        &self,
        subject: &str,
        context: &str,
        prefix: [u8; PREFIX_BYTES],
    ) -> Result<SealedStream, SealError> {
        self.check_key(subject).await?;
        Ok(SealedStream::new(self.cipher(subject)?, prefix, subject, context))
    }

    /// Whether something of this subject can be opened at all.
    pub(crate) async fn check_key(&self, subject: &str) -> Result<(), SealError> {
        self.prepare_open(&[subject.to_owned()]).await?;
        self.cipher(subject).map(drop)
    }

    /// Random bytes for a name or a nonce.
    pub(crate) fn draw<const N: usize>(&self) -> [u8; N] {
        let mut drawn = [0; N];
        (self.entropy)(&mut drawn);
        drawn
    }

    fn cipher(&self, subject: &str) -> Result<XChaCha20Poly1305, SealError> {
        match self.ciphers.get(subject) {
            Some(Cached::Cipher(cipher)) => Ok((*cipher).clone()),
            Some(Cached::Erased) => Err(SealError::Erased(subject.to_owned())),
            None => Err(SealError::MissingKey(subject.to_owned())),
        }
    }

    /// Destroys a subject's key, in the store and in the cache.
    ///
    /// # Errors
    /// [`SealError::Unavailable`].
    pub async fn erase(&self, subject: &str) -> Result<(), SealError> {
        self.keys.erase(subject).await?;
        self.ciphers.erased(subject);
        Ok(())
    }

    /// Drops what the cache knows of a subject, so that the key store is asked again: for an erasure by another
    /// process.
    pub fn forget(&self, subject: &str) {
        self.ciphers.forget(subject);
    }

    /// A stable name for a personal value that does not give it away: HMAC-SHA-256 under the pepper, domain-separated
    /// by `purpose`, cut to 128 bits.
    pub fn pseudonym(&self, purpose: &str, value: &[u8]) -> u128 {
        let digest = self.keyed_digest("pseudonym", purpose, value);
        let (cut, _) = digest.split_first_chunk::<16>().expect("32 bytes have a first half");
        u128::from_be_bytes(*cut)
    }

    /// Keyed digest of a command's body or a blob's content: HMAC-SHA-256 under the pepper, domain-separated by `purpose`.
    pub fn fingerprint(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        self.keyed_digest("fingerprint", purpose, value)
    }

    /// What proves that this system wrote a value that comes back from outside: HMAC-SHA-256 under the pepper,
    /// domain-separated by `purpose`, cut to 128 bits.
    pub fn authentication_code(&self, purpose: &str, value: &[u8]) -> [u8; AUTHENTICATION_BYTES] {
        let digest = self.keyed_digest("authentication", purpose, value);
        let (cut, _) = digest.split_first_chunk().expect("32 bytes have a first half");
        *cut
    }

    /// Whether a code is that of a value; takes as long whatever the code is.
    pub fn is_authentic(&self, purpose: &str, value: &[u8], code: &[u8; AUTHENTICATION_BYTES]) -> bool {
        self.keyed_mac("authentication", purpose, value).verify_truncated_left(code).is_ok()
    }

    fn keyed_digest(&self, kind: &str, purpose: &str, value: &[u8]) -> [u8; 32] {
        self.keyed_mac(kind, purpose, value).finalize().into_bytes().into()
    }

    fn keyed_mac(&self, kind: &str, purpose: &str, value: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.pepper.clone();
        // Lengths before texts, so that no two triples give the same bytes.
        for part in [kind.as_bytes(), purpose.as_bytes(), value] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }

    fn new_key(&self) -> Secret {
        let mut key = Zeroizing::new([0; 32]);
        (self.entropy)(&mut key[..]);
        key
    }

    fn remember(&self, states: Vec<(String, KeyState)>, era: u64) {
        let cached = states.into_iter().map(|(subject, state)| {
            let cached = match state {
                KeyState::Present(key) => Cached::Cipher(Arc::new(XChaCha20Poly1305::new((&*key).into()))),
                KeyState::Erased => Cached::Erased,
            };
            (subject, cached)
        });
        self.ciphers.insert(cached.collect(), era);
    }
}

fn aad(subject: &str) -> Vec<u8> {
    [AAD_V1, subject.as_bytes()].concat()
}
