//! Who sees what: every route of tickets, every role, every kind of id. What is foreign, missing or malformed answers alike,
//! byte for byte.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture;
use crate::http::{Answer, Request};
use crate::hub::TestHub;

const PEOPLE: [(&str, &str); 9] = [
    ("acme", "owner@acme.test"),
    ("acme", "admin@acme.test"),
    ("acme", "ana@acme.test"),
    ("acme", "viewer@acme.test"),
    ("acme", "cleo@customer.test"),
    ("acme", "dan@customer.test"),
    ("globex", "gil@globex.test"),
    ("globex", "eve@customer.test"),
    ("platform", "root@platform.test"),
];

/// Every way to reach one ticket, well-formed.
fn doors(hub: &TestHub, token: &str, id: &str) -> Vec<(&'static str, Request)> {
    let comment =
        |body: Value| hub.api(token, "POST", &format!("/tickets/{id}/comments")).key(&Uuid::new_v4().to_string()).json(&body);
    let patch = |body: Value| hub.api(token, "PATCH", &format!("/tickets/{id}")).json(&body);
    let at =
        |method: &str, path: &str| hub.api(token, method, &format!("/tickets/{id}/{path}")).key(&Uuid::new_v4().to_string());
    let draft = json!({"body": "x", "based_on": 1});
    vec![
        ("read", hub.api(token, "GET", &format!("/tickets/{id}"))),
        ("log", hub.api(token, "GET", &format!("/tickets/{id}/events"))),
        ("reply", comment(json!({"body": "x", "audience": "public", "based_on": 0, "force": true}))),
        ("note", comment(json!({"body": "x", "audience": "internal"}))),
        ("assign", patch(json!({"assignee_id": null}))),
        ("status", patch(json!({"status": "in_progress", "force": true}))),
        ("fields", patch(json!({"urgency": "low", "based_on": 1}))),
        ("hand over", at("POST", "handoff").json(&json!({"to_id": fixture::person("bo@acme.test"), "note": "Yours"}))),
        ("acknowledge", at("POST", "handoff/acknowledgement")),
        ("tags", at("POST", "tags").json(&json!({"add": ["x"]}))),
        ("follow", at("PUT", "watch").json(&json!({"on": true}))),
        ("claim", at("PUT", "claim").json(&json!({}))),
        ("release", at("DELETE", "claim")),
        ("take back", at("DELETE", &format!("held/{}", Uuid::nil()))),
        ("drafts", at("GET", "drafts")),
        ("draft", at("PUT", "drafts/public").json(&draft)),
        ("draft of a note", at("PUT", "drafts/internal").json(&draft)),
        ("throw away", at("DELETE", "drafts/public")),
    ]
}

/// What a role gets for a ticket of cleo's in acme.
fn expected(email: &str, door: &str) -> u16 {
    let reads = matches!(door, "read" | "log");
    match email {
        "owner@acme.test" | "admin@acme.test" | "ana@acme.test" => match door {
            "reply" | "note" | "hand over" | "acknowledge" | "tags" => 201,
            "throw away" => 204,
            // Allowed, and nothing is held back.
            "take back" => 409,
            _ => 200,
        },
        "viewer@acme.test" => {
            if reads {
                200
            } else {
                403
            }
        }
        "cleo@customer.test" => match door {
            "read" | "log" | "drafts" | "draft" => 200,
            "reply" => 201,
            "throw away" => 204,
            _ => 403,
        },
        _ => 404,
    }
}

#[tokio::test]
async fn every_role_gets_what_the_table_says_at_every_door() {
    let hub = TestHub::shared().await;
    let cleo = hub.token("acme", "cleo@customer.test").await;
    for (workspace, email) in PEOPLE {
        let ticket = hub.ticket(&cleo, "Matrix").await;
        let token = hub.token(workspace, email).await;
        for (door, request) in doors(hub, &token, ticket["id"].as_str().expect("an id")) {
            let answer = request.send().await;
            assert_eq!(answer.status, expected(email, door), "{email} {door}: {}", answer.text());
        }
        let log = hub.api(&cleo, "GET", &format!("/tickets/{}/events", ticket["id"].as_str().expect("an id"))).send().await;
        assert!(!log.text().contains("\"note\""), "{}", log.text());
    }
}

