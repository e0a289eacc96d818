//! Bad input: refused in one shape, with a stable reason, and nothing stored.

use dossier_tests::log::FILING_EVENTS;
use dossier_tests::people::{ALICE, HANK};
use dossier_tests::server::{file_case, sample_case};
use dossier_tests::{Client, Server, encoded, raw};
use reqwest::Method;
use serde_json::{Value, json};

const CASES: &str = "/v2/organizations/acme/cases";

/// The sample case with one field set; null takes it away.
fn case_with(field: &str, value: Value) -> Value {
    let mut case = sample_case();
    case[field] = value;
    case
}

/// Sends each body to a path and wants each refused with 400 and this reason.
async fn all_refused(client: &Client, method: &Method, path: &str, bodies: &[Vec<u8>], reason: &str) {
    for body in bodies {
        let answer = client.call(method.clone(), path).bytes(body.clone()).send().await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(120)]).into_owned();
        assert_eq!((answer.status, answer.reason().as_str()), (400, reason), "{shown}: {}", answer.text());
    }
}

fn json_bodies(bodies: &[Value]) -> Vec<Vec<u8>> {
    bodies.iter().map(|body| body.to_string().into_bytes()).collect()
}

/// A server with a case of alice's, and how many events its log holds.
async fn with_case() -> (Server, Client, String, usize) {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let case = file_case(&alice, "acme").await;
    let events = server.events().await.len();
    (server, alice, case, events)
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused_everywhere() {
    let (server, alice, case, events) = with_case().await;
    let bodies: Vec<Vec<u8>> = [
        &b"{"[..],
        b"[]",
        b"null",
        b"\"text\"",
        b"{\"displayName\":\"x\"} trailing",
        b"{'displayName':'x'}",
        b"\xff\xfe{}",
        b"{\"displayName\":\"\xc3\x28\"}",
        b"{\"displayName\":\"\\ud800\"}",
        b"{\"displayName\":\"\\udc00\\ud800\"}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":NaN}",
    ]
    .map(<[u8]>::to_vec)
    .into_iter()
    .chain([[b"[".repeat(100_000), b"]".repeat(100_000)].concat()])
    .chain([[b"{\"a\":".repeat(10_000), b"1".to_vec(), b"}".repeat(10_000)].concat()])
    .collect();
    for (method, path) in [
        (Method::POST, CASES.to_owned()),
        (Method::PATCH, case.clone()),
        (Method::POST, format!("{case}/comments")),
        (Method::POST, format!("{case}:escalate")),
        (Method::POST, format!("{case}:close")),
    ] {
        all_refused(&alice, &method, &path, &bodies, "INVALID_BODY").await;
    }
    assert_eq!(server.events().await.len(), events, "nothing was stored");
}

#[tokio::test]
async fn a_nul_in_any_text_is_refused() {
    let (server, alice, case, events) = with_case().await;
    let nul = json!("a\u{0}b");
    let cases: Vec<_> = ["displayName", "description", "timeZone", "languageCode", "contactEmail", "unknown"]
        .map(|field| case_with(field, nul.clone()))
        .into_iter()
        .chain([case_with("subscriberEmailAddresses", json!(["a@acme.example", nul]))])
        .collect();
    all_refused(&alice, &Method::POST, CASES, &json_bodies(&cases), "INVALID_TEXT").await;
    let comment = json_bodies(&[json!({"body": nul})]);
    all_refused(&alice, &Method::POST, &format!("{case}/comments"), &comment, "INVALID_TEXT").await;
    assert_eq!(server.events().await.len(), events);
}

