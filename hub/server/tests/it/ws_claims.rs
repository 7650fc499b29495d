//! Soft claims over real sockets: whoever answers has the ticket for a while, everybody sees it, nobody is locked out.

use std::time::{Duration, Instant};

use hub_core::wire::Codec;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::hub::TestHub;
use crate::socket::Socket;

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
        let ticket = hub.ticket(&cleo, "Who answers?").await;
        Self { hub, ticket, ana, bo, cleo }
    }

    async fn watching(&self, token: &str, kind: &str) -> Socket {
        watching(&self.hub, token, kind, &self.ticket).await.0
    }

    fn frame(&self, kind: &str) -> Value {
        json!({"type": kind, "ticket_id": self.ticket["id"]})
    }

    fn composing(&self) -> Value {
        let mut frame = self.frame("set_presence");
        frame["state"] = "composing".into();
        frame
    }

    fn reply(&self, based_on: u64) -> Value {
        let key = Uuid::new_v4();
        let ticket = &self.ticket["id"];
        json!({"type": "post_reply", "key": key, "ticket_id": ticket, "body": "Hello!", "audience": "public", "based_on": based_on})
    }
}

/// A socket that watches the ticket, and what it was told of here and now.
async fn watching(hub: &TestHub, token: &str, kind: &str, ticket: &Value) -> (Socket, Value) {
    let mut socket = Socket::greet(hub.address(), Codec::MsgPack, token).await;
    let topic = format!("{kind}:{}", ticket["id"].as_str().expect("an id"));
    let mut subscribed = socket.ask(json!({"type": "subscribe", "topic": topic})).await;
    assert_eq!(subscribed["type"], "subscribed", "{subscribed}");
    (socket, subscribed["live"].take())
}

/// The next event about a claim: its type, its number, whose claim it is.
async fn claim_event(socket: &mut Socket) -> (String, u64, String) {
    let event = socket.find(|f| f["event"]["type"].as_str().is_some_and(|kind| kind.starts_with("claim_"))).await;
    let kind = event["event"]["type"].as_str().expect("a type").to_owned();
    (kind, event["seq"].as_u64().expect("a number"), event["event"]["by"]["name"].as_str().expect("a name").to_owned())
}

fn is(kind: &str, seq: u64, name: &str) -> (String, u64, String) {
    (kind.into(), seq, name.into())
}

#[actix_rt::test]
async fn who_composes_an_answer_has_the_ticket_and_the_next_one_is_told() {
    let desk = Desk::open().await;
    let (mut ana, mut bo) = (desk.watching(&desk.ana, "ticket").await, desk.watching(&desk.bo, "ticket").await);
    let mut cleo = desk.watching(&desk.cleo, "thread").await;
    ana.tell(desk.composing()).await;
    assert_eq!(claim_event(&mut bo).await, is("claim_taken", 2, "Ana Agent"));
    let (_, live) = watching(&desk.hub, &desk.bo, "ticket", &desk.ticket).await;
    assert_eq!(live["claim"]["by"]["name"], "Ana Agent");
    let refused = bo.ask(desk.reply(2)).await;
    assert_eq!((&refused["code"], &refused["detail"]["by"]["name"]), (&json!("claimed"), &json!("Ana Agent")), "{refused}");
    assert!(refused["detail"]["until"].is_string());
    // The customer is never refused, and sees nothing of it.
    let mut asked = desk.reply(1);
    asked["body"] = "Hurry, please.".into();
    assert_eq!(cleo.ask(asked).await["seq"], 2);
    assert_eq!(cleo.event().await["seq"], 2);
    // To insist is possible, and recorded.
    let mut forced = desk.reply(3);
    forced["force"] = true.into();
    assert_eq!(bo.ask(forced).await["seq"], 4);
    let event = ana.find(|frame| frame["seq"] == 4).await;
    assert_eq!(event["event"]["forced"], true);
    // Sending gives it up in the same step.
    assert_eq!(ana.ask(desk.reply(4)).await["seq"], 5);
    assert_eq!(claim_event(&mut bo).await, is("claim_released", 6, "Ana Agent"));
}