#[tokio::test]
async fn foreign_missing_and_malformed_ids_answer_byte_for_byte_alike() {
    let hub = TestHub::shared().await;
    let cleo = hub.token("acme", "cleo@customer.test").await;
    let eve = hub.token("globex", "eve@customer.test").await;
    let (acmes, globexs) = (hub.ticket(&cleo, "Of acme").await, hub.ticket(&eve, "Of globex").await);
    for (workspace, email) in PEOPLE {
        let token = hub.token(workspace, email).await;
        let hidden = if workspace == "acme" { &globexs } else { &acmes };
        let hidden = hidden["id"].as_str().expect("an id").to_owned();
        let missing = Uuid::new_v4().to_string();
        let mut ids =
            vec![hidden, missing, "7".into(), "00000000-0000-0000-0000-000000000000".into(), "x".repeat(36), "a%00b".into()];
        if email == "dan@customer.test" {
            ids.push(acmes["id"].as_str().expect("an id").to_owned());
        }
        let mut first: Vec<Option<Answer>> = Vec::new();
        for id in ids {
            for (at, (door, request)) in doors(hub, &token, &id).into_iter().enumerate() {
                let answer = request.send().await;
                answer.refused(404, "not_found");
                match first.get(at) {
                    None => first.push(Some(answer)),
                    Some(before) => {
                        let before = before.as_ref().expect("kept").comparable();
                        assert_eq!(answer.comparable(), before, "{email} {door} {id}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn form_is_judged_before_existence() {
    let hub = TestHub::shared().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    for id in [Uuid::new_v4().to_string(), "malformed".to_owned()] {
        let path = format!("/tickets/{id}/comments");
        let bad = hub.api(&ana, "POST", &path).key("k").json(&json!({"body": "", "audience": "public", "based_on": 1}));
        bad.send().await.refused(422, "invalid");
        let blind = hub.api(&ana, "POST", &path).key("k").json(&json!({"body": "x", "audience": "public"}));
        blind.send().await.refused(422, "invalid");
        hub.api(&ana, "GET", &format!("/tickets/{id}/events?after=x")).send().await.refused(422, "invalid");
        hub.api(&ana, "PATCH", &format!("/tickets/{id}")).json(&json!({"status": ""})).send().await.refused(422, "invalid");
    }
}

#[tokio::test]
async fn a_list_holds_ones_own_and_nothing_else() {
    let hub = TestHub::start().await;
    let (cleo, dan) = (hub.token("acme", "cleo@customer.test").await, hub.token("acme", "dan@customer.test").await);
    let eve = hub.token("globex", "eve@customer.test").await;
    hub.ticket(&cleo, "cleo's").await;
    hub.ticket(&dan, "dan's").await;
    hub.ticket(&eve, "eve's").await;
    for (workspace, email, titles) in [
        ("acme", "ana@acme.test", vec!["cleo's", "dan's"]),
        ("acme", "viewer@acme.test", vec!["cleo's", "dan's"]),
        ("acme", "cleo@customer.test", vec!["cleo's"]),
        ("acme", "dan@customer.test", vec!["dan's"]),
        ("globex", "gil@globex.test", vec!["eve's"]),
        ("globex", "eve@customer.test", vec!["eve's"]),
    ] {
        let token = hub.token(workspace, email).await;
        let page = hub.api(&token, "GET", "/tickets").send().await.expect(200);
        let mut seen: Vec<_> =
            page["tickets"].as_array().expect("rows").iter().filter_map(|row| row["title"].as_str()).collect();
        seen.sort_unstable();
        assert_eq!(seen, titles, "{email}");
    }
    let root = hub.token("platform", "root@platform.test").await;
    hub.api(&root, "GET", "/tickets").send().await.refused(404, "not_found");
    hub.api(&root, "POST", "/tickets")
        .key("k")
        .json(&json!({"title": "t", "description": "d"}))
        .send()
        .await
        .refused(404, "not_found");
    hub.api(&cleo, "GET", "/tickets?assignee_id=none").send().await.refused(422, "invalid");
    let viewer = hub.token("acme", "viewer@acme.test").await;
    hub.api(&viewer, "POST", "/tickets")
        .key("k")
        .json(&json!({"title": "t", "description": "d"}))
        .send()
        .await
        .refused(403, "forbidden");
}

#[tokio::test]
async fn nobody_gets_anywhere_without_signing_in() {
    let hub = TestHub::shared().await;
    let id = Uuid::new_v4().to_string();
    for (door, request) in doors(hub, "tdm_nobody", &id) {
        let answer = request.send().await;
        assert_eq!(answer.status, 401, "{door}");
    }
    for (method, path) in
        [("GET", "/me"), ("GET", "/workspace"), ("GET", "/tickets"), ("POST", "/tickets"), ("DELETE", "/sessions/current")]
    {
        hub.request(method, &format!("/api/v1{path}")).send().await.refused(401, "unauthenticated");
    }
}

#[tokio::test]
async fn who_loses_a_role_loses_its_rights_at_the_next_request() {
    let hub = TestHub::start().await;
    let (ana, cleo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "cleo@customer.test").await);
    let ticket = hub.ticket(&cleo, "Rights").await;
    let behind = hub.database().superuser().await;
    behind.execute("UPDATE users SET role = 'viewer' WHERE email = 'ana@acme.test'", &[]).await.expect("changes");
    hub.comment(&ana, &ticket, json!({"body": "x", "audience": "internal"})).await.refused(403, "forbidden");
    behind.execute("UPDATE users SET is_active = false WHERE email = 'ana@acme.test'", &[]).await.expect("changes");
    hub.api(&ana, "GET", "/me").send().await.refused(401, "unauthenticated");
}
