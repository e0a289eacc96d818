//! Organizations over HTTP: who they are, their entitlements and managers, and who one is oneself.

use dossier_tests::people::{AGENT, ALICE, BOB, CAROL, DAVE, HANK, NINA, OPERATOR, PETER, SAM};
use dossier_tests::server::sample_case;
use dossier_tests::world::HeldProjectors;
use dossier_tests::{Answer, Client, Server};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

const ACME: &str = "/v2/organizations/acme";
const GLOBEX: &str = "/v2/organizations/globex";
const INITECH: &str = "/v2/organizations/initech";

/// The field that a refusal names.
#[track_caller]
fn field(answer: &Answer) -> String {
    let error = answer.refused(400, "INVALID_FIELD");
    error["details"][1]["fieldViolations"][0]["field"].as_str().unwrap().to_owned()
}

/// The names of the organizations in an answer.
fn names(answer: &Value) -> Vec<&str> {
    let organizations = answer["organizations"].as_array().unwrap();
    let names = organizations.iter().map(|organization| organization["name"].as_str().unwrap());
    names.map(|name| name.strip_prefix("organizations/").unwrap()).collect()
}

fn hooli() -> Value {
    json!({
        "displayName": "Hooli",
        "country": "US",
        "languageCode": "en",
        "technicalContact": {"email": "gavin@hooli.example", "displayName": "Gavin"},
    })
}

#[tokio::test]
async fn r_org_1_the_operator_registers_an_organization_once_and_reads_it_at_once() {
    let server = Server::start().await;
    let operator = server.client(OPERATOR);
    let path = "/v2/organizations?organizationId=hooli";
    let register = |path: &str| {
        let key = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        operator.call(Method::POST, path).header("Idempotency-Key", key).json(&hooli()).send()
    };
    let registered = register(path).await;
    let hooli_now = operator.get("/v2/organizations/hooli").await;
    assert_eq!(registered.ok(), hooli_now.ok());
    assert_eq!(registered.header("etag"), hooli_now.header("etag"));
    let answer = registered.ok();
    assert_eq!(answer["name"], "organizations/hooli");
    assert_eq!(answer["technicalContact"], hooli()["technicalContact"]);
    assert_eq!((&answer["reseller"], &answer["domains"]), (&json!(false), &json!([])));
    assert_eq!(answer.get("manager"), None);
    let again = register(path).await;
    assert_eq!((again.ok(), again.header("idempotent-replay")), (answer, Some("true")));
    register("/v2/organizations?organizationId=aviato").await.ok();
    operator.post(path, &hooli()).await.refused(409, "ALREADY_REGISTERED");
    operator.get("/v2/organizations/raviga").await.refused(404, "ORGANIZATION_NOT_FOUND");
}

#[tokio::test]
async fn r_org_1_registering_is_the_operators_and_refuses_what_does_not_fit_by_name() {
    let server = Server::start().await;
    let operator = server.client(OPERATOR);
    let path = "/v2/organizations?organizationId=hooli";
    let before = server.deeds().await;
    for who in [ALICE, AGENT, "somebody@elsewhere.example"] {
        server.client(who).post(path, &hooli()).await.refused(403, "NOT_FOR_YOU");
    }
    for id in ["", "Hooli", "-", "a%2Fb", "h%C3%B6li"] {
        let refused = operator.post(&format!("/v2/organizations?organizationId={id}"), &hooli()).await;
        assert_eq!(field(&refused), "organizationId", "{id}");
    }
    for (name, value) in [
        ("displayName", json!(" ")),
        ("country", json!("USA")),
        ("languageCode", json!("english")),
        ("reseller", json!("yes")),
        ("technicalContact", json!("gavin@hooli.example")),
    ] {
        let mut body = hooli();
        body[name] = value;
        assert_eq!(field(&operator.post(path, &body).await), name);
    }
    let mut body = hooli();
    body["technicalContact"]["email"] = json!("gavin");
    assert_eq!(field(&operator.post(path, &body).await), "technicalContact.email");
    assert_eq!(server.deeds().await, before);
}

