//! One connection to the server: the vendor's client, and a session on which appends are sent without waiting for each
//! other's answers. When it breaks, a new one is made: a client that failed to connect never recovers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kurrentdb::{
    BatchAppendClient, BatchAppendOptions, BatchWriteResult, Client, ClientSettings, Error, EventData,
    StreamState,
};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// Why an append was not acknowledged.
#[derive(Debug)]
pub(super) enum SendFailure {
    /// Not stored: the stream stands elsewhere.
    Conflict,
    /// Not stored, and never will be as it is.
    Refused(String),
    /// Not stored; the server may take it later.
    NotStored(String),
    /// It may be stored.
    Unknown(String),
}

/// A connection that worked when it was made.
pub(super) struct Link {
    pub(super) client: Client,
    session: Mutex<Option<Arc<Session>>>,
    broken: CancellationToken,
}

struct Session {
    batch: BatchAppendClient,
    /// The vendor's session ends with the first append that fails, whatever its reason.
    ended: AtomicBool,
}

/// Ends the session unless the append was acknowledged, also when nobody waits for the answer any more.
struct EndUnlessAcknowledged<'a>(&'a Session, bool);

impl Drop for EndUnlessAcknowledged<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.ended.store(true, Ordering::Relaxed);
        }
    }
}

impl Link {
    /// A client that has not connected yet.
    pub(super) async fn new(settings: ClientSettings) -> Result<Self, String> {
        let runtime = tokio::runtime::Handle::current();
        // It reads the system's certificates.
        let client =
            tokio::task::spawn_blocking(move || Client::with_runtime_handle(runtime, settings)).await;
        let client = client.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        Ok(Self { client, session: Mutex::default(), broken: CancellationToken::new() })
    }

    /// Says that this connection is of no use any more.
    pub(super) fn broke(&self) {
        self.broken.cancel();
    }

    /// Whether somebody said so.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_cancelled()
    }

    /// Returns when somebody says so.
    pub(super) async fn until_broken(&self) {
        self.broken.cancelled().await;
    }

    /// Sends an append to the leader and waits for the answer. The caller bounds the wait.
    pub(super) async fn send(
        &self,
        stream: &str,
        expected: StreamState,
        events: Vec<EventData>,
    ) -> Result<BatchWriteResult, SendFailure> {
        let session = self.session().await.map_err(|error| {
            self.judge(&error);
            SendFailure::NotStored(error.to_string())
        })?;
        let mut ends = EndUnlessAcknowledged(&session, false);
        let answer = tokio::select! {
            answer = session.batch.append_to_stream(stream, expected, events) => answer,
            // The client does not tell an append that waits when the server ends the session cleanly.
            () = self.until_broken() => return Err(SendFailure::Unknown("the connection was lost".to_owned())),
        };
        ends.1 = answer.is_ok();
        answer.map_err(|error| failure(&error))
    }

    async fn session(&self) -> Result<Arc<Session>, Error> {
        let mut current = self.session.lock().await;
        match &*current {
            Some(session) if !session.ended.load(Ordering::Relaxed) => Ok(Arc::clone(session)),
            _ => {
                let options = BatchAppendOptions::default().requires_leader(true);
                let batch = self.client.batch_append(&options).await?;
                let session = Arc::new(Session { batch, ended: AtomicBool::new(false) });
                *current = Some(Arc::clone(&session));
                Ok(session)
            }
        }
    }

    /// Gives the connection up when an error says that it is of no use; answers whether it is worth asking again.
    pub(super) fn judge(&self, error: &Error) -> bool {
        match error {
            // The client has turned to the leader by itself.
            Error::NotLeaderException(_) => true,
            Error::ServerError(_)
            | Error::ConnectionClosed
            | Error::GrpcConnectionError(_)
            | Error::DeadlineExceeded
            | Error::Grpc { .. }
            | Error::InternalClientError => {
                self.broke();
                true
            }
            _ => false,
        }
    }
}

/// What the server's answer to one append means. Its words are those of the server's source.
fn failure(error: &Error) -> SendFailure {
    let Error::Grpc { message, .. } = error else { return SendFailure::Unknown(error.to_string()) };
    match message.as_str() {
        "WrongExpectedVersion" => SendFailure::Conflict,
        "MaximumAppendSizeExceeded" | "MaximumAppendEventSizeExceeded" | "BadRequest" => {
            SendFailure::Refused(format!("KurrentDB refused the append: {message}"))
        }
        "AccessDenied"
        | "StreamDeleted"
        | "Server Is Not Ready"
        | "Server Is Busy"
        | "No leader info available in response" => SendFailure::NotStored(message.clone()),
        _ => SendFailure::Unknown(error.to_string()),
    }
}

/// How the node stands with the server.
#[derive(Clone)]
pub(super) enum State {
    /// Connected, unless the link has broken since.
    Connected(Arc<Link>),
    /// Not connected.
    Away {
        /// Since when.
        since: Instant,
        /// What the last attempt met.
        reason: String,
    },
}

/// Where callers get the current link.
#[derive(Clone)]
pub(super) struct Links {
    pub(super) state: watch::Receiver<State>,
    /// How long a caller waits for a server that went away just now. One that has been away for longer is not waited for.
    pub(super) patience: Duration,
}

impl Links {
    /// The current link, or why there was none until the deadline.
    pub(super) async fn link(&self, deadline: Instant) -> Result<Arc<Link>, String> {
        let mut state = self.state.clone();
        loop {
            let (until, reason) = match &*state.borrow_and_update() {
                State::Connected(link) if !link.is_broken() => return Ok(Arc::clone(link)),
                State::Connected(_) => (deadline, "the connection was lost".to_owned()),
                State::Away { since, reason } => (deadline.min(*since + self.patience), reason.clone()),
            };
            match timeout_at(until, state.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err("the log is closed".to_owned()),
                Err(_) => return Err(reason),
            }
        }
    }

    /// Why there is no connection; `None` when there is one.
    pub(super) fn trouble(&self) -> Option<String> {
        match &*self.state.borrow() {
            State::Connected(link) if !link.is_broken() => None,
            State::Connected(_) => Some("the connection was lost".to_owned()),
            State::Away { reason, .. } => Some(reason.clone()),
        }
    }
}
