//! What is too large for an event: uploaded files, sealed and kept in a folder or in S3.
//!
//! # What never happens here
//!
//! - Nothing of an upload is visible before all of it is durable. One that was given up leaves nothing but a temporary
//!   under `pending/`, which [`BlobStore::sweep`] removes.
//! - No path and no stored byte tells what was uploaded, or that two cases hold the same: the name of a blob is a keyed
//!   digest over case, subject and content, its bytes are sealed with the subject's key.
//! - No byte is handed out unchecked: a blob that was cut, mixed, changed, or put in another's place is
//!   [`BlobError::Damaged`].
//! - No more than a few MiB are held in memory, whatever the size of the blob.
//!
//! # What a blob is named
//!
//! `cases/{case}/{digest}`, the digest an HMAC under the key store's pepper of case, subject and the SHA-256 of the
//! content. The subject (whoever's key seals it) belongs to the name, so that the same file uploaded by two people is two
//! blobs: erasing one of them leaves the other's readable. The same file uploaded again by the same subject to the same
//! case replaces the blob by an equal one under a fresh nonce: both uploads are readable, and deleting the blob deletes
//! both.
//!
//! # What is stored
//!
//! Chunks of 64 KiB, each sealed for its place (STREAM over XChaCha20-Poly1305, bound to subject and case), then the
//! `seal`: version, nonce prefix, and a stamp that binds all of it to the blob's key and size. It stands at the end since
//! the key is known only then, and one look at it tells whether the blob is whole and in its place.

use std::ops::Range;
use std::sync::Arc;

use futures::StreamExt;
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::sync::RwLock;

mod place;
mod reader;
mod seal;
mod sweep;
#[cfg(test)]
mod tests;
mod writer;

pub use place::BlobOpenError;
use place::Place;
pub use reader::BlobStream;
pub use sweep::Swept;
pub use writer::BlobWriter;

use crate::sealing::{SealError, Sealer};

/// Why a blob was not stored or read; says who acts next.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum BlobError {
    /// The upload is larger than it may be. The caller sends less.
    #[error("the content is larger than {limit} bytes")]
    TooLarge {
        /// The largest size allowed, in bytes.
        limit: u64,
    },
    /// There is no such blob. The caller asked for what was deleted or never finished; if the log says it exists, the
    /// operator restores it.
    #[error("there is no such blob")]
    NotFound,
    /// The subject was erased: nothing of it is readable, nothing more is stored for it. Nobody acts.
    #[error("the subject of the blob was erased")]
    Erased,
    /// The storage or the key store cannot answer now, a full disk among the reasons. The caller repeats later; an
    /// upload is known not to be visible, except that a repeat may find it stored.
    #[error("blob storage unavailable: {0}")]
    Unavailable(String),
    /// What is stored is not what was uploaded, or its key is missing. The operator restores it from a backup.
    #[error("damaged blob: {0}")]
    Damaged(String),
}

impl From<SealError> for BlobError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Unavailable(reason) => Self::Unavailable(reason),
            SealError::Erased(_) => Self::Erased,
            SealError::MissingKey(_) | SealError::Damaged(_) => Self::Damaged(error.to_string()),
        }
    }
}

/// A finished upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it is: what [`BlobStore::read`] and [`BlobStore::delete`] take. Tells nothing of the content.
    pub key: String,
    /// Size of the content in bytes, as uploaded.
    pub size_bytes: u64,
    /// SHA-256 of the content, as uploaded. It tells whoever sees it what the content is: no path or log may hold it.
    pub sha256: [u8; 32],
}

/// Blobs in a folder or a bucket, sealed. Clones share the same store.
#[derive(Clone)]
pub struct BlobStore {
    inner: Arc<Inner>,
}

struct Inner {
    place: Place,
    sealer: Arc<Sealer>,
    /// Held for reading while a blob becomes visible, for writing while one is swept: no sweep of this process deletes
    /// what was just uploaded again.
    publishing: RwLock<()>,
}

