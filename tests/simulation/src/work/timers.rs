//! The timers in the simulated work store.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dossier_domain::case::Timer;
use dossier_processes::work_store::{CaseTimers, SetTimer, TimerStore, WorkCheckpoint, WorkStoreError};
use jiff::Timestamp;

use super::{Kept, View, Work};

/// When it is due in microseconds, rounded up; the case; what tells it from the case's others.
type Key = (i128, String, &'static str, Timer);
/// All timers, in the order in which they are due.
pub(super) type Rows = BTreeMap<Key, SetTimer>;

fn key(set: &SetTimer) -> Key {
    let nanos = set.timer.due.as_nanosecond();
    let micros = nanos.div_euclid(1_000) + i128::from(nanos.rem_euclid(1_000) > 0);
    (micros, set.case.to_string(), set.timer.kind.as_str(), set.timer)
}

fn is_due((micros, ..): &Key, now: Timestamp) -> bool {
    *micros <= i128::from(now.as_microsecond())
}

impl Work {
    /// Every timer.
    pub fn timers(&self) -> Vec<SetTimer> {
        self.kept().timers.values().cloned().collect()
    }

    /// The first timer that is due at an instant.
    pub fn first_due(&self, now: Timestamp) -> Option<SetTimer> {
        self.kept().timers.first_key_value().filter(|(key, _)| is_due(key, now)).map(|(_, set)| set.clone())
    }
}

impl Kept {
    fn replace(&mut self, CaseTimers { case, organization, timers }: &CaseTimers) {
        self.timers.retain(|_, set| set.case != *case);
        for timer in timers {
            let set = SetTimer { case: *case, organization: organization.clone(), timer: *timer };
            self.timers.insert(key(&set), set);
        }
    }
}

#[async_trait]
impl TimerStore for View {
    async fn set_timers(
        &self,
        process: &str,
        from: &WorkCheckpoint,
        to: &WorkCheckpoint,
        cases: &[CaseTimers],
    ) -> Result<(), WorkStoreError> {
        self.advance_and(process, Some(from), to, |kept| cases.iter().for_each(|case| kept.replace(case)))
            .await
    }

    async fn forget_timers(
        &self,
        process: &str,
        from: Option<&WorkCheckpoint>,
        to: &WorkCheckpoint,
    ) -> Result<(), WorkStoreError> {
        self.advance_and(process, from, to, |kept| kept.timers.clear()).await
    }

    async fn due_timers(&self, now: Timestamp, limit: u32) -> Result<Vec<SetTimer>, WorkStoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.call("read due timers", |kept| {
            let due = kept.timers.iter().take_while(|(key, _)| is_due(key, now));
            due.take(limit).map(|(_, set)| set.clone()).collect()
        })
        .await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, WorkStoreError> {
        self.call("read when a timer is due", |kept| {
            let ((micros, ..), _) = kept.timers.first_key_value()?;
            let micros = i64::try_from(*micros).unwrap_or(i64::MAX);
            Some(Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX))
        })
        .await
    }

    async fn count_timers(&self) -> Result<u64, WorkStoreError> {
        self.call("count timers", |kept| kept.timers.len() as u64).await
    }

    async fn remove_timer(&self, timer: &SetTimer) -> Result<(), WorkStoreError> {
        let part = self.part.clone();
        self.call("remove a timer", |kept| {
            let SetTimer { case, timer: Timer { kind, promised, .. }, .. } = timer;
            part.says(&format!("removes {} of {case} at {promised}", kind.as_str()));
            kept.timers.remove(&key(timer));
        })
        .await
    }
}
