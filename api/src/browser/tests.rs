//! Sessions over their whole life, with a clock that the test moves.

use std::sync::Arc;

use axum::http::{HeaderMap, Method, header};
use dossier_eventlog::{MemoryKeyStore, Sealer, Secret};
use dossier_processes::work_store::{SessionStore, SqliteWorkStore};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::attempt::{Attempt, LIFETIME};
use super::session::BeginError;
use super::*;
use crate::sign_in::dev_issuer::{DEV_AUDIENCE, DEV_ISSUER, DEV_STAFF_CLAIM, StaffClaims};
use crate::sign_in::{
    DevIssuer, Principal, RemoteKeysSettings, SignInError, SignInMethods, VerifierSettings,
};

const OWN: &str = "https://own.example";
const LISTED: &str = "https://listed.example";

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

fn principal() -> Principal {
    Principal {
        issuer: "https://issuer.example".into(),
        subject: "u1".into(),
        email: "alice@acme.example".into(),
        display_name: Some("Alice".into()),
        staff_roles: vec!["agent".into()],
        provider: Some("north".into()),
        organization: None,
        token_expires_at: now() + SignedDuration::from_secs(60),
    }
}

struct Node {
    sealer: Arc<Sealer>,
    store: Arc<SqliteWorkStore>,
    entropy: Entropy,
    _folder: tempfile::TempDir,
}

impl Node {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteWorkStore::open(&folder.path().join("work.db")).await.unwrap();
        let entropy = crate::edge::entropy();
        let mut pepper = Secret::new([0; 32]);
        entropy(&mut pepper[..]);
        let keys = Arc::new(MemoryKeyStore::new(uuid::Uuid::nil(), pepper));
        Self {
            sealer: Arc::new(Sealer::new(keys, entropy.clone())),
            store: Arc::new(store),
            entropy,
            _folder: folder,
        }
    }

    fn sessions(&self) -> Sessions {
        let (store, sealer) = (self.store.clone(), self.sealer.clone());
        Sessions::new(store, sealer, SignedDuration::from_hours(8), OWN, &[LISTED.to_owned()])
    }
}

fn with_cookie(id: &str) -> HeaderMap {
    let cookie = format!("theme=dark; __Host-dossier-session={id}");
    HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())])
}

#[tokio::test]
async fn a_session_lasts_as_long_as_configured_however_busy_it_is() {
    let node = Node::start().await;
    let sessions = node.sessions();
    let id = sessions.begin(&principal(), &node.entropy, now()).await.unwrap();
    let at = async |after| {
        let session = sessions.sign_in(&with_cookie(&id), &Method::GET, now() + after).await;
        session.map(|session| session.principal.token_expires_at)
    };
    let end = now() + SignedDuration::from_hours(8);
    // The ID token has long expired: the session counts, and no use of it makes it longer.
    for minutes in [0, 5, 60, 479] {
        assert_eq!(at(SignedDuration::from_mins(minutes)).await, Ok(end), "{minutes}");
    }
    assert_eq!(at(SignedDuration::from_mins(480)).await, Err(SignInError::SessionEnded));
}

#[tokio::test]
async fn a_session_says_who_signed_in_on_every_node_until_one_of_them_ends_it() {
    let node = Node::start().await;
    let (here, there) = (node.sessions(), node.sessions());
    let id = here.begin(&principal(), &node.entropy, now()).await.unwrap();
    let headers = with_cookie(&id);
    let session = there.sign_in(&headers, &Method::GET, now()).await.unwrap();
    assert_eq!(session.principal.email, "alice@acme.example");
    assert_eq!(session.principal.staff_roles, ["agent"]);
    here.end(&headers).await.unwrap();
    for sessions in [&here, &there] {
        let ended = sessions.sign_in(&headers, &Method::GET, now()).await;
        assert_eq!(ended.map(drop), Err(SignInError::SessionEnded));
    }
}

