//! What a webhook is told depends on who made it.

use dossier_processes::notifications::ledger::{LedgerEntry, MessageState};
use dossier_tests::people::BOB;
use dossier_tests::receiver::Receiver;
use dossier_tests::server::{file_case, sample_case};
use jiff::SignedDuration;
use serde_json::json;

use super::{WEBHOOKS, Wired, at, path};

/// R-NOTIFY-3.
#[tokio::test]
async fn r_notify_3_a_webhook_is_told_of_what_whoever_made_it_sees_at_the_event_and_at_sending() {
    let mut wired = Wired::up().await;
    let bob = wired.server.client(BOB);
    let member =
        format!("/v2/organizations/acme/members/{}?updateMask=roles", wired.server.actor(BOB).account);
    let roles = json!({"roles": {"compute": null, "storage": "OWNER"}});
    wired.alice.patch(&member, &roles).await.ok();
    let bobs = Receiver::start().await;
    bobs.answer(500);
    let alices = wired.webhook.clone();
    wired.webhook = path(&bob.post(WEBHOOKS, &at(&bobs.url())).await);
    let hidden = file_case(&wired.alice, "acme").await;
    let mut storage = sample_case();
    storage["classification"] = json!({"id": "storage-bucket"});
    let shown = wired.alice.post("/v2/organizations/acme/cases", &storage).await.ok();
    wired.tried(1).await;
    let stream = |name: &str| format!("case-{}", name.rsplit('/').next().unwrap());
    let (hidden, shown) = (stream(&hidden), stream(shown["name"].as_str().unwrap()));
    // Messages are written down in the order of the log: what Bob does not see came first.
    let bobs_messages = wired.until(|found| !found.is_empty()).await;
    assert!(bobs_messages.iter().all(|one| one.message.stream == shown), "{bobs_messages:?}");
    let bobs_webhook = std::mem::replace(&mut wired.webhook, alices);
    for stream in [&hidden, &shown] {
        wired.until(|found| found.iter().any(|one| one.message.stream == *stream)).await;
    }
    wired.webhook = bobs_webhook;
    wired.alice.patch(&member, &json!({"roles": {"storage": null, "compute": "VIEWER"}})).await.ok();
    bobs.answer(204);
    wired.server.clock.advance(SignedDuration::from_hours(1));
    // Of other cases he may be told: time has passed for the sample cases too.
    let withheld = |one: &LedgerEntry| one.message.stream != shown || one.state == MessageState::Withheld;
    wired.until(|found| found.iter().all(withheld)).await;
}
