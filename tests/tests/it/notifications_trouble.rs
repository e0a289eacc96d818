//! R-NOTIFY-2, R-NOTIFY-3: what becomes of mails when the mail server does wrong, and who sees it.

use dossier_tests::Server;
use dossier_tests::people::{AGENT, AGENT_SOUTH, ALICE, BOB, OPERATOR};
use dossier_tests::server::file_case;
use dossier_tests::smtp::MailServer;
use reqwest::Method;
use serde_json::{Value, json};

async fn settled() -> (Server, MailServer) {
    let mail = MailServer::start().await;
    let server = Server::start().await.with_mail_server(&mail.url()).await;
    server.mails_settled().await;
    (server, mail)
}

/// The messages about a case, as support sees them.
async fn notifications(server: &Server, case: &str) -> Vec<Value> {
    let list = server.client(AGENT).get(&format!("{case}/notifications?pageSize=100")).await.ok();
    list["notifications"].as_array().unwrap().clone()
}

/// Waits until the message to somebody about a case is in a state.
async fn until(server: &Server, case: &str, email: &str, state: &str) -> Value {
    let found = async {
        loop {
            let all = notifications(server, case).await;
            let found =
                all.into_iter().find(|one| one["recipient"]["email"] == email && one["state"] == state);
            if let Some(found) = found {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_mins(1), found).await;
    waited.unwrap_or_else(|_| panic!("no message to {email} is {state}"))
}

/// R-NOTIFY-2.
#[tokio::test]
async fn r_notify_2_support_sees_for_whom_each_mail_was_why_and_what_became_of_it() {
    let (server, mut mail) = settled().await;
    mail.fault("RCPT", 0, "550_no_such_user", "bob@").await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let subscribers = json!({"subscriberEmailAddresses": ["bob@acme.example"]});
    let patch = format!("{case}?updateMask=subscriberEmailAddresses");
    server.client(ALICE).patch(&patch, &subscribers).await.ok();
    server.client(AGENT).post(&format!("{case}/comments"), &json!({"body": "Look."})).await.ok();
    server.mails_settled().await;
    let all = notifications(&server, &case).await;
    let shown: Vec<_> = all
        .iter()
        .map(|one| {
            let field = |name: &str| one[name].as_str().unwrap().to_owned();
            (
                one["recipient"]["email"].as_str().unwrap().to_owned(),
                field("reason"),
                field("kind"),
                field("state"),
            )
        })
        .collect();
    let row = |email: &str, reason: &str, kind: &str, state: &str| {
        (email.to_owned(), reason.to_owned(), kind.to_owned(), state.to_owned())
    };
    assert!(shown.contains(&row(ALICE, "FILER", "CASE_FILED", "SENT")), "{shown:?}");
    assert!(
        shown.contains(&row(ALICE, "FILER", "CASE_COMMENTED", "SENT")),
        "a refused address stops no other"
    );
    assert!(shown.contains(&row(BOB, "SUBSCRIBER", "CASE_COMMENTED", "FAILED")), "{shown:?}");
    assert_eq!(shown.len(), 3);
    let failed = all.iter().find(|one| one["state"] == "FAILED").unwrap();
    assert!(failed["attempts"][0]["detail"].as_str().unwrap().contains("no such user"), "{failed}");
    // Support of another provider does not see the case, customers no ledger.
    let path = format!("{case}/notifications");
    server.client(AGENT_SOUTH).get(&path).await.refused(404, "CASE_NOT_FOUND");
    server.client(ALICE).get(&path).await.refused(403, "NOT_FOR_YOU");
    // Page by page it is the same.
    let first = server.client(AGENT).get(&format!("{path}?pageSize=2")).await.ok();
    let token = first["nextPageToken"].as_str().unwrap();
    let second = server.client(AGENT).get(&format!("{path}?pageSize=2&pageToken={token}")).await.ok();
    let names = |list: &Value| -> Vec<Value> {
        list["notifications"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect()
    };
    assert_eq!(
        [names(&first), names(&second)].concat(),
        all.iter().map(|one| one["name"].clone()).collect::<Vec<_>>()
    );
    assert!(second.get("nextPageToken").is_none());
}

/// R-NOTIFY-2.
#[tokio::test]
async fn r_notify_2_an_acceptance_that_stayed_unknown_is_shown_to_the_operator_who_may_send_it_again() {
    let (server, mut mail) = settled().await;
    mail.fault("ACCEPTED", 1, "close", "alice@").await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let unknown = until(&server, &case, ALICE, "UNKNOWN").await;
    let operator = server.client(OPERATOR);
    let listed = operator.get("/v2/notifications?state=UNKNOWN").await.ok();
    assert_eq!(listed["notifications"][0]["name"], unknown["name"]);
    assert!(!listed.to_string().contains("acme.example"), "the operator sees no address: {listed}");
    let before = mail.mails().len();
    let retry = format!("/v2/{}:retry", unknown["name"].as_str().unwrap());
    operator.post(&retry, &json!({})).await.ok();
    until(&server, &case, ALICE, "SENT").await;
    let mails = mail.mails();
    assert_eq!(mails.len(), before + 1);
    let id = mails.last().unwrap().header("Message-ID").unwrap().to_owned();
    assert!(id.contains(unknown["name"].as_str().unwrap().trim_start_matches("notifications/")), "{id}");
    operator.post(&retry, &json!({})).await.refused(400, "NOTIFICATION_NOT_SETTLED");
    operator
        .post("/v2/notifications/nonsense:retry", &json!({}))
        .await
        .refused(404, "NOTIFICATION_NOT_FOUND");
}

/// R-NOTIFY-3: visible at the event, and no more at sending.
#[tokio::test]
async fn r_notify_3_who_loses_sight_of_a_case_before_a_mail_is_sent_does_not_get_it() {
    let (server, mut mail) = settled().await;
    let case = file_case(&server.client(BOB), "acme").await;
    server.mails_settled().await;
    mail.fault("RCPT", 0, "451_not_now", "bob@").await;
    server.client(AGENT).post(&format!("{case}/comments"), &json!({"body": "Look."})).await.ok();
    let waits = until(&server, &case, BOB, "INTENDED").await;
    assert_eq!(waits["kind"], "CASE_COMMENTED");
    let bob = server.actor(BOB).account;
    let path = format!("/v2/organizations/acme/members/{bob}");
    server.client(ALICE).call(Method::DELETE, &path).send().await.ok();
    mail.fault("RCPT", 0, "250_ok", "bob@").await;
    server.clock.advance(jiff::SignedDuration::from_hours(1));
    let withheld = until(&server, &case, BOB, "WITHHELD").await;
    let last = withheld["attempts"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["outcome"], &last["detail"]), (&json!("WITHHELD"), &json!("not_visible")));
    assert!(!mail.mails().iter().any(|mail| mail.text().contains("Look.")));
}

/// Without a mail server nothing is lost: it is written down, and readiness says that nothing is sent.
#[tokio::test]
async fn without_a_mail_server_messages_are_written_down_and_readiness_says_so() {
    let server = Server::start().await;
    let case = file_case(&server.client(ALICE), "acme").await;
    let waits = until(&server, &case, ALICE, "INTENDED").await;
    assert_eq!(waits["attempts"], json!([]));
    let ready = server.anonymous().get("/readyz").await.json();
    assert_eq!(ready["ready"], true, "{ready:#}");
    assert_eq!(ready["notifications"]["mailer"]["state"], "no mail server");
    assert!(ready["notifications"]["messages"]["email"]["intended"].as_u64().unwrap() > 0, "{ready:#}");
    assert_eq!(ready["notifications"]["fanOut"]["ready"], true);
    assert_eq!(ready["notifications"]["eventDelivery"]["ready"], true);
    assert_eq!(ready["notifications"]["courier"]["state"], "sending");
}
