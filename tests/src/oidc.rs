//! A private OpenID Connect provider (`tests/oidc/provider.mjs`), a server that trusts it, and a browser that signs in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use reqwest::header::{ACCEPT, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, Url, redirect};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::{Answer, Client};
use crate::process::{self, Process};
use crate::workspace;

/// The client id of the servers that the tests start.
pub const CLIENT_ID: &str = "dossier-in-tests";
/// The audience of bearer tokens.
pub const AUDIENCE: &str = "dossier";
/// What to do about what is missing.
const INSTALL: &str = "not installed: run `make target/oidc/node_modules/stamp`";
/// How long the provider may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Redirects that a sign-in may take.
const MAX_STEPS: usize = 20;
/// Where the client for bearer tokens is sent with its code; nothing listens there.
const CLI_CALLBACK: &str = "http://127.0.0.1:1/cli";
/// What proves that who began is who ends (PKCE), with its SHA-256: the example of RFC 7636.
const PKCE: (&str, &str) =
    ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");

/// A running provider; it ends with this value.
pub struct Provider {
    /// What its tokens name as their issuer.
    pub issuer: String,
    control: Client,
    _child: Child,
}

impl Provider {
    /// Starts one that sends browsers back to a server of this origin.
    ///
    /// # Panics
    /// When Node or the package is missing, with the line that installs them.
    pub async fn start(origin: &str) -> Self {
        let mut command = script("provider.mjs", "oidc-provider");
        command.args([CLIENT_ID, origin]);
        // It ends when its standard input does: also with a test that was killed.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let mut child = command.spawn().expect(INSTALL);
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("it comes up in time");
        let line = line.expect("text").expect("it says where it listens");
        let issuer = line.strip_prefix("listening on ").expect("it says where it listens").to_owned();
        // Nobody else reads what it says, and it must not wait for somebody who does.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { control: Client::new(&issuer, None), issuer, _child: child }
    }

    /// Signs with a new key from now on; whether the old one stays published.
    pub async fn rotate(&self, keep: bool) {
        let path = if keep { "/control/rotate?keep" } else { "/control/rotate" };
        assert_eq!(self.control.post(path, &json!({})).await.status, 200);
    }

    /// What all later tokens of a kind (`access-token`, `id-token`) say instead of the truth.
    pub async fn falsify(&self, kind: &str, claims: &Value) {
        assert_eq!(self.control.post(&format!("/control/{kind}"), claims).await.status, 200);
    }

    /// The public keys, as published.
    pub async fn keys(&self) -> Value {
        let answer = self.control.get("/jwks").await;
        let document: Value = serde_json::from_slice(&answer.bytes).expect("a set of keys");
        document["keys"].clone()
    }

    /// A bearer token for somebody, by the whole authorization-code flow of a client that asks for the API.
    pub async fn bearer_token(&self, email: &str) -> String {
        let mut browser = Browser::new();
        let query = [
            ("client_id", "cli"),
            ("response_type", "code"),
            ("scope", "openid email profile"),
            ("redirect_uri", CLI_CALLBACK),
            ("code_challenge", PKCE.1),
            ("code_challenge_method", "S256"),
            ("resource", "urn:dossier"),
        ];
        let begin = Url::parse_with_params(&format!("{}/auth", self.issuer), query).expect("an address");
        let there = browser.sign_in(begin.as_str(), email, CLI_CALLBACK).await;
        let code = there.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
        let form = [
            ("client_id", "cli"),
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CLI_CALLBACK),
            ("code_verifier", PKCE.0),
            ("resource", "urn:dossier"),
        ];
        let answer = browser.send(Method::POST, &format!("{}/token", self.issuer), &[], Some(&form)).await;
        answer.ok()["access_token"].as_str().expect("a token").to_owned()
    }
}

/// A server that trusts a provider of its own.
pub struct Trusting {
    /// The provider.
    pub provider: Provider,
    /// The server.
    pub server: Process,
    /// Where browsers reach it.
    pub origin: String,
    _folder: TempDir,
}

impl Trusting {
    /// Starts both. The server has the sample organizations, whose members the provider does not know, and its staff, whom it
    /// knows by their roles.
    pub async fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        // Only `--dev` fills a log with the sample data.
        Process::start(&data).await.stop().await;
        let address = free_address();
        let origin = format!("http://{address}");
        let provider = Provider::start(&origin).await;
        let mut command = process::command(&["serve", "--listen", &address, "--data"]);
        command.arg(&data).args(["--oidc-issuer", &provider.issuer, "--oidc-audience", AUDIENCE]);
        command.args(["--oidc-client-id", CLIENT_ID, "--public-url", &origin]).args(options);
        let server = Process::start_as(command, &data).await;
        Self { provider, server, origin, _folder: folder }
    }

    /// Somebody with a bearer token.
    pub fn with_token(&self, token: &str) -> Client {
        Client::new(&self.origin, Some(token.to_owned()))
    }

    /// A browser in which somebody has signed in.
    pub async fn signed_in(&self, email: &str) -> Browser {
        let mut browser = Browser::new();
        let there = browser.sign_in(&format!("{}/sign-in", self.origin), email, &self.callback()).await;
        let answer = browser.get(there.as_str()).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/session")), "{}", answer.text());
        browser
    }

    /// Where browsers come back to.
    pub fn callback(&self) -> String {
        format!("{}/sign-in/callback", self.origin)
    }

    /// How often sign-in was refused for a reason.
    pub async fn refusals(&self, reason: &str) -> u64 {
        self.counted(&format!("dossier_sign_in_refused_total{{reason=\"{reason}\"}}")).await
    }

    /// A counter in the server's metrics; 0 when it never counted.
    pub async fn counted(&self, series: &str) -> u64 {
        let metrics = self.server.anonymous().get("/metrics").await.text();
        metrics.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok()).unwrap_or(0)
    }
}

