//! The HTTP surface of browsers that sign in and out. None of it is an endpoint of the API: nothing here tells of cases.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use dossier_commands::identity;
use serde_json::json;

use super::Browsers;
use super::attempt::{self, Attempt};
use super::cookies::Cookie;
use super::exchange::{self, CALLBACK_PATH, ExchangeError};
use super::page::{self, private};
use super::session::BeginError;
use crate::app::App;
use crate::call::DOSSIER_REQUEST_ID;
use crate::query::Query;
use crate::sign_in::{Principal, SignInError};
use crate::status::{ApiError, Code, excerpt};

/// Where a browser goes that was not told where to go: it says who is signed in.
const DEFAULT_RETURN_TO: &str = "/session";
/// Where a browser ends up that has signed out.
const SIGNED_OUT_PATH: &str = "/signed-out";
const NOT_SIGNED_IN: &str = "You are not signed in";
const NOT_SIGNED_OUT: &str = "You are not signed out";

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sign-in", get(begin))
        .route(CALLBACK_PATH, get(complete))
        .route("/session", get(session))
        .route("/sign-out", post(sign_out))
        .route(SIGNED_OUT_PATH, get(async || private(page::signed_out())))
}

/// One request, until it is answered.
struct Visit<'a> {
    app: &'a App,
    headers: &'a HeaderMap,
    request_id: String,
    /// Over the page of a refusal.
    heading: &'static str,
}

impl<'a> Visit<'a> {
    fn new(app: &'a App, headers: &'a HeaderMap, heading: &'static str) -> Self {
        Self { app, headers, request_id: ulid::Ulid::from(app.random_id()).to_string(), heading }
    }

    fn browsers(&self) -> Result<&'a Browsers, ApiError> {
        self.app.sign_in.browsers.as_ref().ok_or_else(|| {
            ApiError::new(
                Code::Unimplemented,
                "Browsers cannot sign in here: set oidc_client_id and public_url beside oidc_issuer. With --dev, get a \
                 token with `dossier token --email ADDRESS` and send it as Authorization: Bearer TOKEN.",
            )
            .with_reason("BROWSER_SIGN_IN_NOT_CONFIGURED")
        })
    }

    /// A refusal is counted, logged and shown.
    fn answer(&self, result: Result<Response, ApiError>) -> Response {
        let mut response = result.unwrap_or_else(|error| {
            let (request_id, reason) = (self.request_id.as_str(), error.reason().to_owned());
            tracing::info!(request_id, reason, "a browser was refused");
            metrics::counter!("dossier_sign_in_refused_total", "reason" => reason).increment(1);
            let links = &self.app.commands.catalogue().links;
            page::refused(error, self.heading, links, request_id, self.headers)
        });
        if let Ok(value) = HeaderValue::from_str(&self.request_id) {
            response.headers_mut().insert(DOSSIER_REQUEST_ID, value);
        }
        private(response)
    }
}

/// Sends a browser to the issuer.
async fn begin(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri) -> Response {
    let visit = Visit::new(&app, &headers, NOT_SIGNED_IN);
    visit.answer(try_begin(&visit, &uri).await)
}

async fn try_begin(visit: &Visit<'_>, uri: &Uri) -> Result<Response, ApiError> {
    let (app, browsers) = (visit.app, visit.browsers()?);
    let (now, secure) = (app.commands.now(), browsers.sessions.secure());
    let query = Query::parse(uri.query())?;
    let return_to = query.text("returnTo").unwrap_or(DEFAULT_RETURN_TO);
    let return_to = attempt::local_path(return_to, &browsers.settings.public_url).ok_or_else(|| {
        ApiError::invalid_field("returnTo", "must be a path of this server, such as /cases")
            .with_reason("RETURN_TO_NOT_LOCAL")
    })?;
    let endpoints = browsers.issuer.endpoints(now).await.map_err(|_| SignInError::IssuerUnavailable)?;
    let attempt = Attempt::begin(return_to, &browsers.entropy, now);
    let sealed = attempt.sealed(&browsers.sealer).await.map_err(|_| SignInError::SessionsUnavailable)?;
    let claims = browsers.id_tokens.claims();
    let there = exchange::authorization_url(&browsers.settings, &endpoints, &claims, &attempt);
    let mut response = redirect(there.as_str());
    set_cookie(&mut response, Cookie::Attempt.set(&sealed, attempt::LIFETIME, secure));
    Ok(response)
}

