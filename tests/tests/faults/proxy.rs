//! Stands between a node and its event store, and loses the answer to a commit when it is told to.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// The name that clients give the socket in its folder.
const SOCKET: &str = ".s.PGSQL.5432";

/// A socket in front of a PostgreSQL server's.
pub(crate) struct Proxy {
    folder: TempDir,
    armed: Arc<AtomicBool>,
    lost: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) fn start(server: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let (armed, lost) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let proxy = Self { folder, armed: armed.clone(), lost: lost.clone() };
        let server = server.join(SOCKET);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server.clone(), armed.clone(), lost.clone()));
            }
        });
        proxy
    }

    /// The same database by way of the proxy.
    pub(crate) fn url(&self, direct: &str) -> String {
        let (base, _) = direct.split_once("?host=").unwrap();
        format!("{base}?host={}", self.folder.path().display())
    }

    /// Loses the answer to the next commit, and the connection with it.
    pub(crate) fn lose_an_answer(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }
}

async fn pass(mut client: UnixStream, server: PathBuf, armed: Arc<AtomicBool>, lost: Arc<AtomicUsize>) {
    let Ok(mut server) = UnixStream::connect(server).await else { return };
    let (mut from_client, mut from_server) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    // Whether the client has sent a commit that the server has not answered yet.
    let mut committing = false;
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => match read {
                Ok(count) if count > 0 => {
                    committing = from_client[..count].windows(6).any(|window| window == b"COMMIT");
                    if server.write_all(&from_client[..count]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
            read = server.read(&mut from_server) => match read {
                Ok(count) if count > 0 => {
                    if committing && armed.swap(false, Ordering::SeqCst) {
                        lost.fetch_add(1, Ordering::SeqCst);
                        return;
                    }
                    committing = false;
                    if client.write_all(&from_server[..count]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
}
