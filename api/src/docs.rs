//! `/docs`: the OpenAPI document as one page to read, without scripts and without anything from elsewhere.

use std::fmt::Write;

use axum::response::Html;
use serde_json::Value;

use crate::openapi;

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0b6e4f; }
@media (prefers-color-scheme: dark) { :root { --accent: #5fd0a8; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { margin: 0 0 .25rem; } h2 { margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); }
h3 { font: 600 1rem/1.4 ui-monospace, monospace; margin: 1.75rem 0 .25rem; overflow-wrap: anywhere; }
h3 b { color: var(--accent); display: inline-block; min-width: 4.5rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; } pre { background: var(--soft); padding: .75rem 1rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; } td, th { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } td:first-child { white-space: nowrap; font-family: ui-monospace, monospace; font-size: .9em; } .soft { opacity: .7; }
nav { columns: 2; margin: 1rem 0; font-size: .95em; } nav a { display: block; } a { color: var(--accent); }";

const INTRODUCTION: &str = "
<p>Every call carries <code>Authorization: Bearer TOKEN</code>, an OpenID Connect token. Each path is served under
<code>/v2</code> and <code>/v2beta</code>, with names in camelCase or snake_case and enums as names or integers.</p>
<pre>curl -s http://127.0.0.1:8080/v2/organizations/acme/cases -H \"Authorization: Bearer $TOKEN\"</pre>
<table>
<tr><th>Header</th><th>Meaning</th></tr>
<tr><td>Idempotency-Key</td><td>On any command: a ULID or UUID. The same key with the same body has its effect once and gets the first answer again, with <code>Idempotent-Replay: true</code>; with another body it is refused (409).</td></tr>
<tr><td>Dossier-Position</td><td>In the answer to a command: where the log stands after it.</td></tr>
<tr><td>Dossier-Min-Position</td><td>On a query: a position that the answer must not be older than. It waits up to <code>Dossier-Max-Wait</code> seconds (2), then answers 503 with <code>Retry-After</code>.</td></tr>
<tr><td>If-Match</td><td>On a command: the <code>ETag</code> that the case must still have, else 409.</td></tr>
<tr><td>Dossier-Follow-Up-Of</td><td>In the answer to a comment that reopened a case: an urgent problem belongs in a new case that follows up this one.</td></tr>
<tr><td>Dossier-Correlation-Id</td><td>On a request: ties it to others in logs and events. Each answer names its request in <code>Dossier-Request-Id</code>.</td></tr>
</table>
<p>A refusal is a <code>google.rpc.Status</code> in JSON: <code>error.code</code>, <code>error.status</code>, <code>error.message</code> (what
to do next) and, in <code>error.details</code>, an <code>ErrorInfo</code> with a stable <code>reason</code>.</p>";

/// The page.
pub async fn serve() -> Html<String> {
    Html(page(&openapi::document()))
}

fn page(document: &Value) -> String {
    let mut nav = String::new();
    let mut operations = String::new();
    let empty = serde_json::Map::new();
    let paths = document["paths"].as_object().unwrap_or(&empty);
    for (path, item) in paths {
        // Both versions are alike: v2 is shown, and of v2beta what it has alone.
        if path.starts_with("/v2beta/") && paths.contains_key(&path.replacen("/v2beta/", "/v2/", 1)) {
            continue;
        }
        for (method, operation) in item.as_object().unwrap_or(&empty) {
            let id = text(&operation["operationId"]).trim_start_matches("v2beta.").to_owned();
            let summary = text(&operation["summary"]);
            let _ = write!(nav, "<a href=\"#{id}\">{id}</a>");
            let _ = write!(
                operations,
                "<h3 id=\"{id}\"><b>{}</b> {}</h3><p>{summary} <span class=soft>{}</span></p>",
                method.to_uppercase(),
                escape(path),
                text(&operation["description"])
            );
            operations += &parameters(operation);
            operations += &body(operation);
        }
    }
    let mut schemas = String::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap_or(&empty) {
        let _ = write!(
            schemas,
            "<h3 id=\"schema-{name}\">{name}</h3><p>{}</p>{}",
            text(&schema["description"]),
            fields(schema)
        );
    }
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>Dossier: HTTP reference</title><style>{STYLE}</style>\
         <h1>Dossier</h1><p>{} Machines read <a href=\"/openapi.json\">/openapi.json</a>.</p>{INTRODUCTION}\
         <h2>Methods</h2><nav>{nav}</nav>{operations}<h2>Messages</h2>{schemas}</html>",
        text(&document["info"]["description"])
    )
}

fn parameters(operation: &Value) -> String {
    let Some(parameters) = operation["parameters"].as_array().filter(|parameters| !parameters.is_empty())
    else {
        return String::new();
    };
    let rows = parameters.iter().fold(String::new(), |mut rows, parameter| {
        let _ = write!(
            rows,
            "<tr><td>{}</td><td class=soft>{}</td><td>{}</td></tr>",
            text(&parameter["name"]),
            text(&parameter["in"]),
            text(&parameter["description"])
        );
        rows
    });
    format!("<table>{rows}</table>")
}

fn body(operation: &Value) -> String {
    let schema = |content: &Value| {
        let reference =
            content["content"]["application/json"]["schema"]["$ref"].as_str()?.rsplit('/').next()?;
        Some(format!("<a href=\"#schema-{0}\"><code>{0}</code></a>", escape(reference)))
    };
    let mut line = String::new();
    if let Some(request) = schema(&operation["requestBody"]) {
        let _ = write!(line, "Body: {request}. ");
    }
    if let Some(answer) = schema(&operation["responses"]["200"]) {
        let _ = write!(line, "Answer: {answer}.");
    }
    format!("<p>{line}</p>")
}

fn fields(schema: &Value) -> String {
    let Some(properties) = schema["properties"].as_object() else { return String::new() };
    let rows = properties.iter().fold(String::new(), |mut rows, (name, field)| {
        let _ = write!(
            rows,
            "<tr><td>{}</td><td class=soft>{}</td><td>{}</td></tr>",
            escape(name),
            escape(&type_of(field)),
            text(&field["description"])
        );
        rows
    });
    format!("<table>{rows}</table>")
}

fn type_of(field: &Value) -> String {
    if let Some(reference) = field["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    match &field["type"] {
        Value::String(name) if name == "array" => format!("{}[]", type_of(&field["items"])),
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect()
        }
        _ => String::new(),
    }
}

/// Prose of a doc comment: `code` in backticks, and the heading of its errors as a sentence.
fn text(value: &Value) -> String {
    let prose = value.as_str().unwrap_or_default().replace("# Errors\n", "Refused with ");
    let mut html = String::new();
    for (number, piece) in prose.split('`').enumerate() {
        let piece = escape(piece);
        if number % 2 == 1 {
            let _ = write!(html, "<code>{piece}</code>");
        } else {
            html += &piece;
        }
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_method_and_loads_nothing() {
        let page = page(&openapi::document());
        for endpoint in crate::endpoints::endpoints() {
            assert!(page.contains(&format!("id=\"{}\"", endpoint.id)), "{}", endpoint.id);
        }
        for loader in ["<script", "src=", "@import", "url("] {
            assert!(!page.contains(loader), "{loader}");
        }
    }

    #[test]
    fn prose_shows_code_and_errors_and_lets_no_markup_through() {
        let shown = text(&serde_json::json!("Takes `a<b`.\n\n# Errors\n400 for <b>."));
        assert_eq!(shown, "Takes <code>a&lt;b</code>.\n\nRefused with 400 for &lt;b&gt;.");
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
