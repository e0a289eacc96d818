//! Storage that fails, and how much is asked of it at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result as StoreResult, UploadPart,
};

use super::*;
use crate::contract::blob_store::{content, read, upload};

/// What of the storage fails, and what it was asked.
#[derive(Debug, Default)]
struct Faults {
    begin: AtomicBool,
    part: AtomicBool,
    /// Parts are never done.
    stall: AtomicBool,
    complete: AtomicBool,
    copy: AtomicBool,
    get: AtomicBool,
    part_sizes: Mutex<Vec<usize>>,
}

impl Faults {
    fn all(&self) -> [&AtomicBool; 4] {
        [&self.begin, &self.part, &self.complete, &self.copy]
    }
}

fn strike(fault: &AtomicBool) -> StoreResult<()> {
    let source = std::io::Error::from(std::io::ErrorKind::StorageFull).into();
    if fault.load(Ordering::SeqCst) {
        Err(object_store::Error::Generic { store: "test", source })
    } else {
        Ok(())
    }
}

#[derive(Debug)]
struct Faulty {
    inner: InMemory,
    faults: Arc<Faults>,
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faulty")
    }
}

#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    faults: Arc<Faults>,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.faults.part_sizes.lock().unwrap().push(data.content_length());
        if self.faults.stall.load(Ordering::SeqCst) {
            return Box::pin(std::future::pending());
        }
        match strike(&self.faults.part) {
            Ok(()) => self.inner.put_part(data),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        strike(&self.faults.complete)?;
        self.inner.complete().await
    }

    async fn abort(&mut self) -> StoreResult<()> {
        self.inner.abort().await
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, to: &Path, payload: PutPayload, options: PutOptions) -> StoreResult<PutResult> {
        self.inner.put_opts(to, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        to: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        strike(&self.faults.begin)?;
        let inner = self.inner.put_multipart_opts(to, options).await?;
        Ok(Box::new(FaultyUpload { inner, faults: Arc::clone(&self.faults) }))
    }

    async fn get_opts(&self, from: &Path, options: GetOptions) -> StoreResult<GetResult> {
        strike(&self.faults.get)?;
        self.inner.get_opts(from, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        strike(&self.faults.copy)?;
        self.inner.copy_opts(from, to, options).await
    }
}

const PART: usize = 512 * 1024;

fn faulty() -> (Arc<Faults>, Blobs) {
    let faults = Arc::new(Faults::default());
    let store = Faulty { inner: InMemory::new(), faults: Arc::clone(&faults) };
    (faults, on(store, PART))
}

#[tokio::test]
async fn a_full_disk_is_unavailable_whenever_it_shows_and_the_next_upload_works() {
    let (faults, blobs) = faulty();
    for (number, fault) in faults.all().into_iter().enumerate() {
        fault.store(true, Ordering::SeqCst);
        let failed = upload(&blobs.store, "case-1", "account-1", &content(2_000_000), 60_000).await;
        assert!(matches!(failed, Err(BlobError::Unavailable(_))), "fault {number}: {failed:?}");
        assert_eq!(blobs.store.usage().await, Ok((0, 0)), "fault {number} leaves nothing visible");
        fault.store(false, Ordering::SeqCst);
    }
    let stored = upload(&blobs.store, "case-1", "account-1", &content(2_000_000), 60_000).await.unwrap();
    faults.get.store(true, Ordering::SeqCst);
    let failed = read(&blobs.store, "case-1", "account-1", &stored, 0..10).await;
    assert!(matches!(failed, Err(BlobError::Unavailable(_))), "{failed:?}");
    faults.get.store(false, Ordering::SeqCst);
    assert!(read(&blobs.store, "case-1", "account-1", &stored, 0..10).await.is_ok());
}

#[tokio::test]
async fn an_upload_that_failed_once_never_goes_on_as_if_nothing_were_missing() {
    let (faults, blobs) = faulty();
    let mut writer = blobs.store.writer("case-1", "account-1", u64::MAX).await.unwrap();
    faults.part.store(true, Ordering::SeqCst);
    let failed = writer.write(content(2_000_000)).await;
    faults.part.store(false, Ordering::SeqCst);
    assert!(matches!(failed, Err(BlobError::Unavailable(_))));
    assert_eq!(writer.write(content(1)).await, failed);
    assert_eq!(writer.finish().await.map(drop), failed);
    assert_eq!(blobs.store.usage().await, Ok((0, 0)));
}

#[tokio::test]
async fn a_cancelled_write_ends_the_upload() {
    let (faults, blobs) = faulty();
    let mut writer = blobs.store.writer("case-1", "account-1", u64::MAX).await.unwrap();
    faults.stall.store(true, Ordering::SeqCst);
    let cancelled = tokio::time::timeout(Duration::from_millis(20), writer.write(content(2_000_000))).await;
    assert!(cancelled.is_err());
    faults.stall.store(false, Ordering::SeqCst);
    // Nobody knows whether the part that was under way is stored.
    assert!(matches!(writer.write(content(1)).await, Err(BlobError::Unavailable(_))));
    assert!(matches!(writer.finish().await, Err(BlobError::Unavailable(_))));
    assert_eq!(blobs.store.usage().await, Ok((0, 0)));
}

#[tokio::test]
async fn an_upload_of_any_size_holds_no_more_than_a_part_and_a_chunk() {
    let (faults, blobs) = faulty();
    let content = content(6 * 1024 * 1024);
    // All at once, as if the whole body came in one piece.
    upload(&blobs.store, "case-1", "account-1", &content, content.len()).await.unwrap();
    let sizes = faults.part_sizes.lock().unwrap().clone();
    let most = PART + 2 * seal::SEALED_CHUNK_BYTES;
    assert!(sizes.len() > 9 && sizes.iter().all(|size| *size <= most), "{sizes:?}");
    // S3 takes smaller parts at the end only.
    assert!(sizes[..sizes.len() - 1].iter().all(|size| *size >= PART), "{sizes:?}");
}
