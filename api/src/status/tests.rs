//! The one shape of refusals.

use http_body_util::BodyExt;

use super::*;

const ALL: [Code; 16] = [
    Code::InvalidArgument,
    Code::FailedPrecondition,
    Code::Unauthenticated,
    Code::PermissionDenied,
    Code::NotFound,
    Code::MethodNotAllowed,
    Code::Aborted,
    Code::AlreadyExists,
    Code::PayloadTooLarge,
    Code::RangeNotSatisfiable,
    Code::ResourceExhausted,
    Code::Cancelled,
    Code::Internal,
    Code::Unimplemented,
    Code::Unavailable,
    Code::DeadlineExceeded,
];

#[test]
fn every_code_has_a_reason_and_its_number_is_the_http_status() {
    for code in ALL {
        let body = ApiError::new(code, "no").body();
        assert_eq!(body["error"]["code"], code.http_status().as_u16());
        assert_eq!(body["error"]["status"], code.name());
        let info = &body["error"]["details"][0];
        assert_eq!(info["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
        assert_eq!(info["domain"], "dossier");
        assert_eq!(info["reason"], code.default_reason());
        assert!(info["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    }
    assert_eq!(Code::Cancelled.http_status().as_u16(), 499);
    assert_eq!(Code::FailedPrecondition.http_status().as_u16(), 400);
}

#[test]
fn a_wrong_field_is_named_in_message_and_details() {
    let body = ApiError::invalid_field("filter", "unknown field")
        .with_reason("INVALID_FILTER")
        .with_metadata("offset", "4")
        .with_help("Filters", "https://example.test/filters")
        .body();
    assert_eq!(
        body,
        json!({"error": {"code": 400, "message": "filter: unknown field", "status": "INVALID_ARGUMENT", "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "INVALID_FILTER", "domain": "dossier",
             "metadata": {"offset": "4"}},
            {"@type": "type.googleapis.com/google.rpc.BadRequest",
             "fieldViolations": [{"field": "filter", "description": "unknown field"}]},
            {"@type": "type.googleapis.com/google.rpc.Help",
             "links": [{"description": "Filters", "url": "https://example.test/filters"}]},
        ]}})
    );
}

#[tokio::test]
async fn a_response_is_json_and_carries_its_headers() {
    let response = ApiError::unavailable("later", 7).into_response();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(!response.headers().contains_key("www-authenticate"));
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(body["error"]["details"][1]["retryDelay"], "7s");

    let response = ApiError::unauthenticated("who?").into_response();
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
}

#[test]
fn an_excerpt_is_short_and_has_no_control_characters() {
    assert_eq!(excerpt("a\nb"), "\"a\u{fffd}b\"");
    assert_eq!(excerpt(&"é".repeat(41)), format!("\"{}…\"", "é".repeat(40)));
    assert_eq!(excerpt(&"é".repeat(40)), format!("\"{}\"", "é".repeat(40)));
}
