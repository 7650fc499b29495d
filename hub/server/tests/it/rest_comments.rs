//! Replies and notes by REST: no blind replies, notes for colleagues only, two numberings.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::hub::TestHub;

fn events_path(ticket: &Value) -> String {
    format!("/tickets/{}/events", ticket["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn a_reply_after_something_unseen_is_stale_and_shows_what_was_missed() {
    let hub = TestHub::shared().await;
    let (ana, bo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "bo@acme.test").await);
    let cleo = hub.token("acme", "cleo@customer.test").await;
    let ticket = hub.ticket(&cleo, "Help").await;
    let reply = |based_on: u64| json!({"body": "Hello", "audience": "public", "based_on": based_on});
    assert_eq!(hub.comment(&ana, &ticket, reply(1)).await.expect(201), json!({"seq": 2}));
    let stale = hub.comment(&bo, &ticket, reply(1)).await.refused(409, "stale");
    assert_eq!(stale["events"].as_array().map(Vec::len), Some(1), "{stale}");
    assert_eq!(stale["events"][0]["seq"], 2);
    assert_eq!(stale["events"][0]["by"]["name"], "Ana Agent");
    let path = format!("/tickets/{}/comments", ticket["id"].as_str().expect("an id"));
    let in_header = hub.api(&bo, "POST", &path).key("once").header("If-Match", "\"1\"");
    in_header.json(&json!({"body": "Hello", "audience": "public"})).send().await.refused(412, "stale");
    assert_eq!(hub.comment(&bo, &ticket, reply(2)).await.expect(201), json!({"seq": 3}));
    hub.comment(&ana, &ticket, reply(3)).await.expect(201);
    let forced = json!({"body": "Anyway", "audience": "public", "based_on": 2, "force": true});
    assert_eq!(hub.comment(&ana, &ticket, forced).await.expect(201), json!({"seq": 5, "missed": true}));
    let log = hub.api(&ana, "GET", &format!("{}?after=4", events_path(&ticket))).send().await.expect(200);
    assert_eq!(log["events"][0]["event"]["forced"], true);
}

#[tokio::test]
async fn a_public_reply_of_the_staff_says_what_it_was_based_on() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let ticket = hub.ticket(&ana, "Blind").await;
    let blind = hub.comment(&ana, &ticket, json!({"body": "x", "audience": "public"})).await.refused(422, "invalid");
    assert!(blind["fields"]["based_on"].is_string(), "{blind}");
    let beyond = json!({"body": "x", "audience": "public", "based_on": 99});
    hub.comment(&ana, &ticket, beyond).await.refused(422, "invalid");
    hub.comment(&ana, &ticket, json!({"body": "x", "audience": "public", "force": true})).await.expect(201);
}

#[tokio::test]
async fn notes_and_customers_are_never_refused_and_hear_what_they_missed() {
    let hub = TestHub::shared().await;
    let (ana, bo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "bo@acme.test").await);
    let cleo = hub.token("acme", "cleo@customer.test").await;
    let ticket = hub.ticket(&cleo, "Never refused").await;
    hub.comment(&ana, &ticket, json!({"body": "Answer", "audience": "public", "based_on": 1})).await.expect(201);
    let note = json!({"body": "Between us", "audience": "internal", "based_on": 1});
    assert_eq!(hub.comment(&bo, &ticket, note).await.expect(201), json!({"seq": 3, "missed": true}));
    let reply = json!({"body": "Still broken", "audience": "public", "based_on": 1});
    assert_eq!(
        hub.comment(&cleo, &ticket, reply).await.expect(201),
        json!({"seq": 3, "missed": true}),
        "in the thread's numbering"
    );
    let unaware = json!({"body": "And another thing", "audience": "public"});
    assert_eq!(hub.comment(&cleo, &ticket, unaware).await.expect(201), json!({"seq": 4}));
}

