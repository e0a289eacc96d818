//! Configuration: flags over `DOSSIER_*` environment over a TOML file over defaults.
//!
//! Every value is text until [`Settings::resolve`] has read it, so that a bad one is refused the same way wherever
//! it came from: one sentence with the key, the value and what would do. Nothing here reads the environment or the
//! disk by itself: both are arguments.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

mod browser;
pub mod cli;
mod engines;
mod layers;
mod mail;
mod roles;
mod values;

use dossier_domain::webhook::TargetPolicy;
use layers::{Given, Layers};

pub use crate::logging::LogFormat;
pub use browser::{Browser, DEFAULT_SESSION_LIFETIME, Secret};
pub use cli::{Cli, Command};
pub use engines::{Bus, Engines, EventStore, KeyStore, ReadModel, WorkStore};
pub use mail::Mail;
pub use roles::{Role, Roles};
pub use values::{parse_duration, parse_instant};

/// Where data lie unless told.
pub const DEFAULT_DATA: &str = "./dossier-data";
/// Where the server listens unless told.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";
/// The largest request body unless told, in bytes: 1 MiB.
pub const DEFAULT_MAX_BODY_BYTES: usize = 1024 * 1024;
/// How long the head of a request may take to arrive, unless configured.
pub const DEFAULT_HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections served at the same time, unless configured.
pub const DEFAULT_MAX_CONNECTIONS: usize = 4096;
/// Requests per second of one account, unless configured.
pub const DEFAULT_RATE_LIMIT: u32 = 500;
/// The largest file that may be attached, unless configured, in bytes.
pub const DEFAULT_MAX_UPLOAD_BYTES: usize = 100 * 1024 * 1024;
/// How long a request may take unless told.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The claim with roles of staff unless told.
pub const DEFAULT_STAFF_CLAIM: &str = "roles";

/// Why the start was stopped: one sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// How people sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// With tokens of the built-in issuer (`--dev`).
    Dev,
    /// With tokens of an OpenID Connect issuer.
    OpenId {
        /// The issuer as its tokens name it.
        issuer: String,
        /// A token must be for one of these; never empty.
        audiences: Vec<String>,
        /// The claim that holds roles of staff.
        staff_claim: String,
    },
}

/// Where attachments are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blobs {
    /// A directory.
    Directory(PathBuf),
    /// A bucket that speaks S3, `s3://BUCKET/PREFIX`; credentials, region and endpoint come from the usual `AWS_…`
    /// variables.
    S3(String),
}

impl Blobs {
    /// The place as the blob store takes it.
    pub fn url(&self) -> String {
        match self {
            Self::Directory(path) => format!("file:{}", path.display()),
            Self::S3(url) => url.clone(),
        }
    }
}

/// The configuration of `dossier serve`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where to listen; port 0 picks one.
    pub listen: SocketAddr,
    /// Where data lie.
    pub data: PathBuf,
    /// How people sign in; [`SignIn::Dev`] also means sample data.
    pub sign_in: SignIn,
    /// How browsers sign in, where they do.
    pub browser: Option<Browser>,
    /// Origins whose pages may call from a browser.
    pub cors_origins: Vec<String>,
    /// Stores and bus.
    pub engines: Engines,
    /// The parts that this process runs.
    pub roles: Roles,
    /// What this process is called in `/readyz`.
    pub node: String,
    /// How mails are sent, where they are.
    pub mail: Option<Mail>,
    /// Whether the work store was lost for good: then what acts by itself begins at the log's head.
    pub begin_at_head: bool,
    /// Where attachments are kept.
    pub blobs: Blobs,
    /// The catalogue file; the built-in catalogue when absent.
    pub catalogue: Option<PathBuf>,
    /// Which log lines are written, as for `tracing_subscriber`'s `EnvFilter`.
    pub log: String,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// The largest request body, uploads excepted, in bytes.
    pub max_body_bytes: usize,
    /// The largest file that may be attached, in bytes.
    pub max_upload_bytes: usize,
    /// How long a body, or the next piece of an upload, may take to arrive.
    pub request_timeout: Duration,
    /// How long the head of a request may take to arrive.
    pub header_timeout: Duration,
    /// Connections served at the same time.
    pub max_connections: usize,
    /// Requests per second of one account; `None`: without limit.
    pub rate_limit: Option<NonZeroU32>,
    /// What webhooks may call.
    pub webhook_targets: TargetPolicy,
}