#[tokio::test]
async fn r_org_1_owners_change_language_and_contact_and_the_operator_everything() {
    let server = Server::start().await;
    let (alice, operator) = (server.client(ALICE), server.client(OPERATOR));
    let contact = json!({"email": "Tech@acme.example"});
    let changed = alice.patch(ACME, &json!({"languageCode": "de", "technicalContact": contact})).await;
    let acme = changed.ok();
    assert_eq!((&acme["languageCode"], &acme["displayName"]), (&json!("de"), &json!("Acme")));
    assert_eq!(
        acme["technicalContact"],
        json!({"email": "Tech@acme.example", "displayName": "Tech@acme.example"})
    );
    assert_eq!(server.client(CAROL).get(ACME).await.ok(), acme, "a viewer reads what was written");
    for name in ["displayName", "country", "firstSignInOpensAccounts"] {
        let mut body = json!({});
        body[name] = acme[name].clone();
        alice.patch(&format!("{ACME}?updateMask={name}"), &body).await.refused(403, "NOT_FOR_YOU");
    }
    server.client(BOB).patch(ACME, &json!({"languageCode": "fr"})).await.refused(403, "ROLE_TOO_LOW");
    let body = json!({"displayName": "Acme Group", "country": "150", "firstSignInOpensAccounts": true});
    let acme = operator.patch(ACME, &body).await.ok();
    assert_eq!((&acme["displayName"], &acme["country"]), (&json!("Acme Group"), &json!("150")));
    assert_eq!(acme["firstSignInOpensAccounts"], true);
    let acme = alice
        .patch(&format!("{ACME}?updateMask=technicalContact"), &json!({"languageCode": "es"}))
        .await
        .ok();
    assert_eq!((acme.get("technicalContact"), &acme["languageCode"]), (None, &json!("de")));
    assert_eq!(server.client(CAROL).get(ACME).await.ok(), acme);
    alice.patch(&format!("{ACME}?updateMask=reseller"), &json!({})).await.refused(400, "INVALID_UPDATE_MASK");
    assert_eq!(field(&alice.patch(ACME, &json!({"languageCode": "german"})).await), "languageCode");
    let stale = alice.call(Method::PATCH, ACME).header("If-Match", changed.header("etag").unwrap());
    stale.json(&json!({"languageCode": "fr"})).send().await.refused(409, "ETAG_MISMATCH");
}

#[tokio::test]
async fn r_org_1_one_sees_ones_own_organizations_and_the_operator_all() {
    let server = Server::start().await;
    let alice = server.client(ALICE).get("/v2/organizations").await.ok();
    assert_eq!(
        alice["organizations"],
        json!([{
            "name": "organizations/acme",
            "displayName": "Acme",
            "reseller": false,
            "roles": {"compute": "OWNER", "storage": "OWNER"},
            "supportPrivilege": true,
            "state": "EFFECTIVE",
            "effectiveTime": alice["organizations"][0]["effectiveTime"],
        }])
    );
    let dave = server.client(DAVE).get("/v2/organizations").await.ok();
    assert_eq!((names(&dave), &dave["organizations"][0]["state"]), (vec!["acme"], &json!("LISTED")));
    for who in [AGENT, "somebody@elsewhere.example"] {
        assert_eq!(server.client(who).get("/v2/organizations").await.ok(), json!({"organizations": []}));
    }
    let operator = server.client(OPERATOR);
    let all = operator.get("/v2/organizations").await.ok();
    assert_eq!(names(&all), ["acme", "globex", "initech", "nimbus", "stratus", "umbrella"]);
    assert_eq!(all["organizations"][1]["manager"], "organizations/nimbus");
    let first = operator.get("/v2/organizations?pageSize=4").await.ok();
    let token = first["nextPageToken"].as_str().unwrap();
    let path = format!("/v2/organizations?pageSize=4&pageToken={token}");
    assert_eq!(names(&operator.get(&path).await.ok()), ["stratus", "umbrella"]);
    server.client(ALICE).get(&path).await.refused(400, "INVALID_PAGE_TOKEN");
}

