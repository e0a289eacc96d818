//! Faults under load, on a fleet of real processes with private PostgreSQL and NATS servers: whatever dies, stands still or
//! loses its answers, every acknowledged command is in the log exactly once, nothing else is, read models equal rebuilt
//! ones, and an analytics job misses nothing. What each fault cost is printed as a table.
//!
//! Short by default; `make faults` has each fault several times, and stands still for ten seconds.
//! `DOSSIER_FAULT_SEED` repeats a run's choices (not its timing), `DOSSIER_FAULT_ROUNDS` and `DOSSIER_FAULT_SECONDS` set its
//! length, `DOSSIER_FAULT_ONLY` names the one fault to strike with.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails it")]
#![expect(clippy::print_stdout, reason = "shown beside a failure: the seed that repeats it, and the table")]

mod fault;
mod job;
#[path = "../it/load.rs"]
#[expect(dead_code, reason = "shared with the tests of crashes, which use more of it")]
mod load;
mod proxy;
mod verdict;
mod worker;
mod world;

use std::time::{Duration, Instant};

use fault::Fault;
use load::Chance;
use world::World;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn seed() -> u64 {
    from_environment("DOSSIER_FAULT_SEED").unwrap_or_else(|| {
        let mut bytes = [0; 8];
        (dossier_api::edge::entropy())(&mut bytes);
        u64::from_be_bytes(bytes)
    })
}

/// What one fault has cost.
struct Cost {
    fault: Fault,
    times: u32,
    acknowledged: usize,
    refused: usize,
    /// From the end of the fault until a write is acknowledged by every node and shown by every other.
    slowest_recovery: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_nothing_acknowledged_is_lost_or_done_twice() {
    let seed = seed();
    println!("DOSSIER_FAULT_SEED={seed}");
    let rounds = from_environment("DOSSIER_FAULT_ROUNDS").unwrap_or(1);
    let standstill = Duration::from_secs(from_environment("DOSSIER_FAULT_SECONDS").unwrap_or(3));
    let mut chance = Chance::new(seed);
    let mut world = World::start(chance.next()).await;
    let mut costs: Vec<Cost> = Vec::new();
    for _ in 0..rounds {
        let mut faults = Fault::ALL.to_vec();
        if let Ok(only) = std::env::var("DOSSIER_FAULT_ONLY") {
            faults.retain(|fault| format!("{fault:?}") == only);
        }
        while !faults.is_empty() {
            let fault = faults.swap_remove(chance.below(faults.len()));
            let before = world.counts();
            // At any instant of the load.
            tokio::time::sleep(Duration::from_millis(300 + chance.next() % 700)).await;
            fault.strike(&mut world, &mut chance, standstill).await;
            let ended = Instant::now();
            world.recovered(fault).await;
            let recovery = ended.elapsed();
            let after = world.counts();
            println!("{fault:?}: recovered after {recovery:.2?}");
            let place = costs.iter().position(|cost| cost.fault == fault).unwrap_or_else(|| {
                costs.push(Cost {
                    fault,
                    times: 0,
                    acknowledged: 0,
                    refused: 0,
                    slowest_recovery: Duration::ZERO,
                });
                costs.len() - 1
            });
            let cost = &mut costs[place];
            cost.times += 1;
            cost.acknowledged += after.acknowledged - before.acknowledged;
            cost.refused += after.refused - before.refused;
            cost.slowest_recovery = cost.slowest_recovery.max(recovery);
        }
    }
    let verdict = world.end().await;
    println!(
        "{:<28} {:>5} {:>12} {:>8} {:>5} {:>6} {:>12}",
        "fault", "times", "acknowledged", "refused", "lost", "twice", "recovery"
    );
    costs.sort_by_key(|cost| format!("{:?}", cost.fault));
    for cost in &costs {
        println!(
            "{:<28} {:>5} {:>12} {:>8} {:>5} {:>6} {:>10.2} s",
            format!("{:?}", cost.fault),
            cost.times,
            cost.acknowledged,
            cost.refused,
            0,
            0,
            cost.slowest_recovery.as_secs_f64()
        );
    }
    println!("{verdict}");
}
