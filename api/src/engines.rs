//! Opens the engines that the configuration names, and closes them in order.

use std::pin::Pin;
use std::sync::Arc;

#[cfg(feature = "nats")]
use dossier_eventlog::nats::{NatsBus, NatsOptions, NatsOutlet, NatsSubjects};
#[cfg(feature = "postgres")]
use dossier_eventlog::postgres::{PostgresKeyStore, PostgresOptions, PostgresStore};
use dossier_eventlog::{
    Bus, Entropy, EventStore, InProcessBus, KeyStore, Outlet, Position, RelayOptions, SqliteKeyStore,
    SqliteOptions, SqliteStore, Subjects,
};
#[cfg(feature = "kurrentdb")]
use dossier_eventlog::{KurrentOptions, KurrentStore};
use dossier_processes::reactor::claim_new_log;
use dossier_processes::work_store::{SessionStore, SqliteWorkStore, WorkStore};
use uuid::Uuid;

use crate::config::{self, Engines};
use crate::system::StartError;

/// Messages the bus in the process keeps for a slow projector before that one reads the log.
const BUS_CAPACITY: usize = 8_192;

type Closing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Opened engines.
pub struct OpenEngines {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// The keys of personal values.
    pub keys: Arc<dyn KeyStore>,
    /// What processes must not forget.
    pub work: Arc<dyn WorkStore>,
    /// Who is signed in with a browser: the same store.
    pub sessions: Arc<dyn SessionStore>,
    /// What carries events.
    pub bus: Arc<dyn Bus>,
    /// How a relay feeds it.
    pub relay: RelayOptions,
    /// What carries to analytics what they may see.
    pub analytics: Option<Arc<dyn Outlet>>,
    /// What carries to organizations' machines what they are told.
    pub subjects: Option<Arc<dyn Subjects>>,
    closing: Vec<Closing>,
}

impl OpenEngines {
    /// Opens everything but the read models.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open(engines: &Engines, entropy: &Entropy) -> Result<Self, StartError> {
        let mut closing = Vec::new();
        let store = open_store(&engines.event_store, entropy, &mut closing).await?;
        let is_new = store.head().await? == Position::START;
        let keys = open_keys(&engines.key_store, store.log_id(), is_new, entropy, &mut closing).await?;
        let (work, sessions) = open_work_store(&engines.work_store).await?;
        claim_new_log(&*store, &*work).await?;
        let Buses { bus, relay, analytics, subjects } = open_bus(&engines.bus).await?;
        Ok(Self { store, keys, work, sessions, bus, relay, analytics, subjects, closing })
    }

    /// Closes all of them, the log last.
    pub async fn close(self) {
        self.work.close().await;
        for closing in self.closing.into_iter().rev() {
            closing.await;
        }
    }
}

async fn open_store(
    engine: &config::EventStore,
    entropy: &Entropy,
    closing: &mut Vec<Closing>,
) -> Result<Arc<dyn EventStore>, StartError> {
    match engine {
        config::EventStore::Sqlite(path) => {
            let store =
                Arc::new(SqliteStore::open(path, SqliteOptions::default(), new_log_id(entropy)).await?);
            let closed = store.clone();
            closing.push(Box::pin(async move { closed.close().await }));
            Ok(store)
        }
        #[cfg(feature = "postgres")]
        config::EventStore::Postgres(url) => {
            let options = PostgresOptions::default();
            let store = Arc::new(PostgresStore::open(url, options, new_log_id(entropy)).await?);
            let closed = store.clone();
            closing.push(Box::pin(async move { closed.close().await }));
            Ok(store)
        }
        // It lets go of the server when it is dropped.
        #[cfg(feature = "kurrentdb")]
        config::EventStore::Kurrentdb(url) => {
            Ok(Arc::new(KurrentStore::open(url, KurrentOptions::default(), new_log_id(entropy)).await?))
        }
        #[cfg(not(all(feature = "postgres", feature = "kurrentdb")))]
        _ => Err(StartError::NotBuilt),
    }
}

/// Opens a log and its keys beside whoever writes them. A log that is not there is not made, except by a server that makes it
/// out of anybody's first connection.
///
/// # Errors
/// [`StartError`].
pub async fn open_for_reading(
    engines: &Engines,
    entropy: &Entropy,
) -> Result<(Arc<dyn EventStore>, Arc<dyn KeyStore>), StartError> {
    // Closed by the end of the process.
    let mut closing = Vec::new();
    let store: Arc<dyn EventStore> = match &engines.event_store {
        config::EventStore::Sqlite(path) => Arc::new(SqliteStore::open_read_only(path).await?),
        other => open_store(other, entropy, &mut closing).await?,
    };
    let keys = open_keys(&engines.key_store, store.log_id(), false, entropy, &mut closing).await?;
    Ok((store, keys))
}

