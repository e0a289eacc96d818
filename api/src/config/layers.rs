//! Where each value comes from, and which one counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ConfigError;
use super::cli::SettingsArgs;

/// Every key of the configuration file; flags and variables are named after them.
pub(super) const KEYS: [&str; 37] = [
    "listen",
    "data",
    "dev",
    "roles",
    "node",
    "event_store_url",
    "key_store_url",
    "read_model_url",
    "work_store_url",
    "bus_url",
    "blobs_url",
    "smtp_url",
    "mail_from",
    "mail_templates",
    "mail_per_second",
    "mail_connections",
    "frontend_url",
    "lost_work_store",
    "oidc_issuer",
    "oidc_audience",
    "oidc_staff_claim",
    "oidc_client_id",
    "oidc_client_secret",
    "public_url",
    "session_lifetime",
    "cors_origins",
    "catalogue",
    "log",
    "log_format",
    "max_body_bytes",
    "max_upload_bytes",
    "request_timeout",
    "header_timeout",
    "max_connections",
    "rate_limit",
    "webhook_targets",
    "config",
];

/// Who gave a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Flag,
    Environment,
    File(PathBuf),
}

/// A value as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    key: &'static str,
    text: String,
    origin: Origin,
}

impl Given {
    /// The value.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The sentence that refuses it: `why` follows on "and", `what_would_do` on a semicolon.
    pub(super) fn refused(&self, why: &str, what_would_do: &str) -> ConfigError {
        let name = match &self.origin {
            Origin::Flag => format!("--{}", kebab(self.key)),
            Origin::Environment => variable(self.key),
            Origin::File(path) => format!("{} in {}", self.key, path.display()),
        };
        ConfigError::new(format!("{name} is \"{}\", and {why}; {what_would_do}", self.shown()))
    }

    /// The value without what may be a password.
    fn shown(&self) -> String {
        if self.key.ends_with("_secret") {
            return "…".to_owned();
        }
        let secret = self.key.ends_with("_url") && self.text.contains('@');
        match self.text.split_once(':') {
            Some((scheme, _)) if secret => format!("{scheme}://…"),
            _ if secret => "…".to_owned(),
            _ => self.text.clone(),
        }
    }
}

/// The values that count.
#[derive(Debug)]
pub(super) struct Layers(BTreeMap<&'static str, Given>);

impl Layers {
    /// Lays flags over environment over file. An empty variable is an unset one, as compose files make them.
    pub(super) fn gather(
        flags: &SettingsArgs,
        environment: impl Fn(&str) -> Option<String>,
        read_file: impl Fn(&Path) -> std::io::Result<String>,
    ) -> Result<Self, ConfigError> {
        let mut values = BTreeMap::new();
        for key in KEYS {
            let from_environment = || environment(&variable(key)).filter(|text| !text.is_empty());
            let given = flags
                .get(key)
                .map(|text| (text.to_owned(), Origin::Flag))
                .or_else(|| from_environment().map(|text| (text, Origin::Environment)));
            if let Some((text, origin)) = given {
                values.insert(key, Given { key, text, origin });
            }
        }
        if let Some(config) = values.get("config").cloned() {
            let path = PathBuf::from(config.text());
            let text = read_file(&path).map_err(|error| {
                config.refused(&format!("cannot be read ({error})"), "name a TOML file that can be read")
            })?;
            for (key, text) in read_toml(&path, &text)? {
                values.entry(key).or_insert(Given { key, text, origin: Origin::File(path.clone()) });
            }
        }
        Ok(Self(values))
    }

    /// The value of a key that counts.
    pub(super) fn get(&self, key: &str) -> Option<&Given> {
        self.0.get(key)
    }
}

/// `oidc_issuer` as a flag, without its dashes.
pub(super) fn kebab(key: &str) -> String {
    key.replace('_', "-")
}

/// `oidc_issuer` as a variable.
pub(super) fn variable(key: &str) -> String {
    format!("DOSSIER_{}", key.to_ascii_uppercase())
}

fn read_toml(path: &Path, text: &str) -> Result<Vec<(&'static str, String)>, ConfigError> {
    let file = path.display();
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line =
            error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        ConfigError::new(format!("line {line} of {file} is not TOML ({message}); write key = \"value\""))
    })?;
    let mut values = Vec::new();
    for (name, value) in table {
        // A file that names another file would be read by nobody.
        let known = KEYS.iter().filter(|key| **key != "config");
        let Some(key) = known.clone().find(|key| **key == name) else {
            let known: Vec<_> = known.copied().collect();
            return Err(ConfigError::new(format!(
                "{file} has the key {name}, which is unknown; the keys are {}",
                known.join(", ")
            )));
        };
        let text = scalar(&value).or_else(|| {
            let list = value.as_array()?.iter().map(scalar).collect::<Option<Vec<_>>>()?;
            Some(list.join(","))
        });
        let Some(text) = text else {
            return Err(ConfigError::new(format!(
                "{name} in {file} is a {}; give text, a number, true or false, or a list of texts",
                value.type_str()
            )));
        };
        values.push((*key, text));
    }
    Ok(values)
}

fn scalar(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(boolean) => Some(boolean.to_string()),
        _ => None,
    }
}
