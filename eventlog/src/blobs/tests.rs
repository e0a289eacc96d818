//! What only this store can get wrong, and its runs of the contract suite.

mod damage;
mod failure;
mod folder;

use std::future::{Ready, ready};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::contract::Fresh;
use crate::contract::blob_store::Blobs;
use crate::contract::sample::entropy;
use crate::{MemoryKeyStore, Secret};

fn sealer() -> Arc<Sealer> {
    let keys = MemoryKeyStore::new(Uuid::nil(), Secret::new([9; 32]));
    Arc::new(Sealer::new(Arc::new(keys), entropy(1)))
}

fn in_folder() -> (TempDir, Blobs) {
    let folder = tempfile::tempdir().unwrap();
    let sealer = sealer();
    let url = format!("file:{}", folder.path().join("new/blobs").display());
    let store = BlobStore::open(&url, Arc::clone(&sealer)).unwrap();
    (folder, Blobs { store, sealer })
}

fn on(store: impl ObjectStore, part_bytes: usize) -> Blobs {
    let sealer = sealer();
    let place = Place { store: Arc::new(store), folder: None, part_bytes };
    Blobs { store: BlobStore::on(place, Arc::clone(&sealer)), sealer }
}

/// Every file below a folder.
fn files(folder: &FilePath) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

mod on_a_folder {
    use super::*;

    fn fresh() -> Ready<Fresh<Blobs>> {
        let (folder, blobs) = in_folder();
        ready(Fresh::keeping(Arc::new(blobs), folder))
    }

    crate::blob_store_contract!(fresh);
}

/// Stands in for a bucket: a rename is a copy, parts are as large as S3 wants them.
mod on_a_bucket_in_memory {
    use object_store::memory::InMemory;
    use object_store::prefix::PrefixStore;

    use super::*;

    fn fresh() -> Ready<Fresh<Blobs>> {
        ready(Fresh::new(Arc::new(on(PrefixStore::new(InMemory::new(), "a/prefix"), 5 * 1024 * 1024))))
    }

    crate::blob_store_contract!(fresh);
}