/// R-RES-1, R-RES-2.
#[tokio::test]
async fn r_res_2_acting_for_a_reseller_one_sees_its_customers_and_whether_they_let_it_in() {
    let server = Server::start().await;
    let nina = server.client(NINA);
    assert_eq!(names(&nina.get("/v2/organizations").await.ok()), ["nimbus"], "directly");
    let nimbus = nina.acting_for("nimbus");
    let customers = nimbus.get("/v2/organizations").await.ok();
    assert_eq!(
        customers["organizations"],
        json!([{
            "name": "organizations/globex",
            "displayName": "Globex",
            "reseller": false,
            "manager": "organizations/nimbus",
            "resellerAccessAllowed": true,
        }])
    );
    server
        .client(HANK)
        .post(&format!("{GLOBEX}:withdrawResellerAccess"), &json!({"reseller": "organizations/nimbus"}))
        .await
        .ok();
    let customers = nimbus.get("/v2/organizations").await.ok();
    assert_eq!(customers["organizations"][0]["resellerAccessAllowed"], false);
    server.client(OPERATOR).post(&format!("{GLOBEX}:transferManagement"), &json!({})).await.ok();
    assert_eq!(names(&nimbus.get("/v2/organizations").await.ok()), Vec::<&str>::new());
    server.client(HANK).acting_for("nimbus").get("/v2/organizations").await.refused(403, "NOT_A_MEMBER");
    nina.acting_for("no-such").get("/v2/organizations").await.refused(403, "NOT_A_MEMBER");
}

/// R-RES-2.
#[tokio::test]
async fn r_res_2_customers_are_not_shown_as_they_were_before_a_withdrawal() {
    let server = Server::start().await;
    let nimbus = server.client(NINA).acting_for("nimbus");
    let held = HeldProjectors::of(&server).await;
    server.withdraw(HANK, "globex", "nimbus").await;
    let list = || nimbus.call(Method::GET, "/v2/organizations").header("Dossier-Max-Wait", "0.2").send();
    list().await.refused(503, "READ_MODEL_BEHIND");
    held.release().await;
    let customers =
        nimbus.call(Method::GET, "/v2/organizations").header("Dossier-Max-Wait", "30").send().await.ok();
    assert_eq!(customers["organizations"][0]["resellerAccessAllowed"], false);
}

#[tokio::test]
async fn me_tells_who_one_is_and_what_one_acts_for() {
    let server = Server::start().await;
    let alice = server.client(ALICE).get("/v2/me").await.ok();
    assert_eq!(alice["name"], format!("accounts/{}", server.actor(ALICE).account));
    assert_eq!((&alice["email"], &alice["displayName"]), (&json!(ALICE), &json!("Alice")));
    assert_eq!((&alice["accountState"], &alice["staffRoles"]), (&json!("ACTIVE"), &json!([])));
    assert_eq!(names(&alice), ["acme"]);
    assert_eq!((alice.get("actingFor"), alice.get("help")), (None, None));
    let operator = server.client(OPERATOR).get("/v2/me").await.ok();
    assert_eq!((&operator["staffRoles"], &operator["organizations"]), (&json!(["OPERATOR"]), &json!([])));
    assert_eq!(operator.get("help"), None, "staff need no account");
    let nina = server.client(NINA);
    let acting = |client: Client| async move { client.get("/v2/me").await.ok()["actingFor"].clone() };
    let allowed = |name: &str| json!({"name": format!("organizations/{name}"), "allowed": true});
    assert_eq!(acting(nina.acting_for("nimbus")).await, allowed("nimbus"));
    assert_eq!(acting(server.client(ALICE).acting_for("acme")).await, allowed("acme"));
    for name in ["stratus", "acme", "no-such"] {
        let not =
            json!({"name": format!("organizations/{name}"), "allowed": false, "refusal": "NOT_A_MEMBER"});
        assert_eq!(acting(nina.acting_for(name)).await, not);
    }
}

