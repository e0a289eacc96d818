//! A disk that takes no more: commands are refused, reads go on, nothing is stored twice, and it all comes back by itself.
//!
//! Files are kept from growing by the process's own limit on their size, which needs no privileges.

use std::path::Path;

use dossier_tests::people::ALICE;
use dossier_tests::process::{self, Process, binary};
use dossier_tests::server::sample_case;
use dossier_tests::{Answer, Client, log};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::load::Chance;

const CASES: &str = "/v2/organizations/acme/cases";
/// Room for some pages, and not for a long description.
const ROOM_BYTES: u64 = 32 * 1024;

/// A server to which a write past the limit fails, instead of ending it.
async fn start(data: &Path) -> Process {
    let mut shell = Command::new("sh");
    let serve = "trap '' XFSZ; exec \"$0\" serve --dev --listen 127.0.0.1:0 --data \"$1\"";
    shell.arg("-c").arg(serve).arg(binary()).arg(data).kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("DOSSIER_") {
            shell.env_remove(name);
        }
    }
    Process::start_as(shell, data).await
}

/// Sets the size beyond which no file of the process grows.
async fn limit(server: &Process, bytes: &str) {
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &server.id().to_string(), &format!("--fsize={bytes}:")]);
    let finished = process::finish(prlimit).await;
    assert!(finished.success, "prlimit of util-linux is needed: {}", finished.stderr);
}

async fn file(client: &Client, number: u128, body: &Value) -> Answer {
    let key = uuid::Uuid::from_u128(number).to_string();
    client.call(Method::POST, CASES).header("idempotency-key", key).json(body).send().await
}

/// A case whose description does not get shorter by compression.
fn long_case() -> Value {
    let mut chance = Chance::new(7);
    let letter = |number: u64| char::from_u32(0x4e00 + u32::try_from(number % 0x5000).unwrap()).unwrap();
    let mut case = sample_case();
    case["description"] = json!((0..40_000).map(|_| letter(chance.next())).collect::<String>());
    case
}

#[tokio::test]
async fn a_full_disk_refuses_commands_reads_go_on_and_it_recovers_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = start(&data).await;
    let client = server.anonymous().with_token(Some(process::token(&data, ALICE).await));
    let (short, long) = (sample_case(), long_case());
    let before = file(&client, 1, &short).await.ok();
    let listed = async || client.get(CASES).await.ok()["cases"][0].clone();

    // Room for little: what does not fit is known not to be stored.
    let written = std::fs::metadata(data.join("events.db-wal")).unwrap().len();
    limit(&server, &(written + ROOM_BYTES).to_string()).await;
    for number in 2..4 {
        let refused = file(&client, number, &long).await;
        assert_eq!(refused.refused(503, "STORE_UNAVAILABLE")["status"], "UNAVAILABLE");
        assert!(refused.header("retry-after").is_some());
        assert_eq!(listed().await, before, "reads go on, and show what was acknowledged and no more");
    }

    // Room for nothing, not for log lines either: what a broken commit has left cannot be known.
    limit(&server, "0").await;
    for number in 4..6 {
        let refused = file(&client, number, &short).await;
        assert!(
            [(500, "OUTCOME_UNKNOWN"), (503, "STORE_UNAVAILABLE")]
                .contains(&(refused.status, refused.reason().as_str())),
            "{}",
            refused.text()
        );
        assert_eq!(listed().await, before);
    }
    assert_eq!(file(&client, 1, &short).await.ok(), before, "a repeat needs no room");

    // The same requests again, as whoever was refused sends them.
    limit(&server, "unlimited").await;
    for (number, body) in [(2, &long), (3, &long), (4, &short), (5, &short)] {
        assert_eq!(file(&client, number, body).await.ok()["description"], body["description"]);
    }
    let newest = file(&client, 6, &short).await;
    let call = client.call(Method::GET, CASES).header("dossier-min-position", newest.position().to_string());
    let caught_up = call.header("dossier-max-wait", "30").send().await.ok();
    assert_eq!(caught_up["cases"][0], newest.ok());
    assert_eq!(server.anonymous().get("/readyz").await.ok()["ready"], true);
    server.stop().await;
    let filed = log::of_data(&data).await.iter().filter(|event| &*event.event_type == "CaseFiled").count();
    let sample_cases = 9;
    assert_eq!(filed, sample_cases + 6, "each once");
}
