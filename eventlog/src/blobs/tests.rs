//! What only this store can get wrong.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::*;
use crate::contract::sample::entropy;
use crate::{MemoryKeyStore, Secret};

fn sealer() -> Arc<Sealer> {
    let keys = MemoryKeyStore::new(Uuid::nil(), Secret::new([9; 32]));
    Arc::new(Sealer::new(Arc::new(keys), entropy(1)))
}

#[tokio::test]
async fn uploads_and_downloads_run_on_any_thread() {
    let folder = tempfile::tempdir().unwrap();
    let store = BlobStore::open(&format!("file:{}", folder.path().display()), sealer()).unwrap();
    let uploaded = tokio::spawn({
        let store = store.clone();
        async move {
            let mut writer = store.writer("case-1", "account-1", 100).await?;
            writer.write(Bytes::from_static(b"hello ")).await?;
            writer.write(Bytes::from_static(b"there")).await?;
            writer.finish().await
        }
    });
    let stored = uploaded.await.unwrap().unwrap();
    let read = tokio::spawn(async move {
        let stream = store.read("case-1", &stored.key, "account-1", stored.size_bytes, 6..100).await?;
        futures::TryStreamExt::try_collect::<Vec<_>>(stream).await
    });
    assert_eq!(read.await.unwrap().unwrap(), [Bytes::from_static(b"there")]);
}
