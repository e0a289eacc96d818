//! What only the SQLite adapter can get wrong, and its runs of the contract suites.

mod contract;

use std::sync::atomic::{AtomicU8, Ordering};

/// Failures that no test can make the disk produce on demand.
#[derive(Default)]
pub(super) struct Faults {
    before_commit: AtomicU8,
    after_commit: AtomicU8,
}

impl Faults {
    pub(super) fn before_commit(&self) -> Result<(), sqlx::Error> {
        Self::strike(&self.before_commit)
    }

    pub(super) fn after_commit(&self) -> Result<(), sqlx::Error> {
        Self::strike(&self.after_commit)
    }

    fn strike(fault: &AtomicU8) -> Result<(), sqlx::Error> {
        let armed = fault.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |times| times.checked_sub(1));
        if armed.is_ok() { Err(sqlx::Error::Io(std::io::Error::other("injected"))) } else { Ok(()) }
    }
}
