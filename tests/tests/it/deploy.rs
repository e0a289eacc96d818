//! What lies in `deploy`: files that can be read, a configuration that the binary takes, metrics and messages that exist.

use std::path::{Path, PathBuf};

use dossier_tests::workspace;
use serde_json::Value;

mod configuration;
mod monitoring;
mod runbook;

fn folder() -> PathBuf {
    workspace::root().join("deploy")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents of a YAML file, merge keys applied.
fn yaml(path: &str) -> Vec<Value> {
    let text = read(path);
    let documents = text.split("\n---\n").map(|document| {
        let mut value: serde_norway::Value =
            serde_norway::from_str(document).unwrap_or_else(|error| panic!("{path}: {error}"));
        value.apply_merge().unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_json::to_value(value).unwrap_or_else(|error| panic!("{path}: {error}"))
    });
    documents.collect()
}

/// Files with an ending, by their path below `deploy`; what is made there and not committed is left out.
fn files(ending: &str) -> Vec<String> {
    let folder = folder();
    let below = workspace::files_below(&folder);
    let names = below.iter().filter_map(|path| path.strip_prefix(&folder).ok()?.to_str());
    let found: Vec<String> = names.filter(|name| name.ends_with(ending)).map(str::to_owned).collect();
    assert!(!found.is_empty(), "no {ending} below {}", folder.display());
    found
}

/// All sources of the product, one after the other, with texts that are broken over lines made whole.
fn sources() -> String {
    let mut all = String::new();
    for room in ["domain", "eventlog", "commands", "projections", "processes", "api"] {
        let paths = workspace::files_below(&workspace::root().join(room).join("src"));
        for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
            let text = std::fs::read_to_string(path).unwrap();
            let mut lines = text.lines();
            while let Some(line) = lines.next() {
                let mut line = line.to_owned();
                while line.ends_with('\\') {
                    line.pop();
                    line.push_str(lines.next().unwrap_or_default().trim_start());
                }
                all.push_str(&line);
                all.push('\n');
            }
        }
    }
    all
}

/// Words of a text that begin with a prefix.
fn words<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !in_word(c)).filter(|word| word.starts_with(prefix)).collect()
}

#[test]
fn every_structured_file_can_be_read() {
    for path in files(".yaml") {
        assert!(yaml(&path).iter().all(Value::is_object), "{path}");
    }
    for path in files(".json") {
        let _: Value = serde_json::from_str(&read(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}

#[test]
fn the_container_is_built_with_the_compiler_of_the_workspace_and_runs_as_nobody_known() {
    let container = read("Containerfile");
    let manifest = std::fs::read_to_string(workspace::root().join("Cargo.toml")).unwrap();
    let compiler = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    let compiler = compiler.trim_matches('"');
    assert!(container.contains(&format!("/rust:{compiler}-")), "not built with {compiler}");
    let user = container.lines().rfind(|line| line.starts_with("USER ")).expect("a user");
    let id: u32 = user["USER ".len()..].split(':').next().unwrap().parse().expect("a number");
    assert_eq!(
        yaml("kubernetes/node.yaml")[0]["spec"]["template"]["spec"]["securityContext"]["runAsUser"],
        id
    );
    assert!(read("compose.yaml").contains(&format!("uid={id},")));
}

#[test]
fn the_servers_of_the_bus_take_their_configuration() {
    let store = tempfile::tempdir().unwrap();
    let checked = std::process::Command::new("nats-server")
        .arg("-t")
        .arg("-c")
        .arg(folder().join("nats.conf"))
        .env("NATS_NAME", "nats-1")
        .env("NATS_STORE", store.path())
        .env("NATS_ROUTES", "[nats://nats-1:6222, nats://nats-2:6222]")
        .env("PATH", search_path())
        .output()
        .expect("nats-server is installed by deploy/install-test-requirements");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// Where programs are, those of servers too.
fn search_path() -> String {
    format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap_or_default())
}

#[tokio::test]
async fn the_health_check_tells_a_server_that_answers_from_one_that_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = dossier_tests::process::Process::start(&folder.path().join("data")).await;
    let address = server.address.to_string();
    assert!(is_healthy("/healthz", &address).await);
    assert!(is_healthy("/readyz", &address).await);
    assert!(!is_healthy("/elsewhere", &address).await, "404 is no health");
    server.stop().await;
    assert!(!is_healthy("/healthz", &address).await);
}

async fn is_healthy(path: &str, address: &str) -> bool {
    let script: &Path = &folder().join("healthcheck");
    let mut check = tokio::process::Command::new(script);
    check.args([path, address]).output().await.expect("bash is there").status.success()
}