/// Makes a session of the code that a browser brings back from the issuer.
async fn complete(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri) -> Response {
    let visit = Visit::new(&app, &headers, NOT_SIGNED_IN);
    let result = try_complete(&visit, &uri).await;
    // An attempt is used once. A link that somebody else made does not use it up.
    let used = result.as_ref().err().is_none_or(|error| error.reason() != "STATE_MISMATCH");
    let mut response = visit.answer(result);
    if let Some(browsers) = app.sign_in.browsers.as_ref().filter(|_| used) {
        set_cookie(&mut response, Cookie::Attempt.removed(browsers.sessions.secure()));
    }
    response
}

async fn try_complete(visit: &Visit<'_>, uri: &Uri) -> Result<Response, ApiError> {
    let (app, browsers) = (visit.app, visit.browsers()?);
    let (sessions, now) = (&browsers.sessions, app.commands.now());
    let query = Query::parse(uri.query())?;
    let attempt = own_attempt(visit.headers, browsers, &query).await?;
    if now >= attempt.ends_at() {
        return Err(refused("SIGN_IN_EXPIRED", "It took too long to sign in; begin again."));
    }
    if !sessions.complete(&attempt.state, attempt.ends_at(), now).await? {
        return Err(refused("SIGN_IN_REPLAYED", "This sign-in was completed before; begin again."));
    }
    let principal = principal(browsers, &attempt, &query, now).await?;
    // Whoever was signed in with this browser is so no longer.
    sessions.end(visit.headers).await?;
    let id = sessions.begin(&principal, &browsers.entropy, now).await.map_err(|error| match error {
        BeginError::Unavailable => SignInError::SessionsUnavailable.into(),
        BeginError::Erased => {
            ApiError::permission_denied("This account was erased for good.").with_reason("ACCOUNT_ERASED")
        }
    })?;
    metrics::counter!("dossier_sessions_begun_total").increment(1);
    let account = identity::account_id(&browsers.sealer, &principal.issuer, &principal.subject);
    tracing::info!(request_id = visit.request_id, %account, "a browser signed in");
    let mut response = redirect(&attempt.return_to);
    set_cookie(&mut response, Cookie::Session.set(&id, sessions.lifetime(), sessions.secure()));
    Ok(response)
}

/// The sign-in that this browser began, if the issuer's answer is the one to it.
async fn own_attempt(headers: &HeaderMap, browsers: &Browsers, query: &Query) -> Result<Attempt, ApiError> {
    let cookie = Cookie::Attempt.of(headers, browsers.sessions.secure()).filter(|text| !text.is_empty());
    let opened = match cookie {
        Some(cookie) => Attempt::opened(cookie, &browsers.sealer).await,
        None => Ok(None),
    };
    let attempt = opened.map_err(|_| SignInError::SessionsUnavailable)?.ok_or_else(|| {
        refused("STATE_MISSING", "This browser has begun no sign-in, or has finished it; begin again.")
    })?;
    if query.text("state") != Some(&attempt.state) {
        return Err(refused("STATE_MISMATCH", "This is the answer to another sign-in; begin again."));
    }
    Ok(attempt)
}

