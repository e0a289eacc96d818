//! A connection to the mail server, one step at a time: the ledger marks a message between RCPT and DATA.

use std::time::Duration;

use lettre::Address;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::{Response, Severity};
use tokio::net::TcpStream;
use url::{Host, Url};

/// The server says that it closes the connection.
const CLOSING: &str = "421";
/// What is kept of the server's words.
const MAX_WORDS: usize = 500;

/// Why an address of a mail server cannot be used; the operator corrects it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mail server's address {0}; write smtp://user:password@host:port?tls=required or smtps://host")]
pub struct BadSmtpUrl(&'static str);

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    /// From the first byte.
    Wrapped,
    /// By STARTTLS, or not used.
    Required,
    /// By STARTTLS where the server offers it.
    Opportunistic,
    /// Not at all.
    None,
}

/// A mail server, and how it is reached.
#[derive(Clone)]
pub struct SmtpServer {
    host: String,
    port: u16,
    protection: Protection,
    credentials: Option<Credentials>,
    hello: Option<String>,
    /// How long an answer is waited for.
    pub answer_timeout: Duration,
    /// How long the answer to a message's content is waited for: giving up early makes a message unknown.
    pub acceptance_timeout: Duration,
}

impl SmtpServer {
    /// Reads `smtp://user:password@host:port/name?tls=required|opportunistic|none` or `smtps://…`. The path is the name by
    /// which this node greets. Without `tls` nothing is encrypted, which is refused together with a password.
    ///
    /// # Errors
    /// [`BadSmtpUrl`], without the password.
    pub fn parse(text: &str) -> Result<Self, BadSmtpUrl> {
        let url = Url::parse(text).map_err(|_| BadSmtpUrl("is not a URL"))?;
        let mut tls = None;
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("tls", "required") => tls = Some(Protection::Required),
                ("tls", "opportunistic") => tls = Some(Protection::Opportunistic),
                ("tls", "none") => tls = Some(Protection::None),
                ("tls", _) => {
                    return Err(BadSmtpUrl("has a `tls` other than required, opportunistic or none"));
                }
                _ => return Err(BadSmtpUrl("has an option other than `tls`")),
            }
        }
        let (protection, usual_port) = match (url.scheme(), tls) {
            ("smtps", None | Some(Protection::Required)) => (Protection::Wrapped, 465),
            ("smtps", Some(_)) => return Err(BadSmtpUrl("is smtps and says otherwise in `tls`")),
            ("smtp", None | Some(Protection::None)) => (Protection::None, 25),
            ("smtp", Some(by_starttls)) => (by_starttls, 587),
            _ => return Err(BadSmtpUrl("does not begin with smtp:// or smtps://")),
        };
        let host = match url.host() {
            // Not a scheme whose hosts the standard checks: what is empty comes through.
            Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => return Err(BadSmtpUrl("names no host")),
        };
        let decoded = |text: &str| {
            let bytes = percent_encoding::percent_decode_str(text);
            bytes
                .decode_utf8()
                .map(String::from)
                .map_err(|_| BadSmtpUrl("has a user or password that is no text"))
        };
        let credentials = match url.password() {
            None => None,
            Some(_) if protection == Protection::None && tls.is_none() => {
                return Err(BadSmtpUrl("would send the password unencrypted (`tls=none` allows it)"));
            }
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
        };
        let name = url.path().trim_matches('/');
        let named = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
        if !named {
            return Err(BadSmtpUrl("greets with a name that is none"));
        }
        Ok(Self {
            host,
            port: url.port().unwrap_or(usual_port),
            protection,
            credentials,
            hello: (!name.is_empty()).then(|| name.to_owned()),
            answer_timeout: Duration::from_mins(1),
            acceptance_timeout: Duration::from_mins(5),
        })
    }

    /// Where it is, for logs and readiness.
    pub fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Connects, greets and signs in. `domain` is that of the sender, the name to greet by when none was given.
    ///
    /// # Errors
    /// Why not, in one line.
    pub(super) async fn connect(&self, domain: &str) -> Result<Connection, String> {
        let connected = tokio::time::timeout(self.answer_timeout, self.open(domain)).await;
        let inner = connected.map_err(|_| format!("no answer within {:?}", self.answer_timeout))??;
        Ok(Connection { inner, server: self.clone(), used: false })
    }

    async fn open(&self, domain: &str) -> Result<AsyncSmtpConnection, String> {
        let hello = ClientId::Domain(self.hello.as_deref().unwrap_or(domain).to_owned());
        let tls = || TlsParameters::new(self.host.clone()).map_err(|error| words_of(&error));
        let address = (self.host.as_str(), self.port);
        let failed = |error: Error| words_of(&error);
        let mut inner = if self.protection == Protection::Wrapped {
            let timeout = Some(self.answer_timeout);
            AsyncSmtpConnection::connect_tokio1(address, timeout, &hello, Some(tls()?), None)
                .await
                .map_err(failed)?
        } else {
            let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
            // A content is two writes, of which the second would wait for the first one's acknowledgement.
            stream.set_nodelay(true).map_err(|error| error.to_string())?;
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await.map_err(failed)?
        };
        let starttls = match self.protection {
            Protection::Wrapped | Protection::None => false,
            Protection::Required if !inner.can_starttls() => {
                return Err("it does not offer STARTTLS, which `tls=required` asks for".to_owned());
            }
            Protection::Required | Protection::Opportunistic => inner.can_starttls(),
        };
        if starttls {
            inner.starttls(tls()?, &hello).await.map_err(failed)?;
        }
        if let Some(credentials) = &self.credentials {
            inner.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await.map_err(failed)?;
        }
        Ok(inner)
    }
}

