//! Which engines keep what.

use std::path::{Path, PathBuf};

use super::ConfigError;
use super::cli::SettingsArgs;
use super::layers::Layers;
use super::values::{self, Engine};

/// Where events are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventStore {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(String),
    /// A KurrentDB cluster.
    Kurrentdb(String),
}

/// Where the keys of personal values are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyStore {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(String),
}

/// Where read models are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadModel {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(String),
}

/// Where processes keep how far they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkStore {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(String),
}

/// What carries events to projectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bus {
    /// A channel in this process.
    InProcess,
    /// NATS JetStream.
    Nats(String),
}

/// Stores and bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engines {
    /// Where events are kept.
    pub event_store: EventStore,
    /// Where the keys of personal values are kept.
    pub key_store: KeyStore,
    /// Where read models are kept.
    pub read_model: ReadModel,
    /// Where processes keep how far they are.
    pub work_store: WorkStore,
    /// What carries events.
    pub bus: Bus,
}

impl EventStore {
    /// What it is called to the operator, without what may be secret.
    pub fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(_) => "PostgreSQL".to_owned(),
            Self::Kurrentdb(_) => "KurrentDB".to_owned(),
        }
    }
}

impl Engines {
    /// The engines of the commands that work beside a server: the data directory over variables over defaults.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn beside(
        data: Option<&Path>,
        environment: impl Fn(&str) -> Option<String> + Copy,
        read_file: impl Fn(&Path) -> std::io::Result<String>,
    ) -> Result<Self, ConfigError> {
        let flags =
            SettingsArgs { data: data.map(|data| data.display().to_string()), ..SettingsArgs::default() };
        let layers = Layers::gather(&flags, environment, read_file)?;
        let data = layers
            .get("data")
            .map_or_else(|| super::DEFAULT_DATA.into(), |given| PathBuf::from(given.text()));
        Self::resolve(&layers, &data)
    }

    /// Reads the URLs; what is not given lies in the data directory, or beside what is given.
    pub(super) fn resolve(layers: &Layers, data: &Path) -> Result<Self, ConfigError> {
        let event_store = match layers.get("event_store_url") {
            None => EventStore::Sqlite(data.join("events.db")),
            Some(url) => match values::engine(url, &["sqlite", "postgres", "kurrentdb"])? {
                Engine::Sqlite(path) => EventStore::Sqlite(path),
                Engine::Postgres(url) => EventStore::Postgres(url),
                Engine::Kurrentdb(url) => EventStore::Kurrentdb(url),
            },
        };
        let either = |key: &str| match layers.get(key) {
            None => Ok(None),
            Some(url) => match values::engine(url, &["sqlite", "postgres"])? {
                Engine::Sqlite(path) => Ok(Some((Some(path), String::new()))),
                Engine::Postgres(url) | Engine::Kurrentdb(url) => Ok(Some((None, url))),
            },
        };
        let read_model = match either("read_model_url")? {
            None => ReadModel::Sqlite(data.join("read.db")),
            Some((Some(path), _)) => ReadModel::Sqlite(path),
            Some((None, url)) => ReadModel::Postgres(url),
        };
        let key_store = match (either("key_store_url")?, &event_store) {
            (Some((Some(path), _)), _) => KeyStore::Sqlite(path),
            (Some((None, url)), _) => KeyStore::Postgres(url),
            (None, EventStore::Sqlite(events)) => KeyStore::Sqlite(events.with_file_name("keys.db")),
            (None, EventStore::Postgres(url)) => KeyStore::Postgres(url.clone()),
            (None, EventStore::Kurrentdb(_)) => {
                return Err(ConfigError::new(
                    "key_store_url is not set, and KurrentDB forgets nothing, so the keys of personal values are kept \
                     elsewhere; set --key-store-url or DOSSIER_KEY_STORE_URL to postgres://… or sqlite:PATH",
                ));
            }
        };
        let work_store = match (either("work_store_url")?, &read_model) {
            (Some((Some(path), _)), _) => WorkStore::Sqlite(path),
            (Some((None, url)), _) => WorkStore::Postgres(url),
            (None, ReadModel::Postgres(url)) => WorkStore::Postgres(url.clone()),
            (None, ReadModel::Sqlite(_)) => WorkStore::Sqlite(data.join("work.db")),
        };
        let bus = match layers.get("bus_url").map(values::bus).transpose()?.flatten() {
            None => Bus::InProcess,
            Some(url) => Bus::Nats(url),
        };
        let engines = Self { event_store, key_store, read_model, work_store, bus };
        engines.check_files()?;
        Ok(engines)
    }

    /// Each file has one use.
    fn check_files(&self) -> Result<(), ConfigError> {
        let mut files: Vec<(&str, &Path)> = Vec::new();
        if let EventStore::Sqlite(path) = &self.event_store {
            files.push(("event_store_url", path));
        }
        if let KeyStore::Sqlite(path) = &self.key_store {
            files.push(("key_store_url", path));
        }
        if let ReadModel::Sqlite(path) = &self.read_model {
            files.push(("read_model_url", path));
        }
        if let WorkStore::Sqlite(path) = &self.work_store {
            files.push(("work_store_url", path));
        }
        for (number, (key, path)) in files.iter().enumerate() {
            if let Some((other, _)) = files[..number].iter().find(|(_, other)| other == path) {
                return Err(ConfigError::new(format!(
                    "{other} and {key} both name {}; give each a file of its own",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    /// Why these engines serve one process only, if they do.
    pub fn one_process(&self) -> Option<&'static str> {
        if matches!(self.event_store, EventStore::Sqlite(_)) || matches!(self.key_store, KeyStore::Sqlite(_))
        {
            Some("the embedded profile (events or keys in SQLite) runs as one process")
        } else if matches!(self.read_model, ReadModel::Sqlite(_))
            || matches!(self.work_store, WorkStore::Sqlite(_))
        {
            Some("read models or a work store in SQLite serve one process")
        } else if self.bus == Bus::InProcess {
            Some("the bus inside the process reaches no other")
        } else {
            None
        }
    }
}
