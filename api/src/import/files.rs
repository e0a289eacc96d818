//! The files of a line: found below one folder and nowhere else, and stored as uploads are, sealed with the key of who attached
//! them.

use std::io;
use std::path::{Component, Path, PathBuf};

use bytes::BytesMut;
use dossier_domain::case::import::ImportHistory;
use dossier_eventlog::blobs::{BlobError, BlobStore, Stored};
use tokio::io::AsyncReadExt as _;
use tokio::sync::Semaphore;

use super::Refusal;
use super::line::ImportedCase;

/// Bytes that are read at once.
const PIECE_BYTES: usize = 256 * 1024;
/// Lines whose files are stored at once: each holds a piece of one, and of a part for the store.
const STORING: usize = 8;

/// Where the files of an import are, and where their content goes.
#[derive(Debug)]
pub struct Files {
    /// Without symbolic links.
    folder: PathBuf,
    blobs: BlobStore,
    limit_bytes: u64,
    storing: Semaphore,
}

/// Why the files of a line were not stored.
pub(super) enum Unstored {
    /// It is the line's fault, or its files'.
    Refused(Refusal),
    /// It is not: what failed.
    Stopped(String),
}

impl Files {
    /// Files below a folder, each of at most so many bytes.
    ///
    /// # Errors
    /// There is no such folder, or it is not readable.
    pub fn new(folder: &Path, blobs: BlobStore, limit_bytes: u64) -> io::Result<Self> {
        // A file's own folder is an empty path where it was named without one.
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let folder = folder.canonicalize()?;
        if !folder.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { folder, blobs, limit_bytes, storing: Semaphore::new(STORING) })
    }

    /// Stores the content of a line's files, and fills in its history what is to be said of each. Nothing is stored where one
    /// of them is not there; what is stored of a history that is refused later belongs to nothing, and the sweep removes it.
    pub(super) async fn take_in(
        &self,
        line: &ImportedCase,
        history: &mut ImportHistory,
    ) -> Result<(), Unstored> {
        let _turn = self.storing.acquire().await.map_err(|closed| Unstored::Stopped(closed.to_string()))?;
        let mut found = Vec::new();
        for (number, act) in line.acts.iter().enumerate() {
            for file in act.what.files() {
                let path = self.find(file).await.map_err(|refusal| of_act(number, &refusal))?;
                found.push((file, path));
            }
        }
        let case = history.case().to_string();
        let mut found = found.into_iter();
        for (number, act) in history.acts.iter_mut().enumerate() {
            let subject = act.by.contact.subject().clone();
            for (wanted, (file, path)) in act.kind.files_mut().iter_mut().zip(found.by_ref()) {
                let stored = self.store(file, &path, &case, subject.as_str()).await;
                let stored = stored.map_err(|why| match why {
                    Unstored::Refused(refusal) => of_act(number, &refusal),
                    stopped @ Unstored::Stopped(_) => stopped,
                })?;
                (wanted.size_bytes, wanted.sha256, wanted.blob) =
                    (stored.size_bytes, stored.sha256, stored.key);
            }
        }
        Ok(())
    }

    /// Where a file is that can be stored.
    async fn find(&self, file: &str) -> Result<PathBuf, Refusal> {
        let folder = self.folder.display();
        let outside = || {
            let message = format!(
                "{file:?} is not below {folder}; give a path relative to it, without .. or links that lead out of it"
            );
            Refusal::new("FILE_OUTSIDE_FOLDER", message)
        };
        let is_inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if !Path::new(file).components().all(is_inside) {
            return Err(outside());
        }
        let path = match tokio::fs::canonicalize(self.folder.join(file)).await {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let message =
                    format!("{file:?} is not in {folder}; put it there, or name its folder with --files");
                return Err(Refusal::new("FILE_NOT_FOUND", message));
            }
            Err(error) => return Err(unreadable(file, &error)),
        };
        if !path.starts_with(&self.folder) {
            return Err(outside());
        }
        let found = tokio::fs::metadata(&path).await.map_err(|error| unreadable(file, &error))?;
        if !found.is_file() {
            return Err(unreadable(file, &"it is a folder, or no file with a content"));
        }
        if found.len() > self.limit_bytes {
            return Err(self.too_large(file));
        }
        Ok(path)
    }

    async fn store(&self, file: &str, path: &Path, case: &str, subject: &str) -> Result<Stored, Unstored> {
        let unreadable = |error| Unstored::Refused(unreadable(file, &error));
        let unstored = |error| self.unstored(file, error);
        let mut content = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let mut writer = self.blobs.writer(case, subject, self.limit_bytes).await.map_err(unstored)?;
        loop {
            let mut piece = BytesMut::with_capacity(PIECE_BYTES);
            if content.read_buf(&mut piece).await.map_err(unreadable)? == 0 {
                break;
            }
            writer.write(piece.freeze()).await.map_err(unstored)?;
        }
        writer.finish().await.map_err(unstored)
    }

    fn unstored(&self, file: &str, error: BlobError) -> Unstored {
        match error {
            BlobError::TooLarge { .. } => Unstored::Refused(self.too_large(file)),
            BlobError::Erased => Unstored::Refused(Refusal::person_erased()),
            error @ (BlobError::NotFound | BlobError::Unavailable(_) | BlobError::Damaged(_)) => {
                Unstored::Stopped(error.to_string())
            }
        }
    }

    fn too_large(&self, file: &str) -> Refusal {
        let limit = self.limit_bytes;
        let message = format!(
            "{file:?} is larger than {limit} bytes; leave it out, or allow more with --max-upload-bytes"
        );
        Refusal::new("FILE_TOO_LARGE", message)
    }
}

fn unreadable(file: &str, why: &dyn std::fmt::Display) -> Refusal {
    Refusal::new("FILE_UNREADABLE", format!("{file:?} cannot be read: {why}"))
}

/// As the domain names an act that does not fit.
fn of_act(number: usize, refusal: &Refusal) -> Unstored {
    let message = format!("act {number} of the history does not fit: file: {}", refusal.message);
    Unstored::Refused(Refusal::new(refusal.reason, message))
}
