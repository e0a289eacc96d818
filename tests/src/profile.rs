//! Which engines a server inside a test runs on.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use dossier_api::config::Settings;
use dossier_api::config::cli::SettingsArgs;
use dossier_eventlog::contract::servers::{Nats, Postgres};

/// The engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// SQLite and a bus inside the process.
    Embedded,
    /// PostgreSQL and NATS.
    Fleet,
}

impl Profile {
    /// That of the running test binary: `fleet` is the one of the same name.
    pub fn current() -> Self {
        static CURRENT: OnceLock<Profile> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let program = std::env::current_exe().expect("this test's own path");
            let name =
                program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with("fleet-") { Self::Fleet } else { Self::Embedded }
        })
    }
}

/// The place of one server's data: a directory, and on the fleet a database and a stream besides.
#[derive(Clone, Debug, Default)]
pub struct Engines {
    database: Option<String>,
    bus: Option<String>,
}

impl Engines {
    /// Empty ones.
    pub fn fresh() -> Self {
        match Profile::current() {
            Profile::Embedded => Self::default(),
            Profile::Fleet => Self::on(Postgres::shared().fresh_database()),
        }
    }

    /// A copy of engines that nobody uses now, the bus excepted: it is empty, as after its loss.
    #[must_use]
    pub fn copy(&self) -> Self {
        match &self.database {
            None => Self::default(),
            Some(database) => Self::on(Postgres::shared().copy_of(database)),
        }
    }

    fn on(database: String) -> Self {
        static STREAMS: AtomicU32 = AtomicU32::new(0);
        let number = STREAMS.fetch_add(1, Ordering::Relaxed);
        Self {
            database: Some(database),
            bus: Some(format!("{}?stream=DOSSIER_T{number}&max_bytes=16777216", Nats::shared().url())),
        }
    }

    /// The variables that name them to a command.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let database = |name| self.database.clone().map(|url| (name, url));
        let bus = self.bus.clone().map(|url| ("DOSSIER_BUS_URL", url));
        [database("DOSSIER_EVENT_STORE_URL"), database("DOSSIER_READ_MODEL_URL"), bus]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The settings of a server with the sample data on these engines.
    pub fn settings(&self, data: &Path) -> Settings {
        let flags = SettingsArgs {
            data: Some(data.display().to_string()),
            dev: Some("true".to_owned()),
            event_store_url: self.database.clone(),
            read_model_url: self.database.clone(),
            bus_url: self.bus.clone(),
            ..SettingsArgs::default()
        };
        Settings::resolve(&flags, |_| None, |path| std::fs::read_to_string(path))
            .expect("settings that need nothing")
    }
}
