//! The real parts, started on what is simulated. Those that live in memory share one runtime ([`Free`]); each projector has
//! one of its own, because SQLite's threads work in real time: it runs only in its turn, and the turn lasts until it waits.

use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use dossier_commands::Commands;
use dossier_eventlog::MemoryKeyStore;
use dossier_eventlog::{Entropy, Relay, RelayError, RelayOptions, RelayStatus, Sealer};
use dossier_processes::Reactors;
use dossier_processes::reactor::{ReactorStatus, StartError};
use dossier_projections::case_history::CaseHistory;
use dossier_projections::cases::Cases;
use dossier_projections::{LogFollower, ModelStatus, ReadLocation, ReadModel, ReadModels};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::acts::{self, Act, Ledger};
use crate::bus::SimulatedBus;
use crate::log::Log;
use crate::mortal::Mortal;
use crate::part::{Part, Place};
use crate::people::catalogue;
use crate::reactors::{Acknowledger, Greeter};
use crate::tally::Tally;
use crate::work::Work;
use crate::world::World;

/// Real time after which a part that should only wait for SQLite counts as hung.
const HUNG: Duration = Duration::from_secs(20);

/// What every part is started on.
#[derive(Clone)]
pub struct Ground {
    /// What all share.
    pub world: Arc<World>,
    /// The log.
    pub log: Arc<Log>,
    /// The bus.
    pub bus: Arc<SimulatedBus>,
    /// The work store.
    pub work: Arc<Work>,
    /// The keys of personal values.
    pub keys: Arc<MemoryKeyStore>,
    /// How a relay works.
    pub relaying: RelayOptions,
}

impl Ground {
    /// A sealer of its own for a part, which draws its own random bytes.
    pub fn sealer(&self, part: &Arc<Part>) -> Arc<Sealer> {
        let part = part.clone();
        let entropy: Entropy = Arc::new(move |bytes: &mut [u8]| part.random(|random| random.fill(bytes)));
        Arc::new(Sealer::new(self.keys.clone(), entropy))
    }

    /// The write side, with nothing cached.
    pub fn commands(&self, part: &Arc<Part>) -> Arc<Commands> {
        let (log, clock) = (self.log.seen_by(part), self.world.clock());
        Arc::new(Commands::new(log, self.sealer(part), catalogue(), clock, 1_000))
    }
}

fn standing_still() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

/// Lets a runtime work for so many rounds. It is never idle meanwhile: else its time would run by itself.
async fn rounds(count: u32) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// The parts that live in memory.
pub struct Free {
    world: Arc<World>,
    runtime: Runtime,
}

impl Free {
    /// Nobody yet.
    pub fn new(world: &Arc<World>) -> Self {
        Self { world: world.clone(), runtime: standing_still() }
    }

    /// Lets them work for so many rounds, which may end in the middle of something.
    pub fn run(&self, count: u32) {
        self.runtime.block_on(rounds(count));
    }

    /// Lets them work until all of them wait.
    pub fn settle(&self) {
        loop {
            let before = self.world.activity();
            self.run(16);
            if self.world.activity() == before {
                return;
            }
        }
    }

    /// Works at something to its end, in fair weather.
    pub fn finish<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(busy(work))
    }

    /// Lets their time pass.
    pub fn pass(&self, millis: u32) {
        self.runtime.block_on(tokio::time::advance(Duration::from_millis(millis.into())));
        self.settle();
    }
}

/// A node that takes commands.
pub struct ApiNode {
    /// Its part.
    pub part: Arc<Part>,
    commands: Arc<Commands>,
    flights: Vec<JoinHandle<()>>,
}

impl ApiNode {
    /// A node that has just started: nothing cached.
    pub fn start(ground: &Ground, name: &str) -> Self {
        let part = Part::new(&ground.world, name);
        Self { commands: ground.commands(&part), part, flights: Vec::new() }
    }

    /// Sends it something.
    pub fn send(&mut self, free: &Free, ledger: &Arc<Ledger>, act: Act) {
        let number = ledger.send(&act);
        self.part.says(&format!("#{number} {} {:?} of {}", act.command_id.0, act.wish, act.who));
        let (commands, ledger, part) = (self.commands.clone(), ledger.clone(), self.part.clone());
        self.flights.push(free.runtime.spawn(async move {
            let answer = acts::send(commands, act).await;
            part.says(&format!("#{number}: {answer:?}"));
            ledger.answered(number, answer);
        }));
    }

    /// Whether it has answered everything.
    ///
    /// # Errors
    /// When something has panicked.
    pub fn is_idle(&mut self, free: &Free) -> Result<bool, String> {
        let (done, waiting) =
            std::mem::take(&mut self.flights).into_iter().partition(JoinHandle::is_finished);
        self.flights = waiting;
        for flight in done {
            free.runtime.block_on(flight).map_err(|error| format!("{}: {error}", self.part.name))?;
        }
        Ok(self.flights.is_empty())
    }
}

impl Drop for ApiNode {
    fn drop(&mut self) {
        self.flights.iter().for_each(JoinHandle::abort);
    }
}

/// A relay.
pub struct RelayNode {
    /// Its part.
    pub part: Arc<Part>,
    /// How it gets on.
    pub status: Arc<RelayStatus>,
    task: JoinHandle<Result<(), RelayError>>,
}

impl RelayNode {
    /// A relay that has just started.
    pub fn start(ground: &Ground, free: &Free, name: &str) -> Self {
        let part = Part::new(&ground.world, name);
        let relay = Relay::new(ground.log.seen_by(&part), ground.bus.seen_by(&part), ground.relaying.clone());
        Self { part, status: relay.status(), task: free.runtime.spawn(relay.run(CancellationToken::new())) }
    }

