//! Tickets by REST: opened once per key, listed page by page, changed whole or not at all.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::{ACME_CATEGORY, ACME_TEAM, person};
use crate::hub::TestHub;

fn key() -> String {
    Uuid::new_v4().to_string()
}

fn path(ticket: &Value) -> String {
    format!("/tickets/{}", ticket["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn a_new_ticket_is_answered_whole_with_its_address_and_version() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let new = json!({"title": "Printer on fire", "description": "# Hot\n\u{1f525} עברית", "priority": "p1"});
    let answer = hub.api(&ana, "POST", "/tickets").key(&key()).json(&new).send().await;
    let ticket = answer.expect(201);
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert_eq!(answer.header("location"), Some(format!("/api/v1{}", path(&ticket)).as_str()));
    assert_eq!(
        (&ticket["title"], &ticket["description"], &ticket["priority"]),
        (&new["title"], &new["description"], &new["priority"])
    );
    assert_eq!((&ticket["status"], &ticket["source"], &ticket["seq"]), (&json!("open"), &json!("api"), &json!(1)));
    assert!(ticket["number"].as_str().is_some_and(|number| number.starts_with("TKT-")), "{ticket}");
    let read = hub.api(&ana, "GET", &path(&ticket)).send().await;
    assert_eq!(read.expect(200), ticket);
    assert_eq!(read.header("etag"), Some("\"1\""));
    assert_eq!(hub.api(&ana, "GET", &path(&ticket)).header("If-None-Match", "\"1\"").send().await.status, 304);
}

#[tokio::test]
async fn a_customer_who_has_the_threads_last_number_still_reads_a_new_title() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let cleo = hub.token("acme", "cleo@customer.test").await;
    let ticket = hub.ticket(&cleo, "Old title").await;
    let read = |token: &str| hub.api(token, "GET", &path(&ticket)).header("If-None-Match", "\"1\"").send();
    let retitled = json!({"title": "New title", "based_on": 1});
    hub.api(&ana, "PATCH", &path(&ticket)).json(&retitled).send().await.expect(200);
    let seen = read(&cleo).await;
    assert_eq!(seen.header("etag"), Some("\"1\""), "the title is no event of the thread");
    assert_eq!(seen.expect(200)["title"], "New title");
    assert_eq!(read(&ana).await.expect(200)["title"], "New title");
    let again = hub.api(&ana, "GET", &path(&ticket)).header("If-None-Match", "\"2\"").send().await;
    assert_eq!(again.status, 304, "staff count every event");
}

#[tokio::test]
async fn a_repeat_by_its_key_finds_the_same_ticket_and_other_content_is_refused() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let bo = hub.token("acme", "bo@acme.test").await;
    let create = |token: &str, key: &str, title: &str| {
        hub.api(token, "POST", "/tickets").key(key).json(&json!({"title": title, "description": "d"})).send()
    };
    for key in [key(), format!("order {}", key())] {
        let first = create(&ana, &key, "Once").await.expect(201);
        assert_eq!(create(&ana, &key, "Once").await.expect(201)["id"], first["id"]);
        create(&ana, &key, "Twice").await.refused(422, "invalid");
        assert_ne!(create(&bo, &key, "Once").await.expect(201)["id"], first["id"], "a key belongs to its sender");
        let log = hub.api(&ana, "GET", &format!("{}/events", path(&first))).send().await.expect(200);
        assert_eq!(log["events"].as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test]
async fn a_post_without_a_key_is_told_which_header_is_missing() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let new = json!({"title": "t", "description": "d"});
    let long = "x".repeat(256);
    for request in [
        hub.api(&ana, "POST", "/tickets"),
        hub.api(&ana, "POST", "/tickets").key(""),
        hub.api(&ana, "POST", "/tickets").key(&long),
    ] {
        let body = request.json(&new).send().await.refused(422, "invalid");
        assert!(body["fields"]["Idempotency-Key"].is_string(), "{body}");
    }
    hub.api(&ana, "POST", "/tickets").key(&"x".repeat(255)).json(&new).send().await.expect(201);
}

#[tokio::test]
async fn a_patch_changes_several_things_in_one_step_and_tells_the_new_version() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let ticket = hub.ticket(&ana, "Patch me").await;
    let change = json!({
        "status": "in_progress", "note": "on it", "assignee_id": person("bo@acme.test"), "team_id": ACME_TEAM, "title": "Patched",
        "priority": "p2", "urgency": "high", "category_id": ACME_CATEGORY, "custom": {"floor": 3}, "due_at": "2030-01-02T03:04:05Z",
        "based_on": 1,
    });
    let answer = hub.api(&ana, "PATCH", &path(&ticket)).json(&change).send().await;
    let changed = answer.expect(200);
    for field in ["status", "assignee_id", "team_id", "title", "priority", "urgency", "category_id", "custom"] {
        assert_eq!(changed[field], change[field], "{field}");
    }
    assert_eq!(changed["due_at"], "2030-01-02T03:04:05.000Z");
    assert_eq!(answer.header("etag"), Some(format!("\"{}\"", changed["seq"]).as_str()));
    let log = hub.api(&ana, "GET", &format!("{}/events?after=1", path(&ticket))).send().await.expect(200);
    let kinds: Vec<_> =
        log["events"].as_array().expect("events").iter().map(|e| e["event"]["type"].as_str().expect("a type")).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "field_changed").count(), 6, "{kinds:?}");
    assert_eq!((kinds.first(), kinds.last()), (Some(&"assigned"), Some(&"status_changed")));
    let cleared = json!({"assignee_id": null, "category_id": null, "due_at": null, "based_on": changed["seq"]});
    let cleared = hub.api(&ana, "PATCH", &path(&ticket)).json(&cleared).send().await.expect(200);
    assert_eq!(
        (&cleared["assignee_id"], &cleared["category_id"], &cleared["due_at"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(cleared["team_id"], json!(ACME_TEAM), "what is left out stays");
}

#[tokio::test]
async fn a_patch_that_cannot_happen_whole_does_not_happen() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let ticket = hub.ticket(&ana, "Stay as you are").await;
    let patch = |change: Value| hub.api(&ana, "PATCH", &path(&ticket)).json(&change).send();
    let nowhere = patch(json!({"title": "Changed", "status": "limbo", "based_on": 1})).await.refused(422, "invalid");
    assert!(nowhere["fields"]["status"].is_string());
    let stranger = person("gil@globex.test");
    patch(json!({"title": "Changed", "assignee_id": stranger, "based_on": 1})).await.refused(422, "invalid");
    patch(json!({"assignee_id": person("cleo@customer.test")})).await.refused(422, "invalid");
    patch(json!({"title": "Changed"})).await.refused(422, "invalid");
    patch(json!({"status": "closed"})).await.refused(422, "invalid");
    patch(json!({"note": "alone"})).await.refused(422, "invalid");
    patch(json!({"title": null, "based_on": 1})).await.refused(422, "invalid");
    patch(json!({"based_on": 1})).await.refused(422, "invalid");
    patch(json!({"title": "Changed", "based_on": 2})).await.refused(422, "invalid");
    assert_eq!(hub.api(&ana, "GET", &path(&ticket)).send().await.expect(200), ticket);
}

#[tokio::test]
async fn moves_the_workflow_does_not_know_are_illegal() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let ticket = hub.ticket(&ana, "Closed for good").await;
    let patch = |change: Value| hub.api(&ana, "PATCH", &path(&ticket)).json(&change).send();
    patch(json!({"status": "closed", "based_on": 1})).await.expect(200);
    let refused = patch(json!({"status": "resolved", "based_on": 2})).await.refused(409, "illegal_transition");
    assert_eq!((&refused["from"], &refused["to"]), (&json!("closed"), &json!("resolved")));
}

