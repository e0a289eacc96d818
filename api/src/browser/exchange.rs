//! Speaks OAuth 2.0 to the issuer: where a browser is sent, and what the code becomes that it comes back with.
//!
//! The library is `oauth2`, with our HTTP client. Its extension `openidconnect` brings a discovery and a check of ID tokens of its
//! own, and both are here already, once for bearer tokens and ID tokens alike.

use std::collections::BTreeMap;
use std::pin::Pin;

use axum::http::{Response, header};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse,
    TokenUrl,
};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attempt::Attempt;
use crate::config;
use crate::sign_in::Endpoints;

/// Where browsers come back to, below the public URL.
pub const CALLBACK_PATH: &str = "/sign-in/callback";
/// Larger answers are not read, in bytes.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// What the token endpoint answers beside what OAuth 2.0 says.
#[derive(Debug, Serialize, Deserialize)]
struct IdTokenField {
    id_token: Option<String>,
}

impl ExtraTokenFields for IdTokenField {}

type TokenAnswer = StandardTokenResponse<IdTokenField, BasicTokenType>;
type OpenIdClient = Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Why a code became no ID token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The issuer cannot be reached.
    #[error("the issuer does not answer")]
    Unavailable,
    /// It refused, with this error of OAuth 2.0.
    #[error("the issuer refused the code: {0}")]
    Refused(String),
    /// It answered something else.
    #[error("the issuer's answer is not understood")]
    NotUnderstood,
    /// It answered without an ID token.
    #[error("the issuer gave no ID token")]
    NoIdToken,
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
enum TransportError {
    #[error("request failed")]
    Request(#[from] reqwest::Error),
    #[error("answer is too large")]
    TooLarge,
    #[error("answer is malformed")]
    Malformed(#[from] axum::http::Error),
}

/// Where to send a browser that begins a sign-in. `claims` are what the ID token should say: an issuer that follows the letter tells
/// them to whoever comes with an access token, unless they are asked for.
pub fn authorization_url(
    settings: &config::Browser,
    endpoints: &Endpoints,
    claims: &[&str],
    attempt: &Attempt,
) -> Url {
    let client = client(settings, endpoints);
    let verifier = PkceCodeVerifier::new(attempt.verifier.clone());
    let mut request = client
        .authorize_url(|| CsrfToken::new(attempt.state.clone()))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .add_extra_param("nonce", attempt.nonce.as_str());
    for scope in ["openid", "email", "profile"] {
        request = request.add_scope(Scope::new(scope.to_owned()));
    }
    if endpoints.takes_claims {
        let claims: BTreeMap<_, _> = claims.iter().map(|claim| (*claim, Value::Null)).collect();
        request = request.add_extra_param("claims", json!({"id_token": claims}).to_string());
    }
    request.url().0
}

/// The ID token for the code that a browser came back with.
///
/// # Errors
/// [`ExchangeError`].
pub async fn id_token(
    settings: &config::Browser,
    endpoints: &Endpoints,
    http: &reqwest::Client,
    attempt: &Attempt,
    code: &str,
) -> Result<String, ExchangeError> {
    let transport = Transport(http.clone());
    let answer = client(settings, endpoints)
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()))
        .request_async(&transport)
        .await;
    match answer {
        Ok(answer) => answer.extra_fields().id_token.clone().ok_or(ExchangeError::NoIdToken),
        Err(RequestTokenError::ServerResponse(refusal)) => {
            Err(ExchangeError::Refused(refusal.error().as_ref().to_owned()))
        }
        Err(RequestTokenError::Request(TransportError::Request(_))) => Err(ExchangeError::Unavailable),
        Err(_) => Err(ExchangeError::NotUnderstood),
    }
}

/// Where to send a browser that has signed out here, to sign out of the issuer too. Nothing that tells who it was goes into the
/// address, so the issuer may ask.
pub fn end_session_url(settings: &config::Browser, endpoints: &Endpoints, then: &str) -> Option<Url> {
    let mut url = endpoints.end_session.clone()?;
    url.query_pairs_mut()
        .append_pair("client_id", &settings.client_id)
        .append_pair("post_logout_redirect_uri", then);
    Some(url)
}

fn client(settings: &config::Browser, endpoints: &Endpoints) -> OpenIdClient {
    let back = Url::parse(&format!("{}{CALLBACK_PATH}", settings.public_url)).expect("checked at the start");
    let client = Client::new(ClientId::new(settings.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(endpoints.authorization.clone()))
        .set_token_uri(TokenUrl::from_url(endpoints.token.clone()))
        .set_redirect_uri(RedirectUrl::from_url(back))
        .set_auth_type(if endpoints.secret_in_body { AuthType::RequestBody } else { AuthType::BasicAuth });
    match &settings.client_secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.exposed().to_owned())),
        None => client,
    }
}

/// Our HTTP client as the library takes it.
struct Transport(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(send(&self.0, request))
    }
}

async fn send(http: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, TransportError> {
    let mut answer = http.execute(request.try_into()?).await?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(TransportError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::builder().status(answer.status());
    if let Some(content_type) = answer.headers().get(header::CONTENT_TYPE) {
        response = response.header(header::CONTENT_TYPE, content_type);
    }
    Ok(response.body(body)?)
}
