//! What every request goes through: routing, sign-in, authorization of the parent, the body, the use case, and the
//! answer with its headers, its log line and its metrics.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response};
use axum::response::IntoResponse;
use bytes::Bytes;
use dossier_commands::{AccessView, ActsFor, Standpoint};
use dossier_domain::{
    AccessRefusal, AccountStatus, Action, Actor, Authority, OrganizationId, VisibilityScope,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::call::{
    Call, DOSSIER_ACTING_FOR, DOSSIER_POSITION, DOSSIER_REQUEST_ID, Params, Parent, Reply, ReplyBody,
    max_wait, min_position,
};
use crate::endpoints::{Endpoint, Kind, route};
use crate::linger::lingering;
use crate::query::Query;
use crate::status::{ApiError, Code};
use crate::{first_sign_in, help, refusals, scim};

/// Comes with every request of a server that tells when it is to stop.
#[derive(Clone, Debug, Default)]
pub struct Draining(pub CancellationToken);

/// How long the answer to a command waits for the read models, so that the caller's next query sees it (promise 9).
pub(crate) const OWN_WRITES_PATIENCE: Duration = Duration::from_millis(500);

/// The largest body of a request that needs no sign-in, in bytes.
pub const MAX_ANONYMOUS_BODY_BYTES: usize = 64 * 1024;

/// Serves one request.
pub async fn serve(State(app): State<Arc<App>>, request: Request<Body>) -> Response<Body> {
    let started = Instant::now();
    let request_id = ulid::Ulid::from(app.random_id()).to_string();
    let method = request.method().clone();
    let is_scim = scim::is_scim(request.uri().path());
    let mut seen = Seen::default();
    let result = answer(app.clone(), request, &request_id, &mut seen).await;
    let mut response = match result {
        Ok(reply) => respond(reply),
        Err(error) => {
            seen.reason = Some(error.reason().to_owned());
            let error = help::linked(error, &app);
            if is_scim { scim::refused(error) } else { error.into_response() }
        }
    };
    if is_scim && response.headers().contains_key(CONTENT_TYPE) {
        response.headers_mut().insert(CONTENT_TYPE, scim::CONTENT_TYPE);
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(DOSSIER_REQUEST_ID, value);
    }
    let status = response.status().as_u16();
    let seconds = started.elapsed().as_secs_f64();
    let endpoint = seen.endpoint.map_or("unknown", |endpoint| endpoint.id);
    metrics::counter!("dossier_http_requests_total", "endpoint" => endpoint, "status" => status.to_string())
        .increment(1);
    metrics::histogram!("dossier_http_request_seconds", "endpoint" => endpoint).record(seconds);
    tracing::info!(
        request_id,
        correlation_id = seen.correlation_id,
        account = seen.account,
        %method,
        endpoint,
        status,
        reason = seen.reason,
        milliseconds = seconds * 1_000.0,
        "request answered"
    );
    response
}

/// What the log line and the metrics tell of a request; nothing personal.
#[derive(Default)]
struct Seen {
    endpoint: Option<&'static Endpoint>,
    account: Option<String>,
    correlation_id: Option<String>,
    reason: Option<String>,
}

async fn answer(
    app: Arc<App>,
    request: Request<Body>,
    request_id: &str,
    seen: &mut Seen,
) -> Result<Reply, ApiError> {
    let (parts, body) = request.into_parts();
    let body = lingering(&parts.headers, body);
    let overridden = overridden_get(&parts.method, &parts.headers);
    let method = if overridden { Method::GET } else { parts.method.clone() };
    let (endpoint, version, mut params) = route(&method, parts.uri.path())?;
    seen.endpoint = Some(endpoint);

    let principal = if endpoint.action.needs_no_sign_in() {
        None
    } else {
        // By the method that was sent: a POST in disguise needs what a POST needs.
        Some(app.sign_in.sign_in(&parts.headers, &parts.method, app.commands.now()).await?)
    };
    let actor = principal.as_deref().map_or_else(|| app.nobody(), |principal| app.actor(principal));
    seen.account = principal.is_some().then(|| actor.account.to_string());
    let acts_for = if principal.is_some() {
        app.rate_limit.check(actor.account)?;
        acting_for(&app, &parts.headers).await?
    } else {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        app.rate_limit.check_network(peer.map(|ConnectInfo(address)| address.ip()))?;
        None
    };
    if endpoint.is_for_directories() {
        params.parent = Some(fed_by(&actor)?);
    }
    // A foreign parent is refused before anything of the request is judged, whether or not anything exists there.
    let mut admitted = authorize(&app, endpoint, &params, &actor, acts_for.as_ref()).await;
    if let Some(principal) = principal.as_deref().filter(|_| has_no_account(&admitted))
        && first_sign_in::opens_account(&app, principal, &actor, request_id).await?
    {
        admitted = authorize(&app, endpoint, &params, &actor, acts_for.as_ref()).await;
    }
    let is_news = match &admitted {
        Ok(admitted) => admitted.standpoint.is_news_of(&actor),
        Err(_) => principal.is_some() && app.commands.is_news_of(&actor).await,
    };
    if is_news {
        first_sign_in::recognize_staff(&app, &actor, request_id).await;
    }
    let admitted = admitted?;

    let (body, upload) = if endpoint.kind == Kind::Upload {
        (Bytes::new(), Some(body))
    } else {
        // Nobody knows who sends what needs no sign-in: little is taken in from them.
        let most = if principal.is_some() { usize::MAX } else { MAX_ANONYMOUS_BODY_BYTES };
        (read_body(body, app.max_body_bytes.min(most), app.request_timeout).await?, None)
    };
    // Discovery-based clients send a long GET as POST with the query in the body.
    let query = if overridden {
        Query::parse(std::str::from_utf8(&body).ok())
    } else {
        Query::parse(parts.uri.query())
    }?;
    let call = Call {
        app: app.clone(),
        endpoint,
        version,
        params,
        parent: admitted.parent,
        authority: admitted.authority,
        standpoint: admitted.standpoint,
        acts_for,
        query,
        headers: parts.headers,
        body,
        upload: Mutex::new(upload),
        actor,
        token_expires_at: principal.as_ref().map_or(Timestamp::MAX, |principal| principal.token_expires_at),
        principal,
        draining: parts.extensions.get::<Draining>().cloned().unwrap_or_default().0,
        request_id: request_id.to_owned(),
    };
    seen.correlation_id = Some(call.correlation_id());
    await_visibility(&call).await?;
    match endpoint.kind {
        Kind::Query | Kind::Export => {
            if let Some(position) = min_position(&call.headers)? {
                let patience = max_wait(&call.headers)?;
                app.read_models.wait_for(position, patience).await.map_err(|error| refusals::wait(&error))?;
            }
            (endpoint.handler)(call).await
        }
        Kind::Command | Kind::Upload => {
            // A caller that goes away does not stop a command half way through its answer.
            let reply = tokio::spawn((endpoint.handler)(call)).await.map_err(|panic| {
                tracing::error!(%panic, "a command panicked");
                ApiError::internal("a fault on this side; repeat the request with the same Idempotency-Key")
                    .with_reason("OUTCOME_UNKNOWN")
            })??;
            if let Some(position) = reply.position {
                // Beyond this patience a caller that must see its write says so with Dossier-Min-Position.
                let _ = app.read_models.wait_for(position, OWN_WRITES_PATIENCE).await;
            }
            Ok(reply)
        }
    }
}

/// Whether this is a GET in disguise.
fn overridden_get(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::POST
        && headers
            .get("x-http-method-override")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"GET"))
}