#[tokio::test]
async fn filing_refuses_wrong_types_and_values_by_name() {
    let (server, alice, _, events) = with_case().await;
    let bad = [
        ("displayName", "displayName", json!(5)),
        ("displayName", "displayName", json!(null)),
        ("displayName", "displayName", json!(" \n")),
        ("displayName", "displayName", json!("x".repeat(1_001))),
        ("description", "description", json!([])),
        ("description", "description", json!("")),
        ("description", "description", json!("é".repeat(60_001))),
        ("classification", "classification", json!("compute-vm")),
        ("classification", "classification.id", json!({"id": 7})),
        ("classification", "classification.id", json!({"id": "no-such"})),
        ("classification", "classification.id", json!({})),
        ("classification", "classification.id", json!(null)),
        ("priority", "priority", json!("P9")),
        ("priority", "priority", json!("p3")),
        ("priority", "priority", json!(9)),
        ("priority", "priority", json!(-1)),
        ("priority", "priority", json!(3.5)),
        ("priority", "priority", json!(true)),
        ("priority", "priority", json!("PRIORITY_UNSPECIFIED")),
        ("priority", "priority", json!(0)),
        ("priority", "priority", json!(null)),
        ("subscriberEmailAddresses", "subscriberEmailAddresses", json!("a@acme.example")),
        ("subscriberEmailAddresses", "subscriberEmailAddresses[0]", json!([1])),
        ("subscriberEmailAddresses", "subscriberEmailAddresses", json!(["no address"])),
        ("subscriberEmailAddresses", "subscriberEmailAddresses", json!(vec!["a@acme.example"; 101])),
        ("testCase", "testCase", json!("true")),
        ("contactEmail", "contactEmail", json!({})),
        ("contactEmail", "contactEmail", json!("nobody")),
        ("languageCode", "languageCode", json!(3)),
        ("timeZone", "timeZone", json!(false)),
    ];
    for (field, named, value) in bad {
        let answer = alice.post(CASES, &case_with(field, value.clone())).await;
        let error = answer.refused(400, "INVALID_FIELD");
        let violation = &error["details"][1]["fieldViolations"][0];
        assert_eq!(violation["field"], named, "{field} {value}: {}", answer.text());
        assert!(violation["description"].as_str().is_some_and(|text| !text.is_empty()));
    }
    assert_eq!(server.events().await.len(), events);
}

#[tokio::test]
async fn a_mask_with_any_other_path_is_refused_and_changes_nothing() {
    let (server, alice, case, events) = with_case().await;
    let body = json!({"displayName": "x", "priority": "P1", "description": "y"});
    for mask in ["description", "*", "priority,state", "displayName,", "name", "Priority", "displayName.x"] {
        let path = format!("{case}?updateMask={}", encoded(mask));
        alice.patch(&path, &body).await.refused(400, "INVALID_UPDATE_MASK");
    }
    for (mask, body) in [
        ("priority", json!({})),
        ("priority", json!({"priority": 0})),
        ("displayName", json!({})),
        ("displayName", json!({"displayName": ""})),
        ("displayName,priority", json!({"displayName": "fine", "priority": "P7"})),
    ] {
        let answer = alice.patch(&format!("{case}?updateMask={mask}"), &body).await;
        assert_eq!(answer.error()["code"], 400, "{mask} {body}");
    }
    alice.patch(&case, &json!({"displayName": "no priority"})).await.error();
    assert_eq!(server.events().await.len(), events);
}

#[tokio::test]
async fn a_comment_has_at_least_one_and_at_most_12800_characters() {
    let (server, alice, case, events) = with_case().await;
    let comments = format!("{case}/comments");
    let bad = [
        json!({}),
        json!({"body": ""}),
        json!({"body": " \r\n"}),
        json!({"body": 5}),
        json!({"body": ["a"]}),
        json!({"body": "\u{1f600}".repeat(12_801)}),
    ];
    all_refused(&alice, &Method::POST, &comments, &json_bodies(&bad), "INVALID_FIELD").await;
    assert_eq!(server.events().await.len(), events);
    let longest = "\u{1f600}".repeat(12_800);
    let kept = alice.post(&comments, &json!({"body": longest})).await.ok();
    assert_eq!(kept["body"].as_str(), Some(longest.as_str()));
}

