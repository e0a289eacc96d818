//! What every request handler has at hand.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dossier_commands::{Commands, identity};
use dossier_domain::{Actor, Contact, OrganizationId, Personal, ProviderId, StaffRole, Subject};
use dossier_eventlog::blobs::BlobStore;
use dossier_eventlog::{Entropy, EventStore, RelayStatus};
use dossier_processes::notifications::webhooks::WebhookSender;
use dossier_processes::reactor::ReactorStatus;
use dossier_projections::ReadModels;
use dossier_projections::account_recovery::AccountRecoveryQueries;
use dossier_projections::accounts::AccountQueries;
use dossier_projections::case_history::{AttachmentQueries, CommentQueries, FeedQueries, NoteQueries};
use dossier_projections::cases::{CaseQueries, CurrentCases};
use dossier_projections::event_delivery::EventDeliveryQueries;
use dossier_projections::feedback::FeedbackQueries;
use dossier_projections::help_articles::HelpArticles;
use dossier_projections::help_sessions::HelpSessionQueries;
use dossier_projections::known_issues::KnownIssueQueries;
use dossier_projections::organizations::OrganizationQueries;
use dossier_projections::satisfaction::SatisfactionQueries;
use dossier_projections::saved_views::SavedViewQueries;
use dossier_projections::volume::VolumeQueries;
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;

use crate::config::Roles;
use crate::event_delivery::Delivering;
use crate::fleet::Fleet;
use crate::limits::RateLimit;
use crate::notifying::Notifying;
use crate::page_token::PageTokens;
use crate::refusals;
use crate::sign_in::{Principal, SignInMethods};
use crate::status::ApiError;
use crate::watch::Hub;

/// How many customers with a plan are named for a reseller that has none: one is enough, the others may have lost it.
const ENTITLED_CUSTOMERS: u32 = 5;

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
    /// Tells streams what changes.
    pub watch: Arc<Hub>,
    /// Queries on organizations and their people.
    pub organizations: OrganizationQueries,
    /// Queries on accounts, and on support's agents.
    pub accounts: AccountQueries,
    /// Queries on filters that support's people keep.
    pub saved_views: SavedViewQueries,
    /// Queries on accounts to recover.
    pub account_recoveries: AccountRecoveryQueries,
    /// Queries on subscriptions to events and on webhooks.
    pub event_delivery: EventDeliveryQueries,
    /// Sends to webhooks.
    pub webhooks: Arc<WebhookSender>,
    /// Queries on known issues.
    pub known_issues: KnownIssueQueries,
    /// Queries on what the watch over the volume counts.
    pub volume: VolumeQueries,
    /// Queries on feedback.
    pub feedback: FeedbackQueries,
    /// Queries on sessions with the help assistant.
    pub help_sessions: HelpSessionQueries,
    /// Help articles.
    pub help_articles: HelpArticles,
    /// Queries on comments.
    pub comments: CommentQueries,
    /// Queries on attachments.
    pub attachments: AttachmentQueries,
    /// Queries on support's notes.
    pub notes: NoteQueries,
    /// Queries on answers to surveys.
    pub satisfaction: SatisfactionQueries,
    /// Queries on feeds.
    pub feeds: FeedQueries,
    /// The log, for readiness.
    pub store: Arc<dyn EventStore>,
    /// The relay's progress, for readiness, where this process runs one.
    pub relay: Option<Arc<RelayStatus>>,
    /// The same of the relay of what analytics may see.
    pub analytics_relay: Option<Arc<RelayStatus>>,
    /// How notifications, and messages to machines, get on, once this process makes or sends them.
    pub notifying: OnceLock<(Notifying, Delivering)>,
    /// The parts that this process runs.
    pub roles: Roles,
    /// This process among others.
    pub fleet: Fleet,
    /// Who signs in, by whichever way.
    pub sign_in: SignInMethods,
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
    /// How the reactors and the timers get on, for readiness, once this process runs them.
    pub by_itself: OnceLock<ByItself>,
}

/// What acts by itself, by name, and how it gets on.
pub type ByItself = Vec<(&'static str, watch::Receiver<ReactorStatus>)>;

impl App {
    /// The actor that a verified principal is.
    pub fn actor(&self, principal: &Principal) -> Actor {
        let account = identity::account_id(self.commands.sealer(), &principal.issuer, &principal.subject);
        let display_name = principal.display_name.clone().unwrap_or_else(|| principal.email.clone());
        let contact = Contact { email: principal.email.clone(), display_name };
        let roles = principal.staff_roles.iter().filter_map(|role| StaffRole::from_claim(role));
        let mut actor = Actor::new(account, Personal::new(Subject::account(account), contact), roles);
        actor.provider = principal.provider.as_deref().and_then(|id| ProviderId::new(id).ok());
        actor.bound_to = principal.organization.as_deref().and_then(|id| OrganizationId::new(id).ok());
        actor
    }

    /// A few customers of a reseller that have an eligible plan, where it has none itself (R-RES-6). The commands look at
    /// their access again.
    ///
    /// # Errors
    /// 503.
    pub async fn entitled_customers(
        &self,
        reseller: &OrganizationId,
    ) -> Result<Vec<OrganizationId>, ApiError> {
        let (catalogue, now) = (self.commands.catalogue(), self.commands.now());
        let own = self.commands.access_view(reseller).await.map_err(refusals::load)?;
        if !own.access.is_reseller() || own.access.has_eligible_plan(catalogue, now) {
            return Ok(Vec::new());
        }
        self.customers_entitled_at(reseller, now).await
    }

    /// A few customers that a reseller manages now and that have an eligible plan at an instant.
    ///
    /// # Errors
    /// 503.
    pub async fn customers_entitled_at(
        &self,
        reseller: &OrganizationId,
        at: Timestamp,
    ) -> Result<Vec<OrganizationId>, ApiError> {
        let products = self.commands.catalogue().products.iter();
        let eligible = products
            .flat_map(|product| product.eligible_plans.iter().map(|plan| (product.id.clone(), plan.clone())));
        let eligible: Vec<_> = eligible.collect();
        let customers =
            self.organizations.entitled_customers(reseller, &eligible, at, ENTITLED_CUSTOMERS).await;
        let customers = customers.map_err(|error| refusals::query(&error))?;
        Ok(customers.iter().filter_map(|row| OrganizationId::new(&row.organization).ok()).collect())
    }

    /// Who asks for what needs no sign-in.
    pub fn nobody(&self) -> Actor {
        let account = identity::account_id(self.commands.sealer(), "dossier:nobody", "");
        let contact = Contact { email: String::new(), display_name: String::new() };
        Actor::new(account, Personal::new(Subject::account(account), contact), [])
    }

    /// Sixteen random bytes.
    pub fn random_id(&self) -> u128 {
        let mut bytes = [0; 16];
        (self.entropy)(&mut bytes);
        u128::from_be_bytes(bytes)
    }
}