/// The organization that the caller says they act for (R-RES-1), and customers of it that may open the centre (R-RES-6).
///
/// # Errors
/// 400 for a text that names none, 503 while nobody can tell who may.
async fn acting_for(app: &App, headers: &HeaderMap) -> Result<Option<ActsFor>, ApiError> {
    let Some(value) = headers.get(DOSSIER_ACTING_FOR) else { return Ok(None) };
    let name = value.to_str().ok().and_then(|text| text.trim().split_once('/'));
    let organization = name.and_then(|(kind, id)| organization(kind, id)).ok_or_else(|| {
        ApiError::invalid_field("Dossier-Acting-For", "wanted an organization, such as organizations/nimbus")
            .with_reason("INVALID_ACTING_FOR")
    })?;
    let entitled_customers = app.entitled_customers(&organization).await?;
    Ok(Some(ActsFor { organization, entitled_customers }))
}

/// What whoever is bound to no organization is told where a directory is asked for, whoever they are.
pub(crate) const NOT_BOUND: AccessRefusal =
    AccessRefusal::NotForYou { who: "directories of an organization" };

/// The organization that a directory feeds: no path of SCIM names it, the directory's token binds it to one.
fn fed_by(actor: &Actor) -> Result<(String, String), ApiError> {
    let organization = actor.bound_to.as_ref().ok_or_else(|| refusals::access(&NOT_BOUND))?;
    Ok(("organizations".to_owned(), organization.to_string()))
}

