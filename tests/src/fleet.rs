//! A fleet of real processes on private PostgreSQL and NATS servers.

use std::path::PathBuf;
use std::time::Duration;

use dossier_api::sign_in::dev_issuer::DEV_KEY_FILE;
use dossier_eventlog::contract::servers::{Nats, Postgres};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::process::{self, Process};

/// How long something may take to come about on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Private engines, and a folder for the processes that share them.
pub struct Fleet {
    /// Holds the log and the keys.
    pub log: Postgres,
    /// Holds the read models and the work store.
    pub reads: Postgres,
    /// Carries the events.
    pub nats: Nats,
    folder: TempDir,
    log_database: String,
    read_database: String,
}

impl Fleet {
    /// Empty engines.
    pub fn start() -> Self {
        let (log, reads, nats) = (Postgres::start(&[]), Postgres::start(&[]), Nats::start());
        let (log_database, read_database) = (log.fresh_database(), reads.fresh_database());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let fleet = Self { log, reads, nats, folder, log_database, read_database };
        // All nodes take the tokens of one issuer.
        let made = fleet.data("issuer");
        std::fs::create_dir_all(&made).expect("a folder");
        dossier_api::sign_in::DevIssuer::load_or_create(&made, |bytes| dossier_api::edge::entropy()(bytes))
            .expect("an issuer");
        fleet
    }

    /// The data directory of a node.
    pub fn data(&self, node: &str) -> PathBuf {
        self.folder.path().join(node)
    }

    /// The address of the log.
    pub fn log_database(&self) -> &str {
        &self.log_database
    }

    /// The address of the read models.
    pub fn read_database(&self) -> &str {
        &self.read_database
    }

    /// Starts a process of some roles.
    pub async fn node(&self, name: &str, roles: &str) -> Process {
        self.node_on(name, roles, &self.log_database).await
    }

    /// Starts a process whose log is reached by another address, such as a proxy's.
    pub async fn node_on(&self, name: &str, roles: &str, event_store: &str) -> Process {
        let data = self.data(name);
        std::fs::create_dir_all(&data).expect("a folder");
        std::fs::copy(self.data("issuer").join(DEV_KEY_FILE), data.join(DEV_KEY_FILE))
            .expect("the issuer's key");
        let blobs = format!("file:{}", self.folder.path().join("blobs").display());
        let bus = self.nats.url();
        let path = data.display().to_string();
        let arguments = [
            "serve",
            "--dev",
            "--log",
            "warn",
            "--listen",
            "127.0.0.1:0",
            "--data",
            &path,
            "--node",
            name,
            "--roles",
            roles,
            "--blobs-url",
            &blobs,
            "--event-store-url",
            event_store,
            "--key-store-url",
            &self.log_database,
            "--read-model-url",
            &self.read_database,
            "--bus-url",
            &bus,
        ];
        Process::start_as(process::command(&arguments), &data).await
    }

    /// Somebody of the sample data, at a node.
    pub async fn client(&self, node: &Process, email: &str) -> Client {
        node.anonymous().with_token(Some(self.token(email).await))
    }

    /// A token that every node takes.
    pub async fn token(&self, email: &str) -> String {
        process::token(&self.data("issuer"), email).await
    }
}

/// What a process says of itself and the others, ready or not.
pub async fn readiness(node: &Process) -> Value {
    node.anonymous().get("/readyz").await.json()
}

/// Waits until what a process says fulfils a condition.
///
/// # Panics
/// When it does not come about in time, with what was said last.
pub async fn until(node: &Process, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let said = readiness(node).await;
        if condition(&said) {
            return said;
        }
        assert!(Instant::now() < deadline, "{what} did not come about: {said:#}");
        sleep(LOOK_AGAIN).await;
    }
}
