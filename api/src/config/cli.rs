//! The command line. Values of the configuration stay text here; [`super::Settings::resolve`] reads them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::{SignedDuration, Timestamp};

use super::values::{parse_duration, parse_instant};

/// The longest life of a token of the built-in issuer.
const MAX_TTL: SignedDuration = SignedDuration::from_hours(24 * 365);

/// The `dossier` command.
#[derive(Debug, Parser)]
#[command(
    name = "dossier",
    version,
    about = "Dossier: support cases, served from their events",
    after_help = "Begin with:\n  dossier serve --dev\n  dossier token --email alice@acme.example"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `dossier` does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the whole system in one process, or a part of it
    #[command(
        after_help = "Examples:\n  dossier serve --dev\n  dossier serve --data /var/lib/dossier --listen 0.0.0.0:8080 \\\n      \
        --oidc-issuer https://accounts.example.com --oidc-audience dossier\n  dossier serve --config /etc/dossier.toml\n\n\
        Flags count before DOSSIER_* variables, these before the file. Prints `listening on http://HOST:PORT` when ready."
    )]
    Serve(SettingsArgs),
    /// Prints a bearer token of the built-in issuer of a --dev data directory
    #[command(after_help = "Examples:\n  dossier token --email alice@acme.example\n  \
        curl -H \"Authorization: Bearer $(dossier token --email alice@acme.example)\" \\\n      \
        http://127.0.0.1:8080/v2/organizations/acme/cases")]
    Token(TokenArgs),
    /// Rebuilds a read model beside the live one, then switches
    #[command(
        after_help = "Examples:\n  dossier rebuild cases\n  dossier rebuild --all --data /var/lib/dossier\n\n\
        Asks the running server, which goes on serving."
    )]
    Rebuild(RebuildArgs),
    /// Prints every event of a stream, or its state at an instant, as JSON lines
    #[command(after_help = "Examples:\n  dossier replay case-01JD0000000000000000000000\n  \
        dossier replay access-acme --at 2026-01-31T09:00:00Z\n\nOpens the log read-only; DOSSIER_* variables \
        name it where it is not in the data directory.")]
    Replay(ReplayArgs),
    /// Checks the configuration and says what is wrong with it
    #[command(after_help = "Example:\n  dossier check-config --config /etc/dossier.toml")]
    CheckConfig(SettingsArgs),
    /// Brings the stores to the schema of this version, then ends
    #[command(
        after_help = "Example:\n  dossier migrate --config /etc/dossier.toml\n\n`serve` does the same at its start."
    )]
    Migrate(SettingsArgs),
    /// Takes over the history of cases from a file of JSON lines
    #[command(
        after_help = "Examples:\n  dossier import cases.jsonl --config /etc/dossier.toml\n  dossier import cases.jsonl --data /var/lib/dossier --dev\n\n\
        schemas/import/case.json says what a line holds, docs/IMPORT.md shows one. Works on the stores: where the events are in \
        SQLite, stop the server first. Importing a file again skips what is there. Refused lines are kept in FILE.refused.jsonl, \
        and the exit status is then 1."
    )]
    Import(ImportArgs),
    /// Prints the OpenAPI description of the HTTP surface
    #[command(after_help = "Example:\n  dossier openapi > openapi.json")]
    Openapi,
    /// Writes the JSON Schemas of all events
    #[command(after_help = "Example:\n  dossier schemas --out schemas")]
    Schemas(SchemasArgs),
}