/// Who sees by somebody's leave sees nothing that was withdrawn before they asked: their reads begin when the model that
/// knows whom customers let in has come as far as the log is now, and are refused where it does not (promise 11).
async fn await_visibility(call: &Call) -> Result<(), ApiError> {
    await_visibility_of(call, &call.authority).await
}

async fn await_visibility_of(call: &Call, authority: &Authority) -> Result<(), ApiError> {
    if !matches!(authority.visibility(), VisibilityScope::Reseller { .. }) {
        return Ok(());
    }
    let patience = max_wait(&call.headers)?;
    let head = call.app.store.head().await.map_err(|error| refusals::load(error.into()))?;
    let arrived = call.app.read_models.wait_for_visibility(head, patience).await;
    arrived.map_err(|error| refusals::wait(&error))
}

/// What a caller may do here.
pub(crate) struct Admitted {
    pub(crate) parent: Option<Parent>,
    pub(crate) authority: Authority,
    pub(crate) standpoint: Standpoint,
}

/// Whether the caller is nobody's account so far.
fn has_no_account(admitted: &Result<Admitted, ApiError>) -> bool {
    match admitted {
        Ok(admitted) => admitted.standpoint.account() == AccountStatus::Unknown,
        Err(refused) => refused.reason() == "NO_ACCOUNT",
    }
}

/// Whether an endpoint is open to the caller: for the organization of the path, or where none is named.
pub(crate) async fn authorize(
    app: &App,
    endpoint: &Endpoint,
    params: &Params,
    actor: &Actor,
    acts_for: Option<&ActsFor>,
) -> Result<Admitted, ApiError> {
    let needs_log = endpoint.kind != Kind::Query;
    let Some((kind, id)) = params.parent.as_ref().filter(|_| !params.across) else {
        let standpoint = standpoint(app, needs_log, actor, acts_for, None).await?;
        let authority = standpoint.authority(actor, None, app.commands.now());
        if !endpoint.names_parent_in_query() {
            authority.open_to(endpoint.action).map_err(|refusal| refusals::access(&refusal))?;
        }
        return Ok(Admitted { parent: None, authority, standpoint });
    };
    let (parent, standpoint) =
        open_parent(app, endpoint.action, needs_log, (kind, id), actor, acts_for).await?;
    Ok(Admitted { authority: parent.authority.clone(), parent: Some(parent), standpoint })
}

/// A parent named in a query, if the action is open to the caller there. The same refusal whether or not it exists.
pub(crate) async fn authorize_parent(call: &Call, kind: &str, id: &str) -> Result<Parent, ApiError> {
    let (action, acts_for) = (call.endpoint.action, call.acts_for.as_ref());
    let (parent, _) = open_parent(&call.app, action, false, (kind, id), &call.actor, acts_for).await?;
    Ok(parent)
}

