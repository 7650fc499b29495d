//! Who is on a ticket, over real sockets: two tabs, sockets that break, what customers must never see, and many at once.

use std::time::{Duration, Instant};

use hub_core::ids::UserId;
use hub_core::rules::permissions::Role;
use hub_core::wire::Codec;
use serde_json::{Value, json};
use storage::NewUser;
use uuid::Uuid;

use crate::fixture::{ACME, password_hash};
use crate::hub::TestHub;
use crate::socket::{CLOSE, Socket};

struct Desk {
    hub: TestHub,
    ticket: Value,
    ana: String,
    bo: String,
    cleo: String,
}

impl Desk {
    async fn open() -> Self {
        let hub = TestHub::start().await;
        let (ana, bo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "bo@acme.test").await);
        let cleo = hub.token("acme", "cleo@customer.test").await;
        let ticket = hub.ticket(&cleo, "Who is there?").await;
        Self { hub, ticket, ana, bo, cleo }
    }

    async fn watching(&self, token: &str, kind: &str, codec: Codec) -> Socket {
        let mut socket = Socket::greet(self.hub.address(), codec, token).await;
        let topic = format!("{kind}:{}", self.ticket["id"].as_str().expect("an id"));
        let subscribed = socket.ask(json!({"type": "subscribe", "topic": topic})).await;
        assert_eq!(subscribed["type"], "subscribed", "{subscribed}");
        socket
    }

    fn here(&self, state: &str) -> Value {
        json!({"type": "set_presence", "ticket_id": self.ticket["id"], "state": state})
    }

    fn composing(&self, audience: &str) -> Value {
        json!({"type": "set_presence", "ticket_id": self.ticket["id"], "state": "composing", "audience": audience})
    }
}

/// `Ana composing public`, `Bo viewing lost` and so on, by id.
fn words(users: &Value) -> Vec<String> {
    let one = |user: &Value| {
        let first = user["name"].as_str().and_then(|name| name.split(' ').next()).expect("a name");
        let audience = user["audience"].as_str().map_or(String::new(), |audience| format!(" {audience}"));
        let lost = if user["lost"] == true { " lost" } else { "" };
        format!("{first} {}{audience}{lost}", user["state"].as_str().expect("a state"))
    };
    users.as_array().expect("the whole set").iter().map(one).collect()
}

/// Waits until the watcher is told that exactly these are there.
async fn told(watcher: &mut Socket, expected: &[&str]) {
    let is_presence = |frame: &Value| frame["signal"]["type"] == "presence";
    watcher.find(|frame| is_presence(frame) && words(&frame["signal"]["users"]) == expected).await;
    watcher.take_kept();
}

/// Everything the hub has said by the time a ping is answered, as it came over the wire.
async fn raw(socket: &mut Socket) -> String {
    socket.send(json!({"type": "ping"})).await;
    let mut all = String::new();
    loop {
        let (_, body) = socket.next_frame().await.expect("stays open");
        let text = String::from_utf8(body).expect("JSON");
        all.push_str(&text);
        if text.contains("\"pong\"") {
            return all;
        }
    }
}

#[actix_rt::test]
async fn two_tabs_are_one_person_and_a_socket_that_breaks_is_marked_and_then_gone() {
    let desk = Desk::open().await;
    let mut bo = desk.watching(&desk.bo, "ticket", Codec::Json).await;
    let mut one = desk.watching(&desk.ana, "ticket", Codec::MsgPack).await;
    let mut other = desk.watching(&desk.ana, "ticket", Codec::Json).await;
    assert_eq!(one.ask(desk.here("viewing")).await["type"], "ack");
    told(&mut bo, &["Ana viewing"]).await;
    // Without a number: no answer, the same effect.
    other.tell(desk.composing("internal")).await;
    told(&mut bo, &["Ana composing internal"]).await;
    other.is_alive().await;
    assert!(other.take_kept().iter().all(|frame| frame["type"] != "ack"));
    // A tab that is closed is gone at once, and the other one stays.
    other.send_frame(0x80 | CLOSE, &1001_u16.to_be_bytes()).await;
    told(&mut bo, &["Ana viewing"]).await;
    let began = Instant::now();
    drop(one);
    told(&mut bo, &["Ana viewing lost"]).await;
    assert!(began.elapsed() < Duration::from_secs(3), "marked at once");
    told(&mut bo, &[]).await;
    assert!((4_500..9_000).contains(&began.elapsed().as_millis()), "gone after five seconds: {:?}", began.elapsed());
}

