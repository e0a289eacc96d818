//! Where blobs are kept: a folder or a bucket.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

/// Bytes written at once to a folder.
const LOCAL_PART_BYTES: usize = 512 * 1024;
/// S3 takes no smaller part but the last.
#[cfg(feature = "s3")]
const S3_PART_BYTES: usize = 5 * 1024 * 1024;

/// Why the blobs were not opened; the operator acts.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum BlobOpenError {
    /// No URL of a place that this program knows.
    #[error("`{url}` is no place for blobs: wanted file:PATH or s3://bucket/prefix")]
    UnknownPlace {
        /// What was given.
        url: String,
    },
    /// S3 was left out when this program was built.
    #[error("blobs at `{url}` need a program built with the feature s3")]
    WithoutS3 {
        /// What was given.
        url: String,
    },
    /// The place cannot be used as it is.
    #[error("cannot keep blobs at `{url}`: {detail}")]
    Unusable {
        /// What was given.
        url: String,
        /// What is wrong.
        detail: String,
    },
}

/// An open place.
pub(super) struct Place {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The folder, when it is one: its half-written files are not in the store's lists.
    pub(super) folder: Option<PathBuf>,
    /// Bytes that are gathered before they are sent.
    pub(super) part_bytes: usize,
}

impl Place {
    pub(super) fn open(url: &str) -> Result<Self, BlobOpenError> {
        match url.split_once(':') {
            // file:///var/lib/… is the same folder as file:/var/lib/…
            Some(("file", path)) if !path.is_empty() => {
                let path = if path.starts_with("///") { &path[2..] } else { path };
                Self::folder(FilePath::new(path))
                    .map_err(|detail| BlobOpenError::Unusable { url: url.to_owned(), detail })
            }
            Some(("s3", rest)) if rest.starts_with("//") && rest.len() > 2 => Self::bucket(url, &rest[2..]),
            _ => Err(BlobOpenError::UnknownPlace { url: url.to_owned() }),
        }
    }

    fn folder(path: &FilePath) -> Result<Self, String> {
        std::fs::create_dir_all(path).map_err(|error| error.to_string())?;
        let path = std::fs::canonicalize(path).map_err(|error| error.to_string())?;
        // A folder that was just made must outlive a power cut as its files do.
        if let Some(parent) = path.parent() {
            std::fs::File::open(parent)
                .and_then(|parent| parent.sync_all())
                .map_err(|error| error.to_string())?;
        }
        let store =
            LocalFileSystem::new_with_prefix(&path).map_err(|error| error.to_string())?.with_fsync(true);
        Ok(Self { store: Arc::new(store), folder: Some(path), part_bytes: LOCAL_PART_BYTES })
    }

    #[cfg(feature = "s3")]
    fn bucket(url: &str, rest: &str) -> Result<Self, BlobOpenError> {
        use object_store::aws::AmazonS3Builder;
        use object_store::prefix::PrefixStore;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let store = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .build()
            .map_err(|error| BlobOpenError::Unusable { url: url.to_owned(), detail: error.to_string() })?;
        Ok(Self { store: Arc::new(PrefixStore::new(store, prefix)), folder: None, part_bytes: S3_PART_BYTES })
    }

    #[cfg(not(feature = "s3"))]
    fn bucket(url: &str, _: &str) -> Result<Self, BlobOpenError> {
        Err(BlobOpenError::WithoutS3 { url: url.to_owned() })
    }
}
