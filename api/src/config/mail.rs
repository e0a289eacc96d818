//! How mails are sent, where they are: without `smtp_url` they are only written down.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use dossier_processes::notifications::compose::sender;
use dossier_processes::notifications::mailer::SmtpServer;
use reqwest::Url;

use super::layers::{self, Given, Layers};
use super::{ConfigError, Secret, browser};

/// Mails a second of one process, unless configured.
const DEFAULT_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).expect("not zero");
/// Connections of one process to the mail server, unless configured.
const DEFAULT_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");
const MAX_PER_SECOND: u32 = 10_000;
const MAX_CONNECTIONS: usize = 100;
/// As whom `--dev` sends.
const DEV_FROM: &str = "Dossier <support@support.example>";

/// How mails are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The mail server, with its password.
    pub server: Secret,
    /// As whom.
    pub from: String,
    /// Where this server is reached, without a slash at its end: links that need no sign-in lead there.
    pub public_url: String,
    /// Where people read cases, without a slash at its end.
    pub frontend_url: Option<String>,
    /// A folder of templates that take the place of those built in.
    pub templates: Option<PathBuf>,
    /// Most mails a second, of this process.
    pub per_second: NonZeroU32,
    /// Connections to the server, of this process.
    pub connections: NonZeroUsize,
}

/// `None`: no mail is sent.
pub(super) fn resolve(layers: &Layers, dev: bool, listen: &str) -> Result<Option<Mail>, ConfigError> {
    let Some(server) = layers.get("smtp_url") else {
        let keys = ["mail_from", "mail_templates", "mail_per_second", "mail_connections", "frontend_url"];
        return match keys.into_iter().find_map(|key| layers.get(key)) {
            None => Ok(None),
            Some(given) => Err(given.refused("no mail is sent without smtp_url", "set both, or neither")),
        };
    };
    SmtpServer::parse(server.text()).map_err(|error| server.refused("cannot be used", &error.to_string()))?;
    let needed = |key: &str, in_dev: String, what: &str, example: &str| match layers.get(key) {
        Some(given) => Ok(given.text().to_owned()),
        None if dev => Ok(in_dev),
        None => Err(ConfigError::new(format!(
            "{key} is not set, and with smtp_url {what}; set --{} or {} to one such as {example}",
            layers::kebab(key),
            layers::variable(key)
        ))),
    };
    let from =
        needed("mail_from", DEV_FROM.to_owned(), "mails need a sender", "'Support <support@acme.example>'")?;
    if let Some(given) = layers.get("mail_from")
        && sender(given.text()).is_none()
    {
        return Err(given.refused("is no sender", "give an address, or a name and an address in <>"));
    }
    let why = "mails have links that must lead here";
    let public_url = needed("public_url", format!("http://{listen}"), why, "https://support.example.com")?;
    if let Some(given) = layers.get("public_url") {
        browser::origin(given, given.text())?;
    }
    Ok(Some(Mail {
        server: Secret::new(server.text()),
        from,
        public_url: public_url.trim_end_matches('/').to_owned(),
        frontend_url: layers.get("frontend_url").map(frontend).transpose()?,
        templates: layers.get("mail_templates").map(|given| given.text().into()),
        per_second: number(layers, "mail_per_second", &MAX_PER_SECOND, DEFAULT_PER_SECOND)?,
        connections: number(layers, "mail_connections", &MAX_CONNECTIONS, DEFAULT_CONNECTIONS)?,
    }))
}

/// The address below which people read cases.
fn frontend(given: &Given) -> Result<String, ConfigError> {
    let url = Url::parse(given.text()).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none()
    });
    let url = url.ok_or_else(|| {
        given.refused("is no address of a page", "give one such as https://desk.example.com or with a path")
    })?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn number<T>(layers: &Layers, key: &str, most: &T::Number, default: T) -> Result<T, ConfigError>
where
    T: Bounded,
{
    let Some(given) = layers.get(key) else { return Ok(default) };
    let number = given.text().parse().ok().filter(|number| number <= most).and_then(T::of);
    number.ok_or_else(|| {
        given.refused("is no number that would do", &format!("give a whole number from 1 to {most}"))
    })
}

/// A number that is not zero.
trait Bounded: Sized {
    type Number: std::str::FromStr + PartialOrd + std::fmt::Display;

    fn of(number: Self::Number) -> Option<Self>;
}

impl Bounded for NonZeroU32 {
    type Number = u32;

    fn of(number: u32) -> Option<Self> {
        Self::new(number)
    }
}

impl Bounded for NonZeroUsize {
    type Number = usize;

    fn of(number: usize) -> Option<Self> {
        Self::new(number)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{refused, resolve};

    const OPENID: &str = "--oidc-issuer https://i.example --oidc-audience dossier";

    #[test]
    fn mails_are_sent_where_a_mail_server_is_set_with_a_sender_and_an_address_for_links() {
        assert_eq!(resolve(OPENID, &[], None).unwrap().mail, None);
        let flags = format!(
            "{OPENID} --smtp-url smtp://m.example --mail-from support@acme.example --public-url https://s.example/ \
             --frontend-url https://desk.example/support/ --mail-per-second 50"
        );
        let mail = resolve(&flags, &[], None).unwrap().mail.unwrap();
        assert_eq!(
            (mail.from.as_str(), mail.public_url.as_str()),
            ("support@acme.example", "https://s.example")
        );
        assert_eq!(mail.frontend_url.as_deref(), Some("https://desk.example/support"));
        assert_eq!((mail.per_second.get(), mail.connections.get()), (50, 2));
    }

    #[test]
    fn dev_needs_no_more_than_the_mail_server() {
        let mail = resolve("--dev --smtp-url smtp://127.0.0.1:2525", &[], None).unwrap().mail.unwrap();
        assert_eq!(mail.public_url, "http://127.0.0.1:8080");
        assert!(mail.from.contains("support@support.example"));
    }

    #[test]
    fn what_would_not_do_is_refused_and_no_password_is_shown() {
        refused(&format!("{OPENID} --smtp-url smtp://m.example"), &["mail_from", "DOSSIER_MAIL_FROM"]);
        let from = format!("{OPENID} --smtp-url smtp://m.example --mail-from a@b.example");
        refused(&from, &["public_url"]);
        refused("--dev --smtp-url nonsense", &["smtp-url", "smtp://"]);
        refused("--dev --mail-from a@b.example", &["no mail is sent without smtp_url"]);
        refused("--dev --smtp-url smtp://m --mail-from nobody", &["is no sender"]);
        refused("--dev --smtp-url smtp://m --mail-per-second 0", &["from 1 to 10000"]);
        refused("--dev --smtp-url smtp://m --frontend-url ftp://x", &["https://desk.example.com"]);
        let shown = resolve("--dev --smtp-url ftp://user:hidden@m", &[], None).unwrap_err().to_string();
        assert!(!shown.contains("hidden"), "{shown}");
    }
}
