//! No text opens as a page token but one that was made for the very scope; the first line of the input is a scope.
#![no_main]

use dossier_api::page_token::PageTokens;
use dossier_api::status::Code;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let tokens = PageTokens::new([7; 32]);
    let (scope, rest) = text.split_once('\n').unwrap_or(("", text));
    for token in [text, rest] {
        let refused = tokens.open::<Value>(scope, token).expect_err("nobody can forge a token");
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
    let token = tokens.seal(scope, &rest);
    if token.len() <= 4096 {
        assert_eq!(tokens.open::<String>(scope, &token).as_deref(), Ok(rest));
    }
    let other_scope = format!("{scope}x");
    assert!(tokens.open::<String>(&other_scope, &token).is_err(), "a token is good for its own list");
    assert!(PageTokens::new([8; 32]).open::<String>(scope, &token).is_err(), "and under its own secret");
});