/// Why a step did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The server said no for now.
    ForNow(String),
    /// The server said no.
    ForGood(String),
    /// No answer that could be understood; the connection is of no more use.
    Lost(String),
}

/// A connection that has greeted and signed in.
pub(super) struct Connection {
    inner: AsyncSmtpConnection,
    server: SmtpServer,
    /// Whether a message went over it before.
    pub(super) used: bool,
}

impl Connection {
    /// Begins a message.
    pub(super) async fn sender(&mut self, envelope: &Envelope) -> Result<(), Refusal> {
        let mut options = Vec::new();
        let mut addresses = envelope.to().iter().chain(envelope.from());
        if !addresses.all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
            if !self.inner.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Refusal::ForGood("the server takes no address outside ASCII".to_owned()));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        let mail = Mail::new(envelope.from().cloned(), options);
        answered(self.server.answer_timeout, self.inner.command(mail)).await.map(drop)
    }

    /// Names the recipient.
    pub(super) async fn recipient(&mut self, address: &Address) -> Result<(), Refusal> {
        let rcpt = Rcpt::new(address.clone(), Vec::new());
        answered(self.server.answer_timeout, self.inner.command(rcpt)).await.map(drop)
    }

    /// Asks for leave to send the content.
    pub(super) async fn ask_for_content(&mut self) -> Result<(), Refusal> {
        let reply = answered(self.server.answer_timeout, self.inner.command(Data)).await?;
        if reply.code().severity == Severity::PositiveIntermediate {
            return Ok(());
        }
        Err(Refusal::Lost(format!(
            "an answer to DATA that is none: {}",
            words(&reply.code().to_string(), &reply)
        )))
    }

    /// Sends the content; answers the server's words when it accepted.
    pub(super) async fn content(&mut self, content: &[u8]) -> Result<String, Refusal> {
        let reply = answered(self.server.acceptance_timeout, self.inner.message(content)).await?;
        self.used = true;
        let words = words(&reply.code().to_string(), &reply);
        let accepted = reply.code().severity == Severity::PositiveCompletion;
        if accepted {
            Ok(words)
        } else {
            Err(Refusal::Lost(format!("an answer to a content that is none: {words}")))
        }
    }

    /// Gives up a message that was begun.
    pub(super) async fn reset(&mut self) -> Result<(), Refusal> {
        self.used = true;
        answered(self.server.answer_timeout, self.inner.command(Rset)).await.map(drop)
    }

    /// Takes leave; whether the server answers does not matter.
    pub(super) async fn quit(mut self) {
        if tokio::time::timeout(Duration::from_secs(1), self.inner.quit()).await.is_err() {
            tracing::debug!("the mail server did not answer to QUIT");
        }
    }
}

