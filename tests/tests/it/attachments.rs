//! Files of a case: in by upload, out by download, and in the feed.

use dossier_tests::people::{ALICE, CAROL, DAVE, HANK};
use dossier_tests::server::file_case;
use dossier_tests::{Answer, Client, Server, encoded, workspace};
use reqwest::Method;
use serde_json::{Value, json};

async fn with_case() -> (Server, Client, String) {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    (server, alice, case)
}

async fn upload(client: &Client, case: &str, query: &str, content_type: &str, body: &[u8]) -> Answer {
    let call = client.call(Method::POST, &format!("/upload{case}/attachments{query}"));
    call.header("content-type", content_type).bytes(body).send().await
}

fn path_of(attachment: &Value) -> String {
    format!("/v2/{}", attachment["name"].as_str().expect("a name"))
}

#[tokio::test]
async fn r_attach_1_a_file_comes_back_byte_for_byte_with_its_name_type_and_size() {
    let (server, alice, case) = with_case().await;
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let name = "Bildschirm \u{e4} \"1\".png";
    let query = format!("?attachment.filename={}", encoded(name));
    let attached = upload(&alice, &case, &query, "image/png; charset=x", &content).await.ok();
    assert_eq!((&attached["filename"], &attached["mimeType"]), (&json!(name), &json!("image/png")));
    assert_eq!(attached["sizeBytes"], content.len().to_string());
    assert_eq!(attached["creator"]["email"], ALICE);
    let path = path_of(&attached);
    assert_eq!(alice.get(&path).await.ok(), attached);
    assert_eq!(alice.get(&format!("{case}/attachments")).await.ok()["attachments"], json!([attached]));
    for reader in [&alice, &server.client(CAROL)] {
        let got = reader.get(&format!("{path}:download?alt=media")).await;
        assert_eq!((got.status, got.header("content-type")), (200, Some("image/png")));
        assert!(got.bytes == content, "every byte");
    }
    let range =
        alice.call(Method::GET, &format!("{path}:download?alt=media")).header("range", "bytes=65530-65540");
    let range = range.send().await;
    assert_eq!((range.status, &range.bytes[..]), (206, &content[65_530..=65_540]));
    assert_eq!(range.header("content-range"), Some(&*format!("bytes 65530-65540/{}", content.len())));

    // What lies on the disk is sealed.
    for file in workspace::files_below(server.data()).into_iter().filter(|file| file.is_file()) {
        let stored = std::fs::read(file).unwrap();
        assert!(!stored.windows(64).any(|window| window == &content[4_000..4_064]), "a file in the clear");
    }
}

#[tokio::test]
async fn r_attach_1_nobody_else_fetches_it() {
    let (server, alice, case) = with_case().await;
    let attached = upload(&alice, &case, "?attachment.filename=a.txt", "text/plain", b"secret").await.ok();
    let path = path_of(&attached);
    let other = file_case(&alice, "acme").await;
    let elsewhere = format!("{other}/attachments/{}", path.rsplit('/').next().unwrap());
    for end in ["", ":download?alt=media"] {
        server.client(HANK).get(&format!("{path}{end}")).await.refused(403, "NOT_A_MEMBER");
        server.client(DAVE).get(&format!("{path}{end}")).await.refused(403, "NO_SUPPORT_PRIVILEGE");
        server.anonymous().get(&format!("{path}{end}")).await.refused(401, "TOKEN_MISSING");
        alice.get(&format!("{elsewhere}{end}")).await.refused(404, "ATTACHMENT_NOT_FOUND");
    }
    let before = server.deeds().await;
    let query = "?attachment.filename=a.txt";
    upload(&server.client(CAROL), &case, query, "text/plain", b"x").await.refused(403, "ROLE_TOO_LOW");
    upload(&server.client(HANK), &case, query, "text/plain", b"x").await.refused(403, "NOT_A_MEMBER");
    let nowhere = case.replace(case.rsplit('/').next().unwrap(), "01ARZ3NDEKTSV4RRFFQ69G5FAV");
    upload(&alice, &nowhere, query, "text/plain", b"x").await.refused(404, "CASE_NOT_FOUND");
    assert_eq!(server.deeds().await, before);
}

#[tokio::test]
async fn both_spellings_of_multipart_are_read() {
    let (_server, alice, case) = with_case().await;
    for (line, boundary) in [("\n", "\"===============01=\""), ("\r\n", "4f1c6a3e-1b7d")] {
        let content = "line\r\n--not it\nend";
        let mark = boundary.trim_matches('"');
        let body = [
            &format!("--{mark}"),
            "Content-Type: application/json",
            "MIME-Version: 1.0",
            "",
            "{\"attachment\": {\"filename\": \"notes.txt\"}}",
            &format!("--{mark}"),
            "content-type: text/plain",
            "",
            content,
            &format!("--{mark}--"),
        ]
        .join(line);
        let kind = format!("multipart/related; boundary={boundary}");
        let attached = upload(&alice, &case, "?uploadType=multipart", &kind, body.as_bytes()).await.ok();
        assert_eq!(
            (&attached["filename"], &attached["mimeType"]),
            (&json!("notes.txt"), &json!("text/plain"))
        );
        let got = alice.get(&format!("{}:download?alt=media", path_of(&attached))).await;
        assert_eq!(got.text(), content);
    }
}

