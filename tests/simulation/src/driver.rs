//! One run: people act, parts are killed, held and woken, the weather changes; then all is well again, everything comes to
//! rest, and is compared.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dossier_commands::Request;
use dossier_domain::CommandId;
use dossier_eventlog::{MemoryKeyStore, Position, RelayOptions, Secret};
use dossier_processes::notifications::fan_out;
use dossier_processes::reactor::claim_new_log;
use dossier_processes::work_store::WorkCheckpoint;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::acts::{self, Act, Ledger};
use crate::bus::SimulatedBus;
use crate::checks;
use crate::log::{Log, Uniqueness};
use crate::nodes::{ApiNode, Free, Ground, RelayNode};
use crate::part::Part;
use crate::people::{self, OPERATOR, ORGANIZATIONS};
use crate::processes::{self, ReactorNode, Role};
use crate::projector::{Model, Projector};
use crate::report::Report;
use crate::senders::{SenderNode, Server};
use crate::work::Work;
use crate::world::World;

mod troubles;

/// Steps of a run.
const STEPS: u32 = 80;
/// Steps within which everything must have come to rest.
const STEPS_TO_REST: u32 = 400;

/// Runs a seed; answers what it was like, or what went wrong, and every step of it.
pub fn run(seed: u64, quiet: Duration) -> (Result<Report, String>, Vec<String>) {
    let world = Arc::new(World::new(seed, quiet));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        Run::new(&world, folder.path())?.through()
    }));
    let result = outcome.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        Err(said.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default())
    });
    (result, world.traced())
}

struct Run<'a> {
    ground: Ground,
    free: Free,
    folder: &'a Path,
    random: fastrand::Rng,
    ledger: Arc<Ledger>,
    nodes: [Option<ApiNode>; 2],
    relays: [Option<RelayNode>; 2],
    reactors: [Option<ReactorNode>; 2],
    senders: [Option<SenderNode>; 2],
    server: Arc<Server>,
    projectors: [Option<Projector>; Model::ALL.len()],
    /// Held while another one does their work, or woken beside it.
    sleepers: Vec<Projector>,
    /// Where the fan-out began.
    told_from: WorkCheckpoint,
}

impl<'a> Run<'a> {
    fn new(world: &Arc<World>, folder: &'a Path) -> Result<Self, String> {
        let mut random = world.random_for("driver");
        let uniqueness = if random.bool() { Uniqueness::Index } else { Uniqueness::OriginalRevision };
        let keeps = random.bool();
        let relaying = if keeps { RelayOptions::shared() } else { RelayOptions::default() };
        let log = Log::new(world, uniqueness);
        let secret = Secret::new([7; 32]);
        let ground = Ground {
            world: world.clone(),
            bus: SimulatedBus::new(world, keeps),
            work: Arc::new(Work::default()),
            keys: Arc::new(MemoryKeyStore::new(log.id(), secret)),
            relaying: RelayOptions { batch_events: 5, ..relaying },
            log,
        };
        world.trace(&format!("{uniqueness:?}, the bus keeps: {keeps}"));
        let mut run = Self {
            free: Free::new(world),
            ground,
            folder,
            random,
            ledger: Arc::default(),
            nodes: [None, None],
            relays: [None, None],
            reactors: [None, None],
            senders: [None, None],
            server: Arc::default(),
            projectors: [const { None }; Model::ALL.len()],
            sleepers: Vec::new(),
            told_from: WorkCheckpoint { log_id: Uuid::nil(), position: Position::START, event_id: None },
        };
        run.set_up()?;
        // Deployed before the first case is filed: one of them begins at the head.
        run.start_reactors(0);
        run.free.settle();
        run.told_from = run.ground.work.checkpoint(fan_out::NAME).ok_or("the fan-out has no checkpoint")?;
        Ok(run)
    }

    /// Registers the organizations, in fair weather.
    fn set_up(&self) -> Result<(), String> {
        let part = Part::new(&self.ground.world, "set-up");
        let commands = self.ground.commands(&part);
        self.free.finish(async {
            let (log, work) = (self.ground.log.seen_by(&part), self.ground.work.seen_by(&part));
            claim_new_log(&*log, &*work).await.map_err(|error| error.to_string())?;
            let mut number = 0;
            for (name, members) in ORGANIZATIONS {
                for command in people::set_up(commands.sealer(), name, &members, self.ground.world.now()) {
                    number += 1;
                    let request = Request {
                        command_id: CommandId(Uuid::from_u128(number)),
                        fingerprint: "set-up".to_owned(),
                        actor: people::actor(commands.sealer(), OPERATOR),
                        acting_for: None,
                        correlation_id: "set-up".to_owned(),
                        causation_id: None,
                        if_match: None,
                    };
                    let done = commands.access(&request, &people::organization(name), &command).await;
                    done.map_err(|error| format!("set-up: {error}"))?;
                }
            }
            Ok(())
        })
    }

