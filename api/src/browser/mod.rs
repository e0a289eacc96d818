//! Browsers that sign in at the OpenID Connect issuer: the authorization-code flow with PKCE, and the session it ends in.
//!
//! * [`attempt`] is one sign-in under way, sealed into a cookie of the browser that began it.
//! * [`exchange`] sends browsers to the issuer, and turns the code they come back with into an ID token.
//! * [`session`] keeps who signed in under the id in another cookie, and checks requests that come with it.
//! * [`csrf`] tells requests of our pages from those that other pages forge.
//! * [`routes`] is the HTTP surface: `/sign-in`, `/sign-in/callback`, `/session`, `/sign-out`, `/signed-out`.
//! * [`page`] is what a person sees who is refused.
//!
//! No token is kept: of an ID token, only what [`crate::sign_in::Verifier`] made of it. A session ends with its lifetime,
//! however busy it is, and at once on every node when somebody signs out.
//!
//! # Cookies
//! Under a `public_url` with TLS both are `__Host-…`, `Secure`, `HttpOnly`, `SameSite=Lax` and for the whole origin. Without TLS,
//! which is for a server on one's own machine only, browsers differ in whether they take `Secure` ones, so both lose that
//! attribute, and with it the prefix that demands it.

use std::sync::Arc;

use dossier_eventlog::{Entropy, Sealer};

use crate::config;
use crate::sign_in::{RemoteKeys, Verifier};

pub mod attempt;
mod cookies;
pub mod cors;
pub mod csrf;
pub mod exchange;
pub mod page;
pub mod routes;
pub mod session;

pub use session::Sessions;

/// What signs browsers in.
pub struct Browsers {
    /// The issuer's endpoints.
    pub issuer: RemoteKeys,
    /// Checks ID tokens: its audience is the client id.
    pub id_tokens: Verifier,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Client id, its secret, and where browsers come back to.
    pub settings: config::Browser,
    /// Seals sign-ins under way.
    pub sealer: Arc<Sealer>,
    /// Randomness of sign-ins.
    pub entropy: Entropy,
}

/// How many random bytes make a value that nobody guesses.
const SECRET_BYTES: usize = 32;

/// A text that nobody guesses: 43 characters that are safe in URLs and cookies.
fn secret_text(entropy: &Entropy) -> String {
    use base64::Engine as _;
    let mut bytes = [0; SECRET_BYTES];
    entropy(&mut bytes);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests;
