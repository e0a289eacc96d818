//! Which seeds are run, on all cores, and what is said of one that fails.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::driver;
use crate::report::Report;

/// One seed only, with every step of it.
const SEED: &str = "DOSSIER_SIMULATION_SEED";
/// So many seeds, from 0 on.
const SEEDS: &str = "DOSSIER_SIMULATION_SEEDS";
/// Seeds of a daily run.
const DAILY: u64 = 50;

/// How long SQLite is given where many seeds are to be run: a run may go another way on a busy machine, and is as good.
const BRISK: Duration = Duration::from_millis(2);
/// The same where every step counts.
const PATIENT: Duration = Duration::from_millis(20);

/// What came of all seeds.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Seeds that kept every promise.
    pub passed: u64,
    /// The others, with why, and the line that reproduces it.
    pub failed: Vec<String>,
    /// What the runs were like together.
    pub total: Report,
}

/// Runs the seed that the environment names, or as many as it says, or the daily ones.
///
/// # Panics
/// When the environment names something that is no number.
pub fn of_environment() -> Outcome {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().unwrap_or_else(|_| panic!("{name}: {text} is not a number")))
    };
    match number(SEED) {
        Some(seed) => run(seed..=seed, true),
        None => run(0..=number(SEEDS).unwrap_or(DAILY).saturating_sub(1), false),
    }
}

/// The same seed twice: the steps must be the same.
///
/// # Errors
/// The first step that differs.
pub fn reproduces(seed: u64) -> Result<(), String> {
    let ((_, first), (_, second)) = (driver::run(seed, PATIENT), driver::run(seed, PATIENT));
    if first == second {
        return Ok(());
    }
    let at = first.iter().zip(&second).position(|(one, other)| one != other);
    let at = at.unwrap_or(first.len().min(second.len()));
    Err(format!("seed {seed} differs at step {at}: {:?} and {:?}", first.get(at), second.get(at)))
}

fn run(seeds: std::ops::RangeInclusive<u64>, wordy: bool) -> Outcome {
    let next = AtomicU64::new(*seeds.start());
    let outcome = Mutex::new(Outcome::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if !seeds.contains(&seed) {
                return;
            }
            let (result, steps) = driver::run(seed, if wordy { PATIENT } else { BRISK });
            if wordy {
                for step in &steps {
                    say(step);
                }
            }
            let mut outcome = outcome.lock().expect("no holder of the lock panics");
            match result {
                Ok(report) => {
                    outcome.passed += 1;
                    outcome.total.add(report);
                }
                Err(why) => outcome.failed.push(format!("seed {seed}: {why}\n    {}", line(seed))),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    outcome.into_inner().expect("no holder of the lock panics")
}

fn line(seed: u64) -> String {
    format!("{SEED}={seed} cargo test -p dossier-simulation --test seeds -- --nocapture every_seed")
}

#[expect(clippy::print_stdout, reason = "asked for with the seed")]
fn say(step: &str) {
    println!("{step}");
}