#[tokio::test]
async fn r_access_6_who_has_no_account_learns_it_with_links_and_who_is_out_is_refused() {
    let server = Server::start().await;
    let stranger = server.client("somebody@elsewhere.example").get("/v2/me").await.ok();
    assert_eq!((&stranger["accountState"], &stranger["organizations"]), (&json!("UNKNOWN"), &json!([])));
    let links = stranger["help"].as_array().unwrap();
    assert!(links.iter().any(|link| link["url"].as_str().unwrap().starts_with("https://")), "{links:?}");
    server.set_active("acme", BOB, false).await;
    for path in ["/v2/me", "/v2/organizations"] {
        server.client(BOB).get(path).await.refused(403, "NO_ACCOUNT");
    }
}

#[tokio::test]
async fn r_res_2_a_withdrawal_in_the_centre_ends_both_grants_and_one_in_account_management_its_own() {
    let server = Server::start().await;
    let (hank, operator) = (server.client(HANK), server.client(OPERATOR));
    let nina = server.client(NINA).acting_for("nimbus");
    let nimbus = json!({"reseller": "organizations/nimbus"});
    let shown = |answer: &Answer| {
        let access = answer.ok()["resellerAccess"].clone();
        ["allowed", "allowedInCentre", "allowedInAccountManagement"].map(|name| access[name] == true)
    };
    let (allow, withdraw) =
        (format!("{GLOBEX}:allowResellerAccess"), format!("{GLOBEX}:withdrawResellerAccess"));
    assert_eq!(shown(&hank.get(GLOBEX).await), [true, false, true]);
    assert_eq!(shown(&hank.post(&allow, &nimbus).await), [true, true, true]);
    assert_eq!(shown(&operator.post(&withdraw, &nimbus).await), [true, true, false]);
    nina.get(&format!("{GLOBEX}/cases")).await.ok();
    assert_eq!(shown(&operator.post(&allow, &nimbus).await), [true, true, true]);
    let withdrawn = hank.post(&withdraw, &nimbus).await;
    assert_eq!(shown(&withdrawn), [false; 3]);
    nina.get(&format!("{GLOBEX}/cases")).await.refused(403, "RESELLER_NOT_ALLOWED");
    assert_eq!(hank.get(GLOBEX).await.ok(), withdrawn.ok());
    let before = server.deeds().await;
    assert_eq!(shown(&hank.post(&withdraw, &nimbus).await), [false; 3]);
    assert_eq!(server.deeds().await, before, "withdrawing again changes nothing");
}

#[tokio::test]
async fn r_res_2_only_owners_and_the_operator_let_in_and_only_the_manager() {
    let server = Server::start().await;
    let allow = format!("{GLOBEX}:allowResellerAccess");
    let before = server.deeds().await;
    let stratus = json!({"reseller": "organizations/stratus"});
    let refused = server.client(HANK).post(&allow, &stratus).await;
    refused.refused(400, "NOT_THE_MANAGER");
    assert_eq!(refused.metadata("reseller"), "organizations/stratus");
    for bad in [json!({}), json!({"reseller": ""}), json!({"reseller": "nimbus"}), json!({"reseller": 7})] {
        assert_eq!(field(&server.client(HANK).post(&allow, &bad).await), "reseller", "{bad}");
    }
    let nimbus = json!({"reseller": "organizations/nimbus"});
    server.client(ALICE).post(&allow, &nimbus).await.refused(403, "NOT_A_MEMBER");
    server.client(NINA).acting_for("nimbus").post(&allow, &nimbus).await.refused(403, "NOT_FOR_YOU");
    server
        .client(BOB)
        .post(&format!("{ACME}:allowResellerAccess"), &nimbus)
        .await
        .refused(403, "ROLE_TOO_LOW");
    assert_eq!(server.deeds().await, before);
}

