//! The bus and the outlet for analytics on NATS JetStream, server 2.9 or later.
//!
//! A stream is made on first use, or checked: one with other settings is refused, with the setting's name. Each message
//! carries its event's id for de-duplication and the sequence that the stream must stand at. JetStream answers a known id
//! before it looks at the sequence, so a duplicate says no more than a mismatch: somebody else publishes, or an earlier
//! attempt has arrived after all. Either way publishing stops, what is on its way is waited for, and the last message is
//! read from the stream's leader.
//!
//! The server may be away at the start and at any time later: calls answer soon that it is, and work again when it is back.

mod consumer;
mod message;
mod options;
mod publish;
mod stream;
mod subjects;

use async_trait::async_trait;

use crate::bus::{Bus, BusError, BusMessage, BusSubscription, PublishError};
use crate::envelope::{EventId, Position};
use crate::outlet::{OutgoingMessage, Outlet};

pub use options::{NatsOptions, NatsUrlError};
use stream::NatsStream;
pub use subjects::NatsSubjects;

/// Why the bus was not opened; the operator acts.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct NatsOpenError(String);

/// The bus on a JetStream stream of all events, whole.
pub struct NatsBus {
    stream: NatsStream,
}

impl NatsBus {
    /// Connects and makes or checks the stream. A server that is away is no error: connecting goes on in the background.
    ///
    /// # Errors
    /// [`NatsOpenError`] when the stream has other settings, or the server cannot be used.
    pub async fn connect(options: &NatsOptions) -> Result<Self, NatsOpenError> {
        Ok(Self { stream: open(options, options.events_stream()).await? })
    }

    /// Name of the stream.
    pub fn stream_name(&self) -> &str {
        self.stream.name()
    }
}

#[async_trait]
impl Bus for NatsBus {
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError> {
        self.stream.last_published().await
    }

    async fn publish(
        &self,
        expected_last: Option<Position>,
        messages: &[BusMessage],
    ) -> Result<(), PublishError> {
        self.stream.publish(expected_last, messages.iter().map(message::outgoing)).await
    }

    async fn subscribe(&self, consumer: &str) -> Result<Box<dyn BusSubscription>, BusError> {
        consumer::subscribe(&self.stream, consumer).await
    }
}

/// A JetStream stream for analytics jobs.
pub struct NatsOutlet {
    stream: NatsStream,
}

impl NatsOutlet {
    /// Connects to the stream for analytics and makes or checks it, as [`NatsBus::connect`] does.
    ///
    /// # Errors
    /// [`NatsOpenError`] when the stream has other settings, or the server cannot be used.
    pub async fn connect(options: &NatsOptions) -> Result<Self, NatsOpenError> {
        Ok(Self { stream: open(options, options.analytics_stream()).await? })
    }

    /// Name of the stream.
    pub fn stream_name(&self) -> &str {
        self.stream.name()
    }
}

#[async_trait]
impl Outlet for NatsOutlet {
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError> {
        self.stream.last_published().await
    }

    async fn publish(
        &self,
        expected_last: Option<Position>,
        messages: &[OutgoingMessage],
    ) -> Result<(), PublishError> {
        self.stream.publish(expected_last, messages.iter().cloned()).await
    }
}

async fn open(
    options: &NatsOptions,
    settings: async_nats::jetstream::stream::Config,
) -> Result<NatsStream, NatsOpenError> {
    let stream =
        NatsStream::connect(options, settings).await.map_err(|error| NatsOpenError(error.to_string()))?;
    match stream.ready().await {
        Ok(()) => {}
        Err(BusError::Refused(why)) => return Err(NatsOpenError(why)),
        Err(error) => {
            let name = stream.name();
            tracing::warn!(stream = name, %error, "NATS is away; the bus goes on when it is back");
        }
    }
    Ok(stream)
}

#[cfg(test)]
mod tests;
