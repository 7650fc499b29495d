//! Drafts over real sockets: two tabs of one person, another device, a sent reply, a refused one, a database that goes away.

use std::time::{Duration, Instant};

use hub_core::wire::Codec;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::hub::TestHub;
use crate::socket::Socket;

struct Story {
    hub: TestHub,
    ana: String,
    bo: String,
    ticket: Value,
}

impl Story {
    async fn begin() -> Self {
        let hub = TestHub::start().await;
        let (ana, bo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "bo@acme.test").await);
        let cleo = hub.token("acme", "cleo@customer.test").await;
        let ticket = hub.ticket(&cleo, "The door does not open").await;
        Self { hub, ana, bo, ticket }
    }

    async fn socket(&self, token: &str) -> Socket {
        Socket::greet(self.hub.address(), Codec::MsgPack, token).await
    }

    /// A socket that watches, and what it was told.
    async fn watching(&self, token: &str, topic: &str) -> (Socket, Value) {
        let mut socket = self.socket(token).await;
        let subscribed = socket.ask(json!({"type": "subscribe", "topic": topic})).await;
        assert_eq!(subscribed["type"], "subscribed", "{subscribed}");
        (socket, subscribed)
    }

    fn topic(&self) -> String {
        format!("ticket:{}", self.ticket["id"].as_str().expect("an id"))
    }

    fn save(&self, revision: u64, body: &str) -> Value {
        json!({"type": "save_draft", "ticket_id": self.ticket["id"], "audience": "public", "revision": revision, "body": body,
            "based_on": 1})
    }

    fn reply(&self, body: &str, based_on: u64) -> Value {
        json!({"type": "post_reply", "key": Uuid::new_v4(), "ticket_id": self.ticket["id"], "body": body, "audience": "public",
            "based_on": based_on})
    }

    fn discard(&self) -> Value {
        json!({"type": "discard_draft", "ticket_id": self.ticket["id"], "audience": "public"})
    }
}

fn acked(answer: &Value) -> u64 {
    assert_eq!((&answer["type"], &answer["seq"]), (&json!("ack"), &Value::Null), "{answer}");
    answer["result"]["revision"].as_u64().expect("the revision")
}

async fn signal(socket: &mut Socket, kind: &str) -> Value {
    socket.find(|frame| frame["type"] == "signal" && frame["signal"]["type"] == kind).await["signal"].clone()
}

/// The newest one: those before it may or may not have been told.
async fn draft_changed_to(socket: &mut Socket, revision: u64) -> Value {
    loop {
        let signal = signal(socket, "draft_changed").await;
        if signal["draft"]["revision"].as_u64() == Some(revision) {
            return signal;
        }
    }
}

#[actix_rt::test]
async fn of_two_tabs_the_loser_is_shown_what_the_other_one_wrote_and_nobody_loses_a_word() {
    let story = Story::begin().await;
    let (mut one, mut two) = (story.socket(&story.ana).await, story.socket(&story.ana).await);
    assert_eq!(acked(&one.ask(story.save(0, "one")).await), 1);
    assert_eq!(acked(&two.ask(story.save(1, "one and two")).await), 2);
    let lost = one.ask(story.save(1, "one, otherwise")).await;
    assert_eq!((&lost["type"], &lost["code"]), (&json!("error"), &json!("stale")), "{lost}");
    let theirs = &lost["detail"]["draft"];
    assert_eq!((&theirs["revision"], &theirs["body"]), (&json!(2), &json!("one and two")));
    assert_eq!(theirs["authors"][0]["name"], "Ana Agent");
    assert_eq!(acked(&one.ask(story.save(2, "one and two, otherwise")).await), 3);
    assert_eq!(acked(&two.ask(story.discard()).await), 4);
    let lost = one.ask(story.save(3, "more")).await;
    assert_eq!((&lost["code"], &lost["detail"]), (&json!("stale"), &json!({"draft": null})), "{lost}");
    assert_eq!(acked(&one.ask(story.save(0, "anew")).await), 5);
}

