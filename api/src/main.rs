//! The `dossier` command.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use dossier_api::config::cli::{Cli, Command, ImportArgs, RebuildArgs, ReplayArgs, SettingsArgs, TokenArgs};
use dossier_api::config::{Engines, Settings, data_directory};
use dossier_api::server::ConnectionLimits;
use dossier_api::sign_in::DevIssuer;
use dossier_api::system::{Edge, System};
use dossier_api::{
    articles, control, edge, engines, import, logging, openapi, replay, sample_data, schemas, server, system,
};
use dossier_commands::Commands;
use dossier_eventlog::Sealer;
use dossier_eventlog::blobs::BlobStore;
use indicatif::{ProgressBar, ProgressStyle};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::signal::unix::{SignalKind, signal};

/// How long the start waits for read models before it answers all the same.
const CATCH_UP_PATIENCE: Duration = Duration::from_secs(5);
/// How long requests in flight may take after the signal to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests make many small allocations on several threads, where the system's allocator costs a tenth of the CPU.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type AnyError = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(args) => serve(&args).await,
        Command::Token(args) => token(&args),
        Command::Rebuild(args) => rebuild(&args).await,
        Command::Replay(args) => replay_stream(&args).await,
        Command::CheckConfig(args) => check_config(&args),
        Command::Migrate(args) => migrate(&args).await,
        Command::Import(args) => import_cases(&args).await,
        Command::Openapi => print(&openapi::rendered()),
        Command::Schemas(args) => schemas::write(&args.out).map_err(AnyError::from).and_then(|written| {
            print(&format!("{} files written to {}\n", written.len(), args.out.display()))
        }),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "dossier: {error}");
            ExitCode::FAILURE
        }
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn settings(args: &SettingsArgs) -> Result<Settings, AnyError> {
    Ok(Settings::resolve(args, environment, |path| std::fs::read_to_string(path))?)
}

fn print(text: &str) -> Result<(), AnyError> {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes())?;
    Ok(output.flush()?)
}

async fn serve(args: &SettingsArgs) -> Result<(), AnyError> {
    let settings = settings(args)?;
    logging::init(&settings.log, settings.log_format)?;
    let system = start(&settings).await?;
    if settings.is_dev() {
        sample_data::load(&system.app).await?;
    }
    system.wait_until_caught_up(CATCH_UP_PATIENCE).await;
    let listener = tokio::net::TcpListener::bind(settings.listen).await.map_err(|error| {
        format!(
            "listen: {} cannot be listened on ({error}); choose another with --listen, port 0 picks one",
            settings.listen
        )
    })?;
    let address = listener.local_addr()?;
    // Before anybody is told that it serves: whoever reads that may stop it at once, and it stops in order.
    let stop = stop_signal()?;
    if settings.is_dev() {
        print(&recipe(&settings, &format!("http://{address}")))?;
    }
    print(&format!("listening on http://{address}\n"))?;
    let limits = ConnectionLimits {
        header_timeout: settings.header_timeout,
        max_connections: settings.max_connections,
        drain_timeout: DRAIN_TIMEOUT,
    };
    server::serve(listener, server::router(system.app.clone()), limits, async {
        stop.await;
        tracing::info!("stopping: requests in flight are finished");
    })
    .await;
    system.stop().await;
    tracing::info!("stopped");
    Ok(())
}

async fn start(settings: &Settings) -> Result<System, AnyError> {
    let edge = Edge { clock: edge::clock(), entropy: edge::entropy() };
    Ok(System::start(settings, edge, metrics()?).await?)
}

fn metrics() -> Result<PrometheusHandle, AnyError> {
    const SECONDS: &[f64] =
        &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    Ok(PrometheusBuilder::new().set_buckets(SECONDS)?.install_recorder()?)
}

/// Ends with the signal to stop; listens from the call on, not only when awaited.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

/// How to get a token and a first request, to be pasted into another terminal.
fn recipe(settings: &Settings, url: &str) -> String {
    let program =
        std::env::current_exe().map_or_else(|_| "dossier".to_owned(), |path| path.display().to_string());
    let data = std::path::absolute(&settings.data).unwrap_or_else(|_| settings.data.clone());
    let (program, data) = (quoted(&program), quoted(&data.display().to_string()));
    format!(
        r#"Sample organizations: acme, globex, initech, umbrella; resellers nimbus, stratus; data in {data}.

Paste into another terminal for a token and a first case:

  TOKEN=$({program} token --email alice@acme.example --data {data})
  curl -s {url}/v2/organizations/acme/cases -H "Authorization: Bearer $TOKEN" -d '{{
    "displayName": "My first case", "description": "It does not work.",
    "classification": {{"id": "compute-vm"}}, "priority": "P3"}}'
  curl -s {url}/v2/organizations/acme/cases -H "Authorization: Bearer $TOKEN"

