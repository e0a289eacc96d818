//! Removes what uploads left behind: temporaries of those that were cut, and content that no attachment refers to because its
//! command was refused.

use std::sync::Arc;
use std::time::Duration;

use dossier_commands::Clock;
use dossier_eventlog::blobs::{BlobError, BlobStore, Swept};
use dossier_projections::ReadModels;
use dossier_projections::case_history::BlobReferences;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

/// How long an upload may take before what it left counts as given up.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Between two sweeps.
const PAUSE: Duration = Duration::from_hours(6);
/// How long the read model may take to show everything that the log holds; else this sweep is left out.
const CATCH_UP_PATIENCE: Duration = Duration::from_mins(1);

/// What a sweep needs.
pub struct BlobSweep {
    /// What is swept.
    pub blobs: BlobStore,
    /// Tells which content is in use.
    pub references: BlobReferences,
    /// Tells whether the answer is up to date.
    pub read_models: Arc<ReadModels>,
    /// Now.
    pub clock: Clock,
}

impl BlobSweep {
    /// Sweeps now and every few hours, until stopped.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            match self.sweep((self.clock)()).await {
                Ok(swept) => tracing::info!(?swept, "blobs swept"),
                Err(error) => tracing::warn!(%error, "blobs were not swept; the next sweep tries again"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Sweeps once.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when the blobs, or what is in use, cannot be told now; nothing in use is ever removed.
    pub async fn sweep(&self, now: Timestamp) -> Result<Swept, BlobError> {
        let unavailable = |error: &dyn std::fmt::Display| BlobError::Unavailable(error.to_string());
        let head = self.read_models.head().await.map_err(|error| unavailable(&error))?;
        self.read_models.wait_for(head, CATCH_UP_PATIENCE).await.map_err(|error| unavailable(&error))?;
        let older_than = now.saturating_sub(GIVEN_UP_AFTER).unwrap_or(Timestamp::MIN);
        self.blobs
            .sweep(older_than, |key| async move {
                self.references
                    .refers_to(&key)
                    .await
                    .map_err(|error| BlobError::Unavailable(error.to_string()))
            })
            .await
    }
}
