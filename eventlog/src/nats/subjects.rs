//! Single messages for readers outside, on a JetStream stream of their own, so that each is acknowledged when it is kept.

use async_nats::header::{HeaderMap, HeaderName, HeaderValue};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_trait::async_trait;

use super::message::subject_token;
use super::stream::{ANSWER_WITHIN, NatsStream, unavailable};
use super::{NatsOpenError, NatsOptions, open};
use crate::bus::BusError;
use crate::subjects::{SubjectMessage, Subjects};

/// The JetStream stream of notifications, `DOSSIER_NOTIFICATIONS`, on the subjects `dossier.notifications.>`; messages are kept
/// for three days.
pub struct NatsSubjects {
    stream: NatsStream,
}

impl NatsSubjects {
    /// Connects and makes or checks the stream, as [`super::NatsBus::connect`] does.
    ///
    /// # Errors
    /// [`NatsOpenError`] when the stream has other settings, or the server cannot be used.
    pub async fn connect(options: &NatsOptions) -> Result<Self, NatsOpenError> {
        Ok(Self { stream: open(options, options.notifications_stream()).await? })
    }

    fn prepare(&self, message: &SubjectMessage) -> Result<(String, PublishMessage), BusError> {
        let parts: Vec<_> = message.subject.iter().map(|part| subject_token(part)).collect();
        let subject = format!("{}{}", self.stream.subject_prefix(), parts.join("."));
        let mut headers = HeaderMap::new();
        for (name, value) in &message.headers {
            let value: HeaderValue = value.parse().map_err(|_| {
                BusError::Refused(format!("header {name} of {} holds a line break", message.id))
            })?;
            headers.insert(HeaderName::from_static(name), value);
        }
        let publish = PublishMessage::build().headers(headers).payload(message.body.clone());
        Ok((subject, publish.message_id(&message.id)))
    }
}

#[async_trait]
impl Subjects for NatsSubjects {
    async fn publish(&self, message: &SubjectMessage) -> Result<(), BusError> {
        self.stream.ready().await?;
        let (subject, publish) = self.prepare(message)?;
        let kept = async {
            let answer = self.stream.context.send_publish(subject, publish).await?;
            answer.await
        };
        match tokio::time::timeout(ANSWER_WITHIN, kept).await {
            Err(_) => Err(BusError::Unavailable("NATS does not answer".to_owned())),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(match error.kind() {
                PublishErrorKind::StreamNotFound => {
                    self.stream.missed();
                    BusError::Unavailable("the stream is gone".to_owned())
                }
                PublishErrorKind::MaxPayloadExceeded => BusError::Refused(error.to_string()),
                _ => unavailable(&error),
            }),
        }
    }
}
