//! Held replies over real sockets and real time: they go out once, also when their hub is gone; what is taken back does not.

use std::time::Duration;

use hub_core::wire::Codec;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::hub::TestHub;
use crate::socket::Socket;

async fn watching(hub: &TestHub, token: &str, kind: &str, ticket: &Value) -> Socket {
    let mut socket = Socket::greet(hub.address(), Codec::Json, token).await;
    let topic = format!("{kind}:{}", ticket["id"].as_str().expect("an id"));
    assert_eq!(socket.ask(json!({"type": "subscribe", "topic": topic})).await["type"], "subscribed");
    socket
}

fn held(ticket: &Value, key: Uuid, hold_ms: u64) -> Value {
    json!({
        "type": "post_reply", "key": key, "ticket_id": ticket["id"], "body": "In a moment.", "audience": "public", "based_on": 1,
        "then_status": "resolved", "hold_ms": hold_ms,
    })
}

/// The types of the next events.
async fn kinds(socket: &mut Socket, count: usize) -> Vec<String> {
    let mut kinds = Vec::new();
    for _ in 0..count {
        kinds.push(socket.event().await["event"]["type"].as_str().expect("a type").to_owned());
    }
    kinds
}

#[actix_rt::test]
async fn a_held_reply_is_seen_inside_at_once_and_by_its_customer_when_it_goes_out() {
    let hub = TestHub::shared().await;
    let (ana, cleo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "cleo@customer.test").await);
    let ticket = hub.ticket(&cleo, "Held").await;
    let (mut agent, mut customer) =
        (watching(hub, &ana, "ticket", &ticket).await, watching(hub, &cleo, "thread", &ticket).await);
    let key = Uuid::new_v4();
    assert_eq!(agent.ask(held(&ticket, key, 700)).await["seq"], 2);
    let event = agent.event().await;
    assert_eq!((&event["event"]["type"], &event["key"]), (&json!("reply_held"), &json!(key)));
    assert!(event["event"]["release_at"].as_str().is_some_and(|at| at > event["at"].as_str().expect("a time")), "{event}");
    assert_eq!(kinds(&mut agent, 2).await, ["reply_posted", "status_changed"]);
    // The customer's numbers tell nothing of it: 2 is the reply, whatever happened inside.
    let reply = customer.event().await;
    assert_eq!((&reply["seq"], &reply["event"]["body"]), (&json!(2), &json!("In a moment.")));
    assert!(reply["event"].get("held_key").is_none(), "{reply}");
    // The same key again, much later: the same answer, and no second reply.
    assert_eq!(agent.ask(held(&ticket, key, 700)).await["seq"], 2);
    let cancel = json!({"type": "cancel_held", "key": Uuid::new_v4(), "ticket_id": ticket["id"], "held_key": key});
    assert_eq!(agent.ask(cancel).await["code"], "illegal_transition");
}

#[actix_rt::test]
async fn what_its_author_takes_back_is_a_draft_again_by_socket_and_by_rest() {
    let hub = TestHub::shared().await;
    let (ana, bo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "bo@acme.test").await);
    let cleo = hub.token("acme", "cleo@customer.test").await;
    let ticket = hub.ticket(&cleo, "Taken back").await;
    let id = ticket["id"].as_str().expect("an id");
    let mut agent = watching(hub, &ana, "ticket", &ticket).await;
    let key = Uuid::new_v4();
    assert_eq!(agent.ask(held(&ticket, key, 30_000)).await["seq"], 2);
    let view = hub.api(&bo, "GET", &format!("/tickets/{id}")).send().await.expect(200);
    assert_eq!((&view["held"][0]["body"], &view["held"][0]["by"]["name"]), (&json!("In a moment."), &json!("Ana Agent")));
    let mut other = watching(hub, &bo, "ticket", &ticket).await;
    let cancel = json!({"type": "cancel_held", "key": Uuid::new_v4(), "ticket_id": id, "held_key": key});
    assert_eq!(other.ask(cancel.clone()).await["code"], "forbidden");
    assert_eq!(agent.ask(cancel).await["seq"], 3);
    let drafts = hub.api(&ana, "GET", &format!("/tickets/{id}/drafts")).send().await.expect(200);
    assert_eq!(drafts["drafts"][0]["body"], "In a moment.", "{drafts}");

    let comment = json!({"body": "By REST.", "audience": "public", "based_on": 3, "hold_ms": 30_000});
    let path = format!("/tickets/{id}/comments");
    let sent = hub.api(&ana, "POST", &path).key("my own key").json(&comment).send().await.expect(201);
    assert_eq!(sent, json!({"seq": 4}));
    let taken_back = hub.api(&ana, "DELETE", &format!("/tickets/{id}/held/my%20own%20key")).send().await.expect(200);
    assert_eq!(taken_back, json!({"seq": 5}));
    let drafts = hub.api(&ana, "GET", &format!("/tickets/{id}/drafts")).send().await.expect(200);
    assert_eq!(drafts["drafts"][0]["body"], "By REST.", "what was sent took the draft's place, and came back");
}

#[actix_rt::test]
async fn a_held_reply_goes_out_although_its_hub_is_gone() {
    let hub = TestHub::start().await;
    let (ana, cleo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "cleo@customer.test").await);
    let ticket = hub.ticket(&cleo, "Left behind").await;
    let mut agent = watching(&hub, &ana, "ticket", &ticket).await;
    assert_eq!(agent.ask(held(&ticket, Uuid::new_v4(), 1_500)).await["seq"], 2);
    drop(agent);
    let next = hub.beside(&[]).await;
    drop(hub);
    // Nobody opens the ticket at the next hub: it finds it by itself.
    let path = format!("/tickets/{}/events", ticket["id"].as_str().expect("an id"));
    let mut seen = json!(null);
    for _ in 0..100 {
        seen = next.api(&ana, "GET", &path).send().await.expect(200);
        if seen["events"].as_array().is_some_and(|events| events.len() == 4) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let kinds: Vec<_> = seen["events"].as_array().expect("events").iter().map(|event| event["event"]["type"].clone()).collect();
    assert_eq!(kinds, ["ticket_created", "reply_held", "reply_posted", "status_changed"]);
}
