//! History from elsewhere: what customers and support see of imported cases, what is refused, and what importing again does.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dossier_api::app::App;
use dossier_api::import::{self, Files, Progress, Told, refused_path};
use dossier_commands::Commands;
use dossier_domain::CaseId;
use dossier_tests::people::{AGENT, ALICE, AUDITOR};
use dossier_tests::process;
use dossier_tests::profile::Profile;
use dossier_tests::{Client, Server};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

#[path = "import/files.rs"]
mod files;
#[path = "import/particulars.rs"]
mod particulars;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The largest file that the imports here take.
const MAX_FILE_BYTES: u64 = 1_000_000;
/// The file that the documented example names.
const DOCUMENTED_FILE: &str = "4711/disk.log";

/// The write side of a running server.
#[derive(Clone)]
struct OfServer(Arc<App>);

impl Deref for OfServer {
    type Target = Commands;

    fn deref(&self) -> &Commands {
        &self.0.commands
    }
}

/// A server, and a file to import there.
struct Import {
    server: Server,
    folder: tempfile::TempDir,
}

impl Import {
    async fn new() -> Self {
        Self { server: Server::start().await, folder: tempfile::tempdir().unwrap() }
    }

    /// Puts a file where lines may name it.
    fn put(&self, path: &str, content: &[u8]) {
        put(self.folder.path(), path, content);
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("cases.jsonl")
    }

