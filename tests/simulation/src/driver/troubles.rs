//! What happens to a run: parts are killed, held and woken, stores go away, clocks jump, much time passes.

use std::sync::Arc;

use dossier_processes::Begin;
use jiff::SignedDuration;

use super::Run;
use crate::acts;
use crate::checks;
use crate::part::Part;
use crate::processes::{ReactorNode, Role};
use crate::projector::Model;

impl Run<'_> {
    /// Minutes, days or weeks pass, often until a timer is nearly or just due; perhaps nobody who acts by itself is there
    /// meanwhile.
    pub(super) fn leap(&mut self) -> Result<(), String> {
        let now = self.ground.world.now();
        let dues: Vec<_> = self.ground.work.timers().iter().map(|set| set.timer.due).collect();
        let soon: Vec<_> = dues.into_iter().filter(|due| *due > now).take(3).collect();
        let by = match (self.random.choice(&soon), self.random.u32(0..10)) {
            (Some(due), 0..8) => {
                due.duration_since(now) + SignedDuration::from_millis(self.random.i64(-3_000..3_000))
            }
            (_, 0..9) => SignedDuration::from_mins(self.random.i64(5..4_320)),
            _ => SignedDuration::from_mins(self.random.i64(4_320..50_000)),
        };
        for slot in 0..2 {
            if self.random.bool() {
                self.reactors[slot] = None;
            }
        }
        self.ground.world.trace(&format!("{by:#} pass"));
        self.ground.world.leap(by.max(SignedDuration::ZERO));
        for _ in 0..self.random.u32(0..3) {
            self.somebody_acts();
        }
        if self.random.u32(0..4) == 0 {
            for act in acts::back_and_forth(&mut self.random, &self.ledger) {
                self.somebody_does(act);
                self.free.settle();
            }
        }
        if self.random.bool() {
            self.start_reactors(0);
        }
        if self.random.u32(0..3) == 0 {
            // Just when something may be going off.
            self.ground.world.pass(100);
            self.free.wake(100);
            let rounds = self.random.u32(0..30);
            self.free.run(rounds);
            self.ground.world.trace("the clock is set back");
            self.ground.world.jump(SignedDuration::from_secs(-self.random.i64(1..10)));
        }
        let millis = self.random.u32(0..2_000);
        self.let_pass(millis)
    }

    /// The work store is lost beside the log, and whoever acts by itself goes through all of history again: nothing is done
    /// twice, and nobody is told of what was.
    pub(super) fn lose_the_work_store(&mut self) -> Result<(), String> {
        self.ground.world.trace("the work store is lost");
        self.reactors = [None, None];
        self.senders = [None, None];
        self.ground.work = Arc::default();
        let head = self.ground.log.head();
        let role = Role::All { choice: Some(Begin::AtBeginning) };
        self.reactors[0] = Some(ReactorNode::start(&self.ground, &self.free, "reactors-a", role));
        self.free.settle();
        self.come_to_rest()?;
        checks::by_itself(&self.ground)?;
        checks::messages::none_up_to(&self.ground, head)
    }

    /// Something happens to a part, or to all.
    pub(super) fn disturb(&mut self) -> Result<(), String> {
        let slot = self.random.usize(0..2);
        let model = self.random.usize(0..Model::ALL.len());
        let points = self.random.u32(0..6);
        let world = self.ground.world.clone();
        let drawn = self.random.u32(0..34);
        world.trace(&format!("disturbance {drawn} in {slot} or {model}"));
        match drawn {
            0 | 1 => self.nodes[slot] = None,
            2 => hold(self.nodes[slot].as_ref().map(|node| &node.part), points),
            3 => hold(self.relays[slot].as_ref().map(|relay| &relay.part), points),
            4 => self.relays[slot] = None,
            5 | 6 => self.start_relay(slot),
            7 => hold(self.reactors[slot].as_ref().map(|node| &node.part), points),
            8 | 9 => self.reactors[slot] = None,
            10 | 11 => self.start_reactors(slot),
            12 | 13 => self.projectors[model] = None,
            14 | 15 => self.start_projector(model)?,
            16 | 17 => {
                // It is held wherever it stands then, and another one takes its place.
                if let Some(projector) = self.projectors[model].take() {
                    projector.part.hold_after(points);
                    self.sleepers.push(projector);
                    self.start_projector(model)?;
                }
            }
            18 => self.wake(),
            19 => {
                if !self.sleepers.is_empty() {
                    let dies = self.random.usize(0..self.sleepers.len());
                    drop(self.sleepers.remove(dies));
                }
            }
            20 => world.set_down(!world.is_down()),
            21 => world.set_down(false),
            22 => {
                let seconds = self.random.i64(-90..90);
                world.trace(&format!("the clock jumps by {seconds} s"));
                world.jump(SignedDuration::from_secs(seconds));
            }
            23 => {
                if self.random.u32(0..3) == 0 {
                    world.trace("the bus loses everything");
                    self.ground.bus.delete_stream();
                }
            }
            24 | 25 => self.ground.bus.deliver_delayed(),
            30 | 31 => self.start_sender(slot),
            32 => hold(self.senders[slot].as_ref().map(|sender| &sender.part), points),
            33 => self.senders[slot] = None,
            _ => {
                // It is held in the middle of what it does, for longer than its lease; sometimes for ever.
                hold(self.reactors[slot].as_ref().map(|node| &node.part), 2 * points);
                for _ in 0..5 {
                    self.somebody_acts();
                }
                self.let_pass(16_000)?;
                if drawn > 27 {
                    self.reactors[slot] = None;
                }
                self.start_reactors(1 - slot);
            }
        }
        Ok(())
    }

    pub(super) fn wake(&mut self) {
        let parts = self.nodes.iter().flatten().map(|node| &node.part);
        let parts = parts.chain(self.relays.iter().flatten().map(|relay| &relay.part));
        let parts = parts.chain(self.reactors.iter().flatten().map(|node| &node.part));
        let parts = parts.chain(self.projectors.iter().flatten().map(|projector| &projector.part));
        let parts = parts.chain(self.senders.iter().flatten().map(|sender| &sender.part));
        parts.chain(self.sleepers.iter().map(|sleeper| &sleeper.part)).for_each(|part| part.release());
    }
}

fn hold(part: Option<&Arc<Part>>, points: u32) {
    if let Some(part) = part {
        part.hold_after(points);
    }
}
