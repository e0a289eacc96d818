//! The key store in PostgreSQL, in a schema of its own: in another database than the log's, it is backed up apart.
//!
//! An erased key is gone for every node at once, and never comes back. The server keeps its bytes for a while where
//! nobody asks for them: in the table's file until `VACUUM FULL`, in its write-ahead log and backups until they are
//! recycled. Who must be sure of a date runs the one and limits the others.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::follow::{Hears, listen};
use super::open::{Address, PostgresOpenError};
use super::page::column;
use super::pool::{Ask, Pool, STATEMENT_MILLIS, Value};
use crate::sealing::{Entropy, Erasure, ErasureListener, KeyState, KeyStore, SealError, Secret};
use crate::store::ReadError;

const SCHEMA: &str = "dossier_keys";
const CONNECTIONS: u32 = 4;
/// How long a call waits for a connection, and then for its answer.
const PATIENCE: Duration = Duration::from_millis(1800);

/// Keys in the schema `dossier_keys` of a PostgreSQL database, for any number of nodes.
pub struct PostgresKeyStore {
    log_id: Uuid,
    pepper: Secret,
    pool: Pool,
    erasures: Arc<Erasures>,
    closing: CancellationToken,
}

impl PostgresKeyStore {
    /// Opens the keys of a log. With `create`, a missing store is made with a pepper from `entropy`; without, it is an
    /// error: pass `create` only when the log has no event. Of several nodes that make it at once, all get the same.
    /// Needs a tokio runtime, on which a listener for erasures by other nodes runs until the store is closed or dropped.
    ///
    /// # Errors
    /// [`PostgresOpenError`], one sentence that says what to do; [`PostgresOpenError::KeysMissing`] and
    /// [`PostgresOpenError::KeysOfAnotherLog`] among them.
    pub async fn open(
        url: &str,
        log_id: Uuid,
        create: bool,
        entropy: &Entropy,
    ) -> Result<Self, PostgresOpenError> {
        let address = Address::parse(url)?;
        let mut connection = address.connect().await?;
        let missing = || PostgresOpenError::KeysMissing { server: address.server.clone() };
        if !create && !exists(&mut connection).await.map_err(|error| address.unreachable(&error))? {
            return Err(missing());
        }
        address.migrate(&mut connection, SCHEMA, sqlx::migrate!("src/postgres/migrations/keys")).await?;
        if create {
            let mut pepper = Zeroizing::new([0; 32]);
            entropy(&mut pepper[..]);
            begin(&mut connection, log_id, &pepper[..]).await.map_err(|error| address.unreachable(&error))?;
        }
        let found = address.meta(&mut connection, SCHEMA, "log_id").await?.ok_or_else(missing)?;
        let found =
            Uuid::from_slice(&found).map_err(|_| address.damaged(SCHEMA, "its log's id is no UUID"))?;
        if found != log_id {
            return Err(PostgresOpenError::KeysOfAnotherLog {
                server: address.server,
                found,
                wanted: log_id,
            });
        }
        let pepper = address.meta(&mut connection, SCHEMA, "pepper").await?.map(Zeroizing::new);
        let pepper = pepper.and_then(|pepper| <[u8; 32]>::try_from(pepper.as_slice()).ok());
        let pepper = pepper.ok_or_else(|| address.damaged(SCHEMA, "its pepper is missing or cut"))?;

        let settings = [("statement_timeout", STATEMENT_MILLIS.to_string())];
        let pool = Pool::new(address.used_as("dossier keys", &settings), CONNECTIONS, PATIENCE);
        let erasures = Arc::<Erasures>::default();
        let closing = CancellationToken::new();
        let listens_on = address.used_as("dossier listener", &[]);
        tokio::spawn(listen(listens_on, Arc::clone(&erasures), closing.clone()));
        Ok(Self { log_id, pepper: Zeroizing::new(pepper), pool, erasures, closing })
    }

    /// Lets go of the database; later calls answer [`SealError::Unavailable`].
    pub async fn close(&self) {
        self.closing.cancel();
        self.pool.close().await;
    }

    async fn run(&self, sql: &'static str, values: &[Value<'_>]) -> Result<(), SealError> {
        self.pool.rows(Ask { sql, values }, |_| Ok(())).await.map_err(unavailable)
    }
}

async fn exists(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query("SELECT to_regclass('dossier_keys.meta') IS NOT NULL").fetch_one(connection).await?.try_get(0)
}

