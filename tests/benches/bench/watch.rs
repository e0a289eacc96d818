//! A thousand streams of one organization's cases: how long after a command each of them tells it. All of them are told of every
//! change, each after being authorized again: the most there is to do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::Row;
use crate::http::{Connection, Served, program};
use crate::load::percentile;

const STREAMS: usize = 1_000;
const COMMANDS: usize = 20;
/// What was read last is kept, in bytes: what is looked for may come in two pieces.
const KEPT: usize = 64;

/// Reads a stream: says when it is ready, and when each title is told.
async fn listen(address: String, request: Arc<str>, heard: UnboundedSender<(usize, Instant)>) {
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut text, mut chunk, mut number) = (Vec::new(), vec![0; 16 * 1024], 0);
    let mut wanted = "event: ready".to_owned();
    while number <= COMMANDS {
        let read = stream.read(&mut chunk).await.unwrap();
        let at = Instant::now();
        assert!(read > 0, "the stream goes on: {}", String::from_utf8_lossy(&text));
        text.extend_from_slice(&chunk[..read]);
        while number <= COMMANDS && text.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
            heard.send((number, at)).unwrap();
            number += 1;
            wanted = title(number);
        }
        let surplus = text.len().saturating_sub(KEPT);
        text.drain(..surplus);
    }
    // Whoever leaves early takes others' time from them.
    let _ = heard.send((number, Instant::now()));
    std::future::pending::<()>().await;
}

fn title(number: usize) -> String {
    format!("watched {number}.")
}

pub(crate) async fn row() {
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
    let request = |method: &str, path: &str, more: &str, body: &str| {
        format!(
            "{method} /v2/organizations/acme/{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             {more}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let watch: Arc<str> = request("GET", "cases:watch", "Accept: text/event-stream\r\n", "").into();
    let (heard, mut told) = unbounded_channel();
    let streams: Vec<_> = (0..STREAMS)
        .map(|_| tokio::spawn(listen(served.address.clone(), watch.clone(), heard.clone())))
        .collect();
    for _ in 0..STREAMS {
        told.recv().await.unwrap();
    }
    let mut connection = Connection::open(&served.address).await;
    let new_case = r#"{"displayName":"The machine does not start","description":"Since this morning.","classification":{"id":"compute-vm"},"priority":"P3"}"#;
    let (_, body) = connection.ask(&request("POST", "cases", "", new_case)).await;
    let case: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let case = case["name"].as_str().unwrap().strip_prefix("organizations/acme/").unwrap().to_owned();
    let (cpu, mut times): (_, Vec<Duration>) = (served.cpu(), Vec::with_capacity(STREAMS * COMMANDS));
    let mut since_answers: Vec<Duration> = Vec::with_capacity(STREAMS * COMMANDS);
    for number in 1..=COMMANDS {
        let body = format!(r#"{{"displayName":"{}"}}"#, title(number));
        let rename = request("PATCH", &format!("{case}?updateMask=displayName"), "", &body);
        let sent = Instant::now();
        let (status, answer) = connection.ask(&rename).await;
        let acknowledged = Instant::now();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        let mut left = STREAMS;
        while left > 0 {
            let (heard, at) = told.recv().await.unwrap();
            if heard == number {
                times.push(at.duration_since(sent));
                // Some are told before the command is answered.
                since_answers.push(at.saturating_duration_since(acknowledged));
                left -= 1;
            }
        }
    }
    let cpu = served.cpu().saturating_sub(cpu).as_secs_f64() * 1_000.0 / times.len() as f64;
    streams.iter().for_each(tokio::task::JoinHandle::abort);
    let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    let (answered_p50, answered_p99) =
        (percentile(&mut since_answers, 50), percentile(&mut since_answers, 99));
    let since = format!("since the answer p50 {answered_p50:.1}, p99 {answered_p99:.1} ms");
    Row::new("watch: command to event, 1,000 streams, p99", p99, "ms")
        .aim(250.0)
        .note(format!("p50 {p50:.1} ms; {since}; {cpu:.3} ms server CPU an event"))
        .print();
}
