//! Trouble at the start: the process ends, and one sentence says what to do.

use std::path::Path;

use dossier_tests::process::{self, Process, command};
use tempfile::TempDir;

/// Flags, environment, and what the complaint must say.
type BadValue<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a [&'a str]);

/// A data directory that a server has used and left in order.
async fn used() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Process::start(&data).await.stop().await;
    (folder, data)
}

/// Runs a command that must end with one sentence on standard error, and nothing of a programmer's.
async fn complaint(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let mut command = command(arguments);
    command.envs(environment.iter().copied());
    let finished = process::finish(command).await;
    assert!(!finished.success, "{arguments:?} went well: {}", finished.stdout);
    assert_eq!(finished.stdout, "", "{arguments:?}");
    let sentence = finished.stderr.trim_end();
    assert!(sentence.starts_with("dossier: ") && sentence.lines().count() == 1, "{arguments:?}: {sentence}");
    for leak in ["panicked", "Error {", "Os {", "Some(", "Err("] {
        assert!(!sentence.contains(leak), "{sentence}");
    }
    sentence.to_owned()
}

/// The complaint of `serve --dev` on a data directory.
async fn refused(data: &Path) -> String {
    let data = data.display().to_string();
    complaint(&["serve", "--dev", "--data", &data, "--listen", "127.0.0.1:0", "--log", "error"], &[]).await
}

fn assert_says(sentence: &str, parts: &[&str]) {
    for part in parts {
        assert!(sentence.contains(part), "`{part}` is missing: {sentence}");
    }
}

#[tokio::test]
async fn a_data_directory_in_use_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let running = Process::start(&data).await;
    assert_says(&refused(&data).await, &["events.db", "in use by another process", "stop that one first"]);
    assert_eq!(running.anonymous().get("/readyz").await.ok()["ready"], true);
    running.stop().await;
}

#[tokio::test]
async fn a_log_that_is_something_else_is_not_touched() {
    let (_folder, data) = used().await;
    let events = data.join("events.db");
    let keys = std::fs::read(data.join("keys.db")).unwrap();
    for foreign in [b"Dear diary, this is no database at all.".repeat(200), keys] {
        std::fs::write(&events, &foreign).unwrap();
        assert_says(
            &refused(&data).await,
            &["events.db", "is not a Dossier event log", "move this one away"],
        );
        assert_eq!(std::fs::read(&events).unwrap(), foreign);
    }
}

#[tokio::test]
async fn a_torn_log_is_noticed() {
    let (_folder, data) = used().await;
    let events = data.join("events.db");
    let whole = std::fs::read(&events).unwrap();
    let torn = &whole[..whole.len() / 2 / 4096 * 4096];
    std::fs::write(&events, torn).unwrap();
    assert_says(&refused(&data).await, &["events.db", "damaged", "restore it from the last backup"]);
}

#[tokio::test]
async fn keys_that_are_missing_or_of_another_log_are_noticed() {
    let (_folder, data) = used().await;
    let (_other_folder, other) = used().await;
    let keys = data.join("keys.db");
    let own = std::fs::read(&keys).unwrap();
    std::fs::remove_file(&keys).unwrap();
    assert_says(&refused(&data).await, &["keys.db", "missing", "restore it from its backup"]);
    assert!(!keys.exists(), "no empty key store is put in its place");
    std::fs::copy(other.join("keys.db"), &keys).unwrap();
    assert_says(&refused(&data).await, &["keys.db", "holds the keys of log", "backed up with this log"]);
    std::fs::write(&keys, b"no database".repeat(500)).unwrap();
    assert_says(&refused(&data).await, &["keys.db", "is not a Dossier key store"]);
    std::fs::write(&keys, own).unwrap();
    Process::start(&data).await.stop().await;
}

#[tokio::test]
async fn a_read_database_that_is_something_else_is_named() {
    let (_folder, data) = used().await;
    std::fs::write(data.join("read.db"), b"no database".repeat(500)).unwrap();
    assert_says(&refused(&data).await, &["read.db"]);
}

#[tokio::test]
async fn an_issuers_key_that_is_none_is_named() {
    let (_folder, data) = used().await;
    std::fs::write(data.join("dev-issuer.pem"), "no key").unwrap();
    assert_says(&refused(&data).await, &["dev-issuer.pem", "remove it"]);
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // Root reads and writes everything, so a file stands where the directory should be.
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for data in [file.clone(), file.join("below")] {
        assert_says(&refused(&data).await, &["data: ", "cannot be used", "give a directory"]);
    }
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let arguments = ["serve", "--dev", "--data", &data, "--listen", &address];
    assert_says(
        &complaint(&arguments, &[("DOSSIER_LOG", "error")]).await,
        &["listen: ", &address, "port 0 picks one"],
    );
}

