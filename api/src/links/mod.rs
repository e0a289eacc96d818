//! What links from mails open, without signing in: small pages, each for one thing that a [`SignedLink`] names.
//!
//! `GET` shows and changes nothing, because mail scanners fetch links; `POST` acts. Nothing of the case is shown but its id,
//! which the mail has named: a link travels further than an account. How much is asked is bounded as for everybody who does
//! not sign in ([`crate::limits`]).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use dossier_commands::signed_link::{SignedLink, verify};

use crate::app::App;
use crate::browser::page::{escape, page_in, private};
use crate::call::DOSSIER_REQUEST_ID;
use crate::linger::lingering;
use crate::pipeline::{MAX_ANONYMOUS_BODY_BYTES, read_body};
use crate::query::Query;
use crate::status::{ApiError, Code};

mod survey;
mod survey_texts;
mod unsubscribe;
mod unsubscribe_texts;

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new().merge(survey::routes()).merge(unsubscribe::routes())
}

/// One request that came by a link, until it is answered.
struct Visit {
    app: Arc<App>,
    parts: Parts,
    request_id: String,
}

impl Visit {
    /// The request, and its body apart.
    fn new(app: Arc<App>, request: Request<Body>) -> (Self, Body) {
        let (parts, body) = request.into_parts();
        let body = lingering(&parts.headers, body);
        let request_id = ulid::Ulid::from(app.random_id()).to_string();
        (Self { app, parts, request_id }, body)
    }

    /// The link of a token, for whoever has not asked too much.
    ///
    /// # Errors
    /// 404 for what is no link of ours, 429.
    fn open(&self, token: &str) -> Result<SignedLink, ApiError> {
        let peer = self.parts.extensions.get::<ConnectInfo<SocketAddr>>();
        self.app.rate_limit.check_network(peer.map(|ConnectInfo(address)| address.ip()))?;
        verify(self.app.commands.sealer(), token).map_err(|error| no_such_link(&error.to_string()))
    }

    /// What a form sends.
    ///
    /// # Errors
    /// 400, 413 or 504 for a body that is no form, too large or too slow.
    async fn form(&self, body: Body) -> Result<Query, ApiError> {
        let patience = self.app.request_timeout;
        let body = read_body(body, self.app.max_body_bytes.min(MAX_ANONYMOUS_BODY_BYTES), patience).await?;
        let text = str::from_utf8(&body).map_err(|_| ApiError::invalid_argument("the body is no form"))?;
        Query::parse(Some(text))
    }

    /// The answer, counted and logged; the token is in neither.
    fn answer(&self, page: &'static str, response: Response) -> Response {
        let (request_id, status) = (self.request_id.as_str(), response.status().as_u16());
        tracing::info!(request_id, page, status, method = %self.parts.method, "a link was answered");
        metrics::counter!("dossier_links_total", "page" => page, "status" => status.to_string()).increment(1);
        let mut response = private(response);
        if let Ok(value) = HeaderValue::from_str(&self.request_id) {
            response.headers_mut().insert(DOSSIER_REQUEST_ID, value);
        }
        response
    }

    /// A refusal as a page; the message is for people and names what to do.
    fn refused(&self, error: ApiError, language: &str, heading: &str, message: &str) -> Response {
        let body = format!(
            "<h1>{}</h1><p>{}</p><footer><code>{}</code> <code>{}</code></footer>",
            escape(heading),
            escape(message),
            escape(error.reason()),
            escape(&self.request_id)
        );
        let mut response = page_in(language, heading, &body, false);
        let as_json = error.into_response();
        *response.status_mut() = as_json.status();
        if let Some(pause) = as_json.headers().get(header::RETRY_AFTER) {
            response.headers_mut().insert(header::RETRY_AFTER, pause.clone());
        }
        response
    }
}

fn no_such_link(why: &str) -> ApiError {
    ApiError::new(Code::NotFound, why).with_reason("INVALID_LINK")
}

/// A page with a status.
fn with_status(mut response: Response, status: StatusCode) -> Response {
    *response.status_mut() = status;
    response
}

/// The language tags that a browser asks for, as they come.
fn accepted_languages(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(header::ACCEPT_LANGUAGE).into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(|one| one.split(';').next().unwrap_or_default().trim())
}
