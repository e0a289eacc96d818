//! An upload: sealed chunk by chunk on its way to a temporary, which becomes the blob when it is complete and durable.

use std::sync::Arc;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use sha2::{Digest, Sha256};

use super::seal::{CHUNK_BYTES, Layout, SEALED_CHUNK_BYTES, Seal};
use super::{BlobError, CASES, Inner, PENDING, Stored, unavailable};
use crate::sealing::{PREFIX_BYTES, SealedStream, TAG_BYTES};

/// An upload under way. Dropped before [`BlobWriter::finish`], it leaves nothing visible.
pub struct BlobWriter {
    inner: Arc<Inner>,
    case: String,
    subject: String,
    limit_bytes: u64,
    pending: Path,
    /// `None` once it is complete, given up, or failed.
    upload: Option<Box<dyn MultipartUpload>>,
    stream: SealedStream,
    prefix: [u8; PREFIX_BYTES],
    digest: Sha256,
    size_bytes: u64,
    /// Content not sealed yet. A full chunk waits here until it is known whether it is the last.
    chunk: Vec<u8>,
    /// Sealed and not sent yet.
    part: Vec<Bytes>,
    part_bytes: usize,
    next_chunk: u64,
    /// What the first failure was; nothing works after it.
    failed: Option<BlobError>,
}

impl BlobWriter {
    pub(super) async fn begin(
        inner: Arc<Inner>,
        case: &str,
        subject: &str,
        limit_bytes: u64,
    ) -> Result<Self, BlobError> {
        let (prefix, stream) = inner.sealer.seal_stream(subject, case).await?;
        let name: [u8; 16] = inner.sealer.draw();
        let pending = Path::from_iter([PENDING, &HEXLOWER.encode(&name)]);
        let upload = inner.place.store.put_multipart(&pending).await.map_err(|error| unavailable(&error))?;
        Ok(Self {
            inner,
            case: case.to_owned(),
            subject: subject.to_owned(),
            limit_bytes,
            pending,
            upload: Some(upload),
            stream,
            prefix,
            digest: Sha256::new(),
            size_bytes: 0,
            chunk: Vec::new(),
            part: Vec::new(),
            part_bytes: 0,
            next_chunk: 0,
            failed: None,
        })
    }

    /// Takes more of the content; waits while the storage is slower than the caller. After an error, or when this was
    /// cancelled, the upload is over.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`] when all that was written exceeds the limit, [`BlobError::Unavailable`].
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        self.guarded(async |writer| writer.take(bytes).await).await
    }

    /// Bytes of content taken so far.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Completes the upload. When this answers, the blob is durable and visible.
    ///
    /// # Errors
    /// [`BlobError::Erased`] when the subject was erased meanwhile, [`BlobError::Unavailable`], or the error that ended
    /// the upload before.
    pub async fn finish(mut self) -> Result<Stored, BlobError> {
        self.guarded(async |writer| writer.complete().await).await
    }

    /// Gives the upload up; like dropping it, but waits until the temporary is gone.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`]: what is left is for [`super::BlobStore::sweep`].
    pub async fn abort(mut self) -> Result<(), BlobError> {
        match self.upload.take() {
            Some(mut upload) => upload.abort().await.map_err(|error| unavailable(&error)),
            None => Ok(()),
        }
    }

    /// Runs one step; a step that fails or is cancelled is the last, since nobody knows how much of it was done.
    async fn guarded<T>(
        &mut self,
        step: impl AsyncFnOnce(&mut Self) -> Result<T, BlobError>,
    ) -> Result<T, BlobError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.failed = Some(BlobError::Unavailable("the upload was cancelled".to_owned()));
        let done = step(self).await;
        self.failed = done.as_ref().err().cloned();
        done
    }

    async fn take(&mut self, mut bytes: Bytes) -> Result<(), BlobError> {
        let size = self.size_bytes.saturating_add(bytes.len() as u64);
        if size > self.limit_bytes || Layout::new(size).is_none() {
            return Err(BlobError::TooLarge { limit: self.limit_bytes });
        }
        self.size_bytes = size;
        self.digest.update(&bytes);
        while !bytes.is_empty() {
            if self.chunk.len() == CHUNK_BYTES {
                self.seal_chunk(false)?;
                self.send_full_part().await?;
            }
            if self.chunk.capacity() == 0 {
                self.chunk.reserve_exact(SEALED_CHUNK_BYTES.min(bytes.len() + TAG_BYTES));
            }
            let fits = bytes.len().min(CHUNK_BYTES - self.chunk.len());
            self.chunk.extend_from_slice(&bytes.split_to(fits));
        }
        Ok(())
    }

    fn seal_chunk(&mut self, last: bool) -> Result<(), BlobError> {
        let mut chunk = std::mem::take(&mut self.chunk);
        let number =
            u32::try_from(self.next_chunk).map_err(|_| BlobError::TooLarge { limit: self.limit_bytes })?;
        self.stream.seal(number, last, &mut chunk)?;
        self.next_chunk += 1;
        self.add_to_part(chunk);
        Ok(())
    }

    fn add_to_part(&mut self, sealed: Vec<u8>) {
        self.part_bytes += sealed.len();
        self.part.push(sealed.into());
    }

    async fn send_full_part(&mut self) -> Result<(), BlobError> {
        if self.part_bytes < self.inner.place.part_bytes { Ok(()) } else { self.send_part().await }
    }

    async fn send_part(&mut self) -> Result<(), BlobError> {
        let payload = self.part.drain(..).collect::<PutPayload>();
        self.part_bytes = 0;
        let upload = self.upload.as_mut().ok_or_else(over)?;
        upload.put_part(payload).await.map_err(|error| unavailable(&error))
    }

    async fn complete(&mut self) -> Result<Stored, BlobError> {
        // An erasure during the upload must not leave a blob behind that its log never mentions.
        self.inner.sealer.check_key(&self.subject).await?;
        let sha256: [u8; 32] = std::mem::take(&mut self.digest).finalize().into();
        let path = self.path(&sha256);
        let key = path.to_string();
        self.seal_chunk(true)?;
        let seal = Seal::new(&self.stream, self.prefix, &key, self.size_bytes)?;
        self.add_to_part(seal.encode());
        self.send_part().await?;
        let mut upload = self.upload.take().ok_or_else(over)?;
        if let Err(error) = upload.complete().await {
            self.upload = Some(upload);
            return Err(unavailable(&error));
        }
        let _publishing = self.inner.publishing.read().await;
        self.inner.place.store.rename(&self.pending, &path).await.map_err(|error| unavailable(&error))?;
        Ok(Stored { key, size_bytes: self.size_bytes, sha256 })
    }

    fn path(&self, sha256: &[u8; 32]) -> Path {
        let mut named = vec![];
        // Lengths before texts, so that no two triples give the same bytes.
        for part in [self.case.as_bytes(), self.subject.as_bytes(), sha256] {
            named.extend_from_slice(&(part.len() as u64).to_be_bytes());
            named.extend_from_slice(part);
        }
        let digest = HEXLOWER.encode(&self.inner.sealer.fingerprint("blob", &named));
        Path::from_iter([CASES, &self.case, &digest])
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        if let Some(mut upload) = self.upload.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // What it leaves behind when it fails is swept.
            runtime.spawn(async move { upload.abort().await });
        }
    }
}

impl std::fmt::Debug for BlobWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobWriter")
            .field("pending", &self.pending)
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}

fn over() -> BlobError {
    BlobError::Unavailable("the upload is over".to_owned())
}
