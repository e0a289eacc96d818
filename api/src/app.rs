//! What every request handler has at hand.

use std::sync::Arc;
use std::time::Duration;

use dossier_commands::{Commands, identity};
use dossier_domain::{Actor, Contact, Personal, StaffRole, Subject};
use dossier_eventlog::blobs::BlobStore;
use dossier_eventlog::{Entropy, EventStore, RelayStatus};
use dossier_projections::ReadModels;
use dossier_projections::case_history::{AttachmentQueries, CommentQueries, FeedQueries};
use dossier_projections::cases::{CaseQueries, CurrentCases};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::config::Roles;
use crate::fleet::Fleet;
use crate::limits::RateLimit;
use crate::page_token::PageTokens;
use crate::sign_in::Principal;
use crate::sign_in::verifier::Verifier;

/// The parts that answer requests.
pub struct App {
    /// The write side.
    pub commands: Commands,
    /// The read models, for waiting and readiness.
    pub read_models: Arc<ReadModels>,
    /// Queries on cases.
    pub cases: CaseQueries,
    /// Cases one by one, from memory where that is current.
    pub current_cases: CurrentCases,
    /// Queries on comments.
    pub comments: CommentQueries,
    /// Queries on attachments.
    pub attachments: AttachmentQueries,
    /// Queries on feeds.
    pub feeds: FeedQueries,
    /// The log, for readiness.
    pub store: Arc<dyn EventStore>,
    /// The relay's progress, for readiness, where this process runs one.
    pub relay: Option<Arc<RelayStatus>>,
    /// The same of the relay of what analytics may see.
    pub analytics_relay: Option<Arc<RelayStatus>>,
    /// The parts that this process runs.
    pub roles: Roles,
    /// This process among others.
    pub fleet: Fleet,
    /// Who signs in.
    pub verifier: Verifier,
    /// Seals and opens page tokens.
    pub page_tokens: PageTokens,
    /// Randomness of the edge: request ids, ids of commands that come without a key.
    pub entropy: Entropy,
    /// How much one account may ask.
    pub rate_limit: RateLimit,
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Where attached files are kept.
    pub blobs: BlobStore,
    /// The largest file that may be attached, in bytes.
    pub max_upload_bytes: u64,
    /// How long a body may take to arrive.
    pub request_timeout: Duration,
}

impl App {
    /// The actor that a verified principal is.
    pub fn actor(&self, principal: &Principal) -> Actor {
        let account = identity::account_id(self.commands.sealer(), &principal.issuer, &principal.subject);
        let display_name = principal.display_name.clone().unwrap_or_else(|| principal.email.clone());
        Actor {
            account,
            contact: Personal::new(
                Subject::account(account),
                Contact { email: principal.email.clone(), display_name },
            ),
            staff_roles: principal
                .staff_roles
                .iter()
                .filter_map(|role| StaffRole::from_claim(role))
                .collect(),
        }
    }

    /// Sixteen random bytes.
    pub fn random_id(&self) -> u128 {
        let mut bytes = [0; 16];
        (self.entropy)(&mut bytes);
        u128::from_be_bytes(bytes)
    }
}