#[tokio::test]
async fn a_field_that_changed_since_is_stale_and_another_one_is_not() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let bo = hub.token("acme", "bo@acme.test").await;
    let ticket = hub.ticket(&ana, "Two at once").await;
    let patch = |token: &str, change: Value| hub.api(token, "PATCH", &path(&ticket)).json(&change).send();
    patch(&bo, json!({"title": "Bo was here", "based_on": 1})).await.expect(200);
    let stale = patch(&ana, json!({"title": "Ana too", "based_on": 1})).await.refused(409, "stale");
    assert_eq!(stale["events"][0]["event"]["type"], "field_changed", "{stale}");
    patch(&ana, json!({"priority": "p4", "based_on": 1})).await.expect(200);
    let in_header = hub.api(&ana, "PATCH", &path(&ticket)).header("If-Match", "\"1\"").json(&json!({"title": "Ana too"}));
    in_header.send().await.refused(412, "stale");
    let seen = hub.api(&ana, "PATCH", &path(&ticket)).header("If-Match", "\"3\"").json(&json!({"title": "Ana too"}));
    assert_eq!(seen.send().await.expect(200)["title"], "Ana too");
    let both = hub.api(&ana, "PATCH", &path(&ticket)).header("If-Match", "\"3\"").json(&json!({"title": "x", "based_on": 4}));
    both.send().await.refused(422, "invalid");
}

