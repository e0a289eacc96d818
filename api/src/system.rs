//! The system, or the parts of it that a process runs: opens the engines, starts what its roles name, and stops all in order.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dossier_commands::{Clock, Commands};
use dossier_domain::Catalogue;
use dossier_eventlog::blobs::{BlobOpenError, BlobStore};
use dossier_eventlog::{
    Entropy, OpenError, OutgoingMessage, Position, ReadError, RecordedEvent, Relay, RelayStatus, Sealer,
};
use dossier_processes::blob_sweep::BlobSweep;
use dossier_processes::known_issue_cases::KnownIssueCases;
use dossier_processes::known_issue_solutions::KnownIssueSolutions;
use dossier_processes::merge_completion::MergeCompletion;
use dossier_processes::notifications::fan_out;
use dossier_processes::notifications::webhooks::send::PATIENCE;
use dossier_processes::notifications::webhooks::{SystemResolver, WebhookSender, follower};
use dossier_processes::timers::Timers;
use dossier_processes::volume_watch::{ReadVolume, VolumeWatch};
use dossier_processes::work_store::{SessionStore, WorkStoreError};
use dossier_processes::{Begin, Reactors};
use dossier_projections::account_recovery::AccountRecoveryQueries;
use dossier_projections::accounts::AccountQueries;
use dossier_projections::case_history::{
    AttachmentQueries, BlobReferences, CommentQueries, FeedQueries, NoteQueries,
};
use dossier_projections::cases::{CaseQueries, CurrentCases};
use dossier_projections::event_delivery::EventDeliveryQueries;
use dossier_projections::export::AnalyticsMessage;
use dossier_projections::feedback::FeedbackQueries;
use dossier_projections::help_articles::HelpArticles;
use dossier_projections::help_sessions::HelpSessionQueries;
use dossier_projections::known_issues::KnownIssueQueries;
use dossier_projections::organizations::OrganizationQueries;
use dossier_projections::satisfaction::SatisfactionQueries;
use dossier_projections::saved_views::SavedViewQueries;
use dossier_projections::volume::VolumeQueries;
use dossier_projections::{LogFollower, ReadLocation, ReadModels};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::articles::{self, ArticleError};
use crate::browser::{Browsers, Sessions};
use crate::config::{self, Role, Settings, SignIn};
use crate::engines::OpenEngines;
use crate::fleet::{self, Fleet};
use crate::limits::RateLimit;
use crate::notifying::MailError;
use crate::page_token::PageTokens;
use crate::sign_in::dev_issuer::{DEV_AUDIENCE, DEV_ISSUER, DEV_STAFF_CLAIM, DevIssuerError};
use crate::sign_in::{DevIssuer, RemoteKeys, RemoteKeysSettings, SignInMethods, Verifier, VerifierSettings};
use crate::watch::Hub;
use crate::{control, edge, event_delivery, notifying};

/// Folded streams kept in memory, of each kind.
const CACHED_STREAMS: usize = 20_000;
/// The same for what acts by itself.
const CACHED_STREAMS_OF_PROCESSES: usize = 1_000;
/// The catalogue that is used when none is configured.
const BUILT_IN_CATALOGUE: &str = include_str!("../catalogue.toml");

