//! The simulated work store: checkpoints by compare-and-set, leases, timers, and the ledger of messages; and each part's way to
//! it, on which answers get lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use dossier_processes::work_store::{Member, WorkCheckpoint, WorkStore, WorkStoreError};
use jiff::{SignedDuration, Timestamp};

use crate::part::{Fate, Part};

mod ledger;
mod timers;

/// What it keeps.
#[derive(Default)]
struct Kept {
    checkpoints: BTreeMap<String, WorkCheckpoint>,
    leases: BTreeMap<String, (String, Timestamp)>,
    timers: timers::Rows,
    messages: ledger::Rows,
}

/// The work store itself.
#[derive(Default)]
pub struct Work {
    kept: Mutex<Kept>,
}

impl Work {
    /// A part's way to it.
    pub fn seen_by(self: &Arc<Self>, part: &Arc<Part>) -> Arc<dyn WorkStore> {
        Arc::new(View { work: self.clone(), part: part.clone() })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("no holder of the lock panics")
    }

    /// Where a process stands.
    pub fn checkpoint(&self, process: &str) -> Option<WorkCheckpoint> {
        self.kept().checkpoints.get(process).copied()
    }
}

impl Kept {
    /// Moves a checkpoint, unless another has moved it since it was read.
    fn advance(
        &mut self,
        process: &str,
        from: Option<&WorkCheckpoint>,
        to: &WorkCheckpoint,
    ) -> Result<(), WorkStoreError> {
        let place = |checkpoint: &WorkCheckpoint| (checkpoint.log_id, checkpoint.position);
        if self.checkpoints.get(process).map(place) != from.map(place) {
            return Err(WorkStoreError::Fenced(process.to_owned()));
        }
        self.checkpoints.insert(process.to_owned(), *to);
        Ok(())
    }
}

struct View {
    work: Arc<Work>,
    part: Arc<Part>,
}

impl View {
    /// A call: held before and after, perhaps refused, perhaps done without an answer.
    async fn call<T>(&self, what: &str, call: impl FnOnce(&mut Kept) -> T) -> Result<T, WorkStoreError> {
        let unavailable = || WorkStoreError::Unavailable("simulated".to_owned());
        self.part.point().await;
        let fate = self.part.fate();
        if fate == Fate::Refused {
            self.part.says(&format!("{what}: no answer"));
            return Err(unavailable());
        }
        let answer = call(&mut self.work.kept());
        self.part.point().await;
        if fate == Fate::AnswerLost {
            self.part.says(&format!("{what}: answer lost"));
            return Err(unavailable());
        }
        Ok(answer)
    }

    /// Moves a checkpoint and does something else, both or neither.
    async fn advance_and(
        &self,
        process: &str,
        from: Option<&WorkCheckpoint>,
        to: &WorkCheckpoint,
        also: impl FnOnce(&mut Kept),
    ) -> Result<(), WorkStoreError> {
        let part = self.part.clone();
        self.call("move a checkpoint", |kept| {
            match kept.advance(process, from, to) {
                Ok(()) => part.says(&format!("{process} has come to {}", to.position)),
                Err(error) => {
                    part.says(&format!("{process} is fenced"));
                    return Err(error);
                }
            }
            also(kept);
            Ok(())
        })
        .await?
    }
}

#[async_trait]
impl WorkStore for View {
    async fn checkpoint(&self, process: &str) -> Result<Option<WorkCheckpoint>, WorkStoreError> {
        self.call("read a checkpoint", |kept| kept.checkpoints.get(process).copied()).await
    }

    async fn advance(
        &self,
        process: &str,
        from: Option<&WorkCheckpoint>,
        to: &WorkCheckpoint,
    ) -> Result<(), WorkStoreError> {
        self.advance_and(process, from, to, |_| {}).await
    }

    async fn take_lease(
        &self,
        lease: &str,
        holder: &str,
        now: Timestamp,
        ttl: SignedDuration,
    ) -> Result<bool, WorkStoreError> {
        self.call("take a lease", |kept| {
            let free = kept
                .leases
                .get(lease)
                .is_none_or(|(held_by, until)| held_by == holder || *until <= now || *until > now + ttl * 2);
            if free {
                kept.leases.insert(lease.to_owned(), (holder.to_owned(), now + ttl));
            }
            free
        })
        .await
    }

    async fn release_lease(&self, lease: &str, holder: &str) -> Result<(), WorkStoreError> {
        self.call("release a lease", |kept| {
            if kept.leases.get(lease).is_some_and(|(held_by, _)| held_by == holder) {
                kept.leases.remove(lease);
            }
        })
        .await
    }

    async fn announce(&self, _member: &Member, _forget_before: Timestamp) -> Result<(), WorkStoreError> {
        Ok(())
    }

    async fn withdraw(&self, _node: &str) -> Result<(), WorkStoreError> {
        Ok(())
    }

    async fn members(&self) -> Result<Vec<Member>, WorkStoreError> {
        Ok(Vec::new())
    }

    async fn close(&self) {}
}