#[tokio::test]
async fn a_session_of_somebody_elses_making_is_none() {
    let node = Node::start().await;
    let sessions = node.sessions();
    let id = sessions.begin(&principal(), &node.entropy, now()).await.unwrap();
    let last = if id.ends_with('A') { 'E' } else { 'A' };
    let other = format!("{}{last}", &id[..42]);
    for bad in [other.as_str(), "", "short", &format!("{id}{id}")] {
        let outcome = sessions.sign_in(&with_cookie(bad), &Method::GET, now()).await;
        assert_eq!(outcome.map(drop), Err(SignInError::SessionEnded), "{bad}");
    }
    assert!(!sessions.are_claimed_by(&HeaderMap::new()));
}

#[tokio::test]
async fn a_session_that_may_change_something_needs_its_token() {
    let node = Node::start().await;
    let sessions = node.sessions();
    let id = sessions.begin(&principal(), &node.entropy, now()).await.unwrap();
    let mut headers = with_cookie(&id);
    let token = sessions.sign_in(&headers, &Method::GET, now()).await.unwrap().csrf_token;
    let post = async |headers: &HeaderMap| sessions.sign_in(headers, &Method::POST, now()).await.map(drop);
    assert_eq!(post(&headers).await, Err(SignInError::CsrfTokenMissing));
    headers.insert("dossier-csrf-token", token.parse().unwrap());
    assert_eq!(post(&headers).await, Ok(()));
    for origin in [OWN, LISTED] {
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        assert_eq!(post(&headers).await, Ok(()), "{origin}");
    }
    headers.insert(header::ORIGIN, "https://evil.example".parse().unwrap());
    assert_eq!(post(&headers).await, Err(SignInError::OriginNotAllowed));
}

#[tokio::test]
async fn what_the_work_store_keeps_tells_neither_the_id_nor_the_person() {
    let node = Node::start().await;
    let id = node.sessions().begin(&principal(), &node.entropy, now()).await.unwrap();
    let digest: [u8; 32] = Sha256::digest(&id).into();
    let kept = node.store.session(&digest, now()).await.unwrap().unwrap();
    assert!(kept.subject.starts_with("account-"));
    let text = String::from_utf8_lossy(&kept.sealed).into_owned();
    for word in ["alice", "acme", "issuer", id.as_str()] {
        assert!(!text.contains(word), "{word}");
    }
}

#[tokio::test]
async fn an_erased_account_has_no_session_and_gets_none() {
    let node = Node::start().await;
    let sessions = node.sessions();
    let id = sessions.begin(&principal(), &node.entropy, now()).await.unwrap();
    let account =
        dossier_commands::identity::account_id(&node.sealer, &principal().issuer, &principal().subject);
    node.sealer.erase(dossier_domain::Subject::account(account).as_str()).await.unwrap();
    let outcome = sessions.sign_in(&with_cookie(&id), &Method::GET, now()).await;
    assert_eq!(outcome.map(drop), Err(SignInError::SessionEnded));
    assert_eq!(sessions.begin(&principal(), &node.entropy, now()).await, Err(BeginError::Erased));
}

#[tokio::test]
async fn all_sessions_of_an_account_end_at_once() {
    let node = Node::start().await;
    let sessions = node.sessions();
    let first = sessions.begin(&principal(), &node.entropy, now()).await.unwrap();
    sessions.begin(&principal(), &node.entropy, now()).await.unwrap();
    let account =
        dossier_commands::identity::account_id(&node.sealer, &principal().issuer, &principal().subject);
    assert_eq!(sessions.end_all_of(account).await, Ok(2));
    let outcome = sessions.sign_in(&with_cookie(&first), &Method::GET, now()).await;
    assert_eq!(outcome.map(drop), Err(SignInError::SessionEnded));
}

#[tokio::test]
async fn a_work_store_that_is_away_is_no_session_that_ended() {
    let node = Node::start().await;
    let sessions = node.sessions();
    let id = sessions.begin(&principal(), &node.entropy, now()).await.unwrap();
    dossier_processes::work_store::WorkStore::close(&*node.store).await;
    let outcome = sessions.sign_in(&with_cookie(&id), &Method::GET, now()).await;
    assert_eq!(outcome.map(drop), Err(SignInError::SessionsUnavailable));
    assert_eq!(sessions.end(&with_cookie(&id)).await, Err(SignInError::SessionsUnavailable));
}

