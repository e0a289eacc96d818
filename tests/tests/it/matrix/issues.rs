//! What must be there before an endpoint does something with a known issue.

use dossier_api::endpoints::Endpoint;
use dossier_tests::Server;
use dossier_tests::people::ENGINEER;
use serde_json::json;

use super::last;

/// The id of a known issue that stands where an endpoint can do something with it.
pub(super) async fn known_issue(server: &Server, endpoint: &str) -> String {
    let engineer = server.client(ENGINEER);
    let suspicion = json!({"product": "compute", "title": "Something", "source": "COMMUNITY"});
    let issue = last(&engineer.post("/v2/knownIssues", &suspicion).await.ok()["name"]);
    let steps = match endpoint.trim_start_matches("knownIssues.") {
        "publish" => 1,
        "postUpdate" | "resolve" => 2,
        _ if endpoint.starts_with("organizations.") => 2,
        _ => 0,
    };
    let high = json!({"impact": "HIGH", "statement": "Nobody can work."});
    let summary = json!({"summary": "Machines do not start"});
    for (verb, body) in [("confirm", high), ("publish", summary)].into_iter().take(steps) {
        engineer.post(&format!("/v2/knownIssues/{issue}:{verb}"), &body).await.ok();
    }
    issue
}

/// Whether an endpoint takes back that a known issue affects one, or that one wants mails about it.
pub(super) fn leaves(endpoint: &Endpoint) -> bool {
    ["organizations.knownIssues.notAffected", "organizations.knownIssues.unsubscribe"].contains(&endpoint.id)
}