    /// Imports lines, and answers what became of them, with number and reason of each that was refused. The read models have
    /// caught up.
    async fn lines(&self, lines: &[String]) -> (Progress, Vec<(u64, &'static str)>) {
        std::fs::write(self.file(), lines.join("\n")).unwrap();
        self.again(&self.file()).await
    }

    async fn again(&self, file: &Path) -> (Progress, Vec<(u64, &'static str)>) {
        let app = self.server.app();
        let mut refused = Vec::new();
        let files = Files::new(self.folder.path(), app.blobs.clone(), MAX_FILE_BYTES).unwrap();
        let done = import::import(OfServer(app.clone()), file, files, |told| {
            if let Told::Refused(line, refusal) = told {
                refused.push((line, refusal.reason));
            }
        });
        let progress = done.await.unwrap();
        let patience = std::time::Duration::from_secs(30);
        let head = self.server.head().await;
        self.server.app().read_models.wait_for(head, patience).await.unwrap();
        (progress, refused)
    }

    /// So long ago.
    fn ago(&self, time: SignedDuration) -> Timestamp {
        self.server.clock.now() - time
    }

    async fn get(&self, who: &str, path: &str) -> Value {
        self.server.client(who).get(path).await.ok()
    }
}

fn put(folder: &Path, path: &str, content: &[u8]) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn id(external_id: &str) -> CaseId {
    CaseId::imported("old-desk", external_id)
}

fn path(external_id: &str) -> String {
    format!("/v2/organizations/acme/cases/{}", id(external_id))
}

fn filed(external_id: &str, at: Timestamp, acts: &[Value]) -> Value {
    json!({
        "source": "old-desk",
        "externalId": external_id,
        "organization": "acme",
        "filedAt": at,
        "filer": {"email": ALICE, "displayName": "Alice of then"},
        "plan": "gold",
        "classification": "compute-vm",
        "displayName": "From elsewhere",
        "description": "It was long ago.",
        "priority": "P3",
        "acts": acts,
    })
}

fn by_alice(at: Timestamp, what: &Value) -> Value {
    json!({"at": at, "by": {"email": ALICE}, "side": "customer", "what": what})
}

fn by_support(at: Timestamp, what: &Value) -> Value {
    json!({"at": at, "by": {"email": "helper@desk.example"}, "side": "support", "what": what})
}

fn comment(body: &str) -> Value {
    json!({"type": "comment", "body": body})
}

fn closing() -> Value {
    json!({"type": "closing"})
}

fn progress(imported: u64, repeated: u64, refused: u64) -> (u64, u64, u64) {
    (imported, repeated, refused)
}

fn counts(done: &Progress) -> (u64, u64, u64) {
    (done.imported, done.repeated, done.refused)
}

fn micros(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_imported_case_shows_the_people_and_instants_of_then_to_both_sides() {
    let import = Import::new().await;
    let began = import.ago(DAY * 100);
    let at = |hours| began + SignedDuration::from_hours(hours);
    let acts = [
        by_support(at(1), &comment("We look into it.")),
        by_support(at(2), &json!({"type": "internal_note", "body": "psst"})),
        by_alice(at(3), &json!({"type": "priority_change", "priority": "P2"})),
        by_support(at(4), &json!({"type": "solution", "kind": "solved", "text": "Restart it."})),
        by_alice(at(5), &closing()),
    ];
    let (done, refused) = import.lines(&[filed("1", at(0), &acts).to_string()]).await;
    assert_eq!((counts(&done), refused), (progress(1, 0, 0), vec![]));

    let case = import.get(ALICE, &path("1")).await;
    assert_eq!((&case["state"], &case["priority"]), (&json!("CLOSED"), &json!("P2")), "{case}");
    assert_eq!(micros(&case["createTime"]), at(0));
    assert_eq!(case["creator"]["displayName"], "Alice of then");
    // The end of its window is the last that a customer may learn of.
    assert!(micros(&case["updateTime"]) <= import.server.clock.now() - DAY * 60, "{case}");
    let comments = import.get(ALICE, &format!("{}/comments", path("1"))).await;
    let comments = comments["comments"].as_array().unwrap();
    let first = comments.iter().find(|comment| comment["body"] == "We look into it.").unwrap();
    assert_eq!(micros(&first["createTime"]), at(1));
    assert!(!json!(comments).to_string().contains("psst"), "a note is support's");
    let notes = import.get(AGENT, &format!("{}/notes", path("1"))).await;
    assert_eq!(micros(&notes["notes"][0]["createTime"]), at(2), "{notes}");
    let listed = import.get(ALICE, "/v2/organizations/acme/cases?pageSize=100").await;
    let listed = listed["cases"].as_array().unwrap();
    assert!(listed.contains(&case), "the list shows the same");

    // The history tells both instants, and who did it then.
    let events = import.get(AUDITOR, &format!("{}/events?pageSize=100", path("1"))).await;
    let events = events["events"].as_array().unwrap();
    assert_eq!(micros(&events[0]["occurredAt"]), at(0), "{}", events[0]);
    assert!(micros(&events[0]["recordedAt"]) > at(24 * 99));
    assert_eq!(events[0]["actor"], import.server.actor(ALICE).account.to_string());
    assert_eq!(events[0]["data"]["imported_from"]["external_id"], "1");
    assert_ne!(events[1]["actor"], events[0]["actor"]);
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert!(
        !types.iter().any(|of| of.contains("Response")),
        "nothing of then is promised or missed: {types:?}"
    );
    // Somebody's account is theirs: the filer answers the survey of then.
    let alice = import.server.client(ALICE);
    let answered = alice.post(&format!("{}:answerSurvey", path("1")), &json!({"rating": 5})).await.ok();
    assert_eq!(answered["createTime"], case["createTime"], "a command answers the instants of then, too");
    // Nothing goes off by itself: what was imported and the answer are all that is there.
    import.server.clock.advance(DAY);
    let of_case = import.server.events().await;
    let of_case = of_case.iter().filter(|event| event.stream.id() == id("1").to_string()).count();
    assert_eq!(of_case, events.len() + 1);
}

/// R-REOPEN-1, R-REOPEN-2.
#[tokio::test]
async fn r_reopen_2_the_window_of_an_imported_case_counts_from_when_it_was_closed() {
    let import = Import::new().await;
    let closed = |days: i32| {
        let acts = [by_alice(import.ago(DAY * days), &closing())];
        filed(&days.to_string(), import.ago(DAY * 90), &acts).to_string()
    };
    let (done, _) = import.lines(&[closed(29), closed(31)]).await;
    assert_eq!(counts(&done), progress(2, 0, 0));
    let alice = import.server.client(ALICE);
    let say =
        async |case: &str| alice.post(&format!("{}/comments", path(case)), &json!({"body": "Again."})).await;
    say("29").await.ok();
    assert_eq!(import.get(ALICE, &path("29")).await["state"], "IN_PROGRESS_GOOGLE_SUPPORT");
    let refused = say("31").await;
    refused.refused(400, "REOPEN_WINDOW_ENDED");
}

#[tokio::test]
async fn lines_that_do_not_fit_are_listed_and_kept_and_the_others_are_imported_once() {
    let import = Import::new().await;
    let at = |days: i32| import.ago(DAY * days);
    let good = filed("1", at(10), &[by_alice(at(9), &comment("first"))]);
    let with = |external_id: &str, field: &str, value: Value| {
        let mut line = filed(external_id, at(10), &[]);
        line[field] = value;
        line.to_string()
    };
    let lines = [
        good.to_string(),
        // The same once more, in another layout.
        serde_json::to_string_pretty(&good).unwrap().replace('\n', " "),
        // The same case with another history.
        filed("1", at(10), &[by_alice(at(9), &comment("second"))]).to_string(),
        String::new(),
        "{\"source\": \"old".to_owned(),
        "\u{feff}[]".to_owned(),
        with("2", "displayname", json!("misspelt")),
        with("3", "organization", json!("nowhere")),
        with("4", "organization", json!("No Name")),
        with("5", "classification", json!("unheard-of")),
        with("6", "filedAt", json!("yesterday")),
        with("7", "filer", json!({"email": "no address"})),
        // Out of order, and on a closed case.
        filed("8", at(10), &[by_alice(at(8), &comment("b")), by_alice(at(9), &comment("a"))]).to_string(),
        filed("9", at(10), &[by_alice(at(9), &closing()), by_alice(at(8), &closing())]).to_string(),
        with("10", "filedAt", json!(at(-1))),
        filed("12", at(10), &[]).to_string(),
    ];
    let (done, refused) = import.lines(&lines).await;
    let expected = [
        (3, "IMPORTED_DIFFERENTLY"),
        (5, "MALFORMED_LINE"),
        (6, "MALFORMED_LINE"),
        (7, "MALFORMED_LINE"),
        (8, "INVALID_FIELD"),
        (9, "INVALID_FIELD"),
        (10, "INVALID_FIELD"),
        (11, "MALFORMED_LINE"),
        (12, "INVALID_FIELD"),
        (13, "INVALID_FIELD"),
        (14, "CASE_CLOSED"),
        (15, "INVALID_FIELD"),
    ];
    assert_eq!((counts(&done), &refused[..]), (progress(2, 1, 12), &expected[..]));
    let alice = import.server.client(ALICE);
    for external_id in 2..12 {
        alice.get(&path(&external_id.to_string())).await.refused(404, "CASE_NOT_FOUND");
    }
    // What was refused is kept as it was.
    let kept = std::fs::read_to_string(refused_path(&import.file())).unwrap();
    let kept: Vec<_> = kept.lines().collect();
    let numbers = expected.iter().map(|(line, _)| usize::try_from(*line).unwrap());
    assert_eq!(kept, numbers.map(|line| lines[line - 1].as_str()).collect::<Vec<_>>());

    // Importing again changes nothing; what was corrected is imported by itself.
    let head = import.server.deeds().await;
    let (done, again) = import.again(&import.file()).await;
    assert_eq!((counts(&done), again), (progress(0, 3, 12), refused));
    assert_eq!(import.server.deeds().await, head);
    let corrected = import.folder.path().join("corrected.jsonl");
    std::fs::write(&corrected, with("2", "displayName", json!("Well spelt"))).unwrap();
    assert_eq!(counts(&import.again(&corrected).await.0), progress(1, 0, 0));
    assert_eq!(import.get(ALICE, &path("2")).await["displayName"], "Well spelt");
    assert!(!refused_path(&corrected).exists());
    // All of it was imported: nothing is kept.
    std::fs::write(import.file(), good.to_string()).unwrap();
    assert_eq!(counts(&import.again(&import.file()).await.0), progress(0, 1, 0));
    assert!(!refused_path(&import.file()).exists());
}

/// A file whose import ended half way is imported to its end.
#[tokio::test]
async fn what_is_there_is_skipped_and_the_rest_is_imported() {
    let import = Import::new().await;
    let line = |number: u32| filed(&number.to_string(), import.ago(DAY * 3), &[]).to_string();
    let lines: Vec<_> = (0..700).map(line).collect();
    assert_eq!(counts(&import.lines(&lines[..300]).await.0), progress(300, 0, 0));
    let (done, _) = import.lines(&lines).await;
    assert_eq!(counts(&done), progress(400, 300, 0));
    assert_eq!(done.bytes, std::fs::metadata(import.file()).unwrap().len());
}

fn documented() -> String {
    let text = std::fs::read_to_string(dossier_tests::workspace::root().join("docs/IMPORT.md")).unwrap();
    let (_, example) = text.split_once("```json\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    serde_json::from_str::<Value>(example).unwrap().to_string()
}

fn schema() -> Value {
    let path = dossier_tests::workspace::root().join("schemas/import/case.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn the_documented_example_is_imported_and_the_schema_knows_its_names() {
    let import = Import::new().await;
    import.put(DOCUMENTED_FILE, b"no space left");
    let (done, refused) = import.lines(&[documented()]).await;
    assert_eq!((counts(&done), refused), (progress(1, 0, 0), vec![]));
    let case = import.get(ALICE, &path("4711")).await;
    assert_eq!(
        (&case["state"], &case["createTime"]),
        (&json!("CLOSED"), &json!("2025-11-03T08:15:00.000000Z"))
    );
    let (schema, example) = (schema(), serde_json::from_str::<Value>(&documented()).unwrap());
    assert_eq!(schema["additionalProperties"], false);
    for name in example.as_object().unwrap().keys() {
        assert!(schema["properties"].get(name).is_some(), "{name}");
    }
}

/// A command that imports into the stores of a server.
async fn cli(
    server_data: &Path,
    environment: &[(&'static str, String)],
    file: &Path,
    files: Option<&Path>,
) -> dossier_tests::Finished {
    let (data, file) = (server_data.display().to_string(), file.display().to_string());
    let mut command = process::command(&["import", &file, "--data", &data, "--dev"]);
    if let Some(files) = files {
        command.arg("--files").arg(files);
    }
    command.envs(environment.iter().cloned());
    process::finish(command).await
}

#[tokio::test]
async fn the_command_imports_beside_servers_and_ends_politely_where_one_holds_the_log() {
    let import = Import::new().await;
    let good = documented();
    let lines = [good.clone(), "no JSON".to_owned()];
    std::fs::write(import.file(), lines.join("\n")).unwrap();
    let Import { server, folder } = import;
    let (file, mut environment) = (folder.path().join("cases.jsonl"), server.environment());
    let (server, data) = match Profile::current() {
        Profile::Embedded => {
            let before = server.deeds().await;
            let finished = cli(server.data(), &environment, &file, None).await;
            assert!(!finished.success && finished.stderr.contains("another process"), "{}", finished.stderr);
            assert_eq!(server.deeds().await, before);
            (None, server.stop().await)
        }
        Profile::Fleet => {
            let data = tempfile::tempdir().unwrap();
            environment.push(("DOSSIER_BLOBS_URL", format!("file:{}/blobs", server.data().display())));
            (Some(server), data)
        }
    };
    let nowhere = folder.path().join("nowhere");
    let finished = cli(data.path(), &environment, &file, Some(&nowhere)).await;
    assert!(!finished.success && finished.stderr.contains("nowhere: "), "{}", finished.stderr);
    // Beside the imported file there is none.
    let finished = cli(data.path(), &environment, &file, None).await;
    assert_eq!(finished.stdout, "imported: 0, there already: 0, refused: 2\n", "{}", finished.stderr);
    assert!(finished.stderr.contains("line 1: FILE_NOT_FOUND: act 1 "), "{}", finished.stderr);
    let files = folder.path().join("files");
    put(&files, DOCUMENTED_FILE, b"no space left");
    let finished = cli(data.path(), &environment, &file, Some(&files)).await;
    assert!(!finished.success, "a line was refused");
    assert_eq!(finished.stdout, "imported: 1, there already: 0, refused: 1\n", "{}", finished.stderr);
    assert!(finished.stderr.contains("line 2: MALFORMED_LINE: "), "{}", finished.stderr);
    assert!(finished.stderr.contains("cases.jsonl.refused.jsonl"), "{}", finished.stderr);
    std::fs::write(&file, good).unwrap();
    let finished = cli(data.path(), &environment, &file, None).await;
    assert!(finished.success, "{}", finished.stderr);
    assert_eq!(finished.stdout, "imported: 0, there already: 1, refused: 0\n");
    let Some(server) = server else {
        let kept = dossier_tests::workspace::files_below(&data.path().join("blobs"));
        assert_eq!(kept.into_iter().filter(|path| path.is_file()).count(), 1);
        return;
    };
    let head = server.head().await;
    server.app().read_models.wait_for(head, std::time::Duration::from_secs(30)).await.unwrap();
    let alice: Client = server.client(ALICE);
    assert_eq!(alice.get(&path("4711")).await.ok()["displayName"], "Machines do not start");
    let attached = alice.get(&format!("{}/attachments", path("4711"))).await.ok();
    assert_eq!(files::content(&alice, &attached["attachments"][0]).await, b"no space left");
}
