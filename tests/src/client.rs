//! A small HTTP client for JSON, and checks of the one shape in which refusals come.

use std::sync::Once;

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// The media type of SCIM, whose refusals have another shape.
const SCIM_JSON: &str = "application/scim+json";

/// Somebody who sends requests to one server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    acting_for: Option<String>,
}

impl Client {
    /// Somebody with this bearer token, or with none.
    pub fn new(base: &str, token: Option<String>) -> Self {
        static PROVIDER: Once = Once::new();
        // The client is built with TLS, which wants a provider even where no test speaks it.
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let http = reqwest::Client::builder().no_proxy().build().expect("a client without options");
        Self { http, base: base.to_owned(), token, acting_for: None }
    }

    /// The same connections for somebody else.
    #[must_use]
    pub fn with_token(&self, token: Option<String>) -> Self {
        Self { http: self.http.clone(), base: self.base.clone(), token, acting_for: None }
    }

    /// The same person, acting for an organization (R-RES-1).
    #[must_use]
    pub fn acting_for(&self, organization: &str) -> Self {
        Self { acting_for: Some(format!("organizations/{organization}")), ..self.clone() }
    }

    /// A request; the path begins with `/` and is percent-encoded already.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let mut builder = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token);
        }
        if let Some(organization) = &self.acting_for {
            builder = builder.header("Dossier-Acting-For", organization);
        }
        Call { builder }
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).send().await
    }

    /// Posts JSON to a path.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path).json(body).send().await
    }

    /// Patches a path with JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PATCH, path).json(body).send().await
    }
}

/// A request that is being put together.
pub struct Call {
    builder: reqwest::RequestBuilder,
}

impl Call {
    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        Self { builder: self.builder.header(name, value.as_ref()) }
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        Self { builder: self.builder.json(body) }
    }

    /// Sets a body of any bytes, without a content type.
    #[must_use]
    pub fn bytes(self, body: impl Into<Vec<u8>>) -> Self {
        Self { builder: self.builder.body(body.into()) }
    }

    /// Sends it; an answer must come.
    pub async fn send(self) -> Answer {
        self.try_send().await.expect("an answer")
    }

    /// Sends it, for an answer that goes on: its body is read as it comes.
    pub async fn open(self) -> reqwest::Response {
        self.builder.send().await.expect("an answer")
    }

    /// Sends it to a server that may die meanwhile.
    ///
    /// # Errors
    /// When no whole answer came.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let response = self.builder.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, bytes: response.bytes().await? })
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Bytes,
}

impl Answer {
    /// The body as text, for messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The position that a command's answer names.
    #[track_caller]
    pub fn position(&self) -> u64 {
        let text = self.header("dossier-position");
        text.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no position: {self:?}"))
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let content_type = self.header("content-type").unwrap_or_default();
        assert!(
            ["application/json", SCIM_JSON].iter().any(|json| content_type.starts_with(json)),
            "{} {content_type:?}: {}",
            self.status,
            self.text()
        );
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// The reason of a refusal, after checking its shape.
    #[track_caller]
    pub fn reason(&self) -> String {
        if self.header("content-type") == Some(SCIM_JSON) {
            return self.json()["reason"].as_str().expect("a reason of ours").to_owned();
        }
        let error = self.error();
        error["details"][0]["reason"].as_str().expect("checked").to_owned()
    }

    /// The `error` of a refusal in the shape of google.rpc.Status with an ErrorInfo first.
    #[track_caller]
    pub fn error(&self) -> Value {
        let error = self.json()["error"].clone();
        assert!(self.status >= 400, "not refused: {} {}", self.status, self.text());
        assert_eq!(error["code"], self.status, "{}", self.text());
        let upper_snake = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        assert!(error["status"].as_str().is_some_and(upper_snake), "{}", self.text());
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{}", self.text());
        let info = &error["details"][0];
        assert_eq!(info["@type"], "type.googleapis.com/google.rpc.ErrorInfo", "{}", self.text());
        assert_eq!(info["domain"], "dossier", "{}", self.text());
        assert!(info["reason"].as_str().is_some_and(upper_snake), "{}", self.text());
        error
    }

    /// A refusal with this status and reason; answers its `error`.
    #[track_caller]
    pub fn refused(&self, status: u16, reason: &str) -> Value {
        let error = self.error();
        assert_eq!((self.status, self.reason().as_str()), (status, reason), "{}", self.text());
        error
    }

    /// The value of the refusal's metadata.
    #[track_caller]
    pub fn metadata(&self, key: &str) -> String {
        let error = self.error();
        let value = error["details"][0]["metadata"][key].as_str();
        value.unwrap_or_else(|| panic!("no {key}: {}", self.text())).to_owned()
    }
}

/// A text as a query parameter's value.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
