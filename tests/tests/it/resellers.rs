//! Resellers: filing for customers, one list across them, and that nothing is shown after a withdrawal or a transfer, on
//! whichever way one asks.

use dossier_tests::log::comes_along;
use dossier_tests::people::{ALICE, HANK, NINA, OPERATOR, PETER, SAM, WESKER};
use dossier_tests::server::{case_path, file_case, sample_case};
use dossier_tests::world::HeldProjectors;
use dossier_tests::{Answer, Client, Server, encoded};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

#[path = "resellers/marked.rs"]
mod marked;

use marked::{Marked, WORD};

const ACROSS: &str = "/v2/organizations/-/cases";
const GLOBEX: &str = "/v2/organizations/globex/cases";
/// How long a read may wait for projectors that do not come on, in seconds.
const NO_PATIENCE: &str = "0.05";

fn all(said: &[(u16, String)], status: u16, reason: &str) {
    assert!(said.iter().all(|answer| *answer == (status, reason.to_owned())), "{said:?}");
}

/// Nina, acting for nimbus.
fn nimbus(server: &Server) -> Client {
    server.client(NINA).acting_for("nimbus")
}

fn stratus(server: &Server) -> Client {
    server.client(SAM).acting_for("stratus")
}

fn names(answer: &Answer) -> Vec<String> {
    let cases = answer.ok()["cases"].as_array().unwrap().clone();
    cases.iter().map(|case| format!("/v2/{}", case["name"].as_str().unwrap())).collect()
}

async fn listed(client: &Client, path: &str) -> Vec<String> {
    names(&client.get(&format!("{path}?pageSize=100")).await)
}

/// R-RES-1, R-RES-4.
#[tokio::test]
async fn r_res_1_a_reseller_files_for_its_customer_the_event_says_so_and_r_res_4_the_customer_sees_it_all() {
    let server = Server::start().await;
    let case = Marked::file(&nimbus(&server), "globex").await;
    let events = server.events().await;
    let filed = events.iter().find(|event| event.stream.id() == case.id()).unwrap();
    let metadata = filed.metadata().unwrap();
    assert_eq!(metadata.acting_for.as_deref(), Some("nimbus"));
    assert_eq!(metadata.organization.as_deref(), Some("globex"));
    assert_eq!(metadata.actor, server.actor(NINA).account.to_string());
    let payload: Value = serde_json::from_slice(&filed.payload).unwrap();
    assert_eq!((&payload["side"], &payload["manager"]), (&json!("reseller"), &json!("nimbus")));

    let hank = server.client(HANK);
    case.is_shown(&hank, &case.ways()).await;
    let shown = hank.get(&case.path).await.ok();
    assert_eq!(shown["description"], format!("It says {WORD}."));
    assert_eq!(shown["creator"]["email"], NINA);
    let comments = hank.get(&format!("{}/comments", case.path)).await.ok();
    assert_eq!(comments["comments"][0]["body"], format!("Again {WORD}."));
    // And goes on with it, which the reseller follows.
    let answer = json!({"body": "We look at it together."});
    hank.post(&format!("{}/comments", case.path), &answer).await.ok();
    let comments = nimbus(&server).get(&format!("{}/comments", case.path)).await.ok();
    assert_eq!(comments["comments"][1]["creator"]["email"], HANK);
    // What the customer did itself says that nobody stood in for it.
    let last = server.events().await.pop().unwrap();
    assert_eq!(last.metadata().unwrap().acting_for, None);
}

