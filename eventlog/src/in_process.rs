//! The bus of a single process: a ring of messages that slow subscribers fall out of, and catch up from the log.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::bus::{Bus, BusError, BusMessage, BusSubscription, PublishError};
use crate::envelope::{EventId, Position};

/// A bus that keeps the newest messages in memory and forgets everything with the process.
pub struct InProcessBus {
    messages: broadcast::Sender<BusMessage>,
    last: Mutex<Option<(Position, EventId)>>,
}

impl InProcessBus {
    /// A bus that keeps at least the newest `capacity` messages for subscribers that are slow.
    pub fn new(capacity: usize) -> Self {
        Self { messages: broadcast::Sender::new(capacity.max(1)), last: Mutex::default() }
    }
}

impl Default for InProcessBus {
    /// Room for 4,096 messages: some megabytes at most, some seconds of load.
    fn default() -> Self {
        Self::new(4096)
    }
}

#[async_trait]
impl Bus for InProcessBus {
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError> {
        Ok(*self.last.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn publish(
        &self,
        expected_last: Option<Position>,
        messages: &[BusMessage],
    ) -> Result<(), PublishError> {
        // Held over the sending, so that two publishers cannot interleave.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let actual = last.map(|(position, _)| position);
        if actual != expected_last {
            return Err(PublishError::Fenced { actual });
        }
        for message in messages {
            *last = Some((message.event.position, message.event.event_id));
            // Fails when nobody is subscribed: then nobody is waiting for it either.
            let _ = self.messages.send(message.clone());
        }
        Ok(())
    }

    async fn subscribe(&self, _consumer: &str) -> Result<Box<dyn BusSubscription>, BusError> {
        Ok(Box::new(InProcessSubscription { messages: self.messages.subscribe() }))
    }
}

struct InProcessSubscription {
    messages: broadcast::Receiver<BusMessage>,
}

#[async_trait]
impl BusSubscription for InProcessSubscription {
    async fn next(&mut self, max: usize) -> Result<Vec<BusMessage>, BusError> {
        let first = loop {
            match self.messages.recv().await {
                Ok(message) => break message,
                // The gap shows in the next message's previous position.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Err(BusError::Ended),
            }
        };
        // No waiting from here on: what was taken is answered.
        let mut messages = vec![first];
        while messages.len() < max {
            match self.messages.try_recv() {
                Ok(message) => messages.push(message),
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        Ok(messages)
    }

    async fn acknowledge(&mut self, _up_to: Position) -> Result<(), BusError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use super::*;
    use crate::contract::Fresh;

    /// Smaller than what the suite publishes, so that its slow subscribers do lag.
    fn fresh() -> Ready<Fresh<dyn Bus>> {
        ready(Fresh::new(Arc::new(InProcessBus::new(16))))
    }

    crate::bus_contract!(fresh);
}