/// Who signed in at the issuer.
async fn principal(
    browsers: &Browsers,
    attempt: &Attempt,
    query: &Query,
    now: jiff::Timestamp,
) -> Result<Principal, ApiError> {
    let endpoints = browsers.issuer.endpoints(now).await.map_err(|_| SignInError::IssuerUnavailable)?;
    // The answer of another issuer must not be taken for one of ours (RFC 9207).
    let named = query.text("iss");
    if named.map_or(endpoints.names_itself, |issuer| issuer != browsers.id_tokens.issuer()) {
        return Err(refused(
            "ISSUER_MISMATCH",
            "This is the answer of another identity provider; begin again.",
        ));
    }
    if let Some(error) = query.text("error") {
        return Err(provider_error(error));
    }
    let code = query.text("code").ok_or_else(|| {
        refused("CODE_MISSING", "The identity provider's answer is not complete; begin again.")
    })?;
    let (settings, http) = (&browsers.settings, browsers.issuer.client());
    let token = exchange::id_token(settings, &endpoints, http, attempt, code).await.map_err(|error| {
        tracing::warn!(%error, "sign-in: a code became no ID token");
        match error {
            ExchangeError::Unavailable => SignInError::IssuerUnavailable.into(),
            ExchangeError::Refused(error) => provider_error(&error),
            ExchangeError::NotUnderstood | ExchangeError::NoIdToken => provider_error("no ID token"),
        }
    })?;
    browsers.id_tokens.verify_id_token(&token, &attempt.nonce, now).await.map_err(|error| match error {
        SignInError::IssuerUnavailable => error.into(),
        _ => ApiError::permission_denied(format!("The identity provider's answer was refused: {error}."))
            .with_reason(error.reason()),
    })
}

/// Who is signed in with this browser.
async fn session(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let session = match &app.sign_in.browsers {
        Some(browsers) => browsers.sessions.sign_in(&headers, &Method::GET, app.commands.now()).await,
        None => Err(SignInError::SessionEnded),
    };
    private(session.map_or_else(
        |error| ApiError::from(error).into_response(),
        |session| {
            let principal = session.principal;
            Json(json!({
                "issuer": principal.issuer,
                "subject": principal.subject,
                "email": principal.email,
                "displayName": principal.display_name,
                "staffRoles": principal.staff_roles,
                "csrfToken": session.csrf_token,
                "endTime": principal.token_expires_at,
            }))
            .into_response()
        },
    ))
}

/// Ends the session of this browser.
async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let visit = Visit::new(&app, &headers, NOT_SIGNED_OUT);
    visit.answer(try_sign_out(&visit).await)
}

async fn try_sign_out(visit: &Visit<'_>) -> Result<Response, ApiError> {
    let browsers = visit.browsers()?;
    let (headers, sessions) = (visit.headers, &browsers.sessions);
    let signed_out = format!("{}{SIGNED_OUT_PATH}", browsers.settings.public_url);
    let mut then = signed_out.clone();
    if sessions.are_claimed_by(headers) {
        sessions.check_csrf(headers, &Method::POST)?;
        sessions.end(headers).await?;
        if let Ok(endpoints) = browsers.issuer.endpoints(visit.app.commands.now()).await {
            let there = exchange::end_session_url(&browsers.settings, &endpoints, &signed_out);
            then = there.map_or(signed_out, String::from);
        }
    }
    let mut response = if page::wants_json(headers) {
        Json(json!({"redirectTo": then})).into_response()
    } else {
        redirect(&then)
    };
    set_cookie(&mut response, Cookie::Session.removed(sessions.secure()));
    Ok(response)
}

fn refused(reason: &'static str, message: &str) -> ApiError {
    ApiError::failed_precondition(message).with_reason(reason)
}

fn provider_error(error: &str) -> ApiError {
    ApiError::permission_denied(format!("The identity provider did not sign you in: {}.", excerpt(error)))
        .with_reason("PROVIDER_ERROR")
}

fn redirect(to: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(to) else {
        return ApiError::internal("an address cannot be sent").into_response();
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

fn set_cookie(response: &mut Response, cookie: HeaderValue) {
    response.headers_mut().append(header::SET_COOKIE, cookie);
}