/// What a caller may do now for the organization of their path, asked again while an answer goes on: they may have signed out,
/// been removed, or not be let in any more. Where they see by somebody's leave, what they read next is as new as that.
///
/// # Errors
/// As a new request would be refused, and 503 while nobody can tell.
pub(crate) async fn authorize_again(call: &Call) -> Result<Parent, ApiError> {
    let app = &call.app;
    // A token stays what it is until it ends; a session may have been ended since.
    if !call.headers.contains_key(AUTHORIZATION) {
        app.sign_in.sign_in(&call.headers, &Method::GET, app.commands.now()).await?;
    }
    let asked = call.parent()?;
    let path = ("organizations", asked.organization.as_str());
    let (action, acts_for) = (call.endpoint.action, call.acts_for.as_ref());
    let (parent, _) = open_parent(app, action, false, path, &call.actor, acts_for).await?;
    await_visibility_of(call, &parent.authority).await?;
    Ok(parent)
}

fn organization(kind: &str, id: &str) -> Option<OrganizationId> {
    (kind == "organizations").then(|| OrganizationId::new(id).ok()).flatten()
}

async fn open_parent(
    app: &App,
    action: Action,
    needs_log: bool,
    (kind, id): (&str, &str),
    actor: &Actor,
    acts_for: Option<&ActsFor>,
) -> Result<(Parent, Standpoint), ApiError> {
    let Some(organization) = organization(kind, id) else {
        return Err(refusals::access(&AccessRefusal::NotAMember));
    };
    // Nothing is written, and no history shown, while the log is away: no use in going on.
    let view = if needs_log {
        app.commands.access_view(&organization).await
    } else {
        app.commands.access_view_for_reading(&organization).await
    };
    let view = view.map_err(refusals::load)?;
    let towards = Some((&organization, &view));
    let standpoint = standpoint(app, needs_log, actor, acts_for, towards).await?;
    let authority = standpoint.authority(actor, Some((&organization, &view.access)), app.commands.now());
    authority.open_to(action).map_err(|refusal| refusals::access(&refusal))?;
    Ok((Parent { organization, access: view.access, authority }, standpoint))
}

async fn standpoint(
    app: &App,
    needs_log: bool,
    actor: &Actor,
    acts_for: Option<&ActsFor>,
    towards: Option<(&OrganizationId, &AccessView)>,
) -> Result<Standpoint, ApiError> {
    let standpoint = if needs_log {
        app.commands.standpoint(actor, acts_for, towards).await
    } else {
        app.commands.standpoint_for_reading(actor, acts_for, towards).await
    };
    standpoint.map_err(refusals::load)
}

/// The whole body.
///
/// # Errors
/// 413 for more than `max_bytes`, 504 where it takes longer than `patience`, 400 where it ends early.
pub async fn read_body(body: Body, max_bytes: usize, patience: Duration) -> Result<Bytes, ApiError> {
    let collected = tokio::time::timeout(patience, Limited::new(body, max_bytes).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::new(
            Code::PayloadTooLarge,
            format!("the body is larger than {max_bytes} bytes; send less"),
        )),
        Ok(Err(_)) => Err(ApiError::invalid_argument("the body ended early; send the request again")
            .with_reason("BODY_CUT")),
        Err(_) => Err(ApiError::new(
            Code::DeadlineExceeded,
            "the body took too long to arrive; send the request again",
        )),
    }
}

fn respond(reply: Reply) -> Response<Body> {
    let mut response = match reply.body {
        ReplyBody::Json(body) => {
            let mut response = Response::new(Body::from(body));
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        }
        ReplyBody::Stream(body) => Response::new(body),
    };
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    if let Some(position) = reply.position {
        headers.insert(DOSSIER_POSITION, HeaderValue::from(position.0));
    }
    headers.extend(reply.headers);
    response
}