#[actix_rt::test]
async fn leaving_a_ticket_ends_presence_at_once_and_it_counts_only_where_one_watches() {
    let desk = Desk::open().await;
    let mut bo = desk.watching(&desk.bo, "ticket", Codec::MsgPack).await;
    let mut ana = Socket::greet(desk.hub.address(), Codec::Json, &desk.ana).await;
    assert_eq!(ana.ask(desk.here("viewing")).await["code"], "not_found", "it does not watch");
    let topic = format!("ticket:{}", desk.ticket["id"].as_str().expect("an id"));
    // Said right behind the subscribe, before that is answered.
    let asked = ana.send(json!({"type": "subscribe", "topic": topic})).await;
    assert_eq!(ana.ask(desk.here("viewing")).await["type"], "ack");
    assert_eq!(ana.answer(asked).await["type"], "subscribed");
    told(&mut bo, &["Ana viewing"]).await;
    let newcomer =
        Socket::greet(desk.hub.address(), Codec::Json, &desk.bo).await.ask(json!({"type": "subscribe", "topic": topic})).await;
    assert_eq!(words(&newcomer["live"]["presence"]), ["Ana viewing"]);
    assert_eq!(ana.ask(json!({"type": "unsubscribe", "topic": topic})).await["type"], "ack");
    told(&mut bo, &[]).await;
    assert_eq!(ana.ask(desk.here("viewing")).await["code"], "not_found");
    let viewer_token = desk.hub.token("acme", "viewer@acme.test").await;
    let mut viewer = desk.watching(&viewer_token, "ticket", Codec::Json).await;
    assert_eq!(viewer.ask(desk.composing("public")).await["code"], "forbidden");
    assert_eq!(viewer.ask(desk.here("viewing")).await["type"], "ack");
    told(&mut bo, &["Vic viewing"]).await;
    let dan = desk.hub.token("acme", "dan@customer.test").await;
    let mut stranger = Socket::greet(desk.hub.address(), Codec::Json, &dan).await;
    assert_eq!(stranger.ask(desk.here("viewing")).await["code"], "not_found");
    assert_eq!(
        stranger.ask(json!({"type": "set_presence", "ticket_id": Uuid::new_v4(), "state": "idle"})).await["code"],
        "not_found"
    );
    assert_eq!(stranger.ask(json!({"type": "set_presence", "ticket_id": 7, "state": "dancing"})).await["code"], "invalid");
}

#[actix_rt::test]
async fn nothing_of_notes_or_of_who_is_there_reaches_a_customer() {
    let desk = Desk::open().await;
    let mut bo = desk.watching(&desk.bo, "ticket", Codec::MsgPack).await;
    let mut ana = desk.watching(&desk.ana, "ticket", Codec::MsgPack).await;
    let mut cleo = Socket::greet(desk.hub.address(), Codec::Json, &desk.cleo).await;
    let topic = format!("thread:{}", desk.ticket["id"].as_str().expect("an id"));
    assert_eq!(ana.ask(desk.composing("internal")).await["type"], "ack");
    cleo.send(json!({"type": "subscribe", "topic": topic})).await;
    let first = raw(&mut cleo).await;
    assert!(first.contains("\"presence\":[]") && !first.contains("Ana") && !first.contains("support\""), "{first}");
    for state in ["viewing", "idle", "composing"] {
        let mut frame = desk.composing("internal");
        frame["state"] = state.into();
        assert_eq!(ana.ask(frame).await["type"], "ack");
        let mut field = desk.here("viewing");
        field["field"] = "priority".into();
        assert_eq!(ana.ask(field).await["type"], "ack");
    }
    ana.ask(desk.composing("internal")).await;
    told(&mut bo, &["Ana composing internal"]).await;
    let while_noting = raw(&mut cleo).await;
    assert_eq!(while_noting.matches("\"type\"").count(), 1, "only the pong: {while_noting}");
    // Answering is told, and not by whom.
    assert_eq!(ana.ask(desk.composing("public")).await["type"], "ack");
    let answering = cleo.find(|frame| frame["type"] == "signal").await;
    assert_eq!(answering["signal"], json!({"type": "presence", "support": "composing"}));
    assert_eq!(ana.ask(desk.here("viewing")).await["type"], "ack");
    let over = cleo.find(|frame| frame["type"] == "signal").await;
    assert_eq!(over["signal"], json!({"type": "presence", "support": null}));
    let rest = raw(&mut cleo).await;
    for secret in ["Ana", "Bo ", "claim", "users", "internal", "priority"] {
        assert!(!rest.contains(secret), "{secret}: {rest}");
    }
    // The other way round colleagues see the customer.
    let mut typing = desk.composing("public");
    typing.as_object_mut().expect("a map").remove("audience");
    assert_eq!(cleo.ask(typing).await["type"], "ack");
    let signal = bo.find(|frame| frame["signal"]["users"].as_array().is_some_and(|users| users.len() == 2)).await;
    let customer = signal["signal"]["users"].as_array().expect("two").iter().find(|user| user["kind"] == "customer");
    assert_eq!(customer.expect("there")["state"], "composing");
}