#[actix_rt::test]
async fn a_claim_is_taken_taken_over_and_given_up_by_hand() {
    let desk = Desk::open().await;
    let (mut ana, mut bo) = (desk.watching(&desk.ana, "ticket").await, desk.watching(&desk.bo, "ticket").await);
    assert_eq!(ana.ask(desk.frame("take_claim")).await["type"], "ack");
    assert_eq!(claim_event(&mut bo).await, is("claim_taken", 2, "Ana Agent"));
    assert_eq!(bo.ask(desk.frame("take_claim")).await["code"], "claimed");
    assert_eq!(ana.ask(json!({"type": "subscribe", "topic": "me"})).await["type"], "subscribed");
    let mut insist = desk.frame("take_claim");
    insist["force"] = true.into();
    assert_eq!(bo.ask(insist).await["seq"], 3);
    let told = ana.find(|frame| frame["event"]["type"] == "notified").await;
    assert_eq!((&told["event"]["reason"], &told["by"]["name"]), (&json!("claim_taken"), &json!("Bo Agent")));
    let taken = ana.find(|frame| frame["seq"] == 3).await;
    assert_eq!((&taken["event"]["by"]["name"], &taken["event"]["from"]["name"]), (&json!("Bo Agent"), &json!("Ana Agent")));
    assert_eq!(ana.ask(desk.frame("release_claim")).await["code"], "claimed");
    assert_eq!(bo.ask(desk.frame("release_claim")).await["type"], "ack");
    ana.find(|frame| frame["event"]["type"] == "claim_released").await;
    // Colleagues see at once that it is free, whatever they heard of renewals before.
    let free = ana.find(|frame| frame["signal"]["type"] == "claim" && frame["signal"]["by"].is_null()).await;
    assert!(free["signal"]["until"].is_null());
    let viewer = desk.hub.token("acme", "viewer@acme.test").await;
    assert_eq!(desk.watching(&viewer, "ticket").await.ask(desk.frame("take_claim")).await["code"], "forbidden");
    assert_eq!(desk.watching(&desk.cleo, "thread").await.ask(desk.frame("take_claim")).await["code"], "forbidden");
}

#[actix_rt::test]
async fn handing_over_moves_the_claim() {
    let desk = Desk::open().await;
    let (mut ana, mut bo) = (desk.watching(&desk.ana, "ticket").await, desk.watching(&desk.bo, "ticket").await);
    ana.tell(desk.composing()).await;
    assert_eq!(claim_event(&mut bo).await, is("claim_taken", 2, "Ana Agent"));
    let mut hand_over = desk.frame("hand_over");
    hand_over["key"] = json!(Uuid::new_v4());
    hand_over["to_id"] = json!(crate::fixture::person("bo@acme.test"));
    hand_over["note"] = "You know this printer.".into();
    assert_eq!(ana.ask(hand_over).await["type"], "ack");
    let moved = bo.find(|frame| frame["event"]["type"] == "claim_taken").await;
    assert_eq!((&moved["event"]["by"]["name"], &moved["event"]["from"]["name"]), (&json!("Bo Agent"), &json!("Ana Agent")));
    let (_, live) = watching(&desk.hub, &desk.ana, "ticket", &desk.ticket).await;
    assert_eq!(live["claim"]["by"]["name"], "Bo Agent");
}

#[actix_rt::test]
async fn who_breaks_off_loses_the_claim_after_a_moment_unless_another_tab_stays() {
    let desk = Desk::open().await;
    let mut bo = desk.watching(&desk.bo, "ticket").await;
    let (mut one, mut other) = (desk.watching(&desk.ana, "ticket").await, desk.watching(&desk.ana, "ticket").await);
    let mut viewing = desk.composing();
    viewing["state"] = "viewing".into();
    assert_eq!(other.ask(viewing).await["type"], "ack");
    one.tell(desk.composing()).await;
    assert_eq!(claim_event(&mut bo).await, is("claim_taken", 2, "Ana Agent"));
    drop(one);
    bo.find(|frame| frame["signal"]["users"][0]["state"] == "viewing").await;
    let began = Instant::now();
    drop(other);
    assert_eq!(claim_event(&mut bo).await, is("claim_released", 3, "Ana Agent"));
    assert!((4_500..12_000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

#[actix_rt::test]
async fn after_a_restart_a_claim_is_honoured_and_its_holder_goes_on() {
    let desk = Desk::open().await;
    let (mut ana, mut bo) = (desk.watching(&desk.ana, "ticket").await, desk.watching(&desk.bo, "ticket").await);
    ana.tell(desk.composing()).await;
    assert_eq!(claim_event(&mut bo).await, is("claim_taken", 2, "Ana Agent"));
    let Desk { hub, ticket, ana, bo, cleo } = desk;
    let (ended, database) = hub.leave().await;
    ended.expect("stops well");
    let desk = Desk { hub: TestHub::serve(database, &[]).await, ticket, ana, bo, cleo };
    let (mut bo, live) = watching(&desk.hub, &desk.bo, "ticket", &desk.ticket).await;
    assert_eq!(live["claim"]["by"]["name"], "Ana Agent", "{live}");
    assert_eq!(bo.ask(desk.reply(2)).await["code"], "claimed");
    let mut ana = desk.watching(&desk.ana, "ticket").await;
    ana.tell(desk.composing()).await;
    bo.find(|frame| frame["signal"]["users"][0]["state"] == "composing").await;
    assert_eq!(ana.ask(desk.reply(2)).await["seq"], 3);
    assert_eq!(claim_event(&mut bo).await, is("claim_released", 4, "Ana Agent"));
    tokio::time::timeout(Duration::from_secs(5), bo.is_alive()).await.expect("and nothing hangs");
}
