//! The people of an organization over HTTP: adding, changing and removing them, and who sees them.

use dossier_domain::Role;
use dossier_tests::people::{ALICE, BOB, CAROL, DAVE, HANK, OPERATOR};
use dossier_tests::{Answer, Client, Server};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

const MEMBERS: &str = "/v2/organizations/acme/members";
const CASES: &str = "/v2/organizations/acme/cases";
const ERIN: &str = "erin@acme.example";

fn editor(email: &str) -> Value {
    json!({"email": email, "roles": {"compute": "EDITOR"}})
}

/// The path of somebody among acme's members.
fn path_of(server: &Server, email: &str) -> String {
    format!("{MEMBERS}/{}", server.actor(email).account)
}

/// A server where erin has an account, and no access.
async fn with_erin() -> Server {
    let server = Server::start().await;
    server.open_account("acme", ERIN).await;
    server
}

async fn delete(client: &Client, path: &str) -> Answer {
    client.call(Method::DELETE, path).send().await
}

/// The field that a refusal names.
#[track_caller]
fn field(answer: &Answer) -> String {
    let error = answer.refused(400, "INVALID_FIELD");
    error["details"][1]["fieldViolations"][0]["field"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn r_access_1_an_editor_adds_a_colleague_who_is_in_at_once_however_the_address_is_written() {
    let server = with_erin().await;
    let erin = server.client(ERIN);
    erin.get(CASES).await.refused(403, "NOT_A_MEMBER");
    let now = server.clock.now();
    let added = server.client(BOB).post(MEMBERS, &editor("Erin+x@ACME.Example")).await;
    let member = added.ok();
    assert_eq!(member["name"], path_of(&server, ERIN)["/v2/".len()..]);
    assert_eq!(member["email"], ERIN);
    assert_eq!(member["roles"], json!({"compute": "EDITOR"}));
    assert_eq!(member["supportPrivilege"], true);
    assert_eq!(member["state"], "EFFECTIVE");
    let effective: Timestamp = member["effectiveTime"].as_str().unwrap().parse().unwrap();
    assert!(effective >= now && effective <= server.clock.now(), "{effective}");
    erin.get(CASES).await.ok();
    // Reads see it, and tell the same.
    let read = erin.get(&path_of(&server, ERIN)).await.ok();
    assert_eq!(read, member);
    let listed = server.client(CAROL).get(MEMBERS).await.ok();
    assert!(listed["members"].as_array().unwrap().contains(&member), "{listed}");
    let again = server.client(ALICE).post(MEMBERS, &editor(ERIN)).await;
    again.refused(409, "ALREADY_GRANTED");
}

#[tokio::test]
async fn r_access_1_whoever_has_no_active_account_is_not_added() {
    let server = with_erin().await;
    let alice = server.client(ALICE);
    alice.post(MEMBERS, &editor("frank@acme.example")).await.refused(400, "NO_ACCOUNT");
    server.client(OPERATOR).post(MEMBERS, &editor("frank@acme.example")).await.refused(400, "NO_ACCOUNT");
    server.set_active("acme", ERIN, false).await;
    alice.post(MEMBERS, &editor(ERIN)).await.refused(400, "NO_ACCOUNT");
    let listed = json!({"email": ERIN, "listed": true});
    alice.post(MEMBERS, &listed).await.refused(400, "NO_ACCOUNT");
    server.set_active("acme", ERIN, true).await;
    alice.post(MEMBERS, &editor(ERIN)).await.ok();
}

/// R-ACCESS-1, R-ACCESS-8.
#[tokio::test]
async fn r_access_1_an_address_outside_the_verified_domains_is_refused_alike_with_and_without_an_account() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    let mut messages = Vec::new();
    for email in [HANK, "nobody@globex.example"] {
        let refused = alice.post(MEMBERS, &editor(email)).await;
        assert_eq!(field(&refused), "email");
        messages.push(refused.error());
    }
    assert_eq!(messages[0], messages[1], "nobody learns who has an account elsewhere");
    for email in ["erin@\u{430}cme.example", "erin@gmail.com", "erin@sub.acme.example", "erin", ""] {
        assert_eq!(field(&alice.post(MEMBERS, &editor(email)).await), "email", "{email}");
    }
}

#[tokio::test]
async fn r_access_1_nobody_grants_a_role_above_their_own() {
    let server = with_erin().await;
    let give = |role: &str| json!({"email": ERIN, "roles": {"compute": role}});
    let refused = server.client(BOB).post(MEMBERS, &give("OWNER")).await;
    refused.refused(403, "ROLE_ABOVE_OWN");
    assert_eq!((refused.metadata("product"), refused.metadata("own")), ("compute".into(), "editor".into()));
    server.client(CAROL).post(MEMBERS, &give("EDITOR")).await.refused(403, "ROLE_ABOVE_OWN");
    server.client(DAVE).post(MEMBERS, &give("VIEWER")).await.refused(403, "NO_SUPPORT_PRIVILEGE");
    server.client(HANK).post(MEMBERS, &give("VIEWER")).await.refused(403, "NOT_A_MEMBER");
    assert_eq!(server.client(CAROL).post(MEMBERS, &give("VIEWER")).await.ok()["roles"]["compute"], "VIEWER");
}

#[tokio::test]
async fn roles_that_are_none_are_refused_by_name_and_nothing_is_stored() {
    let server = with_erin().await;
    let alice = server.client(ALICE);
    let before = server.deeds().await;
    for (roles, named) in [
        (json!({"compute": "BOSS"}), "roles.compute"),
        (json!({"compute": null}), "roles.compute"),
        (json!({"compute": 0}), "roles.compute"),
        (json!({"Compute": "VIEWER"}), "roles"),
        (json!({"toaster": "VIEWER"}), "roles"),
        (json!({}), "roles"),
        (json!(null), "roles"),
        (json!("OWNER"), "roles"),
    ] {
        let refused = alice.post(MEMBERS, &json!({"email": ERIN, "roles": roles})).await;
        assert_eq!(field(&refused), named, "{roles}");
    }
    assert_eq!(server.deeds().await, before);
}

#[tokio::test]
async fn r_access_7_somebody_is_listed_without_access_and_given_it_later() {
    let server = with_erin().await;
    let (alice, erin) = (server.client(ALICE), server.client(ERIN));
    let listed = alice.post(MEMBERS, &json!({"email": ERIN, "listed": true})).await.ok();
    assert_eq!((&listed["state"], &listed["roles"]), (&json!("LISTED"), &json!({})));
    assert_eq!((&listed["supportPrivilege"], &listed["effectiveTime"]), (&json!(false), &Value::Null));
    erin.get(MEMBERS).await.refused(403, "NO_SUPPORT_PRIVILEGE");
    let before = server.deeds().await;
    assert_eq!(alice.post(MEMBERS, &json!({"email": ERIN, "listed": true})).await.ok(), listed);
    assert_eq!(server.deeds().await, before, "listed already");
    assert_eq!(alice.post(MEMBERS, &editor(ERIN)).await.ok()["state"], "EFFECTIVE");
    erin.get(MEMBERS).await.ok();
}

#[tokio::test]
async fn r_access_3_a_grant_is_pending_until_its_instant_and_members_see_from_when() {
    let server = with_erin().await;
    let (operator, erin) = (server.client(OPERATOR), server.client(ERIN));
    let grant = |from: Timestamp| json!({"email": ERIN, "roles": {"compute": "EDITOR"}, "effectiveTime": format!("{from:.6}")});
    let day = SignedDuration::from_hours(24);
    let late = server.clock.now() + day + SignedDuration::from_secs(5);
    assert_eq!(field(&operator.post(MEMBERS, &grant(late)).await), "effectiveTime");
    let from = server.clock.now() + day;
    assert_eq!(field(&server.client(ALICE).post(MEMBERS, &grant(from)).await), "effectiveTime");
    let pending = operator.post(MEMBERS, &grant(from)).await.ok();
    assert_eq!(pending["state"], "PENDING");
    assert_eq!(pending["effectiveTime"], format!("{from:.6}"));
    let seen = server.client(CAROL).get(&path_of(&server, ERIN)).await.ok();
    assert_eq!(seen, pending, "R-ACCESS-4");
    for path in [MEMBERS, CASES, "/v2/organizations/acme"] {
        let refused = erin.get(path).await;
        refused.refused(403, "ACCESS_PENDING");
        assert_eq!(refused.metadata("from").parse::<Timestamp>().unwrap(), from);
    }
    let mine = erin.get("/v2/me").await.ok();
    assert_eq!(mine["organizations"][0]["state"], "PENDING");
    assert_eq!(mine["organizations"][0]["effectiveTime"], pending["effectiveTime"]);
    server.clock.set(from - SignedDuration::from_secs(1));
    erin.get(MEMBERS).await.refused(403, "ACCESS_PENDING");
    server.clock.set(from);
    erin.get(MEMBERS).await.ok();
    assert_eq!(erin.get(&path_of(&server, ERIN)).await.ok()["state"], "EFFECTIVE");
    assert_eq!(erin.get("/v2/me").await.ok()["organizations"][0]["state"], "EFFECTIVE");
}

#[tokio::test]
async fn r_access_4_members_page_through_everybody_of_their_organization_and_nobody_else_does() {
    let server = Server::start().await;
    let carol = server.client(CAROL);
    let mut emails = Vec::new();
    let mut path = format!("{MEMBERS}?pageSize=3");
    loop {
        let page = carol.get(&path).await.ok();
        let members = page["members"].as_array().unwrap();
        emails.extend(members.iter().map(|member| member["email"].as_str().unwrap().to_owned()));
        let Some(token) = page["nextPageToken"].as_str() else { break };
        assert_eq!(members.len(), 3);
        let elsewhere = format!("/v2/organizations/globex/members?pageToken={token}");
        server.client(HANK).get(&elsewhere).await.refused(400, "INVALID_PAGE_TOKEN");
        path = format!("{MEMBERS}?pageSize=3&pageToken={token}");
    }
    emails.sort_unstable();
    assert_eq!(emails, [ALICE, BOB, CAROL, DAVE]);
    server.client(DAVE).get(MEMBERS).await.refused(403, "NO_SUPPORT_PRIVILEGE");
    for path in [MEMBERS.to_owned(), path_of(&server, ALICE), path_of(&server, "nobody@acme.example")] {
        server.client(HANK).get(&path).await.refused(403, "NOT_A_MEMBER");
    }
    for stranger in [path_of(&server, HANK), format!("{MEMBERS}/garbage")] {
        carol.get(&stranger).await.refused(404, "NO_SUCH_MEMBER");
    }
    let dave = carol.get(&path_of(&server, DAVE)).await.ok();
    assert_eq!(dave["state"], "LISTED");
    let numbers = carol.get(&format!("{}?$alt=json;enum-encoding=int", path_of(&server, ALICE))).await.ok();
    assert_eq!((&numbers["state"], &numbers["roles"]["compute"]), (&json!(1), &json!(3)));
}

#[tokio::test]
async fn r_access_2_owners_change_the_roles_of_others_at_once_and_what_is_not_named_stays() {
    let server = Server::start().await;
    let (alice, bob) = (server.client(ALICE), server.client(BOB));
    let path = path_of(&server, BOB);
    let demoted = alice.patch(&path, &json!({"roles": {"compute": "VIEWER"}})).await;
    assert_eq!(demoted.ok()["roles"], json!({"compute": "VIEWER", "storage": "EDITOR"}));
    assert_eq!(bob.get(&path).await.ok(), demoted.ok());
    bob.post(CASES, &dossier_tests::server::sample_case()).await.refused(403, "ROLE_TOO_LOW");
    let mask = format!("{path}?updateMask=roles");
    let body = json!({"roles": {"compute": null}, "supportPrivilege": false});
    let taken = alice.patch(&mask, &body).await.ok();
    assert_eq!(taken["roles"], json!({"storage": "EDITOR"}));
    assert_eq!(taken["supportPrivilege"], true, "not in the mask");
    let taken = alice.patch(&path, &json!({"supportPrivilege": false})).await.ok();
    assert_eq!((&taken["supportPrivilege"], &taken["roles"]), (&json!(false), &json!({"storage": "EDITOR"})));
    bob.post(MEMBERS, &editor(ERIN)).await.refused(403, "NO_SUPPORT_PRIVILEGE");
}

#[tokio::test]
async fn r_access_2_nobody_else_changes_or_removes_a_member_and_the_last_owner_stays() {
    let server = Server::start().await;
    let owner = json!({"roles": {"compute": "OWNER"}});
    let (alice, operator) = (server.client(ALICE), server.client(OPERATOR));
    let before = server.deeds().await;
    for (who, reason) in [
        (BOB, "ROLE_TOO_LOW"),
        (CAROL, "ROLE_TOO_LOW"),
        (DAVE, "NO_SUPPORT_PRIVILEGE"),
        (HANK, "NOT_A_MEMBER"),
    ] {
        let client = server.client(who);
        client.patch(&path_of(&server, CAROL), &owner).await.refused(403, reason);
        delete(&client, &path_of(&server, CAROL)).await.refused(403, reason);
    }
    let own = path_of(&server, ALICE);
    alice.patch(&own, &json!({"roles": {"compute": "VIEWER"}})).await.refused(400, "OWN_ACCESS");
    delete(&alice, &own).await.refused(400, "OWN_ACCESS");
    let last = operator.patch(&own, &json!({"roles": {"compute": "EDITOR"}})).await;
    last.refused(400, "LAST_OWNER");
    assert_eq!(last.metadata("product"), "compute");
    delete(&operator, &own).await.refused(400, "LAST_OWNER");
    alice.patch(&path_of(&server, DAVE), &owner).await.refused(404, "NO_SUCH_MEMBER");
    let nothing =
        alice.patch(&path_of(&server, BOB), &json!({"roles": {"compute": null, "storage": null}})).await;
    assert_eq!(field(&nothing), "roles");
    let unknown = alice.patch(&format!("{}?updateMask=email", path_of(&server, BOB)), &owner).await;
    unknown.refused(400, "INVALID_UPDATE_MASK");
    assert_eq!(server.deeds().await, before);
}

#[tokio::test]
async fn r_access_2_who_is_removed_is_out_at_once() {
    let server = Server::start().await;
    let (alice, bob) = (server.client(ALICE), server.client(BOB));
    bob.get(CASES).await.ok();
    let removed = delete(&alice, &path_of(&server, BOB)).await;
    assert_eq!(removed.ok(), json!({}));
    removed.position();
    bob.get(CASES).await.refused(403, "NOT_A_MEMBER");
    assert_eq!(bob.get("/v2/me").await.ok()["organizations"], json!([]));
    alice.get(&path_of(&server, BOB)).await.refused(404, "NO_SUCH_MEMBER");
    delete(&alice, &path_of(&server, BOB)).await.refused(404, "NO_SUCH_MEMBER");
    alice.post(MEMBERS, &editor(BOB)).await.ok();
    bob.get(CASES).await.ok();
}

#[tokio::test]
async fn adding_again_under_the_same_key_gives_the_first_answer_even_when_the_account_is_out_by_now() {
    let server = with_erin().await;
    let alice = server.client(ALICE);
    let key = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let add =
        |body: Value| alice.call(Method::POST, MEMBERS).header("Idempotency-Key", key).json(&body).send();
    let first = add(editor(ERIN)).await;
    server.change_member("acme", ERIN, &[("compute", Some(Role::Viewer))]).await;
    server.set_active("acme", ERIN, false).await;
    let events = server.events().await.len();
    let again = add(editor(ERIN)).await;
    assert_eq!((again.ok(), again.position()), (first.ok(), first.position()));
    assert_eq!(again.header("idempotent-replay"), Some("true"));
    add(editor(BOB)).await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(server.events().await.len(), events);
}

#[tokio::test]
async fn a_change_on_condition_of_the_organizations_revision_is_refused_once_it_has_moved() {
    let server = with_erin().await;
    let alice = server.client(ALICE);
    let etag = alice.get("/v2/organizations/acme").await.header("etag").unwrap().to_owned();
    let patch = |etag: String, role: &str| {
        let body = json!({"roles": {"compute": role}});
        alice.call(Method::PATCH, &path_of(&server, BOB)).header("If-Match", etag).json(&body).send()
    };
    let changed = patch(etag.clone(), "OWNER").await;
    changed.ok();
    let next = changed.header("etag").unwrap().to_owned();
    assert_eq!(alice.get("/v2/organizations/acme").await.header("etag"), Some(next.as_str()));
    patch(etag, "VIEWER").await.refused(409, "ETAG_MISMATCH");
    patch(next, "VIEWER").await.ok();
}
