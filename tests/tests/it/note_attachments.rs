//! Files on the notes that support writes for itself: agents attach, list and fetch them, and in nothing that a customer or a
//! reseller is answered is there a trace.

use dossier_processes::blob_sweep::BlobSweep;
use dossier_projections::case_history::BlobReferences;
use dossier_tests::people::{AGENT, AGENT_SOUTH, ALICE, ANALYST, AUDITOR, CAROL, ENGINEER, HANK, NINA};
use dossier_tests::server::{file_case, file_on_note};
use dossier_tests::{Answer, Client, Server, encoded};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

const NAMED: &str = "?attachment.filename=a.txt";
/// An id that nothing has.
const NOWHERE: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

async fn upload(client: &Client, note: &str, query: &str, content_type: &str, body: &[u8]) -> Answer {
    let call = client.call(Method::POST, &format!("/upload{note}/attachments{query}"));
    call.header("content-type", content_type).bytes(body).send().await
}

fn path_of(resource: &Value) -> String {
    format!("/v2/{}", resource["name"].as_str().expect("a name"))
}

/// The path of the note that a file hangs on.
fn note_of(file: &str) -> String {
    file.split_once("/attachments/").expect("a file of a note").0.to_owned()
}

/// A case of alice's, and the path of a file on a note on it.
async fn with_file() -> (Server, String, String) {
    let server = Server::start().await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let file = path_of(&file_on_note(&server.client(AGENT), &case).await);
    (server, case, file)
}

/// R-COMMENT-3, R-ATTACH-1: as with the files of a case, for whoever reads the note.
#[tokio::test]
async fn r_comment_3_an_agent_attaches_files_to_a_note_and_gets_them_back() {
    let (server, _, first) = with_file().await;
    let (agent, note) = (server.client(AGENT), note_of(&first));
    let related = "multipart/related; boundary=b";
    let body =
        b"--b\ncontent-type: application/json\n\n{\"attachment\": {\"filename\": \"dump \\u00e4.bin\"}}\n--b\ncontent-type: application/x-dump; v=1\n\n0123456789\n--b--";
    let dump = upload(&agent, &note, "?uploadType=multipart", related, body).await.ok();
    assert_eq!(
        (&dump["filename"], &dump["mimeType"]),
        (&json!("dump \u{e4}.bin"), &json!("application/x-dump"))
    );
    assert_eq!((&dump["sizeBytes"], &dump["creator"]["email"]), (&json!("10"), &json!(AGENT)));
    let third = upload(&agent, &note, NAMED, "nonsense", b"").await.ok();
    assert_eq!(third["mimeType"], "application/octet-stream");
    let page = agent.get(&format!("{note}/attachments?pageSize=2")).await.ok();
    let token = page["nextPageToken"].as_str().expect("more follow");
    let rest = agent.get(&format!("{note}/attachments?pageSize=2&pageToken={token}")).await.ok();
    assert_eq!((&rest["attachments"], &rest["nextPageToken"]), (&json!([third]), &Value::Null));
    assert_eq!(page["attachments"][1], dump);
    assert_eq!(agent.get(&first).await.ok(), page["attachments"][0]);
    let got = agent.get(&format!("{first}:download?alt=media")).await;
    assert_eq!(
        (got.status, got.header("content-type"), got.text()),
        (200, Some("text/plain"), "a trace".into())
    );
    assert_eq!(got.header("content-disposition").map(|it| it.contains("zebrafinch.log")), Some(true));
    let range = agent.call(Method::GET, &format!("{}:download", path_of(&dump))).header("range", "bytes=2-4");
    let range = range.send().await;
    assert_eq!((range.status, range.text()), (206, "234".to_owned()));
    // On a closed case, too.
    server
        .client(ALICE)
        .post(&format!("{}:close", note.split_once("/notes/").unwrap().0), &json!({}))
        .await
        .ok();
    upload(&agent, &note, NAMED, "text/plain", b"late").await.ok();
}

