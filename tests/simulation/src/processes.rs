//! Processes with what acts by itself: reactors, timers, the fan-out of messages.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dossier_commands::{Clock, Commands};
use dossier_domain::Actor;
use dossier_eventlog::EventStore;
use dossier_processes::merge_completion::{self, MergeCompletion};
use dossier_processes::notifications::fan_out::{self, FanOut};
use dossier_processes::reactor::{ReactorStatus, StartError};
use dossier_processes::timers::{self, Timers};
use dossier_processes::work_store::WorkStore;
use dossier_processes::{Begin, Reactors};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::nodes::{Free, Ground};
use crate::part::Part;
use crate::reactors::{self, Acknowledger, Greeter};

/// Who follows the log with a checkpoint in the work store.
pub const FOLLOWERS: [&str; 5] =
    [reactors::NAMES[0], reactors::NAMES[1], merge_completion::NAME, fan_out::NAME, timers::NAME];

/// A process with the reactors.
pub struct ReactorNode {
    /// Its part.
    pub part: Arc<Part>,
    running: Arc<Running>,
    task: JoinHandle<()>,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything that acts by itself.
    All {
        /// What the operator wants beside a work store that was lost.
        choice: Option<Begin>,
    },
    /// The fan-out only, which changes nothing but the ledger.
    FanOut,
}

/// What acts by itself in one process.
struct Running {
    reactors: Reactors,
    role: Role,
    work: Arc<dyn WorkStore>,
    log: Arc<dyn EventStore>,
    commands: Arc<Commands>,
    timers_actor: Actor,
    clock: Clock,
    node: String,
    beside: Mutex<Vec<(&'static str, watch::Receiver<ReactorStatus>)>>,
}

impl Running {
    /// Starts all of it.
    async fn start(&self, cancel: &CancellationToken) -> Result<JoinSet<()>, StartError> {
        let mut tasks = match self.role {
            Role::All { choice } => self.reactors.start(choice, cancel).await?,
            Role::FanOut => JoinSet::new(),
        };
        let fan_out = FanOut {
            store: self.log.clone(),
            work: self.work.clone(),
            commands: self.commands.clone(),
            organizations: None,
            clock: self.clock.clone(),
            node: self.node.clone(),
        };
        let fan_out = fan_out.start(cancel, &mut tasks);
        if self.role == Role::FanOut {
            *self.beside.lock().expect("no holder of the lock panics") = vec![(fan_out::NAME, fan_out)];
            return Ok(tasks);
        }
        let timers = Timers {
            store: self.log.clone(),
            work: self.work.clone(),
            cases: self.commands.clone(),
            actor: self.timers_actor.clone(),
            clock: self.clock.clone(),
            node: self.node.clone(),
        };
        let timers = timers.start(cancel, &mut tasks).await?;
        *self.beside.lock().expect("no holder of the lock panics") =
            vec![(fan_out::NAME, fan_out), (timers::NAME, timers)];
        Ok(tasks)
    }
}

impl ReactorNode {
    /// A process that has just started.
    pub fn start(ground: &Ground, free: &Free, name: &str, role: Role) -> Self {
        let part = Part::new(&ground.world, name);
        let (log, work) = (ground.log.seen_by(&part), ground.work.seen_by(&part));
        let (sealer, clock) = (ground.sealer(&part), ground.clock(&part));
        let commands = ground.commands_by(&part, clock.clone());
        let node = part.name.clone();
        let reactors =
            Reactors::new(log.clone(), work.clone(), commands.clone(), clock.clone(), node.clone())
                .with(Greeter::new(&sealer))
                .with(Acknowledger::new(&sealer))
                .with(MergeCompletion::new(&sealer))
                .beside(fan_out::NAME);
        let running = Arc::new(Running {
            reactors,
            role,
            work,
            log,
            commands,
            timers_actor: Timers::actor(&sealer),
            clock,
            node,
            beside: Mutex::default(),
        });
        let all = running.clone();
        let task = free.spawn(async move {
            let cancel = CancellationToken::new();
            loop {
                match all.start(&cancel).await {
                    Ok(mut tasks) => {
                        while let Some(ended) = tasks.join_next().await {
                            ended.expect("what acts by itself never panics");
                        }
                    }
                    Err(StartError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(100)).await,
                    Err(error @ StartError::EmptyWorkStore { .. }) => panic!("{error}"),
                }
            }
        });
        Self { part, running, task }
    }

    /// Where those stand that act by themselves.
    pub fn statuses(&self) -> Vec<(&'static str, ReactorStatus)> {
        let beside = self.running.beside.lock().expect("no holder of the lock panics");
        let beside = beside.iter().map(|(name, status)| (*name, status.borrow().clone()));
        self.running.reactors.statuses().into_iter().chain(beside).collect()
    }

    /// Makes sure that it is at work.
    ///
    /// # Errors
    /// When it has stopped, which it never should.
    pub fn check(&self) -> Result<(), String> {
        let halted = self.statuses().into_iter().find_map(|(_, status)| status.halted);
        if self.task.is_finished() || halted.is_some() {
            return Err(format!("{} has stopped: {halted:?}", self.part.name));
        }
        Ok(())
    }
}

impl Drop for ReactorNode {
    fn drop(&mut self) {
        self.task.abort();
    }
}
