//! One incarnation of a part of the system, as the simulated log, bus and work store see it: every call they get from it is
//! a point at which it can be held, can meet trouble, or can be killed.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;

use crate::world::World;

/// Whether a part's calls are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    Open,
    /// At so many more points; then it is held, wherever it stands.
    OpenFor(u32),
    Closed,
}

/// Where a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At work, perhaps on another thread.
    Running,
    /// Held at a point.
    Held,
    /// Waiting for messages of the bus.
    Waiting,
    /// For good.
    Dead,
}

struct State {
    gate: Gate,
    /// It was answered an error: its next call is answered in its next turn.
    rests: bool,
    place: Place,
    random: fastrand::Rng,
}

/// One incarnation of a part.
pub struct Part {
    /// Its name and number: `cases/2`.
    pub name: String,
    world: Arc<World>,
    by_turns: bool,
    state: Mutex<State>,
    called: Notify,
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// As it should be.
    Fine,
    /// An error, and nothing happened.
    Refused,
    /// An error, and yet it happened.
    AnswerLost,
}

impl Part {
    /// A new incarnation, which works whenever there is something to do.
    pub fn new(world: &Arc<World>, name: &str) -> Arc<Self> {
        Self::of(world, name, false)
    }

    /// A new incarnation, which works in its turns.
    pub fn by_turns(world: &Arc<World>, name: &str) -> Arc<Self> {
        Self::of(world, name, true)
    }

    fn of(world: &Arc<World>, name: &str, by_turns: bool) -> Arc<Self> {
        let name = format!("{name}/{}", world.next_incarnation());
        let random = world.random_for(&name);
        Arc::new(Self {
            name,
            world: world.clone(),
            by_turns,
            state: Mutex::new(State { gate: Gate::Open, rests: false, place: Place::Running, random }),
            called: Notify::new(),
        })
    }

    /// The real time after which SQLite must have done what this part asked it.
    pub fn quiet(&self) -> Duration {
        self.world.quiet()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the lock panics")
    }

    /// Something random of this part.
    pub fn random<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.state().random)
    }

    /// Happens with a probability, in per cent, unless all is well at last.
    pub fn chance(&self, percent: u32) -> bool {
        let drawn = self.random(|random| random.u32(0..100));
        !self.world.is_calm() && drawn < percent
    }

    /// What is to become of a call.
    pub fn fate(&self) -> Fate {
        if self.world.is_down() {
            return Fate::Refused;
        }
        if !self.chance(self.world.trouble_percent()) {
            return Fate::Fine;
        }
        if self.random(fastrand::Rng::bool) { Fate::Refused } else { Fate::AnswerLost }
    }

    /// Writes down what the part did.
    pub fn says(&self, what: &str) {
        self.world.trace(&format!("{}: {what}", self.name));
    }

    /// A point in the part's way: others may get in between, it may be held or killed here.
    pub async fn point(&self) {
        loop {
            {
                let mut state = self.state();
                match state.gate {
                    Gate::OpenFor(0) => state.gate = Gate::Closed,
                    Gate::OpenFor(more) => state.gate = Gate::OpenFor(more - 1),
                    Gate::Open | Gate::Closed => {}
                }
                if state.gate != Gate::Closed && !state.rests {
                    state.place = Place::Running;
                    break;
                }
                state.place = Place::Held;
            }
            self.called.notified().await;
        }
        self.world.active();
        for _ in 0..self.random(|random| random.u32(0..3)) {
            tokio::task::yield_now().await;
            self.world.active();
        }
    }

    /// The part is answered an error, and rests.
    pub fn errs(&self) {
        self.state().rests = self.by_turns;
    }

    /// The part stops here for good; whoever watches over it buries it.
    pub async fn dies(&self) {
        self.state().place = Place::Dead;
        std::future::pending::<()>().await;
    }

    /// The part waits for messages, until the guard is dropped.
    pub fn waits(&self) -> Waiting<'_> {
        self.state().place = Place::Waiting;
        Waiting(self)
    }

    /// Whether what it waits for may reach it.
    pub fn is_open(&self) -> bool {
        self.state().gate != Gate::Closed
    }

    /// Woken when there is something to look at.
    pub async fn called(&self) {
        self.called.notified().await;
    }

    /// There is something for it to look at.
    pub fn call(&self) {
        let mut state = self.state();
        if state.gate != Gate::Closed && state.place == Place::Waiting {
            state.place = Place::Running;
        }
        drop(state);
        self.called.notify_one();
    }

    /// Lets it go on.
    pub fn release(&self) {
        let mut state = self.state();
        state.gate = Gate::Open;
        if matches!(state.place, Place::Held | Place::Waiting) {
            state.place = Place::Running;
        }
        drop(state);
        // A node has many commands at work: all of them, and whoever is about to wait.
        self.called.notify_waiters();
        self.called.notify_one();
    }

    /// Holds it after so many more points.
    pub fn hold_after(&self, points: u32) {
        self.state().gate = if points == 0 { Gate::Closed } else { Gate::OpenFor(points) };
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        self.state().place
    }

    /// It has rested, and its turn begins.
    pub fn rested(&self) {
        let mut state = self.state();
        let rested = std::mem::take(&mut state.rests);
        if rested && state.gate != Gate::Closed && state.place == Place::Held {
            state.place = Place::Running;
            self.called.notify_one();
        }
    }
}

/// While it lives the part waits for messages.
pub struct Waiting<'a>(&'a Part);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if state.place == Place::Waiting {
            state.place = Place::Running;
        }
    }
}
