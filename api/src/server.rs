//! The HTTP server around the endpoints.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::status::{ApiError, Code};
use crate::{docs, health, openapi, pipeline};

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::serve))
        .route("/docs", get(docs::serve))
        .method_not_allowed_fallback(|| async {
            ApiError::new(Code::MethodNotAllowed, "this path is served with GET")
        })
        .fallback(pipeline::serve)
        .layer(CatchPanicLayer::custom(|_| {
            use axum::response::IntoResponse;
            tracing::error!("a request handler panicked");
            ApiError::internal("a fault on this side").into_response()
        }))
        .with_state(app)
}
