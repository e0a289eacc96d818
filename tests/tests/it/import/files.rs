//! Files that come with imported cases: who fetches them, which are refused, and that nothing is left half done.

use dossier_processes::blob_sweep::BlobSweep;
use dossier_projections::case_history::BlobReferences;
use dossier_tests::people::HANK;

use super::*;

fn attachment(file: &str, filename: &str) -> Value {
    json!({"type": "attachment", "file": file, "filename": filename, "mediaType": "text/plain"})
}

/// What somebody fetches of an attachment.
pub(super) async fn content(client: &Client, attachment: &Value) -> Vec<u8> {
    let name = attachment["name"].as_str().unwrap();
    let got = client.get(&format!("/v2/{name}:download?alt=media")).await;
    assert_eq!(got.status, 200);
    got.bytes.to_vec()
}

impl Import {
    /// How many contents are stored, for whatever attachment.
    async fn stored(&self) -> u64 {
        self.server.app().blobs.usage().await.unwrap().0
    }

    async fn attachments(&self, external_id: &str) -> Vec<Value> {
        let listed = self.get(ALICE, &format!("{}/attachments", path(external_id))).await;
        listed["attachments"].as_array().unwrap().clone()
    }
}

/// R-ATTACH-1.
#[tokio::test]
async fn r_attach_1_an_imported_file_comes_back_byte_for_byte_with_who_attached_it_and_when() {
    let import = Import::new().await;
    // The clock goes on with every reading.
    let now = import.server.clock.now();
    let at = |days: i32| now - DAY * days;
    let large: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    import.put("1/dump.bin", &large);
    import.put("shared.log", b"what happened");
    import.put("empty", b"");
    std::os::unix::fs::symlink("shared.log", import.folder.path().join("link")).unwrap();
    let acts = [
        by_alice(
            at(9),
            &json!({"type": "attachment", "file": "1/dump.bin", "filename": "Speicher \u{e4}.bin"}),
        ),
        by_alice(at(8), &attachment("shared.log", "a.log")),
        by_support(at(7), &attachment("./link", "b.log")),
        by_alice(at(7), &closing()),
        by_support(at(6), &attachment("empty", "empty")),
    ];
    let line = filed("1", at(10), &acts);
    let other = filed("2", at(10), &[by_alice(at(9), &attachment("shared.log", "a.log"))]);
    let lines = [line.to_string(), other.to_string()];
    let (done, refused) = import.lines(&lines).await;
    assert_eq!((counts(&done), refused), (progress(2, 0, 0), vec![]));

    let shown = import.attachments("1").await;
    let told: Vec<_> =
        shown.iter().map(|one| (one["filename"].as_str().unwrap(), &one["mimeType"])).collect();
    let (unknown, text) = (json!("application/octet-stream"), json!("text/plain"));
    assert_eq!(
        told,
        [("Speicher \u{e4}.bin", &unknown), ("a.log", &text), ("b.log", &text), ("empty", &text)]
    );
    assert_eq!((&shown[0]["creator"]["email"], &shown[0]["sizeBytes"]), (&json!(ALICE), &json!("800000")));
    assert_eq!((micros(&shown[0]["createTime"]), micros(&shown[2]["createTime"])), (at(9), at(7)));
    let (alice, agent) = (import.server.client(ALICE), import.server.client(AGENT));
    for reader in [&alice, &agent] {
        assert!(content(reader, &shown[0]).await == large, "every byte");
        assert_eq!(content(reader, &shown[1]).await, b"what happened");
        assert_eq!(content(reader, &shown[2]).await, b"what happened");
        assert_eq!(content(reader, &shown[3]).await, b"");
    }
    let name = shown[0]["name"].as_str().unwrap();
    import
        .server
        .client(HANK)
        .get(&format!("/v2/{name}:download?alt=media"))
        .await
        .refused(403, "NOT_A_MEMBER");
    assert_eq!(content(&alice, &import.attachments("2").await[0]).await, b"what happened");

    // A repeat is known by its words: it needs no file, and what was imported stays.
    let (head, stored) = (import.server.deeds().await, import.stored().await);
    import.put("shared.log", b"another content");
    std::fs::remove_dir_all(import.folder.path().join("1")).unwrap();
    let (done, refused) = import.lines(&lines).await;
    assert_eq!((counts(&done), refused), (progress(0, 2, 0), vec![]));
    let renamed = filed("2", at(10), &[by_alice(at(9), &attachment("link", "a.log"))]);
    let (done, refused) = import.lines(&[renamed.to_string()]).await;
    assert_eq!((counts(&done), refused), (progress(0, 0, 1), vec![(1, "IMPORTED_DIFFERENTLY")]));
    assert_eq!((import.server.deeds().await, import.stored().await), (head, stored));
    assert_eq!(content(&alice, &import.attachments("2").await[0]).await, b"what happened");
}