/// Why the system does not start, in one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error("data: {path} cannot be used ({cause}); give a directory that this process may write", path = .path.display())]
    Data {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// A store was not opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The log was opened and does not answer.
    #[error("the event log cannot be read: {0}")]
    Log(#[from] ReadError),
    /// PostgreSQL was not opened as the log or the key store.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(#[from] dossier_eventlog::postgres::PostgresOpenError),
    /// KurrentDB was not opened.
    #[cfg(feature = "kurrentdb")]
    #[error(transparent)]
    Kurrentdb(#[from] dossier_eventlog::KurrentOpenError),
    /// NATS cannot be used.
    #[cfg(feature = "nats")]
    #[error(transparent)]
    Nats(#[from] dossier_eventlog::nats::NatsOpenError),
    /// The address of NATS is none.
    #[cfg(feature = "nats")]
    #[error("bus_url: {0}")]
    NatsUrl(#[from] dossier_eventlog::nats::NatsUrlError),
    /// The work store was not opened.
    #[error("work_store_url: {0}")]
    WorkStore(#[from] WorkStoreError),
    /// The processes were not started.
    #[error("work_store_url: {0}")]
    Reactors(#[from] dossier_processes::reactor::StartError),
    /// Mails cannot be sent as configured.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The engine is left out of this build.
    #[error(
        "this build lacks an engine that the configuration names; use a build with all engines, as released"
    )]
    NotBuilt,
    /// The read database was not opened.
    #[error(transparent)]
    ReadModels(#[from] dossier_projections::OpenError),
    /// The folder of attached files was not opened.
    #[error(transparent)]
    Blobs(#[from] BlobOpenError),
    /// The catalogue is not usable.
    #[error("catalogue: {path} is not usable: {cause}", path = .path.display())]
    Catalogue {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// A help article is not usable.
    #[error(transparent)]
    Articles(#[from] ArticleError),
    /// There is no memory for them.
    #[error("articles: they cannot be indexed ({0}); give this process more memory")]
    ArticleIndex(dossier_projections::QueryError),
    /// The built-in issuer's key is not usable.
    #[error(transparent)]
    DevIssuer(#[from] DevIssuerError),
    /// Webhooks cannot be sent.
    #[error("webhooks: {0}")]
    Webhooks(String),
    /// The issuer is not usable.
    #[error("oidc_issuer: {0}")]
    Issuer(String),
}

/// Time and randomness, handed in.
#[derive(Clone)]
pub struct Edge {
    /// The clock.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

/// A running system.
pub struct System {
    /// What answers requests.
    pub app: Arc<App>,
    engines: OpenEngines,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl System {
    /// Opens everything and starts the parts that run by themselves.
    ///
    /// # Errors
    /// [`StartError`] says in one sentence what to do.
    pub async fn start(
        settings: &Settings,
        edge: Edge,
        metrics: PrometheusHandle,
    ) -> Result<Self, StartError> {
        edge::install_tls();
        std::fs::create_dir_all(&settings.data)
            .map_err(|cause| StartError::Data { path: settings.data.clone(), cause })?;
        let catalogue = Arc::new(load_catalogue(settings.catalogue.as_deref())?);
        let articles = articles::load(&catalogue, settings.catalogue.as_deref())?;
        let help_articles = HelpArticles::index(articles).await.map_err(StartError::ArticleIndex)?;
        let engines = OpenEngines::open(&settings.engines, &edge.entropy).await?;
        let (store, bus) = (engines.store.clone(), engines.bus.clone());
        let sealer = Arc::new(Sealer::new(engines.keys.clone(), edge.entropy.clone()));
        let location = match &settings.engines.read_model {
            config::ReadModel::Sqlite(path) => ReadLocation::sqlite(path),
            config::ReadModel::Postgres(url) => ReadLocation::postgres(url),
        };
        let follower = LogFollower { store: store.clone(), bus: bus.clone(), sealer: sealer.clone() };
        let read_models = Arc::new(ReadModels::open(&location, follower).await?);
        let sign_in = sign_in(settings, &edge, &sealer, engines.sessions.clone())?;
        let blobs = BlobStore::open(&settings.blobs.url(), sealer.clone())?;

        let webhooks = WebhookSender::new(settings.webhook_targets, Arc::new(SystemResolver), PATIENCE);
        let webhooks = Arc::new(webhooks.map_err(StartError::Webhooks)?);

        let stop = CancellationToken::new();
        let roles = settings.roles.clone();
        let mut tasks =
            if roles.has(Role::Projectors) { read_models.start(&stop) } else { read_models.observe(&stop) };
        let relay = roles.has(Role::Relay).then(|| {
            start_relay(Relay::new(store.clone(), bus, engines.relay.clone()), "bus", &stop, &mut tasks)
        });
        let outlet = engines.analytics.clone().filter(|_| roles.has(Role::Relay));
        let analytics_relay = outlet.map(|outlet| {
            let options = engines.relay.clone().named("analytics");
            let relay = Relay::to_outlet(store.clone(), outlet, Arc::new(analytics_message), options);
            start_relay(relay, "analytics", &stop, &mut tasks)
        });
        let database = read_models.database().clone();
        let (sealer_of_processes, catalogue_of_processes) = (sealer.clone(), catalogue.clone());
        let app = Arc::new(App {
            page_tokens: PageTokens::new(sealer.fingerprint("page-tokens", b"")),
            commands: Commands::new(store.clone(), sealer, catalogue, edge.clock.clone(), CACHED_STREAMS),
            cases: CaseQueries::new(database.clone()),
            current_cases: CurrentCases::new(CaseQueries::new(database.clone()), store.clone()),
            watch: Hub::new(store.clone(), read_models.clone()),
            organizations: OrganizationQueries::new(database.clone()),
            accounts: AccountQueries::new(database.clone()),
            saved_views: SavedViewQueries::new(database.clone()),
            account_recoveries: AccountRecoveryQueries::new(database.clone()),
            event_delivery: EventDeliveryQueries::new(database.clone()),
            webhooks,
            known_issues: KnownIssueQueries::new(database.clone()),
            volume: VolumeQueries::new(database.clone()),
            feedback: FeedbackQueries::new(database.clone()),
            help_sessions: HelpSessionQueries::new(database.clone()),
            help_articles,
            comments: CommentQueries::new(database.clone()),
            attachments: AttachmentQueries::new(database.clone()),
            notes: NoteQueries::new(database.clone()),
            satisfaction: SatisfactionQueries::new(database.clone()),
            feeds: FeedQueries::new(database),
            read_models,
            store: store.clone(),
            relay,
            analytics_relay,
            notifying: OnceLock::new(),
            roles,
            fleet: Fleet {
                node: if settings.node.is_empty() { edge::node_name() } else { settings.node.clone() },
                started_at: (edge.clock)(),
                work: engines.work.clone(),
            },
            sign_in,
            entropy: edge.entropy.clone(),
            rate_limit: RateLimit::new(settings.rate_limit),
            metrics,
            max_body_bytes: settings.max_body_bytes,
            max_upload_bytes: settings.max_upload_bytes as u64,
            blobs,
            request_timeout: settings.request_timeout,
            by_itself: OnceLock::new(),
        });
        if app.roles.has(Role::Processes) {
            let commands = Arc::new(Commands::new(
                app.store.clone(),
                sealer_of_processes.clone(),
                catalogue_of_processes,
                edge.clock.clone(),
                CACHED_STREAMS_OF_PROCESSES,
            ));
            let (work, node) = (app.fleet.work.clone(), app.fleet.node.clone());
            let (store, clock) = (app.store.clone(), edge.clock.clone());
            let (models, queries) = (app.read_models.clone(), app.volume.clone());
            let (policy, sealer) = (commands.catalogue().volume_watch, &sealer_of_processes);
            let choice = settings.begin_at_head.then_some(Begin::AtHead);
            let reactors =
                Reactors::new(store.clone(), work.clone(), commands.clone(), clock.clone(), node.clone())
                    .with(MergeCompletion::new(sealer))
                    .with(KnownIssueCases::new(sealer))
                    .with(KnownIssueSolutions::new(sealer, commands.clone()))
                    .with(VolumeWatch::new(sealer, Arc::new(ReadVolume { models, queries }), policy))
                    .beside(fan_out::NAME)
                    .beside(follower::NAME);
            let mut running = reactors.start(choice, &stop).await?;
            let mut by_itself = reactors.watched();
            tasks.spawn(async move { while running.join_next().await.is_some() {} });
            let notifying =
                notifying::start(&app, &commands, settings.mail.as_ref(), &edge, &stop, &mut tasks)?;
            let subjects = engines.subjects.clone();
            let delivering = event_delivery::start(&app, &commands, &edge.clock, subjects, &stop, &mut tasks);
            let _ = app.notifying.set((notifying, delivering));
            let actor = Timers::actor(&sealer_of_processes);
            let timers = Timers { store, work, cases: commands, actor, clock, node };
            by_itself.push(("timers", timers.start(&stop, &mut tasks).await?));
            let _ = app.by_itself.set(by_itself);
            let sweep = BlobSweep {
                blobs: app.blobs.clone(),
                references: BlobReferences::new(app.read_models.database().clone()),
                read_models: app.read_models.clone(),
                clock: edge.clock,
            };
            tasks.spawn(sweep.run(stop.clone()));
        }
        tasks.spawn(app.watch.clone().run(stop.clone()));
        tasks.spawn(fleet::announce(app.clone(), stop.clone()));
        control::start(&settings.data, app.clone(), &stop, &mut tasks);
        Ok(Self { app, engines, stop, tasks })
    }

    /// Waits until the read models show what the log holds, at most so long.
    pub async fn wait_until_caught_up(&self, patience: Duration) {
        let head = self.engines.store.head().await.unwrap_or(Position::START);
        if let Err(error) = self.app.read_models.wait_for(head, patience).await {
            tracing::warn!(%error, "answering before the read models have caught up");
        }
    }

    /// Stops the parts and closes the stores: nothing acknowledged is lost.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.app.read_models.database().close().await;
        self.engines.close().await;
    }
}

/// What analytics get to see of an event.
fn analytics_message(event: &RecordedEvent) -> Result<Option<OutgoingMessage>, String> {
    let message = AnalyticsMessage::of(event).map_err(|error| error.to_string())?;
    Ok(message.map(|message| OutgoingMessage {
        position: event.position,
        event_id: event.event_id,
        subject: message.subject,
        headers: message.headers,
        body: message.body.into(),
    }))
}

/// Runs a relay until stopped; answers what shows how it gets on.
fn start_relay(
    relay: Relay,
    outlet: &'static str,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> Arc<RelayStatus> {
    let status = relay.status();
    let stop = stop.clone();
    tasks.spawn(async move {
        if let Err(error) = relay.run(stop).await {
            tracing::error!(outlet, %error, "the relay has stopped; who follows it reads the log instead, slower");
        }
    });
    status
}

fn sign_in(
    settings: &Settings,
    edge: &Edge,
    sealer: &Arc<Sealer>,
    sessions: Arc<dyn SessionStore>,
) -> Result<SignInMethods, StartError> {
    let methods = |verifier, browsers| SignInMethods {
        verifier: Arc::new(verifier),
        browsers,
        cors_origins: settings.cors_origins.clone(),
    };
    match &settings.sign_in {
        SignIn::Dev => {
            let issuer = DevIssuer::load_or_create(&settings.data, |bytes| (edge.entropy)(bytes))?;
            let audiences = vec![DEV_AUDIENCE.to_owned()];
            let settings = VerifierSettings::new(DEV_ISSUER, audiences, DEV_STAFF_CLAIM);
            Ok(methods(Verifier::new(settings, Arc::new(issuer.keys())), None))
        }
        SignIn::OpenId { issuer, audiences, staff_claim } => {
            let keys = RemoteKeys::new(issuer, RemoteKeysSettings::default())
                .map_err(|error| StartError::Issuer(error.to_string()))?;
            let verifier = |audiences| {
                let settings = VerifierSettings::new(issuer.clone(), audiences, staff_claim.clone());
                Verifier::new(settings, Arc::new(keys.clone()))
            };
            let browsers = settings.browser.clone().map(|browser| Browsers {
                issuer: keys.clone(),
                id_tokens: verifier(vec![browser.client_id.clone()]),
                sessions: Sessions::new(
                    sessions,
                    sealer.clone(),
                    browser.session_lifetime,
                    &browser.public_url,
                    &settings.cors_origins,
                ),
                settings: browser,
                sealer: sealer.clone(),
                entropy: edge.entropy.clone(),
            });
            Ok(methods(verifier(audiences.clone()), browsers))
        }
    }
}

/// Reads and checks a catalogue file, or takes the built-in one.
///
/// # Errors
/// [`StartError::Catalogue`].
pub fn load_catalogue(path: Option<&Path>) -> Result<Catalogue, StartError> {
    let shown = || path.map_or_else(|| PathBuf::from("built in"), Path::to_path_buf);
    let unusable = |cause: String| StartError::Catalogue { path: shown(), cause };
    let text = match path {
        None => BUILT_IN_CATALOGUE.to_owned(),
        Some(path) => std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?,
    };
    let catalogue: Catalogue =
        toml::from_str(&text).map_err(|error| unusable(toml_complaint(&error, &text)))?;
    catalogue.validate().map_err(|error| unusable(error.to_string()))?;
    Ok(catalogue)
}

/// What is wrong with a text that should be TOML, on one line.
fn toml_complaint(error: &toml::de::Error, text: &str) -> String {
    let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    format!("line {line}: {}", error.message().replace('\n', ", "))
}

#[cfg(test)]
mod tests {
    use dossier_domain::catalogue::{Channel, Plan};

    use super::*;

    #[test]
    fn the_built_in_catalogue_is_valid() {
        assert!(load_catalogue(None).is_ok());
    }

    /// R-INFO-1, R-PLAN-3: the sample data that the documentation speaks of.
    #[test]
    fn r_info_1_the_built_in_catalogue_names_north_and_south_and_brings_the_phone_with_gold_and_platinum() {
        let catalogue = load_catalogue(None).unwrap();
        let spoken = |index: usize| {
            let provider = &catalogue.providers[index];
            format!("{}: {:?} in {:?}", provider.id, provider.languages, provider.regions)
        };
        assert_eq!(spoken(0), r#"north: {"en", "fr"} in {"EMEA"}"#);
        assert_eq!(spoken(1), r#"south: {"en", "ja", "pt"} in {"AMER", "APAC"}"#);
        assert_eq!(catalogue.default_queue().map(|provider| provider.id.as_str()), Some("north"));
        let phone = |plan: &&Plan| plan.offered_channels().contains(&Channel::Phone);
        let with_phone: Vec<_> = catalogue.plans.iter().filter(phone).map(|plan| plan.id.as_str()).collect();
        assert_eq!(with_phone, ["gold", "platinum"]);
        assert!(catalogue.plans.iter().all(|plan| plan.responses.len() == plan.priorities.len()));
    }

    #[test]
    fn a_catalogue_that_cannot_be_used_is_named() {
        let error = load_catalogue(Some(Path::new("/nowhere/catalogue.toml"))).unwrap_err().to_string();
        assert!(error.starts_with("catalogue: /nowhere/catalogue.toml is not usable"), "{error}");
    }
}
