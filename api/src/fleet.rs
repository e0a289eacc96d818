//! Tells the other processes that this one is there, and what its parts do.

use std::sync::Arc;
use std::time::Duration;

use dossier_processes::work_store::{Member, WorkStore};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::health;

/// Between two announcements.
const PAUSE: Duration = Duration::from_secs(2);
/// A process that has not been seen for so long is forgotten.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_secs(60);
/// How long `/readyz` waits for the list of processes.
const MEMBERS_PATIENCE: Duration = Duration::from_millis(500);
/// The release, as the processes tell each other.
pub const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// This process among others.
pub struct Fleet {
    /// What this process is called.
    pub node: String,
    /// When it started.
    pub started_at: Timestamp,
    /// Where the processes find each other.
    pub work: Arc<dyn WorkStore>,
}

impl Fleet {
    /// Every process that was seen lately; none when the work store does not answer.
    pub async fn members(&self) -> Vec<Member> {
        match tokio::time::timeout(MEMBERS_PATIENCE, self.work.members()).await {
            Ok(Ok(members)) => members,
            Ok(Err(_)) | Err(_) => Vec::new(),
        }
    }
}

/// Announces this process until stopped, then withdraws it.
pub(crate) async fn announce(app: Arc<App>, stop: CancellationToken) {
    let fleet = &app.fleet;
    let mut reachable = true;
    loop {
        let seen_at = app.commands.now();
        let member = Member {
            node: fleet.node.clone(),
            release: RELEASE.to_owned(),
            started_at: fleet.started_at,
            seen_at,
            parts: health::parts(&app).await,
        };
        let forget_before = seen_at.saturating_sub(FORGOTTEN_AFTER).unwrap_or(Timestamp::MIN);
        let announced = fleet.work.announce(&member, forget_before).await;
        if let Err(error) = &announced
            && reachable
        {
            tracing::warn!(%error, "this process cannot tell the others that it is there");
        }
        reachable = announced.is_ok();
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    // One that is not withdrawn is forgotten after a while.
    let _ = tokio::time::timeout(PAUSE, fleet.work.withdraw(&fleet.node)).await;
}
