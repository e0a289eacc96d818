//! The simulated work store: checkpoints by compare-and-set, and leases; and each part's way to it, on which answers get
//! lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dossier_processes::notifications::ledger::{
    Channel, Claimed, IntendedMessage, LedgerEntry, LedgerFilter, LedgerPage, MessageCount, MessageId,
    NotificationLedger, Outcome, Recovered,
};
use dossier_processes::work_store::{
    CaseTimers, Member, SetTimer, TimerStore, WorkCheckpoint, WorkStore, WorkStoreError,
};
use jiff::{SignedDuration, Timestamp};

use crate::part::{Fate, Part};

/// What it keeps.
#[derive(Default)]
pub struct Work {
    checkpoints: Mutex<BTreeMap<String, WorkCheckpoint>>,
    leases: Mutex<BTreeMap<String, (String, Timestamp)>>,
}

impl Work {
    /// A part's way to it.
    pub fn seen_by(self: &Arc<Self>, part: &Arc<Part>) -> Arc<dyn WorkStore> {
        Arc::new(View { work: self.clone(), part: part.clone() })
    }

    /// Where a process stands.
    pub fn checkpoint(&self, process: &str) -> Option<WorkCheckpoint> {
        self.checkpoints.lock().expect("no holder of the lock panics").get(process).copied()
    }
}

struct View {
    work: Arc<Work>,
    part: Arc<Part>,
}

impl View {
    async fn call<T>(&self, what: &str, call: impl FnOnce(&Work) -> T) -> Result<T, WorkStoreError> {
        let unavailable = || WorkStoreError::Unavailable("simulated".to_owned());
        self.part.point().await;
        let fate = self.part.fate();
        if fate == Fate::Refused {
            self.part.says(&format!("{what}: no answer"));
            return Err(unavailable());
        }
        let answer = call(&self.work);
        self.part.point().await;
        if fate == Fate::AnswerLost {
            self.part.says(&format!("{what}: answer lost"));
            return Err(unavailable());
        }
        Ok(answer)
    }
}

#[async_trait]
impl WorkStore for View {
    async fn checkpoint(&self, process: &str) -> Result<Option<WorkCheckpoint>, WorkStoreError> {
        self.call("read a checkpoint", |work| work.checkpoint(process)).await
    }

    async fn advance(
        &self,
        process: &str,
        from: Option<&WorkCheckpoint>,
        to: &WorkCheckpoint,
    ) -> Result<(), WorkStoreError> {
        let part = self.part.clone();
        self.call("move a checkpoint", |work| {
            let mut checkpoints = work.checkpoints.lock().expect("no holder of the lock panics");
            let found = checkpoints.get(process).map(|found| (found.log_id, found.position));
            if found != from.map(|from| (from.log_id, from.position)) {
                part.says(&format!("{process} is fenced"));
                return Err(WorkStoreError::Fenced(process.to_owned()));
            }
            part.says(&format!("{process} has come to {}", to.position));
            checkpoints.insert(process.to_owned(), *to);
            Ok(())
        })
        .await?
    }

    async fn take_lease(
        &self,
        lease: &str,
        holder: &str,
        now: Timestamp,
        ttl: SignedDuration,
    ) -> Result<bool, WorkStoreError> {
        self.call("take a lease", |work| {
            let mut leases = work.leases.lock().expect("no holder of the lock panics");
            let free = leases
                .get(lease)
                .is_none_or(|(held_by, until)| held_by == holder || *until <= now || *until > now + ttl * 2);
            if free {
                leases.insert(lease.to_owned(), (holder.to_owned(), now + ttl));
            }
            free
        })
        .await
    }

    async fn release_lease(&self, lease: &str, holder: &str) -> Result<(), WorkStoreError> {
        self.call("release a lease", |work| {
            let mut leases = work.leases.lock().expect("no holder of the lock panics");
            if leases.get(lease).is_some_and(|(held_by, _)| held_by == holder) {
                leases.remove(lease);
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

/// No part of the simulation sets timers, so that there are none.
#[async_trait]
impl TimerStore for View {
    async fn set_timers(
        &self,
        _process: &str,
        _from: &WorkCheckpoint,
        _to: &WorkCheckpoint,
        _cases: &[CaseTimers],
    ) -> Result<(), WorkStoreError> {
        Err(WorkStoreError::Unavailable("timers are not simulated".to_owned()))
    }

    async fn forget_timers(
        &self,
        _process: &str,
        _from: Option<&WorkCheckpoint>,
        _to: &WorkCheckpoint,
    ) -> Result<(), WorkStoreError> {
        Err(WorkStoreError::Unavailable("timers are not simulated".to_owned()))
    }

    async fn due_timers(&self, _now: Timestamp, _limit: u32) -> Result<Vec<SetTimer>, WorkStoreError> {
        Ok(Vec::new())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, WorkStoreError> {
        Ok(None)
    }

    async fn count_timers(&self) -> Result<u64, WorkStoreError> {
        Ok(0)
    }

    async fn remove_timer(&self, _timer: &SetTimer) -> Result<(), WorkStoreError> {
        Ok(())
    }
}

/// No part of the simulation sends messages, so that there are none.
#[async_trait]
impl NotificationLedger for View {
    async fn intend(
        &self,
        _process: &str,
        _from: &WorkCheckpoint,
        _to: &WorkCheckpoint,
        _messages: &[IntendedMessage],
    ) -> Result<(), WorkStoreError> {
        Err(WorkStoreError::Unavailable("messages are not simulated".to_owned()))
    }

    async fn claim(
        &self,
        _channel: Channel,
        _node: &str,
        _now: Timestamp,
        _lease_until: Timestamp,
        _limit: u32,
        _except: &[String],
    ) -> Result<Vec<Claimed>, WorkStoreError> {
        Ok(Vec::new())
    }

    async fn hand_over(&self, _id: MessageId, _attempt: u32) -> Result<bool, WorkStoreError> {
        Ok(false)
    }

    async fn finish(
        &self,
        _id: MessageId,
        _attempt: u32,
        _now: Timestamp,
        _outcome: &Outcome,
    ) -> Result<bool, WorkStoreError> {
        Ok(false)
    }

    async fn recover(&self, _now: Timestamp) -> Result<Recovered, WorkStoreError> {
        Ok(Recovered::default())
    }

    async fn retry(&self, _id: MessageId, _now: Timestamp) -> Result<bool, WorkStoreError> {
        Ok(false)
    }

    async fn message(&self, _id: MessageId) -> Result<Option<LedgerEntry>, WorkStoreError> {
        Ok(None)
    }

    async fn messages_in(
        &self,
        _filter: &LedgerFilter,
        _page: LedgerPage,
    ) -> Result<Vec<LedgerEntry>, WorkStoreError> {
        Ok(Vec::new())
    }

    async fn message_counts(&self) -> Result<Vec<MessageCount>, WorkStoreError> {
        Ok(Vec::new())
    }

    async fn next_message_due(&self, _channel: Channel) -> Result<Option<Timestamp>, WorkStoreError> {
        Ok(None)
    }
}
