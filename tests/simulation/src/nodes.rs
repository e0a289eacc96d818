//! The real parts that live in memory, started on what is simulated. They share one runtime ([`Free`]), whose time stands
//! still until the driver moves it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use dossier_commands::{Clock, Commands};
use dossier_eventlog::{Entropy, MemoryKeyStore, Relay, RelayError, RelayOptions, RelayStatus, Sealer};
use jiff::SignedDuration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::acts::{self, Act, Ledger};
use crate::bus::SimulatedBus;
use crate::log::Log;
use crate::part::Part;
use crate::people::catalogue;
use crate::work::Work;
use crate::world::World;

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

    /// A part's clock, which may differ from that of others.
    pub fn clock(&self, part: &Arc<Part>) -> Clock {
        let millis = part.random(|random| if random.u32(0..3) == 0 { random.i64(-5_000..5_000) } else { 0 });
        self.world.clock(SignedDuration::from_millis(millis))
    }

    /// The write side, with nothing cached.
    pub fn commands(&self, part: &Arc<Part>) -> Arc<Commands> {
        self.commands_by(part, self.clock(part))
    }

    /// The same by a clock.
    pub fn commands_by(&self, part: &Arc<Part>, clock: Clock) -> Arc<Commands> {
        let log = self.log.seen_by(part);
        Arc::new(Commands::new(log, self.sealer(part), catalogue(), clock, 1_000))
    }
}

pub(crate) fn standing_still() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

/// Lets a runtime work for so many rounds. It is never idle meanwhile: else its time would run by itself.
pub(crate) async fn rounds(count: u32) {
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

    /// Starts something beside the others.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.runtime.spawn(work)
    }

    /// Works at something to its end, in fair weather.
    pub fn finish<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(busy(work))
    }

    /// Lets their time pass.
    pub fn pass(&self, millis: u32) {
        self.wake(millis);
        self.settle();
    }

    /// Lets their time pass, and wakes whoever waits for it; they get no further.
    pub fn wake(&self, millis: u32) {
        self.runtime.block_on(tokio::time::advance(Duration::from_millis(millis.into())));
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

/// Polls until it is done, without letting the runtime be idle.
pub(crate) async fn busy<T>(work: impl Future<Output = T>) -> T {
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
pub(crate) async fn spin(spins: &mut u32) {
    tokio::task::yield_now().await;
    *spins += 1;
    if *spins < 50 { std::thread::yield_now() } else { std::thread::sleep(Duration::from_micros(20)) }
}
