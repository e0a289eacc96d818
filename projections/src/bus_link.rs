//! A projector's line to the bus, which may be down.

use std::pin::Pin;

use dossier_eventlog::{BusError, BusMessage, BusSubscription, Position};

use crate::runner::BATCH_EVENTS;

type Subscription = Box<dyn BusSubscription>;

/// The line.
pub(crate) enum BusLink {
    /// Messages come.
    Up(Subscription),
    /// It is being restored.
    Down(Pin<Box<dyn Future<Output = Result<Subscription, String>> + Send>>),
}

/// What the line brings.
pub(crate) enum News {
    /// Messages, or none where somebody else woke the projector.
    Messages(Vec<BusMessage>),
    /// Messages will come from now on.
    Subscribed(Subscription),
    /// None will come, for this reason.
    Lost(String),
}

impl BusLink {
    pub(crate) fn is_up(&self) -> bool {
        matches!(self, Self::Up(_))
    }

    /// Waits for news. Cancel-safe.
    pub(crate) async fn next(&mut self) -> News {
        match self {
            Self::Up(subscription) => match subscription.next(BATCH_EVENTS).await {
                Ok(messages) => News::Messages(messages),
                Err(error) => News::Lost(text(error)),
            },
            Self::Down(attempt) => match attempt.await {
                Ok(subscription) => News::Subscribed(subscription),
                Err(why) => News::Lost(why),
            },
        }
    }

    /// Says that everything up to a position is applied, to whoever listens.
    pub(crate) async fn acknowledge(&mut self, position: Position) -> Result<(), BusError> {
        match self {
            Self::Up(subscription) => subscription.acknowledge(position).await,
            Self::Down(_) => Ok(()),
        }
    }
}

pub(crate) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
