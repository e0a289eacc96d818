//! One attempt: a signed POST, and what the receiver's answer means.

use std::sync::Arc;
use std::time::Duration;

use dossier_domain::webhook::{TargetPolicy, WebhookUrl};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect};

use super::payload;
use super::signature::{WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP, signatures};
use super::target::{Checking, Resolve, TargetError};

/// How long a receiver may take, connection and answer together.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Most that is read of an answer, in bytes: nothing of it counts, but a receiver may be done only when it is read.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// A message on its way to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Its id, the same for every attempt: what the receiver tells a repeat by.
    pub id: String,
    /// Where to; checked again before it is sent.
    pub url: String,
    /// What it is signed with, the newest first.
    pub keys: Vec<Vec<u8>>,
    /// The content.
    pub body: Vec<u8>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 2xx: it was taken.
    Accepted {
        /// The status.
        status: u16,
    },
    /// 410: the receiver wants nothing more.
    Gone,
    /// Another status; to be tried again.
    Refused {
        /// The status.
        status: u16,
        /// How long the receiver asked to be left alone.
        retry_after: Option<SignedDuration>,
    },
    /// No answer, or nobody who may be asked; to be tried again. The receiver may have taken it all the same.
    Unreached {
        /// Why; never the address.
        why: String,
    },
}

impl Answer {
    /// What happened, for people.
    pub fn detail(&self) -> String {
        match self {
            Self::Accepted { status } => format!("accepted with {status}"),
            Self::Gone => "answered 410: it wants nothing more".to_owned(),
            Self::Refused { status, .. } => format!("answered {status}"),
            Self::Unreached { why } => why.clone(),
        }
    }
}

/// Sends messages to webhooks.
pub struct WebhookSender {
    client: Client,
    policy: TargetPolicy,
}

impl WebhookSender {
    /// A sender that calls what the policy allows, of what a resolver finds.
    ///
    /// # Errors
    /// When there is no TLS in this process.
    pub fn new(policy: TargetPolicy, resolver: Arc<dyn Resolve>, patience: Duration) -> Result<Self, String> {
        let client = Client::builder()
            // A redirect would lead past the check, and the standard has none.
            .redirect(redirect::Policy::none())
            // Nor does a proxy of the environment stand between the check and the connection.
            .no_proxy()
            .dns_resolver(Checking { resolver, policy })
            // Each attempt connects anew, so that each is checked.
            .pool_max_idle_per_host(0)
            .connect_timeout(patience)
            .timeout(patience)
            .user_agent(concat!("dossier-webhooks/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, policy })
    }

    /// Which targets are called.
    pub fn policy(&self) -> TargetPolicy {
        self.policy
    }

    /// Makes one attempt.
    pub async fn send(&self, post: &Post, now: Timestamp) -> Answer {
        // An address given as a number is asked of no resolver: it is checked here.
        let url = match WebhookUrl::parse(&post.url, self.policy) {
            Ok(url) => url,
            Err(why) => return Answer::Unreached { why: format!("its address {why}") },
        };
        let request = self
            .client
            .post(url.as_str())
            .header(CONTENT_TYPE, payload::CONTENT_TYPE)
            .header(WEBHOOK_ID, &post.id)
            .header(WEBHOOK_TIMESTAMP, now.as_second().to_string())
            .header(WEBHOOK_SIGNATURE, signatures(&post.keys, &post.id, now, &post.body))
            .body(post.body.clone());
        match request.send().await {
            Ok(response) => answer(response).await,
            Err(error) => Answer::Unreached { why: reason(&error) },
        }
    }
}

async fn answer(mut response: Response) -> Answer {
    let status = response.status();
    let asked =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut read = 0;
    while read < MAX_ANSWER_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => read += chunk.len(),
            // The status was its answer, whatever becomes of the rest.
            Ok(None) | Err(_) => break,
        }
    }
    match status {
        status if status.is_success() => Answer::Accepted { status: status.as_u16() },
        StatusCode::GONE => Answer::Gone,
        status => Answer::Refused {
            status: status.as_u16(),
            retry_after: asked.map(|seconds: u32| SignedDuration::from_secs(seconds.into())),
        },
    }
}

/// Why there was no answer, without the address, which may hold a secret.
fn reason(error: &reqwest::Error) -> String {
    if let Some(target) = TargetError::cause_of(error) {
        return target.to_string();
    }
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    if error.is_connect() {
        return "no connection to it could be made".to_owned();
    }
    "the connection to it was lost".to_owned()
}

#[cfg(test)]
mod tests;
