//! Signing in with a real OpenID Connect provider: browsers by the authorization-code flow, programs by bearer tokens, and
//! everything that must not get in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dossier_tests::Answer;
use dossier_tests::oidc::{AUDIENCE, Browser, Provider, Trusting, with_chromium};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use sha2::Sha256;

const ALICE: &str = "alice@acme.example";
const AGENT: &str = "agent-north@support.example";
const UNVERIFIED: &str = "unverified@acme.example";
const SESSION: &str = "dossier-session";
const ATTEMPT: &str = "dossier-sign-in";
const JSON: (&str, &str) = ("accept", "application/json");

async fn session(browser: &mut Browser, trusting: &Trusting) -> Answer {
    browser.send(Method::GET, &format!("{}/session", trusting.origin), &[], None).await
}

async fn csrf_token(browser: &mut Browser, trusting: &Trusting) -> String {
    session(browser, trusting).await.ok()["csrfToken"].as_str().unwrap().to_owned()
}

/// R-ACCESS-5: sign-in is the organization's single sign-on; a session holds who the provider said it is, and no password.
#[tokio::test]
async fn r_access_5_a_browser_signs_in_at_the_provider_and_its_session_is_who_signed_in_there() {
    let trusting = Trusting::start(&[]).await;
    let mut browser = Browser::new();
    let begin = format!("{}/sign-in?returnTo=%2Fv2%2Forganizations%2Facme%2Fcases", trusting.origin);
    let there = browser.get(&begin).await;
    let asked = Url::parse(there.header("location").unwrap()).unwrap();
    let query: std::collections::BTreeMap<_, _> = asked.query_pairs().into_owned().collect();
    assert!(asked.as_str().starts_with(&trusting.provider.issuer));
    assert_eq!((query["response_type"].as_str(), query["code_challenge_method"].as_str()), ("code", "S256"));
    assert!(query["state"].len() >= 43 && query["nonce"].len() >= 43 && query["code_challenge"].len() == 43);
    assert!(query["scope"].split(' ').any(|scope| scope == "openid"));

    let back = browser.sign_in(asked.as_str(), AGENT, &trusting.callback()).await;
    let signed_in = browser.get(back.as_str()).await;
    assert_eq!(signed_in.status, 303, "{}", signed_in.text());
    assert_eq!(signed_in.header("location"), Some("/v2/organizations/acme/cases"));
    let cookies: Vec<_> =
        signed_in.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    let cookie = cookies.iter().find(|cookie| cookie.starts_with(SESSION)).unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/;"));
    assert!(cookie.contains("Max-Age=28800"), "{cookie}");
    assert_eq!(signed_in.header("cache-control"), Some("no-store"));
    assert_eq!(browser.cookie(&trusting.origin, ATTEMPT), None, "what began it is gone");

    let who = session(&mut browser, &trusting).await.ok();
    assert_eq!((who["email"].as_str(), who["displayName"].as_str()), (Some(AGENT), Some("North")));
    assert_eq!(who["issuer"], trusting.provider.issuer);
    assert_eq!(who["staffRoles"], json!(["agent"]));
    let cases = browser.get(&format!("{}/v2/organizations/acme/cases", trusting.origin)).await.ok();
    assert!(!cases["cases"].as_array().unwrap().is_empty(), "the session's cookie opens what its roles open");
    assert_eq!(trusting.counted("dossier_sessions_begun_total").await, 1);
}