/// An address that was free a moment ago, for a server whose address others must know before it starts.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound listener has an address").to_string()
}

/// As much of a browser as a sign-in needs: it keeps cookies by host, and follows no redirect that it is not told to.
pub struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<(String, String), String>,
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser {
    /// One without cookies.
    pub fn new() -> Self {
        // As every client of the tests, it wants a TLS provider.
        let _ = Client::new("", None);
        let http = reqwest::Client::builder().no_proxy().redirect(redirect::Policy::none());
        Self { http: http.build().expect("a client"), cookies: BTreeMap::new() }
    }

    /// A cookie, by its name.
    pub fn cookie(&self, origin: &str, name: &str) -> Option<&str> {
        self.cookies.get(&(host(origin), name.to_owned())).map(String::as_str)
    }

    /// Puts a cookie in.
    pub fn set_cookie(&mut self, origin: &str, name: &str, value: &str) {
        self.cookies.insert((host(origin), name.to_owned()), value.to_owned());
    }

    /// Gets a page as a person does.
    pub async fn get(&mut self, url: &str) -> Answer {
        self.send(Method::GET, url, &[(ACCEPT.as_str(), "text/html")], None).await
    }

    /// Sends a request with the cookies of its host, and keeps those of the answer.
    pub async fn send(
        &mut self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        form: Option<&[(&str, &str)]>,
    ) -> Answer {
        let own = host(url);
        let pairs = self.cookies.iter().filter(|((host, _), _)| *host == own);
        let cookies: Vec<_> = pairs.map(|((_, name), value)| format!("{name}={value}")).collect();
        let mut request = self.http.request(method, url);
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(form) = form {
            let body = Url::parse_with_params("form:", form).expect("a form");
            let kind = "application/x-www-form-urlencoded";
            request = request.header("content-type", kind).body(body.query().unwrap_or_default().to_owned());
        }
        let response = request.send().await.expect("an answer");
        for cookie in response.headers().get_all(SET_COOKIE) {
            let text = cookie.to_str().expect("text");
            let (name, value) =
                text.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            let key = (own.clone(), name.to_owned());
            if value.is_empty() {
                self.cookies.remove(&key)
            } else {
                self.cookies.insert(key, value.to_owned())
            };
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, bytes: response.bytes().await.expect("a whole answer") }
    }

    /// Begins at an address and signs in at the provider it leads to; answers the address below `until` that the provider
    /// sends the browser to, without going there.
    pub async fn sign_in(&mut self, begin: &str, email: &str, until: &str) -> Url {
        let mut url = Url::parse(begin).expect("an address");
        for _ in 0..MAX_STEPS {
            let mut answer = self.get(url.as_str()).await;
            if answer.status == 200 {
                answer = self.send(Method::POST, url.as_str(), &[], Some(&[("email", email)])).await;
            }
            let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let location = location.unwrap_or_else(|| panic!("{url}: {} {}", answer.status, answer.text()));
            url = url.join(location).expect("an address");
            if url.as_str().starts_with(until) {
                return url;
            }
        }
        panic!("the sign-in leads nowhere");
    }
}

fn host(url: &str) -> String {
    let url = Url::parse(url).expect("an address");
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

/// A script of `tests/oidc`, told where the packages are.
fn script(name: &str, package: &str) -> Command {
    let modules = screenshots().join("node_modules");
    assert!(modules.join(package).join("package.json").exists(), "{package}: {INSTALL}");
    let mut command = Command::new("node");
    command.arg(workspace::root().join("tests/oidc").join(name)).arg(&modules);
    command
}

/// Where a real browser puts its screenshots, beside the packages.
fn screenshots() -> PathBuf {
    workspace::root().join("target/oidc")
}

/// Signs in and out with a real browser; answers what it met (see `tests/oidc/browser.mjs`).
///
/// # Panics
/// When the browser is missing, with the line that installs it, or meets what the script does not expect.
pub async fn with_chromium(trusting: &Trusting) -> Value {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let chromium =
        std::env::split_paths(&path).map(|folder| folder.join("chromium")).find(|path| path.exists());
    let mut command = script("browser.mjs", "playwright-core");
    command
        .arg(chromium.expect(INSTALL))
        .args([&trusting.origin, &trusting.provider.issuer])
        .arg(screenshots());
    let finished = process::finish(command).await;
    assert!(finished.success, "{}{}", finished.stdout, finished.stderr);
    serde_json::from_str(&finished.stdout).expect("one line of JSON")
}
