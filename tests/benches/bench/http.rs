//! Requests over HTTP against a server in a process of its own, beside a bare axum handler in another.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use crate::load::percentile;
use crate::{ROUND, Row};

const CONNECTIONS: usize = 64;

/// A bare handler that answers the bytes of a file.
pub(crate) async fn bare_server(path: &str) {
    let body: bytes::Bytes = std::fs::read(path).unwrap().into();
    let answer = move || {
        let body = body.clone();
        async move { ([(CONTENT_TYPE, "application/json")], body) }
    };
    let router: Router = Router::new().fallback(answer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening on http://{}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}

/// A server in a process of its own.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: String,
}

impl Served {
    pub(crate) async fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line = lines.next_line().await.unwrap().expect("the server says where it listens");
            if let Some(address) = line.strip_prefix("listening on http://") {
                return Self { child, address: address.to_owned() };
            }
        }
    }

    /// CPU time the process has used.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id().unwrap())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }
}

/// What a round of requests showed.
struct Measured {
    per_second: f64,
    p50: f64,
    p99: f64,
    cpu_ms: f64,
}

/// Sends requests made by `make` over so many connections until the time is over.
async fn round(served: &Served, make: impl Fn(u64) -> String + Send + Sync + 'static) -> Measured {
    let number = Arc::new(AtomicU64::new(0));
    let make = Arc::new(make);
    let times = Arc::new(Mutex::new(Vec::new()));
    let cpu = served.cpu();
    let started = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (number, make, times, address) =
                (number.clone(), make.clone(), times.clone(), served.address.clone());
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await;
                let mut own = Vec::new();
                while started.elapsed() < ROUND {
                    let request = make(number.fetch_add(1, Ordering::Relaxed));
                    let sent = Instant::now();
                    let (status, body) = connection.ask(&request).await;
                    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
                    own.push(sent.elapsed());
                }
                times.lock().await.extend(own);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let seconds = started.elapsed().as_secs_f64();
    let cpu = served.cpu().saturating_sub(cpu);
    let mut times = times.lock().await;
    let count = times.len() as f64;
    Measured {
        per_second: count / seconds,
        p50: percentile(&mut times, 50),
        p99: percentile(&mut times, 99),
        cpu_ms: cpu.as_secs_f64() * 1_000.0 / count,
    }
}

/// One connection that is kept.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::with_capacity(64 * 1024, stream) }
    }

    pub(crate) async fn ask(&mut self, request: &str) -> (u16, Vec<u8>) {
        self.stream.get_mut().write_all(request.as_bytes()).await.unwrap();
        let (mut status, mut length) = (0, 0);
        let mut line = String::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line).await.unwrap();
            if line == "\r\n" {
                break;
            }
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.unwrap();
        (status, body)
    }
}

pub(crate) fn program() -> PathBuf {
    // Beside this benchmark: target/release/deps/bench-… and target/release/dossier.
    let here = std::env::current_exe().unwrap();
    here.ancestors().nth(2).unwrap().join("dossier")
}

pub(crate) async fn rows() {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(program());
    command
        .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--log", "error", "--rate-limit", "0", "--data"])
        .arg(folder.path());
    let served = Served::start(command).await;
    let token = Command::new(program())
        .args(["token", "--email", "alice@acme.example", "--data"])
        .arg(folder.path())
        .output()
        .await
        .unwrap();
    let token = String::from_utf8(token.stdout).unwrap().trim().to_owned();
    let host = served.address.clone();
    let request = move |method: &str, path: &str, body: &str| {
        format!(
            "{method} /v2/organizations/acme/{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let new_case = r#"{"displayName":"The machine does not start","description":"Since this morning new machines stay in STAGING; existing ones are fine.","classification":{"id":"compute-vm"},"priority":"P3"}"#;

    let mut connection = Connection::open(&served.address).await;
    let (_, body) = connection.ask(&request("POST", "cases", new_case)).await;
    let case: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let case = case["name"].as_str().unwrap().strip_prefix("organizations/acme/").unwrap().to_owned();

    let get = request("GET", &case, "");
    let (_, shown) = connection.ask(&get).await;
    let path = folder.path().join("shown.json");
    std::fs::write(&path, &shown).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("bare-server").arg(&path);
    let bare = Served::start(command).await;
    let asked = get.clone();
    let raw = round(&bare, move |_| asked.clone()).await;
    drop(bare);
    let ours = round(&served, move |_| get.clone()).await;
    Row::new("GET case, 64 connections", ours.per_second, "requests/s")
        .beside(raw.per_second, 0.5)
        .note(format!(
            "p50 {:.2} p99 {:.2} ms, {:.3} ms CPU (bare {:.2}, {:.2} ms, {:.3})",
            ours.p50, ours.p99, ours.cpu_ms, raw.p50, raw.p99, raw.cpu_ms
        ))
        .print();

    let post = request("POST", "cases", new_case);
    show("POST case", &round(&served, move |_| post.clone()).await, true);
    let mut cases = Vec::new();
    for _ in 0..CONNECTIONS * 4 {
        let (_, body) = connection.ask(&request("POST", "cases", new_case)).await;
        let case: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let name = case["name"].as_str().unwrap().strip_prefix("organizations/acme/").unwrap().to_owned();
        cases.push(request(
            "POST",
            &format!("{name}/comments"),
            r#"{"body":"We tried two images and three zones."}"#,
        ));
    }
    let many = cases.len() as u64;
    show(
        "POST comment",
        &round(&served, move |n| cases[usize::try_from(n % many).unwrap()].clone()).await,
        true,
    );

    let filed = round(&served, {
        let post = request("POST", "cases", new_case);
        move |_| post.clone()
    })
    .await;
    let mut filed = filed.per_second * ROUND.as_secs_f64();
    while filed < 80_000.0 {
        let post = request("POST", "cases", new_case);
        filed += round(&served, move |_| post.clone()).await.per_second * ROUND.as_secs_f64();
    }
    let list = request("GET", "cases?pageSize=20&filter=state%3DOPEN%20AND%20priority%3DP3", "");
    show("list of 20 among 100,000", &round(&served, move |_| list.clone()).await, false);
}

fn show(work: &str, measured: &Measured, durable: bool) {
    let note =
        format!("{:.0} requests/s, p50 {:.2} p99 {:.2} ms", measured.per_second, measured.p50, measured.p99);
    Row::new(format!("{work}, server CPU"), measured.cpu_ms, "ms CPU").aim(0.2).note(note).print();
    if durable {
        Row::new(format!("{work}, 64 connections"), measured.per_second, "commands/s").aim(8_000.0).print();
    }
}
