//! Sealing of personal values: one key per subject, kept apart from the log. Destroying a key erases every value of
//! its subject, in the log and in all its copies.

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;
use zeroize::Zeroizing;

mod ciphers;
mod sealer;
mod stream;

pub use sealer::{AUTHENTICATION_BYTES, Sealer};
pub(crate) use stream::{PREFIX_BYTES, SealedStream, TAG_BYTES};

/// Source of randomness: fills the buffer. Passed in, so that tests are repeatable.
pub type Entropy = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// A 256-bit secret that is wiped when dropped.
pub type Secret = Zeroizing<[u8; 32]>;

/// Why a value was not sealed or opened.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// The key store cannot answer now. The caller repeats later.
    #[error("key store unavailable: {0}")]
    Unavailable(String),
    /// The subject was erased: nothing new may be sealed for it.
    #[error("subject {0} was erased")]
    Erased(String),
    /// No key was ever made for this subject: the key store does not belong to this log, or is incomplete. The operator
    /// restores the key store.
    #[error("no key for subject {0}: the key store is incomplete; restore it from its backup")]
    MissingKey(String),
    /// The sealed bytes do not open with the subject's key: damaged, or sealed for another subject.
    #[error("a sealed value of subject {0} does not open")]
    Damaged(String),
}

/// What the key store knows of a subject.
#[derive(Clone)]
pub enum KeyState {
    /// The subject's key.
    Present(Secret),
    /// The subject was erased; the key is gone for good.
    Erased,
}

/// What a key store that several processes share tells of erasures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure<'a> {
    /// This subject was erased.
    Of(&'a str),
    /// Erasures may have been missed: what is known must be asked for again.
    Unknown,
}

/// Told of erasures; answers whether it wants to hear of more. It must not wait.
pub type ErasureListener = Box<dyn Fn(Erasure<'_>) -> bool + Send + Sync>;

/// Keeps one key per subject, durably, apart from the log.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// The log these keys belong to.
    fn log_id(&self) -> Uuid;

    /// The secret for pseudonyms and fingerprints, made with the store and never changed.
    fn pepper(&self) -> &Secret;

    /// State of each subject's key; subjects never heard of are left out.
    ///
    /// # Errors
    /// [`SealError::Unavailable`].
    async fn keys(&self, subjects: &[String]) -> Result<Vec<(String, KeyState)>, SealError>;

    /// Stores new keys durably unless the subject has one already; answers what the store holds afterwards.
    ///
    /// # Errors
    /// [`SealError::Unavailable`].
    async fn create(&self, keys: Vec<(String, Secret)>) -> Result<Vec<(String, KeyState)>, SealError>;

    /// Destroys a subject's key for good and remembers that it was erased.
    ///
    /// # Errors
    /// [`SealError::Unavailable`].
    async fn erase(&self, subject: &str) -> Result<(), SealError>;

    /// Tells a listener of erasures, by other processes too, soon after they happen. A store that only one process can
    /// use has nothing to tell.
    fn on_erasure(&self, _listener: ErasureListener) {}
}

/// A sealed value, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The value's bytes.
    Plain(Vec<u8>),
    /// The subject was erased.
    Erased,
}
