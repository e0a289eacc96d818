//! `eventlog-contract URL`: the contract of the event store against any store, one line per check.

mod subject;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser;
use dossier_eventlog::EventStore;
use dossier_eventlog::contract::{Check, event_store};
use tokio::time::timeout;

use subject::Engine;

/// Runs the contract of the event store against a store
#[derive(Debug, Parser)]
#[command(
    name = "eventlog-contract",
    version,
    after_help = "Examples:\n  eventlog-contract memory:\n  eventlog-contract sqlite:/tmp/contract\n  \
        eventlog-contract 'kurrentdb://127.0.0.1:2113?tls=false'\n  eventlog-contract double:\n\n\
        Each check gets an empty log: a namespace, a database or a file of its own. Namespaces stay on the server.\n\
        Ends with 0 when every check passes, with 1 when one fails, with 2 when nothing could be checked."
)]
struct Cli {
    /// memory:, sqlite:FOLDER, postgres://…, kurrentdb://… (or esdb://…), or double: for KurrentDB's double
    url: String,
    /// Runs only the checks whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Seconds that a check may take
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    check_timeout: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // Two providers are linked: whoever speaks TLS needs to know which.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let engine = match Engine::new(&cli.url).await {
        Ok(engine) => engine,
        Err(reason) => {
            say(&format!("error: {reason}"));
            return ExitCode::from(2);
        }
    };
    let panics = collect_panics();
    let (mut passed, mut failed) = (0, 0);
    for (name, check) in event_store::checks() {
        if !name.contains(&cli.only) {
            continue;
        }
        match run(&engine, check, Duration::from_secs(cli.check_timeout)).await {
            Ok(()) => {
                passed += 1;
                say(&format!("{name} ... ok"));
            }
            Err(reason) => {
                failed += 1;
                say(&format!("{name} ... FAILED: {reason}"));
                for panic in panics.lock().expect("no holder of the lock panics").drain(..) {
                    say(&format!("    {panic}"));
                }
            }
        }
    }
    say(&format!("{passed} passed, {failed} failed"));
    match (passed, failed) {
        (0, 0) => ExitCode::from(2),
        (_, 0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Runs a check on an empty log.
async fn run(engine: &Engine, check: Check<dyn EventStore>, patience: Duration) -> Result<(), String> {
    let subject = engine.fresh().await?;
    let mut task = tokio::spawn(check(Arc::clone(&subject.store)));
    let ended = timeout(patience, &mut task).await;
    task.abort();
    let result = match ended {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err("what it expects does not hold".to_owned()),
        Err(_) => Err(format!("it did not end within {} s", patience.as_secs())),
    };
    let cleaned = subject.discard().await;
    result.and(cleaned)
}

/// Takes what failing checks say, to print it with the check's name.
fn collect_panics() -> Arc<Mutex<Vec<String>>> {
    let panics = Arc::<Mutex<Vec<String>>>::default();
    let collected = Arc::clone(&panics);
    std::panic::set_hook(Box::new(move |panic| {
        if let Ok(mut panics) = collected.lock() {
            panics.push(panic.to_string());
        }
    }));
    panics
}

/// A line of output. Nobody may be reading any more.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
