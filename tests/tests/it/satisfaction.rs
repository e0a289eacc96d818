//! How content people are, as support sees it over HTTP (R-SURVEY-1).

use dossier_tests::people::{AGENT, AGENT_SOUTH, ALICE, BOB, ENGINEER, OPERATOR};
use dossier_tests::server::file_case;
use dossier_tests::{Answer, Server};
use serde_json::{Value, json};

async fn asked(server: &Server, who: &str, query: &str) -> Answer {
    server.client(who).get(&format!("/v2/satisfaction{query}")).await
}

/// A case of somebody's that is closed and rated, as a provider had it.
async fn rated(server: &Server, who: &str, provider: &str, rating: u8) {
    let client = server.client(who);
    let case = file_case(&client, "acme").await;
    if provider != "north" {
        let hand_over = json!({"provider": provider, "reason": "They know it."});
        server.client(AGENT).post(&format!("{case}:route"), &hand_over).await.ok();
    }
    client.post(&format!("{case}:close"), &json!({})).await.ok();
    client.post(&format!("{case}:answerSurvey"), &json!({"rating": rating})).await.ok();
}

fn group<'a>(satisfaction: &'a Value, provider: &str) -> Option<&'a Value> {
    let groups = satisfaction["groups"].as_array().unwrap();
    groups.iter().find(|group| group["provider"] == provider && group["product"] == "compute")
}

/// R-SURVEY-1.
#[tokio::test]
async fn r_survey_1_support_sees_how_content_people_are_by_product_provider_and_month() {
    let server = Server::start().await;
    let before = asked(&server, ENGINEER, "").await.ok();
    assert_eq!(before["total"]["answers"], 0, "{before}");
    assert!(before["total"].get("mean").is_none());
    rated(&server, ALICE, "north", 5).await;
    rated(&server, BOB, "north", 2).await;
    rated(&server, ALICE, "south", 1).await;
    let month = server.clock.now().to_string()[..7].to_owned();
    let all = asked(&server, ENGINEER, "").await.ok();
    assert_eq!(
        all["total"],
        json!({"answers": 3, "sum": 8, "mean": 8.0 / 3.0, "ratings": [1, 1, 0, 0, 1]}),
        "{all}"
    );
    let north = group(&all, "north").unwrap();
    assert_eq!((&north["ratings"], &north["mean"]), (&json!([0, 1, 0, 0, 1]), &json!(3.5)));
    assert_eq!(north["month"], month);

    // An agent sees what the own provider had.
    let mine = asked(&server, AGENT, "").await.ok();
    assert_eq!(group(&mine, "north"), Some(north));
    assert_eq!((group(&mine, "south"), &mine["total"]["answers"]), (None, &json!(2)));
    let souths = asked(&server, AGENT_SOUTH, "").await.ok();
    assert_eq!((group(&souths, "north"), &souths["total"]["sum"]), (None, &json!(1)));
    assert_eq!(asked(&server, AGENT, "?provider=south").await.ok()["groups"], json!([]));

    for (query, answers) in [
        (format!("?month={month}"), 3),
        ("?month=2025-12".to_owned(), 0),
        ("?product=compute&provider=north".to_owned(), 2),
        ("?product=storage".to_owned(), 0),
    ] {
        let found = asked(&server, ENGINEER, &query).await.ok();
        assert_eq!(found["total"]["answers"], answers, "{query}");
    }
    for wrong in ["?month=2026-13", "?month=202601", "?month=January", "?product=No%20id", "?provider=/"] {
        asked(&server, ENGINEER, wrong).await.refused(400, "INVALID_FIELD");
    }
    for who in [ALICE, OPERATOR] {
        asked(&server, who, "").await.refused(403, "NOT_FOR_YOU");
    }
}
