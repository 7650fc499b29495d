//! The topic `workspace`: rows that say who changed them, counters of each person, who is here, and who is at the rows one looks
//! at; over real sockets.

use std::time::{Duration, Instant};

use hub_core::wire::Codec;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::person;
use crate::hub::TestHub;
use crate::socket::Socket;

/// A hub of its own: everybody hears of everything that happens in it.
struct Story {
    hub: TestHub,
    ana: String,
    bo: String,
    cleo: String,
}

impl Story {
    async fn begin() -> Self {
        let hub = TestHub::start().await;
        let ana = hub.token("acme", "ana@acme.test").await;
        let bo = hub.token("acme", "bo@acme.test").await;
        let cleo = hub.token("acme", "cleo@customer.test").await;
        Self { hub, ana, bo, cleo }
    }

    async fn socket(&self, token: &str, codec: Codec) -> Socket {
        Socket::greet(self.hub.address(), codec, token).await
    }

    /// A socket that watches the lists, and how they begin.
    async fn list(&self, token: &str, codec: Codec) -> (Socket, Value) {
        let mut socket = self.socket(token, codec).await;
        let subscribed = socket.ask(json!({"type": "subscribe", "topic": "workspace"})).await;
        assert_eq!(subscribed["type"], "subscribed", "{subscribed}");
        (socket, subscribed)
    }

    async fn ticket(&self) -> Value {
        self.hub.ticket(&self.cleo, "The door does not open").await
    }

    async fn counted(&self, token: &str) -> Value {
        self.hub.api(token, "GET", "/tickets/counters").send().await.expect(200)
    }
}

fn assign(ticket: &Value, to: &str) -> Value {
    json!({"type": "assign", "key": Uuid::new_v4(), "ticket_id": ticket["id"], "assignee_id": person(to)})
}

fn close(ticket: &Value) -> Value {
    json!({"type": "change_status", "key": Uuid::new_v4(), "ticket_id": ticket["id"], "status": "closed", "force": true})
}

async fn signal(socket: &mut Socket, fits: impl Fn(&Value) -> bool) -> Value {
    let frame = socket.find(|frame| frame["type"] == "signal" && frame["topic"] == "workspace" && fits(&frame["signal"])).await;
    frame["signal"].clone()
}

/// Waits until the counters are these.
async fn counters(socket: &mut Socket, open: u64, unassigned: u64, mine: u64) {
    let expected = json!({"type": "counters", "open": open, "unassigned": unassigned, "mine": mine});
    signal(socket, |signal| *signal == expected).await;
}

fn names(people: &Value) -> Vec<&str> {
    people.as_array().expect("a list").iter().map(|one| one["name"].as_str().expect("a name")).collect()
}

#[actix_rt::test]
async fn counters_follow_every_change_and_are_each_persons_own() {
    let story = Story::begin().await;
    let (first, second) = (story.ticket().await, story.ticket().await);
    let (mut ana, _) = story.list(&story.ana, Codec::MsgPack).await;
    let (mut bo, _) = story.list(&story.bo, Codec::Json).await;
    counters(&mut ana, 2, 2, 0).await;
    counters(&mut bo, 2, 2, 0).await;
    assert_eq!(ana.ask(assign(&first, "bo@acme.test")).await["type"], "ack");
    counters(&mut ana, 2, 1, 0).await;
    counters(&mut bo, 2, 1, 1).await;
    assert_eq!(story.counted(&story.bo).await, json!({"open": 2, "unassigned": 1, "mine": 1}));
    assert_eq!(bo.ask(close(&first)).await["type"], "ack");
    counters(&mut bo, 1, 1, 0).await;
    counters(&mut ana, 1, 1, 0).await;
    let third = story.ticket().await;
    counters(&mut ana, 2, 2, 0).await;
    for ticket in [second, third] {
        ana.ask(close(&ticket)).await;
    }
    counters(&mut ana, 0, 0, 0).await;
    assert_eq!(story.counted(&story.ana).await, json!({"open": 0, "unassigned": 0, "mine": 0}));
}

#[actix_rt::test]
async fn counters_are_nothing_for_customers_nor_for_other_workspaces() {
    let story = Story::begin().await;
    let ticket = story.ticket().await;
    let gil = story.hub.token("globex", "gil@globex.test").await;
    assert_eq!(story.counted(&gil).await, json!({"open": 0, "unassigned": 0, "mine": 0}));
    let viewer = story.hub.token("acme", "viewer@acme.test").await;
    assert_eq!(story.counted(&viewer).await, json!({"open": 1, "unassigned": 1, "mine": 0}));
    let refused = story.hub.api(&story.cleo, "GET", "/tickets/counters").send().await;
    assert_eq!(refused.expect(404)["code"], "not_found");
    let (mut of_globex, begin) = story.list(&gil, Codec::Json).await;
    counters(&mut of_globex, 0, 0, 0).await;
    assert_eq!(names(&begin["live"]["people"]), ["Gil Agent"]);
    let mut ana = story.socket(&story.ana, Codec::Json).await;
    ana.ask(close(&ticket)).await;
    of_globex.is_alive().await;
    assert!(of_globex.take_kept().iter().all(|frame| frame["type"] != "signal"), "nothing of acme is told in globex");
}

