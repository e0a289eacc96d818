//! How many cases there are, as far as one sees them.

use dossier_tests::people::{AGENT, AGENT_SOUTH, ALICE};
use dossier_tests::server::file_case;
use dossier_tests::{Client, Server};
use serde_json::{Value, json};

#[tokio::test]
async fn cases_are_counted_as_far_as_one_sees_them() {
    let server = Server::start().await;
    let [alice, north, south] = [ALICE, AGENT, AGENT_SOUTH].map(|who| server.client(who));
    let case = file_case(&alice, "acme").await;
    let stats = async |who: &Client, whose: &str, by: &str| {
        who.get(&format!("/v2/organizations/{whose}/stats?by={by}")).await
    };
    let value = |stats: &Value, value: &str| {
        let counts = stats["counts"].as_array().unwrap().clone();
        counts
            .iter()
            .find(|count| count["value"] == value)
            .map_or(0, |count| count["cases"].as_i64().unwrap())
    };
    let of_acme = stats(&alice, "acme", "state").await.ok();
    let listed = alice.get("/v2/organizations/acme/cases?pageSize=100").await.ok();
    let listed = listed["cases"].as_array().unwrap();
    assert_eq!(of_acme["total"], listed.len());
    let closed = listed.iter().filter(|case| case["state"] == "CLOSED").count();
    alice.post(&format!("{case}:close"), &json!({})).await.ok();
    let after = stats(&alice, "acme", "state").await.ok();
    assert_eq!(value(&after, "CLOSED"), i64::try_from(closed).unwrap() + 1);
    assert!(value(&stats(&alice, "acme", "priority").await.ok(), "P3") >= 1);
    assert!(value(&stats(&alice, "acme", "product").await.ok(), "compute") >= 1);
    // Across all organizations an agent counts what is with their provider.
    let all = stats(&north, "-", "provider").await.ok();
    assert_eq!(value(&all, "north"), all["total"].as_i64().unwrap());
    let (with_north, with_south) =
        (all["total"].as_i64().unwrap(), stats(&south, "-", "provider").await.ok());
    let moved = file_case(&alice, "acme").await;
    north
        .post(&format!("{moved}:route"), &json!({"provider": "south", "reason": "They know this machine."}))
        .await
        .ok();
    assert_eq!(stats(&north, "-", "provider").await.ok()["total"], with_north);
    let south_now = stats(&south, "-", "provider").await.ok();
    assert_eq!(value(&south_now, "south"), with_south["total"].as_i64().unwrap() + 1);
    stats(&alice, "acme", "provider").await.refused(403, "NOT_FOR_YOU");
    stats(&alice, "globex", "state").await.refused(403, "NOT_A_MEMBER");
    stats(&alice, "acme", "weather").await.refused(400, "INVALID_FIELD");
    let whole = alice.get("/v2/organizations/acme/stats").await.ok();
    for by in ["state", "priority", "product"] {
        let one = stats(&alice, "acme", by).await.ok();
        let list = format!("by{}{}", by[..1].to_uppercase(), &by[1..]);
        assert_eq!((&whole["total"], &whole[&list]), (&one["total"], &one["counts"]));
    }
    assert_eq!(whole["byProvider"], Value::Null, "who works on a case is support's own business");
    let all = south.get("/v2/stats").await.ok();
    assert_eq!(all, south.get("/v2/organizations/-/stats").await.ok());
    assert_eq!((&all["total"], &all["byProvider"]), (&south_now["total"], &south_now["counts"]));
    alice.get("/v2/stats").await.refused(403, "NOT_A_MEMBER");
}
