//! Timers: what must happen to a case by the passing of time, each once, whichever process is there by then (promise 10).
//!
//! Which timers a case has is a function of its state ([`timers_of`]). One process follows the log and writes the timers of
//! each case that moved into the work store, together with its checkpoint; when one is due, it executes the timer's command
//! in the name of the system, and removes the timer once the command was answered. The others stand by.
//!
//! What makes it once: the command's id is made of kind, case and promised instant, and every command is decided on the
//! case's state. So a timer that goes off twice, late, or for what has moved does nothing, and nothing here needs to be exact:
//! a crash between command and removal repeats the command, a timer that the work store has not heard of yet comes late.
//!
//! # Where it begins
//!
//! At the beginning of the log, also beside a log with years of history and after the work store was lost or the log was
//! restored: timers are made of the log alone, so the operator has nothing to choose. That sends nothing for what history
//! has answered, because a case's timers are those of its state now. What is open now and long due is recorded now: a
//! promise that nobody kept is recorded as missed (its warning is not, that would be none), a case whose window for reopening
//! is over gets the end of it. After downtime the same: everything due goes off at once, the earliest first.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dossier_commands::{Clock, Commands, LoadError, Request};
use dossier_domain::case::{Timer, timers_of};
use dossier_domain::{Actor, CaseId, OrganizationId, StaffRole};
use dossier_eventlog::{EventStore, RecordedEvent, Sealer, Subscription};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::reactor::lead::{self, Act, Lead, Pace, Setback};
use crate::reactor::start::{StartError, begin, belongs, first};
use crate::reactor::{
    Begin, Issue, IssueError, Issued, Order, ReactError, ReactorStatus, Trigger, system_actor,
};
use crate::work_store::{CaseTimers, SetTimer, WorkCheckpoint, WorkStore};

/// The name of the checkpoint, the lease and the actor.
pub const NAME: &str = "timers";

/// Most events read at once.
const BATCH_EVENTS: usize = 256;
/// Most timers that go off before the log is looked at again.
const BATCH_TIMERS: u32 = 256;
/// How often the clock is looked at while something waits for it: it may be set, and it is not the one that sleeping uses.
const CLOCK_POLL: Duration = Duration::from_millis(100);
/// So many in a row that cannot be executed now are the log's trouble, not a case's.
const TROUBLE_OF_ALL: usize = 3;

/// What timers need of the commands.
#[async_trait]
pub trait TimedCases: Issue {
    /// The timers that a case has now, at least as new as every event that was read before the call.
    ///
    /// # Errors
    /// [`IssueError::Unavailable`] or [`IssueError::Damaged`].
    async fn timers(&self, organization: &OrganizationId, case: CaseId) -> Result<Vec<Timer>, IssueError>;
}

#[async_trait]
impl TimedCases for Commands {
    async fn timers(&self, organization: &OrganizationId, case: CaseId) -> Result<Vec<Timer>, IssueError> {
        let view = self.case_view(organization, case).await.map_err(|error| match error {
            LoadError::Unavailable(why) => IssueError::Unavailable(why),
            LoadError::Damaged(why) => IssueError::Damaged(why),
        })?;
        Ok(view.state.filed().map(timers_of).unwrap_or_default())
    }
}

/// The timers of a log.
pub struct Timers {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Where they are kept.
    pub work: Arc<dyn WorkStore>,
    /// The commands on the log.
    pub cases: Arc<dyn TimedCases>,
    /// As whom they act; see [`Timers::actor`].
    pub actor: Actor,
    /// Now.
    pub clock: Clock,
    /// This process among those that share the work store.
    pub node: String,
}

impl Timers {
    /// As whom timers act: the system.
    pub fn actor(sealer: &Sealer) -> Actor {
        system_actor(sealer, NAME, [StaffRole::System])
    }

    /// Starts them among other tasks; they run until cancelled. The status tells how they get on.
    ///
    /// # Errors
    /// [`StartError::Unavailable`]; nothing is started.
    pub async fn start(
        self,
        cancel: &CancellationToken,
        tasks: &mut JoinSet<()>,
    ) -> Result<watch::Receiver<ReactorStatus>, StartError> {
        self.start_at(Pace::default(), cancel, tasks).await
    }

