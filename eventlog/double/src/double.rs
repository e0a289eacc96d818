//! Starting and stopping.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpSocket;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::faults::Faults;
use crate::log::Log;
use crate::protocol::event_store::client::gossip::gossip_server::GossipServer;
use crate::protocol::event_store::client::server_features::server_features_server::ServerFeaturesServer;
use crate::protocol::event_store::client::streams::streams_server::StreamsServer;
use crate::service::Service;

/// A server on a port of its own, until it is dropped. It may be stopped and started again; its log stays.
pub struct Double {
    service: Service,
    address: SocketAddr,
    /// Keeps the port while the server is down: bound, and never listening.
    _reserved: TcpSocket,
    running: Option<Runtime>,
}

impl Double {
    /// A port without a server: connections are refused until [`Double::start`].
    pub fn stopped() -> Self {
        let reserved = socket();
        reserved.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        let address = reserved.local_addr().expect("a bound socket has an address");
        let service =
            Service { log: Arc::<Log>::default(), faults: Arc::<Faults>::default(), port: address.port() };
        Self { service, address, _reserved: reserved, running: None }
    }

    /// Another server of the same cluster, not started yet: it has the same log.
    #[must_use]
    pub fn replica(&self) -> Self {
        let mut replica = Self::stopped();
        replica.service.log = Arc::clone(&self.service.log);
        replica
    }

    /// A server that runs.
    pub async fn started() -> Self {
        let mut double = Self::stopped();
        double.start().await;
        double
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("kurrentdb://{}?tls=false", self.address)
    }

    /// Its port of this machine.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What can be made to go wrong.
    pub fn faults(&self) -> &Faults {
        &self.service.faults
    }

    /// Listens and answers. Returns when connections are taken.
    pub async fn start(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("kurrentdb-double")
            .enable_all()
            .build()
            .expect("a runtime");
        let (service, address) = (self.service.clone(), self.address);
        let (listening, listens) = oneshot::channel();
        runtime.spawn(async move {
            let socket = socket();
            socket.bind(address).expect("the port is reserved");
            let listener = socket.listen(128).expect("nobody else listens there");
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            let serving = Server::builder()
                .add_service(ServerFeaturesServer::new(service.clone()))
                .add_service(GossipServer::new(service.clone()))
                .add_service(StreamsServer::new(service))
                .serve_with_incoming(incoming);
            let _ = listening.send(());
            serving.await.expect("a server that nothing stops");
        });
        listens.await.expect("the server listens");
        self.running = Some(runtime);
    }

    /// Kills it: every connection breaks, the log stays. Returns when the port refuses connections.
    pub async fn stop(&mut self) {
        let Some(runtime) = self.running.take() else { return };
        let stopping = tokio::task::spawn_blocking(move || drop(runtime));
        stopping.await.expect("no task of the server blocks");
    }

    /// Kills it and starts it again.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        if let Some(runtime) = self.running.take() {
            // Dropping it here would block, which a test's own runtime forbids.
            runtime.shutdown_background();
        }
    }
}

fn socket() -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option of every socket");
    socket
}
