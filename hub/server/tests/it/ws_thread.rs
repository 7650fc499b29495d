//! A customer and an agent on one ticket: both see each other's words at once, each in their own numbers, whatever breaks.

use hub_core::wire::Codec;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::hub::TestHub;
use crate::socket::Socket;

struct Story {
    hub: &'static TestHub,
    ticket: Value,
    agent_token: String,
    customer_token: String,
}

impl Story {
    async fn begin() -> Self {
        let hub = TestHub::shared().await;
        let (agent_token, customer_token) =
            (hub.token("acme", "ana@acme.test").await, hub.token("acme", "cleo@customer.test").await);
        let ticket = hub.ticket(&customer_token, "The door does not open").await;
        Self { hub, ticket, agent_token, customer_token }
    }

    fn topic(&self, kind: &str) -> String {
        format!("{kind}:{}", self.ticket["id"].as_str().expect("an id"))
    }

    async fn agent(&self) -> Socket {
        self.watching(&self.agent_token, "ticket", Codec::MsgPack).await
    }

    async fn customer(&self) -> Socket {
        self.watching(&self.customer_token, "thread", Codec::Json).await
    }

    async fn watching(&self, token: &str, kind: &str, codec: Codec) -> Socket {
        let mut socket = Socket::greet(self.hub.address(), codec, token).await;
        let subscribed = socket.ask(json!({"type": "subscribe", "topic": self.topic(kind)})).await;
        assert_eq!((&subscribed["type"], &subscribed["reset"]), (&json!("subscribed"), &json!(true)), "{subscribed}");
        socket
    }

    fn reply(&self, body: &str, audience: &str, based_on: u64) -> Value {
        let key = Uuid::new_v4();
        let ticket = &self.ticket["id"];
        json!({"type": "post_reply", "key": key, "ticket_id": ticket, "body": body, "audience": audience, "based_on": based_on})
    }
}

#[actix_rt::test]
async fn each_sees_the_others_words_at_once_and_notes_stay_inside() {
    let story = Story::begin().await;
    let (mut agent, mut customer) = (story.agent().await, story.customer().await);
    let asked = story.reply("It is still shut.", "public", 1);
    assert_eq!(customer.ask(asked.clone()).await["seq"], 2);
    let (inside, outside) = (agent.event().await, customer.event().await);
    assert_eq!((&inside["seq"], &outside["seq"]), (&json!(2), &json!(2)));
    assert_eq!((&inside["by"]["kind"], &inside["by"]["name"]), (&json!("customer"), &json!("Cleo Customer")));
    assert_eq!(outside["key"], asked["key"]);

    assert_eq!(agent.ask(story.reply("She is in a hurry.", "internal", 2)).await["seq"], 3);
    let assign = json!({"type": "assign", "key": Uuid::new_v4(), "ticket_id": story.ticket["id"], "assignee_id": null});
    assert_eq!(agent.ask(assign).await["seq"], 4);
    let then = {
        let mut frame = story.reply("Try the other key.", "public", 4);
        frame["then_status"] = json!("resolved");
        frame
    };
    assert_eq!(agent.ask(then).await["seq"], 5);

    let mut seen = Vec::new();
    for _ in 0..4 {
        let event = agent.event().await;
        seen.push((event["seq"].clone(), event["event"]["type"].clone()));
    }
    let expected = [(3, "reply_posted"), (4, "nothing_changed"), (5, "reply_posted"), (6, "status_changed")];
    assert_eq!(seen, expected.map(|(seq, kind)| (json!(seq), json!(kind))));
    // The customer's numbers go on without a gap, and without a word of what is inside.
    let (reply, status) = (customer.event().await, customer.event().await);
    assert_eq!((&reply["seq"], &reply["event"]["body"]), (&json!(3), &json!("Try the other key.")));
    assert_eq!((&status["seq"], &status["event"]["to"]), (&json!(4), &json!("resolved")));
    customer.is_alive().await;
    assert!(customer.take_kept().is_empty());
}

#[actix_rt::test]
async fn a_repeated_intent_has_one_effect_on_any_connection() {
    let story = Story::begin().await;
    let mut first = story.agent().await;
    let frame = story.reply("Once.", "public", 1);
    let ack = first.ask(frame.clone()).await;
    drop(first);
    let mut second = story.agent().await;
    let again = second.ask(frame.clone()).await;
    assert_eq!((&again["type"], &again["seq"]), (&json!("ack"), &ack["seq"]));
    let mut other = frame.clone();
    other["body"] = json!("Twice.");
    assert_eq!(second.ask(other).await["code"], "invalid");
    let path = format!("/tickets/{}/events", story.ticket["id"].as_str().expect("an id"));
    let log = story.hub.api(&story.agent_token, "GET", &path).send().await.expect(200);
    assert_eq!(log["events"].as_array().map(Vec::len), Some(2));
}

