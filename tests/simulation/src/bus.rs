//! The simulated bus: fences a second publisher, keeps what was published or forgets it, and on the way to the
//! consumers loses, doubles, delays and shuffles.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use async_trait::async_trait;
use dossier_eventlog::{Bus, BusError, BusMessage, BusSubscription, EventId, Position, PublishError};

use crate::part::{Fate, Part};
use crate::world::World;

struct Inner {
    /// Everything published since the stream was made.
    record: Vec<BusMessage>,
    last: Option<(Position, EventId)>,
    queues: Vec<Weak<Queue>>,
    random: fastrand::Rng,
}

/// What is on its way to one subscription.
struct Queue {
    part: Arc<Part>,
    messages: Mutex<Messages>,
}

#[derive(Default)]
struct Messages {
    ready: VecDeque<BusMessage>,
    delayed: Vec<BusMessage>,
    ended: bool,
}

/// The bus itself.
pub struct SimulatedBus {
    world: Arc<World>,
    /// Whether a new consumer gets what was published before.
    keeps: bool,
    inner: Mutex<Inner>,
}

impl SimulatedBus {
    /// An empty bus.
    pub fn new(world: &Arc<World>, keeps: bool) -> Arc<Self> {
        let random = world.random_for("bus");
        let inner = Inner { record: Vec::new(), last: None, queues: Vec::new(), random };
        Arc::new(Self { world: world.clone(), keeps, inner: Mutex::new(inner) })
    }

    /// A part's way to it.
    pub fn seen_by(self: &Arc<Self>, part: &Arc<Part>) -> Arc<dyn Bus> {
        Arc::new(View { bus: self.clone(), part: part.clone() })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of the lock panics")
    }

    /// Every message since the stream was made: the position before it, and its own.
    pub fn record(&self) -> Vec<(Position, Position)> {
        let inner = self.inner();
        inner.record.iter().map(|message| (message.previous_position, message.event.position)).collect()
    }

    /// Loses everything it holds, and everybody's subscription.
    pub fn delete_stream(&self) {
        let mut inner = self.inner();
        inner.record.clear();
        inner.last = None;
        for queue in std::mem::take(&mut inner.queues).iter().filter_map(Weak::upgrade) {
            queue.messages().ended = true;
            queue.part.call();
        }
    }

    /// Delivers what was held back.
    pub fn deliver_delayed(&self) {
        for queue in self.inner().queues.iter().filter_map(Weak::upgrade) {
            let mut messages = queue.messages();
            let delayed = std::mem::take(&mut messages.delayed);
            messages.ready.extend(delayed);
            let any = !messages.ready.is_empty();
            drop(messages);
            if any {
                queue.part.call();
            }
        }
    }

    fn publish(&self, expected_last: Option<Position>, messages: &[BusMessage]) -> Result<(), PublishError> {
        let mut inner = self.inner();
        let actual = inner.last.map(|(position, _)| position);
        if actual != expected_last {
            return Err(PublishError::Fenced { actual });
        }
        for message in messages {
            inner.last = Some((message.event.position, message.event.event_id));
            inner.record.push(message.clone());
            inner.deliver(message, self.world.is_calm());
        }
        Ok(())
    }
}

impl Inner {
    fn deliver(&mut self, message: &BusMessage, calm: bool) {
        self.queues.retain(|queue| queue.strong_count() > 0);
        for queue in self.queues.iter().filter_map(Weak::upgrade) {
            let drawn = if calm { 100 } else { self.random.u32(0..100) };
            let mut messages = queue.messages();
            match drawn {
                0..10 => {}
                10..20 => messages.delayed.push(message.clone()),
                20..30 => messages.ready.extend([message.clone(), message.clone()]),
                30..40 => {
                    let at = self.random.usize(0..=messages.ready.len());
                    messages.ready.insert(at, message.clone());
                }
                _ => messages.ready.push_back(message.clone()),
            }
            drop(messages);
            queue.part.call();
        }
    }
}

impl Queue {
    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().expect("no holder of the lock panics")
    }
}

struct View {
    bus: Arc<SimulatedBus>,
    part: Arc<Part>,
}

#[async_trait]
impl Bus for View {
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError> {
        self.part.point().await;
        if self.part.fate() != Fate::Fine {
            self.part.errs();
            return Err(BusError::Unavailable("simulated".to_owned()));
        }
        let last = self.bus.inner().last;
        self.part.point().await;
        Ok(last)
    }

    async fn publish(
        &self,
        expected_last: Option<Position>,
        messages: &[BusMessage],
    ) -> Result<(), PublishError> {
        self.part.point().await;
        let fate = self.part.fate();
        let count = match fate {
            Fate::Fine => messages.len(),
            Fate::Refused => 0,
            Fate::AnswerLost => self.part.random(|random| random.usize(0..=messages.len())),
        };
        let published = self.bus.publish(expected_last, &messages[..count]);
        let ends = messages.last().map(|message| message.event.position);
        self.part.says(&format!(
            "publish after {expected_last:?} to {ends:?}: {published:?}, {count} sent, {fate:?}"
        ));
        self.part.point().await;
        if fate == Fate::Fine { published } else { Err(PublishError::Unavailable("simulated".to_owned())) }
    }

    async fn subscribe(&self, _consumer: &str) -> Result<Box<dyn BusSubscription>, BusError> {
        self.part.point().await;
        if self.part.fate() != Fate::Fine {
            self.part.errs();
            return Err(BusError::Unavailable("simulated".to_owned()));
        }
        let queue = Arc::new(Queue { part: self.part.clone(), messages: Mutex::default() });
        {
            let mut inner = self.bus.inner();
            if self.bus.keeps {
                // From where it left off, as far as the bus knows: what it acknowledged may have been lost.
                let from = self.part.random(|random| random.usize(0..=inner.record.len()));
                queue.messages().ready.extend(inner.record[from..].iter().cloned());
            }
            inner.queues.push(Arc::downgrade(&queue));
        }
        self.part.point().await;
        Ok(Box::new(Subscription { queue }))
    }
}

struct Subscription {
    queue: Arc<Queue>,
}

impl Subscription {
    fn take(&self, max: usize) -> Result<Vec<BusMessage>, BusError> {
        let part = &self.queue.part;
        let mut messages = self.queue.messages();
        if messages.ended {
            return Err(BusError::Ended);
        }
        let ready = messages.ready.len().min(max);
        if ready == 0 || !part.chance(20) {
            return Ok(messages.ready.drain(..ready).collect());
        }
        let some = part.random(|random| random.usize(1..=ready));
        Ok(messages.ready.drain(..some).collect())
    }
}

#[async_trait]
impl BusSubscription for Subscription {
    async fn next(&mut self, max: usize) -> Result<Vec<BusMessage>, BusError> {
        let part = self.queue.part.clone();
        loop {
            if part.is_open() {
                match self.take(max) {
                    Ok(messages) if messages.is_empty() => {}
                    Ok(messages) => {
                        let positions: Vec<u64> =
                            messages.iter().map(|message| message.event.position.0).collect();
                        part.says(&format!("got {positions:?}"));
                        return Ok(messages);
                    }
                    Err(error) => {
                        part.errs();
                        return Err(error);
                    }
                }
            }
            let waiting = part.waits();
            part.called().await;
            drop(waiting);
        }
    }

    async fn acknowledge(&mut self, _up_to: Position) -> Result<(), BusError> {
        self.queue.part.point().await;
        if self.queue.part.fate() != Fate::Fine {
            self.queue.part.errs();
            return Err(BusError::Unavailable("simulated".to_owned()));
        }
        Ok(())
    }
}
