//! Buses that do what a bus may do: say nothing, or say what a test tells them to, in any order.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use dossier_eventlog::{Bus, BusError, BusMessage, BusSubscription, EventId, Position, PublishError};
use tokio::sync::mpsc;

/// Delivers nothing.
pub(crate) struct SilentBus;

/// Is never there.
pub(crate) struct AwayBus;

#[async_trait]
impl Bus for AwayBus {
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError> {
        Err(BusError::Unavailable("nobody listens".to_owned()))
    }

    async fn publish(&self, _: Option<Position>, _: &[BusMessage]) -> Result<(), PublishError> {
        Err(PublishError::Unavailable("nobody listens".to_owned()))
    }

    async fn subscribe(&self, _consumer: &str) -> Result<Box<dyn BusSubscription>, BusError> {
        Err(BusError::Unavailable("nobody listens".to_owned()))
    }
}

/// Delivers what it is given.
#[derive(Default)]
pub(crate) struct ScriptedBus {
    /// What it says that it holds last.
    pub(crate) last: Mutex<Option<(Position, EventId)>>,
    subscribers: Mutex<Vec<mpsc::UnboundedSender<Vec<BusMessage>>>>,
}

impl ScriptedBus {
    pub(crate) fn deliver(&self, messages: &[BusMessage]) {
        self.subscribers.lock().unwrap().retain(|subscriber| subscriber.send(messages.to_vec()).is_ok());
    }

    /// Ends every subscription; the subscribers come back.
    pub(crate) fn hang_up(&self) {
        self.subscribers.lock().unwrap().clear();
    }

    /// How many listen.
    #[cfg(feature = "postgres")]
    pub(crate) fn subscribers(&self) -> usize {
        self.subscribers.lock().unwrap().iter().filter(|subscriber| !subscriber.is_closed()).count()
    }

    pub(crate) async fn subscribed(&self, count: usize) {
        while self.subscribers.lock().unwrap().len() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[async_trait]
impl Bus for SilentBus {
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError> {
        Ok(None)
    }

    async fn publish(&self, _: Option<Position>, _: &[BusMessage]) -> Result<(), PublishError> {
        Ok(())
    }

    async fn subscribe(&self, _consumer: &str) -> Result<Box<dyn BusSubscription>, BusError> {
        Ok(Box::new(Self))
    }
}

#[async_trait]
impl BusSubscription for SilentBus {
    async fn next(&mut self, _max: usize) -> Result<Vec<BusMessage>, BusError> {
        std::future::pending().await
    }

    async fn acknowledge(&mut self, _up_to: Position) -> Result<(), BusError> {
        Ok(())
    }
}

#[async_trait]
impl Bus for ScriptedBus {
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError> {
        Ok(*self.last.lock().unwrap())
    }

    async fn publish(&self, _: Option<Position>, messages: &[BusMessage]) -> Result<(), PublishError> {
        self.deliver(messages);
        Ok(())
    }

    async fn subscribe(&self, _consumer: &str) -> Result<Box<dyn BusSubscription>, BusError> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.subscribers.lock().unwrap().push(sender);
        Ok(Box::new(ScriptedSubscription(receiver)))
    }
}

struct ScriptedSubscription(mpsc::UnboundedReceiver<Vec<BusMessage>>);

#[async_trait]
impl BusSubscription for ScriptedSubscription {
    async fn next(&mut self, _max: usize) -> Result<Vec<BusMessage>, BusError> {
        self.0.recv().await.ok_or(BusError::Ended)
    }

    async fn acknowledge(&mut self, _up_to: Position) -> Result<(), BusError> {
        Ok(())
    }
}