#[tokio::test]
async fn an_attempt_opens_only_as_it_was_sealed() {
    let node = Node::start().await;
    let attempt = Attempt::begin("/cases".into(), &node.entropy, now());
    assert_eq!(attempt.ends_at(), now() + LIFETIME);
    assert!(attempt.state != attempt.nonce && attempt.nonce != attempt.verifier);
    let sealed = attempt.sealed(&node.sealer).await.unwrap();
    assert_eq!(Attempt::opened(&sealed, &node.sealer).await, Ok(Some(attempt)));
    let altered = format!("{}AAAA", &sealed[..sealed.len() - 4]);
    let foreign = Node::start().await;
    for bad in [altered.as_str(), "", "!", "AAAA"] {
        assert_eq!(Attempt::opened(bad, &node.sealer).await, Ok(None), "{bad}");
    }
    assert_eq!(Attempt::opened(&sealed, &foreign.sealer).await, Ok(None));
}

/// A server that believes the built-in issuer's tokens, and signs browsers in where there is a node for their sessions.
fn methods(node: Option<&Node>, issuer: &DevIssuer) -> SignInMethods {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let verifier = |audience: &str| {
        let settings = VerifierSettings::new(DEV_ISSUER, vec![audience.into()], DEV_STAFF_CLAIM);
        Verifier::new(settings, Arc::new(issuer.keys()))
    };
    let browsers = node.map(|node| Browsers {
        issuer: RemoteKeys::new("http://127.0.0.1:1", RemoteKeysSettings::default()).unwrap(),
        id_tokens: verifier("client"),
        sessions: node.sessions(),
        settings: config::Browser {
            client_id: "client".into(),
            client_secret: None,
            public_url: OWN.into(),
            session_lifetime: SignedDuration::from_hours(8),
        },
        sealer: node.sealer.clone(),
        entropy: node.entropy.clone(),
    });
    SignInMethods { verifier: Arc::new(verifier(DEV_AUDIENCE)), browsers, cors_origins: Vec::new() }
}

#[tokio::test]
async fn a_request_is_of_its_bearer_token_and_without_one_of_its_session() {
    let node = Node::start().await;
    let folder = tempfile::tempdir().unwrap();
    let issuer = DevIssuer::load_or_create(folder.path(), |bytes| (node.entropy)(bytes)).unwrap();
    let methods = methods(Some(&node), &issuer);
    let id = node.sessions().begin(&principal(), &node.entropy, now()).await.unwrap();
    let sign_in = async |headers: &HeaderMap, method: &Method| {
        methods.sign_in(headers, method, now()).await.map(|principal| principal.email.clone())
    };
    let mut headers = with_cookie(&id);
    assert_eq!(sign_in(&headers, &Method::GET).await, Ok("alice@acme.example".to_owned()));
    assert_eq!(sign_in(&headers, &Method::POST).await, Err(SignInError::CsrfTokenMissing));

    let hour = SignedDuration::from_hours(1);
    let token = issuer.issue("bob@acme.example", None, &StaffClaims::default(), now(), hour).unwrap();
    headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    // No page can make a browser send a bearer token: it needs no CSRF token.
    assert_eq!(sign_in(&headers, &Method::POST).await, Ok("bob@acme.example".to_owned()));
    // A bad token is not made good by a cookie.
    headers.insert(header::AUTHORIZATION, "Bearer nonsense".parse().unwrap());
    assert!(matches!(sign_in(&headers, &Method::GET).await, Err(SignInError::Malformed(_))));
    assert_eq!(sign_in(&HeaderMap::new(), &Method::GET).await, Err(SignInError::Missing));
}

#[tokio::test]
async fn where_browsers_do_not_sign_in_a_cookie_says_nothing() {
    let node = Node::start().await;
    let folder = tempfile::tempdir().unwrap();
    let issuer = DevIssuer::load_or_create(folder.path(), |bytes| (node.entropy)(bytes)).unwrap();
    let id = node.sessions().begin(&principal(), &node.entropy, now()).await.unwrap();
    let outcome = methods(None, &issuer).sign_in(&with_cookie(&id), &Method::GET, now()).await;
    assert_eq!(outcome.map(drop), Err(SignInError::Missing));
}