    async fn start_at(
        self,
        pace: Pace,
        cancel: &CancellationToken,
        tasks: &mut JoinSet<()>,
    ) -> Result<watch::Receiver<ReactorStatus>, StartError> {
        let Self { store, work, cases, actor, clock, node } = self;
        if work.checkpoint(NAME).await?.is_none() {
            first(&*work, NAME, &begin(&*store, Begin::AtBeginning).await?).await?;
        }
        let (sender, status) = watch::channel(ReactorStatus::default());
        let lead = Lead { name: NAME, store, work, clock, node, pace, status: sender };
        tasks.spawn(lead::run(Runner { lead, cases, actor }, cancel.clone()));
        Ok(status)
    }
}

/// The timers at work.
struct Runner {
    lead: Lead,
    cases: Arc<dyn TimedCases>,
    actor: Actor,
}

/// When timers may go off again, after trouble.
struct Patience {
    from: Instant,
    pause: Duration,
    /// Those that could not be executed: they come after the others.
    failed: HashSet<SetTimer>,
}

impl Act for Runner {
    fn lead(&self) -> &Lead {
        &self.lead
    }

    async fn act(&self) -> Result<Infallible, Setback> {
        let lead = &self.lead;
        let mut renew_at = self.renew().await?;
        self.begin_anew_beside_another_log().await?;
        let mut checkpoint = lead.resume().await?;
        lead.acts();
        let mut subscription = Subscription::new(lead.store.clone(), checkpoint.position);
        let mut patience =
            Patience { from: Instant::now(), pause: lead.pace.shortest_pause, failed: HashSet::new() };
        loop {
            let next_due = lead.work.next_due().await?;
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(renew_at) => renew_at = self.renew().await?,
                () = self.until(next_due, patience.from) => self.go_off(&mut patience, &mut renew_at).await?,
                events = subscription.next_batch(BATCH_EVENTS) => {
                    self.set(&events?, &mut checkpoint).await?;
                }
            }
        }
    }
}

impl Runner {
    /// Takes or keeps the lease, and tells how many timers wait; a process that stands by tells of none.
    async fn renew(&self) -> Result<Instant, Setback> {
        let waiting = metrics::gauge!("dossier_timers_waiting");
        let overdue = metrics::gauge!("dossier_timers_overdue_seconds");
        let renew_at = self.lead.renew().await.inspect_err(|_| {
            waiting.set(0.0);
            overdue.set(0.0);
        })?;
        let due = self.lead.work.next_due().await?;
        let late = due.map_or(0.0, |due| (self.lead.clock)().duration_since(due).as_secs_f64());
        overdue.set(late.max(0.0));
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        waiting.set(self.lead.work.count_timers().await? as f64);
        Ok(renew_at)
    }

    /// Timers that were made of another log, or of one that was restored since, are nothing to go by.
    async fn begin_anew_beside_another_log(&self) -> Result<(), Setback> {
        let lead = &self.lead;
        let found = lead.work.checkpoint(NAME).await?;
        if let Some(found) = &found
            && belongs(&*lead.store, found).await?
        {
            return Ok(());
        }
        tracing::warn!(
            "the timers are made anew from the log: those in the work store are of another, or lost"
        );
        let start = begin(&*lead.store, Begin::AtBeginning).await?;
        Ok(lead.work.forget_timers(NAME, found.as_ref(), &start).await?)
    }

    /// Waits until the clock shows an instant, and no trouble holds the timers back; for ever when there is none.
    async fn until(&self, due: Option<Timestamp>, from: Instant) {
        let Some(due) = due else { return std::future::pending().await };
        if from > Instant::now() {
            tokio::time::sleep_until(from).await;
        }
        while (self.lead.clock)() < due {
            tokio::time::sleep(CLOCK_POLL).await;
        }
    }

