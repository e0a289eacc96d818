//! The HTTP server around the endpoints: routes, and connections with their limits.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::Uri;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_http::add_extension::AddExtension;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::config::Role;
use crate::pipeline::Draining;
use crate::status::{ApiError, Code};
use crate::{asyncapi, browser, docs, health, links, openapi, pipeline};

/// Pause after the operating system refused to accept, for want of descriptors as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// All routes of a process with its roles: one without `api` tells how it is, and no more.
pub fn router(app: Arc<App>) -> Router {
    let told = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics));
    let routes = if app.roles.has(Role::Api) {
        told.route("/openapi.json", get(openapi::serve))
            .route("/asyncapi.json", get(asyncapi::serve))
            .route("/docs", get(docs::serve))
            .merge(browser::routes::routes())
            .merge(links::routes())
            .fallback(pipeline::serve)
    } else {
        told.fallback(|| async {
            ApiError::new(Code::NotFound, "this process does not answer requests; ask one with the role api")
                .with_reason("NO_API_ROLE")
        })
    };
    let routes = routes
        .method_not_allowed_fallback(|uri: Uri| async move {
            let method = if uri.path() == "/sign-out" { "POST" } else { "GET" };
            ApiError::new(Code::MethodNotAllowed, format!("this path is served with {method}"))
        })
        .layer(CatchPanicLayer::custom(|_| {
            tracing::error!("a request handler panicked");
            ApiError::internal("a fault on this side").into_response()
        }));
    // Outermost, so that a page may also read refusals.
    let routes = match app.sign_in.cors_origins.as_slice() {
        [] => routes,
        origins => routes.layer(browser::cors::layer(origins)),
    };
    routes.with_state(app)
}

/// What protects the server from slow and many clients.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// How long the head of a request may take to arrive.
    pub header_timeout: Duration,
    /// Connections served at the same time; more wait to be accepted.
    pub max_connections: usize,
    /// How long requests in flight may take once the server is to stop.
    pub drain_timeout: Duration,
}

/// Serves connections until `stop` resolves, then finishes what is in flight.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    stop: impl Future<Output = ()>,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(30));
    let permits = Arc::new(Semaphore::new(limits.max_connections));
    let graceful = GracefulShutdown::new();
    let draining = Draining::default();
    let router = router.layer(Extension(draining.clone()));
    tokio::pin!(stop);
    loop {
        let permit = tokio::select! {
            () = &mut stop => break,
            permit = permits.clone().acquire_owned() => permit,
        };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Small answers must not wait for more to come.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(AddExtension::new(router.clone(), ConnectInfo(peer)));
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        let open = metrics::gauge!("dossier_http_connections");
        open.increment(1.0);
        tokio::spawn(async move {
            // A client that breaks the protocol or goes away is its own affair.
            if let Err(error) = connection.await {
                tracing::debug!(error, "a connection ended with an error");
            }
            open.decrement(1.0);
            drop(permit);
        });
    }
    drop(listener);
    draining.0.cancel();
    if tokio::time::timeout(limits.drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests still in flight were cut off");
    }
}
