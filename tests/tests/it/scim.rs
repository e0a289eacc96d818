//! An organization's directory feeds its accounts by SCIM 2.0, and whoever it takes out is out at once.

use dossier_api::sign_in::DevIssuer;
use dossier_api::sign_in::dev_issuer::StaffClaims;
use dossier_domain::access::{AccessCommand, ChangeOrganization};
use dossier_tests::client::encoded;
use dossier_tests::people::{AGENT, ALICE, BOB, DIRECTORY, OPERATOR};
use dossier_tests::server::sample_case;
use dossier_tests::world::HeldProjectors;
use dossier_tests::{Answer, Client, Server};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

const USERS: &str = "/scim/v2/Users";
const CASES: &str = "/v2/organizations/acme/cases";
const ERIN: &str = "erin@acme.example";

/// What SCIM says here, in its own media type.
#[track_caller]
fn said(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{}", answer.text());
    serde_json::from_slice(&answer.bytes).unwrap()
}

/// A refusal in SCIM's shape: the status, the keyword and our reason.
#[track_caller]
fn refused(answer: &Answer, status: u16, scim_type: &str, reason: &str) {
    let error = said(answer, status);
    assert_eq!(error["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    assert_eq!(error["status"], status.to_string());
    assert!(error["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    assert_eq!(
        (error["scimType"].as_str().unwrap_or_default(), &error["reason"]),
        (scim_type, &json!(reason))
    );
}

/// A person whose identity provider calls them by their first address.
fn person(subject: &str, address: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "externalId": subject,
        "userName": address,
    })
}

fn path(user: &Value) -> String {
    format!("{USERS}/{}", user["id"].as_str().unwrap())
}

fn operations(operations: &Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

fn active(active: bool) -> Value {
    operations(&json!([{"op": "replace", "value": {"active": active}}]))
}

async fn created(directory: &Client, subject: &str, address: &str) -> Value {
    said(&directory.post(USERS, &person(subject, address)).await, 201)
}

async fn found(directory: &Client, filter: &str) -> Vec<Value> {
    let list = said(&directory.get(&format!("{USERS}?filter={}", encoded(filter))).await, 200);
    let users = list["Resources"].as_array().unwrap().clone();
    assert_eq!((&list["totalResults"], &list["itemsPerPage"]), (&json!(users.len()), &json!(users.len())));
    users
}

/// Somebody of the sample data, as the directory sees them.
async fn user(directory: &Client, subject: &str) -> Value {
    found(directory, &format!("externalId eq {subject:?}")).await.remove(0)
}

async fn put(client: &Client, path: &str, body: &Value) -> Answer {
    client.call(Method::PUT, path).json(body).send().await
}

async fn delete(client: &Client, path: &str) -> Answer {
    client.call(Method::DELETE, path).send().await
}

/// A machine with these claims.
fn machine(server: &Server, staff: StaffClaims) -> Client {
    let issuer = DevIssuer::load(server.data()).unwrap();
    let life = SignedDuration::from_hours(24);
    let token = issuer.issue("machine@elsewhere.example", None, &staff, server.clock.now(), life).unwrap();
    server.anonymous().with_token(Some(token))
}

fn directory_of(server: &Server, organization: Option<&'static str>) -> Client {
    machine(server, StaffClaims { roles: &["provisioner"], provider: None, organization })
}

/// Refused as somebody whose account is deactivated, whatever they ask for.
async fn is_out(client: &Client) {
    for answer in [client.get(CASES).await, client.post(CASES, &sample_case()).await] {
        answer.refused(403, "NO_ACCOUNT");
        assert_eq!(answer.metadata("deactivated"), "true");
    }
}

#[tokio::test]
async fn a_created_user_has_an_account_and_is_found_again() {
    let server = Server::start().await;
    let directory = server.client(DIRECTORY);
    let erin = server.client(ERIN);
    erin.get(CASES).await.refused(403, "NO_ACCOUNT");
    let mut body = person(ERIN, "Erin@acme.example");
    body["name"] = json!({"givenName": "Erin", "familyName": "Smith"});
    let answer = directory.post(USERS, &body).await;
    let user = said(&answer, 201);
    assert_eq!(answer.header("location"), Some(path(&user).as_str()));
    assert_eq!(answer.header("etag"), user["meta"]["version"].as_str());
    assert_eq!(user["userName"], "Erin@acme.example");
    assert_eq!(
        (&user["displayName"], &user["name"]["formatted"]),
        (&json!("Erin Smith"), &json!("Erin Smith"))
    );
    assert_eq!(user["emails"], json!([{"value": "Erin@acme.example", "type": "work", "primary": true}]));
    assert_eq!((&user["active"], &user["externalId"]), (&json!(true), &json!(ERIN)));
    assert_eq!(said(&directory.get(&path(&user)).await, 200), user);
    for filter in [
        "userName eq \"ERIN@acme.example\"",
        "externalId eq \"erin@acme.example\"",
        "emails.value eq \"erin+x@acme.example\"",
        "emails[type eq \"work\"].value eq \"erin@acme.example\"",
    ] {
        assert_eq!(found(&directory, filter).await, std::slice::from_ref(&user), "{filter}");
    }
    erin.get(CASES).await.refused(403, "NOT_A_MEMBER");
}

#[tokio::test]
async fn a_subject_and_an_address_have_one_account() {
    let server = Server::start().await;
    let directory = server.client(DIRECTORY);
    created(&directory, ERIN, ERIN).await;
    let before = server.deeds().await;
    let again = directory.post(USERS, &person(ERIN, "other@acme.example")).await;
    refused(&again, 409, "uniqueness", "ACCOUNT_ALREADY_OPEN");
    for address in ["erin@acme.example", "ERIN+news@Acme.Example"] {
        let other = directory.post(USERS, &person("somebody-else", address)).await;
        refused(&other, 409, "uniqueness", "EMAIL_TAKEN");
    }
    assert_eq!(server.deeds().await, before);
}

#[tokio::test]
async fn r_access_8_only_addresses_of_the_organizations_own_domains_are_taken() {
    let server = Server::start().await;
    let directory = server.client(DIRECTORY);
    let erin = created(&directory, ERIN, ERIN).await;
    let before = server.deeds().await;
    for address in [
        "frank@globex.example",
        // With a Cyrillic а.
        "frank@\u{430}cme.example",
        "frank@xn--cme-7cd.example",
        "frank@sub.acme.example",
        "frank",
        "",
    ] {
        let body = person("frank", address);
        refused(&directory.post(USERS, &body).await, 400, "invalidValue", "INVALID_FIELD");
        refused(
            &put(&directory, &path(&erin), &person(ERIN, address)).await,
            400,
            "invalidValue",
            "INVALID_FIELD",
        );
    }
    let nameless = json!({"externalId": "frank"});
    refused(&directory.post(USERS, &nameless).await, 400, "invalidValue", "INVALID_FIELD");
    let without_subject = json!({"userName": "frank@acme.example"});
    refused(&directory.post(USERS, &without_subject).await, 400, "invalidValue", "INVALID_FIELD");
    assert_eq!(server.deeds().await, before);
}

#[tokio::test]
async fn whoever_is_deactivated_is_out_with_the_very_next_request_also_while_every_projector_stands_still() {
    let server = Server::start().await;
    let directory = server.client(DIRECTORY);
    let alice = server.client(ALICE);
    let user = path(&user(&directory, ALICE).await);
    alice.get(CASES).await.ok();
    let held = HeldProjectors::of(&server).await;
    assert_eq!(said(&directory.patch(&user, &active(false)).await, 200)["active"], false);
    is_out(&alice).await;
    assert_eq!(said(&directory.get(&user).await, 200)["active"], false);
    assert_eq!(said(&directory.patch(&user, &active(true)).await, 200)["active"], true);
    alice.get(CASES).await.ok();
    alice.post(CASES, &sample_case()).await.ok();
    assert_eq!(
        said(&put(&directory, &user, &json!({"userName": ALICE, "active": false})).await, 200)["active"],
        false
    );
    is_out(&alice).await;
    held.release().await;
}

#[tokio::test]
async fn a_new_address_frees_the_old_one_and_the_account_stays_who_it_was() {
    let server = Server::start().await;
    let directory = server.client(DIRECTORY);
    let bob = path(&user(&directory, BOB).await);
    let moved = operations(&json!([{"op": "replace", "path": "userName", "value": "robert@acme.example"}]));
    let answer = said(&directory.patch(&bob, &moved).await, 200);
    assert_eq!((&answer["userName"], &answer["externalId"]), (&json!("robert@acme.example"), &json!(BOB)));
    server.client(BOB).get(CASES).await.ok();
    assert_eq!(found(&directory, &format!("userName eq {BOB:?}")).await, Vec::<Value>::new());
    let other = directory.post(USERS, &person("bob-2", "Robert+x@acme.example")).await;
    refused(&other, 409, "uniqueness", "EMAIL_TAKEN");
    created(&directory, "bob-2", BOB).await;
    let back = operations(&json!([{"op": "replace", "path": "userName", "value": "BOB@acme.example"}]));
    refused(&directory.patch(&bob, &back).await, 409, "uniqueness", "EMAIL_TAKEN");
}

#[tokio::test]
async fn the_directory_of_another_organization_sees_nobody_and_changes_nobody() {
    let server = Server::start().await;
    let alice = path(&user(&server.client(DIRECTORY), ALICE).await);
    let globex = directory_of(&server, Some("globex"));
    let before = server.deeds().await;
    let change = person(ALICE, "alice@globex.example");
    for answer in [
        globex.get(&alice).await,
        globex.patch(&alice, &active(false)).await,
        put(&globex, &alice, &change).await,
        delete(&globex, &alice).await,
        globex.get(&format!("{USERS}/garbage")).await,
    ] {
        refused(&answer, 404, "", "ACCOUNT_NOT_FOUND");
    }
    assert_eq!(found(&globex, &format!("userName eq {ALICE:?}")).await, Vec::<Value>::new());
    let all = said(&globex.get(USERS).await, 200);
    assert_eq!(
        (&all["totalResults"], &all["Resources"][0]["userName"]),
        (&json!(1), &json!("hank@globex.example"))
    );
    let body = person("new", "new@acme.example");
    refused(&globex.post(USERS, &body).await, 400, "invalidValue", "INVALID_FIELD");
    assert_eq!(server.deeds().await, before);
    server.client(ALICE).get(CASES).await.ok();
}

#[tokio::test]
async fn nobody_but_a_directory_that_is_bound_to_an_organization_is_let_in() {
    let server = Server::start().await;
    let before = server.deeds().await;
    let analyst_of_acme =
        machine(&server, StaffClaims { roles: &["analyst"], provider: None, organization: Some("acme") });
    let clients = [
        server.client(ALICE),
        server.client(AGENT),
        server.client(OPERATOR),
        server.client("somebody@elsewhere.example"),
        directory_of(&server, None),
        directory_of(&server, Some("no organization's id")),
        analyst_of_acme,
    ];
    for client in clients {
        for answer in [
            client.get(USERS).await,
            client.post(USERS, &person(ERIN, ERIN)).await,
            client.get("/scim/v2/Schemas").await,
        ] {
            refused(&answer, 403, "", "NOT_FOR_YOU");
        }
    }
    let answer = server.anonymous().get(USERS).await;
    refused(&answer, 401, "", "TOKEN_MISSING");
    assert!(answer.header("www-authenticate").is_some());
    let directory = server.client(DIRECTORY);
    refused(&directory.get("/scim/v2/Groups").await, 404, "", "UNKNOWN_PATH");
    refused(&directory.get("/scim").await, 404, "", "UNKNOWN_PATH");
    refused(&delete(&directory, USERS).await, 405, "", "METHOD_NOT_ALLOWED");
    directory.get(CASES).await.refused(403, "NOT_FOR_YOU");
    assert_eq!(server.deeds().await, before);
}

#[tokio::test]
async fn a_list_has_pages_and_a_filter_that_is_not_understood_is_refused() {
    let server = Server::start().await;
    let directory = server.client(DIRECTORY);
    let all = said(&directory.get(USERS).await, 200);
    assert_eq!((&all["totalResults"], &all["startIndex"]), (&json!(4), &json!(1)));
    let everybody = all["Resources"].as_array().unwrap();
    assert_eq!(everybody.len(), 4);
    let page = said(&directory.get(&format!("{USERS}?startIndex=2&count=2")).await, 200);
    assert_eq!(
        (&page["totalResults"], &page["itemsPerPage"], &page["startIndex"]),
        (&json!(4), &json!(2), &json!(2))
    );
    assert_eq!(page["Resources"].as_array().unwrap()[..], everybody[1..3]);
    let none = said(&directory.get(&format!("{USERS}?startIndex=-3&count=-1")).await, 200);
    assert_eq!(
        (&none["totalResults"], &none["startIndex"], &none["Resources"]),
        (&json!(4), &json!(1), &json!([]))
    );
    assert_eq!(said(&directory.get(&format!("{USERS}?startIndex=99")).await, 200)["itemsPerPage"], 0);
    let answer = directory.get(&format!("{USERS}?count=many")).await;
    refused(&answer, 400, "invalidValue", "INVALID_FIELD");
    // Whether the connection works is asked so.
    assert_eq!(found(&directory, "userName eq \"3f2c-not-an-address\"").await, Vec::<Value>::new());
    for filter in ["active eq true", "userName sw \"a\"", "userName eq \"a\" or userName eq \"b\"", "("] {
        let answer = directory.get(&format!("{USERS}?filter={}", encoded(filter))).await;
        refused(&answer, 400, "invalidFilter", "INVALID_FILTER");
    }
}

#[tokio::test]
async fn directories_patch_as_azure_ad_and_as_okta_do() {
    let server = Server::start().await;
    let directory = server.client(DIRECTORY);
    let erin = path(&created(&directory, ERIN, ERIN).await);
    let patch = async |list: Value| said(&directory.patch(&erin, &operations(&list)).await, 200);
    let azure = patch(json!([
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "Replace", "path": "displayName", "value": "Erin S."},
        {"op": "Add", "path": "title", "value": "Engineer"},
    ]))
    .await;
    assert_eq!((&azure["active"], &azure["displayName"]), (&json!(false), &json!("Erin S.")));
    let azure = patch(json!([
        {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "erin.s@acme.example"},
        {"op": "Add", "path": "active", "value": "True"},
    ]))
    .await;
    assert_eq!((&azure["active"], &azure["userName"]), (&json!(true), &json!("erin.s@acme.example")));
    assert_eq!(azure["displayName"], "Erin S.", "what is not told stays");
    let okta = patch(json!([{"op": "replace", "value": {
        "id": "ignored", "active": false, "userName": "erin@acme.example", "name.familyName": "Jones",
    }}]))
    .await;
    assert_eq!((&okta["active"], &okta["userName"]), (&json!(false), &json!(ERIN)));
    assert_eq!(okta["displayName"], "Erin S.", "half a name is none");
    let before = server.deeds().await;
    assert_eq!(patch(json!([{"op": "replace", "value": {"active": false}}])).await, okta);
    assert_eq!(server.deeds().await, before, "what is so already changes nothing");
}

#[tokio::test]
async fn what_cannot_be_read_or_meant_is_refused_with_its_keyword() {
    let server = Server::start().await;
    let directory = server.client(DIRECTORY);
    let erin = path(&created(&directory, ERIN, ERIN).await);
    let before = server.deeds().await;
    for (method, path) in [(Method::POST, USERS), (Method::PUT, &erin), (Method::PATCH, &erin)] {
        for body in ["{", "", "[]", "\u{0}"] {
            let answer = directory.call(method.clone(), path).bytes(body).send().await;
            refused(&answer, 400, "invalidSyntax", "INVALID_BODY");
        }
    }
    for (operation, scim_type, reason) in [
        (json!({"op": "remove"}), "noTarget", "NO_TARGET"),
        (json!({"op": "remove", "path": "userName"}), "mutability", "IMMUTABLE"),
        (json!({"op": "replace", "path": "externalId", "value": "other"}), "mutability", "IMMUTABLE"),
        (json!({"op": "replace", "path": "emails[", "value": "x"}), "invalidPath", "INVALID_PATCH_PATH"),
        (json!({"op": "replace", "path": "active", "value": "maybe"}), "invalidValue", "INVALID_FIELD"),
    ] {
        let answer = directory.patch(&erin, &operations(&json!([operation]))).await;
        refused(&answer, 400, scim_type, reason);
    }
    refused(&put(&directory, &erin, &person("other", ERIN)).await, 400, "mutability", "IMMUTABLE");
    assert_eq!(server.deeds().await, before);
}

#[tokio::test]
async fn a_replacement_of_two_steps_is_repeated_safely_and_only_from_the_etag_that_was_seen() {
    let server = Server::start().await;
    let directory = server.client(DIRECTORY);
    let erin = created(&directory, ERIN, ERIN).await;
    let etag = erin["meta"]["version"].as_str().unwrap().to_owned();
    let mut body = person(ERIN, "erin.smith@acme.example");
    body["active"] = json!(false);
    let send = async |key: &str, etag: &str, body: &Value| {
        let call = directory.call(Method::PUT, &path(&erin)).header("Idempotency-Key", key);
        call.header("If-Match", etag).json(body).send().await
    };
    let (key, other) = ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAW");
    let first = send(key, &etag, &body).await;
    let changed = said(&first, 200);
    assert_eq!(
        (&changed["userName"], &changed["active"]),
        (&json!("erin.smith@acme.example"), &json!(false))
    );
    assert_eq!(
        changed["displayName"], "erin.smith@acme.example",
        "a name that stood for the address goes with it"
    );
    let before = server.deeds().await;
    let again = send(key, &etag, &body).await;
    assert_eq!((said(&again, 200), again.header("idempotent-replay")), (changed.clone(), Some("true")));
    refused(&send(other, &etag, &body).await, 412, "", "ETAG_MISMATCH");
    body["active"] = json!(true);
    refused(&send(key, &etag, &body).await, 409, "", "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(server.deeds().await, before);
    let current = changed["meta"]["version"].as_str().unwrap();
    assert_eq!(said(&send(other, current, &body).await, 200)["active"], true);
}

#[tokio::test]
async fn a_deleted_user_is_out_and_gone_until_the_same_directory_creates_them_again() {
    let server = Server::start().await;
    let directory = server.client(DIRECTORY);
    let alice = server.client(ALICE);
    let before = user(&directory, ALICE).await;
    let gone = path(&before);
    let answer = delete(&directory, &gone).await;
    assert_eq!((answer.status, answer.bytes.len(), answer.header("content-type")), (204, 0, None));
    is_out(&alice).await;
    for answer in [
        directory.get(&gone).await,
        directory.patch(&gone, &active(true)).await,
        put(&directory, &gone, &person(ALICE, ALICE)).await,
        delete(&directory, &gone).await,
    ] {
        refused(&answer, 404, "", "ACCOUNT_NOT_FOUND");
    }
    assert_eq!(found(&directory, &format!("externalId eq {ALICE:?}")).await, Vec::<Value>::new());
    let again = created(&directory, ALICE, "alice.2@acme.example").await;
    assert_eq!(again["id"], before["id"]);
    alice.get(CASES).await.ok();
    created(&directory, "another-alice", ALICE).await;
}

#[tokio::test]
async fn a_first_sign_in_opens_an_account_where_the_organization_allows_it_and_never_for_who_was_taken_out() {
    let server = Server::start().await;
    let (directory, erin) = (server.client(DIRECTORY), server.client(ERIN));
    let before = server.deeds().await;
    erin.get(CASES).await.refused(403, "NO_ACCOUNT");
    assert_eq!(server.deeds().await, before);
    let allow =
        ChangeOrganization { first_sign_in_opens_accounts: Some(true), ..ChangeOrganization::default() };
    server.administer("acme", 1, AccessCommand::ChangeOrganization(allow)).await.unwrap();
    server.client("peter2@initech.example").get(CASES).await.refused(403, "NO_ACCOUNT");
    server.client("erin@\u{430}cme.example").get(CASES).await.refused(403, "NO_ACCOUNT");
    erin.get(CASES).await.refused(403, "NOT_A_MEMBER");
    // Who signs in waits for no list: the log has the account.
    let user = said(&directory.get(&format!("{USERS}/{}", server.actor(ERIN).account)).await, 200);
    assert_eq!((&user["userName"], &user["active"]), (&json!(ERIN), &json!(true)));
    said(&directory.patch(&path(&user), &active(false)).await, 200);
    is_out(&erin).await;
    assert_eq!(delete(&directory, &path(&user)).await.status, 204);
    is_out(&erin).await;
}

#[tokio::test]
async fn a_directory_learns_what_is_spoken_here() {
    let server = Server::start().await;
    let directory = server.client(DIRECTORY);
    let config = said(&directory.get("/scim/v2/ServiceProviderConfig").await, 200);
    assert_eq!((&config["patch"]["supported"], &config["bulk"]["supported"]), (&json!(true), &json!(false)));
    let types = said(&directory.get("/scim/v2/ResourceTypes").await, 200);
    assert_eq!(types["Resources"][0], said(&directory.get("/scim/v2/ResourceTypes/User").await, 200));
    let schemas = said(&directory.get("/scim/v2/Schemas").await, 200);
    let schema =
        said(&directory.get("/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:User").await, 200);
    assert_eq!(schemas["Resources"], json!([schema]));
    let names: Vec<_> =
        schema["attributes"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    let user = user(&directory, ALICE).await;
    let kept =
        user.as_object().unwrap().keys().filter(|key| !["schemas", "id", "meta"].contains(&key.as_str()));
    assert!(
        kept.clone().all(|key| names.contains(&json!(key))) && kept.count() == names.len(),
        "{user} {names:?}"
    );
}