/// R-RES-1.
#[tokio::test]
async fn r_res_1_acting_directly_a_reseller_sees_and_files_its_own_cases_only() {
    let server = Server::start().await;
    let case = Marked::file(&server.client(HANK), "globex").await;
    let directly = server.client(NINA);
    all(&case.is_hidden(&directly, &case.ways()).await, 403, "NOT_A_MEMBER");
    all(&case.is_hidden(&directly, &Marked::ways_across()).await, 403, "NOT_A_MEMBER");
    directly.post(GLOBEX, &sample_case()).await.refused(403, "NOT_A_MEMBER");
    let comment = json!({"body": "hello"});
    directly.post(&format!("{}/comments", case.path), &comment).await.refused(403, "NOT_A_MEMBER");
    assert_eq!(listed(&directly, "/v2/organizations/nimbus/cases").await.len(), 1);
    let own = Marked::file(&directly, "nimbus").await;
    own.is_shown(&directly, &own.ways()).await;
    // Its own are no customer's.
    assert!(!listed(&nimbus(&server), ACROSS).await.contains(&own.path));
    own.is_shown(&nimbus(&server), &own.ways()).await;
    case.is_shown(&nimbus(&server), &case.ways()).await;
}

/// R-RES-1.
#[tokio::test]
async fn r_res_1_nobody_acts_for_an_organization_that_is_not_theirs_or_for_none() {
    let server = Server::start().await;
    let case = Marked::file(&server.client(HANK), "globex").await;
    for (who, reseller) in
        [(SAM, "nimbus"), (PETER, "nimbus"), (HANK, "nimbus"), (NINA, "stratus"), (NINA, "acme")]
    {
        let pretender = server.client(who).acting_for(reseller);
        all(&case.is_hidden(&pretender, &case.ways()).await, 403, "NOT_A_MEMBER");
        all(&case.is_hidden(&pretender, &Marked::ways_across()).await, 403, "NOT_A_MEMBER");
    }
    // Acting for oneself is acting directly.
    case.is_shown(&server.client(HANK).acting_for("globex"), &case.ways()).await;
    for bad in ["", "nimbus", "organizations/", "organizations/-", "projects/nimbus", "organizations/a/b"] {
        let call = server.client(NINA).call(Method::GET, GLOBEX).header("dossier-acting-for", bad);
        call.send().await.refused(400, "INVALID_ACTING_FOR");
    }
}

/// R-RES-1.
#[tokio::test]
async fn r_res_1_one_list_and_one_search_across_all_customers_in_pages() {
    let server = Server::start().await;
    let nina = nimbus(&server);
    let before = listed(&nina, ACROSS).await;
    assert_eq!(before.len(), 1, "what globex filed in the sample data: {before:?}");
    server.transfer("acme", Some("nimbus")).await;
    server.allow(ALICE, "acme", "nimbus").await;
    let (alice, hank) = (server.client(ALICE), server.client(HANK));
    let mut cases = before;
    for client in [&hank, &alice, &nina, &alice, &nina] {
        let customer = if std::ptr::eq(client, &raw const hank) { "globex" } else { "acme" };
        cases.insert(0, Marked::file(client, customer).await.path);
    }
    assert_eq!(listed(&nina, ACROSS).await, cases);
    let word = format!("query={}", encoded(&format!("\"{WORD}\"")));
    assert_eq!(names(&nina.get(&format!("{ACROSS}:search?pageSize=100&{word}")).await), cases[..5]);
    let of_acme = encoded("organization=\"organizations/acme\"");
    assert_eq!(names(&nina.get(&format!("{ACROSS}:search?pageSize=100&query={of_acme}")).await), cases[..4]);
    for size in [1, 2, 5, 6] {
        let (mut paged, mut token) = (Vec::new(), String::new());
        loop {
            let page = nina.get(&format!("{ACROSS}?pageSize={size}&pageToken={token}")).await;
            assert!(names(&page).len() <= size);
            paged.extend(names(&page));
            match page.json()["nextPageToken"].as_str() {
                Some(next) => next.clone_into(&mut token),
                None => break,
            }
        }
        assert_eq!(paged, cases, "in pages of {size}");
    }
    let page = nina.get(&format!("{ACROSS}?pageSize=1")).await.ok();
    let token = page["nextPageToken"].as_str().unwrap();
    let next = format!("{ACROSS}?pageSize=1&pageToken={token}");
    assert_eq!(names(&nina.get(&next).await), cases[1..2]);
    stratus(&server).get(&next).await.refused(400, "INVALID_PAGE_TOKEN");
    nina.get(&next.replace("/-/", "/acme/")).await.refused(400, "INVALID_PAGE_TOKEN");
    nina.get(&next.replace("cases?", "cases:search?")).await.refused(400, "INVALID_PAGE_TOKEN");
    // A token that was given before shows nothing of what was withdrawn since.
    server.withdraw(ALICE, "acme", "nimbus").await;
    let left = names(&nina.get(&next.replace("pageSize=1", "pageSize=100")).await);
    assert_eq!(left, cases[4..], "globex's are left");
}