/// Writes both values or, where another node was first, neither.
async fn begin(connection: &mut PgConnection, log_id: Uuid, pepper: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO dossier_keys.meta (name, value) VALUES ('log_id', $1), ('pepper', $2) ON CONFLICT DO NOTHING",
    )
    .bind(log_id.as_bytes().as_slice())
    .bind(pepper)
    .execute(connection)
    .await
    .map(drop)
}

impl Drop for PostgresKeyStore {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

#[async_trait]
impl KeyStore for PostgresKeyStore {
    fn log_id(&self) -> Uuid {
        self.log_id
    }

    fn pepper(&self) -> &Secret {
        &self.pepper
    }

    async fn keys(&self, subjects: &[String]) -> Result<Vec<(String, KeyState)>, SealError> {
        let sql = "SELECT subject, key FROM dossier_keys.subject_key WHERE subject = ANY($1)";
        let subjects = subjects.iter().map(String::as_str).collect::<Vec<_>>();
        let mut states = vec![];
        let push = |row: &PgRow| {
            states.push(state(row)?);
            Ok(())
        };
        self.pool.rows(Ask { sql, values: &[Value::Texts(&subjects)] }, push).await.map_err(unavailable)?;
        Ok(states)
    }

    async fn create(&self, keys: Vec<(String, Secret)>) -> Result<Vec<(String, KeyState)>, SealError> {
        // In one order for all nodes, so that two with the same subjects do not wait for each other.
        let sql = "INSERT INTO dossier_keys.subject_key (subject, key) \
                   SELECT subject, key FROM UNNEST($1::text[], $2::bytea[]) AS new (subject, key) ORDER BY subject \
                   ON CONFLICT DO NOTHING";
        let subjects = keys.iter().map(|(subject, _)| subject.clone()).collect::<Vec<_>>();
        let names = subjects.iter().map(String::as_str).collect::<Vec<_>>();
        let secrets = keys.iter().map(|(_, key)| &key[..]).collect::<Vec<_>>();
        self.run(sql, &[Value::Texts(&names), Value::Blobs(&secrets)]).await?;
        // In a statement of its own: it sees what another node has made meanwhile.
        self.keys(&subjects).await
    }

    async fn erase(&self, subject: &str) -> Result<(), SealError> {
        // What is too long for a notification is told as 'something was erased'.
        let sql = "WITH erased AS (INSERT INTO dossier_keys.subject_key (subject, key) VALUES ($1, NULL) \
                   ON CONFLICT (subject) DO UPDATE SET key = NULL) \
                   SELECT pg_notify('dossier_keys', CASE WHEN octet_length($1) < 4000 THEN $1 ELSE '' END)";
        self.run(sql, &[Value::Text(subject)]).await
    }

    fn on_erasure(&self, listener: ErasureListener) {
        self.erasures.listeners().push(listener);
    }
}

fn state(row: &PgRow) -> Result<(String, KeyState), ReadError> {
    let subject: String = column(row, 0)?;
    let state = match column::<Option<&[u8]>>(row, 1)? {
        None => KeyState::Erased,
        Some(key) => {
            let key = <[u8; 32]>::try_from(key)
                .map_err(|_| ReadError::Damaged(format!("the key of subject {subject} is cut")))?;
            KeyState::Present(Zeroizing::new(key))
        }
    };
    Ok((subject, state))
}

fn unavailable(error: ReadError) -> SealError {
    match error {
        ReadError::Unavailable(detail) | ReadError::Damaged(detail) => SealError::Unavailable(detail),
    }
}

/// Tells of erasures by any node.
#[derive(Default)]
struct Erasures {
    listeners: Mutex<Vec<ErasureListener>>,
}

impl Erasures {
    fn listeners(&self) -> std::sync::MutexGuard<'_, Vec<ErasureListener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, erasure: Erasure<'_>) {
        self.listeners().retain(|listener| listener(erasure));
    }
}

impl Hears for Erasures {
    const CHANNEL: &'static str = "dossier_keys";
    const MISSED: &'static str = "SELECT ''";

    fn told(&self, text: &str) {
        self.tell(if text.is_empty() { Erasure::Unknown } else { Erasure::Of(text) });
    }

    fn caught_up(&self, _text: &str, reconnected: bool) {
        if reconnected {
            self.tell(Erasure::Unknown);
        }
    }

    fn lost(&self) {
        self.tell(Erasure::Unknown);
    }
}
