//! The bus on a real server: the contract, and what only JetStream gets wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_nats::jetstream::{self, Context};

use super::*;
use crate::contract::Fresh;
use crate::contract::sample::recorded;
use crate::contract::servers::Nats;

mod outage;
mod publishing;
mod receiving;
mod relaying;
mod settings;
mod subjects;

/// The address of a stream of its own on a server.
fn fresh_url(server: &str) -> String {
    static STREAMS: AtomicU32 = AtomicU32::new(0);
    let number = STREAMS.fetch_add(1, Ordering::Relaxed);
    // The server sets the room aside, and its room is what the disk has.
    format!("{server}?stream=T{number}&max_bytes=67108864&analytics_max_bytes=67108864")
}

fn options(url: &str) -> NatsOptions {
    NatsOptions::from_url(url).unwrap()
}

async fn connect(url: &str) -> Arc<NatsBus> {
    Arc::new(NatsBus::connect(&options(url)).await.unwrap())
}

async fn fresh_bus() -> (String, Arc<NatsBus>) {
    let url = fresh_url(&Nats::shared().url());
    let bus = connect(&url).await;
    (url, bus)
}

async fn fresh() -> Fresh<dyn Bus> {
    Fresh::new(fresh_bus().await.1)
}

crate::bus_contract!(fresh);

/// A client beside the adapter, as an operator has one.
async fn operator(url: &str) -> Context {
    let server = url.split_once('?').map_or(url, |(server, _)| server);
    jetstream::new(async_nats::connect(server).await.unwrap())
}

fn messages(from: u64, to: u64) -> Vec<BusMessage> {
    (from..=to)
        .map(|position| BusMessage {
            previous_position: Position(position - 1),
            event: Arc::new(recorded(position)),
        })
        .collect()
}

fn place(position: u64) -> (Position, EventId) {
    (Position(position), recorded(position).event_id)
}

/// Positions of all messages of a stream, in its order.
async fn positions(operator: &Context, stream: &str) -> Vec<u64> {
    let stream = operator.get_stream(stream).await.unwrap();
    let state = stream.cached_info().state.clone();
    let mut positions = Vec::new();
    for sequence in state.first_sequence..=state.last_sequence {
        let message = stream.get_raw_message(sequence).await.unwrap();
        positions.push(message.headers.get("Dossier-Position").unwrap().as_str().parse().unwrap());
    }
    positions
}

async fn until<F: Future<Output = bool>>(what: &str, done: impl Fn() -> F) {
    let waiting = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting)
        .await
        .unwrap_or_else(|_| panic!("waited in vain until {what}"));
}