#[tokio::test]
async fn what_may_change_something_needs_the_sessions_csrf_token_and_a_page_of_ours() {
    let trusting = Trusting::start(&["--cors-origins", "https://listed.example"]).await;
    let mut browser = trusting.signed_in(ALICE).await;
    let token = csrf_token(&mut browser, &trusting).await;
    let cases = format!("{}/v2/organizations/acme/cases", trusting.origin);
    let post = async |browser: &mut Browser, headers: &[(&str, &str)]| {
        browser.send(Method::POST, &cases, headers, None).await
    };
    let csrf = ("dossier-csrf-token", token.as_str());
    post(&mut browser, &[]).await.refused(403, "CSRF_TOKEN_MISSING");
    post(&mut browser, &[("dossier-csrf-token", "AAAA")]).await.refused(403, "CSRF_TOKEN_WRONG");
    let other = csrf_token(&mut trusting.signed_in(AGENT).await, &trusting).await;
    post(&mut browser, &[("dossier-csrf-token", &other)]).await.refused(403, "CSRF_TOKEN_WRONG");
    post(&mut browser, &[csrf, ("origin", "https://evil.example")]).await.refused(403, "ORIGIN_NOT_ALLOWED");
    post(&mut browser, &[csrf, ("sec-fetch-site", "cross-site")]).await.refused(403, "ORIGIN_NOT_ALLOWED");
    // A GET in disguise is still sent as a POST.
    let disguised = post(&mut browser, &[("x-http-method-override", "GET")]).await;
    disguised.refused(403, "CSRF_TOKEN_MISSING");
    for origin in [trusting.origin.as_str(), "https://listed.example"] {
        let reason = post(&mut browser, &[csrf, ("origin", origin)]).await.reason();
        assert!(!reason.starts_with("CSRF") && !reason.starts_with("ORIGIN"), "{origin}: {reason}");
    }
    assert_eq!(trusting.refusals("CSRF_TOKEN_MISSING").await, 2);
    assert_eq!(trusting.refusals("CSRF_TOKEN_WRONG").await, 2);
    assert_eq!(trusting.refusals("ORIGIN_NOT_ALLOWED").await, 2);
    // Nobody can make a browser send a bearer token, so it needs none of this.
    let bearer = trusting.with_token(&trusting.provider.bearer_token(ALICE).await);
    let reason = bearer.post("/v2/organizations/acme/cases", &json!({})).await.reason();
    assert!(!reason.starts_with("CSRF"), "{reason}");
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server_and_leads_to_the_provider() {
    let trusting = Trusting::start(&[]).await;
    let mut browser = trusting.signed_in(ALICE).await;
    let id = browser.cookie(&trusting.origin, SESSION).unwrap().to_owned();
    let token = csrf_token(&mut browser, &trusting).await;
    let sign_out = format!("{}/sign-out", trusting.origin);
    let forged = browser.send(Method::POST, &sign_out, &[JSON], None).await;
    forged.refused(403, "CSRF_TOKEN_MISSING");
    session(&mut browser, &trusting).await.ok();

    let csrf = ("dossier-csrf-token", token.as_str());
    let left = browser.send(Method::POST, &sign_out, &[csrf, JSON], None).await.ok();
    let there = Url::parse(left["redirectTo"].as_str().unwrap()).unwrap();
    assert!(there.as_str().starts_with(&trusting.provider.issuer), "{there}");
    assert_eq!(browser.cookie(&trusting.origin, SESSION), None);
    session(&mut browser, &trusting).await.refused(401, "SESSION_ENDED");
    // The provider knows the client and the way back.
    let page = browser.get(there.as_str()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("logout"), "{}", page.text());

    // Whoever kept the cookie has nothing.
    browser.set_cookie(&trusting.origin, SESSION, &id);
    session(&mut browser, &trusting).await.refused(401, "SESSION_ENDED");
    let cases = browser.get(&format!("{}/v2/organizations/acme/cases", trusting.origin)).await;
    cases.refused(401, "SESSION_ENDED");
    // Signing out again changes nothing and is no fault.
    let again = browser.send(Method::POST, &sign_out, &[csrf], None).await;
    assert_eq!(again.status, 303);
    assert_eq!(browser.get(&format!("{}/signed-out", trusting.origin)).await.status, 200);
}

#[tokio::test]
async fn the_way_back_never_leads_to_another_host() {
    let trusting = Trusting::start(&[]).await;
    let mut browser = Browser::new();
    for bad in ["https://evil.example", "//evil.example", "/\\evil.example", "/%09/evil.example", "cases"] {
        let bad = bad.replace('%', "%25").replace("%2509", "%09");
        let url = format!("{}/sign-in?returnTo={}", trusting.origin, bad.replace('\\', "%5C"));
        let page = browser.get(&url).await;
        assert_eq!(page.status, 400, "{bad}: {}", page.text());
        assert!(page.text().contains("RETURN_TO_NOT_LOCAL"), "{}", page.text());
        assert_eq!(browser.cookie(&trusting.origin, ATTEMPT), None);
    }
    assert_eq!(trusting.refusals("RETURN_TO_NOT_LOCAL").await, 5);
}

#[tokio::test]
async fn an_answer_of_the_provider_counts_once_and_only_in_the_browser_that_asked() {
    let trusting = Trusting::start(&[]).await;
    let begin = format!("{}/sign-in", trusting.origin);
    let mut browser = Browser::new();
    let back = browser.sign_in(&begin, ALICE, &trusting.callback()).await;
    let attempt = browser.cookie(&trusting.origin, ATTEMPT).unwrap().to_owned();

    // Somebody else's answer, put into this browser by a link: it would sign the person in as somebody else.
    let mut evil = Browser::new();
    let planted = evil.sign_in(&begin, AGENT, &trusting.callback()).await;
    let mut fresh = Browser::new();
    assert!(fresh.get(planted.as_str()).await.text().contains("STATE_MISSING"));
    assert!(browser.get(planted.as_str()).await.text().contains("STATE_MISMATCH"));
    assert_eq!(browser.cookie(&trusting.origin, SESSION), None);

    // The link did no harm: the sign-in goes on.
    assert_eq!(browser.get(back.as_str()).await.status, 303);
    assert_eq!(session(&mut browser, &trusting).await.ok()["email"], ALICE);
    assert!(browser.get(back.as_str()).await.text().contains("STATE_MISSING"), "the attempt is used up");
    // Whoever kept the cookie and the address of a sign-in that is complete has nothing.
    let mut thief = Browser::new();
    thief.set_cookie(&trusting.origin, ATTEMPT, &attempt);
    let replayed = thief.get(back.as_str()).await;
    assert_eq!(replayed.status, 400);
    assert!(replayed.text().contains("SIGN_IN_REPLAYED"), "{}", replayed.text());
    assert_eq!(thief.cookie(&trusting.origin, SESSION), None);
    for (reason, count) in [("STATE_MISSING", 2), ("STATE_MISMATCH", 1), ("SIGN_IN_REPLAYED", 1)] {
        assert_eq!(trusting.refusals(reason).await, count, "{reason}");
    }
    assert_eq!(trusting.counted("dossier_sessions_begun_total").await, 1);
}

/// Signs in as far as the provider, changes what it answers, and shows the result to the server.
async fn refused(
    trusting: &Trusting,
    email: &str,
    change: impl FnOnce(&Url) -> String,
    status: u16,
    reason: &str,
) {
    let mut browser = Browser::new();
    let back = browser.sign_in(&format!("{}/sign-in", trusting.origin), email, &trusting.callback()).await;
    let page = browser.get(&change(&back)).await;
    assert_eq!(page.status, status, "{reason}: {}", page.text());
    assert!(page.text().contains(reason), "{reason}: {}", page.text());
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    assert_eq!(browser.cookie(&trusting.origin, SESSION), None, "{reason}");
    assert_eq!(trusting.refusals(reason).await, 1, "{reason}");
}

fn without(url: &Url, name: &str) -> String {
    let mut changed = url.clone();
    changed.query_pairs_mut().clear().extend_pairs(url.query_pairs().filter(|(key, _)| key != name));
    changed.into()
}

fn with(url: &Url, name: &str, value: &str) -> String {
    let mut changed = Url::parse(&without(url, name)).unwrap();
    changed.query_pairs_mut().append_pair(name, value);
    changed.into()
}

#[tokio::test]
async fn a_sign_in_that_is_refused_says_why_on_a_page_with_links_and_counts() {
    let trusting = Trusting::start(&[]).await;
    let as_it_is = |back: &Url| back.to_string();
    refused(&trusting, UNVERIFIED, as_it_is, 403, "EMAIL_NOT_VERIFIED").await;
    refused(&trusting, "nobody@acme.example", as_it_is, 403, "PROVIDER_ERROR").await;
    refused(&trusting, ALICE, |back| without(back, "code"), 400, "CODE_MISSING").await;
    refused(&trusting, ALICE, |back| with(back, "iss", "https://evil.example"), 400, "ISSUER_MISMATCH").await;
    trusting.provider.falsify("id-token", &json!({"nonce": "of another sign-in"})).await;
    refused(&trusting, ALICE, as_it_is, 403, "NONCE_MISMATCH").await;
    trusting.provider.falsify("id-token", &json!({"nbf": 4_000_000_000_u32})).await;
    refused(&trusting, ALICE, as_it_is, 403, "TOKEN_NOT_YET_VALID").await;
    trusting.provider.falsify("id-token", &json!({})).await;

    // A code that was stolen from one browser is of no use in another: the proof is missing (PKCE).
    let mut victim = Browser::new();
    let stolen = victim.sign_in(&format!("{}/sign-in", trusting.origin), ALICE, &trusting.callback()).await;
    let code = stolen.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let mut thief = Browser::new();
    let own = thief.sign_in(&format!("{}/sign-in", trusting.origin), AGENT, &trusting.callback()).await;
    let page = thief.get(&with(&own, "code", &code)).await;
    assert_eq!(page.status, 403, "{}", page.text());
    assert!(
        page.text().contains("PROVIDER_ERROR") && page.text().contains("invalid_grant"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("How to get an account back"), "{}", page.text());
    assert!(page.text().contains(page.header("dossier-request-id").unwrap()), "{}", page.text());

    let mut program = Browser::new();
    let answer = program.send(Method::GET, &trusting.callback(), &[JSON], None).await;
    let error = answer.refused(400, "STATE_MISSING");
    assert_eq!(error["details"][1]["links"][0]["description"], "Help with signing in");
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token with the claims of a good one that claims to be signed with the provider's key: by HMAC with what everybody knows.
fn signed_with_the_public_key(token: &str, key: &Value) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": key["kid"]});
    let message = format!("{}.{}", part(&header), part(&claims(token)));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.to_string().as_bytes()).unwrap();
    mac.update(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn bearer_tokens_are_believed_for_what_the_provider_signed_and_nothing_else() {
    let trusting = Trusting::start(&[]).await;
    let provider = &trusting.provider;
    let cases = async |token: &str| trusting.with_token(token).get("/v2/organizations/acme/cases").await;
    let good = provider.bearer_token(AGENT).await;
    assert_eq!(claims(&good)["aud"], AUDIENCE);
    cases(&good).await.ok();

    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    for (reason, falsified) in [
        ("TOKEN_AUDIENCE", json!({"aud": "another application"})),
        ("TOKEN_ISSUER", json!({"iss": "https://evil.example"})),
        ("TOKEN_EXPIRED", json!({"exp": now - 120})),
        ("TOKEN_NOT_YET_VALID", json!({"nbf": now + 120})),
        ("EMAIL_NOT_VERIFIED", json!({"email_verified": false})),
    ] {
        provider.falsify("access-token", &falsified).await;
        cases(&provider.bearer_token(AGENT).await).await.refused(401, reason);
        assert_eq!(trusting.refusals(reason).await, 1, "{reason}");
    }
    provider.falsify("access-token", &json!({})).await;
    cases(&provider.bearer_token(UNVERIFIED).await).await.refused(401, "EMAIL_NOT_VERIFIED");

    // What no provider makes: without a signature, with a signature that everybody can make, with another's.
    let none = format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims(&good)));
    cases(&none).await.refused(401, "TOKEN_ALGORITHM");
    let key = provider.keys().await[0].clone();
    cases(&signed_with_the_public_key(&good, &key)).await.refused(401, "TOKEN_ALGORITHM");
    assert_eq!(trusting.refusals("TOKEN_ALGORITHM").await, 2);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = message.split_once('.').unwrap();
    let mut more = claims(&good);
    more["roles"] = json!(["operator"]);
    cases(&format!("{header}.{}.{signature}", part(&more))).await.refused(401, "TOKEN_SIGNATURE");
    let other = Provider::start(&trusting.origin).await.bearer_token(AGENT).await;
    cases(&other).await.refused(401, "TOKEN_ISSUER");
    assert_eq!(trusting.refusals("TOKEN_SIGNATURE").await, 1);
    cases(&good).await.ok();
}

#[tokio::test]
async fn the_provider_may_change_its_keys_while_everything_runs() {
    let trusting = Trusting::start(&[]).await;
    let mut earlier = trusting.signed_in(AGENT).await;
    let old = trusting.provider.bearer_token(AGENT).await;
    let cases = async |token: &str| trusting.with_token(token).get("/v2/organizations/acme/cases").await;
    cases(&old).await.ok();

    trusting.provider.rotate(true).await;
    let new = trusting.provider.bearer_token(AGENT).await;
    let kid = |token: &str| URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    assert_ne!(kid(&old), kid(&new), "the new token is signed with the new key");
    // Keys are fetched again at most once in a while, however many tokens name unknown ones.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_mins(1);
    while cases(&new).await.status == 401 {
        assert!(tokio::time::Instant::now() < deadline, "the new key is not believed");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    cases(&old).await.ok();
    trusting.signed_in(ALICE).await;
    // A session is none of the provider's keys' business.
    assert_eq!(session(&mut earlier, &trusting).await.ok()["email"], AGENT);
}

#[tokio::test]
async fn pages_of_listed_origins_may_call_and_others_learn_nothing() {
    let trusting = Trusting::start(&["--cors-origins", "https://listed.example,http://localhost:3000"]).await;
    let cases = format!("{}/v2/organizations/acme/cases", trusting.origin);
    let preflight = async |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type,dossier-csrf-token"),
        ];
        Browser::new().send(Method::OPTIONS, &cases, &headers, None).await
    };
    for origin in ["https://listed.example", "http://localhost:3000"] {
        let allowed = preflight(origin).await;
        assert_eq!(allowed.status, 200);
        assert_eq!(allowed.header("access-control-allow-origin"), Some(origin));
        assert_eq!(allowed.header("access-control-allow-credentials"), Some("true"));
        assert!(allowed.header("access-control-allow-headers").unwrap().contains("dossier-csrf-token"));
        assert!(allowed.header("access-control-allow-methods").unwrap().contains("PATCH"));
    }
    for origin in ["https://evil.example", "https://listed.example.evil", "http://listed.example", "null"] {
        let refused = preflight(origin).await;
        assert_eq!(refused.header("access-control-allow-origin"), None, "{origin}");
        assert_eq!(refused.header("access-control-allow-credentials"), None, "{origin}");
    }
    // Also what is refused may be read, with our own headers.
    let answer =
        Browser::new().send(Method::GET, &cases, &[("origin", "https://listed.example")], None).await;
    answer.refused(401, "TOKEN_MISSING");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://listed.example"));
    let exposed = answer.header("access-control-expose-headers").unwrap().to_lowercase();
    for header in [
        "dossier-position",
        "etag",
        "idempotent-replay",
        "dossier-request-id",
        "dossier-follow-up-of",
        "retry-after",
    ] {
        assert!(exposed.contains(header), "{header}: {exposed}");
    }
}

