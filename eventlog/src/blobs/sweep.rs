//! Removes what nobody will ask for.

use std::path::Path as FilePath;
use std::time::SystemTime;

use futures::StreamExt;
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::{BlobError, CASES, Inner, PENDING, unavailable};

/// What a sweep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Temporaries of uploads that were never finished.
    pub pending: u64,
    /// Blobs that nobody knows.
    pub blobs: u64,
}

pub(super) async fn sweep<F, Known>(
    inner: &Inner,
    older_than: Timestamp,
    is_known: F,
) -> Result<Swept, BlobError>
where
    F: Fn(String) -> Known + Send,
    Known: Future<Output = Result<bool, BlobError>> + Send,
{
    let mut swept = Swept::default();
    let store = &inner.place.store;
    let mut listed = store.list(Some(&Path::from(PENDING)));
    while let Some(found) = listed.next().await {
        let found = found.map_err(|error| unavailable(&error))?;
        if is_older(&found, older_than) && delete(inner, &found.location).await? {
            swept.pending += 1;
        }
    }
    if let Some(folder) = inner.place.folder.clone() {
        let removed =
            tokio::task::spawn_blocking(move || sweep_half_written(&folder.join(PENDING), older_than));
        swept.pending += removed
            .await
            .map_err(|error| BlobError::Unavailable(error.to_string()))?
            .map_err(|error| BlobError::Unavailable(error.to_string()))?;
    }
    let mut listed = store.list(Some(&Path::from(CASES)));
    while let Some(found) = listed.next().await {
        let found = found.map_err(|error| unavailable(&error))?;
        if !is_older(&found, older_than) || is_known(found.location.to_string()).await? {
            continue;
        }
        // Uploaded again since it was listed, it is young.
        let _publishing = inner.publishing.write().await;
        match store.head(&found.location).await {
            Ok(now) if is_older(&now, older_than) => {}
            Ok(_) | Err(object_store::Error::NotFound { .. }) => continue,
            Err(error) => return Err(unavailable(&error)),
        }
        if delete(inner, &found.location).await? {
            swept.blobs += 1;
        }
    }
    Ok(swept)
}

fn is_older(found: &ObjectMeta, than: Timestamp) -> bool {
    found.last_modified.timestamp_micros() < than.as_microsecond()
}

/// Whether it was there.
async fn delete(inner: &Inner, path: &Path) -> Result<bool, BlobError> {
    match inner.place.store.delete(path).await {
        Ok(()) => Ok(true),
        Err(object_store::Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(unavailable(&error)),
    }
}

/// What a killed process left of a file that it was writing: not in the store's lists, since its name is that of a part.
fn sweep_half_written(pending: &FilePath, older_than: Timestamp) -> std::io::Result<u64> {
    let older_than = SystemTime::from(older_than);
    let entries = match std::fs::read_dir(pending) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        // An upload may be given up at any moment between these lines.
        let Ok(found) = entry.metadata() else { continue };
        if !found.is_file() || found.modified()? >= older_than {
            continue;
        }
        match std::fs::remove_file(entry.path()) {
            Ok(()) => removed += 1,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}