All methods: {url}/docs

"#
    )
}

/// Quoted for a shell, where it must be.
fn quoted(text: &str) -> String {
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b)) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn token(args: &TokenArgs) -> Result<(), AnyError> {
    let issuer = DevIssuer::load(&data_directory(args.data.as_deref(), environment))?;
    let person = sample_data::person(&args.email);
    let name = person.map(|person| person.name);
    let staff = person.map(|person| person.staff).unwrap_or_default();
    let token = issuer.issue(&args.email, name, &staff, (edge::clock())(), args.ttl)?;
    print(&format!("{token}\n"))
}

async fn rebuild(args: &RebuildArgs) -> Result<(), AnyError> {
    let data = data_directory(args.data.as_deref(), environment);
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{prefix:>14} {wide_bar} {percent}% {msg}")?);
    let rebuilt = control::ask_rebuild(&data, args.read_model.as_deref(), |progress| {
        bar.set_prefix(progress.model.clone());
        bar.set_length(progress.head);
        bar.set_position(progress.position.min(progress.head));
        bar.set_message(format!("{} events", progress.events));
    })
    .await;
    bar.finish_and_clear();
    print(&format!("rebuilt: {}\n", rebuilt?.join(", ")))
}

async fn replay_stream(args: &ReplayArgs) -> Result<(), AnyError> {
    let engines = Engines::beside(args.data.as_deref(), environment, |path| std::fs::read_to_string(path))?;
    let mut output = std::io::BufWriter::new(std::io::stdout());
    replay::replay(&engines, &args.stream, args.at, &edge::entropy(), &mut output).await?;
    Ok(output.flush()?)
}

async fn import_cases(args: &ImportArgs) -> Result<(), AnyError> {
    let settings = settings(&args.settings)?;
    // Each case is a command, and each command a line at the level that is usual for servers.
    let is_told = args.settings.log.is_some() || environment("DOSSIER_LOG").is_some();
    logging::init(if is_told { &settings.log } else { "warn" }, settings.log_format)?;
    let catalogue = Arc::new(system::load_catalogue(settings.catalogue.as_deref())?);
    let length =
        std::fs::metadata(&args.file).map_err(|cause| format!("{}: {cause}", args.file.display()))?.len();
    let folder = args.files.as_deref().or_else(|| args.file.parent()).unwrap_or(Path::new("."));
    let entropy = edge::entropy();
    let log = engines::open_for_writing(&settings.engines, &entropy).await?;
    let sealer = Arc::new(Sealer::new(log.keys.clone(), entropy));
    let blobs = BlobStore::open(&settings.blobs.url(), sealer.clone())?;
    let files = import::Files::new(folder, blobs, settings.max_upload_bytes as u64).map_err(|cause| {
        format!("{}: {cause}; name the folder of the files with --files", folder.display())
    })?;
    let commands = Commands::new(log.store.clone(), sealer, catalogue, edge::clock(), import::CACHED_STREAMS);
    let bar = ProgressBar::new(length);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {percent}% {msg} {eta}")?);
    let imported = import::import(Arc::new(commands), &args.file, files, |told| match told {
        import::Told::Refused(line, refusal) => bar.suspend(|| {
            let _ = writeln!(std::io::stderr(), "line {line}: {}: {}", refusal.reason, refusal.message);
        }),
        import::Told::Progress(progress) => {
            bar.set_position(progress.bytes);
            bar.set_message(format!("{} cases", progress.imported + progress.repeated));
        }
    })
    .await;
    bar.finish_and_clear();
    log.close().await;
    let import::Progress { imported, repeated, refused, .. } = imported?;
    print(&format!("imported: {imported}, there already: {repeated}, refused: {refused}\n"))?;
    if refused > 0 {
        let kept = import::refused_path(&args.file);
        return Err(
            format!("{refused} lines were refused; correct and import them: {}", kept.display()).into()
        );
    }
    Ok(())
}

fn check_config(args: &SettingsArgs) -> Result<(), AnyError> {
    let settings = settings(args)?;
    let catalogue = system::load_catalogue(settings.catalogue.as_deref())?;
    articles::load(&catalogue, settings.catalogue.as_deref())?;
    print("the configuration is good\n")
}

async fn migrate(args: &SettingsArgs) -> Result<(), AnyError> {
    let settings = settings(args)?;
    logging::init(&settings.log, settings.log_format)?;
    start(&settings).await?.stop().await;
    print("the stores have the schema of this version\n")
}
