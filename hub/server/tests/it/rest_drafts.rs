//! Drafts by REST: mine alone, with a revision that nobody writes over unseen.

use serde_json::{Value, json};

use crate::fixture::person;
use crate::http::Request;
use crate::hub::TestHub;

fn path(ticket: &Value, audience: &str) -> String {
    format!("/tickets/{}/drafts{audience}", ticket["id"].as_str().expect("an id"))
}

fn save(hub: &TestHub, token: &str, ticket: &Value, audience: &str, body: &str) -> Request {
    hub.api(token, "PUT", &path(ticket, audience)).json(&json!({"body": body, "based_on": 1}))
}

#[tokio::test]
async fn a_draft_is_saved_read_saved_over_what_was_seen_and_thrown_away() {
    let hub = TestHub::shared().await;
    let (ana, cleo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "cleo@customer.test").await);
    let ticket = hub.ticket(&cleo, "Drafts").await;
    hub.api(&ana, "GET", &path(&ticket, "/public")).send().await.refused(404, "not_found");

    let first = save(hub, &ana, &ticket, "/public", "Grüße, 世界 🦀").send().await;
    assert_eq!(first.header("etag"), Some("\"1\""));
    let draft = first.expect(200);
    assert_eq!((&draft["revision"], &draft["body"], &draft["based_on"]), (&json!(1), &json!("Grüße, 世界 🦀"), &json!(1)));
    assert_eq!(draft["authors"], json!([{"id": person("ana@acme.test"), "name": "Ana Agent"}]));
    save(hub, &ana, &ticket, "/internal", "").send().await.expect(200);

    let second = save(hub, &ana, &ticket, "/public", "Better").header("If-Match", "\"1\"").send().await;
    assert_eq!((second.expect(200)["revision"].clone(), second.header("etag")), (json!(2), Some("\"2\"")));
    let stale = save(hub, &ana, &ticket, "/public", "Worse").header("If-Match", "\"1\"").send().await.refused(412, "stale");
    assert_eq!((&stale["draft"]["revision"], &stale["draft"]["body"]), (&json!(2), &json!("Better")));
    let stale = save(hub, &ana, &ticket, "/public", "Blind").send().await.refused(409, "stale");
    assert_eq!(stale["draft"]["body"], "Better");
    let again = save(hub, &ana, &ticket, "/public", "Better").header("If-Match", "\"1\"").send().await.expect(200);
    assert_eq!(again["revision"], 2, "a repeat is one save");

    let all = hub.api(&ana, "GET", &path(&ticket, "")).send().await.expect(200);
    let seen: Vec<_> = all["drafts"].as_array().expect("a list").iter().map(|d| (&d["audience"], &d["body"])).collect();
    assert_eq!(seen, [(&json!("public"), &json!("Better")), (&json!("internal"), &json!(""))]);
    let known = hub.api(&ana, "GET", &path(&ticket, "/public")).header("If-None-Match", "\"2\"").send().await;
    assert_eq!((known.status, known.body.len()), (304, 0));

    let discard = |tag: &str| hub.api(&ana, "DELETE", &path(&ticket, "/public")).header("If-Match", tag);
    discard("\"1\"").send().await.refused(412, "stale");
    discard("\"2\"").send().await.expect(204);
    hub.api(&ana, "DELETE", &path(&ticket, "/public")).send().await.expect(204);
    let late = save(hub, &ana, &ticket, "/public", "Late").header("If-Match", "\"2\"").send().await.refused(412, "stale");
    assert_eq!(late["draft"], Value::Null);
    assert_eq!(save(hub, &ana, &ticket, "/public", "Anew").send().await.expect(200)["revision"], 4);
}

