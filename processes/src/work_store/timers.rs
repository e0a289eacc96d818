//! The timers that cases have: what must happen at an instant, whichever process is there by then.

use async_trait::async_trait;
use dossier_domain::case::Timer;
use dossier_domain::{CaseId, OrganizationId};
use jiff::Timestamp;

use super::{WorkCheckpoint, WorkStoreError};

/// All timers of a case, as its events up to a checkpoint have set them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseTimers {
    /// The case.
    pub case: CaseId,
    /// Whose case it is.
    pub organization: OrganizationId,
    /// Its timers; none: it has none any more.
    pub timers: Vec<Timer>,
}

/// One timer of a case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetTimer {
    /// The case.
    pub case: CaseId,
    /// Whose case it is.
    pub organization: OrganizationId,
    /// The timer.
    pub timer: Timer,
}

/// Keeps the timers.
#[async_trait]
pub trait TimerStore: Send + Sync + 'static {
    /// Puts the timers of cases in the place of those they had, and moves the checkpoint of who found them, both or neither.
    ///
    /// # Errors
    /// [`WorkStoreError::Fenced`] when the checkpoint does not stand where the caller read it.
    async fn set_timers(
        &self,
        process: &str,
        from: &WorkCheckpoint,
        to: &WorkCheckpoint,
        cases: &[CaseTimers],
    ) -> Result<(), WorkStoreError>;

    /// Forgets all timers, and moves the checkpoint of who finds them to where it begins anew, both or neither.
    ///
    /// # Errors
    /// As [`TimerStore::set_timers`].
    async fn forget_timers(
        &self,
        process: &str,
        from: Option<&WorkCheckpoint>,
        to: &WorkCheckpoint,
    ) -> Result<(), WorkStoreError>;

    /// Timers that are due at an instant, the earliest first, at most `limit`.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn due_timers(&self, now: Timestamp, limit: u32) -> Result<Vec<SetTimer>, WorkStoreError>;

    /// When the earliest timer is due, rounded up to a microsecond.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn next_due(&self) -> Result<Option<Timestamp>, WorkStoreError>;

    /// How many timers there are.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn count_timers(&self) -> Result<u64, WorkStoreError>;

    /// Removes a timer that has done its work.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn remove_timer(&self, timer: &SetTimer) -> Result<(), WorkStoreError>;
}

/// What both databases' rows of a timer hold.
#[derive(sqlx::FromRow)]
pub(super) struct TimerRow {
    case_id: String,
    organization: String,
    timer: String,
}

impl TimerRow {
    /// The timer; `None` for one of a later release, which that release sets again.
    pub(super) fn timer(self) -> Option<SetTimer> {
        Some(SetTimer {
            case: self.case_id.parse().ok()?,
            organization: OrganizationId::new(&self.organization).ok()?,
            timer: serde_json::from_str(&self.timer).ok()?,
        })
    }
}

/// A timer as it is written; the same timer is the same text.
pub(super) fn timer_json(timer: &Timer) -> String {
    serde_json::to_string(timer).expect("a timer is serializable")
}

/// An instant in the databases' unit, never before it: a timer that went off early would do nothing.
pub(super) fn micros_rounded_up(instant: Timestamp) -> i64 {
    let micros = instant.as_nanosecond().div_euclid(1_000);
    let rest = instant.as_nanosecond().rem_euclid(1_000);
    i64::try_from(micros + i128::from(rest > 0)).unwrap_or(i64::MAX)
}

/// The statements, the same in both dialects, by the prefix of the tables' names.
macro_rules! timer_statements {
    ($prefix:literal) => {
        const SET_TIMER: &str = concat!(
            "INSERT INTO ",
            $prefix,
            "timer (case_id, timer, organization, due_micros) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
        );
        const REMOVE_TIMERS: &str = concat!("DELETE FROM ", $prefix, "timer WHERE case_id = $1");
        const REMOVE_TIMER: &str =
            concat!("DELETE FROM ", $prefix, "timer WHERE case_id = $1 AND timer = $2");
        const FORGET_TIMERS: &str = concat!("DELETE FROM ", $prefix, "timer");
        const DUE_TIMERS: &str = concat!(
            "SELECT case_id, organization, timer FROM ",
            $prefix,
            "timer WHERE due_micros <= $1 ORDER BY due_micros, case_id, timer LIMIT $2"
        );
        const NEXT_DUE: &str = concat!("SELECT MIN(due_micros) FROM ", $prefix, "timer");
        const COUNT_TIMERS: &str = concat!("SELECT COUNT(*) FROM ", $prefix, "timer");

        #[async_trait]
        impl TimerStore for Adapter {
            async fn set_timers(
                &self,
                process: &str,
                from: &WorkCheckpoint,
                to: &WorkCheckpoint,
                cases: &[CaseTimers],
            ) -> Result<(), WorkStoreError> {
                let mut transaction = self.pool.begin().await?;
                // First, so that a process that was overtaken waits here and then changes nothing.
                move_checkpoint(&mut *transaction, process, Some(from), to).await?;
                for CaseTimers { case, organization, timers } in cases {
                    let case = case.to_string();
                    sqlx::query(REMOVE_TIMERS).bind(&case).execute(&mut *transaction).await?;
                    for timer in timers {
                        sqlx::query(SET_TIMER)
                            .bind(&case)
                            .bind(timer_json(timer))
                            .bind(organization.to_string())
                            .bind(micros_rounded_up(timer.due))
                            .execute(&mut *transaction)
                            .await?;
                    }
                }
                Ok(transaction.commit().await?)
            }

            async fn forget_timers(
                &self,
                process: &str,
                from: Option<&WorkCheckpoint>,
                to: &WorkCheckpoint,
            ) -> Result<(), WorkStoreError> {
                let mut transaction = self.pool.begin().await?;
                move_checkpoint(&mut *transaction, process, from, to).await?;
                sqlx::query(FORGET_TIMERS).execute(&mut *transaction).await?;
                Ok(transaction.commit().await?)
            }

            async fn due_timers(&self, now: Timestamp, limit: u32) -> Result<Vec<SetTimer>, WorkStoreError> {
                let rows: Vec<TimerRow> = sqlx::query_as(DUE_TIMERS)
                    .bind(now.as_microsecond())
                    .bind(i64::from(limit))
                    .fetch_all(&self.pool)
                    .await?;
                Ok(rows.into_iter().filter_map(TimerRow::timer).collect())
            }

            async fn next_due(&self) -> Result<Option<Timestamp>, WorkStoreError> {
                let micros: Option<i64> = sqlx::query_scalar(NEXT_DUE).fetch_one(&self.pool).await?;
                Ok(micros.map(|micros| Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)))
            }

            async fn count_timers(&self) -> Result<u64, WorkStoreError> {
                let count: i64 = sqlx::query_scalar(COUNT_TIMERS).fetch_one(&self.pool).await?;
                Ok(u64::try_from(count).unwrap_or(0))
            }

            async fn remove_timer(&self, timer: &SetTimer) -> Result<(), WorkStoreError> {
                sqlx::query(REMOVE_TIMER)
                    .bind(timer.case.to_string())
                    .bind(timer_json(&timer.timer))
                    .execute(&self.pool)
                    .await?;
                Ok(())
            }
        }
    };
}
pub(super) use timer_statements;