#[actix_rt::test]
async fn what_is_typed_fast_is_stored_once_a_second_and_every_ack_is_of_what_is_stored() {
    let story = Story::begin().await;
    let mut tab = story.socket(&story.ana).await;
    assert_eq!(acked(&tab.ask(story.save(0, "D")).await), 1);
    let began = Instant::now();
    // Three on their way at once, none of which has seen an ack.
    let mut ids = Vec::new();
    for body in ["De", "Dea", "Dear"] {
        ids.push(tab.send(story.save(1, body)).await);
    }
    for id in ids {
        assert_eq!(acked(&tab.answer(id).await), 2, "one store for all of them");
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let row = story.hub.database().superuser().await.query_one("SELECT body, revision FROM drafts", &[]).await.expect("one");
    assert_eq!((row.get::<_, &str>(0), row.get::<_, i64>(1)), ("Dear", 2));
}

#[actix_rt::test]
async fn another_device_follows_colleagues_see_that_there_is_one_and_a_new_device_finds_it() {
    let story = Story::begin().await;
    let (mut phone, _) = story.watching(&story.ana, "me").await;
    let (mut bo, before) = story.watching(&story.bo, &story.topic()).await;
    assert_eq!(before["live"]["drafts"], json!([]));
    let mut desktop = story.socket(&story.ana).await;
    assert_eq!(acked(&desktop.ask(story.save(0, "secret words")).await), 1);
    let followed = draft_changed_to(&mut phone, 1).await;
    assert_eq!((&followed["ticket_id"], &followed["audience"]), (&story.ticket["id"], &json!("public")));
    assert_eq!(followed["draft"]["body"], "secret words");
    let seen = signal(&mut bo, "draft").await;
    assert_eq!((&seen["by"]["name"], &seen["audience"]), (&json!("Ana Agent"), &json!("public")));
    assert!(seen["since"].is_string() && !seen.to_string().contains("secret"), "{seen}");

    let (_, tablet) = story.watching(&story.ana, &story.topic()).await;
    let restored = &tablet["live"]["drafts"][0];
    assert_eq!(
        (&restored["revision"], &restored["body"], &restored["based_on"]),
        (&json!(1), &json!("secret words"), &json!(1))
    );
    assert_eq!(acked(&phone.ask(story.discard()).await), 2);
    let gone = signal(&mut phone, "draft_changed").await;
    assert_eq!(gone["draft"], Value::Null);
    assert_eq!(signal(&mut bo, "draft").await["since"], Value::Null);
    let (_, tablet) = story.watching(&story.ana, &story.topic()).await;
    assert_eq!(tablet["live"]["drafts"], json!([]));
}

#[actix_rt::test]
async fn a_refused_reply_keeps_its_draft_and_a_sent_one_spends_it_also_on_the_other_device() {
    let story = Story::begin().await;
    let (mut phone, _) = story.watching(&story.ana, "me").await;
    let (mut ana, mut bo) = (story.socket(&story.ana).await, story.socket(&story.bo).await);
    assert_eq!(acked(&ana.ask(story.save(0, "Dear Cleo")).await), 1);
    assert_eq!(bo.ask(story.reply("I was quicker", 1)).await["seq"], 2);
    assert_eq!(ana.ask(story.reply("Dear Cleo", 1)).await["code"], "stale");
    let (_, device) = story.watching(&story.ana, &story.topic()).await;
    assert_eq!(device["live"]["drafts"][0]["body"], "Dear Cleo");
    draft_changed_to(&mut phone, 1).await;
    assert_eq!(ana.ask(story.reply("Dear Cleo", 2)).await["seq"], 3);
    assert_eq!(signal(&mut phone, "draft_changed").await["draft"], Value::Null);
    let (_, device) = story.watching(&story.ana, &story.topic()).await;
    assert_eq!(device["live"]["drafts"], json!([]));
}

#[actix_rt::test]
async fn a_draft_survives_the_hub() {
    let story = Story::begin().await;
    let mut ana = story.socket(&story.ana).await;
    assert_eq!(acked(&ana.ask(story.save(0, "Dear Cleo")).await), 1);
    let (topic, token, save) = (story.topic(), story.ana.clone(), story.save(1, "Dear Cleo, more"));
    let (ended, database) = story.hub.leave().await;
    ended.expect("ends well");
    let hub = TestHub::serve(database, &[]).await;
    let mut ana = Socket::greet(hub.address(), Codec::Json, &token).await;
    let restored = ana.ask(json!({"type": "subscribe", "topic": topic})).await;
    assert_eq!(restored["live"]["drafts"][0]["body"], "Dear Cleo", "{restored}");
    assert_eq!(acked(&ana.ask(save).await), 2);
}

#[actix_rt::test]
async fn while_the_database_is_away_a_save_is_unavailable_and_the_same_one_is_stored_when_it_is_back() {
    let story = Story::begin().await;
    let (mut ana, _) = story.watching(&story.ana, &story.topic()).await;
    assert_eq!(acked(&ana.ask(story.save(0, "Dear Cleo")).await), 1);
    let administrator = story.hub.database().administrator().await;
    let name = &story.hub.database().name;
    let allow = |allowed: bool| format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}");
    let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    administrator.batch_execute(&allow(false)).await.expect("closed");
    administrator.batch_execute(&cut).await.expect("cut");
    let away = ana.ask(story.save(1, "Dear Cleo, more")).await;
    assert!(away["code"] == "unavailable" || away["code"] == "busy", "{away}");
    administrator.batch_execute(&allow(true)).await.expect("open");
    let deadline = Instant::now() + Duration::from_secs(20);
    let saved = loop {
        let answer = ana.ask(story.save(1, "Dear Cleo, more")).await;
        if answer["type"] == "ack" {
            break acked(&answer);
        }
        assert!(Instant::now() < deadline, "{answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(saved, 2);
    let mut tablet = story.socket(&story.ana).await;
    let restored = tablet.ask(json!({"type": "subscribe", "topic": story.topic()})).await;
    assert_eq!(restored["live"]["drafts"][0]["body"], "Dear Cleo, more");
}

#[actix_rt::test]
async fn drafts_of_two_hubs_on_one_database_do_not_write_over_each_other() {
    let story = Story::begin().await;
    let other = story.hub.beside(&[("TANDEM_NODE", "test-2")]).await;
    let mut here = story.socket(&story.ana).await;
    let mut there = Socket::greet(other.address(), Codec::Json, &story.ana).await;
    assert_eq!(acked(&here.ask(story.save(0, "here")).await), 1);
    assert_eq!(acked(&there.ask(story.save(1, "here and there")).await), 2);
    let lost = here.ask(story.save(1, "here, more")).await;
    assert_eq!((&lost["code"], &lost["detail"]["draft"]["body"]), (&json!("stale"), &json!("here and there")), "{lost}");
    assert_eq!(acked(&here.ask(story.save(2, "all of it")).await), 3);
}
