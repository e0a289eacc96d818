//! The few pages that a person sees on the way in and out: plain, without scripts and without anything from elsewhere.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse as _, Response};
use dossier_domain::catalogue::Links;

use crate::status::ApiError;

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --accent: #0b6e4f; }
@media (prefers-color-scheme: dark) { :root { --accent: #5fd0a8; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 12vh auto 0; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; margin: 0 0 .75rem; } a { color: var(--accent); } ul { padding-left: 1.25rem; }
footer { margin-top: 2rem; padding-top: .75rem; border-top: 1px solid var(--line); opacity: .75; font-size: .875rem; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: 1.25rem 0; padding: .5rem 1rem; }
fieldset label { display: flex; align-items: center; gap: .75rem; min-height: 2.75rem; }
input[type=radio] { width: 1.25rem; height: 1.25rem; accent-color: var(--accent); }
textarea { box-sizing: border-box; width: 100%; min-height: 8rem; margin: .25rem 0 1.25rem; padding: .5rem; font: inherit; }
button { font: inherit; padding: .625rem 1.5rem; border: 0; border-radius: .5rem; background: var(--accent); color: Canvas; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
[role=alert] { border-left: .25rem solid; padding-left: .75rem; font-weight: 600; }";

/// Nothing may run, and nothing be fetched.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
/// The same for a page with a form, which is sent to where the page is from.
const FORM_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; \
                           frame-ancestors 'none'";

/// Whether whoever asks is a program that reads JSON, not a person with a browser.
pub fn wants_json(headers: &HeaderMap) -> bool {
    let accepts = |kind: &str| {
        let lists = headers.get_all(header::ACCEPT).into_iter().filter_map(|list| list.to_str().ok());
        let mut kinds = lists.flat_map(|list| list.split(','));
        kinds.any(|one| one.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind))
    };
    accepts("application/json") && !accepts("text/html")
}

/// A refusal, as a page under a heading or as JSON, with the links that help (R-ACCESS-6).
pub fn refused(
    error: ApiError,
    heading: &str,
    links: &Links,
    request_id: &str,
    headers: &HeaderMap,
) -> Response {
    let known = [
        (&links.sign_in_help, "Help with signing in"),
        (&links.password_reset, "A new password"),
        (&links.account_recovery, "How to get an account back"),
    ];
    let links = known.into_iter().filter_map(|(url, text)| url.as_deref().map(|url| (url, text)));
    if wants_json(headers) {
        return links.fold(error, |error, (url, text)| error.with_help(text, url)).into_response();
    }
    let mut list = String::new();
    for (url, text) in std::iter::once(("/sign-in", "Sign in")).chain(links) {
        let _ = write!(list, "<li><a href=\"{}\">{}</a></li>", escape(url), escape(text));
    }
    let body = format!(
        "<h1>{}</h1><p>{}</p><ul>{list}</ul>\
         <footer>Reason <code>{}</code>, request <code>{}</code></footer>",
        escape(heading),
        escape(error.message()),
        escape(error.reason()),
        escape(request_id)
    );
    let mut response = page(heading, &body);
    let as_json = error.into_response();
    *response.status_mut() = as_json.status();
    if let Some(pause) = as_json.headers().get(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, pause.clone());
    }
    response
}

/// What is seen after signing out.
pub fn signed_out() -> Response {
    page("Signed out", "<h1>You are signed out</h1><p><a href=\"/sign-in\">Sign in again</a></p>")
}

fn page(title: &str, body: &str) -> Response {
    page_in("en", title, body, false)
}

/// A page in a language; the body is markup, its texts are escaped. Without a form nothing can be sent from it.
pub fn page_in(language: &str, title: &str, body: &str, with_form: bool) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"{}\"><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width\"><meta name=robots content=noindex>\
         <title>{}</title><style>{STYLE}</style><main>{body}</main></html>\n",
        escape(language),
        escape(title)
    );
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    let policy = if with_form { FORM_POLICY } else { POLICY };
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Nothing of an answer is kept by caches or told to other sites.
pub fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// A text inside an element or a quoted attribute.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    fn asking(accept: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))])
    }

    async fn text(response: Response) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_program_asks_for_json_and_a_person_for_a_page() {
        for (accept, json) in [
            ("application/json", true),
            ("text/plain, Application/JSON;q=0.9", true),
            ("text/html,application/xhtml+xml,application/json;q=0.9", false),
            ("*/*", false),
        ] {
            assert_eq!(wants_json(&asking(accept)), json, "{accept}");
        }
        assert!(!wants_json(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_page_says_why_and_what_helps_and_lets_no_text_from_outside_become_markup() {
        let error = ApiError::permission_denied("<script>alert('1')</script>").with_reason("A_REASON");
        let links = Links {
            account_recovery: Some("https://help.example/?a=1&b=\"2\"".to_owned()),
            ..Links::default()
        };
        let response = refused(error.clone(), "<No>", &links, "R1", &asking("text/html"));
        assert_eq!(response.status(), 403);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'"));
        let page = text(response).await;
        assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"), "{page}");
        assert!(page.contains("<a href=\"https://help.example/?a=1&amp;b=&quot;2&quot;\">"), "{page}");
        assert!(page.contains("<h1>&lt;No&gt;</h1>"), "{page}");
        assert!(page.contains("A_REASON") && page.contains("R1") && !page.contains("<script"), "{page}");
        let json = text(refused(error, "", &links, "R1", &asking("application/json"))).await;
        assert!(json.contains("google.rpc.Help") && json.contains("A_REASON"), "{json}");
    }
}
