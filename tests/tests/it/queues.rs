//! What support finds to do over HTTP: queues with their counts, and lists by every field that it sees.

use dossier_tests::client::encoded;
use dossier_tests::people::{AGENT, AGENT_SOUTH, ALICE, ENGINEER, NINA};
use dossier_tests::server::{case_path, sample_case};
use dossier_tests::{Client, Server};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Files a case of acme's and answers its path.
async fn file(server: &Server, more: &Value) -> String {
    let mut case = sample_case();
    for (name, value) in more.as_object().unwrap() {
        case[name] = value.clone();
    }
    case_path(&server.client(ALICE).post("/v2/organizations/acme/cases", &case).await)
}

/// The paths of the cases of a list, all its pages.
async fn listed(who: &Client, path: &str) -> Vec<String> {
    let (mut token, mut cases) = (String::new(), Vec::new());
    loop {
        let separator = if path.contains('?') { '&' } else { '?' };
        let page = who.get(&format!("{path}{separator}pageSize=2&pageToken={}", encoded(&token))).await.ok();
        let names = page["cases"].as_array().unwrap().iter();
        cases.extend(names.map(|case| format!("/v2/{}", case["name"].as_str().unwrap())));
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => return cases,
        }
    }
}

async fn of_filter(who: &Client, filter: &str) -> Vec<String> {
    listed(who, &format!("/v2/organizations/-/cases?filter={}", encoded(filter))).await
}

/// How many cases each queue has.
async fn counts(who: &Client) -> Vec<i64> {
    let queues = who.get("/v2/queues").await.ok();
    queues["queues"].as_array().unwrap().iter().map(|queue| queue["cases"].as_i64().unwrap()).collect()
}

/// R-ROUTE-1.
#[tokio::test]
async fn r_route_1_each_queue_has_what_its_filter_finds_and_counts_it_for_the_own_provider_alone() {
    let server = Server::start().await;
    let [north, south] = [AGENT, AGENT_SOUTH].map(|who| server.client(who));
    let before = counts(&north).await;
    let of_south = counts(&south).await;
    let one = file(&server, &json!({})).await;
    let two = file(&server, &json!({"priority": "P1"})).await;
    north.post(&format!("{one}:assign"), &json!({})).await.ok();
    assert_eq!(
        counts(&north).await,
        [before[0] + 1, before[1] + 2, before[2] + 1, before[3] + 1],
        "mine, my provider's, unassigned, breaching soon"
    );
    assert_eq!(counts(&south).await, of_south, "of another provider's cases there is nothing to learn");
    server.clock.advance(SignedDuration::from_hours(24 * 6));
    let queues = north.get("/v2/queues").await.ok();
    assert!(queues["queues"][3]["cases"].as_i64() >= Some(2), "answers are overdue: {queues}");
    for queue in queues["queues"].as_array().unwrap() {
        let name = queue["name"].as_str().unwrap();
        let cases = listed(&north, &format!("/v2/{name}/cases")).await;
        assert_eq!(queue["cases"], cases.len(), "{queue}");
        assert_eq!(queue["more"], false);
        let mut filtered = of_filter(&north, queue["filter"].as_str().unwrap()).await;
        if name == "queues/breachingSoon" {
            let mut due = Vec::new();
            for case in &cases {
                due.push(
                    north.get(case).await.ok()["responseObjective"]["dueTime"].as_str().unwrap().to_owned(),
                );
            }
            assert!(due.is_sorted(), "what is due first comes first: {due:?}");
            assert!(cases.contains(&two), "{cases:?}");
            filtered.sort_by_key(|case| cases.iter().position(|other| other == case));
        }
        assert_eq!(cases, filtered, "{queue}");
    }
    assert!(listed(&north, "/v2/queues/mine/cases").await.contains(&one));
    let unassigned = listed(&north, "/v2/queues/unassigned/cases").await;
    assert!(unassigned.contains(&two) && !unassigned.contains(&one));
    let narrowed = listed(&north, "/v2/queues/provider/cases?filter=priority%3DP1").await;
    assert_eq!(narrowed, [two]);
    assert!(listed(&south, "/v2/queues/provider/cases").await.iter().all(|case| *case != one));
}

#[tokio::test]
async fn queues_are_for_support_and_what_is_asked_wrongly_is_refused() {
    let server = Server::start().await;
    let north = server.client(AGENT);
    for path in ["/v2/queues", "/v2/queues/mine/cases"] {
        server.client(ALICE).get(path).await.refused(403, "NOT_FOR_YOU");
        server.client(NINA).acting_for("nimbus").get(path).await.refused(403, "NOT_FOR_YOU");
        server.client(ENGINEER).get(path).await.ok();
    }
    north.get("/v2/queues/yours/cases").await.refused(404, "QUEUE_NOT_FOUND");
    north.get("/v2/queues?withinMinutes=0").await.refused(400, "INVALID_QUERY");
    north.get("/v2/queues/breachingSoon/cases?withinMinutes=soon").await.refused(400, "INVALID_QUERY");
    north.get("/v2/queues/mine/cases?filter=nonsense%3D1").await.refused(400, "INVALID_FILTER");
    let now = counts(&north).await[3];
    let week = north.get("/v2/queues?withinMinutes=10080").await.ok();
    assert!(week["queues"][3]["cases"].as_i64() > Some(now), "more is due within a week: {week}");
}

#[tokio::test]
async fn support_lists_cases_by_every_field_that_it_sees_and_customers_by_the_published_ones() {
    let server = Server::start().await;
    let [alice, north] = [ALICE, AGENT].map(|who| server.client(who));
    let plain = file(&server, &json!({})).await;
    let french = file(&server, &json!({"languageCode": "fr"})).await;
    let why = json!({"escalation": {"reason": 1, "justification": "now"}});
    alice.post(&format!("{french}:escalate"), &why).await.ok();
    north.post(&format!("{french}:assign"), &json!({})).await.ok();
    let agents = north.get("/v2/agents").await.ok();
    let me = agents["agents"][0]["name"].as_str().unwrap();
    let due = north.get(&french).await.ok()["responseObjective"]["dueTime"].as_str().unwrap().to_owned();
    let filed = north.get(&french).await.ok()["createTime"].as_str().unwrap().to_owned();
    for (filter, has_plain, has_french) in [
        ("language=fr", false, true),
        ("language=en", true, false),
        ("escalated=true", false, true),
        ("assignee=me", false, true),
        (&format!("assignee={me}"), false, true),
        ("assignee=none AND product=compute", true, false),
        ("product=storage", false, false),
        ("provider=north", true, true),
        ("provider=none OR provider=south", false, false),
        ("channel=WEB AND organization=organizations/acme", true, true),
        ("channel=PHONE", false, false),
        (&format!("create_time<{filed}"), true, false),
        (&format!("create_time>{filed}"), false, false),
        ("update_time<2020-01-01T00:00:00Z", false, false),
        (&format!("response_due>{due}"), false, false),
    ] {
        let found = of_filter(&north, filter).await;
        assert_eq!((found.contains(&plain), found.contains(&french)), (has_plain, has_french), "{filter}");
        if !filter.starts_with("organization") {
            let path = format!("/v2/organizations/acme/cases?filter={}", encoded(filter));
            alice.get(&path).await.refused(400, "INVALID_FILTER");
        }
    }
    let search = format!("/v2/organizations/-/cases:search?query={}", encoded("machines AND assignee=me"));
    assert_eq!(listed(&north, &search).await, [french]);
}
