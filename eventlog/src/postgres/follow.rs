//! The head of the log as far as this node knows it: its own commits, and what other nodes tell by NOTIFY. A hint:
//! followers read the log.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::envelope::Position;

/// How long a listener may hear nothing before it asks whether the server is still there.
const QUIET: Duration = Duration::from_secs(5);
/// How long the server may take to answer that.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before connecting again.
const RECONNECT: Duration = Duration::from_millis(250);

/// The last known position; it never runs backwards.
pub(super) struct Head(watch::Sender<Position>);

impl Head {
    pub(super) fn new(position: Position) -> Self {
        Self(watch::Sender::new(position))
    }

    pub(super) fn reached(&self, position: Position) {
        self.0.send_if_modified(|head| {
            let moved = position > *head;
            *head = position.max(*head);
            moved
        });
    }

    pub(super) fn watch(&self) -> watch::Receiver<Position> {
        self.0.subscribe()
    }
}

/// What a listener does with what it hears.
pub(super) trait Hears: Send + Sync + 'static {
    /// The channel to listen to.
    const CHANNEL: &'static str;
    /// Answers one text in its first column; asked after each connecting and after a silence, since what was told before may
    /// have been missed.
    const MISSED: &'static str;

    /// A notification's text.
    fn told(&self, text: &str);

    /// After connecting, with the answer to [`Hears::MISSED`]; `reconnected` when something may have been missed.
    fn caught_up(&self, text: &str, reconnected: bool);

    /// After the connection was lost, and after each try to connect again that failed.
    fn lost(&self) {}
}

impl Hears for Head {
    const CHANNEL: &'static str = super::batch::CHANNEL;
    const MISSED: &'static str = "SELECT coalesce(max(position), 0)::text FROM dossier_log.event";

    fn told(&self, text: &str) {
        // Anybody may write into the channel.
        if let Ok(position) = text.parse() {
            self.reached(Position(position));
        }
    }

    fn caught_up(&self, text: &str, _reconnected: bool) {
        self.told(text);
    }
}

/// Listens until told to stop, over any number of connections.
pub(super) async fn listen<H: Hears>(options: PgConnectOptions, hears: Arc<H>, closing: CancellationToken) {
    let listening = async {
        loop {
            if let Err(error) = listen_once(&options, &*hears).await {
                tracing::debug!(%error, channel = H::CHANNEL, "the listener's connection was lost");
            }
            hears.lost();
            sleep(RECONNECT).await;
        }
    };
    tokio::select! {
        () = closing.cancelled() => {}
        () = listening => {}
    }
}

/// Listens on one connection until it is lost.
async fn listen_once<H: Hears>(options: &PgConnectOptions, hears: &H) -> Result<(), sqlx::Error> {
    // A pool of its own, so that a connection that hangs blocks nobody.
    let pool =
        PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    within(listener.listen(H::CHANNEL)).await?;
    let mut reconnected = true;
    loop {
        let row = within(sqlx::query(H::MISSED).fetch_one(&mut listener)).await?;
        hears.caught_up(row.try_get(0)?, reconnected);
        reconnected = false;
        loop {
            match timeout(QUIET, listener.try_recv()).await {
                Ok(Ok(Some(notification))) => hears.told(notification.payload()),
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(error),
                Err(_) => break,
            }
        }
    }
}

async fn within<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(PATIENCE, answer).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
