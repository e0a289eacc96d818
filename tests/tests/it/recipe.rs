//! What `dossier serve --dev` prints works as it is pasted.

use dossier_tests::process::{self, Process};
use dossier_tests::{Finished, log};
use serde_json::Value;
use tokio::process::Command;

/// The lines of a greeting that are there to be pasted: the indented ones.
fn pasted(greeting: &str) -> String {
    greeting.lines().filter(|line| line.starts_with("  ")).collect::<Vec<_>>().join("\n")
}

async fn shell(script: &str) -> Finished {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).kill_on_drop(true);
    process::finish(shell).await
}

#[tokio::test]
async fn the_printed_recipe_gets_a_token_files_a_case_and_lists_it() {
    let curl = shell("command -v curl").await;
    assert!(curl.success, "curl is needed to try what the server prints: apt-get install curl");
    let folder = tempfile::tempdir().unwrap();
    // A path that only careful quoting survives.
    let data = folder.path().join("it's a \"data\" $HOME directory");
    let server = Process::start(&data).await;
    let script = pasted(&server.greeting);
    assert!(script.contains("TOKEN=") && script.contains("curl"), "{}", server.greeting);
    let finished = shell(&script).await;
    assert!(finished.success, "{script}\n{}", finished.stderr);
    let answers: Vec<Value> =
        serde_json::Deserializer::from_str(&finished.stdout).into_iter().collect::<Result<_, _>>().unwrap();
    let [filed, listed] = &answers[..] else { panic!("{}", finished.stdout) };
    assert_eq!(
        (filed["displayName"].as_str(), filed["priority"].as_str()),
        (Some("My first case"), Some("P3"))
    );
    assert_eq!(&listed["cases"][0], filed);
    assert_eq!(listed["cases"].as_array().map(Vec::len), Some(4), "the sample cases too");

    let docs =
        server.greeting.lines().find_map(|line| line.strip_prefix("All methods: ")).expect("a reference");
    let path = docs.strip_prefix(&server.url()).expect("of this server");
    assert_eq!(server.anonymous().get(path).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_second_start_on_the_same_data_adds_no_event() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Process::start(&data).await.stop().await;
    let first = log::of_data(&data).await;
    assert!(first.len() > 40, "the sample data");
    Process::start(&data).await.stop().await;
    assert_eq!(log::of_data(&data).await, first);
}