    /// Makes sure that it is at work.
    ///
    /// # Errors
    /// When it has stopped, which it never should.
    pub fn check(&self) -> Result<(), String> {
        if self.task.is_finished() {
            return Err(format!("{} has stopped: {:?}", self.part.name, self.status.last_error()));
        }
        Ok(())
    }
}

impl Drop for RelayNode {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A process with the reactors.
pub struct ReactorNode {
    /// Its part.
    pub part: Arc<Part>,
    reactors: Arc<Reactors>,
    task: JoinHandle<()>,
}

impl ReactorNode {
    /// A process that has just started.
    pub fn start(ground: &Ground, free: &Free, name: &str) -> Self {
        let part = Part::new(&ground.world, name);
        let (log, work) = (ground.log.seen_by(&part), ground.work.seen_by(&part));
        let sealer = ground.sealer(&part);
        let reactors = Reactors::new(log, work, ground.commands(&part), ground.world.clock(), &*part.name)
            .with(Greeter::new(&sealer))
            .with(Acknowledger::new(&sealer));
        let reactors = Arc::new(reactors);
        let running = reactors.clone();
        let task = free.runtime.spawn(async move {
            let cancel = CancellationToken::new();
            loop {
                match running.start(None, &cancel).await {
                    Ok(mut tasks) => {
                        while let Some(ended) = tasks.join_next().await {
                            ended.expect("a reactor never panics");
                        }
                    }
                    Err(StartError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(100)).await,
                    Err(error @ StartError::EmptyWorkStore { .. }) => panic!("{error}"),
                }
            }
        });
        Self { part, reactors, task }
    }

    /// Where its reactors stand.
    pub fn statuses(&self) -> Vec<(&'static str, ReactorStatus)> {
        self.reactors.statuses()
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

/// The read models that are simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Model {
    /// One row per case.
    Cases,
    /// Comments and attachments.
    History,
    /// What was taken in, and how often.
    Tally,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cases, Self::History, Self::Tally];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cases => "cases",
            Self::History => "case_history",
            Self::Tally => "tally",
        }
    }

    fn boxed(self) -> Box<dyn ReadModel> {
        match self {
            Self::Cases => Box::new(Cases),
            Self::History => Box::new(CaseHistory),
            Self::Tally => Box::new(Tally),
        }
    }
}

/// A process with the projector of one read model.
pub struct Projector {
    /// Its part.
    pub part: Arc<Part>,
    /// The model.
    pub model: Model,
    /// Its rows.
    pub models: Arc<ReadModels>,
    runtime: Runtime,
    _tasks: JoinSet<()>,
}

impl Projector {
    /// A process that has just started, on a file that others may use too.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn start(ground: &Ground, name: &str, model: Model, folder: &Path) -> Result<Self, String> {
        let part = Part::by_turns(&ground.world, name);
        let runtime = standing_still();
        let follower = LogFollower {
            store: ground.log.seen_by(&part),
            bus: ground.bus.seen_by(&part),
            sealer: ground.sealer(&part),
        };
        let location = ReadLocation::sqlite(folder.join(format!("{}.db", model.name())));
        let opening = ReadModels::open_with(
            &location,
            follower,
            vec![Box::new(Mortal { model: model.boxed(), part: part.clone() })],
        );
        let models = runtime.block_on(busy(opening)).map_err(|error| format!("{name}: {error}"))?;
        let models = Arc::new(models);
        let tasks = runtime.block_on(async { models.start(&CancellationToken::new()) });
        Ok(Self { part, model, models, runtime, _tasks: tasks })
    }

    /// Where it stands.
    pub fn status(&self) -> ModelStatus {
        self.models.statuses().remove(0).1
    }

    /// Lets its time pass, and lets it work until it waits or is held.
    ///
    /// # Errors
    /// When it has halted or hangs.
    pub fn turn(&self, millis: u32) -> Result<(), String> {
        let began = Instant::now();
        let turn = async {
            self.part.rested();
            tokio::time::advance(Duration::from_millis(millis.into())).await;
            rounds(8).await;
            let mut spins = 0_u32;
            while self.part.place() == Place::Running {
                let status = self.status();
                if let Some(why) = status.halted {
                    return Err(format!("{} has halted: {why}", self.part.name));
                }
                if began.elapsed() > HUNG {
                    return Err(format!("{} hangs: {status:?}", self.part.name));
                }
                // After trouble it sleeps, sooner or later: how long does not matter, nobody else is on this runtime.
                if status.last_error.is_some() && spins.is_multiple_of(16) {
                    tokio::time::advance(Duration::from_millis(250)).await;
                }
                spin(&mut spins).await;
            }
            Ok(())
        };
        self.runtime.block_on(turn)
    }

    /// Whether it did not die in the middle of a transaction.
    pub fn is_alive(&self) -> bool {
        self.part.place() != Place::Dead
    }

    /// Does something with its read models.
    pub fn with<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(busy(work))
    }
}

impl Drop for Projector {
    fn drop(&mut self) {
        // What a connection does when it is dropped needs the runtime.
        let _inside = self.runtime.enter();
        self._tasks.abort_all();
    }
}

/// Polls until it is done, without letting the runtime be idle.
async fn busy<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut spins = 0;
    loop {
        if let Poll::Ready(done) = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
            return done;
        }
        spin(&mut spins).await;
    }
}

/// Lets other tasks and SQLite's thread get on.
async fn spin(spins: &mut u32) {
    tokio::task::yield_now().await;
    *spins += 1;
    if *spins < 50 { std::thread::yield_now() } else { std::thread::sleep(Duration::from_micros(20)) }
}
