//! The local socket by which `dossier rebuild` reaches the running server: one JSON line asks, JSON lines answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dossier_projections::RebuildProgress;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ask {
    /// Rebuild a read model; `None`: all of them.
    Rebuild(Option<String>),
}

/// What is answered, line by line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Progress { model: String, position: u64, head: u64, events: u64 },
    Rebuilt { model: String },
    Failed { why: String },
    Done,
}

/// How far a rebuild has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The read model.
    pub model: String,
    /// Position of the last event taken in.
    pub position: u64,
    /// The log's head when the rebuild began.
    pub head: u64,
    /// Events read so far.
    pub events: u64,
}

/// Why a rebuild did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens.
    #[error("no server answers at {path} ({cause}); start it with: dossier serve --data {data}", path = .path.display(), data = .data.display())]
    NoServer {
        /// The socket.
        path: PathBuf,
        /// The data directory.
        data: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The server refused or failed.
    #[error("{0}")]
    Failed(String),
    /// The connection broke.
    #[error("the server went away ({0}); ask again when it runs")]
    Broken(#[from] std::io::Error),
}

fn socket_path(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Listens until stopped. Without a socket the server runs all the same.
pub(crate) fn start(data: &Path, app: Arc<App>, stop: &CancellationToken, tasks: &mut JoinSet<()>) {
    let path = socket_path(data);
    // The log's lock is held, so a socket that is there was left by a process that is gone.
    let _ = std::fs::remove_file(&path);
    let listener = match UnixListener::bind(&path) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "no control socket: `dossier rebuild` will not reach this server");
            return;
        }
    };
    let stop = stop.clone();
    tasks.spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        tokio::select! {
                            () = stop.cancelled() => break,
                            result = serve(stream, &app) => if let Err(error) = result {
                                tracing::warn!(%error, "a control connection broke");
                            }
                        }
                    }
                    Err(error) => tracing::warn!(%error, "the control socket does not accept"),
                }
            }
        }
        let _ = std::fs::remove_file(&path);
    });
}

async fn serve(stream: UnixStream, app: &App) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read).read_line(&mut line).await?;
    let names: Vec<&str> = app.read_models.statuses().into_iter().map(|(name, _)| name).collect();
    let wanted: Vec<&str> = match serde_json::from_str(&line) {
        Ok(Ask::Rebuild(None)) => names,
        Ok(Ask::Rebuild(Some(name))) => {
            let Some(known) = names.iter().find(|known| **known == name) else {
                let why = format!("there is no read model {name}; there are: {}", names.join(", "));
                return send(&mut write, &Answer::Failed { why }).await;
            };
            vec![known]
        }
        Err(error) => return send(&mut write, &Answer::Failed { why: error.to_string() }).await,
    };
    for model in wanted {
        rebuild(&mut write, app, model).await?;
    }
    send(&mut write, &Answer::Done).await
}

async fn rebuild(
    write: &mut (impl AsyncWriteExt + Unpin),
    app: &App,
    model: &'static str,
) -> std::io::Result<()> {
    let (sender, mut receiver) = mpsc::unbounded_channel::<RebuildProgress>();
    let progress = move |progress| {
        // Nobody who listens any more is no reason to stop.
        let _ = sender.send(progress);
    };
    let rebuilding = async {
        let result = app.read_models.rebuild(model, &progress).await;
        drop(progress);
        result
    };
    tokio::pin!(rebuilding);
    let result = loop {
        tokio::select! {
            result = &mut rebuilding => break result,
            Some(at) = receiver.recv() => {
                let (position, head) = (at.position.0, at.head.0);
                send(write, &Answer::Progress { model: model.to_owned(), position, head, events: at.events }).await?;
            }
        }
    };
    match result {
        Ok(_) => {
            tracing::info!(model, "read model rebuilt");
            send(write, &Answer::Rebuilt { model: model.to_owned() }).await
        }
        Err(error) => send(write, &Answer::Failed { why: format!("{model}: {error}") }).await,
    }
}

async fn send(write: &mut (impl AsyncWriteExt + Unpin), answer: &Answer) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    write.write_all(&line).await
}

/// Asks the running server of a data directory to rebuild a read model, or all.
///
/// # Errors
/// [`ControlError`].
pub async fn ask_rebuild(
    data: &Path,
    model: Option<&str>,
    mut progress: impl FnMut(&Progress),
) -> Result<Vec<String>, ControlError> {
    let path = socket_path(data);
    let stream = UnixStream::connect(&path).await.map_err(|cause| ControlError::NoServer {
        path,
        data: data.to_path_buf(),
        cause,
    })?;
    let (read, mut write) = stream.into_split();
    let mut ask =
        serde_json::to_vec(&Ask::Rebuild(model.map(str::to_owned))).map_err(std::io::Error::from)?;
    ask.push(b'\n');
    write.write_all(&ask).await?;
    let mut lines = BufReader::new(read).lines();
    let mut rebuilt = Vec::new();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line).map_err(std::io::Error::from)? {
            Answer::Progress { model, position, head, events } => {
                progress(&Progress { model, position, head, events });
            }
            Answer::Rebuilt { model } => rebuilt.push(model),
            Answer::Failed { why } => return Err(ControlError::Failed(why)),
            Answer::Done => return Ok(rebuilt),
        }
    }
    Err(ControlError::Failed("the server ended the connection before it was done; ask again".to_owned()))
}
