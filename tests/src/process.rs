//! The real binary as a child process.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::Client;

/// How long a start or a stop may take on a busy machine before the test fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// Names another binary to test, such as the one of a release.
const BINARY_VARIABLE: &str = "DOSSIER_TEST_BINARY";

/// The binary, built from the sources that the tests were built from.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(other) = std::env::var_os(BINARY_VARIABLE) {
            return other.into();
        }
        // This test lies in TARGET/PROFILE/deps; the binary goes to TARGET/PROFILE. Cargo builds the library of another
        // package for a test, not its binary, so one that is there may be old: building what is fresh takes no time.
        let test = std::env::current_exe().expect("this test's own path");
        let folder = test.parent().and_then(Path::parent).expect("TARGET/PROFILE").to_owned();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = std::process::Command::new(cargo);
        build.args([
            "build",
            "--quiet",
            "--offline",
            "-p",
            "dossier-api",
            "--bin",
            "dossier",
            "--target-dir",
        ]);
        build.arg(folder.parent().expect("TARGET")).current_dir(crate::workspace::root());
        if folder.ends_with("release") {
            build.arg("--release");
        }
        let output = build.output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        folder.join("dossier")
    })
}

/// A `dossier` command without the environment's configuration.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("DOSSIER_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// What a command that ended has left.
#[derive(Debug)]
pub struct Finished {
    /// Whether it succeeded.
    pub success: bool,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

/// Runs a `dossier` command to its end.
pub async fn run(arguments: &[&str]) -> Finished {
    finish(command(arguments)).await
}

/// Runs a command to its end.
pub async fn finish(mut command: Command) -> Finished {
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").expect("it runs");
    Finished {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A running `dossier serve --dev`.
pub struct Process {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it printed before it listened.
    pub greeting: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it on a data directory and a free port. Its log lines go to `DATA.log`.
    pub async fn start(data: &Path) -> Self {
        let path = data.display().to_string();
        Self::start_as(command(&["serve", "--dev", "--data", &path, "--listen", "127.0.0.1:0"]), data).await
    }

    /// Starts a command that serves a data directory.
    pub async fn start_as(mut command: Command, data: &Path) -> Self {
        let log = data.with_extension("log");
        let lines = File::options().create(true).append(true).open(&log).expect("a file for log lines");
        let mut child = command.stdout(Stdio::piped()).stderr(lines).spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut greeting = String::new();
        let listening = async {
            while let Some(line) = lines.next_line().await.expect("output in UTF-8") {
                if let Some(address) = line.strip_prefix("listening on http://") {
                    return Some(address.parse().expect("an address"));
                }
                greeting.push_str(&line);
                greeting.push('\n');
            }
            None
        };
        let address = tokio::time::timeout(PATIENCE, listening).await.expect("it comes up in time");
        let Some(address) = address else {
            panic!("it ended instead: {}", std::fs::read_to_string(&log).unwrap_or_default());
        };
        Self { address, greeting, child, log }
    }

    /// The base of its URLs.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Somebody without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.url(), None)
    }

    /// What it has written to its log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it is running")
    }

    /// Ends it at once, as a power cut would end it.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it was running");
    }

    /// Asks it to stop, without waiting.
    pub async fn terminate(&self) {
        self.signal("TERM").await;
    }

    /// Sends it a signal, such as `STOP` or `CONT`.
    pub async fn signal(&self, name: &str) {
        let number = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &number]).status().await.expect("kill is there");
        assert!(sent.success());
    }

    /// Waits for its end.
    pub async fn wait(mut self) -> ExitStatus {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends in time").expect("a child")
    }

    /// Asks it to stop and waits for a clean end.
    pub async fn stop(self) {
        self.terminate().await;
        let log = self.log.clone();
        let status = self.wait().await;
        assert!(status.success(), "{status}: {}", std::fs::read_to_string(log).unwrap_or_default());
    }
}

/// A bearer token from `dossier token`.
pub async fn token(data: &Path, email: &str) -> String {
    let finished = run(&["token", "--email", email, "--data", &data.display().to_string()]).await;
    assert!(finished.success, "{}", finished.stderr);
    finished.stdout.trim().to_owned()
}