#[tokio::test]
async fn a_bad_upload_is_refused_and_leaves_nothing() {
    let (server, alice, case) = with_case().await;
    let before = server.deeds().await;
    let named = "?attachment.filename=a.txt";
    let (text, related) = ("text/plain", "multipart/related; boundary=b");
    for (query, content_type, body, reason) in [
        ("", text, &b"x"[..], "FILENAME_MISSING"),
        ("?attachment.filename=", text, b"x", "FILENAME_MISSING"),
        ("?uploadType=resumable&attachment.filename=a", text, b"x", "RESUMABLE_UPLOAD"),
        ("?uploadType=carrier-pigeon&attachment.filename=a", text, b"x", "INVALID_ARGUMENT"),
        ("?uploadType=multipart", related, b"--b\n\n{}\n--b--", "INVALID_MULTIPART"),
        ("?uploadType=multipart", related, b"no delimiter", "INVALID_MULTIPART"),
        ("?uploadType=multipart", related, b"--b\n\n{broken\n--b\n\nx\n--b--", "INVALID_BODY"),
        ("?uploadType=multipart", related, b"--b\n\n{}\n--b\n\nx\n--b--", "FILENAME_MISSING"),
    ] {
        let answer = upload(&alice, &case, query, content_type, body).await;
        assert_eq!((answer.status, answer.reason().as_str()), (400, reason), "{query} {body:?}");
    }
    alice
        .post(&format!("{case}/attachments"), &json!({"attachment": {"filename": "a"}}))
        .await
        .refused(400, "MEDIA_MISSING");
    let key = "not-a-key";
    let call =
        alice.call(Method::POST, &format!("/upload{case}/attachments{named}")).header("idempotency-key", key);
    call.bytes("x").send().await.refused(400, "INVALID_IDEMPOTENCY_KEY");
    assert_eq!(server.deeds().await, before);
    assert_eq!(alice.get(&format!("{case}/attachments")).await.ok()["attachments"], json!([]));
}

#[tokio::test]
async fn an_upload_can_be_repeated_and_is_attached_once() {
    let (server, alice, case) = with_case().await;
    let send = async |body: &'static str| {
        let path = format!("/upload{case}/attachments?attachment.filename=a.txt");
        let call = alice.call(Method::POST, &path).header("idempotency-key", "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        call.bytes(body).send().await
    };
    let first = send("content").await;
    let before = server.deeds().await;
    let again = send("content").await;
    assert_eq!(again.ok(), first.ok());
    assert_eq!(again.header("idempotent-replay"), Some("true"));
    send("other content").await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(server.deeds().await, before);
    let got = alice.get(&format!("{}:download?alt=media", path_of(&first.ok()))).await;
    assert_eq!(got.text(), "content");
}

#[tokio::test]
async fn the_feed_shows_comments_and_files_in_both_orders_and_pages() {
    let (_server, alice, case) = with_case().await;
    let one = alice.post(&format!("{case}/comments"), &json!({"body": "one"})).await.ok();
    let two = upload(&alice, &case, "?attachment.filename=two", "text/plain", b"").await.ok();
    let three = alice.post(&format!("{case}/comments"), &json!({"body": "three"})).await.ok();
    let beta = case.replace("/v2/", "/v2beta/");
    let feed = async |query: &str| alice.get(&format!("{beta}:showFeed?{query}")).await;
    let names = |feed: &Value| -> Vec<Value> {
        let items = feed["feedItems"].as_array().unwrap();
        items.iter().map(|item| item.get("comment").unwrap_or(&item["attachment"])["name"].clone()).collect()
    };
    let order = [&one, &two, &three].map(|item| item["name"].clone());
    assert_eq!(names(&feed("").await.ok()), order);
    let mut reversed = order.to_vec();
    reversed.reverse();
    assert_eq!(names(&feed("orderBy=creation_time+desc").await.ok()), reversed);
    let page = feed("pageSize=2").await.ok();
    let token = page["nextPageToken"].as_str().unwrap();
    assert_eq!(names(&feed(&format!("pageToken={token}")).await.ok()), order[2..]);
    feed(&format!("orderBy=creation_time+desc&pageToken={token}")).await.refused(400, "INVALID_PAGE_TOKEN");
    assert_eq!(feed("orderBy=update_time").await.error()["code"], 400);
    alice.get(&format!("{case}:showFeed")).await.refused(404, "UNKNOWN_PATH");
}
