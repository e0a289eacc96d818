//! What every request goes through: routing, sign-in, authorization of the parent, the body, the use case, and the
//! answer with its headers, its log line and its metrics.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response};
use axum::response::IntoResponse;
use bytes::Bytes;
use dossier_commands::AccessView;
use dossier_domain::{AccessRefusal, Action, Actor, Authority, OrganizationId};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::call::{
    Call, DOSSIER_POSITION, DOSSIER_REQUEST_ID, Params, Parent, Reply, ReplyBody, max_wait, min_position,
};
use crate::endpoints::{Endpoint, Kind, route};
use crate::linger::lingering;
use crate::query::Query;
use crate::refusals;
use crate::status::{ApiError, Code};

/// Comes with every request of a server that tells when it is to stop.
#[derive(Clone, Debug, Default)]
pub struct Draining(pub CancellationToken);

/// How long the answer to a command waits for the read models, so that the caller's next query sees it (promise 9).
const OWN_WRITES_PATIENCE: Duration = Duration::from_millis(500);

/// Serves one request.
pub async fn serve(State(app): State<Arc<App>>, request: Request<Body>) -> Response<Body> {
    let started = Instant::now();
    let request_id = ulid::Ulid::from(app.random_id()).to_string();
    let method = request.method().clone();
    let mut seen = Seen::default();
    let result = answer(app, request, &request_id, &mut seen).await;
    let mut response = match result {
        Ok(reply) => respond(reply),
        Err(error) => {
            seen.reason = Some(error.reason().to_owned());
            error.into_response()
        }
    };
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
    let method = if overridden { Method::GET } else { parts.method };
    let (endpoint, version, params) = route(&method, parts.uri.path())?;
    seen.endpoint = Some(endpoint);

    let principal = app.verifier.sign_in(&parts.headers, app.commands.now()).await?;
    let actor = app.actor(&principal);
    seen.account = Some(actor.account.to_string());
    app.rate_limit.check(actor.account)?;
    // A foreign parent is refused before anything of the request is judged, whether or not anything exists there.
    let parent = authorize(&app, endpoint, &params, &actor).await?;

    let (body, upload) = if endpoint.kind == Kind::Upload {
        (Bytes::new(), Some(body))
    } else {
        (read_body(body, app.max_body_bytes, app.request_timeout).await?, None)
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
        parent,
        query,
        headers: parts.headers,
        body,
        upload: Mutex::new(upload),
        actor,
        token_expires_at: principal.token_expires_at,
        draining: parts.extensions.get::<Draining>().cloned().unwrap_or_default().0,
        request_id: request_id.to_owned(),
    };
    seen.correlation_id = Some(call.correlation_id());
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

/// The parent of the path, if it is open to the caller.
async fn authorize(
    app: &App,
    endpoint: &Endpoint,
    params: &Params,
    actor: &Actor,
) -> Result<Option<Parent>, ApiError> {
    let Some((kind, id)) = &params.parent else {
        if endpoint.action.spans_organizations() {
            let authority = Authority::across_organizations(actor);
            authority.open_to(endpoint.action).map_err(|refusal| refusals::access(&refusal))?;
        }
        return Ok(None);
    };
    let Some(organization) = organization(kind, id) else {
        return Err(refusals::access(&AccessRefusal::NotAMember));
    };
    let view = match endpoint.kind {
        Kind::Query => app.commands.access_view_for_reading(&organization).await,
        // Nothing is written, and no history shown, while the log is away: no use in going on.
        Kind::Command | Kind::Upload | Kind::Export => app.commands.access_view(&organization).await,
    };
    open_parent(app, endpoint.action, organization, &view.map_err(refusals::load)?, actor).map(Some)
}

/// A parent named in a query, if the action is open to the actor there. The same refusal whether or not it exists.
pub(crate) async fn authorize_parent(
    app: &App,
    action: Action,
    kind: &str,
    id: &str,
    actor: &Actor,
) -> Result<Parent, ApiError> {
    let Some(organization) = organization(kind, id) else {
        return Err(refusals::access(&AccessRefusal::NotAMember));
    };
    let view = app.commands.access_view_for_reading(&organization).await.map_err(refusals::load)?;
    open_parent(app, action, organization, &view, actor)
}

fn organization(kind: &str, id: &str) -> Option<OrganizationId> {
    (kind == "organizations").then(|| OrganizationId::new(id).ok()).flatten()
}

fn open_parent(
    app: &App,
    action: Action,
    organization: OrganizationId,
    view: &AccessView,
    actor: &Actor,
) -> Result<Parent, ApiError> {
    let authority = Authority::of(actor, &organization, &view.access, app.commands.now());
    authority.open_to(action).map_err(|refusal| refusals::access(&refusal))?;
    Ok(Parent { organization, authority })
}

async fn read_body(body: Body, max_bytes: usize, patience: Duration) -> Result<Bytes, ApiError> {
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
