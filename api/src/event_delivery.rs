//! Telling organizations' machines what happens: who writes the messages down, and who carries them.

use std::sync::Arc;

use dossier_commands::{Clock, Commands};
use dossier_eventlog::Subjects;
use dossier_processes::notifications::webhooks::{Courier, EventFollower, actor};
use dossier_processes::reactor::ReactorStatus;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// How the delivery of events gets on.
pub struct Delivering {
    /// Who writes the messages down.
    pub follower: watch::Receiver<ReactorStatus>,
    /// Why the ledger does not answer whoever carries them; `None`: it does.
    pub courier: watch::Receiver<Option<String>>,
}

/// Starts both among other tasks; they run until cancelled. Answers how they get on. `subjects` are those of the bus, where it has any.
pub(crate) fn start(
    app: &App,
    commands: &Arc<Commands>,
    clock: &Clock,
    subjects: Option<Arc<dyn Subjects>>,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> Delivering {
    let (work, node) = (app.fleet.work.clone(), app.fleet.node.clone());
    let actor = actor(commands.sealer());
    let follower = EventFollower {
        store: app.store.clone(),
        work: work.clone(),
        commands: commands.clone(),
        actor: actor.clone(),
        read_models: app.read_models.clone(),
        has_subjects: subjects.is_some(),
        clock: clock.clone(),
        node: node.clone(),
    };
    let follower = follower.start(stop, tasks);
    let courier = Courier {
        store: app.store.clone(),
        work,
        commands: commands.clone(),
        actor,
        queries: app.event_delivery.clone(),
        sender: app.webhooks.clone(),
        subjects,
        clock: clock.clone(),
        entropy: app.entropy.clone(),
        node,
    };
    Delivering { follower, courier: courier.start(stop, tasks) }
}
