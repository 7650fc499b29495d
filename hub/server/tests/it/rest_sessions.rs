//! Signing in and out, by cookie and by token, and what happens to those who guess.

use serde_json::{Value, json};

use crate::fixture::PASSWORD;
use crate::http::{Answer, Request};
use crate::hub::TestHub;

fn sign_in(hub: &TestHub, body: &Value) -> Request {
    hub.request("POST", "/api/v1/sessions").json(body)
}

fn form(email: &str, password: &str, grant: Option<&str>) -> Value {
    let mut form = json!({"workspace": "acme", "email": email, "password": password});
    if let Some(grant) = grant {
        form["grant"] = grant.into();
    }
    form
}

/// `name=value` of the cookie an answer sets.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").expect("sets a cookie");
    set.split(';').next().expect("name and value").to_owned()
}

#[tokio::test]
async fn a_cookie_is_for_browsers_and_never_comes_with_a_token() {
    let hub = TestHub::shared().await;
    let answer = sign_in(hub, &form("ana@acme.test", PASSWORD, None)).send().await;
    let body = answer.expect(200);
    assert!(body.get("token").is_none(), "{body}");
    assert_eq!(body["user"]["email"], "ana@acme.test");
    let set = answer.header("set-cookie").expect("sets a cookie");
    for part in ["tandem=tdm_", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"] {
        assert!(set.contains(part), "{part} in {set}");
    }
    let me = hub.request("GET", "/api/v1/me").header("Cookie", &cookie(&answer)).send().await.expect(200);
    assert_eq!(me["user"]["name"], "Ana Agent");
    assert_eq!(me["workspace"]["slug"], "acme");
    assert_eq!(me["role"], "agent");
}

#[tokio::test]
async fn a_token_is_for_programs_and_never_comes_with_a_cookie() {
    let hub = TestHub::shared().await;
    let answer = sign_in(hub, &form("  Cleo@Customer.test ", PASSWORD, Some("token"))).send().await;
    let body = answer.expect(200);
    assert!(answer.header("set-cookie").is_none());
    assert!(body["token"].as_str().is_some_and(|token| token.starts_with("tdm_")), "{body}");
    assert!(body["expires_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{body}");
    assert_eq!(body["user"]["role"], "customer");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn wrong_passwords_unknown_people_and_unknown_workspaces_answer_alike() {
    let hub = TestHub::start().await;
    let wrong = sign_in(&hub, &form("ana@acme.test", "wrong", None)).send().await;
    let unknown = sign_in(&hub, &form("nobody@acme.test", PASSWORD, None)).send().await;
    let elsewhere =
        sign_in(&hub, &json!({"workspace": "nowhere", "email": "ana@acme.test", "password": PASSWORD})).send().await;
    let other_tenant =
        sign_in(&hub, &json!({"workspace": "globex", "email": "ana@acme.test", "password": PASSWORD})).send().await;
    wrong.refused(401, "unauthenticated");
    for answer in [&unknown, &elsewhere, &other_tenant] {
        assert_eq!(answer.comparable(), wrong.comparable());
    }
}

#[tokio::test]
async fn five_failures_make_an_account_wait_and_others_do_not() {
    let hub = TestHub::start().await;
    for _ in 0..5 {
        sign_in(&hub, &form("ana@acme.test", "guess", None)).send().await.refused(401, "unauthenticated");
    }
    let answer = sign_in(&hub, &form("Ana@Acme.test", PASSWORD, None)).send().await;
    let body = answer.refused(429, "rate_limited");
    let seconds: u64 = answer.header("retry-after").and_then(|s| s.parse().ok()).expect("told when to come back");
    assert!((1..=12).contains(&seconds) && body["retry_after_ms"].is_u64(), "{seconds} {body}");
    sign_in(&hub, &form("bo@acme.test", PASSWORD, None)).send().await.expect(200);
}

#[tokio::test]
async fn so_many_failures_make_an_address_wait_whatever_names_it_tries() {
    // Two a minute: a place comes back after 30 s, however slow this machine is at hashing.
    let hub = TestHub::start_with(&[("TANDEM_LOGIN_FAILURES_PER_ADDRESS", "2")]).await;
    for n in 0..2 {
        sign_in(&hub, &form(&format!("guess-{n}@acme.test"), "guess", None)).send().await.refused(401, "unauthenticated");
    }
    sign_in(&hub, &form("bo@acme.test", PASSWORD, None)).send().await.refused(429, "rate_limited");
}

#[tokio::test]
async fn signing_in_often_is_no_failure() {
    let hub = TestHub::shared().await;
    for _ in 0..30 {
        sign_in(hub, &form("lead@acme.test", PASSWORD, Some("token"))).send().await.expect(200);
    }
}

#[tokio::test]
async fn who_signs_out_is_unknown_at_once() {
    let hub = TestHub::shared().await;
    let (gone, stays) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "ana@acme.test").await);
    let answer = hub.api(&gone, "DELETE", "/sessions/current").send().await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert!(answer.header("set-cookie").is_none(), "a program's sign-out is not the browser's");
    hub.api(&gone, "GET", "/me").send().await.refused(401, "unauthenticated");
    hub.api(&gone, "DELETE", "/sessions/current").send().await.refused(401, "unauthenticated");
    hub.api(&stays, "GET", "/me").send().await.expect(200);
}

