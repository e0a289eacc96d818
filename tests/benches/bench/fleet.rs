//! The same work on private PostgreSQL and NATS servers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dossier_api::edge;
use dossier_eventlog::contract::servers::{Nats, Postgres};
use dossier_eventlog::{
    Append, Bus, EventStore, Expected, NatsBus, NatsOptions, PostgresKeyStore, PostgresOptions,
    PostgresStore, Relay, RelayOptions, Sealer,
};
use dossier_projections::{LogFollower, ReadLocation, ReadModels};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Row;
use crate::load::rate;
use crate::raw_postgres::RawPostgres;
use crate::write_side::{World, sample_event, sample_stream, times_to_visible};

/// What one round leaves the next one clean of.
struct Engines {
    postgres: Postgres,
    nats: Nats,
}

pub(crate) async fn rows() {
    let engines = Engines { postgres: Postgres::start(&[("max_wal_size", "4GB")]), nats: Nats::start() };
    engines.appends().await;
    engines.commands().await;
    let world = engines.filled().await;
    engines.relay(&world).await;
    engines.rebuild(&world).await;
    engines.visible().await;
}

impl Engines {
    async fn store(&self) -> (Arc<dyn EventStore>, String) {
        let url = self.postgres.fresh_database();
        let store = PostgresStore::open(&url, PostgresOptions::default(), Uuid::from_u128(1)).await.unwrap();
        (Arc::new(store), url)
    }

    async fn world(&self) -> (World, String) {
        let (store, url) = self.store().await;
        let entropy = edge::entropy();
        let keys = PostgresKeyStore::open(&url, store.log_id(), true, &entropy).await.unwrap();
        (World::on(store, Arc::new(Sealer::new(Arc::new(keys), entropy))).await, url)
    }

    async fn raw(&self, callers: u64) -> f64 {
        let raw = RawPostgres::start(&self.postgres.fresh_database()).await;
        rate(callers, move |_, _| {
            let raw = raw.clone();
            async move { raw.append(sample_event()).await }
        })
        .await
    }

    async fn appends(&self) {
        for callers in [1, 32, 256] {
            let raw = self.raw(callers).await;
            let (store, _) = self.store().await;
            let ours = rate(callers, move |_, _| {
                let store = store.clone();
                async move {
                    let (expected, events) = (Expected::NoStream, vec![sample_event()]);
                    let append = Append { stream: sample_stream(), expected, events, guards: Vec::new() };
                    store.append(append).await.unwrap();
                }
            })
            .await;
            let work = format!("PostgreSQL: durable appends, {callers} callers");
            Row::new(work, ours, "appends/s").beside(raw, 0.5).print();
        }
    }

    async fn commands(&self) {
        for in_flight in [32, 256] {
            let raw = self.raw(in_flight).await;
            let world = Arc::new(self.world().await.0);
            let lifecycles = rate(in_flight, move |_, _| {
                let world = world.clone();
                async move { world.lifecycle().await }
            })
            .await;
            let work = format!("PostgreSQL: commands in process, {in_flight} in flight");
            Row::new(work, lifecycles * 6.0, "commands/s").beside(raw, 0.5).print();
        }
    }

    /// A log with some ten thousands of events.
    async fn filled(&self) -> World {
        let (world, _) = self.world().await;
        let world = Arc::new(world);
        for _ in 0..5 {
            let world = world.clone();
            let _ = rate(64, move |_, _| {
                let world = world.clone();
                async move { world.lifecycle().await }
            })
            .await;
        }
        Arc::into_inner(world).expect("nobody works any more")
    }

    async fn bus(&self, stream: &str) -> Arc<dyn Bus> {
        let options = NatsOptions::from_url(&format!("{}?stream={stream}", self.nats.url())).unwrap();
        Arc::new(NatsBus::connect(&options).await.unwrap())
    }

    async fn relay(&self, world: &World) {
        let head = world.store.head().await.unwrap();
        let relay =
            Relay::new(world.store.clone(), self.bus("DOSSIER_RELAYED").await, RelayOptions::shared());
        let (status, stop) = (relay.status(), CancellationToken::new());
        let started = Instant::now();
        let running = tokio::spawn(relay.run(stop.clone()));
        while status.last_published() < head {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let seconds = started.elapsed().as_secs_f64();
        stop.cancel();
        running.await.unwrap().unwrap();
        let count = status.published_events() as f64;
        Row::new("relay from PostgreSQL to NATS", count / seconds, "events/s")
            .aim(40_000.0)
            .note(format!("{count} events"))
            .print();
    }

    async fn rebuild(&self, world: &World) {
        let location = ReadLocation::postgres(self.postgres.fresh_database());
        let follower = LogFollower {
            store: world.store.clone(),
            bus: self.bus("DOSSIER_REBUILT").await,
            sealer: world.sealer.clone(),
        };
        let models = ReadModels::open(&location, follower).await.unwrap();
        let head = world.store.head().await.unwrap();
        let stop = CancellationToken::new();
        let started = Instant::now();
        let _running = models.start(&stop);
        models.wait_for(head, Duration::from_mins(10)).await.unwrap();
        let seconds = started.elapsed().as_secs_f64();
        stop.cancel();
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let rate = head.0 as f64 / seconds;
        Row::new("replay through all projectors into PostgreSQL", rate, "events/s").aim(50_000.0).print();
    }

    async fn visible(&self) {
        let (world, url) = self.world().await;
        let bus = self.bus("DOSSIER_VISIBLE").await;
        let relay = Relay::new(world.store.clone(), bus.clone(), RelayOptions::shared());
        let stop = CancellationToken::new();
        tokio::spawn(relay.run(stop.clone()));
        let follower = LogFollower { store: world.store.clone(), bus, sealer: world.sealer.clone() };
        let models = ReadModels::open(&ReadLocation::postgres(url), follower).await.unwrap();
        let _running = models.start(&stop);
        times_to_visible(
            Arc::new(world),
            Arc::new(models),
            "PostgreSQL + NATS: write to visible at 1,000 commands/s, p99",
        )
        .await;
        stop.cancel();
    }
}
