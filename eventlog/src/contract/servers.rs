//! Private servers for tests: real ones, each in a temporary folder of its own, on a socket or port of its own, so that they
//! can be killed. They end with whoever started them, however that ends: each is held by a shell that waits for the end of
//! its input.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to start or to stop on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Runs `$@`, says its number, and kills it when the input ends; a server that nobody drops leaves nothing on the disk.
const KEEPER: &str = r#""$@" </dev/null >>"$LOG" 2>&1 &
echo $!
cat >/dev/null
kill -KILL $! 2>/dev/null
wait
[ -z "$REMOVED" ] || rm -rf "$REMOVED"
"#;

/// A program that runs until it is dropped.
struct Kept {
    keeper: Child,
    pid: u32,
}

impl Kept {
    fn start(arguments: &[String], log: &Path, removed: &Path) -> Self {
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .args(arguments)
            .env("LOG", log)
            .env("REMOVED", removed)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let stdout = keeper.stdout.take().expect("a piped output");
        BufReader::new(stdout).read_line(&mut line).expect("the keeper's first line");
        let pid = line.trim().parse().expect("the number of a process");
        Self { keeper, pid }
    }

    /// Sends a signal to the program and its children, the program first, so that it starts no others meanwhile.
    fn signal(&self, name: &str) {
        let mut pids = vec![self.pid.to_string()];
        pids.extend(children(self.pid));
        for pid in pids {
            let _ = Command::new("kill").args(["-s", name, &pid]).stderr(Stdio::null()).status();
        }
    }

    fn is_running(&self) -> bool {
        state_and_parent(&self.pid.to_string()).is_some_and(|(state, _)| state != "Z")
    }
}

/// Numbers of a process's children.
fn children(parent: u32) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let parent = parent.to_string();
    numbers.filter(|pid| state_and_parent(pid).is_some_and(|(_, of)| of == parent)).collect()
}

fn state_and_parent(pid: &str) -> Option<(String, String)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut words = text.rsplit_once(") ")?.1.split(' ');
    Some((words.next()?.to_owned(), words.next()?.to_owned()))
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.signal("CONT");
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The server's folder, program and how it is started; what both servers share.
struct Server {
    folder: TempDir,
    arguments: Vec<String>,
    kept: Option<Kept>,
    /// Whether nobody will drop it, so that its folder goes when the process does.
    is_shared: bool,
}

impl Server {
    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn start(&mut self, is_ready: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            let removed = if self.is_shared { self.folder.path() } else { Path::new("") };
            let kept = Kept::start(&self.arguments, &self.log_path(), removed);
            while kept.is_running() {
                if is_ready() {
                    self.kept = Some(kept);
                    return;
                }
                assert!(Instant::now() < until, "{}", self.complaint("did not become ready"));
                sleep(LOOK_AGAIN);
            }
            // After SIGKILL the memory and the sockets of its predecessor may be in use for a moment.
            assert!(Instant::now() < until, "{}", self.complaint("did not start"));
            sleep(LOOK_AGAIN * 5);
        }
    }

    fn complaint(&self, what: &str) -> String {
        let log = std::fs::read_to_string(self.log_path()).unwrap_or_default();
        let mut text = format!("{} {what}; its log ends:\n", self.arguments[0]);
        for line in log.lines().rev().take(20).collect::<Vec<_>>().into_iter().rev() {
            let _ = writeln!(text, "  {line}");
        }
        text
    }

    fn signal(&self, name: &str) {
        if let Some(kept) = &self.kept {
            kept.signal(name);
        }
    }

    fn kill(&mut self) {
        self.signal("KILL");
        self.kept = None;
    }
}

/// A private PostgreSQL server, reached by a socket in its folder.
pub struct Postgres {
    server: Server,
    databases: AtomicU32,
}