impl BlobStore {
    /// Opens the blobs at `file:PATH` (a folder, made when it is missing) or `s3://bucket/prefix` (with the feature `s3`;
    /// credentials, region and endpoint come from the usual `AWS_…` variables). In S3 a blob has at most 5 GiB, the most
    /// that one copy moves, and the bucket needs a rule that ends incomplete multipart uploads: what a killed process
    /// left of one is in no list, so that no sweep finds it.
    ///
    /// # Errors
    /// [`BlobOpenError`], one sentence that says what to do.
    pub fn open(url: &str, sealer: Arc<Sealer>) -> Result<Self, BlobOpenError> {
        Ok(Self::on(Place::open(url)?, sealer))
    }

    fn on(place: Place, sealer: Arc<Sealer>) -> Self {
        Self { inner: Arc::new(Inner { place, sealer, publishing: RwLock::default() }) }
    }

    /// Begins an upload to a case, sealed with the key of `subject` (made when there is none), of at most `limit_bytes`.
    ///
    /// # Errors
    /// [`BlobError::Erased`], [`BlobError::Unavailable`].
    pub async fn writer(&self, case: &str, subject: &str, limit_bytes: u64) -> Result<BlobWriter, BlobError> {
        BlobWriter::begin(Arc::clone(&self.inner), case, subject, limit_bytes).await
    }

    /// The bytes `range` of a blob's content, cut to its size; `case`, `subject` and `size_bytes` are those of the
    /// upload. What is wrong with the blob as a whole or with the first chunk of the range is answered here, before
    /// anything is streamed; each item is at most 64 KiB. Only the chunks that the range touches are read. A stream
    /// that began before an erasure goes on to its end.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], [`BlobError::Erased`], [`BlobError::Damaged`], [`BlobError::Unavailable`]; the stream ends
    /// after its first error.
    pub async fn read(
        &self,
        case: &str,
        key: &str,
        subject: &str,
        size_bytes: u64,
        range: Range<u64>,
    ) -> Result<BlobStream, BlobError> {
        let wanted = reader::Wanted { case, key, subject, size_bytes };
        reader::read(&self.inner, wanted, range).await
    }

    /// Deletes a blob; one that is not there is deleted already. Every upload of the same content by the same subject to
    /// the same case goes with it: the caller makes sure that none is still in use.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    pub async fn delete(&self, key: &str) -> Result<(), BlobError> {
        let Some(path) = path_of(key) else { return Ok(()) };
        match self.inner.place.store.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Removes what nobody will ask for: temporaries and blobs last written before `older_than` of which `is_known` (asked
    /// with the key) says no. Choose `older_than` so that whatever was uploaded before it is by then in the log or given
    /// up: hours, not minutes. Of several processes that share a bucket, one sweeps; should another finish the same upload
    /// by the same subject to the same case again within the milliseconds of a deletion, that upload is lost.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`], or whatever `is_known` fails with; what was removed before stays removed.
    pub async fn sweep<F, Known>(&self, older_than: Timestamp, is_known: F) -> Result<Swept, BlobError>
    where
        F: Fn(String) -> Known + Send,
        Known: Future<Output = Result<bool, BlobError>> + Send,
    {
        sweep::sweep(&self.inner, older_than, is_known).await
    }

    /// Number and total size in bytes of everything stored, temporaries aside; walks all of it.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`].
    pub async fn usage(&self) -> Result<(u64, u64), BlobError> {
        let mut listed = self.inner.place.store.list(Some(&Path::from(CASES)));
        let (mut blobs, mut bytes) = (0, 0);
        while let Some(found) = listed.next().await {
            blobs += 1;
            bytes += found.map_err(|error| unavailable(&error))?.size;
        }
        Ok((blobs, bytes))
    }
}

impl std::fmt::Debug for BlobStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobStore").field("store", &self.inner.place.store).finish_non_exhaustive()
    }
}

/// Prefix of what is visible.
const CASES: &str = "cases";
/// Prefix of what is not finished.
const PENDING: &str = "pending";

/// Where a key leads; `None` for what is no key of a blob.
fn path_of(key: &str) -> Option<Path> {
    let path = Path::parse(key).ok()?;
    let is_key = path.parts().count() == 3 && path.parts().next().is_some_and(|part| part.as_ref() == CASES);
    is_key.then_some(path)
}

/// In one sentence: the library's texts repeat their causes.
fn unavailable(error: &object_store::Error) -> BlobError {
    BlobError::Unavailable(error.to_string())
}
