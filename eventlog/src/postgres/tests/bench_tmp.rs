use super::*;
use crate::contract::sample::event;
use crate::contract::servers::Postgres;
use sqlx::ConnectOptions;
use std::sync::Arc;
use std::time::{Duration, Instant};

async fn ours(nodes: &[Arc<PostgresStore>], callers: u64, base: u64) -> f64 {
    let start = Instant::now();
    let end = start + Duration::from_secs(3);
    let tasks: Vec<_> = (0..callers)
        .map(|c| {
            let store = Arc::clone(&nodes[c as usize % nodes.len()]);
            tokio::spawn(async move {
                let mut n = 0u64;
                while Instant::now() < end {
                    let s = stream("case", base + c * 1_000_000 + n / 6);
                    store.append(append(&s, after_events(n % 6), base + c * 1_000_000 + n, 1)).await.unwrap();
                    n += 1;
                }
                n
            })
        })
        .collect();
    let mut total = 0;
    for t in tasks {
        total += t.await.unwrap();
    }
    total as f64 / start.elapsed().as_secs_f64()
}

async fn raw(url: &str, size: u64, base: u64) -> f64 {
    let mut c = url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    let start = Instant::now();
    let mut position: i64 = sqlx::query("SELECT coalesce(max(position),0) FROM dossier_log.event")
        .fetch_one(&mut c)
        .await
        .unwrap()
        .get(0);
    let mut n = 0u64;
    while start.elapsed() < Duration::from_secs(3) {
        let events: Vec<_> = (0..size).map(|i| event(base + n + i, 0)).collect();
        let streams: Vec<String> =
            (0..size).map(|i| format!("case-{}", base + (i * 1_000_000) + n / size / 6)).collect();
        let rev = (n / size % 6) as i64;
        sqlx::query("INSERT INTO dossier_log.event (position, stream, revision, event_id, type, version, recorded_at, metadata, payload) SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::int[], $7::bigint[], $8::bytea[], $9::bytea[])")
            .bind((0..size as i64).map(|i| position + 1 + i).collect::<Vec<_>>())
            .bind(&streams)
            .bind(vec![rev; size as usize])
            .bind(events.iter().map(|e| e.event_id.0).collect::<Vec<_>>())
            .bind(events.iter().map(|e| &*e.event_type).collect::<Vec<_>>())
            .bind(vec![1i32; size as usize])
            .bind(events.iter().map(|e| e.recorded_at.as_microsecond()).collect::<Vec<_>>())
            .bind(events.iter().map(|e| &e.metadata[..]).collect::<Vec<_>>())
            .bind(events.iter().map(|e| &e.payload[..]).collect::<Vec<_>>())
            .execute(&mut c).await.unwrap();
        position += size as i64;
        n += size;
    }
    n as f64 / start.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bench() {
    let url = Postgres::shared().fresh_database();
    let one = [Arc::new(open(&url).await)];
    let mut base = 1u64 << 40;
    for callers in [1, 32, 256, 1, 32, 256] {
        base += 1 << 36;
        let o = ours(&one, callers, base).await;
        base += 1 << 36;
        let r = raw(&url, callers, base).await;
        println!("{callers:4} callers: ours {o:8.0}/s raw {r:8.0}/s = {:.0} %", o / r * 100.0);
    }
    let two = [Arc::clone(&one[0]), Arc::new(open(&url).await)];
    for callers in [2, 32, 256] {
        base += 1 << 36;
        println!("{callers:4} callers on two nodes: {:8.0}/s", ours(&two, callers, base).await);
    }
}
