//! Ends a subscription of the vendor's client that would spin.
//!
//! When the server ends a subscription cleanly, the client (1.2.0) asks the ended stream again and again inside one poll and
//! never yields: neither a timeout nor an abort gets through. It logs a warning each time round. So its task runs under a
//! `tracing` subscriber of its own, and when warnings follow each other without an event in between, the subscriber unwinds the
//! task.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// A newer server may send single messages that the client does not know: it warns of each.
const MAX_WARNINGS: u32 = 16;

/// What a task that was unwound leaves.
pub(super) struct EndedCleanly;

/// Counts warnings of the client since the last event.
#[derive(Clone, Default)]
pub(super) struct SpinGuard(Arc<AtomicU32>);

impl SpinGuard {
    /// The client answered: it does not spin.
    pub(super) fn answered(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl Subscriber for SpinGuard {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN && metadata.target() == "kurrentdb::commands"
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(tracing::level_filters::LevelFilter::WARN)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        if self.0.fetch_add(1, Ordering::Relaxed) >= MAX_WARNINGS {
            // Without the panic hook: this is no fault of ours, and nothing to report.
            resume_unwind(Box::new(EndedCleanly));
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[cfg(test)]
mod tests {
    use tracing::instrument::WithSubscriber as _;

    use super::*;

    #[tokio::test]
    async fn a_task_that_warns_without_end_is_unwound_and_one_that_answers_is_not() {
        let guard = SpinGuard::default();
        let answering = {
            let guard = guard.clone();
            async move {
                for _ in 0..100 {
                    tracing::warn!(target: "kurrentdb::commands", "unknown");
                    guard.answered();
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::spawn(answering.with_subscriber(guard.clone())).await.expect("it answers in between");
        let spinning = async {
            loop {
                tracing::warn!(target: "kurrentdb::commands", "unknown");
            }
        };
        let unwound = tokio::spawn(spinning.with_subscriber(guard)).await.expect_err("it spins");
        assert!(unwound.into_panic().is::<EndedCleanly>());
    }
}