impl Settings {
    /// Gathers and checks the configuration. `environment` looks a variable up, `read_file` reads the file that
    /// `--config` names.
    ///
    /// # Errors
    /// [`ConfigError`]: the first thing that is wrong.
    pub fn resolve(
        flags: &cli::SettingsArgs,
        environment: impl Fn(&str) -> Option<String>,
        read_file: impl Fn(&Path) -> std::io::Result<String>,
    ) -> Result<Self, ConfigError> {
        let layers = Layers::gather(flags, environment, read_file)?;
        let dev = layers.get("dev").map_or(Ok(false), values::boolean)?;
        let data =
            layers.get("data").map_or_else(|| PathBuf::from(DEFAULT_DATA), |given| given.text().into());
        let engines = Engines::resolve(&layers, &data)?;
        let roles = layers.get("roles").map_or_else(|| Ok(Roles::all()), roles::resolve)?;
        if let (Some(given), false, Some(why)) = (layers.get("roles"), roles.is_all(), engines.one_process())
        {
            return Err(given.refused(why, "use all, or leave it unset"));
        }
        let blobs = match layers.get("blobs_url") {
            None => Blobs::Directory(data.join("blobs")),
            Some(url) => values::blobs(url)?,
        };
        let log = layers.get("log").map_or_else(|| Ok("info".to_owned()), values::log_filter)?;
        let listen = listen(&layers, dev)?;
        let mail = mail::resolve(&layers, dev, &listen.to_string())?;
        Ok(Self {
            listen,
            sign_in: sign_in(&layers, dev)?,
            mail,
            begin_at_head: layers.get("lost_work_store").map_or(Ok(false), values::begin_at_head)?,
            browser: browser::resolve(&layers)?,
            cors_origins: layers.get("cors_origins").map_or_else(|| Ok(Vec::new()), browser::cors_origins)?,
            engines,
            roles,
            node: layers.get("node").map_or_else(|| Ok(String::new()), values::node)?,
            blobs,
            catalogue: layers.get("catalogue").map(|given| given.text().into()),
            log,
            log_format: layers.get("log_format").map_or(Ok(LogFormat::Text), values::log_format)?,
            max_body_bytes: layers
                .get("max_body_bytes")
                .map_or(Ok(DEFAULT_MAX_BODY_BYTES), values::body_bytes)?,
            max_upload_bytes: layers
                .get("max_upload_bytes")
                .map_or(Ok(DEFAULT_MAX_UPLOAD_BYTES), values::body_bytes)?,
            request_timeout: layers
                .get("request_timeout")
                .map_or(Ok(DEFAULT_REQUEST_TIMEOUT), values::request_timeout)?,
            header_timeout: layers
                .get("header_timeout")
                .map_or(Ok(DEFAULT_HEADER_TIMEOUT), values::request_timeout)?,
            max_connections: layers
                .get("max_connections")
                .map_or(Ok(DEFAULT_MAX_CONNECTIONS), values::connections)?,
            rate_limit: NonZeroU32::new(
                layers.get("rate_limit").map_or(Ok(DEFAULT_RATE_LIMIT), values::rate_limit)?,
            ),
            webhook_targets: layers
                .get("webhook_targets")
                .map_or(Ok(TargetPolicy::default()), values::webhook_targets)?,
            data,
        })
    }

    /// Whether this is `--dev`: sample data, the built-in issuer, loopback only.
    pub fn is_dev(&self) -> bool {
        self.sign_in == SignIn::Dev
    }
}

/// The data directory of the commands that work beside a server: flag over `DOSSIER_DATA` over the default.
pub fn data_directory(flag: Option<&Path>, environment: impl Fn(&str) -> Option<String>) -> PathBuf {
    let given = || environment("DOSSIER_DATA").filter(|text| !text.is_empty()).map(PathBuf::from);
    flag.map(Path::to_path_buf).or_else(given).unwrap_or_else(|| DEFAULT_DATA.into())
}

fn listen(layers: &Layers, dev: bool) -> Result<SocketAddr, ConfigError> {
    let Some(given) = layers.get("listen") else { return Ok(SocketAddr::from(([127, 0, 0, 1], 8080))) };
    let address = values::address(given)?;
    if dev && !address.ip().is_loopback() {
        return Err(given.refused(
            "--dev, whose tokens anybody can make, listens on loopback only",
            "use 127.0.0.1:8080, or run without --dev with oidc_issuer and oidc_audience",
        ));
    }
    Ok(address)
}

fn sign_in(layers: &Layers, dev: bool) -> Result<SignIn, ConfigError> {
    let keys = ["oidc_issuer", "oidc_audience", "oidc_staff_claim"].map(|key| layers.get(key));
    if dev {
        let of_browsers = ["oidc_client_id", "oidc_client_secret"].map(|key| layers.get(key));
        return match keys.into_iter().chain(of_browsers).flatten().next() {
            Some(given) => Err(given.refused("--dev signs in with its own issuer", "give one or the other")),
            None => Ok(SignIn::Dev),
        };
    }
    let [issuer, audience, staff_claim] = keys;
    let missing = |key: &str, example: &str| {
        ConfigError::new(format!(
            "{key} is not set, and without --dev people sign in with OpenID Connect; set --{} or {} to one such as \
             {example}, or use --dev",
            layers::kebab(key),
            layers::variable(key)
        ))
    };
    let issuer = issuer.ok_or_else(|| missing("oidc_issuer", "https://accounts.example.com"))?;
    let audience = audience.ok_or_else(|| missing("oidc_audience", "dossier"))?;
    let staff_claim = staff_claim.map_or(DEFAULT_STAFF_CLAIM, Given::text).to_owned();
    Ok(SignIn::OpenId { issuer: values::issuer(issuer)?, audiences: values::list(audience)?, staff_claim })
}

#[cfg(test)]
mod tests;