#[tokio::test]
async fn escalating_needs_a_reason_and_a_justification() {
    let (server, alice, case, events) = with_case().await;
    let escalate = format!("{case}:escalate");
    let bad = [
        json!({}),
        json!({"escalation": {}}),
        json!({"escalation": {"reason": "RESOLUTION_TIME"}}),
        json!({"escalation": {"reason": "RESOLUTION_TIME", "justification": ""}}),
        json!({"escalation": {"justification": "now"}}),
        json!({"escalation": {"reason": "REASON_UNSPECIFIED", "justification": "now"}}),
        json!({"escalation": {"reason": 0, "justification": "now"}}),
        json!({"escalation": {"reason": 4, "justification": "now"}}),
        json!({"escalation": {"reason": "ANGER", "justification": "now"}}),
        json!({"escalation": "now"}),
    ];
    all_refused(&alice, &Method::POST, &escalate, &json_bodies(&bad), "INVALID_FIELD").await;
    assert_eq!(server.events().await.len(), events);
}

#[tokio::test]
async fn a_bad_filter_is_refused_and_never_ignored() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    for filter in [
        "state=",
        "state=FOO",
        "state=open",
        "state>OPEN",
        "priority=P7",
        "priority=3",
        "(state=OPEN",
        "state=OPEN)",
        "()",
        "state=OPEN AND",
        "OR state=OPEN",
        "state=OPEN and priority=P1",
        "\"open quote",
        "hello",
        "\"free text\"",
        "create_time>\"2020-01-01T00:00:00Z\"",
        "update_time>\"2020-01-01T00:00:00Z\"",
        "creator.email>\"a@b\"",
        "creator=alice",
        "NOT state=OPEN",
        "state!=OPEN",
        "'; DROP TABLE cases; --",
    ] {
        let answer = alice.get(&format!("{CASES}?filter={}", encoded(filter))).await;
        assert_eq!((answer.status, answer.reason().as_str()), (400, "INVALID_FILTER"), "{filter}");
    }
    let deep = encoded(&format!("{}state=OPEN{}", "(".repeat(5_000), ")".repeat(5_000)));
    let answer = alice.call(Method::POST, CASES).header("x-http-method-override", "GET");
    answer.bytes(format!("filter={deep}")).send().await.refused(400, "INVALID_FILTER");
    let search = format!("/v2/caseClassifications:search?query={}", encoded("id:\"x\""));
    alice.get(&search).await.refused(400, "INVALID_FILTER");
}

#[tokio::test]
async fn a_bad_page_size_is_refused_and_too_large_a_one_cut() {
    let (_server, alice, case, _) = with_case().await;
    for list in [CASES, &format!("{case}/comments"), "/v2/caseClassifications:search"] {
        for size in ["-1", "ten", "2147483648", "1.5", "", "%00", "%ff", "%"] {
            alice.get(&format!("{list}?pageSize={size}")).await.refused(400, "INVALID_QUERY");
        }
        for size in ["0", "100", "2147483647"] {
            alice.get(&format!("{list}?pageSize={size}")).await.ok();
        }
    }
}

