//! A receiver of webhooks that behaves as it is told, and a resolver that says what it is told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::target::Resolve;

/// What a receiver does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Conduct {
    /// Answers with this head, and no body.
    Answer(&'static str),
    /// Reads it, and never answers.
    Silent,
    /// Reads it, and closes.
    Close,
    /// Answers 200 and goes on with the body for ever.
    Endless,
}

impl Conduct {
    pub(crate) const OK: Self = Self::Answer("204 No Content");
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub(crate) fn request_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }
}

/// A server that takes webhooks.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    received: mpsc::UnboundedReceiver<Received>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// One that does this with each request in turn, and the last with all that follow.
    pub(crate) async fn start(conducts: &[Conduct]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (sender, received) = mpsc::unbounded_channel();
        let mut conducts: VecDeque<Conduct> = conducts.iter().cloned().collect();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let conduct =
                    if conducts.len() > 1 { conducts.pop_front() } else { conducts.front().cloned() };
                tokio::spawn(serve(stream, conduct.unwrap_or(Conduct::Close), sender.clone()));
            }
        });
        Self { address, received, serving }
    }

    /// Where it lies, under a name.
    pub(crate) fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/hook?x=1", self.address.port())
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Received {
        self.received.recv().await.expect("a request")
    }

    /// Whether something arrived that nobody has looked at.
    pub(crate) fn is_idle(&mut self) -> bool {
        self.received.try_recv().is_err()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, conduct: Conduct, sender: mpsc::UnboundedSender<Received>) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            bytes.drain(..end + 4);
            let received = Received { head, body: Vec::new() };
            let length = received.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            break (received.head, length);
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    while bytes.len() < length {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let _ = sender.send(Received { head, body: bytes });
    match conduct {
        Conduct::Close => {}
        Conduct::Silent => {
            // Until the other side gives up.
            let _ = stream.read(&mut [0; 1]).await;
        }
        Conduct::Answer(status) => {
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        Conduct::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(&[b'x'; 1_024]).await.is_ok() {}
        }
    }
}

/// A resolver that says one thing after the other, and the last one for ever, and counts how often it is asked.
pub(crate) struct Told {
    answers: Mutex<VecDeque<Vec<&'static str>>>,
    asked: Mutex<usize>,
}

impl Told {
    pub(crate) fn new(answers: &[&[&'static str]]) -> Arc<Self> {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        Arc::new(Self { answers: Mutex::new(answers), asked: Mutex::default() })
    }

    pub(crate) fn asked(&self) -> usize {
        *self.asked.lock().expect("nobody panics with it")
    }
}

#[async_trait]
impl Resolve for Told {
    async fn resolve(&self, _host: &str) -> std::io::Result<Vec<SocketAddr>> {
        *self.asked.lock().expect("nobody panics with it") += 1;
        let mut answers = self.answers.lock().expect("nobody panics with it");
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        let addresses = answer.unwrap_or_default();
        Ok(addresses.iter().map(|ip| SocketAddr::new(ip.parse().expect("an address"), 0)).collect())
    }
}

/// TLS for this process, which every client wants, whether it speaks it or not.
pub(crate) fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