/// R-COMMENT-3.
#[tokio::test]
async fn r_comment_3_the_files_of_an_imported_note_are_for_support_alone() {
    let import = Import::new().await;
    import.put("trace.log", b"psst");
    let note = json!({
        "type": "internal_note",
        "body": "odd",
        "attachments": [{"file": "trace.log", "filename": "zebrafinch.log", "mediaType": "text/plain"}],
    });
    let noted = import.ago(DAY * 9);
    let line = filed("1", import.ago(DAY * 10), &[by_support(noted, &note)]);
    let (done, refused) = import.lines(&[line.to_string()]).await;
    assert_eq!((counts(&done), refused), (progress(1, 0, 0), vec![]));
    let notes = import.get(AGENT, &format!("{}/notes", path("1"))).await;
    let name = notes["notes"][0]["name"].as_str().unwrap();
    let files = import.get(AGENT, &format!("/v2/{name}/attachments")).await;
    assert_eq!(files["attachments"][0]["filename"], "zebrafinch.log", "{files}");
    assert_eq!(micros(&files["attachments"][0]["createTime"]), noted);
    assert_eq!(content(&import.server.client(AGENT), &files["attachments"][0]).await, b"psst");
    assert_eq!(import.attachments("1").await, Vec::<Value>::new());
    let alice = import.server.client(ALICE);
    let file = files["attachments"][0]["name"].as_str().unwrap();
    assert_eq!(alice.get(&format!("/v2/{file}:download")).await.status, 403);
}

