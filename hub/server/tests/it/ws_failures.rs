//! What may go wrong inside: a ticket that panics, two hubs that believe they own the same tickets, a database that goes away.
//! Nothing acked is lost, nothing is doubled, nobody waits for ever.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hub_core::wire::Codec;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::hub::TestHub;
use crate::socket::{Ended, Socket};

fn reply(ticket: &Value, body: &str) -> Value {
    json!({"type": "post_reply", "key": Uuid::new_v4(), "ticket_id": ticket["id"], "body": body, "audience": "internal"})
}

async fn watching(hub: &TestHub, token: &str, ticket: &Value) -> Socket {
    let mut socket = Socket::greet(hub.address(), Codec::MsgPack, token).await;
    let topic = format!("ticket:{}", ticket["id"].as_str().expect("an id"));
    assert_eq!(socket.ask(json!({"type": "subscribe", "topic": topic})).await["type"], "subscribed");
    socket
}

#[actix_rt::test]
async fn a_ticket_that_panics_is_back_within_a_second_and_its_neighbours_notice_nothing() {
    let hub = TestHub::start().await;
    let (ana, cleo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "cleo@customer.test").await);
    let (sick, healthy) = (hub.ticket(&cleo, "Sick").await, hub.ticket(&cleo, "Healthy").await);
    let (mut at_sick, mut at_healthy) = (watching(&hub, &ana, &sick).await, watching(&hub, &ana, &healthy).await);
    let mut writer = Socket::greet(hub.address(), Codec::Json, &ana).await;

    actors::faults::panic_at_next_command(sick["id"].as_str().expect("an id").parse().expect("an id"));
    let began = Instant::now();
    let frames: Vec<_> = (0..4).map(|n| reply(&sick, &format!("{n}"))).collect();
    let mut ids = Vec::new();
    for frame in &frames {
        ids.push(writer.send(frame.clone()).await);
    }
    let mut unanswered = Vec::new();
    for (id, frame) in ids.into_iter().zip(&frames) {
        let answer = writer.answer(id).await;
        if answer["type"] != "ack" {
            assert_eq!(answer["code"], "unavailable");
            unanswered.push(frame.clone());
        }
    }
    assert!(!unanswered.is_empty(), "the fault point did its work");
    assert!(began.elapsed() < Duration::from_secs(1), "answered within a second: {:?}", began.elapsed());
    for frame in unanswered {
        assert_eq!(writer.ask(frame).await["type"], "ack");
    }
    assert_eq!(writer.ask(reply(&healthy, "fine")).await["seq"], 2);
    assert_eq!(at_healthy.event().await["seq"], 2);
    // The watcher of the sick one is told all four, each once and in order, as events or in a resynchronisation.
    let mut seen = vec![1];
    while seen.len() < 5 {
        let frame = at_sick.next().await.expect("stays open");
        let records =
            if frame["type"] == "subscribed" { frame["events"].as_array().cloned().expect("a tail") } else { vec![frame] };
        seen.extend(records.iter().filter_map(|record| record["seq"].as_u64()));
    }
    assert_eq!(seen, (1..=5).collect::<Vec<_>>());
}

#[actix_rt::test]
async fn a_worker_that_stumbles_sends_those_concerned_away_to_come_back_and_resume() {
    let hub = TestHub::start().await;
    let (ana, cleo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "cleo@customer.test").await);
    let ticket = hub.ticket(&cleo, "Stumble").await;
    let mut watcher = watching(&hub, &ana, &ticket).await;
    let mut writer = Socket::greet(hub.address(), Codec::Json, &ana).await;
    let id = ticket["id"].as_str().expect("an id");
    actors::faults::panic_at_next(actors::faults::Point::Event, id.parse().expect("an id"));
    assert_eq!(writer.ask(reply(&ticket, "stumble")).await["seq"], 2);
    let (frames, ended) = watcher.read_to_end().await;
    assert_eq!(ended, Ended::Closed(1012));
    let types: Vec<_> = frames.iter().filter_map(|frame| frame["type"].as_str()).collect();
    assert!(types == ["goodbye"] || types == ["event", "goodbye"], "{types:?}");
    let mut back = Socket::greet(hub.address(), Codec::MsgPack, &ana).await;
    let resumed = back.ask(json!({"type": "subscribe", "topic": format!("ticket:{id}")})).await;
    assert_eq!(resumed["seq"], 2);
    assert_eq!(writer.ask(reply(&ticket, "go on")).await["seq"], 3);
    assert_eq!(back.event().await["seq"], 3);
}

