//! What goes wrong.

use std::time::Duration;

use dossier_tests::fleet::PATIENCE;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::load::Chance;
use crate::world::World;

/// A fault, struck once under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    KillApi,
    KillRelay,
    KillProjectors,
    KillProcesses,
    KillNats,
    KillEventStore,
    KillReadModels,
    PauseApi,
    PauseRelay,
    PauseProjectors,
    PauseProcesses,
    PauseNats,
    PauseEventStore,
    PauseReadModels,
    DropConnections,
    DeleteStream,
    FullDiskUnderNats,
    LoseAnswerToCommit,
}

/// How long a killed part stays away.
const AWAY: Duration = Duration::from_secs(1);

impl Fault {
    pub(crate) const ALL: [Self; 18] = [
        Self::KillApi,
        Self::KillRelay,
        Self::KillProjectors,
        Self::KillProcesses,
        Self::KillNats,
        Self::KillEventStore,
        Self::KillReadModels,
        Self::PauseApi,
        Self::PauseRelay,
        Self::PauseProjectors,
        Self::PauseProcesses,
        Self::PauseNats,
        Self::PauseEventStore,
        Self::PauseReadModels,
        Self::DropConnections,
        Self::DeleteStream,
        Self::FullDiskUnderNats,
        Self::LoseAnswerToCommit,
    ];

    /// Strikes, and mends what nobody else would mend.
    pub(crate) async fn strike(self, world: &mut World, chance: &mut Chance, standstill: Duration) {
        match self {
            Self::KillApi => kill(world, &format!("api-{}", 1 + chance.below(2))).await,
            Self::KillRelay => {
                let node = world.active("/relay").await;
                kill(world, &node).await;
            }
            Self::KillProjectors => {
                let node = world.active("/readModels/cases").await;
                kill(world, &node).await;
            }
            Self::KillProcesses => kill(world, "processes-1").await,
            Self::PauseApi => pause(world, &format!("api-{}", 1 + chance.below(2)), standstill).await,
            Self::PauseRelay => {
                let node = world.active("/relay").await;
                pause(world, &node, standstill).await;
            }
            Self::PauseProjectors => {
                let node = world.active("/readModels/cases").await;
                pause(world, &node, standstill).await;
            }
            Self::PauseProcesses => pause(world, "processes-1", standstill).await,
            Self::KillNats => {
                world.fleet.nats.kill();
                sleep(AWAY).await;
                world.fleet.nats.restart();
            }
            Self::KillEventStore => {
                world.fleet.log.kill();
                world.reads_go_on().await;
                sleep(AWAY).await;
                world.fleet.log.restart();
            }
            Self::KillReadModels => {
                world.fleet.reads.kill();
                sleep(AWAY).await;
                world.fleet.reads.restart();
            }
            Self::PauseNats => {
                world.fleet.nats.signal("STOP");
                sleep(standstill).await;
                world.fleet.nats.signal("CONT");
            }
            Self::PauseEventStore => {
                world.fleet.log.signal("STOP");
                world.reads_go_on().await;
                sleep(standstill).await;
                world.fleet.log.signal("CONT");
            }
            Self::PauseReadModels => {
                world.fleet.reads.signal("STOP");
                sleep(standstill).await;
                world.fleet.reads.signal("CONT");
            }
            Self::DropConnections => {
                let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND \
                           backend_type = 'client backend'";
                world.fleet.log.run(all);
                world.fleet.reads.run(all);
            }
            Self::DeleteStream => world.job.delete_events_stream().await,
            Self::FullDiskUnderNats => {
                limit_files(world, "4096").await;
                sleep(standstill).await;
                limit_files(world, "unlimited").await;
                // What its server does of itself after a failed write differs; an operator starts it again.
                world.fleet.nats.restart();
            }
            Self::LoseAnswerToCommit => {
                let before = world.proxy.lost();
                world.proxy.lose_an_answer();
                let deadline = Instant::now() + PATIENCE;
                while world.proxy.lost() == before {
                    assert!(Instant::now() < deadline, "no commit passed the proxy");
                    sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }
}

async fn kill(world: &mut World, node: &str) {
    world.kill(node).await;
    sleep(AWAY).await;
    world.start_node(node).await;
}

async fn pause(world: &mut World, node: &str, standstill: Duration) {
    world.node(node).signal("STOP").await;
    sleep(standstill).await;
    world.node(node).signal("CONT").await;
}

/// Lets the bus's server write no file beyond a length, as if the disk were full.
async fn limit_files(world: &World, bytes: &str) {
    let pid = world.fleet.nats.pid().to_string();
    let limit = format!("--fsize={bytes}:unlimited");
    let set = Command::new("prlimit").args(["--pid", &pid, &limit]).status().await.unwrap();
    assert!(set.success(), "prlimit: install it with: apt-get install util-linux");
}