/// R-RES-2.
#[tokio::test]
async fn r_res_2_withdrawn_access_stops_every_way_to_read_and_write_at_once() {
    let server = Server::start().await;
    let (hank, nina) = (server.client(HANK), nimbus(&server));
    let cases = [Marked::file(&hank, "globex").await, Marked::file(&nina, "globex").await];
    let newest = &cases[1];
    // Both have it in whatever memory there is.
    for client in [&hank, &nina] {
        newest.is_shown(client, &newest.ways()).await;
    }
    newest.is_shown(&nina, &Marked::ways_across()).await;
    // In the centre one withdrawal ends both grants.
    server.allow(HANK, "globex", "nimbus").await;
    server.withdraw(HANK, "globex", "nimbus").await;
    for case in &cases {
        all(&case.is_hidden(&nina, &case.ways()).await, 403, "RESELLER_NOT_ALLOWED");
        all(&case.is_hidden(&nina, &Marked::ways_across()).await, 200, "");
    }
    assert_eq!(listed(&nina, ACROSS).await, Vec::<String>::new());
    let head = server.deeds().await;
    let comment = json!({"body": "may I?"});
    let escalation = json!({"escalation": {"reason": 1, "justification": "now"}});
    let upload = format!("/upload{}/attachments?attachment.filename=b.txt", newest.path);
    let refused = [
        nina.post(GLOBEX, &sample_case()).await,
        nina.post(&format!("{}/comments", newest.path), &comment).await,
        nina.post(&format!("{}:close", newest.path), &json!({})).await,
        nina.post(&format!("{}:escalate", newest.path), &escalation).await,
        nina.patch(&format!("{}?updateMask=displayName", newest.path), &json!({"displayName": "x"})).await,
        nina.call(Method::POST, &upload).bytes("x").send().await,
    ];
    for answer in refused {
        assert_eq!(answer.refused(403, "RESELLER_NOT_ALLOWED")["status"], "PERMISSION_DENIED");
        assert_eq!(answer.metadata("because"), "NOT_LET_IN");
    }
    assert_eq!(server.deeds().await, head);
    newest.is_shown(&hank, &newest.ways()).await;
    // Let in again, it sees what it saw.
    server.allow(HANK, "globex", "nimbus").await;
    newest.is_shown(&nina, &[newest.ways(), Marked::ways_across()].concat()).await;
}

/// R-RES-2.
#[tokio::test]
async fn r_res_2_either_grant_suffices_and_either_side_withdraws_its_own() {
    let server = Server::start().await;
    let nina = nimbus(&server);
    let sees = async || nina.get(GLOBEX).await.status == 200;
    server.withdraw(OPERATOR, "globex", "nimbus").await;
    assert!(!sees().await, "the sample data have the operator's grant alone");
    server.allow(HANK, "globex", "nimbus").await;
    assert!(sees().await);
    server.allow(OPERATOR, "globex", "nimbus").await;
    server.withdraw(OPERATOR, "globex", "nimbus").await;
    assert!(sees().await, "the customer's own grant is left");
    server.withdraw(HANK, "globex", "nimbus").await;
    assert!(!sees().await);
}