#[tokio::test]
async fn a_bad_catalogue_is_named_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalogue.toml");
    let path = file.display().to_string();
    let plan = "[[plans]]\nid = \"silver\"\ndisplay_name = \"Silver\"\npriorities = [\"P1\"]\n";
    let product = "[[products]]\nid = \"compute\"\ndisplay_name = \"C\"\neligible_plans = [\"bronze\"]\n";
    for text in
        ["plans = 5".to_owned(), "[[plans".to_owned(), format!("languages = [\"en\"]\n{plan}{product}")]
    {
        std::fs::write(&file, &text).unwrap();
        for verb in ["check-config", "serve"] {
            let data = folder.path().join("data").display().to_string();
            let arguments = [verb, "--dev", "--catalogue", &path, "--data", &data, "--listen", "127.0.0.1:0"];
            assert_says(&complaint(&arguments, &[]).await, &["catalogue", &path]);
        }
    }
    let missing = complaint(&["check-config", "--dev", "--catalogue", "/nowhere.toml"], &[]).await;
    assert_says(&missing, &["/nowhere.toml"]);
}

#[tokio::test]
async fn a_bad_value_is_named_with_its_key_wherever_it_came_from() {
    let bad: &[BadValue] = &[
        (&["--dev", "--listen", "everywhere"], &[], &["listen", "everywhere", "127.0.0.1:8080"]),
        (&["--dev", "--listen", "0.0.0.0:0"], &[], &["loopback"]),
        (&["--dev", "--max-body-bytes", "1"], &[], &["max-body-bytes", "64KiB"]),
        (&["--dev", "--request-timeout", "soon"], &[], &["request-timeout", "30s"]),
        (&["--dev", "--log-format", "xml"], &[], &["log-format", "json"]),
        (&["--dev", "--roles", "api"], &[], &["roles", "one process"]),
        (&["--dev=perhaps"], &[], &["dev", "true or false"]),
        (&["--dev", "--oidc-issuer", "https://accounts.example.com"], &[], &["--dev"]),
        (&[], &[], &["oidc_issuer", "--dev"]),
        (
            &["--oidc-issuer", "accounts"],
            &[("DOSSIER_OIDC_AUDIENCE", "dossier")],
            &["oidc-issuer", "accounts"],
        ),
        (
            &["--dev"],
            &[("DOSSIER_EVENT_STORE_URL", "mysql://db/x")],
            &["DOSSIER_EVENT_STORE_URL", "sqlite:PATH"],
        ),
        (&["--dev"], &[("DOSSIER_BUS_URL", "kafka://n")], &["DOSSIER_BUS_URL", "nats://"]),
        (&["--dev"], &[("DOSSIER_SMTP_URL", "ftp://m")], &["DOSSIER_SMTP_URL", "smtp://"]),
        (&["--dev"], &[("DOSSIER_LOG", "loud,,=")], &["DOSSIER_LOG", "info"]),
        (&["--dev", "--config", "/nowhere.toml"], &[], &["/nowhere.toml"]),
    ];
    for (flags, environment, parts) in bad {
        for verb in ["serve", "check-config"] {
            let arguments: Vec<&str> = [verb].into_iter().chain(flags.iter().copied()).collect();
            assert_says(&complaint(&arguments, environment).await, parts);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dossier.toml");
    let path = file.display().to_string();
    for (text, part) in [("listen = 5.5", "listen"), ("lisssten = \"x\"", "lisssten"), ("listen =", "line 1")]
    {
        std::fs::write(&file, text).unwrap();
        assert_says(&complaint(&["check-config", "--dev", "--config", &path], &[]).await, &[part, &path]);
    }
}

#[tokio::test]
async fn the_commands_beside_a_server_say_what_they_miss() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let token = complaint(&["token", "--email", "alice@acme.example", "--data", &data], &[]).await;
    assert_says(&token, &["dev-issuer.pem", "dossier serve --dev"]);
    let rebuild = complaint(&["rebuild", "--all", "--data", &data], &[]).await;
    assert_says(&rebuild, &["no server answers", "dossier serve --data"]);
    let replay = complaint(&["replay", "access-acme", "--data", &data], &[]).await;
    assert_says(&replay, &["events.db", "there is no log to read"]);

    let running = Process::start(&folder.path().join("data")).await;
    let data = folder.path().join("data").display().to_string();
    assert_says(&complaint(&["rebuild", "everything", "--data", &data], &[]).await, &["everything", "cases"]);
    assert_says(&complaint(&["replay", "case-nobody", "--data", &data], &[]).await, &["case-nobody"]);
    assert_says(
        &complaint(&["replay", "nonsense", "--data", &data], &[]).await,
        &["nonsense", "stream name"],
    );
    assert_says(&complaint(&["token", "--email", "alice", "--data", &data], &[]).await, &["alice"]);
    running.stop().await;
}
