//! The contract as a program.

use std::process::{Command, Output};

use dossier_eventlog::contract::event_store;
use dossier_kurrentdb_double::Double;

async fn run(arguments: Vec<String>) -> (Option<i32>, String) {
    let program = tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_eventlog-contract")).args(arguments).output()
    });
    let Output { status, stdout, .. } = program.await.expect("no panic").expect("the program runs");
    (status.code(), String::from_utf8_lossy(&stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_runs_every_check_against_a_server_and_counts() {
    let double = Double::started().await;
    let (code, output) = run(vec![double.url()]).await;
    let count = event_store::checks().len();
    assert!(output.ends_with(&format!("\n{count} passed, 0 failed\n")), "{output}");
    assert_eq!(output.matches(" ... ok\n").count(), count);
    assert_eq!(code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_says_which_check_failed_and_why() {
    let double = Double::started().await;
    double.faults().refuse_all_to(".case-", "MaximumAppendSizeExceeded");
    let (code, output) = run(vec![double.url(), "--only=byte_for_byte".to_owned()]).await;
    assert!(output.starts_with("an_event_comes_back_byte_for_byte ... FAILED: "), "{output}");
    assert!(output.contains("\na first append is accepted: "), "{output}");
    assert!(output.ends_with("\n0 passed, 1 failed\n"), "{output}");
    assert_eq!(code, Some(1));
    double.faults().refuse_all_to(":log", "MaximumAppendSizeExceeded");
    let (code, output) = run(vec![double.url(), "--only=of_nothing".to_owned()]).await;
    assert!(output.contains("cannot be used: "), "{output}");
    assert_eq!(code, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_checks_other_engines_and_explains_what_it_does_not_know() {
    let folder = tempfile::TempDir::new().expect("a folder");
    for url in ["memory:".to_owned(), format!("sqlite:{}", folder.path().join("logs").display())] {
        let (code, output) = run(vec![url, "--only=_is_".to_owned()]).await;
        assert!(output.ends_with(" passed, 0 failed\n"), "{output}");
        assert_eq!(code, Some(0), "{output}");
    }
    let left = std::fs::read_dir(folder.path().join("logs")).expect("it was made").count();
    assert_eq!(left, 0, "the program cleans up");
    let (code, output) = run(vec!["mysql://root:secret@host".to_owned()]).await;
    assert!(output.contains("kurrentdb://") && !output.contains("secret"), "{output}");
    assert_eq!(code, Some(2));
}
