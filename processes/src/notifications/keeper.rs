//! Looks after messages whose node is gone, and tells how many there are.

use std::sync::Arc;
use std::time::Duration;

use dossier_commands::Clock;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::ledger::{Channel, MessageState, Recovered};
use crate::work_store::{WorkStore, WorkStoreError};

/// How often.
const EVERY: Duration = Duration::from_secs(5);
/// States whose messages are counted.
const COUNTED: [MessageState; 4] =
    [MessageState::Intended, MessageState::Sending, MessageState::Failed, MessageState::Unknown];

/// Starts it among other tasks, for all channels of a ledger; it runs until cancelled. Every process may.
pub fn start(work: Arc<dyn WorkStore>, clock: Clock, cancel: &CancellationToken, tasks: &mut JoinSet<()>) {
    let cancel = cancel.clone();
    tasks.spawn(async move {
        loop {
            if let Err(error) = look(&*work, &clock).await {
                tracing::warn!(%error, "messages of nodes that are gone are looked after later");
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    });
}

async fn look(work: &dyn WorkStore, clock: &Clock) -> Result<(), WorkStoreError> {
    let Recovered { again, unknown } = work.recover(clock()).await?;
    if again + unknown > 0 {
        tracing::warn!(again, unknown, "messages of a node that is gone");
    }
    let counts = work.message_counts().await?;
    for channel in Channel::ALL {
        for state in COUNTED {
            let found = counts.iter().find(|count| count.channel == *channel && count.state == state);
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            metrics::gauge!("dossier_messages", "channel" => channel.as_str(), "state" => state.as_str())
                .set(found.map_or(0, |found| found.count) as f64);
        }
    }
    Ok(())
}
