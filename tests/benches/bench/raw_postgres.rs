//! The raw limit on PostgreSQL: one connection that writes whatever waits with one statement, the same rows, no checks, no lock.

use std::sync::atomic::{AtomicI64, Ordering};

use dossier_eventlog::NewEvent;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};
use tokio::sync::{mpsc, oneshot};

type Ask = (NewEvent, oneshot::Sender<()>);

const TABLE: &str = "
CREATE TABLE raw_event (
    position BIGINT PRIMARY KEY, stream TEXT NOT NULL, revision BIGINT NOT NULL, event_id BYTEA NOT NULL,
    type TEXT NOT NULL, version INTEGER NOT NULL, recorded_at BIGINT NOT NULL, payload BYTEA NOT NULL,
    metadata BYTEA NOT NULL);
CREATE UNIQUE INDEX raw_by_stream ON raw_event (stream, revision);
CREATE UNIQUE INDEX raw_by_id ON raw_event (event_id);";

const INSERT: &str = "
INSERT INTO raw_event SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::bigint[], $4::bytea[], $5::text[], $6::int[],
    $7::bigint[], $8::bytea[], $9::bytea[])";

/// A handle on the writer; clones share it.
#[derive(Clone)]
pub(crate) struct RawPostgres {
    sender: mpsc::Sender<Ask>,
}

impl RawPostgres {
    pub(crate) async fn start(url: &str) -> Self {
        let mut connection = PgConnection::connect(url).await.unwrap();
        connection.execute(TABLE).await.unwrap();
        let (sender, receiver) = mpsc::channel(1_024);
        tokio::spawn(write(connection, receiver));
        Self { sender }
    }

    /// Appends durably.
    pub(crate) async fn append(&self, event: NewEvent) {
        let (done, committed) = oneshot::channel();
        self.sender.send((event, done)).await.unwrap();
        committed.await.unwrap();
    }
}

async fn write(mut connection: PgConnection, mut receiver: mpsc::Receiver<Ask>) {
    static NEXT: AtomicI64 = AtomicI64::new(1);
    let mut batch: Vec<Ask> = Vec::new();
    while receiver.recv_many(&mut batch, 512).await > 0 {
        let positions: Vec<i64> = batch.iter().map(|_| NEXT.fetch_add(1, Ordering::Relaxed)).collect();
        let streams: Vec<String> = positions.iter().map(|position| format!("case-{position}")).collect();
        let revisions = vec![0_i64; batch.len()];
        let events = || batch.iter().map(|(event, _)| event);
        sqlx::query(INSERT)
            .bind(&positions)
            .bind(&streams)
            .bind(&revisions)
            .bind(events().map(|event| event.event_id.0.as_bytes().to_vec()).collect::<Vec<_>>())
            .bind(events().map(|event| event.event_type.to_string()).collect::<Vec<_>>())
            .bind(events().map(|event| i32::from(event.version)).collect::<Vec<_>>())
            .bind(events().map(|event| event.recorded_at.as_microsecond()).collect::<Vec<_>>())
            .bind(events().map(|event| event.payload.to_vec()).collect::<Vec<_>>())
            .bind(events().map(|event| event.metadata.to_vec()).collect::<Vec<_>>())
            .execute(&mut connection)
            .await
            .unwrap();
        for (_, done) in batch.drain(..) {
            let _ = done.send(());
        }
    }
}