/// R-RES-2.
#[tokio::test]
async fn r_res_2_no_answer_begun_after_a_withdrawal_shows_the_case_however_often_one_asks() {
    let server = Server::start().await;
    let nina = nimbus(&server);
    let case = Marked::file(&nina, "globex").await;
    for _ in 0..30 {
        assert_eq!(listed(&nina, ACROSS).await[0], case.path);
        server.withdraw(HANK, "globex", "nimbus").await;
        assert_eq!(listed(&nina, ACROSS).await, Vec::<String>::new());
        server.allow(HANK, "globex", "nimbus").await;
    }
}

/// R-RES-2.
#[tokio::test]
async fn r_res_2_with_every_projector_stopped_reads_refuse_rather_than_leak() {
    let server = Server::start().await;
    let (hank, nina) = (server.client(HANK), nimbus(&server));
    let case = Marked::file(&hank, "globex").await;
    for client in [&hank, &nina] {
        case.is_shown(client, &case.ways()).await;
    }
    let held = HeldProjectors::of(&server).await;
    // While nothing has happened since, they are as good as running.
    case.is_shown(&nina, &Marked::ways_across()).await;
    server.withdraw(HANK, "globex", "nimbus").await;
    for (status, reason) in case.is_hidden_within(&nina, &case.ways(), NO_PATIENCE).await {
        assert!([(403, "RESELLER_NOT_ALLOWED"), (503, "READ_MODEL_BEHIND")].contains(&(status, &reason)));
    }
    all(&case.is_hidden_within(&nina, &Marked::ways_across(), NO_PATIENCE).await, 503, "READ_MODEL_BEHIND");
    case.is_shown(&hank, &case.ways()).await;
    // Let in again, and still nobody knows what the rows should say.
    server.allow(HANK, "globex", "nimbus").await;
    let ways = [case.ways(), Marked::ways_across()].concat();
    all(&case.is_hidden_within(&nina, &ways, NO_PATIENCE).await, 503, "READ_MODEL_BEHIND");
    server.withdraw(HANK, "globex", "nimbus").await;
    held.release().await;
    let caught_up = nina.call(Method::GET, ACROSS).header("dossier-max-wait", "30").send().await;
    assert_eq!(names(&caught_up), Vec::<String>::new());
    all(&case.is_hidden(&nina, &case.ways()).await, 403, "RESELLER_NOT_ALLOWED");
    server.allow(HANK, "globex", "nimbus").await;
    case.is_shown(&nina, &[case.ways(), Marked::ways_across()].concat()).await;
}

