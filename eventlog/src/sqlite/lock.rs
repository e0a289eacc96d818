//! One writer per log: an exclusive lock on a file beside it, held as long as the store lives.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::open::OpenError;

/// Holds the lock; the operating system lets go of it when the process ends, however it ends.
pub(super) struct LockFile {
    file: File,
}

impl LockFile {
    pub(super) fn acquire(database: &Path) -> Result<Self, OpenError> {
        let path = lock_path(database);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| OpenError::Unavailable { path: path.clone(), detail: error.to_string() })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path: database.to_owned() }),
            Err(TryLockError::Error(error)) => {
                Err(OpenError::Unavailable { path, detail: error.to_string() })
            }
        }
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Closing the file lets go as well; this one is for systems that do it late.
        let _ = self.file.unlock();
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}