#[tokio::test]
async fn a_bad_upload_to_a_note_is_refused_and_a_repeated_one_attached_once() {
    let (server, case, file) = with_file().await;
    let (agent, note) = (server.client(AGENT), note_of(&file));
    let before = server.deeds().await;
    for (query, content_type, body, reason) in [
        ("", "text/plain", &b"x"[..], "FILENAME_MISSING"),
        ("?attachment.filename=..%2Fx", "text/plain", b"x", "INVALID_FIELD"),
        ("?uploadType=resumable&attachment.filename=a", "text/plain", b"x", "RESUMABLE_UPLOAD"),
        ("?uploadType=multipart", "multipart/related; boundary=b", b"no delimiter", "INVALID_MULTIPART"),
    ] {
        upload(&agent, &note, query, content_type, body).await.refused(400, reason);
    }
    agent.post(&format!("{note}/attachments"), &json!({})).await.refused(400, "MEDIA_MISSING");
    agent.get(&format!("{file}:download?alt=json")).await.refused(400, "INVALID_ARGUMENT");
    for nowhere in [format!("{case}/notes/{NOWHERE}"), format!("{case}/notes/nonsense")] {
        upload(&agent, &nowhere, NAMED, "text/plain", b"x").await.refused(404, "NOTE_NOT_FOUND");
        agent.get(&format!("{nowhere}/attachments")).await.refused(404, "NOTE_NOT_FOUND");
    }
    agent.get(&format!("{note}/attachments/{NOWHERE}")).await.refused(404, "ATTACHMENT_NOT_FOUND");
    assert_eq!(server.deeds().await, before);
    // Nor is it found on another note, or on another case.
    let other = note_of(&path_of(&file_on_note(&agent, &case).await));
    let id = file.rsplit('/').next().unwrap();
    let elsewhere = file_case(&server.client(ALICE), "acme").await;
    let moved = file.replacen(&case, &elsewhere, 1);
    for path in [&format!("{other}/attachments/{id}"), &moved] {
        agent.get(path).await.refused(404, "ATTACHMENT_NOT_FOUND");
        agent.get(&format!("{path}:download")).await.refused(404, "ATTACHMENT_NOT_FOUND");
    }
    upload(&agent, &note_of(&moved), NAMED, "text/plain", b"x").await.refused(404, "NOTE_NOT_FOUND");

    let send = async |to: &str, body: &'static str| {
        let call = agent.call(Method::POST, &format!("/upload{to}/attachments{NAMED}"));
        call.header("idempotency-key", NOWHERE).bytes(body).send().await
    };
    let (first, again) = (send(&note, "content").await, send(&note, "content").await);
    assert_eq!((again.ok(), again.header("idempotent-replay")), (first.ok(), Some("true")));
    send(&note, "other content").await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    assert_ne!(
        send(&other, "other content").await.ok()["name"],
        first.ok()["name"],
        "of another note it is another"
    );
    let listed = agent.get(&format!("{note}/attachments")).await.ok();
    assert_eq!(listed["attachments"].as_array().map(Vec::len), Some(2));
}

/// R-COMMENT-3: a file has its note's visibility, and that is support's as far as it has the case.
#[tokio::test]
async fn r_comment_3_nobody_but_the_agents_who_have_the_case_reaches_a_file_of_a_note() {
    let (server, case, file) = with_file().await;
    let (note, agent) = (note_of(&file), server.client(AGENT));
    server.transfer("acme", Some("nimbus")).await;
    server.allow(ALICE, "acme", "nimbus").await;
    let before = server.deeds().await;
    let all = async |client: &Client| {
        [
            client.get(&format!("{note}/attachments")).await,
            upload(client, &note, NAMED, "text/plain", b"x").await,
            client.get(&file).await,
            client.get(&format!("{file}:download?alt=media")).await,
        ]
    };
    let nimbus = server.client(NINA).acting_for("nimbus");
    let [alice, carol, engineer, auditor] = [ALICE, CAROL, ENGINEER, AUDITOR].map(|who| server.client(who));
    for client in [&alice, &carol, &engineer, &auditor, &nimbus] {
        for answer in all(client).await {
            answer.refused(403, "NOT_FOR_YOU");
        }
    }
    for answer in all(&server.client(HANK)).await {
        answer.refused(403, "NOT_A_MEMBER");
    }
    for answer in all(&server.anonymous()).await {
        answer.refused(401, "TOKEN_MISSING");
    }
    let missing = ["NOTE_NOT_FOUND", "NOTE_NOT_FOUND", "ATTACHMENT_NOT_FOUND", "ATTACHMENT_NOT_FOUND"];
    let south = server.client(AGENT_SOUTH);
    for (answer, reason) in all(&south).await.iter().zip(missing) {
        answer.refused(404, reason);
    }
    assert_eq!(server.deeds().await, before);
    // It goes along with the case.
    agent.post(&format!("{case}:route"), &json!({"provider": "south", "reason": "They know it."})).await.ok();
    for (answer, reason) in all(&agent).await.iter().zip(missing) {
        answer.refused(404, reason);
    }
    assert_eq!(south.get(&format!("{file}:download?alt=media")).await.text(), "a trace");
}

