//! Which providers receive a case, and when the phone is answered, over HTTP.

use dossier_tests::people::{AGENT, ALICE};
use dossier_tests::server::{case_path, file_case, sample_case};
use dossier_tests::{Answer, Server};
use jiff::SignedDuration;
use serde_json::{Value, json};

const CASES: &str = "/v2/organizations/acme/cases";

/// A server whose catalogue says something else of the provider south.
async fn with_south(from: &str, to: &str) -> Server {
    let edit = |catalogue: &str| {
        let south = catalogue.find("id = \"south\"").expect("the provider");
        let (before, after) = catalogue.split_at(south);
        assert!(after.contains(from), "the catalogue says so: {from}");
        format!("{before}{}", after.replacen(from, to, 1))
    };
    Server::start().await.with_catalogue(edit).await
}

async fn hand_over(server: &Server) -> Answer {
    let case = file_case(&server.client(ALICE), "acme").await;
    let body = json!({"provider": "south", "reason": "They know this machine."});
    server.client(AGENT).post(&format!("{case}:route"), &body).await
}

/// R-ROUTE-2.
#[tokio::test]
async fn r_route_2_only_a_vetted_provider_that_is_competent_for_the_product_receives_a_case() {
    hand_over(&Server::start().await).await.ok();
    for (from, to, why) in [
        ("vetted = true", "vetted = false", "not_vetted"),
        ("products = [\"compute\", \"storage\", \"identity\"]", "products = [\"storage\"]", "not_competent"),
    ] {
        let server = with_south(from, to).await;
        let refused = hand_over(&server).await;
        refused.refused(400, "PROVIDER_UNSUITABLE");
        assert_eq!(
            (refused.metadata("provider"), refused.metadata("excluded")),
            ("south".into(), why.into())
        );
        // Nor does one get it by itself, though it alone speaks the language.
        let mut case = sample_case();
        case["languageCode"] = json!("pt");
        let filed = case_path(&server.client(ALICE).post(CASES, &case).await);
        let routed = server.client(AGENT).get(&filed).await.ok();
        assert_eq!(routed["support"]["provider"], "north", "{routed}");
    }
}

fn by_phone() -> Value {
    let mut case = sample_case();
    case["channel"] = json!("PHONE");
    case
}

/// R-PHONE-1.
#[tokio::test]
async fn r_phone_1_outside_the_providers_hours_the_phone_is_refused_with_its_next_opening_and_what_is_open() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let opens = alice.post(CASES, &by_phone()).await.ok();
    assert_eq!(opens["channel"], "PHONE", "Monday morning in Paris");
    server.clock.set("2026-01-09T18:30:00Z".parse().unwrap());
    let before = server.deeds().await;
    let refused = alice.post(CASES, &by_phone()).await;
    refused.refused(400, "CHANNEL_CLOSED");
    assert_eq!(refused.metadata("nextOpening"), "2026-01-12T08:00:00Z", "over the weekend");
    let open = refused.metadata("openChannels");
    assert!(open.contains("web") && open.contains("email") && !open.contains("phone"), "{open}");
    assert_eq!(server.deeds().await, before);
    // The centre itself never closes.
    alice.post(CASES, &sample_case()).await.ok();
    server.clock.advance(SignedDuration::from_hours(62));
    alice.post(CASES, &by_phone()).await.ok();
}