    fn through(mut self) -> Result<Report, String> {
        // Whatever jumps back, the members' access has begun.
        self.ground.world.pass(120_000);
        let trouble = self.random.u32(0..12);
        self.ground.world.storm(trouble);
        for step in 0..STEPS {
            self.ground.world.trace(&format!("step {step}"));
            for _ in 0..self.random.u32(1..5) {
                if self.random.u32(0..100) < 70 {
                    self.somebody_acts();
                } else {
                    self.disturb()?;
                }
                let rounds = self.random.u32(0..8);
                self.free.run(rounds);
            }
            let millis = match self.random.u32(0..10) {
                0 => self.random.u32(5_000..20_000),
                1..4 => 0,
                _ => self.random.u32(1..3_000),
            };
            self.let_pass(millis)?;
            if self.random.u32(0..100) < 20 {
                self.leap()?;
            }
        }
        self.come_to_rest()?;
        checks::timers::none_is_lost(&self.ground)?;
        if self.random.bool() {
            self.see_everything_due()?;
        }
        let repeated = self.repeat_what_was_done()?;
        checks::all(&self.ground, &self.ledger.sendings(), &repeated)?;
        let messages = checks::messages::each_intended_once(&self.ground, &self.free, &self.told_from)?;
        checks::messages::none_is_lost_or_doubled(&self.ground, &self.server)?;
        self.compare_rows()?;
        if self.random.u32(0..3) == 0 {
            self.lose_the_work_store()?;
        }
        let sendings = self.ledger.sendings();
        Ok(Report {
            events: self.ground.log.events().len(),
            sent: sendings.len(),
            done: sendings
                .iter()
                .filter(|sending| matches!(sending.answer, acts::Answer::Done { .. }))
                .count(),
            effects: checks::effects(&self.ground)?.len(),
            timers: checks::timers::gone_off(&self.ground)?,
            merges: checks::merges::on_both_sides(&self.ground)?,
            messages,
        })
    }

    /// Time passes, and everybody who can works.
    fn let_pass(&mut self, millis: u32) -> Result<(), String> {
        self.free.settle();
        self.ground.world.pass(millis);
        self.free.pass(millis);
        let calm = self.ground.world.is_calm();
        let mut outlives_its_turn = |projector: &Projector| {
            if calm || self.random.u32(0..100) < 80 {
                projector.turn(millis)?;
            }
            Ok::<_, String>(projector.is_alive())
        };
        // Whoever dies is buried before the next one's turn: it may have died holding the database.
        for slot in &mut self.projectors {
            if let Some(projector) = slot
                && !outlives_its_turn(projector)?
            {
                *slot = None;
            }
        }
        for index in (0..self.sleepers.len()).rev() {
            if !outlives_its_turn(&self.sleepers[index])? {
                drop(self.sleepers.swap_remove(index));
            }
        }
        for relay in self.relays.iter().flatten() {
            relay.check()?;
        }
        for node in self.reactors.iter().flatten() {
            node.check()?;
        }
        Ok(())
    }

    /// So much time passes that everything comes due, and what comes of that.
    fn see_everything_due(&mut self) -> Result<(), String> {
        for _ in 0..3 {
            self.ground.world.trace("everything comes due");
            self.ground.world.leap(SignedDuration::from_hours(24 * 32));
            self.come_to_rest()?;
        }
        let left = self.ground.work.timers();
        if left.is_empty() { Ok(()) } else { Err(format!("timers are left: {left:?}")) }
    }

    fn somebody_acts(&mut self) {
        let act = acts::draw(&mut self.random, &self.ledger);
        self.somebody_does(act);
    }

    fn somebody_does(&mut self, act: Act) {
        let slot = self.random.usize(0..2);
        let mirrored = acts::mirrored(&mut self.random, &act);
        self.send(slot, act);
        if let Some(act) = mirrored {
            self.send(1 - slot, act);
        }
    }

    fn send(&mut self, slot: usize, act: Act) {
        let name = ["api-a", "api-b"][slot];
        let node = self.nodes[slot].get_or_insert_with(|| ApiNode::start(&self.ground, name));
        node.send(&self.free, &self.ledger, act);
    }

    fn start_relay(&mut self, slot: usize) {
        let name = ["relay-a", "relay-b"][slot];
        self.relays[slot].get_or_insert_with(|| RelayNode::start(&self.ground, &self.free, name));
    }

    fn start_reactors(&mut self, slot: usize) {
        let name = ["reactors-a", "reactors-b"][slot];
        self.reactors[slot].get_or_insert_with(|| {
            ReactorNode::start(&self.ground, &self.free, name, Role::All { choice: None })
        });
    }

