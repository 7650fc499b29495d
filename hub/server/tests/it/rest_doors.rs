//! The house as a whole: addresses that do not exist, headers on every answer, health, the description of the API, the pages,
//! and the way down.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::hub::TestHub;

#[tokio::test]
async fn unknown_addresses_and_methods_are_refused_in_the_form_of_the_contract() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    for path in ["/api/v1/nothing", "/api/v2/tickets", "/api", "/api/v1/tickets/x/y/z", "/nothing.php", "/assets/none.js"] {
        let answer = hub.request("GET", path).bearer(&ana).send().await;
        assert_eq!(answer.status, 404, "{path}");
        answer.refused(404, "not_found");
    }
    for (method, path, allow) in [
        ("PUT", "/api/v1/tickets", "GET, POST, HEAD"),
        ("DELETE", "/api/v1/me", "GET, HEAD"),
        ("POST", "/api/v1/sessions/current", "DELETE"),
        ("POST", "/healthz", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("DELETE", "/help", "GET, HEAD"),
    ] {
        let answer = hub.request(method, path).bearer(&ana).send().await;
        answer.refused(405, "not_found");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
    hub.request("GET", &format!("/api/v1/tickets?status={}", "x".repeat(9_000)))
        .bearer(&ana)
        .send()
        .await
        .refused(414, "too_large");
    let head = hub.request("HEAD", "/api/v1/me").bearer(&ana).send().await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn every_answer_keeps_browsers_strict() {
    let hub = TestHub::shared().await;
    for path in ["/", "/healthz", "/api/v1/me", "/api/v1/openapi.json", "/api/docs", "/nothing.js"] {
        let answer = hub.request("GET", path).send().await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{path}");
        assert!(answer.header("content-security-policy").is_some_and(|csp| csp.contains("frame-ancestors 'none'")), "{path}");
        assert!(answer.header("x-request-id").is_some(), "{path}");
        assert!(!path.starts_with("/api/") || answer.header("cache-control") == Some("no-store"), "{path}");
    }
}

#[tokio::test]
async fn alive_and_ready_are_one_word_each() {
    let hub = TestHub::shared().await;
    let (alive, ready) = (hub.request("GET", "/healthz").send().await, hub.request("GET", "/readyz").send().await);
    assert_eq!((alive.status, alive.text().trim()), (200, "alive"));
    assert_eq!((ready.status, ready.text().trim()), (200, "ready"));
}

#[tokio::test]
async fn the_api_describes_itself() {
    let hub = TestHub::shared().await;
    let document: Value = hub.request("GET", "/api/v1/openapi.json").send().await.expect(200);
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    for (path, method) in [("/sessions", "post"), ("/tickets/{id}", "patch"), ("/tickets/{id}/comments", "post")] {
        assert!(document["paths"][path][method].is_object(), "{method} {path}");
    }
    let docs = hub.request("GET", "/api/docs").send().await;
    assert_eq!(docs.status, 200);
    assert!(docs.header("content-type").is_some_and(|t| t.starts_with("text/html")));
    assert!(docs.text().contains("/api/v1/tickets/{id}/comments"));
}

#[tokio::test]
async fn the_pages_are_served_from_a_folder_and_nothing_outside_of_it() {
    let folder = std::env::temp_dir().join(format!("tandem-pages-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(folder.join("assets")).expect("a folder");
    for (name, text) in [
        ("index.html", "<!doctype html><title>Console</title>"),
        ("help.html", "<!doctype html><title>Portal</title>"),
        ("csp.txt", "default-src 'self';\n  frame-ancestors 'none'\n"),
        ("assets/app-1.js", "console.log(1)"),
    ] {
        std::fs::write(folder.join(name), text).expect("a file");
    }
    std::os::unix::fs::symlink("/etc/passwd", folder.join("passwd.txt")).expect("a link");
    let hub = TestHub::start_with(&[("TANDEM_WEB_DIR", folder.to_str().expect("text"))]).await;
    for (path, title) in [("/", "Console"), ("/tickets/7", "Console"), ("/help", "Portal"), ("/help/tickets/7", "Portal")] {
        let page = hub.request("GET", path).send().await;
        assert!(page.text().contains(title), "{path}: {}", page.text());
        assert_eq!(page.header("content-security-policy"), Some("default-src 'self'; frame-ancestors 'none'"));
        assert_eq!(page.header("cache-control"), Some("no-cache"));
    }
    let script = hub.request("GET", "/assets/app-1.js").send().await;
    assert_eq!(script.text(), "console.log(1)");
    assert!(script.header("cache-control").is_some_and(|c| c.contains("immutable")));
    let page = hub.request("GET", "/").send().await;
    let known = hub.request("GET", "/").header("If-None-Match", page.header("etag").expect("a version")).send().await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    let packed = hub.request("GET", "/assets/app-1.js").header("Accept-Encoding", "gzip").send().await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    for path in
        ["/passwd.txt", "/csp.txt", "/../../etc/passwd.txt", "/%2e%2e/%2e%2e/etc/passwd.txt", "/assets/..%2f..%2fsecret.txt"]
    {
        let answer = hub.request("GET", path).send().await;
        assert!(answer.status == 404 || answer.status == 400, "{path}: {}", answer.status);
        assert!(!answer.text().contains("root:"), "{path}");
    }
    drop(hub);
    std::fs::remove_dir_all(folder).expect("ours");
}

#[tokio::test]
async fn a_hub_without_pages_says_so_kindly() {
    let hub = TestHub::shared().await;
    let page = hub.request("GET", "/").send().await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("web pages were not built"));
}

#[tokio::test]
async fn a_stopped_hub_has_kept_every_answered_reply_and_another_one_goes_on() {
    let hub = TestHub::start().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let ticket = hub.ticket(&ana, "Survives").await;
    for n in 0..5 {
        hub.comment(&ana, &ticket, json!({"body": format!("note {n}"), "audience": "internal"})).await.expect(201);
    }
    let began = Instant::now();
    let (hub, database) = hub.leave().await;
    hub.expect("stops cleanly");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let next = TestHub::serve(database, &[]).await;
    let log =
        next.api(&ana, "GET", &format!("/tickets/{}/events", ticket["id"].as_str().expect("an id"))).send().await.expect(200);
    assert_eq!(log["events"].as_array().map(Vec::len), Some(6), "the same sign-in, the same log");
}

#[tokio::test]
async fn while_the_database_is_away_the_hub_is_alive_and_not_ready_and_reads_are_told_to_come_back() {
    let hub = TestHub::start().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    hub.ticket(&ana, "Wait for me").await;
    let administrator = hub.database().administrator().await;
    let allow = |allowed: bool| format!("ALTER DATABASE {} ALLOW_CONNECTIONS {allowed}", hub.database().name);
    let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", hub.database().name);
    administrator.batch_execute(&allow(false)).await.expect("closed");
    administrator.batch_execute(&cut).await.expect("cut");
    assert_eq!(becomes(&hub, 503).await, "not ready: database");
    assert_eq!(hub.request("GET", "/healthz").send().await.status, 200);
    let answer = hub.api(&ana, "GET", "/tickets").send().await;
    answer.refused(503, "unavailable");
    assert!(answer.header("retry-after").is_some());
    administrator.batch_execute(&allow(true)).await.expect("open");
    assert_eq!(becomes(&hub, 200).await, "ready");
    hub.api(&ana, "GET", "/tickets").send().await.expect(200);
}

/// Waits until `/readyz` has this status, and answers its word.
async fn becomes(hub: &TestHub, status: u16) -> String {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let ready = hub.request("GET", "/readyz").send().await;
        if ready.status == status {
            return ready.text().trim().to_owned();
        }
        assert!(Instant::now() < deadline, "still {}", ready.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn reading_changes_nothing() {
    let hub = TestHub::start().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let ticket = hub.ticket(&ana, "Look, do not touch").await;
    let id = ticket["id"].as_str().expect("an id");
    let behind = hub.database().superuser().await;
    let tables = ["workspaces", "users", "sessions", "teams", "team_members", "categories", "tickets", "events"];
    let rows = tables
        .map(|table| format!("(SELECT coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') FROM {table} t)"))
        .join(" || ");
    let everything = async || -> String { behind.query_one(&format!("SELECT {rows}"), &[]).await.expect("reads").get(0) };
    let before = everything().await;
    for path in [
        "/me",
        "/workspace",
        "/tickets",
        "/openapi.json",
        "/nothing",
        &format!("/tickets/{id}"),
        &format!("/tickets/{id}/events"),
    ] {
        for method in ["GET", "HEAD"] {
            hub.api(&ana, method, path).send().await;
        }
    }
    hub.api(&ana, "GET", "/sessions/current").send().await.refused(405, "not_found");
    hub.api(&ana, "GET", &format!("/tickets/{id}/comments")).send().await.refused(405, "not_found");
    assert_eq!(everything().await, before);
}

#[tokio::test]
async fn demo_accounts_refuse_to_be_served_to_a_network() {
    let hub = TestHub::start().await;
    let (stopped, database) = hub.leave().await;
    stopped.expect("stops cleanly");
    let refused = TestHub::try_serve(database, &[("TANDEM_BIND", "0.0.0.0")]).await;
    let words = format!("{:#}", refused.err().expect("does not start"));
    assert!(words.contains("demo account") && words.contains("0.0.0.0"), "{words}");
}

#[tokio::test]
async fn a_hub_refuses_a_database_role_that_row_security_does_not_bind() {
    let database = storage::testing::TestDatabase::fresh().await;
    let url = database.superuser_url.clone();
    let refused = TestHub::try_serve(database.into(), &[("DATABASE_URL", &url)]).await;
    let words = format!("{:#}", refused.err().expect("does not start"));
    assert!(words.contains("superuser"), "{words}");
    assert!(!words.contains(url.split('@').next().expect("a part")), "no secret in {words}");
}