#[actix_rt::test]
async fn a_row_says_who_changed_it_and_how() {
    let story = Story::begin().await;
    let ticket = story.ticket().await;
    let (mut ana, _) = story.list(&story.ana, Codec::Json).await;
    let mut bo = story.socket(&story.bo, Codec::Json).await;
    for (command, what) in [(assign(&ticket, "bo@acme.test"), "assigned"), (close(&ticket), "status_changed")] {
        bo.ask(command).await;
        let row = signal(&mut ana, |signal| signal["type"] == "ticket_changed" && signal["what"] == what).await;
        assert_eq!((&row["ticket"]["id"], &row["by"]["name"]), (&ticket["id"], &json!("Bo Agent")));
    }
    story.hub.comment(&story.cleo, &ticket, json!({"body": "Hello?", "audience": "public"})).await.expect(201);
    // Her reply opens it again: the last of what happened is told.
    let row = signal(&mut ana, |signal| signal["type"] == "ticket_changed" && signal["by"]["kind"] == "customer").await;
    assert_eq!((&row["what"], &row["ticket"]["status"]), (&json!("status_changed"), &json!("open")));
}

#[actix_rt::test]
async fn who_is_here_is_told_over_all_sockets_and_gone_within_ten_seconds() {
    let story = Story::begin().await;
    let (mut ana, begin) = story.list(&story.ana, Codec::Json).await;
    assert_eq!(names(&begin["live"]["people"]), ["Ana Agent"]);
    assert_eq!(begin["live"]["people"][0]["state"], "available");
    let (one, other) = (story.socket(&story.bo, Codec::Json).await, story.socket(&story.bo, Codec::MsgPack).await);
    let _customer = story.socket(&story.cleo, Codec::Json).await;
    let people = signal(&mut ana, |signal| signal["type"] == "people").await;
    assert_eq!(names(&people["people"]), ["Ana Agent", "Bo Agent"]);
    drop(one);
    let (_viewer, _) = story.list(&story.hub.token("acme", "viewer@acme.test").await, Codec::Json).await;
    let people = signal(&mut ana, |signal| signal["type"] == "people").await;
    assert_eq!(names(&people["people"]), ["Ana Agent", "Bo Agent", "Vic Viewer"], "Bo has another socket");
    drop(other);
    let broken = Instant::now();
    let people = signal(&mut ana, |signal| signal["type"] == "people").await;
    assert_eq!(names(&people["people"]), ["Ana Agent", "Vic Viewer"]);
    assert!(broken.elapsed() < Duration::from_secs(10), "{:?}", broken.elapsed());
}

#[actix_rt::test]
async fn rows_are_watched_only_with_the_lists_and_at_most_two_hundred() {
    let story = Story::begin().await;
    let ticket = story.ticket().await;
    let mut ana = story.socket(&story.ana, Codec::Json).await;
    let rows = |count: usize| json!({"type": "watch_rows", "ticket_ids": vec![ticket["id"].clone(); count]});
    let refused = ana.ask(rows(1)).await;
    assert_eq!((&refused["type"], &refused["code"]), (&json!("error"), &json!("invalid")), "{refused}");
    ana.ask(json!({"type": "subscribe", "topic": "workspace"})).await;
    assert_eq!(ana.ask(rows(200)).await["type"], "ack");
    assert_eq!(ana.ask(rows(0)).await["type"], "ack");
    assert_eq!(ana.ask(rows(201)).await["code"], "invalid");
    let mut cleo = story.socket(&story.cleo, Codec::Json).await;
    assert_eq!(cleo.ask(rows(1)).await["code"], "invalid");
}

#[actix_rt::test]
async fn who_is_at_a_row_is_told_to_those_who_watch_it_and_to_nobody_else() {
    let story = Story::begin().await;
    let (first, second) = (story.ticket().await, story.ticket().await);
    let (mut ana, _) = story.list(&story.ana, Codec::MsgPack).await;
    let viewer = story.hub.token("acme", "viewer@acme.test").await;
    let (mut other, _) = story.list(&viewer, Codec::Json).await;
    assert_eq!(ana.ask(json!({"type": "watch_rows", "ticket_ids": [first["id"]]})).await["type"], "ack");

    let mut bo = story.socket(&story.bo, Codec::Json).await;
    for ticket in [&second, &first] {
        let topic = format!("ticket:{}", ticket["id"].as_str().expect("an id"));
        assert_eq!(bo.ask(json!({"type": "subscribe", "topic": topic})).await["type"], "subscribed");
        let composing =
            json!({"type": "set_presence", "ticket_id": ticket["id"], "state": "composing", "audience": "internal"});
        assert_eq!(bo.ask(composing).await["type"], "ack");
    }
    let at = |signal: &Value, ticket: &Value| signal["type"] == "presence" && signal["ticket_id"] == ticket["id"];
    let there = signal(&mut ana, |signal| at(signal, &first) && signal["users"][0]["state"] == "composing").await;
    assert_eq!((&there["users"][0]["name"], &there["users"][0]["audience"]), (&json!("Bo Agent"), &json!("internal")));
    // Who looks at a row later is told who is there already.
    assert_eq!(ana.ask(json!({"type": "watch_rows", "ticket_ids": [second["id"]]})).await["type"], "ack");
    let there = signal(&mut ana, |signal| at(signal, &second)).await;
    assert_eq!(there["users"][0]["name"], "Bo Agent");
    drop(bo);
    signal(&mut ana, |signal| at(signal, &second) && signal["users"] == json!([])).await;
    other.is_alive().await;
    assert!(other.take_kept().iter().all(|frame| frame["signal"]["type"] != "presence"), "watches no rows");
}
