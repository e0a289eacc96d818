//! A backup put back beside parts that have gone on: they notice, say what to do, and that mends them. The steps are those of
//! `deploy/RUNBOOK.md`.

use std::path::Path;
use std::time::Duration;

use dossier_tests::client::{Answer, Client};
use dossier_tests::people::ALICE;
use dossier_tests::process::{self, Process, token};
use dossier_tests::server::file_case;
use serde_json::Value;

/// How long a part may take to notice or to recover before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Copies one database while a server may be using it.
async fn back_up(data: &Path, name: &str, to: &Path) {
    use sqlx::ConnectOptions;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join(name)).read_only(true);
    let mut connection = options.connect().await.unwrap();
    let copy = to.join(name).display().to_string();
    sqlx::query("VACUUM INTO $1").bind(copy).execute(&mut connection).await.unwrap();
}

/// Puts the copy of a database in the place of the one that a stopped server has left.
fn put_back(copies: &Path, name: &str, data: &Path) {
    for side in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(data.join(format!("{name}{side}")));
    }
    std::fs::copy(copies.join(name), data.join(name)).unwrap();
}

/// Looks at `/readyz` until it answers with a status.
async fn readiness(client: &Client, status: u16) -> Answer {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let answer = client.get("/readyz").await;
        if answer.status == status {
            return answer;
        }
        assert!(std::time::Instant::now() < deadline, "{}: {}", answer.status, answer.text());
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// What the read models complain about, by name.
fn complaints(readiness: &Answer) -> Vec<(String, String)> {
    let body: Value = serde_json::from_slice(&readiness.bytes).unwrap();
    let models = body["readModels"].as_object().unwrap();
    let complaint = |part: &Value| part["lastError"].as_str().unwrap_or_default().to_owned();
    models.iter().map(|(name, part)| (name.clone(), complaint(part))).collect()
}

/// Names of the cases that a list shows.
async fn listed(client: &Client) -> Vec<String> {
    let page = client.get("/v2/organizations/acme/cases?pageSize=100").await.ok();
    let names = page["cases"].as_array().unwrap().iter().map(|case| case["name"].as_str().unwrap());
    names.map(|name| format!("/v2/{name}")).collect()
}

#[tokio::test]
async fn read_models_beside_an_older_log_say_rebuild_and_are_mended_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copies) = (folder.path().join("data"), folder.path().join("copies"));
    std::fs::create_dir(&copies).unwrap();
    let server = Process::start(&data).await;
    let alice = token(&data, ALICE).await;
    let client = server.anonymous().with_token(Some(alice.clone()));
    let kept = file_case(&client, "acme").await;
    // The log first: keys that came later than the copy of the log do no harm, keys that it lacks do.
    back_up(&data, "events.db", &copies).await;
    back_up(&data, "keys.db", &copies).await;
    let lost = file_case(&client, "acme").await;
    server.stop().await;

    put_back(&copies, "events.db", &data);
    put_back(&copies, "keys.db", &data);
    let server = Process::start(&data).await;
    let client = server.anonymous().with_token(Some(alice));
    let halted = complaints(&readiness(&client, 503).await);
    assert!(!halted.is_empty());
    for (model, complaint) in &halted {
        assert!(complaint.contains("the log was restored"), "{model}: {complaint}");
        assert!(complaint.contains(&format!("dossier rebuild {model}")), "{model}: {complaint}");
    }
    assert_eq!(client.get("/healthz").await.status, 200, "it lives, and is not to be started again for this");
    // The log itself is whole: commands are decided on it.
    let newer = file_case(&client, "acme").await;

    let finished = process::run(&["rebuild", "--all", "--data", &data.display().to_string()]).await;
    assert!(finished.success, "{}", finished.stderr);
    for (model, complaint) in complaints(&readiness(&client, 200).await) {
        assert_eq!(complaint, "", "{model}");
    }
    let listed = listed(&client).await;
    assert!(listed.contains(&kept) && listed.contains(&newer), "{listed:?}");
    assert!(!listed.contains(&lost), "what the log does not know is gone: {listed:?}");
    assert_eq!(client.get(&lost).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_copy_of_the_log_serves_with_keys_that_were_copied_later() {
    let folder = tempfile::tempdir().unwrap();
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    std::fs::create_dir(&other).unwrap();
    let server = Process::start(&data).await;
    let alice = token(&data, ALICE).await;
    let client = server.anonymous().with_token(Some(alice.clone()));
    let kept = file_case(&client, "acme").await;
    let before = client.get(&kept).await.ok();
    back_up(&data, "events.db", &other).await;
    file_case(&client, "acme").await;
    back_up(&data, "keys.db", &other).await;
    server.stop().await;

    // A machine that has nothing but the two copies and the sample issuer's key: no work store either.
    std::fs::copy(data.join("dev-issuer.pem"), other.join("dev-issuer.pem")).unwrap();
    let path = other.display().to_string();
    let mut command = process::command(&["serve", "--dev", "--data", &path, "--listen", "127.0.0.1:0"]);
    command.args(["--lost-work-store", "begin-at-head"]);
    let server = Process::start_as(command, &other).await;
    let client = server.anonymous().with_token(Some(alice));
    readiness(&client, 200).await;
    assert_eq!(client.get(&kept).await.ok(), before, "texts are readable, the revision is the same");
    server.stop().await;
}

#[tokio::test]
async fn keys_older_than_the_log_are_noticed_and_not_taken_for_erased_ones() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Process::start(&data).await.stop().await;
    forget_keys(&data).await;
    // Read models that are built anew meet the values that nothing opens.
    for name in ["read.db", "read.db-wal", "read.db-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    // Without the sample data, which would be filed again and need the keys at the start.
    let path = data.display().to_string();
    let mut command = process::command(&["serve", "--data", &path, "--listen", "127.0.0.1:0"]);
    command.args(["--oidc-issuer", "http://127.0.0.1:9", "--oidc-audience", "dossier"]);
    let server = Process::start_as(command, &data).await;
    let halted = complaints(&readiness(&server.anonymous(), 503).await);
    let all = format!("{halted:?}");
    assert!(
        all.contains("the key store is incomplete") && all.contains("restore it from its backup"),
        "{all}"
    );
    server.stop().await;
}

/// Makes the key store one from before anybody came.
async fn forget_keys(data: &Path) {
    use sqlx::ConnectOptions;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("keys.db"));
    let mut connection = options.connect().await.unwrap();
    let forgotten = sqlx::query("DELETE FROM subject_key").execute(&mut connection).await.unwrap();
    assert!(forgotten.rows_affected() > 0);
    sqlx::Connection::close(connection).await.unwrap();
}