#[actix_rt::test]
async fn a_blind_reply_is_refused_with_what_was_missed_on_the_socket_and_by_rest_alike() {
    let story = Story::begin().await;
    let (mut agent, mut customer) = (story.agent().await, story.customer().await);
    agent.ask(story.reply("inside", "internal", 1)).await;
    customer.ask(story.reply("One more thing.", "public", 1)).await;
    let blind = story.reply("Done!", "public", 1);
    let refused = agent.ask(blind.clone()).await;
    assert_eq!(refused["code"], "stale");
    let missed: Vec<_> = refused["detail"]["events"].as_array().expect("events").iter().map(|e| e["seq"].clone()).collect();
    assert_eq!(missed, [json!(2), json!(3)]);
    let by_rest = story
        .hub
        .comment(&story.agent_token, &story.ticket, json!({"body": "Done!", "audience": "public", "based_on": 1}))
        .await
        .refused(409, "stale");
    assert_eq!(by_rest["events"], refused["detail"]["events"]);
    // The key is not spent: looked at, then sent again.
    let mut seen = blind.clone();
    seen["based_on"] = json!(3);
    assert_eq!(agent.ask(seen).await["seq"], 4);
    let mut forced = story.reply("Anyway.", "public", 0);
    forced["force"] = json!(true);
    assert_eq!(agent.ask(forced).await["seq"], 5);
}

#[actix_rt::test]
async fn who_comes_back_gets_exactly_what_came_after() {
    let story = Story::begin().await;
    let mut agent = story.agent().await;
    for n in 1..=5 {
        agent.ask(story.reply(&format!("{n}"), "public", n)).await;
    }
    let mut back = Socket::greet(story.hub.address(), Codec::Json, &story.agent_token).await;
    let first = back.ask(json!({"type": "subscribe", "topic": story.topic("ticket")})).await;
    let stream = first["stream"].clone();
    for (after, stream, expected) in [
        (3, stream.clone(), Some(vec![4, 5, 6])),
        (6, stream.clone(), Some(vec![])),
        (0, stream.clone(), Some(vec![1, 2, 3, 4, 5, 6])),
        (7, stream.clone(), None),
        (3, json!(Uuid::new_v4()), None),
    ] {
        let frame = json!({"type": "subscribe", "topic": story.topic("ticket"), "after": after, "stream": stream});
        let answer = back.ask(frame).await;
        let seqs = |events: &Value| events.as_array().map(|e| e.iter().filter_map(|e| e["seq"].as_u64()).collect::<Vec<_>>());
        assert_eq!(seqs(&answer["events"]), expected, "after {after}");
        assert_eq!(answer["reset"] == json!(true), expected.is_none());
        assert_eq!(answer["seq"], 6);
    }
}