/// R-RES-3.
#[tokio::test]
async fn r_res_3_after_a_transfer_each_reseller_sees_its_own_periods_and_nothing_else() {
    let server = Server::start().await;
    server.end_plan("umbrella", "storage", "silver", None).await;
    for product in ["compute", "storage"] {
        server.entitle("umbrella", product, "gold", None).await;
    }
    server
        .employ("umbrella", "ada@umbrella.example", &[("compute", dossier_domain::Role::Owner)], None)
        .await;
    let (ada, nina, sam) = (server.client("ada@umbrella.example"), nimbus(&server), stratus(&server));
    let umbrella = "/v2/organizations/umbrella/cases";
    // The sample data have it direct, then under nimbus without a grant, then under stratus.
    let sample = listed(&server.client(WESKER), umbrella).await;
    let [under_stratus, under_nimbus, direct] = &sample[..] else { panic!("{sample:?}") };
    assert_eq!(listed(&sam, umbrella).await, [under_stratus.as_str()]);
    for hidden in [direct, under_nimbus] {
        sam.get(hidden).await.refused(404, "CASE_NOT_FOUND");
        sam.get(&format!("{hidden}/comments")).await.refused(404, "CASE_NOT_FOUND");
        let comment = json!({"body": "hello"});
        sam.post(&format!("{hidden}/comments"), &comment).await.refused(404, "CASE_NOT_FOUND");
    }
    nina.get(umbrella).await.refused(403, "NOT_A_MEMBER");

    let late = Marked::file(&sam, "umbrella").await;
    server.transfer("umbrella", Some("nimbus")).await;
    all(&late.is_hidden(&sam, &late.ways()).await, 403, "NOT_A_MEMBER");
    all(&late.is_hidden(&sam, &Marked::ways_across()).await, 200, "");
    nina.get(umbrella).await.refused(403, "RESELLER_NOT_ALLOWED");
    server.allow(WESKER, "umbrella", "nimbus").await;
    assert_eq!(
        listed(&nina, umbrella).await,
        [under_nimbus.as_str()],
        "it comes back to its own earlier period"
    );
    nina.get(&late.path).await.refused(404, "CASE_NOT_FOUND");
    // Filed by the customer itself meanwhile: the manager's all the same.
    let meanwhile = Marked::file(&ada, "umbrella").await;
    meanwhile.is_shown(&nina, &[meanwhile.ways(), Marked::ways_across()].concat()).await;

    server.transfer("umbrella", None).await;
    let unmanaged = Marked::file(&ada, "umbrella").await;
    for reseller in [&nina, &sam] {
        all(&unmanaged.is_hidden(reseller, &unmanaged.ways()).await, 403, "NOT_A_MEMBER");
    }
    server.transfer("umbrella", Some("stratus")).await;
    server.allow(OPERATOR, "umbrella", "stratus").await;
    assert_eq!(listed(&sam, umbrella).await, [late.path.clone(), under_stratus.clone()]);
    for hidden in [&meanwhile, &unmanaged] {
        let said = hidden.is_hidden(&sam, &hidden.ways()).await;
        assert_eq!(said[0], (404, "CASE_NOT_FOUND".to_owned()));
        hidden.is_hidden(&sam, &Marked::ways_across()).await;
        // In whatever memory there is after its customer has read it.
        ada.get(&hidden.path).await.ok();
        sam.get(&hidden.path).await.refused(404, "CASE_NOT_FOUND");
    }
}

/// R-RES-3.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_res_3_a_transfer_racing_a_filing_is_decided_by_the_order_of_the_log() {
    let server = Server::start().await;
    let (hank, nina, sam) = (server.client(HANK), nimbus(&server), stratus(&server));
    for _ in 0..20 {
        file_case(&hank, "globex").await;
        let body = sample_case();
        let (of_customer, of_reseller, ()) = tokio::join!(
            hank.post(GLOBEX, &body),
            nina.post(GLOBEX, &body),
            server.transfer("globex", Some("stratus")),
        );
        of_customer.ok();
        if of_reseller.status != 200 {
            of_reseller.refused(403, "NOT_A_MEMBER");
        }
        server.allow(HANK, "globex", "stratus").await;
        let (of_customer, of_reseller, ()) = tokio::join!(
            hank.post(GLOBEX, &body),
            sam.post(GLOBEX, &body),
            server.transfer("globex", Some("nimbus")),
        );
        of_customer.ok();
        assert!([200, 403].contains(&of_reseller.status), "{}", of_reseller.text());
        server.allow(HANK, "globex", "nimbus").await;
    }
    // Manager and access revision of every filing are those of the log before it.
    let (mut manager, mut revision, mut filings) = (Value::Null, 0, 0);
    let mut managed_by = std::collections::BTreeMap::new();
    for event in server.events().await {
        let payload: Value = serde_json::from_slice(&event.payload).unwrap();
        if event.stream.as_str() == "access-globex" {
            revision = event.revision.0;
            if &*event.event_type == "ManagementTransferred" {
                manager = payload["manager"].clone();
            }
        } else if &*event.event_type == "CaseFiled" && payload["organization"] == "globex" {
            assert_eq!((&payload["manager"], &payload["access_revision"]), (&manager, &json!(revision)));
            managed_by.insert(event.stream.id().to_owned(), manager.as_str().unwrap().to_owned());
            filings += 1;
        }
    }
    assert!(filings > 60, "{filings}");
    // And each reseller is shown its own.
    let seen = listed(&nina, GLOBEX).await;
    assert!(!seen.is_empty());
    let own = |path: &String| managed_by[path.rsplit('/').next().unwrap()] == "nimbus";
    assert!(seen.iter().all(own));
    sam.get(GLOBEX).await.refused(403, "NOT_A_MEMBER");
}