/// What `dossier import` takes.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// File of JSON lines, one case each
    pub file: PathBuf,
    /// Folder that holds the files which attachments name by relative paths [default: the folder of FILE]
    #[arg(long, value_name = "DIR")]
    pub files: Option<PathBuf>,
    /// The configuration that the server has
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// The configuration as flags. Help names the variable beside each; its value is never printed.
#[derive(Debug, Default, Clone, Args)]
pub struct SettingsArgs {
    /// Address to listen on; port 0 picks one [env: DOSSIER_LISTEN] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "IP:PORT")]
    pub listen: Option<String>,
    /// Directory of all data [env: DOSSIER_DATA] [default: ./dossier-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// Sample organizations and a built-in identity issuer; loopback only [env: DOSSIER_DEV]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub dev: Option<String>,
    /// TOML file with the same keys as the flags, with _ for - [env: DOSSIER_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<String>,
    /// Parts to run: all, or some of api,relay,projectors,processes [env: DOSSIER_ROLES] [default: all]
    #[arg(long, value_name = "ROLES")]
    pub roles: Option<String>,
    /// Name of this process among others [env: DOSSIER_NODE] [default: HOST-PID]
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// Events: sqlite:PATH, postgres://…, kurrentdb://… [env: DOSSIER_EVENT_STORE_URL] [default: sqlite:DATA/events.db]
    #[arg(long, value_name = "URL")]
    pub event_store_url: Option<String>,
    /// Keys of personal values: sqlite:PATH, postgres://… [env: DOSSIER_KEY_STORE_URL] [default: beside the events]
    #[arg(long, value_name = "URL")]
    pub key_store_url: Option<String>,
    /// How far processes are: sqlite:PATH, postgres://… [env: DOSSIER_WORK_STORE_URL] [default: beside the read models]
    #[arg(long, value_name = "URL")]
    pub work_store_url: Option<String>,
    /// Read models: sqlite:PATH, postgres://… [env: DOSSIER_READ_MODEL_URL] [default: sqlite:DATA/read.db]
    #[arg(long, value_name = "URL")]
    pub read_model_url: Option<String>,
    /// What carries events to projectors: in-process: or nats://… [env: DOSSIER_BUS_URL] [default: in-process:]
    #[arg(long, value_name = "URL")]
    pub bus_url: Option<String>,
    /// Where attachments are kept: file:PATH or s3://BUCKET/PREFIX [env: DOSSIER_BLOBS_URL] [default: file:DATA/blobs]
    #[arg(long, value_name = "URL")]
    pub blobs_url: Option<String>,
    /// Mail server: smtp://USER:PASSWORD@HOST:PORT?tls=required or smtps://…; without it no mail is sent [env: DOSSIER_SMTP_URL]
    #[arg(long, value_name = "URL")]
    pub smtp_url: Option<String>,
    /// Sender of mails, such as 'Support <support@acme.example>' [env: DOSSIER_MAIL_FROM]
    #[arg(long, value_name = "SENDER")]
    pub mail_from: Option<String>,
    /// Folder of mail templates that replace those built in [env: DOSSIER_MAIL_TEMPLATES]
    #[arg(long, value_name = "DIR")]
    pub mail_templates: Option<String>,
    /// Most mails a second, of this process [env: DOSSIER_MAIL_PER_SECOND] [default: 20]
    #[arg(long, value_name = "COUNT")]
    pub mail_per_second: Option<String>,
    /// Connections of this process to the mail server [env: DOSSIER_MAIL_CONNECTIONS] [default: 2]
    #[arg(long, value_name = "COUNT")]
    pub mail_connections: Option<String>,
    /// Where people read cases: mails link there [env: DOSSIER_FRONTEND_URL]
    #[arg(long, value_name = "URL")]
    pub frontend_url: Option<String>,
    /// The work store was lost for good: begin at the log's head [env: DOSSIER_LOST_WORK_STORE]
    #[arg(long, value_name = "begin-at-head")]
    pub lost_work_store: Option<String>,
    /// OpenID Connect issuer, exactly as its tokens name it [env: DOSSIER_OIDC_ISSUER]
    #[arg(long, value_name = "URL")]
    pub oidc_issuer: Option<String>,
    /// Audiences of which a token must name one, separated by commas [env: DOSSIER_OIDC_AUDIENCE]
    #[arg(long, value_name = "NAMES")]
    pub oidc_audience: Option<String>,
    /// Claim that holds roles of staff [env: DOSSIER_OIDC_STAFF_CLAIM] [default: roles]
    #[arg(long, value_name = "NAME")]
    pub oidc_staff_claim: Option<String>,
    /// What the issuer calls this server; browsers then sign in [env: DOSSIER_OIDC_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    pub oidc_client_id: Option<String>,
    /// Its secret, better not as a flag, which all can see [env: DOSSIER_OIDC_CLIENT_SECRET]
    #[arg(long, value_name = "SECRET")]
    pub oidc_client_secret: Option<String>,
    /// Origin under which browsers reach this server [env: DOSSIER_PUBLIC_URL]
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// How long a browser stays signed in [env: DOSSIER_SESSION_LIFETIME] [default: 8h]
    #[arg(long, value_name = "TIME")]
    pub session_lifetime: Option<String>,
    /// Origins whose pages may call, separated by commas [env: DOSSIER_CORS_ORIGINS] [default: none]
    #[arg(long, value_name = "ORIGINS")]
    pub cors_origins: Option<String>,
    /// Catalogue of products, plans, calendars and providers, TOML [env: DOSSIER_CATALOGUE] [default: built in]
    #[arg(long, value_name = "FILE")]
    pub catalogue: Option<String>,
    /// Which log lines to write, such as info,dossier_api=debug [env: DOSSIER_LOG] [default: info]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// How to write them: text or json [env: DOSSIER_LOG_FORMAT] [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// Largest request body apart from uploads [env: DOSSIER_MAX_BODY_BYTES] [default: 1MiB]
    #[arg(long, value_name = "SIZE")]
    pub max_body_bytes: Option<String>,
    /// Largest file that may be attached [env: DOSSIER_MAX_UPLOAD_BYTES] [default: 100MiB]
    #[arg(long, value_name = "SIZE")]
    pub max_upload_bytes: Option<String>,
    /// How long the next piece of a body may take to arrive [env: DOSSIER_REQUEST_TIMEOUT] [default: 30s]
    #[arg(long, value_name = "TIME")]
    pub request_timeout: Option<String>,
    /// How long the head of a request may take to arrive [env: DOSSIER_HEADER_TIMEOUT] [default: 10s]
    #[arg(long, value_name = "TIME")]
    pub header_timeout: Option<String>,
    /// Connections served at the same time; more wait [env: DOSSIER_MAX_CONNECTIONS] [default: 4096]
    #[arg(long, value_name = "COUNT")]
    pub max_connections: Option<String>,
    /// Requests per second of one account; 0: no limit [env: DOSSIER_RATE_LIMIT] [default: 500]
    #[arg(long, value_name = "COUNT")]
    pub rate_limit: Option<String>,
    /// What webhooks may call: public (https at public addresses) or any (for tests and development)
    /// [env: DOSSIER_WEBHOOK_TARGETS] [default: public]
    #[arg(long, value_name = "TARGETS")]
    pub webhook_targets: Option<String>,
}