#[tokio::test]
async fn a_repeated_patch_has_one_effect() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let ticket = hub.ticket(&ana, "Once").await;
    let key = key();
    let patch =
        |status: &str| hub.api(&ana, "PATCH", &path(&ticket)).key(&key).json(&json!({"status": status, "based_on": 1})).send();
    let first = patch("in_progress").await.expect(200);
    assert_eq!(patch("in_progress").await.expect(200), first);
    patch("closed").await.refused(422, "invalid");
}

#[tokio::test]
async fn a_list_is_paged_without_a_gap_and_without_a_repeat() {
    let hub = TestHub::start().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let mut made = BTreeSet::new();
    for n in 0..7 {
        made.insert(hub.ticket(&ana, &format!("Ticket {n}")).await["id"].clone().to_string());
    }
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = hub.api(&ana, "GET", &format!("/tickets?limit=3{cursor}")).send().await.expect(200);
        let rows = page["tickets"].as_array().expect("rows");
        seen.extend(rows.iter().map(|row| row["id"].to_string()));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((seen.len(), pages), (7, 3));
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), made);
}

#[tokio::test]
async fn a_list_is_filtered_by_status_assignee_and_dates() {
    let hub = TestHub::start().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let (open, mine, closed) =
        (hub.ticket(&ana, "open").await, hub.ticket(&ana, "mine").await, hub.ticket(&ana, "closed").await);
    let patch = |ticket: &Value, change: Value| hub.api(&ana, "PATCH", &path(ticket)).json(&change).send();
    patch(&mine, json!({"assignee_id": person("ana@acme.test")})).await.expect(200);
    patch(&closed, json!({"status": "closed", "based_on": 1})).await.expect(200);
    let created = open["created_at"].as_str().expect("a time");
    let ana_id = person("ana@acme.test");
    for (query, expected) in [
        ("status=open".to_owned(), vec!["mine", "open"]),
        ("status=closed,open".to_owned(), vec!["closed", "mine", "open"]),
        ("status=closed&status=resolved".to_owned(), vec!["closed"]),
        ("status=limbo".to_owned(), vec![]),
        ("assignee_id=me".to_owned(), vec!["mine"]),
        (format!("assignee_id={ana_id}"), vec!["mine"]),
        ("assignee_id=none".to_owned(), vec!["closed", "open"]),
        (format!("created_until={created}"), vec![]),
        (format!("created_from={created}&assignee_id=none&status=open"), vec!["open"]),
        ("updated_from=2999-01-01T00:00:00Z".to_owned(), vec![]),
    ] {
        let page = hub.api(&ana, "GET", &format!("/tickets?{query}")).send().await.expect(200);
        let mut titles: Vec<_> =
            page["tickets"].as_array().expect("rows").iter().filter_map(|row| row["title"].as_str()).collect();
        titles.sort_unstable();
        assert_eq!(titles, expected, "{query}");
    }
    for query in
        ["limit=0", "limit=101", "cursor=AAAA", "status=%00", "q=x", "sort=title", "assignee_id=ana", "created_from=yesterday"]
    {
        hub.api(&ana, "GET", &format!("/tickets?{query}")).send().await.refused(422, "invalid");
    }
}

#[tokio::test]
async fn list_rows_carry_a_short_description() {
    let hub = TestHub::start().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let new = json!({"title": "long", "description": "é".repeat(1_000)});
    let ticket = hub.api(&ana, "POST", "/tickets").key(&key()).json(&new).send().await.expect(201);
    assert_eq!(ticket["description"], new["description"]);
    let page = hub.api(&ana, "GET", "/tickets").send().await.expect(200);
    assert_eq!(page["tickets"][0]["description"].as_str().map(|d| d.chars().count()), Some(280));
}

#[tokio::test]
async fn staff_learn_what_the_workspace_has_and_customers_only_what_it_is() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let told = hub.api(&ana, "GET", "/workspace").send().await.expect(200);
    assert_eq!(told["workspace"]["name"], "Acme");
    assert_eq!(told["workflow"]["statuses"][0]["id"], "open");
    assert_eq!(told["teams"], json!([{"id": ACME_TEAM, "name": "First line"}]));
    assert_eq!(told["categories"], json!([{"id": ACME_CATEGORY, "name": "Printers"}]));
    assert_eq!(told["people"].as_array().map(Vec::len), Some(6));
    let cleo = hub.token("acme", "cleo@customer.test").await;
    let told = hub.api(&cleo, "GET", "/workspace").send().await.expect(200);
    assert_eq!(told.as_object().map(|told| told.keys().cloned().collect::<Vec<_>>()), Some(vec!["workspace".to_owned()]));
}