impl Postgres {
    /// Makes a cluster and starts it. `settings` go to the server as `-c NAME=VALUE`.
    ///
    /// # Panics
    /// Where there is no PostgreSQL, with the line that installs it.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_as(settings, false)
    }

    fn start_as(settings: &[(&str, &str)], is_shared: bool) -> Self {
        let install = "install it with: apt-get install postgresql";
        let programs = postgres_programs().unwrap_or_else(|| panic!("there is no PostgreSQL; {install}"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        let shown = |path: &Path| path.display().to_string();
        let as_user = unprivileged(folder.path());
        let mut arguments = as_user.clone();
        arguments.extend([shown(&programs.join("initdb")), "-D".into(), shown(&data)]);
        for argument in ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"] {
            arguments.push(argument.into());
        }
        let made =
            Command::new(&arguments[0]).args(&arguments[1..]).current_dir("/").output().expect("initdb");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut arguments = as_user;
        arguments.extend([shown(&programs.join("postgres")), "-D".into(), shown(&data)]);
        arguments.extend(["-k".into(), shown(folder.path())]);
        let defaults = [("listen_addresses", ""), ("max_connections", "300"), ("shared_buffers", "128MB")];
        for (name, value) in defaults.iter().chain(settings) {
            arguments.extend(["-c".into(), format!("{name}={value}")]);
        }
        let mut server = Server { folder, arguments, kept: None, is_shared };
        let pid_file = data.join("postmaster.pid");
        server.start(|| is_postgres_ready(&pid_file));
        Self { server, databases: AtomicU32::new(0) }
    }

    /// One that all tests of a process share; it ends with the process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::start_as(&[], true))
    }

    /// Address of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder().display())
    }

    /// Makes an empty database and answers its address.
    pub fn fresh_database(&self) -> String {
        self.made_from("template1")
    }

    /// Makes a copy of a database that nobody is connected to, and answers its address.
    pub fn copy_of(&self, url: &str) -> String {
        let name = url.rsplit('/').find(|part| part.contains("?host=")).unwrap_or(url);
        self.made_from(name.split('?').next().unwrap_or(name))
    }

    fn made_from(&self, template: &str) -> String {
        let name = format!("fresh_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        self.url(&name)
    }

    /// Runs a statement in the database `postgres`.
    pub fn run(&self, sql: &str) {
        let programs = postgres_programs().expect("found at the start");
        let done = Command::new(programs.join("psql"))
            .args(["-q", "-X", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-c", sql, "-h"])
            .arg(self.folder())
            .output()
            .expect("psql");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.server.folder.path()
    }

    /// Sends a signal to the server and all its processes, such as `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        self.server.signal(name);
    }

    /// Kills the server and all its processes.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again on the same data and socket.
    pub fn restart(&mut self) {
        self.kill();
        let pid_file = self.folder().join("data/postmaster.pid");
        // Left by the one that was killed: it would say ready.
        let _ = std::fs::remove_file(&pid_file);
        self.server.start(|| is_postgres_ready(&pid_file));
    }
}

/// The eighth line of the server's file says how far it is.
fn is_postgres_ready(pid_file: &Path) -> bool {
    std::fs::read_to_string(pid_file)
        .is_ok_and(|text| text.lines().nth(7).is_some_and(|state| state.trim() == "ready"))
}

fn postgres_programs() -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    // Debian keeps the server's programs apart, by version; the newest one is taken.
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    versions.sort();
    versions
        .into_iter()
        .rev()
        .chain(in_path)
        .find(|folder| ["postgres", "initdb", "psql"].iter().all(|program| folder.join(program).is_file()))
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package has made, who gets the folder.
fn unprivileged(folder: &Path) -> Vec<String> {
    let id = |arguments: &[&str]| -> u32 {
        let output = Command::new("id").args(arguments).output().expect("id");
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse().expect("the number of a user; is the user postgres there?")
    };
    if id(&["-u"]) != 0 {
        return Vec::new();
    }
    let (user, group) = (id(&["-u", "postgres"]), id(&["-g", "postgres"]));
    std::os::unix::fs::chown(folder, Some(user), Some(group)).expect("root may give a folder away");
    ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"].map(String::from).to_vec()
}

/// A private NATS server with JetStream.
pub struct Nats {
    server: Server,
    port: u16,
}

impl Nats {
    /// Starts one.
    ///
    /// # Panics
    /// Where there is no `nats-server`, with the line that installs it.
    pub fn start() -> Self {
        Self::start_as(false)
    }

    fn start_as(is_shared: bool) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let found = Command::new("nats-server").arg("--version").output().is_ok();
        assert!(found, "there is no nats-server; install it with: apt-get install nats-server");
        let store = folder.path().join("store");
        let arguments = ["nats-server", "-js", "-a", "127.0.0.1", "-p", "-1", "-sd"].map(String::from);
        let mut arguments = arguments.to_vec();
        arguments.push(store.display().to_string());
        arguments.extend(["--ports_file_dir".into(), folder.path().display().to_string()]);
        let mut server = Server { folder, arguments, kept: None, is_shared };
        let ports_folder = server.folder.path().to_owned();
        server.start(|| nats_port(&ports_folder).is_some());
        let port = nats_port(&ports_folder).expect("a server that is ready has a port");
        // A restart takes the same port, so that clients find it again.
        let choice =
            server.arguments.iter_mut().find(|argument| *argument == "-1").expect("the port's place");
        *choice = port.to_string();
        Self { server, port }
    }

    /// One that all tests of a process share; it ends with the process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Nats> = OnceLock::new();
        SHARED.get_or_init(|| Self::start_as(true))
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.server.folder.path()
    }

    /// Number of its process; 0 while it is killed.
    pub fn pid(&self) -> u32 {
        self.server.kept.as_ref().map_or(0, |kept| kept.pid)
    }

    /// Sends it a signal, such as `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        self.server.signal(name);
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again on the same streams and port.
    pub fn restart(&mut self) {
        self.kill();
        let port = self.port;
        self.server.start(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
    }
}

/// The port that the server has written down, once it listens.
fn nats_port(folder: &Path) -> Option<u16> {
    let mut entries = std::fs::read_dir(folder).ok()?.flatten();
    let ports =
        entries.find(|entry| entry.path().extension().is_some_and(|extension| extension == "ports"))?;
    let text = std::fs::read_to_string(ports.path()).ok()?;
    let ports: serde_json::Value = serde_json::from_str(&text).ok()?;
    ports["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_outlives_a_killed_server() {
        let mut postgres = Postgres::start(&[]);
        let url = postgres.fresh_database();
        postgres.restart();
        assert_eq!(url, postgres.url("fresh_0"));
        postgres.run("ALTER DATABASE fresh_0 RENAME TO other");
    }

    #[test]
    fn a_bus_keeps_its_port_over_a_kill() {
        let mut nats = Nats::start();
        let url = nats.url();
        nats.kill();
        assert!(TcpStream::connect(url.trim_start_matches("nats://")).is_err());
        nats.restart();
        assert_eq!(nats.url(), url);
        assert!(TcpStream::connect(url.trim_start_matches("nats://")).is_ok());
    }
}