#[actix_rt::test]
async fn two_hubs_that_own_the_same_tickets_write_one_history() {
    const TICKETS: usize = 20;
    const WRITES: usize = 12;
    let one = TestHub::start().await;
    let two = one.beside(&[]).await;
    let (ana, cleo) = (one.token("acme", "ana@acme.test").await, one.token("acme", "cleo@customer.test").await);
    let mut tickets = Vec::new();
    for n in 0..TICKETS {
        tickets.push(one.ticket(&cleo, &format!("Shared {n}")).await);
    }
    let writers = [(&one, "one"), (&two, "two")].map(|(hub, name)| {
        let (address, token, tickets) = (hub.address(), ana.clone(), tickets.clone());
        actix_rt::spawn(async move {
            let mut socket = Socket::greet(address, Codec::MsgPack, &token).await;
            let mut acked: BTreeMap<String, (String, u64)> = BTreeMap::new();
            for round in 0..WRITES {
                for ticket in &tickets {
                    let frame = reply(ticket, &format!("{name} {round}"));
                    let answer = loop {
                        let answer = socket.ask(frame.clone()).await;
                        // "busy" and "unavailable" mean: the same key again.
                        if !matches!(answer["code"].as_str(), Some("busy" | "unavailable" | "rate_limited")) {
                            break answer;
                        }
                        tokio::time::sleep(Duration::from_millis(answer["retry_after_ms"].as_u64().unwrap_or(50))).await;
                    };
                    assert_eq!(answer["type"], "ack", "{answer}");
                    let key = frame["key"].as_str().expect("a key").to_owned();
                    acked.insert(key, (ticket["id"].to_string(), answer["seq"].as_u64().expect("a number")));
                }
            }
            acked
        })
    });
    let mut acked = BTreeMap::new();
    for writer in writers {
        acked.extend(writer.await.expect("joins"));
    }
    for ticket in &tickets {
        let path = format!("/tickets/{}/events?limit=100", ticket["id"].as_str().expect("an id"));
        let log = one.api(&ana, "GET", &path).send().await.expect(200);
        let events = log["events"].as_array().expect("events");
        let seqs: Vec<_> = events.iter().filter_map(|e| e["seq"].as_u64()).collect();
        assert_eq!(seqs, (1..=1 + 2 * WRITES as u64).collect::<Vec<_>>(), "no hole, no fork, nothing lost, nothing doubled");
        for event in &events[1..] {
            let key = event["key"].as_str().expect("every note carries its key");
            assert_eq!(acked.get(key), Some(&(ticket["id"].to_string(), event["seq"].as_u64().expect("a number"))));
        }
    }
    let report = storage::audit::verify_workspace(&one.database().app_url, "acme").await.expect("reads").expect("there");
    assert!(report.holds(), "{report:?}");
}

#[actix_rt::test]
async fn while_the_database_is_away_senders_are_told_and_afterwards_the_same_key_works() {
    let hub = TestHub::start().await;
    let (ana, cleo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "cleo@customer.test").await);
    let ticket = hub.ticket(&cleo, "Through thick and thin").await;
    let mut socket = watching(&hub, &ana, &ticket).await;
    let administrator = hub.database().administrator().await;
    let shut = |allowed: bool| format!("ALTER DATABASE {} ALLOW_CONNECTIONS {allowed}", hub.database().name);
    administrator.batch_execute(&shut(false)).await.expect("closed");
    let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", hub.database().name);
    administrator.batch_execute(&cut).await.expect("cut");
    let frame = reply(&ticket, "Can you hear me?");
    let refused = socket.ask(frame.clone()).await;
    assert_eq!(refused["code"], "unavailable", "{refused}");
    administrator.batch_execute(&shut(true)).await.expect("open");
    let deadline = Instant::now() + Duration::from_secs(15);
    let answer = loop {
        let answer = socket.ask(frame.clone()).await;
        if answer["type"] == "ack" || Instant::now() > deadline {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((&answer["type"], &answer["seq"]), (&json!("ack"), &json!(2)), "{answer}");
    assert_eq!(socket.event().await["seq"], 2);
}
