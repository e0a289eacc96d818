//! A receiver of webhooks: a server that keeps what it gets, and answers as the test says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Instead of a status: the connection is closed without an answer.
pub const CLOSE: u16 = 0;
/// Instead of a status: no answer comes, for as long as the other side waits.
pub const SILENT: u16 = 1;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// A receiver of webhooks.
pub struct Receiver {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    received: mpsc::UnboundedReceiver<Received>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// One that takes everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (sender, received) = mpsc::unbounded_channel();
        let status = Arc::new(AtomicU16::new(204));
        let answers = status.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answers.clone(), sender.clone()));
            }
        });
        Self { address, status, received, serving }
    }

    /// Where it lies.
    pub fn url(&self) -> String {
        format!("http://{}/hook?token=canary", self.address)
    }

    /// Answers so from now on, or as [`CLOSE`] and [`SILENT`] say.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// The next request.
    pub async fn next(&mut self) -> Received {
        let patience = std::time::Duration::from_secs(30);
        let arrived = tokio::time::timeout(patience, self.received.recv()).await;
        arrived.expect("a request that arrives").expect("a receiver that lives")
    }

    /// Whether nothing has arrived that nobody has looked at.
    pub fn is_idle(&mut self) -> bool {
        self.received.try_recv().is_err()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, status: Arc<AtomicU16>, sender: mpsc::UnboundedSender<Received>) {
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
    let status = status.load(Ordering::SeqCst);
    let _ = sender.send(Received { head, body: bytes });
    if status == SILENT {
        let _ = stream.read(&mut [0; 1]).await;
    } else if status != CLOSE {
        let answer = format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\n\r\n");
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}
