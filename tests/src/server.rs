//! A whole system inside the test: the real wiring on files of its own, a port of its own, and a clock that the test moves.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dossier_api::app::App;
use dossier_api::config::cli::SettingsArgs;
use dossier_api::config::{Mail, Settings};
use dossier_api::sample_data;
use dossier_api::server::ConnectionLimits;
use dossier_api::sign_in::DevIssuer;
use dossier_api::sign_in::dev_issuer::{DEV_ISSUER, StaffClaims};
use dossier_api::system::{Edge, System};
use dossier_commands::{AccessOutcome, Clock, CommandError, Request, identity};
use dossier_domain::access::{AccessCommand, AccessRejection};
use dossier_domain::webhook::TargetPolicy;
use dossier_domain::{Actor, CommandId, Contact, OrganizationId, Personal, ProviderId, StaffRole, Subject};
use dossier_eventlog::{Position, RecordedEvent};
use dossier_processes::notifications::fan_out;
use dossier_processes::notifications::ledger::MessageState;
use jiff::{SignedDuration, Timestamp};
use metrics_exporter_prometheus::PrometheusBuilder;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::client::{Answer, Client};
use crate::deeds::Deeds;
use crate::log;
use crate::people::OPERATOR;
use crate::profile::Engines;

/// When the tests' time begins: 2026-01-05T09:00:00Z, a Monday.
const BEGINNING_SECONDS: i64 = 1_767_603_600;
/// How long the sample data take, in the tests' time.
const SAMPLE_DATA_SECONDS: i64 = 3_600;
/// How long requests in flight may take at a stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long read models may take to follow at the start.
const CATCH_UP_PATIENCE: Duration = Duration::from_secs(30);
/// The catalogue of a server that has one of its own.
const CATALOGUE_FILE: &str = "catalogue.toml";
/// The address of the mail server of a server that has one.
const MAIL_SERVER_FILE: &str = "smtp-url";
/// Where the links of its mails lead; tests follow them by their path.
pub const PUBLIC_URL: &str = "https://links.support.example";
const BUILT_IN_CATALOGUE: &str = include_str!("../../api/catalogue.toml");
/// The checkpoints of what acts by itself on what happens.
const REACTORS: [&str; 4] =
    ["merge_completion", "known_issue_cases", "known_issue_solutions", "volume_watch"];
/// Tokens outlive every test.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(24 * 400);

/// A clock that stands still but for a millisecond with every reading, and that the test moves.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    fn starting_at(second: i64) -> Self {
        Self(Arc::new(AtomicI64::new(second * 1_000_000)))
    }

    /// The clock as the system takes it.
    pub fn clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || instant(clock.0.fetch_add(1_000, Ordering::Relaxed)))
    }

    /// What the next reading will be.
    pub fn now(&self) -> Timestamp {
        instant(self.0.load(Ordering::Relaxed))
    }

    /// Lets time pass.
    pub fn advance(&self, by: SignedDuration) {
        let micros = i64::try_from(by.as_micros()).expect("a length of time within a life");
        self.0.fetch_add(micros, Ordering::Relaxed);
    }

    /// Sets the clock.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.as_microsecond(), Ordering::Relaxed);
    }
}

fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).expect("an instant within the calendar")
}

/// A running system with the sample data.
pub struct Server {
    /// The system's clock.
    pub clock: TestClock,
    /// Where it listens.
    pub address: SocketAddr,
    system: System,
    issuer: DevIssuer,
    data: TempDir,
    engines: Engines,
    targets: TargetPolicy,
    stopping: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    anonymous: Client,
    deeds: Deeds,
}

impl Server {
    /// Starts a system with the sample data; it ends with the test's runtime, or by [`Server::stop`].
    pub async fn start() -> Self {
        static SAMPLE: OnceLock<Sample> = OnceLock::new();
        let data = tempfile::tempdir().expect("a directory for temporary files");
        let sample = SAMPLE.get_or_init(Sample::make);
        for (name, bytes) in &sample.files {
            std::fs::write(data.path().join(name), bytes).expect("a copy of the sample data");
        }
        let clock = TestClock::starting_at(BEGINNING_SECONDS + SAMPLE_DATA_SECONDS);
        Self::start_in(data, sample.engines.copy(), clock, TargetPolicy::Public).await
    }

    /// Stops it as a signal would, and starts it again on the same data at the same time.
    pub async fn restarted(self) -> Self {
        self.restarted_after(SignedDuration::ZERO).await
    }