#[tokio::test]
async fn drafts_are_of_those_who_may_write_and_of_nobody_else() {
    let hub = TestHub::shared().await;
    let token = async |workspace, email| hub.token(workspace, email).await;
    let (ana, bo, cleo) =
        (token("acme", "ana@acme.test").await, token("acme", "bo@acme.test").await, token("acme", "cleo@customer.test").await);
    let ticket = hub.ticket(&cleo, "Whose drafts").await;
    save(hub, &ana, &ticket, "/public", "Ana's secret").send().await.expect(200);
    save(hub, &cleo, &ticket, "/public", "Cleo's").send().await.expect(200);
    for other in [&bo, &cleo] {
        let seen = hub.api(other, "GET", &path(&ticket, "")).send().await;
        assert!(!seen.text().contains("Ana's secret"), "{}", seen.text());
    }
    assert_eq!(hub.api(&cleo, "GET", &path(&ticket, "/public")).send().await.expect(200)["body"], "Cleo's");
    save(hub, &cleo, &ticket, "/internal", "no").send().await.refused(403, "forbidden");
    let viewer = token("acme", "viewer@acme.test").await;
    save(hub, &viewer, &ticket, "/public", "no").send().await.refused(403, "forbidden");
    hub.api(&viewer, "GET", &path(&ticket, "")).send().await.refused(403, "forbidden");
    for stranger in [token("acme", "dan@customer.test").await, token("globex", "gil@globex.test").await] {
        save(hub, &stranger, &ticket, "/public", "no").send().await.refused(404, "not_found");
        hub.api(&stranger, "GET", &path(&ticket, "")).send().await.refused(404, "not_found");
        hub.api(&stranger, "DELETE", &path(&ticket, "/public")).send().await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn what_is_no_draft_is_refused_by_name() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let ticket = hub.ticket(&ana, "No drafts").await;
    let put = async |body: Value| hub.api(&ana, "PUT", &path(&ticket, "/public")).json(&body).send().await;
    let missing = put(json!({})).await.refused(422, "invalid");
    assert!(missing["fields"]["body"].is_string() && missing["fields"]["based_on"].is_string(), "{missing}");
    put(json!({"body": "x".repeat(32 * 1024 + 1), "based_on": 1})).await.refused(413, "too_large");
    put(json!({"body": "x".repeat(32 * 1024), "based_on": 1})).await.expect(200);
    put(json!({"body": "nul \0", "based_on": 1})).await.refused(422, "invalid");
    put(json!({"body": "x", "based_on": 1, "audience": "public"})).await.refused(422, "invalid");
    let both = save(hub, &ana, &ticket, "/public", "x").header("If-Match", "\"1\"");
    let both = both.body("application/json", br#"{"body": "x", "based_on": 1, "revision": 2}"#).send().await;
    both.refused(422, "invalid");
    save(hub, &ana, &ticket, "/public", "x").header("If-Match", "*").send().await.refused(422, "invalid");
    save(hub, &ana, &ticket, "/everybody", "x").send().await.refused(404, "not_found");
}

#[tokio::test]
async fn a_sent_reply_spends_its_draft_in_its_own_transaction_and_a_refused_one_keeps_it() {
    let hub = TestHub::start().await;
    let (ana, bo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "bo@acme.test").await);
    let cleo = hub.token("acme", "cleo@customer.test").await;
    let ticket = hub.ticket(&cleo, "Send it").await;
    save(&hub, &ana, &ticket, "/public", "Dear Cleo").send().await.expect(200);
    save(&hub, &ana, &ticket, "/internal", "for colleagues").send().await.expect(200);
    let reply = |based_on: u64| json!({"body": "Dear Cleo,", "audience": "public", "based_on": based_on});
    hub.comment(&bo, &ticket, reply(1)).await.expect(201);
    hub.comment(&ana, &ticket, reply(1)).await.refused(409, "stale");
    assert_eq!(hub.api(&ana, "GET", &path(&ticket, "/public")).send().await.expect(200)["body"], "Dear Cleo");
    hub.comment(&ana, &ticket, reply(2)).await.expect(201);
    hub.api(&ana, "GET", &path(&ticket, "/public")).send().await.refused(404, "not_found");
    assert_eq!(hub.api(&ana, "GET", &path(&ticket, "/internal")).send().await.expect(200)["body"], "for colleagues");
    // The event and what is left of the draft were written by one and the same transaction: nothing lies between them.
    let same = "SELECT d.xmin = e.xmin, d.body IS NULL AND d.authors IS NULL, d.revision
                FROM drafts d JOIN events e ON e.ticket_id = d.ticket_id AND e.seq = 3
                WHERE d.audience = 'public' AND d.ticket_id = $1::text::uuid";
    let id = ticket["id"].as_str().expect("an id");
    let row = hub.database().superuser().await.query_one(same, &[&id]).await.expect("one draft");
    assert_eq!((row.get::<_, bool>(0), row.get::<_, bool>(1), row.get::<_, i64>(2)), (true, true, 2));
}