async fn answered(
    timeout: Duration,
    answer: impl Future<Output = Result<Response, Error>>,
) -> Result<Response, Refusal> {
    let Ok(answer) = tokio::time::timeout(timeout, answer).await else {
        return Err(Refusal::Lost(format!("no answer within {timeout:?}")));
    };
    answer.map_err(|error| {
        let words = words_of(&error);
        if error.is_permanent() {
            Refusal::ForGood(words)
        } else if error.is_transient() {
            Refusal::ForNow(words)
        } else {
            Refusal::Lost(words)
        }
    })
}

impl Refusal {
    /// Whether the connection can be used again.
    pub(super) fn ends_connection(&self) -> bool {
        match self {
            Self::Lost(_) => true,
            Self::ForNow(words) | Self::ForGood(words) => words.starts_with(CLOSING),
        }
    }
}

fn words(code: &str, reply: &Response) -> String {
    without_addresses(&format!("{code} {}", reply.message().collect::<Vec<_>>().join(" ")))
}

/// What went wrong, in the server's words where it said something.
fn words_of(error: &Error) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    match error.status() {
        Some(code) => without_addresses(&format!("{code} {source}")),
        None => without_addresses(&error.to_string()),
    }
}

/// One line without addresses, which servers like to repeat and the ledger does not keep.
pub(super) fn without_addresses(text: &str) -> String {
    let shown = |word: &'_ str| if word.contains('@') { "(address)" } else { word }.to_owned();
    let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).map(shown).collect();
    let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Protection, Option<String>, bool) {
        let server = SmtpServer::parse(text).unwrap();
        (server.place(), server.protection, server.hello, server.credentials.is_some())
    }

    #[test]
    fn addresses_of_mail_servers_say_where_and_how() {
        let cases = [
            ("smtp://mail.example", ("mail.example:25", Protection::None, None, false)),
            ("smtp://10.0.0.1:2525?tls=none", ("10.0.0.1:2525", Protection::None, None, false)),
            ("smtp://u:p@mail.example?tls=required", ("mail.example:587", Protection::Required, None, true)),
            (
                "smtp://mail.example?tls=opportunistic",
                ("mail.example:587", Protection::Opportunistic, None, false),
            ),
            ("smtps://u%40x:p%3A@mail.example", ("mail.example:465", Protection::Wrapped, None, true)),
            ("smtps://[::1]:1/node.example", ("::1:1", Protection::Wrapped, Some("node.example"), false)),
            ("smtp://u:p@mail.example?tls=none", ("mail.example:25", Protection::None, None, true)),
        ];
        for (text, (place, protection, hello, signs_in)) in cases {
            let wanted = (place.to_owned(), protection, hello.map(str::to_owned), signs_in);
            assert_eq!(read(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_bad_address_of_a_mail_server_is_told_without_the_password() {
        let cases = [
            ("mail.example", "is not a URL"),
            ("http://u:secret@mail.example", "does not begin with"),
            ("smtp://u:secret@mail.example", "would send the password unencrypted"),
            ("smtp://u:secret@mail.example?tls=maybe", "a `tls` other than"),
            ("smtps://u:secret@mail.example?tls=none", "says otherwise"),
            ("smtp://mail.example?timeout=3", "an option other than"),
            ("smtp:///x", "names no host"),
            ("smtp://mail.example/a%0d%0ab", "a name that is none"),
            ("smtps://u:%ff@mail.example", "is no text"),
        ];
        for (text, wanted) in cases {
            let error = SmtpServer::parse(text).err().expect(text).to_string();
            assert!(error.contains(wanted) && !error.contains("secret"), "{text}: {error}");
            assert_eq!(error.lines().count(), 1);
        }
    }

    #[test]
    fn the_servers_words_are_kept_without_addresses_and_in_one_line() {
        let said = "550 5.1.1 <jo.bloggs@acme.example>: Recipient\r\nrejected; ask\tpostmaster@acme.example";
        assert_eq!(without_addresses(said), "550 5.1.1 (address) Recipient rejected; ask (address)");
        assert_eq!(without_addresses(&"x".repeat(9_000)).len(), MAX_WORDS);
    }
}
