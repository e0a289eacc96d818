//! What all parts of a run share: the seed, the clock, the weather, and the record of what happened.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use dossier_commands::Clock;
use jiff::{SignedDuration, Timestamp};

/// The instant at which every run begins, in seconds since 1970.
const BEGINNING: i64 = 1_800_000_000;

/// What all parts share.
pub struct World {
    seed: u64,
    quiet: Duration,
    elapsed_millis: AtomicI64,
    offset_millis: AtomicI64,
    calm: AtomicBool,
    down: AtomicBool,
    trouble_percent: AtomicU32,
    incarnations: AtomicU64,
    activity: AtomicU64,
    trace: Mutex<Vec<String>>,
}

impl World {
    /// The world of a seed, in fair weather. `quiet`: the real time after which SQLite must have done what it was asked; where
    /// that is too short for a busy machine, a seed goes another way.
    pub fn new(seed: u64, quiet: Duration) -> Self {
        Self {
            seed,
            quiet,
            elapsed_millis: AtomicI64::new(0),
            offset_millis: AtomicI64::new(0),
            calm: AtomicBool::new(true),
            down: AtomicBool::new(false),
            trouble_percent: AtomicU32::new(0),
            incarnations: AtomicU64::new(0),
            activity: AtomicU64::new(0),
            trace: Mutex::default(),
        }
    }

    /// The real time after which SQLite must have done what it was asked.
    pub fn quiet(&self) -> Duration {
        self.quiet
    }

    /// Random numbers for somebody: the same for the same seed and name.
    pub fn random_for(&self, name: &str) -> fastrand::Rng {
        let mut hasher = DefaultHasher::new();
        (self.seed, name).hash(&mut hasher);
        fastrand::Rng::with_seed(hasher.finish())
    }

    /// A number for a new incarnation.
    pub fn next_incarnation(&self) -> u64 {
        self.incarnations.fetch_add(1, Ordering::SeqCst)
    }

    /// What the clock shows: the time that has passed, and what it has jumped.
    pub fn now(&self) -> Timestamp {
        let millis = self.elapsed_millis.load(Ordering::SeqCst) + self.offset_millis.load(Ordering::SeqCst);
        Timestamp::from_millisecond(BEGINNING * 1_000 + millis).unwrap_or(Timestamp::MAX)
    }

    /// Time passes.
    pub fn pass(&self, millis: u32) {
        self.elapsed_millis.fetch_add(i64::from(millis), Ordering::SeqCst);
    }

    /// The clock of a part, which goes wrong by so much until all is well at last.
    pub fn clock(self: &std::sync::Arc<Self>, wrong_by: SignedDuration) -> Clock {
        let world = self.clone();
        std::sync::Arc::new(move || if world.is_calm() { world.now() } else { world.now() + wrong_by })
    }

    /// Much time passes at once: more than those who wait for something get to see.
    pub fn leap(&self, by: SignedDuration) {
        self.elapsed_millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }

    /// Makes the clock jump.
    pub fn jump(&self, by: SignedDuration) {
        self.offset_millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }

    /// Makes the clock go right again.
    pub fn set_right(&self) {
        self.offset_millis.store(0, Ordering::SeqCst);
    }

    /// From now on there is trouble, of so many per cent of all calls.
    pub fn storm(&self, percent: u32) {
        self.trouble_percent.store(percent, Ordering::SeqCst);
        self.calm.store(false, Ordering::SeqCst);
    }

    /// From now on all is well.
    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::SeqCst);
        self.down.store(false, Ordering::SeqCst);
    }

    /// Whether all is well.
    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::SeqCst)
    }

    /// Trouble, in per cent of all calls.
    pub fn trouble_percent(&self) -> u32 {
        self.trouble_percent.load(Ordering::SeqCst)
    }

    /// Takes all stores away, or gives them back.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Whether the stores are away.
    pub fn is_down(&self) -> bool {
        self.down.load(Ordering::SeqCst)
    }

    /// Somebody did something.
    pub fn active(&self) {
        self.activity.fetch_add(1, Ordering::SeqCst);
    }

    /// How often somebody did something.
    pub fn activity(&self) -> u64 {
        self.activity.load(Ordering::SeqCst)
    }

    /// Writes down what happened.
    pub fn trace(&self, what: &str) {
        let elapsed = self.elapsed_millis.load(Ordering::SeqCst);
        self.trace.lock().expect("no holder of the lock panics").push(format!("{elapsed:>7} {what}"));
    }

    /// What happened.
    pub fn traced(&self) -> Vec<String> {
        self.trace.lock().expect("no holder of the lock panics").clone()
    }
}