#[tokio::test]
async fn a_server_without_a_provider_says_how_to_get_in_instead() {
    let folder = tempfile::tempdir().unwrap();
    let server = dossier_tests::Process::start(&folder.path().join("data")).await;
    let mut browser = Browser::new();
    let page = browser.get(&format!("{}/sign-in", server.url())).await;
    assert_eq!(page.status, 501);
    for said in ["BROWSER_SIGN_IN_NOT_CONFIGURED", "oidc_client_id", "public_url", "dossier token --email"] {
        assert!(page.text().contains(said), "{said}: {}", page.text());
    }
    browser.set_cookie(&server.url(), SESSION, &"A".repeat(43));
    let answer = browser.get(&format!("{}/v2/organizations/acme/cases", server.url())).await;
    answer.refused(401, "TOKEN_MISSING");
    browser.get(&format!("{}/session", server.url())).await.refused(401, "SESSION_ENDED");
    // Nobody is told of other origins where none are listed.
    let answer = browser.send(Method::GET, &server.url(), &[("origin", "https://a.example")], None).await;
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
}

#[tokio::test]
async fn a_real_browser_signs_in_keeps_its_cookie_from_pages_and_signs_out() {
    let trusting = Trusting::start(&[]).await;
    let met = with_chromium(&trusting).await;
    let refused = met["refused"].as_str().unwrap();
    for said in ["has not verified an email address", "EMAIL_NOT_VERIFIED", "How to get an account back"] {
        assert!(refused.contains(said), "{said}: {refused}");
    }
    assert_eq!(met["at"], "/session");
    assert_eq!(met["session"]["email"], AGENT);
    let cookie = json!({"name": SESSION, "httpOnly": true, "sameSite": "Lax"});
    assert_eq!((&met["cookies"], &met["readable"]), (&json!([cookie]), &json!("")));
    assert_eq!(met["cases"], 200);
    assert_eq!(met["unguarded"]["status"], 403);
    assert_eq!(met["unguarded"]["body"]["error"]["details"][0]["reason"], "CSRF_TOKEN_MISSING");
    // The form of another page came with the cookie, and ended nothing.
    assert!(met["forged"].as_str().unwrap().contains("ORIGIN_NOT_ALLOWED"), "{met}");
    assert_eq!(met["crossOrigin"], "not read");
    assert_eq!(met["signedOut"]["status"], 200);
    assert_eq!(met["after"]["status"], 401);
}