    fn start_sender(&mut self, slot: usize) {
        let name = ["sender-a", "sender-b"][slot];
        let (ground, server, free) = (&self.ground, &self.server, &self.free);
        self.senders[slot].get_or_insert_with(|| SenderNode::start(ground, server, free, name));
    }

    fn start_projector(&mut self, slot: usize) -> Result<(), String> {
        if self.projectors[slot].is_none() {
            let model = Model::ALL[slot];
            // Nobody in memory gets on while SQLite's threads work.
            self.free.settle();
            self.projectors[slot] = Some(Projector::start(&self.ground, model.name(), model, self.folder)?);
        }
        Ok(())
    }

    /// All is well, everybody is there and awake, and works until there is nothing left to do.
    fn come_to_rest(&mut self) -> Result<(), String> {
        let world = self.ground.world.clone();
        world.trace("all is well");
        world.calm_down();
        world.set_right();
        self.wake();
        for slot in 0..2 {
            self.start_relay(slot);
            self.start_reactors(slot);
            self.start_sender(slot);
        }
        for model in 0..Model::ALL.len() {
            self.start_projector(model)?;
        }
        for _ in 0..STEPS_TO_REST {
            self.ground.bus.deliver_delayed();
            self.let_pass(500)?;
            if self.unfinished()?.is_none() {
                return Ok(());
            }
        }
        Err(format!("it does not come to rest: {}", self.unfinished()?.unwrap_or_default()))
    }

    /// What is still to be done.
    fn unfinished(&mut self) -> Result<Option<String>, String> {
        for node in self.nodes.iter_mut().flatten() {
            if !node.is_idle(&self.free)? {
                return Ok(Some(format!("{} is at work", node.part.name)));
            }
        }
        let head = self.ground.log.head();
        for name in processes::FOLLOWERS {
            let checkpoint = self.ground.work.checkpoint(name);
            if checkpoint.is_none_or(|checkpoint| checkpoint.position != head) {
                return Ok(Some(format!("{name} stands at {checkpoint:?}, the log at {head}")));
            }
        }
        if let Some(id) = self.ground.work.first_unsettled() {
            return Ok(Some(format!("message {id} is not settled")));
        }
        if let Some(due) = self.ground.work.first_due(self.ground.world.now()) {
            return Ok(Some(format!("{due:?} has not gone off")));
        }
        if !self.relays.iter().flatten().any(|relay| relay.status.last_published() == head) {
            return Ok(Some("the relays are behind".to_owned()));
        }
        for projector in self.projectors.iter().flatten() {
            let status = projector.status();
            if status.position != head {
                return Ok(Some(format!("{} stands at {status:?}, the log at {head}", projector.part.name)));
            }
        }
        Ok(None)
    }

    /// Sends everything that was done once more, to a node that has seen nothing of it; answers what came back.
    fn repeat_what_was_done(&mut self) -> Result<Vec<acts::Sending>, String> {
        let ledger = Arc::new(Ledger::default());
        let mut node = ApiNode::start(&self.ground, "repeats");
        let done = self.ledger.sendings().into_iter();
        for sending in done.filter(|sending| matches!(sending.answer, acts::Answer::Done { events: 1.., .. }))
        {
            node.send(&self.free, &ledger, sending.act);
            self.free.settle();
        }
        if !node.is_idle(&self.free)? {
            return Err("repeats are not answered".to_owned());
        }
        Ok(ledger.sendings())
    }

    /// The live rows, those rebuilt beside them, those rebuilt elsewhere, and the fold of the log.
    fn compare_rows(&mut self) -> Result<(), String> {
        let dump = |projector: &Projector| {
            let name = projector.model.name();
            projector.with(projector.models.dump(name)).map_err(|error| error.to_string())
        };
        let elsewhere = tempfile::tempdir().map_err(|error| error.to_string())?;
        let head = self.ground.log.head();
        for projector in self.projectors.iter().flatten() {
            let name = projector.model.name();
            let live = dump(projector)?;
            let anew = Projector::start(&self.ground, "anew", projector.model, elsewhere.path())?;
            anew.turn(0)?;
            if anew.status().position != head {
                return Err(format!("{name}: rebuilt up to {:?} only", anew.status()));
            }
            checks::same_rows(name, "live", &live, "rebuilt elsewhere", &dump(&anew)?)?;
            let rebuilt = projector.with(projector.models.rebuild(name, &|_| {}));
            rebuilt.map_err(|error| error.to_string())?;
            checks::same_rows(name, "live", &live, "rebuilt beside it", &dump(projector)?)?;
            if projector.model == Model::Cases {
                let part = Part::new(&self.ground.world, "fold");
                projector.with(checks::rows_are_the_fold(
                    &self.ground,
                    &part,
                    projector.models.database(),
                ))?;
            }
        }
        Ok(())
    }
}