/// R-RES-3.
#[tokio::test]
async fn r_res_3_a_transfer_ends_the_grant_at_once_and_goes_to_registered_resellers_alone() {
    let server = Server::start().await;
    let (hank, operator) = (server.client(HANK), server.client(OPERATOR));
    let transfer = format!("{GLOBEX}:transferManagement");
    let nina = server.client(NINA).acting_for("nimbus");
    nina.get(&format!("{GLOBEX}/cases")).await.ok();
    let moved = operator.post(&transfer, &json!({"manager": "organizations/stratus"})).await.ok();
    assert_eq!(
        (&moved["manager"], &moved["resellerAccess"]["allowed"]),
        (&json!("organizations/stratus"), &json!(false))
    );
    assert_eq!(hank.get(GLOBEX).await.ok(), moved);
    nina.get(&format!("{GLOBEX}/cases")).await.refused(403, "NOT_A_MEMBER");
    let sam = server.client(SAM).acting_for("stratus");
    sam.get(&format!("{GLOBEX}/cases")).await.refused(403, "RESELLER_NOT_ALLOWED");
    let direct = operator.post(&transfer, &json!({"manager": ""})).await.ok();
    assert_eq!((direct.get("manager"), direct.get("resellerAccess")), (None, None));
    let to = |name: &str| json!({"manager": format!("organizations/{name}")});
    for name in ["acme", "no-such"] {
        operator.post(&transfer, &to(name)).await.refused(400, "NOT_A_RESELLER");
    }
    assert_eq!(field(&operator.post(&transfer, &to("globex")).await), "manager");
    assert_eq!(field(&operator.post(&transfer, &json!({"manager": "stratus"})).await), "manager");
    hank.post(&transfer, &to("nimbus")).await.refused(403, "NOT_FOR_YOU");
}

#[tokio::test]
async fn r_plan_1_the_operator_grants_and_ends_plans_and_members_see_them() {
    let server = Server::start().await;
    let (peter, operator) = (server.client(PETER), server.client(OPERATOR));
    let (entitlements, cases) = (format!("{INITECH}/entitlements"), format!("{INITECH}/cases"));
    assert_eq!(peter.get(&entitlements).await.ok(), json!({"entitlements": []}));
    let gold = json!({"product": "compute", "plan": "gold"});
    let granted = operator.post(&entitlements, &gold).await.ok();
    assert_eq!((&granted["state"], granted.get("endTime")), (&json!("EFFECTIVE"), None));
    assert_eq!(peter.get(&entitlements).await.ok()["entitlements"], json!([granted]));
    peter.post(&cases, &sample_case()).await.ok();
    let until = server.clock.now() + SignedDuration::from_hours(1);
    let ended = json!({"product": "compute", "plan": "gold", "endTime": format!("{until:.6}")});
    let left = operator.post(&format!("{entitlements}:end"), &ended).await.ok();
    assert_eq!(left["entitlements"][0]["endTime"], format!("{until:.6}"));
    assert_eq!(peter.get(&entitlements).await.ok(), left);
    server.clock.set(until);
    assert_eq!(peter.get(&entitlements).await.ok()["entitlements"][0]["state"], "ENDED");
    peter.post(&cases, &sample_case()).await.refused(403, "NO_ELIGIBLE_PLAN");
    let start = until + SignedDuration::from_hours(1);
    let later = json!({"product": "compute", "plan": "silver", "startTime": format!("{start:.6}")});
    assert_eq!(operator.post(&entitlements, &later).await.ok()["state"], "SCHEDULED");
    let page = peter.get(&format!("{entitlements}?pageSize=1")).await.ok();
    let token = page["nextPageToken"].as_str().unwrap();
    let rest = peter.get(&format!("{entitlements}?pageSize=1&pageToken={token}")).await.ok();
    assert_eq!((&rest["entitlements"][0]["plan"], rest.get("nextPageToken")), (&json!("silver"), None));
    let silver = json!({"product": "compute", "plan": "silver"});
    let never = operator.post(&format!("{entitlements}:end"), &silver).await.ok();
    assert_eq!(never, json!({"entitlements": []}), "it never begins");
}

