//! Which pages of other origins may call from a browser.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowCredentials, AllowHeaders, AllowOrigin, CorsLayer};

use crate::call::{DOSSIER_POSITION, DOSSIER_REQUEST_ID};

/// How long a browser may remember what it was allowed.
const REMEMBERED: Duration = Duration::from_mins(10);

/// Answers browsers for exactly these origins; the others learn nothing.
pub fn layer(origins: &[String]) -> CorsLayer {
    let listed: Vec<_> = origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok()).collect();
    let also_with_cookies = listed.clone();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(listed))
        .allow_credentials(AllowCredentials::predicate(move |origin, _| also_with_cookies.contains(origin)))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        // What a client library adds of its own cannot be foreseen, and these pages are trusted with a session already.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            DOSSIER_POSITION,
            DOSSIER_REQUEST_ID,
            HeaderName::from_static("dossier-follow-up-of"),
            HeaderName::from_static("idempotent-replay"),
            header::ETAG,
            header::RETRY_AFTER,
        ])
        .max_age(REMEMBERED)
}