/// Opens a log and its keys to write to them beside nothing else of this process; a log in SQLite is held by this process alone
/// until it ends.
///
/// # Errors
/// [`StartError`].
pub async fn open_for_writing(engines: &Engines, entropy: &Entropy) -> Result<OpenLog, StartError> {
    let mut closing = Vec::new();
    let store = open_store(&engines.event_store, entropy, &mut closing).await?;
    let is_new = store.head().await? == Position::START;
    let keys = open_keys(&engines.key_store, store.log_id(), is_new, entropy, &mut closing).await?;
    Ok(OpenLog { store, keys, closing })
}

/// An opened log and its keys.
pub struct OpenLog {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// The keys of personal values.
    pub keys: Arc<dyn KeyStore>,
    closing: Vec<Closing>,
}

impl OpenLog {
    /// Closes both, the log last.
    pub async fn close(self) {
        for closing in self.closing.into_iter().rev() {
            closing.await;
        }
    }
}

/// A new log gets a new key store, an old one must have its own.
async fn open_keys(
    engine: &config::KeyStore,
    log_id: Uuid,
    is_new: bool,
    entropy: &Entropy,
    closing: &mut Vec<Closing>,
) -> Result<Arc<dyn KeyStore>, StartError> {
    match engine {
        config::KeyStore::Sqlite(path) => {
            let keys = Arc::new(SqliteKeyStore::open(path, log_id, is_new, entropy).await?);
            let closed = keys.clone();
            closing.push(Box::pin(async move { closed.close().await }));
            Ok(keys)
        }
        #[cfg(feature = "postgres")]
        config::KeyStore::Postgres(url) => {
            let keys = Arc::new(PostgresKeyStore::open(url, log_id, is_new, entropy).await?);
            let closed = keys.clone();
            closing.push(Box::pin(async move { closed.close().await }));
            Ok(keys)
        }
        #[cfg(not(feature = "postgres"))]
        config::KeyStore::Postgres(_) => Err(StartError::NotBuilt),
    }
}

type WorkStores = (Arc<dyn WorkStore>, Arc<dyn SessionStore>);

async fn open_work_store(engine: &config::WorkStore) -> Result<WorkStores, StartError> {
    match engine {
        config::WorkStore::Sqlite(path) => {
            let store = Arc::new(SqliteWorkStore::open(path).await?);
            Ok((store.clone(), store))
        }
        #[cfg(feature = "postgres")]
        config::WorkStore::Postgres(url) => {
            let store = Arc::new(dossier_processes::work_store::PostgresWorkStore::open(url).await?);
            Ok((store.clone(), store))
        }
        #[cfg(not(feature = "postgres"))]
        config::WorkStore::Postgres(_) => Err(StartError::NotBuilt),
    }
}

/// What the relays of this process feed.
struct Buses {
    bus: Arc<dyn Bus>,
    relay: RelayOptions,
    analytics: Option<Arc<dyn Outlet>>,
    subjects: Option<Arc<dyn Subjects>>,
}

async fn open_bus(engine: &config::Bus) -> Result<Buses, StartError> {
    match engine {
        config::Bus::InProcess => {
            let bus = Arc::new(InProcessBus::new(BUS_CAPACITY));
            Ok(Buses { bus, relay: RelayOptions::default(), analytics: None, subjects: None })
        }
        #[cfg(feature = "nats")]
        config::Bus::Nats(url) => {
            let options = NatsOptions::from_url(url)?;
            let bus = Arc::new(NatsBus::connect(&options).await?);
            let outlet: Arc<dyn Outlet> = Arc::new(NatsOutlet::connect(&options).await?);
            let subjects: Arc<dyn Subjects> = Arc::new(NatsSubjects::connect(&options).await?);
            let (analytics, subjects) = (Some(outlet), Some(subjects));
            Ok(Buses { bus, relay: RelayOptions::shared(), analytics, subjects })
        }
        #[cfg(not(feature = "nats"))]
        config::Bus::Nats(_) => Err(StartError::NotBuilt),
    }
}

fn new_log_id(entropy: &Entropy) -> Uuid {
    let mut log_id = [0; 16];
    entropy(&mut log_id);
    Uuid::from_u128(u128::from_be_bytes(log_id))
}