#[tokio::test]
async fn nothing_internal_reaches_the_customer_not_even_as_a_gap() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let cleo = hub.token("acme", "cleo@customer.test").await;
    let ticket = hub.ticket(&cleo, "Quiet inside").await;
    let path = format!("/tickets/{}", ticket["id"].as_str().expect("an id"));
    hub.comment(&ana, &ticket, json!({"body": "SECRET note", "audience": "internal"})).await.expect(201);
    let change =
        json!({"status": "in_progress", "note": "SECRET reason", "priority": "p1", "assignee_id": null, "based_on": 2});
    hub.api(&ana, "PATCH", &path).json(&change).send().await.expect(200);
    hub.comment(&ana, &ticket, json!({"body": "Working on it", "audience": "public", "force": true})).await.expect(201);

    let (log, view) = (hub.api(&cleo, "GET", &events_path(&ticket)).send().await, hub.api(&cleo, "GET", &path).send().await);
    let list = hub.api(&cleo, "GET", "/tickets").send().await;
    for answer in [&log, &view, &list] {
        for word in ["SECRET", "internal", "priority", "assignee", "forced", "note", "p1"] {
            assert!(!answer.text().contains(word), "{word} in {}", answer.text());
        }
    }
    let seqs: Vec<_> = log.expect(200)["events"].as_array().expect("events").iter().map(|e| e["seq"].clone()).collect();
    assert_eq!(seqs, [1, 2, 3]);
    assert_eq!(view.expect(200)["seq"], 3);
    assert_eq!(view.header("etag"), Some("\"3\""));
    let staff = hub.api(&ana, "GET", &events_path(&ticket)).send().await.expect(200);
    assert!(staff["events"].as_array().is_some_and(|events| events.len() == 5), "{staff}");
    hub.comment(&cleo, &ticket, json!({"body": "x", "audience": "internal"})).await.refused(403, "forbidden");
}

#[tokio::test]
async fn the_log_is_read_from_both_ends() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let ticket = hub.ticket(&ana, "A log").await;
    for n in 0..5 {
        hub.comment(&ana, &ticket, json!({"body": format!("note {n}"), "audience": "internal"})).await.expect(201);
    }
    for (query, expected) in [
        ("", vec![1, 2, 3, 4, 5, 6]),
        ("?after=4", vec![5, 6]),
        ("?after=6", vec![]),
        ("?after=1&limit=2", vec![2, 3]),
        ("?before=3", vec![1, 2]),
        ("?before=7&limit=2", vec![5, 6]),
        ("?after=1&before=4", vec![2, 3]),
        ("?before=0", vec![]),
    ] {
        let log = hub.api(&ana, "GET", &format!("{}{query}", events_path(&ticket))).send().await.expect(200);
        let seqs: Vec<_> = log["events"].as_array().expect("events").iter().filter_map(|e| e["seq"].as_u64()).collect();
        assert_eq!(seqs, expected, "{query}");
    }
    for query in ["?after=-1", "?after=x", "?limit=0", "?limit=101", "?around=3", "?after=9007199254740992"] {
        hub.api(&ana, "GET", &format!("{}{query}", events_path(&ticket))).send().await.refused(422, "invalid");
    }
}

#[tokio::test]
async fn a_repeated_reply_is_written_once() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let ticket = hub.ticket(&ana, "Once").await;
    let path = format!("/tickets/{}/comments", ticket["id"].as_str().expect("an id"));
    let key = Uuid::new_v4().to_string();
    let send = |body: &str| {
        hub.api(&ana, "POST", &path).key(&key).json(&json!({"body": body, "audience": "public", "based_on": 1})).send()
    };
    let first = send("Hello").await.expect(201);
    assert_eq!(send("Hello").await.expect(201), first);
    send("Something else").await.refused(422, "invalid");
    let log = hub.api(&ana, "GET", &events_path(&ticket)).send().await.expect(200);
    assert_eq!(log["events"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_reply_may_move_the_ticket_in_the_same_step() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let ticket = hub.ticket(&ana, "Done").await;
    let reply = json!({"body": "Fixed.", "audience": "public", "based_on": 1, "then_status": "resolved"});
    hub.comment(&ana, &ticket, reply).await.expect(201);
    let log = hub.api(&ana, "GET", &format!("{}?after=1", events_path(&ticket))).send().await.expect(200);
    let kinds: Vec<_> = log["events"].as_array().expect("events").iter().filter_map(|e| e["event"]["type"].as_str()).collect();
    assert_eq!(kinds, ["reply_posted", "status_changed"]);
    let wrong = json!({"body": "Fixed.", "audience": "public", "based_on": 3, "then_status": "limbo"});
    hub.comment(&ana, &ticket, wrong).await.refused(422, "invalid");
    let log = hub.api(&ana, "GET", &events_path(&ticket)).send().await.expect(200);
    assert_eq!(log["events"].as_array().map(Vec::len), Some(3), "neither step happened");
}