#[tokio::test]
async fn a_page_token_serves_only_where_it_was_given() {
    let (server, alice, case, _) = with_case().await;
    let comments = format!("{case}/comments");
    for _ in 0..2 {
        alice.post(&comments, &json!({"body": "more"})).await.ok();
        file_case(&server.client(HANK), "globex").await;
    }
    let token = async |client: &Client, path: &str| {
        client.get(path).await.ok()["nextPageToken"].as_str().expect("more than one page").to_owned()
    };
    let of_cases = token(&alice, &format!("{CASES}?pageSize=1")).await;
    let of_filter = token(&alice, &format!("{CASES}?pageSize=1&filter=state%3DOPEN")).await;
    let of_comments = token(&alice, &format!("{comments}?pageSize=1")).await;
    let of_globex = token(&server.client(HANK), "/v2/organizations/globex/cases?pageSize=1").await;
    let of_search = token(&alice, "/v2/caseClassifications:search?pageSize=1").await;
    let other_case = file_case(&alice, "acme").await;
    for (path, wrong) in [
        (CASES, vec![&of_filter, &of_comments, &of_globex, &of_search]),
        (&format!("{CASES}?filter=state%3DCLOSED"), vec![&of_cases, &of_filter]),
        (&comments, vec![&of_cases, &of_search]),
        (&format!("{other_case}/comments"), vec![&of_comments]),
        ("/v2/caseClassifications:search", vec![&of_cases]),
        ("/v2/caseClassifications:search?query=display_name:%22*%22", vec![&of_search]),
    ] {
        let join = if path.contains('?') { '&' } else { '?' };
        let garbage = ["garbage".to_owned(), "A".repeat(9_000), "%C3%A9".to_owned(), "a.b.c".to_owned()];
        for token in wrong.into_iter().chain(&garbage) {
            let answer = alice.get(&format!("{path}{join}pageToken={token}")).await;
            assert_eq!(
                (answer.status, answer.reason().as_str()),
                (400, "INVALID_PAGE_TOKEN"),
                "{path} {token}"
            );
        }
    }
}

#[tokio::test]
async fn unknown_paths_are_404_and_other_methods_405_in_json() {
    let (server, alice, case, events) = with_case().await;
    let (beside, above) = (format!("{case}/nothing"), format!("{case}:fly"));
    for path in [
        "/",
        "/v2",
        "/v3/organizations/acme/cases",
        "/v2/projects/acme",
        "/v2/cases",
        "/batch",
        "/v2/organizations/acme/cases/",
        "/v2//organizations/acme/cases",
        "/v2/organizations/acme/cases:close",
        "/favicon.ico",
        "/healthz/",
        "/V2/organizations/acme/cases",
        "/v2/organizations/acme%2Fcases/x",
        &beside,
        &above,
    ] {
        alice.get(path).await.refused(404, "UNKNOWN_PATH");
    }
    let (close, comments) = (format!("{case}:close"), format!("{case}/comments"));
    for (method, path) in [
        (Method::PUT, case.as_str()),
        (Method::DELETE, &case),
        (Method::POST, &case),
        (Method::GET, &close),
        (Method::PATCH, CASES),
        (Method::DELETE, &comments),
        (Method::OPTIONS, CASES),
        (Method::POST, "/healthz"),
        (Method::DELETE, "/openapi.json"),
        (Method::from_bytes(b"BREW").unwrap(), CASES),
    ] {
        let answer = alice.call(method.clone(), path).send().await;
        assert_eq!((answer.status, answer.reason().as_str()), (405, "METHOD_NOT_ALLOWED"), "{method} {path}");
    }
    assert_eq!(server.events().await.len(), events);
}

#[tokio::test]
async fn a_foreign_parent_is_403_before_anything_else_is_judged_and_whether_or_not_it_exists() {
    let (server, alice, case, events) = with_case().await;
    let own = case.rsplit('/').next().unwrap();
    let foreign = file_case(&server.client(HANK), "globex").await;
    let foreign = foreign.rsplit('/').next().unwrap();
    let nowhere = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    for parent in [
        "organizations/globex",
        "organizations/nobody",
        "projects/x",
        "projects/acme",
        "organizations/ACME",
        "organizations/a%20b",
        "organizations/%C3%A9",
        "folders/1",
        "organizations/-",
    ] {
        let cases = format!("/v2/{parent}/cases");
        for path in
            [format!("{cases}?filter=%28&pageSize=-1"), format!("{cases}?pageToken=garbage"), cases.clone()]
        {
            alice.get(&path).await.refused(403, "NOT_A_MEMBER");
        }
        let create = alice.call(Method::POST, &cases).bytes("{broken");
        create.header("idempotency-key", "not a key").send().await.refused(403, "NOT_A_MEMBER");
        for id in [own, foreign, nowhere, "garbage"] {
            let case = format!("{cases}/{id}");
            alice.get(&case).await.refused(403, "NOT_A_MEMBER");
            alice.get(&format!("{case}/comments/{nowhere}")).await.refused(403, "NOT_A_MEMBER");
            for (method, path) in [
                (Method::PATCH, format!("{case}?updateMask=nonsense")),
                (Method::POST, format!("{case}:close")),
                (Method::POST, format!("{case}:escalate")),
                (Method::POST, format!("{case}/comments")),
            ] {
                let answer =
                    alice.call(method, &path).bytes("\u{0}").header("if-match", "\"x\"").send().await;
                answer.refused(403, "NOT_A_MEMBER");
            }
        }
    }
    let huge = alice.call(Method::POST, "/v2/organizations/globex/cases").bytes(vec![b'x'; 100_000]);
    huge.send().await.refused(403, "NOT_A_MEMBER");
    assert_eq!(server.events().await.len(), events + FILING_EVENTS, "only what globex filed");
}