#[actix_rt::test]
async fn a_ticket_that_panics_knows_again_who_is_there() {
    let desk = Desk::open().await;
    let mut bo = desk.watching(&desk.bo, "ticket", Codec::Json).await;
    let mut ana = desk.watching(&desk.ana, "ticket", Codec::MsgPack).await;
    let mut cleo = desk.watching(&desk.cleo, "thread", Codec::Json).await;
    for socket in [&mut bo, &mut ana, &mut cleo] {
        assert_eq!(socket.ask(desk.here("viewing")).await["type"], "ack");
    }
    told(&mut bo, &["Ana viewing", "Bo viewing", "Cleo viewing"]).await;
    actors::faults::panic_at_next_command(desk.ticket["id"].as_str().expect("an id").parse().expect("an id"));
    let note = json!({"body": "x", "audience": "internal"});
    desk.hub.comment(&desk.ana, &desk.ticket, note).await.refused(503, "unavailable");
    // The hub resynchronises the topic, and whoever is there says so again.
    bo.find(|frame| frame["type"] == "subscribed" && frame["id"].is_null()).await;
    let topic = format!("ticket:{}", desk.ticket["id"].as_str().expect("an id"));
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let seen = bo.ask(json!({"type": "subscribe", "topic": topic})).await;
        if words(&seen["live"]["presence"]) == ["Ana viewing", "Bo viewing", "Cleo viewing"] {
            break;
        }
        assert!(Instant::now() < deadline, "{seen}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[actix_rt::test]
async fn who_signs_out_is_gone_at_once_and_whom_the_hub_sends_away_is_marked() {
    let desk = Desk::open().await;
    let mut bo = desk.watching(&desk.bo, "ticket", Codec::Json).await;
    let again = desk.hub.token("acme", "ana@acme.test").await;
    let mut ana = desk.watching(&again, "ticket", Codec::MsgPack).await;
    let mut cleo = desk.watching(&desk.cleo, "thread", Codec::Json).await;
    for socket in [&mut ana, &mut cleo] {
        assert_eq!(socket.ask(desk.here("viewing")).await["type"], "ack");
    }
    told(&mut bo, &["Ana viewing", "Cleo viewing"]).await;
    desk.hub.api(&again, "DELETE", "/sessions/current").send().await.expect(204);
    told(&mut bo, &["Cleo viewing"]).await;
    // A worker that stumbles over a subscribe of Cleo's sends her away to come back.
    let id = desk.ticket["id"].as_str().expect("an id");
    actors::faults::panic_at_next(actors::faults::Point::Subscribe, id.parse().expect("an id"));
    cleo.send(json!({"type": "subscribe", "topic": format!("ticket:{id}")})).await;
    told(&mut bo, &["Cleo viewing lost"]).await;
    let mut back = desk.watching(&desk.cleo, "thread", Codec::Json).await;
    assert_eq!(back.ask(desk.here("viewing")).await["type"], "ack");
    told(&mut bo, &["Cleo viewing"]).await;
}

#[actix_rt::test]
async fn a_list_shows_who_is_at_its_rows_and_lets_them_go() {
    let desk = Desk::open().await;
    let mut list = Socket::greet(desk.hub.address(), Codec::MsgPack, &desk.bo).await;
    assert_eq!(list.ask(json!({"type": "subscribe", "topic": "workspace"})).await["type"], "subscribed");
    let other = desk.hub.ticket(&desk.cleo, "Not looked at").await;
    assert_eq!(list.ask(json!({"type": "watch_rows", "ticket_ids": [desk.ticket["id"]]})).await["type"], "ack");
    let mut ana = desk.watching(&desk.ana, "ticket", Codec::Json).await;
    let elsewhere = format!("ticket:{}", other["id"].as_str().expect("an id"));
    assert_eq!(ana.ask(json!({"type": "subscribe", "topic": elsewhere})).await["type"], "subscribed");
    let there = json!({"type": "set_presence", "ticket_id": other["id"], "state": "viewing"});
    assert_eq!(ana.ask(there).await["type"], "ack");
    assert_eq!(ana.ask(desk.composing("internal")).await["type"], "ack");
    let row = list.find(|frame| frame["signal"]["type"] == "presence").await;
    assert_eq!((&row["topic"], &row["signal"]["ticket_id"]), (&json!("workspace"), &desk.ticket["id"]), "and of no other row");
    assert_eq!(words(&row["signal"]["users"]), ["Ana composing internal"]);
    // Whoever looks at the row later is told at once.
    let mut late = Socket::greet(desk.hub.address(), Codec::Json, &desk.bo).await;
    assert_eq!(late.ask(json!({"type": "subscribe", "topic": "workspace"})).await["type"], "subscribed");
    late.send(json!({"type": "watch_rows", "ticket_ids": [desk.ticket["id"]]})).await;
    told(&mut late, &["Ana composing internal"]).await;
    ana.send_frame(0x80 | CLOSE, &1001_u16.to_be_bytes()).await;
    told(&mut list, &[]).await;
}

/// Two hundred colleagues open the same ticket and leave it within ten seconds.
#[actix_rt::test]
async fn two_hundred_who_come_and_go_are_told_in_ten_frames_a_second_at_most() {
    const MANY: usize = 200;
    let desk = Desk::open().await;
    let users: Vec<NewUser> = (0..MANY).map(colleague).collect();
    desk.hub.database().owner().await.users(ACME, &users).await.expect("people");
    let mut bo = desk.watching(&desk.bo, "ticket", Codec::MsgPack).await;
    let mut sockets = Vec::with_capacity(MANY);
    for n in 0..MANY {
        let token = desk.hub.token("acme", &format!("many{n}@acme.test")).await;
        sockets.push(desk.watching(&token, "ticket", Codec::MsgPack).await);
    }
    bo.is_alive().await;
    bo.take_kept();
    let began = Instant::now();
    for socket in &mut sockets {
        socket.tell(desk.here("viewing")).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for socket in &mut sockets {
        socket.send_frame(0x80 | CLOSE, &1000_u16.to_be_bytes()).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (mut most, mut frames) = (0, 0_usize);
    loop {
        let frame = bo.next().await.expect("stays open");
        let Some(users) = frame["signal"]["users"].as_array() else { continue };
        frames += 1;
        most = most.max(users.len());
        if users.is_empty() && most > MANY / 2 {
            break;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    assert!(most > MANY * 9 / 10, "nearly all were there together: {most}");
    assert!((frames as f64) <= seconds * 10.0 + 1.0, "{frames} frames in {seconds:.1} s");
    assert!(frames > 20, "told as it goes: {frames}");
}

fn colleague(n: usize) -> NewUser {
    NewUser {
        id: UserId::new(Uuid::from_u128(0xc011_0000 + n as u128)),
        email: format!("many{n}@acme.test"),
        name: format!("Colleague {n}"),
        role: Role::Agent,
        password_hash: password_hash(),
    }
}
