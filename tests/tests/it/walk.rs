//! The lines of the documentation work as they stand, and print what stands below them.

use std::path::Path;

use dossier_tests::process::{self, Process};
use dossier_tests::workspace;
use tokio::process::Command;

/// What the page says, in order: lines for a shell, and what they print.
fn steps(page: &str) -> Vec<(String, String)> {
    let mut steps: Vec<(String, String)> = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let mut text = String::new();
        if line == "```sh" || line == "```text" {
            for inside in lines.by_ref().take_while(|inside| *inside != "```") {
                text.push_str(inside);
                text.push('\n');
            }
        }
        match line {
            "```sh" => steps.push((text, String::new())),
            "```text" => steps.last_mut().expect("output stands below lines").1 = text,
            _ => {}
        }
    }
    steps
}

#[tokio::test]
async fn the_page_on_access_does_what_it_says() {
    for tool in ["curl", "jq"] {
        let found = std::process::Command::new("sh").args(["-c", &format!("command -v {tool}")]).output();
        assert!(
            found.is_ok_and(|found| found.status.success()),
            "the page needs {tool}: apt-get install {tool}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Process::start(&data).await;
    let page = std::fs::read_to_string(workspace::root().join("docs/ACCESS.md")).unwrap();
    let page = page.replace("http://127.0.0.1:8080", &server.url());
    let steps = steps(&page);
    assert!(steps.len() > 6, "the page lost its lines");
    // One shell for all of it, as its reader has one.
    let script = steps.iter().map(|(lines, _)| lines.as_str()).collect::<Vec<_>>().join("echo '----'\n");
    let programs = process::binary().parent().map(Path::to_path_buf).unwrap_or_default();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("PATH", path).env("DOSSIER_DATA", &data).kill_on_drop(true);
    let finished = process::finish(shell).await;
    let printed: Vec<&str> = finished.stdout.split("----\n").collect();
    for ((lines, expected), printed) in steps.iter().zip(printed) {
        assert_eq!(printed, expected, "{lines}\n{}", finished.stderr);
    }
    assert_eq!((finished.success, finished.stderr.as_str()), (true, ""));
    server.stop().await;
}