#[tokio::test]
async fn r_plan_1_entitlements_are_the_operators_to_change_and_must_fit_the_catalogue() {
    let server = Server::start().await;
    let operator = server.client(OPERATOR);
    let path = format!("{INITECH}/entitlements");
    let before = server.deeds().await;
    let body = |name: &str, value: Value| {
        let mut body = json!({"product": "compute", "plan": "gold", "startTime": "2026-02-01T00:00:00Z"});
        body[name] = value;
        body
    };
    for (name, value) in [
        ("product", json!("toaster")),
        ("product", json!("")),
        ("plan", json!("diamond")),
        ("plan", json!("Gold")),
        ("startTime", json!("tomorrow")),
        ("endTime", json!("2026-02-01T00:00:00Z")),
    ] {
        assert_eq!(field(&operator.post(&path, &body(name, value)).await), name);
    }
    let past = body("endTime", json!("2020-01-01T00:00:00Z"));
    assert_eq!(field(&operator.post(&format!("{path}:end"), &past).await), "endTime");
    for path in [path.clone(), format!("{path}:end")] {
        server.client(PETER).post(&path, &body("plan", json!("gold"))).await.refused(403, "NOT_FOR_YOU");
    }
    assert_eq!(server.deeds().await, before);
}

#[tokio::test]
async fn r_info_1_a_member_sees_support_and_documents_of_the_products_bought_and_no_others() {
    let server = Server::start().await;
    let profile = |email: &str, organization: &str| {
        let path = format!("/v2/organizations/{organization}:supportProfile");
        let client = server.client(email);
        async move { client.get(&path).await }
    };
    let documents = |profile: &Value| {
        let documents = profile["documents"].as_array().unwrap().iter();
        documents.map(|document| document["product"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let acme = profile(CAROL, "acme").await.ok();
    assert_eq!(documents(&acme), ["compute", "compute", "storage"]);
    let compute = &acme["products"][0];
    assert_eq!(
        (&compute["product"], &compute["plans"]),
        (&json!("compute"), &json!(["platinum", "premier"]))
    );
    assert!(compute["channels"].as_array().unwrap().contains(&json!("PHONE")), "{compute}");
    let provider = &compute["providers"][0];
    assert!(!provider["phones"].as_array().unwrap().is_empty(), "{provider}");
    assert!(provider["openingHours"]["monday"][0].as_str().unwrap().contains('-'), "{provider}");
    assert_eq!(provider["open"] == true, provider.get("closeTime").is_some(), "{provider}");
    assert!(
        compute["serviceLevels"][0]["firstResponse"].as_str().unwrap().starts_with("within"),
        "{compute}"
    );
    assert_eq!(acme["links"]["statusDashboard"], "https://status.support.example/");
    let globex = profile(HANK, "globex").await.ok();
    assert_eq!(documents(&globex), ["compute", "compute"]);
    assert_eq!(globex["products"].as_array().unwrap().len(), 1);
    let initech = profile(PETER, "initech").await.ok();
    assert_eq!((&initech["products"], &initech["documents"]), (&json!([]), &json!([])));
    profile(DAVE, "acme").await.refused(403, "NO_SUPPORT_PRIVILEGE");
    profile(PETER, "acme").await.refused(403, "NOT_A_MEMBER");
    let nina = server.client(NINA).acting_for("nimbus");
    nina.get(&format!("{GLOBEX}:supportProfile")).await.refused(403, "NOT_FOR_YOU");
    // R-PHONE-1, R-ACCESS-6: Silver brings no phone.
    let umbrella = profile(dossier_tests::people::WESKER, "umbrella").await.ok();
    let numbers = umbrella["products"][0]["providers"].as_array().unwrap().iter();
    assert!(numbers.clone().all(|provider| provider["phones"] == json!([])), "{umbrella}");
}

/// A foreign organization is refused alike whether or not it exists.
#[tokio::test]
async fn r_access_6_nobody_learns_of_a_foreign_organization_whether_it_exists() {
    let server = Server::start().await;
    let alice = server.client(ALICE);
    for path in ["", "/members", "/domains", "/entitlements", ":supportProfile"] {
        let refusals = ["globex", "no-such", "-"].map(|name| format!("/v2/organizations/{name}{path}"));
        let mut errors = Vec::new();
        for path in refusals {
            errors.push(alice.get(&path).await.refused(403, "NOT_A_MEMBER"));
        }
        assert!(errors.iter().all(|error| *error == errors[0]), "{errors:?}");
    }
}