/// R-RES-6.
#[tokio::test]
async fn r_res_6_the_centre_closes_with_the_last_plan_and_opens_with_one_of_any_customer() {
    let server = Server::start().await;
    let (hank, nina) = (server.client(HANK), nimbus(&server));
    let case = Marked::file(&nina, "globex").await;
    let closing = server.clock.now() + SignedDuration::from_hours(1);
    for product in ["compute", "storage"] {
        server.end_plan("nimbus", product, "gold", Some(closing)).await;
    }
    let ways = [case.ways(), Marked::ways_across()].concat();
    server.clock.set(closing);
    // Its own plans are over: the customer's opens the centre.
    case.is_shown(&nina, &ways).await;
    let closing = closing + SignedDuration::from_hours(1);
    server.end_plan("globex", "compute", "gold", Some(closing)).await;
    server.clock.set(closing - SignedDuration::from_mins(1));
    case.is_shown(&nina, &ways).await;
    server.clock.set(closing);
    all(&case.is_hidden(&nina, &ways).await, 403, "RESELLER_NOT_ALLOWED");
    assert_eq!(nina.get(GLOBEX).await.metadata("because"), "NO_ELIGIBLE_PLAN");
    nina.post(&format!("{}/comments", case.path), &json!({"body": "hello"}))
        .await
        .refused(403, "RESELLER_NOT_ALLOWED");
    case.is_shown(&hank, &case.ways()).await;

    // Another customer's plan opens it for all of them, without anybody having let it in there.
    server.entitle("initech", "storage", "silver", None).await;
    all(&case.is_hidden(&nina, &ways).await, 403, "RESELLER_NOT_ALLOWED");
    server.transfer("initech", Some("nimbus")).await;
    case.is_shown(&nina, &ways).await;
    nina.post(&format!("{}/comments", case.path), &json!({"body": "hello"})).await.ok();
    nina.post("/v2/organizations/initech/cases", &sample_case()).await.refused(403, "RESELLER_NOT_ALLOWED");
    // Filing uses the customer's own entitlement.
    nina.post(GLOBEX, &sample_case()).await.refused(403, "NO_ELIGIBLE_PLAN");
    server.allow(PETER, "initech", "nimbus").await;
    nina.post("/v2/organizations/initech/cases", &sample_case()).await.refused(403, "NO_ELIGIBLE_PLAN");
    let mut storage = sample_case();
    storage["classification"] = json!({"id": "storage-bucket"});
    let filed = nina.post("/v2/organizations/initech/cases", &storage).await;
    filed.ok();
    let event = server.events().await.into_iter().rfind(|event| !comes_along(event)).unwrap();
    let payload: Value = serde_json::from_slice(&event.payload).unwrap();
    assert_eq!(payload["entitlement"]["plan"], "silver");
    assert!(listed(&nina, ACROSS).await.contains(&case_path(&filed)));

    server.transfer("initech", Some("stratus")).await;
    all(&case.is_hidden(&nina, &ways).await, 403, "RESELLER_NOT_ALLOWED");
    // A plan that makes nothing eligible opens nothing.
    server.entitle("nimbus", "compute", "premier", None).await;
    all(&case.is_hidden(&nina, &ways).await, 403, "RESELLER_NOT_ALLOWED");
    server.entitle("nimbus", "compute", "silver", None).await;
    case.is_shown(&nina, &ways).await;
}
