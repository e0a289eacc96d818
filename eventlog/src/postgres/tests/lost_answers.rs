//! A commit whose answer is lost: what is stored is found out, or said to be unknown.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::{LOG_ID, all, assert_in_time, extend};
use crate::contract::sample::{after_events, append, stream};
use crate::contract::servers::Postgres;
use crate::envelope::Revision;
use crate::postgres::{PostgresOptions, PostgresStore};
use crate::store::{AppendError, EventStore};

/// What happens to the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The server commits; its answer is lost with the connection.
    AnswerLost,
    /// The server never hears of it: the client's side of the connection is lost, the server's stays open.
    RequestLost,
    /// The same as the first, and nobody can connect any more.
    AnswerLostAndAway,
    /// Nobody can connect.
    Away,
}

/// Stands between a store and its server.
struct Proxy {
    folder: TempDir,
    fault: Arc<Mutex<Option<Fault>>>,
}

impl Proxy {
    fn start(server: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let fault = Arc::<Mutex<Option<Fault>>>::default();
        let (server, faults) = (server.join(".s.PGSQL.5432"), Arc::clone(&fault));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server.clone(), Arc::clone(&faults)));
            }
        });
        Self { folder, fault }
    }

    fn url(&self, direct: &str) -> String {
        format!("{}?host={}", direct.split('?').next().unwrap(), self.folder.path().display())
    }

    fn set(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap() = fault;
    }
}

/// Passes bytes on both ways until an end or a fault.
async fn pass(mut client: UnixStream, server: PathBuf, faults: Arc<Mutex<Option<Fault>>>) {
    if *faults.lock().unwrap() == Some(Fault::Away) {
        return;
    }
    let mut server = UnixStream::connect(server).await.unwrap();
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                let fault = if asked[..length].ends_with(b"COMMIT\0") { faults.lock().unwrap().take() } else { None };
                match fault {
                    Some(Fault::RequestLost) => {
                        drop(client);
                        // The server is left waiting for more, in a transaction that holds the lock.
                        let _ = server.read(&mut answered).await;
                        return;
                    }
                    Some(fault) => {
                        if fault == Fault::AnswerLostAndAway {
                            *faults.lock().unwrap() = Some(Fault::Away);
                        }
                        server.write_all(&asked[..length]).await.unwrap();
                        assert!(server.read(&mut answered).await.unwrap() > 0, "the server answers");
                        return;
                    }
                    None => if server.write_all(&asked[..length]).await.is_err() { return },
                }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&answered[..length]).await.is_err() { return }
            }
        }
    }
}

async fn open() -> (PostgresStore, Proxy) {
    let server = Postgres::shared();
    let url = server.fresh_database();
    let proxy = Proxy::start(server.folder());
    let store = PostgresStore::open(&proxy.url(&url), PostgresOptions::default(), LOG_ID).await.unwrap();
    extend(&store, 0, 2).await;
    (store, proxy)
}

#[tokio::test]
async fn a_commit_that_held_though_its_answer_was_lost_is_acknowledged() {
    let (store, proxy) = open().await;
    proxy.set(Some(Fault::AnswerLost));
    let since = Instant::now();
    let appended = store.append(append(&stream("case", 1), after_events(2), 3, 2)).await.unwrap();
    assert_in_time(since);
    assert_eq!(*proxy.fault.lock().unwrap(), None, "the fault struck");
    assert_eq!(appended.last_revision, Revision(3));
    assert_eq!(store.head().await, Ok(appended.last_position));
    let mut head = store.watch_head();
    timeout(Duration::from_secs(10), head.wait_for(|head| *head == appended.last_position))
        .await
        .unwrap()
        .unwrap();
    extend(&store, 4, 2).await;
    assert_eq!(all(&store).await.len(), 6);
}

#[tokio::test]
async fn a_commit_that_the_server_never_heard_of_is_known_not_to_be_stored() {
    let (store, proxy) = open().await;
    proxy.set(Some(Fault::RequestLost));
    let since = Instant::now();
    let lost = store.append(append(&stream("case", 1), after_events(2), 3, 1)).await;
    assert!(matches!(lost, Err(AppendError::Unavailable(_))), "{lost:?}");
    assert_in_time(since);
    assert_eq!(*proxy.fault.lock().unwrap(), None, "the fault struck");
    extend(&store, 2, 2).await;
    assert_eq!(all(&store).await.len(), 4);
}

#[tokio::test]
async fn every_append_of_a_batch_whose_answer_was_lost_gets_its_own() {
    let (store, proxy) = open().await;
    proxy.set(Some(Fault::AnswerLost));
    let appends = (0..10).map(|n| match n {
        4 => append(&stream("case", 1), after_events(0), 50, 1),
        n => append(&stream("case", 10 + n), after_events(0), 100 + n, 1 + n % 3),
    });
    let answers = futures::future::join_all(appends.map(|append| store.append(append))).await;
    assert_eq!(*proxy.fault.lock().unwrap(), None, "the fault struck");
    for (n, answer) in (0..).zip(answers) {
        match n {
            4 => assert_eq!(answer, Err(AppendError::Conflict { actual: Some(Revision(1)) })),
            n => assert_eq!(answer.unwrap().last_revision, Revision(n % 3)),
        }
    }
}

#[tokio::test]
async fn a_broken_commit_that_nobody_can_look_up_has_an_unknown_outcome() {
    let (store, proxy) = open().await;
    proxy.set(Some(Fault::AnswerLostAndAway));
    let since = Instant::now();
    let unknown = store.append(append(&stream("case", 1), after_events(2), 3, 1)).await;
    assert!(matches!(unknown, Err(AppendError::OutcomeUnknown(_))), "{unknown:?}");
    assert_in_time(since);
    // While it cannot be reached, nothing is begun.
    let since = Instant::now();
    let refused = store.append(append(&stream("case", 2), after_events(0), 4, 1)).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    assert_in_time(since);
    proxy.set(None);
    // Repeated, the command finds what it did.
    let repeated = store.append(append(&stream("case", 1), after_events(2), 3, 1)).await;
    assert_eq!(repeated, Err(AppendError::Conflict { actual: Some(Revision(2)) }));
    extend(&store, 3, 1).await;
}