#[tokio::test]
async fn another_case_under_the_own_parent_is_404() {
    let (server, alice, case, events) = with_case().await;
    let foreign = file_case(&server.client(HANK), "globex").await.replace("globex", "acme");
    let own = case.rsplit('/').next().unwrap();
    let cases = [
        foreign,
        format!("{CASES}/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        format!("{CASES}/garbage"),
        format!("{CASES}/{}", own.to_lowercase()),
        format!("{CASES}/{own}%3Aclose"),
        format!("{CASES}/{own}0"),
    ];
    for case in cases {
        alice.get(&case).await.refused(404, "CASE_NOT_FOUND");
        alice.get(&format!("{case}/comments")).await.refused(404, "CASE_NOT_FOUND");
        alice
            .post(&format!("{case}/comments"), &json!({"body": "hello"}))
            .await
            .refused(404, "CASE_NOT_FOUND");
        alice.post(&format!("{case}:close"), &json!({})).await.refused(404, "CASE_NOT_FOUND");
        let name = json!({"displayName": "mine"});
        alice.patch(&format!("{case}?updateMask=displayName"), &name).await.refused(404, "CASE_NOT_FOUND");
        let escalation = json!({"escalation": {"reason": 1, "justification": "now"}});
        alice.post(&format!("{case}:escalate"), &escalation).await.refused(404, "CASE_NOT_FOUND");
    }
    alice.get(&format!("{case}/comments/garbage")).await.refused(404, "COMMENT_NOT_FOUND");
    assert_eq!(server.events().await.len(), events + FILING_EVENTS, "only what globex filed");
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_413_with_and_without_a_length() {
    let (server, _, _, events) = with_case().await;
    let authorization = format!("Bearer {}", server.token(ALICE)).into_bytes();
    let bound = server.app().max_body_bytes;
    let mut body = json!({"displayName": "x", "padding": ""}).to_string().into_bytes();
    body.resize(bound + 1, b' ');
    let headers: &[(&str, &[u8])] = &[("Authorization", &authorization)];
    let answer = raw::exchange(server.address, &raw::request("POST", CASES, headers, &body)).await.unwrap();
    answer.refused(413, "PAYLOAD_TOO_LARGE");

    let mut chunked = raw::request("POST", CASES, &[("Authorization", &authorization)], b"");
    let line = b"Content-Length: 0\r\n\r\n";
    chunked.truncate(chunked.len() - line.len());
    chunked.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
    for chunk in body.chunks(64 * 1024) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    raw::exchange(server.address, &chunked).await.unwrap().refused(413, "PAYLOAD_TOO_LARGE");

    // Just within the bound the body is read, and judged for what it says.
    body.truncate(bound);
    let answer = raw::exchange(server.address, &raw::request("POST", CASES, headers, &body)).await.unwrap();
    answer.refused(400, "INVALID_FIELD");
    assert_eq!(server.events().await.len(), events);
}
