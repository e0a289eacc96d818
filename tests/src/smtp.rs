//! A private real mail server (`tests/smtp/server.py`, aiosmtpd) that does wrong what a test tells it to. It knows nothing of the
//! rest of this crate, so that tests of other crates include it by its path.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;

/// What to do about what is missing.
const INSTALL: &str = "the mail server of the tests is not installed: run `make target/smtp/venv/stamp`";
/// How long it may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running mail server; it ends with this value.
pub struct MailServer {
    /// Where it listens.
    pub port: u16,
    folder: TempDir,
    faults: ChildStdin,
    set: mpsc::UnboundedReceiver<()>,
    steps: mpsc::UnboundedReceiver<String>,
    _child: Child,
}

/// A mail that the server accepted, as a reader sees it.
#[derive(Clone, Debug)]
pub struct ReceivedMail(pub Value);

impl MailServer {
    /// Starts one that takes mail of everybody.
    ///
    /// # Panics
    /// When it is not installed, with the line that installs it.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one that takes mail only of who signs in as this user.
    ///
    /// # Panics
    /// As [`MailServer::start`].
    pub async fn start_for(user: &str, password: &str) -> Self {
        Self::start_with(&["--sign-in", user, password]).await
    }

    /// Starts one with arguments of `server.py`.
    ///
    /// # Panics
    /// As [`MailServer::start`].
    pub async fn start_with(arguments: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a crate lies in the workspace");
        let python = root.join("target/smtp/venv/bin/python");
        assert!(python.exists(), "{INSTALL}");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(python);
        command.arg(root.join("tests/smtp/server.py")).arg(folder.path()).args(arguments);
        // It ends when its standard input does: also with a test that was killed.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let mut child = command.spawn().expect(INSTALL);
        let faults = child.stdin.take().expect("piped");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("it comes up in time");
        let line = line.expect("text").expect(INSTALL);
        let port = line.strip_prefix("listening ").and_then(|port| port.parse().ok());
        let ((is_set, set), (step, steps)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                // Whoever does not listen any more does not matter.
                let _ = match line.strip_prefix("step ") {
                    Some(name) => step.send(name.to_owned()).is_ok(),
                    None => is_set.send(()).is_ok(),
                };
            }
        });
        Self { port: port.expect("it says where it listens"), folder, faults, set, steps, _child: child }
    }

    /// Where mailers reach it, without TLS.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// At a step (`CONNECT`, `AUTH`, `MAIL`, `RCPT`, `DATA`, `CONTENT`, `ACCEPTED`), the next so many times (0: always), for recipients
    /// that contain a text, this happens: `close`, `hang`, `wait:SECONDS` or a reply, spaces as `_`.
    pub async fn fault(&mut self, step: &str, times: u32, what: &str, address: &str) {
        let line = format!("fault {step} {times} {what} {address}\n");
        self.faults.write_all(line.as_bytes()).await.expect("the mail server runs");
        self.set.recv().await.expect("the mail server runs");
    }

    /// Waits for the next step that a client reaches, with the recipient if there is one.
    pub async fn next_step(&mut self) -> String {
        self.steps.recv().await.expect("the mail server runs")
    }

    /// The steps that clients have reached since they were asked for.
    pub fn steps(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.steps.try_recv().ok()).collect()
    }

    /// All mails that were accepted, in that order.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder is there");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        let read = |path: PathBuf| {
            let text = std::fs::read(path).expect("a mail");
            ReceivedMail(serde_json::from_slice(&text).expect("JSON"))
        };
        paths.into_iter().map(read).collect()
    }

    /// Waits until so many mails were accepted, and answers all there are.
    ///
    /// # Panics
    /// When they do not come within a minute.
    pub async fn wait_for(&self, count: usize) -> Vec<ReceivedMail> {
        let mails = async {
            loop {
                let mails = self.mails();
                if mails.len() >= count {
                    return mails;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let got = tokio::time::timeout(PATIENCE, mails).await;
        got.unwrap_or_else(|_| panic!("{} of {count} mails came", self.mails().len()))
    }
}

impl ReceivedMail {
    /// The one recipient of the envelope.
    pub fn to(&self) -> &str {
        assert_eq!(self.0["to"].as_array().map(Vec::len), Some(1), "one recipient");
        self.0["to"][0].as_str().expect("text")
    }

    /// A header, decoded; `None` when it is not there.
    ///
    /// # Panics
    /// When it is there several times.
    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = self.0["headers"].as_array().expect("a list").iter();
        let named =
            |header: &&Value| header[0].as_str().is_some_and(|found| found.eq_ignore_ascii_case(name));
        let found: Vec<_> = headers.filter(named).collect();
        assert!(found.len() < 2, "{name} is there {} times", found.len());
        found.first().map(|header| header[1].as_str().expect("text"))
    }

    /// The subject.
    pub fn subject(&self) -> &str {
        self.header("Subject").expect("every mail has a subject")
    }

    /// The part in plain text.
    pub fn text(&self) -> &str {
        self.0["text"].as_str().expect("a part in plain text")
    }

    /// The part in HTML.
    pub fn html(&self) -> &str {
        self.0["html"].as_str().expect("a part in HTML")
    }

    /// What is wrong with it for a strict reader.
    pub fn defects(&self) -> &Value {
        &self.0["defects"]
    }
}