impl SettingsArgs {
    /// The flag of a key, as it was given.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let flag = match key {
            "listen" => &self.listen,
            "data" => &self.data,
            "dev" => &self.dev,
            "config" => &self.config,
            "roles" => &self.roles,
            "event_store_url" => &self.event_store_url,
            "key_store_url" => &self.key_store_url,
            "node" => &self.node,
            "read_model_url" => &self.read_model_url,
            "work_store_url" => &self.work_store_url,
            "bus_url" => &self.bus_url,
            "blobs_url" => &self.blobs_url,
            "smtp_url" => &self.smtp_url,
            "mail_from" => &self.mail_from,
            "mail_templates" => &self.mail_templates,
            "mail_per_second" => &self.mail_per_second,
            "mail_connections" => &self.mail_connections,
            "frontend_url" => &self.frontend_url,
            "lost_work_store" => &self.lost_work_store,
            "oidc_issuer" => &self.oidc_issuer,
            "oidc_audience" => &self.oidc_audience,
            "oidc_staff_claim" => &self.oidc_staff_claim,
            "oidc_client_id" => &self.oidc_client_id,
            "oidc_client_secret" => &self.oidc_client_secret,
            "public_url" => &self.public_url,
            "session_lifetime" => &self.session_lifetime,
            "cors_origins" => &self.cors_origins,
            "catalogue" => &self.catalogue,
            "log" => &self.log,
            "log_format" => &self.log_format,
            "max_body_bytes" => &self.max_body_bytes,
            "max_upload_bytes" => &self.max_upload_bytes,
            "request_timeout" => &self.request_timeout,
            "header_timeout" => &self.header_timeout,
            "max_connections" => &self.max_connections,
            "rate_limit" => &self.rate_limit,
            "webhook_targets" => &self.webhook_targets,
            _ => &None,
        };
        flag.as_deref()
    }
}

/// Arguments of `dossier token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// Whose token
    #[arg(long, value_name = "ADDRESS")]
    pub email: String,
    /// How long it is good
    #[arg(long, value_name = "TIME", default_value = "8h", value_parser = ttl)]
    pub ttl: SignedDuration,
    /// Directory of all data [env: DOSSIER_DATA] [default: ./dossier-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Arguments of `dossier rebuild`.
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// The read model to rebuild
    #[arg(required_unless_present = "all")]
    pub read_model: Option<String>,
    /// Rebuild all of them
    #[arg(long, conflicts_with = "read_model")]
    pub all: bool,
    /// Directory of all data [env: DOSSIER_DATA] [default: ./dossier-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Arguments of `dossier replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The stream, such as case-ULID or access-ORGANIZATION
    pub stream: String,
    /// Print the state at this recorded instant instead of the events
    #[arg(long, value_name = "INSTANT", value_parser = parse_instant)]
    pub at: Option<Timestamp>,
    /// Directory of all data [env: DOSSIER_DATA] [default: ./dossier-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Arguments of `dossier schemas`.
#[derive(Debug, Args)]
pub struct SchemasArgs {
    /// Directory to write to
    #[arg(long, value_name = "DIR", default_value = "schemas")]
    pub out: PathBuf,
}

fn ttl(text: &str) -> Result<SignedDuration, String> {
    parse_duration(text)
        .filter(|ttl| *ttl <= MAX_TTL)
        .ok_or_else(|| "give a time of at most a year, such as 8h or 30m".to_owned())
}