#[tokio::test]
async fn a_browser_that_signs_out_loses_its_cookie() {
    let hub = TestHub::shared().await;
    let cookie = cookie(&sign_in(hub, &form("bo@acme.test", PASSWORD, Some("cookie"))).send().await);
    let out =
        hub.request("DELETE", "/api/v1/sessions/current").header("Cookie", &cookie).header("Origin", &hub.url()).send().await;
    assert_eq!(out.status, 204);
    assert!(
        out.header("set-cookie").is_some_and(|set| set.contains("tandem=;") && set.contains("Max-Age=0")),
        "{:?}",
        out.headers
    );
    hub.request("GET", "/api/v1/me").header("Cookie", &cookie).send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn changes_with_a_cookie_need_an_origin_of_our_own() {
    let hub = TestHub::shared().await;
    let cookie = cookie(&sign_in(hub, &form("ana@acme.test", PASSWORD, None)).send().await);
    let port = hub.address().port();
    let create = |origin: Option<&str>| {
        let new = json!({"title": "From a page", "description": "Text"});
        let request =
            hub.request("POST", "/api/v1/tickets").header("Cookie", &cookie).key(&uuid::Uuid::new_v4().to_string()).json(&new);
        match origin {
            Some(origin) => request.header("Origin", origin),
            None => request,
        }
    };
    for foreign in [
        None,
        Some("null"),
        Some("http://evil.example"),
        Some("http://127.0.0.1"),
        Some(&format!("https://127.0.0.1:{port}")),
        Some(&format!("http://127.0.0.1:{port}.evil.example")),
        Some(&format!("http://127.0.0.1:{port}, http://evil.example")),
    ] {
        create(foreign).send().await.refused(403, "forbidden");
    }
    create(Some(&hub.url())).header("Origin", "http://evil.example").send().await.refused(403, "forbidden");
    for own in [hub.url(), format!("http://localhost:{port}")] {
        let ticket = create(Some(&own)).send().await.expect(201);
        assert_eq!(ticket["source"], "web");
    }
    hub.request("GET", "/api/v1/tickets")
        .header("Cookie", &cookie)
        .header("Origin", "http://evil.example")
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn a_foreign_page_cannot_sign_a_browser_in() {
    let hub = TestHub::shared().await;
    let asked = form("ana@acme.test", PASSWORD, None);
    sign_in(hub, &asked).header("Origin", "http://evil.example").send().await.refused(403, "forbidden");
    sign_in(hub, &asked).header("Origin", &hub.url()).send().await.expect(200);
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_nobody() {
    let hub = TestHub::shared().await;
    let good = hub.token("acme", "ana@acme.test").await;
    let elsewhere = good.replacen(&good[4..36], &"0".repeat(32), 1);
    for token in ["", "tdm_", "x", &good[..good.len() - 1], &format!("{good}x"), &elsewhere] {
        let answer = hub.api(token, "GET", "/me").send().await;
        answer.refused(401, "unauthenticated");
        assert!(answer.header("www-authenticate").is_some());
    }
    hub.request("GET", "/api/v1/me").header("Authorization", "Basic YTpi").send().await.refused(401, "unauthenticated");
    hub.request("GET", "/api/v1/me").send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn behind_tls_the_cookie_is_bound_to_the_host() {
    let hub = TestHub::start_with(&[("TANDEM_SECURE_COOKIES", "true")]).await;
    let answer = sign_in(&hub, &form("ana@acme.test", PASSWORD, None)).send().await;
    let set = answer.header("set-cookie").expect("sets a cookie");
    assert!(set.starts_with("__Host-tandem=") && set.contains("Secure") && !set.contains("Domain"), "{set}");
}

#[tokio::test]
async fn a_sign_in_form_says_which_fields_are_wrong() {
    let hub = TestHub::shared().await;
    let answer = sign_in(hub, &json!({"workspace": 7, "email": "", "grant": "both", "role": "owner"})).send().await;
    let fields = answer.refused(422, "invalid")["fields"].clone();
    let named: Vec<&String> = fields.as_object().expect("a map").keys().collect();
    assert_eq!(named, ["email", "grant", "password", "role", "workspace"]);
}