/// R-COMMENT-3: in no read model, feed, export or count.
#[tokio::test]
async fn r_comment_3_a_file_of_a_note_is_in_no_answer_to_a_customer_or_a_reseller() {
    let server = Server::start().await;
    server.transfer("acme", Some("nimbus")).await;
    server.allow(ALICE, "acme", "nimbus").await;
    let (alice, nimbus) = (server.client(ALICE), server.client(NINA).acting_for("nimbus"));
    let case = file_case(&nimbus, "acme").await;
    let own = format!("/upload{case}/attachments?attachment.filename=own.txt");
    alice.call(Method::POST, &own).bytes("their own").send().await.ok();
    let beta = case.replacen("/v2/", "/v2beta/", 1);
    let search = |words: &str| format!("/v2/organizations/acme/cases:search?query={}", encoded(words));
    let paths = [
        case.clone(),
        format!("{case}:allowedActions"),
        format!("{case}:explainObjective"),
        "/v2/organizations/acme/cases?pageSize=100".to_owned(),
        "/v2/organizations/acme/stats?by=state".to_owned(),
        search("\"zebrafinch\""),
        format!("{case}/comments"),
        format!("{case}/attachments"),
        format!("{beta}:showFeed"),
        format!("{beta}:showFeed?orderBy=creation_time%20desc"),
    ];
    let answers = async || {
        let mut answers = Vec::new();
        for client in [&alice, &nimbus] {
            for path in &paths {
                let answer = client.get(path).await;
                answers.push((path, answer.ok(), answer.header("etag").map(str::to_owned)));
            }
        }
        answers
    };
    let before = answers().await;
    let file = path_of(&file_on_note(&server.client(AGENT), &case).await);
    assert_eq!(answers().await, before);
    let id = file.rsplit('/').next().unwrap();
    for client in [&alice, &nimbus, &server.client(AGENT)] {
        for end in ["", ":download?alt=media"] {
            let path = format!("{case}/attachments/{id}{end}");
            client.get(&path).await.refused(404, "ATTACHMENT_NOT_FOUND");
        }
    }
    // What leaves for analytics does not name it; whoever audits the case reads all of it.
    let events = server.client(ANALYST).get("/v2/events?pageSize=1000").await.ok();
    assert!(events["events"].as_array().is_some_and(|events| !events.is_empty()), "{events}");
    assert!(!events.to_string().contains(id) && !events.to_string().contains("Note"), "{events}");
    let history = server.client(AUDITOR).get(&format!("{case}/events?pageSize=100")).await.ok();
    assert!(history.to_string().contains(id), "{history}");
}

/// R-COMMENT-3, R-ATTACH-1: the content stays as long as its owner, and what belongs to nothing goes.
#[tokio::test]
async fn r_comment_3_the_content_of_a_notes_file_is_never_swept_and_is_erased_with_who_attached_it() {
    let (server, _, file) = with_file().await;
    let (agent, note) = (server.client(AGENT), note_of(&file));
    let send = async |body: &'static str| {
        let call = agent.call(Method::POST, &format!("/upload{note}/attachments{NAMED}"));
        call.header("idempotency-key", NOWHERE).bytes(body).send().await
    };
    let second = path_of(&send("kept").await.ok());
    send("of no attachment").await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    let app = server.app();
    let sweep = BlobSweep {
        blobs: app.blobs.clone(),
        references: BlobReferences::new(app.read_models.database().clone()),
        read_models: app.read_models.clone(),
        clock: server.clock.clock(),
    };
    let swept = sweep.sweep(Timestamp::MAX).await.unwrap();
    assert_eq!((swept.blobs, swept.pending), (1, 0));
    for (path, content) in [(&file, "a trace"), (&second, "kept")] {
        assert_eq!(agent.get(&format!("{path}:download")).await.text(), content);
    }
    let subject = server.actor(AGENT).contact.subject().clone();
    app.commands.sealer().erase(subject.as_str()).await.unwrap();
    agent.get(&format!("{file}:download")).await.refused(404, "CONTENT_ERASED");
    assert!(app.read_models.rebuild("case_history", &|_| {}).await.unwrap());
    let erased = agent.get(&file).await.ok();
    assert_eq!(
        (&erased["filename"], &erased["creator"]),
        (&json!("(erased)"), &json!({"displayName": "(erased)"}))
    );
}