#[actix_rt::test]
async fn strangers_find_nothing_there() {
    let story = Story::begin().await;
    let missing = Uuid::new_v4();
    for (workspace, email) in [
        ("globex", "gil@globex.test"),
        ("globex", "owner@globex.test"),
        ("globex", "eve@customer.test"),
        ("acme", "dan@customer.test"),
        ("platform", "root@platform.test"),
    ] {
        let token = story.hub.token(workspace, email).await;
        let mut socket = Socket::greet(story.hub.address(), Codec::Json, &token).await;
        for kind in ["ticket", "thread"] {
            let foreign = socket.ask(json!({"type": "subscribe", "topic": story.topic(kind)})).await;
            let nowhere = socket.ask(json!({"type": "subscribe", "topic": format!("{kind}:{missing}")})).await;
            assert_eq!(foreign["code"], "not_found", "{email} {kind}");
            assert_eq!(without_id(foreign), without_id(nowhere), "{email} {kind}");
        }
        for make in [
            |ticket: Value| json!({"type": "post_reply", "key": Uuid::new_v4(), "ticket_id": ticket, "body": "x", "audience": "public", "based_on": 0}),
            |ticket: Value| json!({"type": "change_status", "key": Uuid::new_v4(), "ticket_id": ticket, "status": "closed", "force": true}),
            |ticket: Value| json!({"type": "assign", "key": Uuid::new_v4(), "ticket_id": ticket, "assignee_id": null}),
            |ticket: Value| json!({"type": "update_ticket", "key": Uuid::new_v4(), "ticket_id": ticket, "title": "x", "based_on": 0}),
            |ticket: Value| json!({"type": "hand_over", "key": Uuid::new_v4(), "ticket_id": ticket, "to_id": Uuid::nil(), "note": "x"}),
            |ticket: Value| json!({"type": "acknowledge_handoff", "key": Uuid::new_v4(), "ticket_id": ticket}),
            |ticket: Value| json!({"type": "change_tags", "key": Uuid::new_v4(), "ticket_id": ticket, "add": ["x"]}),
            |ticket: Value| json!({"type": "watch", "key": Uuid::new_v4(), "ticket_id": ticket, "on": true}),
            |ticket: Value| json!({"type": "cancel_held", "key": Uuid::new_v4(), "ticket_id": ticket, "held_key": Uuid::nil()}),
            |ticket: Value| json!({"type": "take_claim", "ticket_id": ticket, "force": true}),
            |ticket: Value| json!({"type": "release_claim", "ticket_id": ticket}),
            |ticket: Value| json!({"type": "set_presence", "ticket_id": ticket, "state": "viewing"}),
            |ticket: Value| json!({"type": "discard_draft", "ticket_id": ticket, "audience": "public"}),
            |ticket: Value| json!({"type": "save_draft", "ticket_id": ticket, "audience": "public", "revision": 0, "body": "x", "based_on": 0}),
        ] {
            let foreign = socket.ask(make(story.ticket["id"].clone())).await;
            let nowhere = socket.ask(make(json!(missing))).await;
            assert_eq!(foreign["code"], "not_found", "{email}: {foreign}");
            assert_eq!(without_id(foreign), without_id(nowhere));
        }
    }
    let path = format!("/tickets/{}/events", story.ticket["id"].as_str().expect("an id"));
    let log = story.hub.api(&story.agent_token, "GET", &path).send().await.expect(200);
    assert_eq!(log["events"].as_array().map(Vec::len), Some(1), "nothing happened");
}

#[actix_rt::test]
async fn a_viewer_sees_everything_and_changes_nothing() {
    let story = Story::begin().await;
    let token = story.hub.token("acme", "viewer@acme.test").await;
    let mut viewer = story.watching(&token, "ticket", Codec::Json).await;
    for frame in [
        story.reply("x", "public", 1),
        story.reply("x", "internal", 1),
        json!({"type": "change_status", "key": Uuid::new_v4(), "ticket_id": story.ticket["id"], "status": "closed", "force": true}),
        json!({"type": "acknowledge_handoff", "key": Uuid::new_v4(), "ticket_id": story.ticket["id"]}),
        json!({"type": "change_tags", "key": Uuid::new_v4(), "ticket_id": story.ticket["id"], "add": ["x"]}),
        json!({"type": "watch", "key": Uuid::new_v4(), "ticket_id": story.ticket["id"], "on": true}),
        json!({"type": "take_claim", "ticket_id": story.ticket["id"], "force": true}),
        json!({"type": "release_claim", "ticket_id": story.ticket["id"], "force": true}),
        json!({"type": "set_presence", "ticket_id": story.ticket["id"], "state": "composing"}),
        json!({"type": "set_presence", "ticket_id": story.ticket["id"], "state": "viewing", "field": "title"}),
        json!({"type": "discard_draft", "ticket_id": story.ticket["id"], "audience": "public"}),
    ] {
        assert_eq!(viewer.ask(frame).await["code"], "forbidden");
    }
}

#[actix_rt::test]
async fn lists_change_for_everybody_who_looks() {
    let story = Story::begin().await;
    let mut lister = Socket::greet(story.hub.address(), Codec::MsgPack, &story.agent_token).await;
    let subscribed = lister.ask(json!({"type": "subscribe", "topic": "workspace"})).await;
    assert_eq!(subscribed["seq"], 0);
    assert!(subscribed["snapshot"]["people"].as_array().is_some_and(|people| people.len() == 5), "{subscribed}");
    let mut agent = story.agent().await;
    let raise = json!({"type": "update_ticket", "key": Uuid::new_v4(), "ticket_id": story.ticket["id"], "based_on": 1, "priority": "p1"});
    agent.ask(raise).await;
    let id = story.ticket["id"].clone();
    let row = lister.find(|f| f["signal"]["ticket"]["id"] == id && f["signal"]["ticket"]["priority"] == "p1").await;
    assert_eq!(row["signal"]["type"], "ticket_changed");
    let mut customer = Socket::greet(story.hub.address(), Codec::MsgPack, &story.customer_token).await;
    assert_eq!(customer.ask(json!({"type": "subscribe", "topic": "workspace"})).await["code"], "not_found");
}

fn without_id(mut frame: Value) -> Value {
    frame["id"] = Value::Null;
    frame
}