    /// Writes down the timers of the cases that events are about, as those cases are now.
    async fn set(&self, events: &[RecordedEvent], checkpoint: &mut WorkCheckpoint) -> Result<(), Setback> {
        let Some(last) = events.last() else { return Ok(()) };
        let mut seen = HashSet::new();
        let mut cases = Vec::new();
        for event in events.iter().filter(|event| event.stream.category() == "case") {
            if !seen.insert(event.stream.id()) {
                continue;
            }
            let unreadable = |why: &dyn std::fmt::Display| {
                Setback::Halted(format!("event {} at position {}: {why}", event.event_id, event.position))
            };
            let case = event.stream.id().parse().map_err(|error| unreadable(&error))?;
            let organization =
                Trigger { event }.organization().map_err(|error: ReactError| unreadable(&error))?;
            let timers = self.cases.timers(&organization, case).await.map_err(setback)?;
            cases.push(CaseTimers { case, organization, timers });
        }
        let to = WorkCheckpoint {
            log_id: checkpoint.log_id,
            position: last.position,
            event_id: Some(last.event_id),
        };
        self.lead.work.set_timers(NAME, checkpoint, &to, &cases).await?;
        *checkpoint = to;
        self.lead.report(to.position);
        Ok(())
    }

    /// Executes the commands of timers that are due, in that order. Those that cannot be executed now hold up no other.
    async fn go_off(&self, patience: &mut Patience, renew_at: &mut Instant) -> Result<(), Setback> {
        let lead = &self.lead;
        let limit = BATCH_TIMERS.saturating_add(u32::try_from(patience.failed.len()).unwrap_or(u32::MAX));
        let mut due = lead.work.due_timers((lead.clock)(), limit).await?;
        due.sort_by_key(|timer| patience.failed.contains(timer));
        let mut failed = HashSet::new();
        let mut trouble = None;
        for timer in due {
            if *renew_at <= Instant::now() {
                *renew_at = self.renew().await?;
            }
            match self.fire(&timer).await {
                Ok(()) => lead.work.remove_timer(&timer).await?,
                Err(IssueError::Damaged(why)) => return Err(Setback::Halted(why)),
                Err(IssueError::Unavailable(why) | IssueError::Refused(why)) => {
                    trouble = Some(why);
                    failed.insert(timer);
                    if failed.len() == TROUBLE_OF_ALL {
                        break;
                    }
                }
            }
        }
        if let Some(why) = &trouble {
            tracing::warn!(error = why, timers = failed.len(), "timers are tried again");
            patience.from = Instant::now() + patience.pause;
            patience.pause = (patience.pause * 2).min(lead.pace.longest_pause);
        } else {
            patience.pause = lead.pace.shortest_pause;
        }
        patience.failed = failed;
        lead.status.send_modify(|status| status.last_error = trouble);
        Ok(())
    }

    /// Executes a timer's command; afterwards the timer has done its work, whatever the business said.
    async fn fire(&self, set: &SetTimer) -> Result<(), IssueError> {
        let SetTimer { case, organization, timer } = set;
        let kind = timer.kind.as_str();
        let command_id = timer.command_id(*case);
        let request = Request {
            command_id,
            // The id is derived from all that the command is made of: there is no other body under it.
            fingerprint: NAME.to_owned(),
            actor: self.actor.clone(),
            acting_for: None,
            correlation_id: command_id.0.to_string(),
            causation_id: None,
            if_match: None,
        };
        let order = Order::Case {
            organization: organization.clone(),
            case: Some(*case),
            command: Box::new(timer.command()),
        };
        match self.cases.issue(&request, &order).await {
            Ok(Issued::Applied) => {
                metrics::counter!("dossier_timers_fired_total", "kind" => kind).increment(1);
            }
            // The clock was set back in between: the command was decided too early.
            Ok(Issued::Unchanged) if (self.lead.clock)() < timer.due => {
                return Err(IssueError::Unavailable("the clock was set back".to_owned()));
            }
            Ok(Issued::Unchanged | Issued::Repeated) => {}
            Err(IssueError::Refused(why)) => {
                tracing::warn!(kind, %case, command_id = %command_id.0, why, "a timer's command was refused");
                let refusal = format!("{kind} of case {case}: {why}");
                self.lead.status.send_modify(|status| status.last_refusal = Some(refusal));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn setback(error: IssueError) -> Setback {
    match error {
        IssueError::Unavailable(why) => Setback::Passing(why),
        IssueError::Refused(why) | IssueError::Damaged(why) => Setback::Halted(why),
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