    /// The same, with so much time between the stop and the start.
    pub async fn restarted_after(self, downtime: SignedDuration) -> Self {
        let (clock, engines, targets) = (self.clock.clone(), self.engines.clone(), self.targets);
        let data = self.stop().await;
        clock.advance(downtime);
        Self::start_in(data, engines, clock, targets).await
    }

    /// Stops it as a signal would, and starts it again on the same data with another catalogue: the built-in one, as edited.
    #[must_use]
    pub async fn with_catalogue(self, edit: impl FnOnce(&str) -> String) -> Self {
        let path = self.data().join(CATALOGUE_FILE);
        let before = std::fs::read_to_string(&path).unwrap_or_else(|_| BUILT_IN_CATALOGUE.to_owned());
        std::fs::write(path, edit(&before)).expect("a catalogue beside the data");
        self.restarted().await
    }

    /// Stops it as a signal would, and starts it again so that webhooks may lie on this machine.
    #[must_use]
    pub async fn calling_any_webhook(mut self) -> Self {
        self.targets = TargetPolicy::Any;
        self.restarted().await
    }

    /// Stops it as a signal would, and starts it again on the same data with a mail server.
    #[must_use]
    pub async fn with_mail_server(self, url: &str) -> Self {
        std::fs::write(self.data().join(MAIL_SERVER_FILE), url).expect("a file beside the data");
        self.restarted().await
    }

    /// Waits until everything that happened is told to whoever is to be told: nothing is to be sent any more.
    pub async fn mails_settled(&self) {
        let work = &self.app().fleet.work;
        let settled = async {
            loop {
                let head = self.head().await;
                let told = work.checkpoint(fan_out::NAME).await.expect("a work store that answers");
                let counts = work.message_counts().await.expect("a work store that answers");
                let waits = |state| matches!(state, MessageState::Intended | MessageState::Sending);
                if told.is_some_and(|told| told.position >= head)
                    && !counts.iter().any(|found| waits(found.state) && found.count > 0)
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(CATCH_UP_PATIENCE, settled).await.expect("mails that are sent");
    }

    async fn start_in(data: TempDir, engines: Engines, clock: TestClock, targets: TargetPolicy) -> Self {
        let mut settings = engines.settings(data.path());
        settings.webhook_targets = targets;
        let mail_server = std::fs::read_to_string(data.path().join(MAIL_SERVER_FILE)).ok();
        settings.mail = mail_server.and_then(|url| mail_settings(&url));
        settings.catalogue = Some(data.path().join(CATALOGUE_FILE)).filter(|path| path.exists());
        let system = system(&settings, &clock).await;
        system.wait_until_caught_up(CATCH_UP_PATIENCE).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let router = dossier_api::server::router(system.app.clone());
        let limits = ConnectionLimits {
            header_timeout: settings.header_timeout,
            max_connections: settings.max_connections,
            drain_timeout: DRAIN_TIMEOUT,
        };
        let (stopping, stopped) = oneshot::channel();
        let serving = tokio::spawn(dossier_api::server::serve(listener, router, limits, async {
            let _: Result<(), _> = stopped.await;
        }));
        let issuer = DevIssuer::load(data.path()).expect("the key that the start has made");
        let anonymous = Client::new(&format!("http://{address}"), None);
        Self {
            clock,
            address,
            system,
            issuer,
            data,
            engines,
            targets,
            stopping,
            serving,
            anonymous,
            deeds: Deeds::new(),
        }
    }

    /// Stops everything and hands the data over.
    pub async fn stop(self) -> TempDir {
        let _ = self.stopping.send(());
        self.serving.await.expect("a server that stops in order");
        self.system.stop().await;
        self.data
    }

    /// What answers requests.
    pub fn app(&self) -> &Arc<App> {
        &self.system.app
    }

    /// The variables that name its engines to a command.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.engines.environment()
    }

    /// Where its data lie.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Somebody without a token.
    pub fn anonymous(&self) -> Client {
        self.anonymous.clone()
    }

    /// Somebody of the sample data, or a stranger with a valid token.
    pub fn client(&self, email: &str) -> Client {
        self.anonymous.with_token(Some(self.token(email)))
    }

    /// A bearer token for somebody.
    pub fn token(&self, email: &str) -> String {
        let person = sample_data::person(email);
        let staff = person.map(|person| person.staff).unwrap_or_default();
        self.issuer
            .issue(email, person.map(|person| person.name), &staff, self.clock.now(), TOKEN_LIFE)
            .expect("an address and a lifetime within the calendar")
    }

    /// Somebody whose token says that they are staff, or no more.
    pub fn staff(
        &self,
        email: &str,
        roles: &'static [&'static str],
        provider: Option<&'static str>,
    ) -> Client {
        let staff = StaffClaims { roles, provider, organization: None };
        let token = self.issuer.issue(email, None, &staff, self.clock.now(), TOKEN_LIFE);
        self.anonymous.with_token(Some(token.expect("an address and a lifetime within the calendar")))
    }

