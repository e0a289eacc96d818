//! Publishing: many messages on their way at once, each with its event's id and the number that the stream must stand at.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::header::{HeaderMap, HeaderName, HeaderValue};
use async_nats::jetstream::context::{PublishAckFuture, PublishError as AckError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use futures::future::join_all;

use super::message::subject_token;
use super::stream::{ANSWER_WITHIN, IN_FLIGHT, NatsStream, POSITION_HEADER, Tail, unavailable};
use crate::bus::{BusError, PublishError};
use crate::envelope::Position;
use crate::outlet::OutgoingMessage;

/// The longest wait for what is on its way when publishing has stopped.
const DRAIN_WITHIN: Duration = Duration::from_secs(1);

/// Why publishing stops.
enum Trouble {
    /// A known id or another number: somebody else publishes, or an earlier attempt has arrived.
    Overtaken,
    /// The stream is not there.
    Missing,
    /// No answer, or none that helps.
    Unanswered(String),
    /// Such a message is never taken.
    Refused(String),
}

impl From<AckError> for Trouble {
    fn from(error: AckError) -> Self {
        match error.kind() {
            PublishErrorKind::WrongLastSequence | PublishErrorKind::WrongLastMessageId => Self::Overtaken,
            PublishErrorKind::StreamNotFound => Self::Missing,
            PublishErrorKind::MaxPayloadExceeded => Self::Refused(error.to_string()),
            _ => Self::Unanswered(match unavailable(&error) {
                BusError::Unavailable(why) => why,
                other => other.to_string(),
            }),
        }
    }
}

/// Messages on their way, oldest first.
#[derive(Default)]
struct InFlight {
    awaited: VecDeque<(u64, PublishAckFuture)>,
    /// Number of the last message known to be stored by this call.
    stored: Option<u64>,
}

impl InFlight {
    /// Waits for the oldest answer.
    async fn settle(&mut self) -> Result<(), Trouble> {
        let Some((sequence, answer)) = self.awaited.pop_front() else { return Ok(()) };
        let answer = answer.await?;
        if answer.duplicate || answer.sequence != sequence {
            return Err(Trouble::Overtaken);
        }
        self.stored = Some(sequence);
        Ok(())
    }

    /// Waits for all that is on its way, so that nothing arrives after the next look at the stream.
    async fn drain(&mut self) {
        let (sequences, answers): (Vec<_>, Vec<_>) = self.awaited.drain(..).unzip();
        let answers = join_all(answers.into_iter().map(IntoFuture::into_future));
        let Ok(answers) = tokio::time::timeout(DRAIN_WITHIN, answers).await else { return };
        for (sequence, answer) in sequences.into_iter().zip(answers) {
            if answer.is_ok_and(|answer| !answer.duplicate && answer.sequence == sequence) {
                self.stored = Some(sequence);
            }
        }
    }
}

impl NatsStream {
    /// Publishes messages in order after the one that the stream must hold last.
    pub(super) async fn publish(
        &self,
        expected_last: Option<Position>,
        messages: impl Iterator<Item = OutgoingMessage> + Send,
    ) -> Result<(), PublishError> {
        let mut messages = messages.peekable();
        if messages.peek().is_none() {
            return Ok(());
        }
        self.ready().await?;
        // Held to the end: two publishers of one process do not interleave. Taken out, so that a call given up leaves
        // nothing believed.
        let mut tail = self.tail.lock().await;
        let start = match tail.take() {
            Some(known) if known.position() == expected_last => known,
            _ => self.read_tail().await?,
        };
        if start.position() != expected_last {
            return Err(PublishError::Fenced { actual: start.position() });
        }
        let mut in_flight = InFlight::default();
        let sent = tokio::select! {
            sent = self.send(start, messages, &mut in_flight) => sent,
            () = self.lost() => Err(Trouble::Unanswered("the connection to NATS was lost".to_owned())),
        };
        match sent {
            Ok(last) => {
                *tail = Some(last);
                Ok(())
            }
            Err(trouble) => {
                if self.is_connected() {
                    in_flight.drain().await;
                }
                Err(self.explain(trouble, in_flight.stored).await)
            }
        }
    }

    async fn send(
        &self,
        start: Tail,
        messages: impl Iterator<Item = OutgoingMessage> + Send,
        in_flight: &mut InFlight,
    ) -> Result<Tail, Trouble> {
        let mut last = start;
        for message in messages {
            if in_flight.awaited.len() >= IN_FLIGHT {
                in_flight.settle().await?;
            }
            let event = Some((message.position, message.event_id));
            // The first follows what the stream was seen to hold. The others are sent before the one before them is known to
            // be stored, so they name it: a number alone may fit again behind another's message.
            let before = last.event.filter(|_| last != start);
            let (subject, mut publish) = self.prepare(message, last.sequence)?;
            if let Some((_, event_id)) = before {
                publish = publish.expected_last_message_id(event_id.to_string());
            }
            let sending = self.context.send_publish(subject, publish);
            // The permits of an attempt that was given up may not be back yet.
            let answer = match tokio::time::timeout(ANSWER_WITHIN, sending).await {
                Ok(sent) => sent?,
                Err(_) => return Err(Trouble::Unanswered("NATS takes nothing".to_owned())),
            };
            last = Tail { sequence: last.sequence + 1, event };
            in_flight.awaited.push_back((last.sequence, answer));
        }
        while !in_flight.awaited.is_empty() {
            in_flight.settle().await?;
        }
        Ok(last)
    }

    fn prepare(&self, message: OutgoingMessage, after: u64) -> Result<(String, PublishMessage), Trouble> {
        let mut subject = self.subject_prefix().to_owned();
        for (index, part) in message.subject.iter().enumerate() {
            if index > 0 {
                subject.push('.');
            }
            subject.push_str(&subject_token(part));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in message.headers {
            let value: HeaderValue = value.parse().map_err(|_| {
                Trouble::Refused(format!("header {name} of event {} holds a line break", message.event_id))
            })?;
            headers.insert(HeaderName::from_static(name), value);
        }
        headers.insert(HeaderName::from_static(POSITION_HEADER), HeaderValue::from(message.position.0));
        let publish = PublishMessage::build()
            .headers(headers)
            .payload(message.body)
            .message_id(message.event_id.to_string())
            .expected_last_sequence(after);
        Ok((subject, publish))
    }

    /// What the relay is told. Who has stored the stream's last message goes on, whoever got in between; all others are
    /// fenced. So two relays that overtake each other do not both stand by.
    async fn explain(&self, trouble: Trouble, stored: Option<u64>) -> PublishError {
        match trouble {
            Trouble::Overtaken => match self.read_tail().await {
                Ok(tail) if Some(tail.sequence) == stored => {
                    PublishError::Unavailable("another relay published in between".to_owned())
                }
                Ok(tail) => PublishError::Fenced { actual: tail.position() },
                Err(error) => error.into(),
            },
            Trouble::Missing => {
                self.missed();
                PublishError::Unavailable("the stream is gone".to_owned())
            }
            Trouble::Unanswered(why) => PublishError::Unavailable(why),
            Trouble::Refused(why) => PublishError::Refused(why),
        }
    }
}
