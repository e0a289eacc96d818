//! Whatever comes over the wire as HTTP: an answer in JSON, never a fault of ours.

use dossier_tests::people::ALICE;
use dossier_tests::server::file_case;
use dossier_tests::{Server, raw};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Requests sent; the same ones in every run.
const REQUESTS: u32 = 1_500;
const SEED: [u8; 32] = [42; 32];

/// A request that a parser of HTTP lets through.
#[derive(Clone, Debug)]
struct Request {
    method: String,
    target: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    signed_in: bool,
}

fn method() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("GET".to_owned()),
        4 => Just("POST".to_owned()),
        3 => Just("PATCH".to_owned()),
        1 => "(PUT|DELETE|OPTIONS|TRACE|[A-Z]{3,8})",
    ]
    // An answer to HEAD has no body, and CONNECT is another protocol.
    .prop_filter("has a body", |method| method != "HEAD" && method != "CONNECT")
}

fn target(case: &str) -> impl Strategy<Value = String> + use<> {
    let known = prop::sample::select(vec![
        "/v2/organizations/acme/cases".to_owned(),
        "/v2/organizations/acme/cases:search".to_owned(),
        "/v2/caseClassifications:search".to_owned(),
        "/v2beta/cases:search".to_owned(),
        format!("/{case}"),
        format!("/{case}:close"),
        format!("/{case}:escalate"),
        format!("/{case}:showFeed"),
        format!("/{case}/comments"),
        format!("/{case}/attachments"),
        format!("/{case}/events"),
        "/v2/organizations/acme/access/events".to_owned(),
        "/v2/events".to_owned(),
        format!("/upload/{case}/attachments"),
    ]);
    let piece = "(/|:|v2|organizations|acme|cases|comments|%[0-9a-fA-F]{2}|%|\\.\\.|[!$&'()*+,;=@A-Za-z0-9._~-]{1,6})";
    let tail = prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat());
    let path = prop_oneof![
        4 => known.clone(),
        2 => (known, tail.clone()).prop_map(|(path, tail)| path + &tail),
        1 => tail.prop_map(|tail| format!("/{tail}")),
    ];
    let key = "(filter|query|pageSize|pageToken|page_token|updateMask|\\$alt|orderBy|productLine|after|at|[a-z.%$]{1,8})";
    let value = "(state%3DOPEN|priority%3DP[0-9]|%22[a-z]*%22|-?[0-9]{1,12}|([(]|[)]|AND|OR|%20|%[0-9a-f]{2}|[a-z_=+.%]){0,8})";
    let query = prop::collection::vec((key, value), 0..3).prop_map(|pairs| {
        pairs.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
    });
    (path, query).prop_map(|(path, query)| if query.is_empty() { path } else { format!("{path}?{query}") })
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    let names = prop::sample::select(vec![
        "Idempotency-Key",
        "If-Match",
        "Dossier-Max-Wait",
        "Dossier-Correlation-Id",
        "X-HTTP-Method-Override",
        "Content-Type",
        "Accept-Encoding",
        "Accept",
        "Range",
        "X-Anything",
    ]);
    let values = prop_oneof![
        "(GET|\\*|\"[0-9]{1,3}\"|0|gzip|multipart/related; boundary=x|application/json|[0-9A-Z]{26})"
            .prop_map(String::into_bytes),
        prop::collection::vec(prop_oneof![0x21_u8..0x7f, 0x80_u8..=0xff], 0..20),
    ];
    prop::collection::vec((names, values), 0..3)
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let names = "\"(displayName|description|classification|priority|body|escalation|reason|id|subscriberEmailAddresses)\"";
    let leaf = "(null|true|-?[0-9]{1,20}(\\.5)?(e[0-9]{1,3})?|\"(P[0-9]|compute-vm|\\\\ud800|\\\\u0000|\\\\n|[a-z@. ]){0,4}\")";
    let json = leaf.prop_map(|leaf| leaf).prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((names, inner), 0..5).prop_map(|fields| {
                let fields: Vec<_> =
                    fields.into_iter().map(|(name, value)| format!("{name}:{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    });
    prop_oneof![
        1 => Just(Vec::new()),
        5 => json.prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..64),
        1 => "\\PC{0,40}".prop_map(String::into_bytes),
    ]
}

#[test]
fn whatever_is_sent_the_answer_is_json_and_no_fault_of_ours() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, case) = runtime.block_on(async {
        let server = Server::start().await;
        let case = file_case(&server.client(ALICE), "acme").await;
        (server, case)
    });
    let authorization = format!("Bearer {}", server.token(ALICE)).into_bytes();
    let requests =
        (method(), target(case.trim_start_matches('/')), headers(), body(), prop::bool::weighted(0.9))
            .prop_map(|(method, target, headers, body, signed_in)| Request {
                method,
                target,
                headers,
                body,
                signed_in,
            });
    let config = Config { cases: REQUESTS, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &SEED));
    let mut accepted = 0_u32;
    let counted = std::cell::Cell::new(0_u32);
    let outcome = runner.run(&requests, |request| {
        let mut headers: Vec<(&str, &[u8])> =
            request.headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        if request.signed_in {
            headers.push(("Authorization", &authorization));
        }
        let bytes = raw::request(&request.method, &request.target, &headers, &request.body);
        let answer = runtime
            .block_on(raw::exchange(server.address, &bytes))
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(answer.status < 500, "{}", answer.text());
        prop_assert!(answer.status == 200 || answer.status >= 400, "{}", answer.status);
        if answer.status == 200 {
            counted.set(counted.get() + 1);
            answer.json();
        } else {
            answer.error();
        }
        Ok(())
    });
    accepted += counted.get();
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(accepted > REQUESTS / 50, "only {accepted} were good: the generator has lost its way");
    runtime.block_on(async {
        server.client(ALICE).get("/v2/organizations/acme/cases").await.ok();
        let ready = server.anonymous().get("/readyz").await.ok();
        assert_eq!(ready["ready"], true, "the server is as well as before");
    });
}