    /// Every event in the log.
    pub async fn events(&self) -> Vec<RecordedEvent> {
        log::all(&*self.app().store).await
    }

    /// Where the log ends.
    pub async fn head(&self) -> Position {
        self.app().store.head().await.expect("a log that can be read")
    }

    /// How many events of the log somebody caused: what acts by itself goes on meanwhile, when it gets to it.
    pub async fn deeds(&self) -> usize {
        self.deeds.count(&*self.app().store, self.app().commands.sealer()).await
    }

    /// Waits until what acts by itself has acted on all that is in the log.
    pub async fn until_reactors_rest(&self) {
        let (store, work) = (&self.app().store, &self.app().fleet.work);
        let rest = async {
            loop {
                let head = self.head().await;
                let mut still = true;
                for reactor in REACTORS {
                    let checkpoint = work.checkpoint(reactor).await.expect("a work store that answers");
                    still &= checkpoint.is_some_and(|checkpoint| checkpoint.position == head);
                }
                if still && store.head().await.expect("a head") == head {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            self.app().read_models.wait_for(self.head().await, CATCH_UP_PATIENCE).await
        };
        let rested = tokio::time::timeout(CATCH_UP_PATIENCE, rest).await.expect("reactors that come to rest");
        rested.expect("read models that follow");
    }

    /// Who somebody is when they sign in here.
    pub fn actor(&self, email: &str) -> Actor {
        let account = identity::account_id(self.app().commands.sealer(), DEV_ISSUER, email);
        let person = sample_data::person(email);
        let display_name = person.map_or(email, |person| person.name).to_owned();
        let contact = Contact { email: email.to_owned(), display_name };
        let roles = person.map_or(&[][..], |person| person.staff.roles);
        let roles = roles.iter().filter_map(|role| StaffRole::from_claim(role));
        let mut actor = Actor::new(account, Personal::new(Subject::account(account), contact), roles);
        let provider = person.and_then(|person| person.staff.provider);
        actor.provider = provider.and_then(|id| ProviderId::new(id).ok());
        actor
    }

    /// A command request by somebody under a number of its own.
    pub fn request(&self, email: &str, number: u128) -> Request {
        Request {
            command_id: CommandId(Uuid::from_u128(number)),
            fingerprint: number.to_string(),
            actor: self.actor(email),
            acting_for: None,
            correlation_id: "test".to_owned(),
            causation_id: None,
            if_match: None,
        }
    }

    /// Has the operator administer an organization; the number names the command.
    ///
    /// # Errors
    /// What the business refuses.
    pub async fn administer(
        &self,
        organization: &str,
        number: u128,
        command: AccessCommand,
    ) -> Result<AccessOutcome, CommandError<AccessRejection>> {
        let organization = OrganizationId::new(organization).expect("an organization's id");
        self.app().commands.access(&self.request(OPERATOR, number), &organization, &command).await
    }
}

fn mail_settings(url: &str) -> Option<Mail> {
    let flags = SettingsArgs {
        dev: Some("true".to_owned()),
        smtp_url: Some(url.to_owned()),
        public_url: Some(PUBLIC_URL.to_owned()),
        frontend_url: Some("https://desk.support.example".to_owned()),
        mail_per_second: Some("1000".to_owned()),
        ..SettingsArgs::default()
    };
    let settings = Settings::resolve(&flags, |_| None, |path| std::fs::read_to_string(path));
    settings.expect("an address of a mail server").mail
}

/// A case that everybody with a plan for compute can file.
pub fn sample_case() -> Value {
    json!({
        "displayName": "Machines do not start",
        "description": "Since this morning.",
        "classification": {"id": "compute-vm"},
        "priority": "P3",
    })
}

/// Files the sample case and answers its path after the version: `/v2/organizations/…/cases/…`.
pub async fn file_case(client: &Client, organization: &str) -> String {
    case_path(&client.post(&format!("/v2/organizations/{organization}/cases"), &sample_case()).await)
}

/// Has an agent write a note on a case and attach a file to it; answers the attachment.
pub async fn file_on_note(agent: &Client, case: &str) -> Value {
    let note = agent.post(&format!("{case}/notes"), &json!({"body": "The trace says it all."})).await.ok();
    let note = note["name"].as_str().expect("a note has a name");
    let path = format!("/upload/v2/{note}/attachments?attachment.filename=zebrafinch.log");
    agent.call(Method::POST, &path).header("content-type", "text/plain").bytes("a trace").send().await.ok()
}

/// A new session with the help assistant, led on to the first step where something can be done.
pub async fn help_session_where(client: &Client, organization: &str, wanted: &str) -> Value {
    let sessions = format!("/v2/organizations/{organization}/helpSessions");
    let mut session = client.post(&sessions, &json!({"languageCode": "en"})).await.ok();
    while !session["nextSteps"].as_array().expect("what can be done").contains(&json!(wanted)) {
        let (verb, body) = match session["step"].as_str().expect("a step") {
            "DESCRIBE" | "DESCRIPTION" => ("describe", json!({"text": "The machine hangs."})),
            "PROBLEM_KINDS" => ("chooseKind", json!({"kind": "slow"})),
            "CONTACT" => ("chooseContact", json!({"channel": "WEB"})),
            _ => ("notHelped", json!({})),
        };
        let path = format!("/v2/{}:{verb}", session["name"].as_str().expect("a session has a name"));
        session = client.post(&path, &body).await.ok();
    }
    session
}

/// The path of the case in an answer.
#[track_caller]
pub fn case_path(answer: &Answer) -> String {
    format!("/v2/{}", answer.ok()["name"].as_str().expect("a case has a name"))
}

async fn system(settings: &Settings, clock: &TestClock) -> System {
    // Not installed: every test counts for itself, so the handle renders nothing here.
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let edge = Edge { clock: clock.clock(), entropy: dossier_api::edge::entropy() };
    System::start(settings, edge, metrics).await.expect("a system on data of its own")
}

/// Waits until the timers have recorded what is due, and what is to be told is written down.
async fn until_timers_wait(system: &System, clock: &TestClock) {
    let (store, work) = (&system.app.store, &system.app.fleet.work);
    let settled = async {
        loop {
            let head = store.head().await.expect("a head");
            let checkpoint = work.checkpoint("timers").await.expect("a work store that answers");
            let told = work.checkpoint(fan_out::NAME).await.expect("a work store that answers");
            let due = work.next_due().await.expect("a work store that answers");
            let still = due.is_none_or(|due| due > clock.now())
                && checkpoint.is_some_and(|checkpoint| checkpoint.position == head)
                && told.is_some_and(|told| told.position == head)
                && store.head().await.expect("a head") == head;
            if still {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(CATCH_UP_PATIENCE, settled).await.expect("timers that come to rest");
}

/// The sample data, made once and copied for every server.
struct Sample {
    files: Vec<(PathBuf, Vec<u8>)>,
    engines: Engines,
}

impl Sample {
    fn make() -> Self {
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let data = tempfile::tempdir().expect("a directory for temporary files");
            let engines = Engines::fresh();
            runtime.block_on(async {
                let clock = TestClock::starting_at(BEGINNING_SECONDS);
                let system = system(&engines.settings(data.path()), &clock).await;
                sample_data::load(&system.app).await.expect("the whole story");
                // What is due before a server begins would happen while a test looks.
                clock.set(instant((BEGINNING_SECONDS + SAMPLE_DATA_SECONDS - 60) * 1_000_000));
                until_timers_wait(&system, &clock).await;
                let head = system.app.store.head().await.expect("a head");
                let patience = Duration::from_secs(30);
                system.app.read_models.wait_for(head, patience).await.expect("read models that follow");
                system.stop().await;
            });
            let entries = std::fs::read_dir(data.path()).expect("the data directory");
            let files = entries.flatten().filter(|entry| entry.path().is_file());
            let read = |entry: std::fs::DirEntry| {
                (PathBuf::from(entry.file_name()), std::fs::read(entry.path()).expect("a file of the stores"))
            };
            Self { files: files.map(read).collect(), engines }
        })
        .join()
        .expect("the sample data")
    }
}