/// R-ATTACH-1.
#[tokio::test]
async fn r_attach_1_a_line_whose_file_cannot_be_had_is_refused_and_nothing_of_it_is_stored() {
    let import = Import::new().await;
    let at = |days: i32| import.ago(DAY * days);
    let outside = tempfile::tempdir().unwrap();
    put(outside.path(), "secret", b"not yours");
    let folder = import.folder.path();
    std::os::unix::fs::symlink(outside.path(), folder.join("way-out")).unwrap();
    std::os::unix::fs::symlink(folder.join("nowhere"), folder.join("dangling")).unwrap();
    import.put("good", b"good");
    import.put("folder/good", b"good");
    import.put("large", &vec![0; usize::try_from(MAX_FILE_BYTES).unwrap() + 1]);
    import.put("just-fits", &vec![0; usize::try_from(MAX_FILE_BYTES).unwrap()]);
    let escaping = format!("../{}/secret", outside.path().file_name().unwrap().to_str().unwrap());
    let absolute = outside.path().join("secret").display().to_string();
    let bad = [
        ("nowhere", "a", "FILE_NOT_FOUND"),
        ("good/deeper", "a", "FILE_UNREADABLE"),
        ("dangling", "a", "FILE_NOT_FOUND"),
        ("folder", "a", "FILE_UNREADABLE"),
        ("", "a", "FILE_UNREADABLE"),
        ("nul\0", "a", "FILE_UNREADABLE"),
        ("large", "a", "FILE_TOO_LARGE"),
        (&escaping, "a", "FILE_OUTSIDE_FOLDER"),
        ("folder/../good", "a", "FILE_OUTSIDE_FOLDER"),
        (&absolute, "a", "FILE_OUTSIDE_FOLDER"),
        ("way-out/secret", "a", "FILE_OUTSIDE_FOLDER"),
        // Said before any file is looked for.
        ("nowhere", "a/b", "INVALID_FIELD"),
        ("nowhere", "", "INVALID_FIELD"),
    ];
    let refusable = bad.iter().enumerate().map(|(number, (file, filename, _))| {
        let acts = [by_alice(at(9), &attachment("good", "a")), by_alice(at(8), &attachment(file, filename))];
        filed(&number.to_string(), at(10), &acts).to_string()
    });
    let late = [by_alice(at(9), &closing()), by_alice(at(8), &attachment("good", "a"))];
    let early = [by_alice(at(8), &attachment("good", "a")), by_alice(at(9), &attachment("good", "a"))];
    let nameless = [by_alice(at(9), &json!({"type": "attachment", "file": "good"}))];
    let of_customer = json!({
        "type": "internal_note",
        "body": "odd",
        "attachments": [{"file": "good", "filename": "a", "mimeType": "text/plain"}],
    });
    let others = [
        filed("late", at(10), &late).to_string(),
        filed("early", at(10), &early).to_string(),
        filed("nameless", at(10), &nameless).to_string(),
        filed("misspelt", at(10), &[by_support(at(9), &of_customer)]).to_string(),
    ];
    let lines: Vec<_> = refusable.chain(others).collect();
    let head = import.server.deeds().await;
    let (done, refused) = import.lines(&lines).await;
    let reasons = bad.iter().map(|(.., reason)| *reason);
    let reasons = reasons.chain(["CASE_CLOSED", "INVALID_FIELD", "MALFORMED_LINE", "MALFORMED_LINE"]);
    assert_eq!(refused, (1..).zip(reasons).collect::<Vec<_>>());
    assert_eq!(counts(&done), progress(0, 0, 17));
    assert_eq!((import.server.deeds().await, import.stored().await), (head, 0), "nothing half done");

    // Once the file is there, the kept line is imported.
    import.put("nowhere", b"found");
    let (done, _) = import.lines(&lines[..1]).await;
    assert_eq!(counts(&done), progress(1, 0, 0));
    let just = filed("just", at(10), &[by_alice(at(9), &attachment("just-fits", "a"))]);
    assert_eq!(counts(&import.lines(&[just.to_string()]).await.0), progress(1, 0, 0));
}

/// R-ATTACH-1.
#[tokio::test]
async fn r_attach_1_what_belongs_to_no_imported_case_is_swept_and_what_does_stays() {
    let import = Import::new().await;
    import.put("good", b"good");
    let line = |external_id: &str| {
        let acts = [by_alice(import.ago(DAY * 9), &attachment("good", "a"))];
        filed(external_id, import.ago(DAY * 10), &acts).to_string()
    };
    assert_eq!(counts(&import.lines(&[line("1")]).await.0), progress(1, 0, 0));
    // As an import leaves it that ends between the file and the case.
    let app = import.server.app();
    let subject = import.server.actor(ALICE).contact.subject().clone();
    let mut writer = app.blobs.writer(&id("2").to_string(), subject.as_str(), MAX_FILE_BYTES).await.unwrap();
    writer.write(b"good".as_slice().into()).await.unwrap();
    writer.finish().await.unwrap();
    assert_eq!(import.stored().await, 2);
    let sweep = BlobSweep {
        blobs: app.blobs.clone(),
        references: BlobReferences::new(app.read_models.database().clone()),
        read_models: app.read_models.clone(),
        clock: import.server.clock.clock(),
    };
    let swept = sweep.sweep(Timestamp::MAX).await.unwrap();
    assert_eq!((swept.blobs, swept.pending), (1, 0));
    let alice = import.server.client(ALICE);
    assert_eq!(content(&alice, &import.attachments("1").await[0]).await, b"good");
    assert_eq!(counts(&import.lines(&[line("2")]).await.0), progress(1, 0, 0));
    assert_eq!(content(&alice, &import.attachments("2").await[0]).await, b"good");
}
