//! Held replies, live: they go out on time, once, whoever watches and whatever dies; and what is overtaken is a draft again.

use std::time::Duration;

use hub_core::ids::CommandKey;
use hub_core::ports::{EventRange, From, Journal};
use hub_core::rules::intent::{Asker, Intent, Step};
use hub_core::rules::stale::Numbering;
use hub_core::wire::{Audience, ErrorCode, Event, ServerFrame, Topic};

use crate::desk::{Desk, TICKET, ana, bo, cleo, command_key, note, public};

fn hold(by: Asker, key: u128, body: &str, based_on: u64) -> Intent {
    let step = Step::HoldReply {
        body: body.into(),
        audience: Audience::Public,
        based_on: Some(based_on),
        force: false,
        mentions: vec![],
        then_status: None,
        hold_ms: 8_000,
    };
    Intent { key: command_key(key), by, steps: vec![step] }
}

/// What became of held replies: `held a`, `sent a`, `back stale`.
async fn log(desk: &Desk) -> Vec<String> {
    let range = EventRange { numbering: Numbering::Ticket, from: From::After(0), limit: 500 };
    let events = desk.journal.events(TICKET, range).await.expect("memory");
    let words = events.iter().filter_map(|happened| match &happened.event {
        Event::ReplyHeld { body, .. } => Some(format!("held {body}")),
        Event::ReplyPosted { body, held_key: Some(_), .. } => Some(format!("sent {body}")),
        Event::HeldCancelled { why, .. } => Some(format!("back {why:?}")),
        _ => None,
    });
    words.collect()
}

fn cancel(by: Asker, key: u128, held_key: CommandKey) -> Intent {
    Intent { key: command_key(key), by, steps: vec![Step::CancelHeld { held_key }] }
}

#[actix_rt::test]
async fn a_held_reply_goes_out_when_its_time_has_come_and_not_before() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let customer = desk.watching(cleo()).await;
    desk.tickets.submit(TICKET, hold(ana(), 1, "a", 1)).await.expect("fresh");
    desk.pass(Duration::from_millis(7_900)).await;
    assert_eq!(log(&desk).await, ["held a"]);
    assert_eq!(customer.read(), vec![], "nothing of it shows before");
    desk.pass(Duration::from_millis(200)).await;
    assert_eq!(log(&desk).await, ["held a", "sent a"]);
    let frames = customer.read();
    let [ServerFrame::Event { topic: Topic::Thread(_), seq: 2, event, by, .. }] = frames.as_slice() else {
        panic!("{frames:?}")
    };
    assert_eq!(by.id, Some(ana().user));
    assert!(matches!(event, Event::ReplyPosted { held_key: None, .. }), "customers are not told that it was held: {event:?}");
    desk.pass_coarsely(Duration::from_secs(120)).await;
    assert_eq!(log(&desk).await, ["held a", "sent a"], "once");
}

#[actix_rt::test]
async fn a_held_reply_goes_out_also_when_nobody_looks_and_when_its_hub_is_gone() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.write_elsewhere(&hold(ana(), 1, "a", 1)).await;
    // This hub has never heard of it: the database tells.
    desk.pass(Duration::from_secs(10)).await;
    assert_eq!(log(&desk).await, ["held a", "sent a"]);
}

#[actix_rt::test]
async fn two_hubs_that_release_the_same_reply_send_it_once() {
    tokio::time::pause();
    let desk = Desk::open().await;
    let other = desk.another();
    desk.tickets.submit(TICKET, hold(ana(), 1, "a", 1)).await.expect("fresh");
    let watcher = other.watching(bo()).await;
    desk.pass(Duration::from_secs(20)).await;
    assert_eq!(log(&desk).await, ["held a", "sent a"]);
    drop(watcher);
}

#[actix_rt::test]
async fn what_was_overtaken_meanwhile_is_a_draft_again_and_its_author_is_told() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.tickets.submit(TICKET, hold(ana(), 1, "a", 1)).await.expect("fresh");
    desk.tickets.submit(TICKET, public(cleo(), 2, 1)).await.expect("never refused");
    desk.pass(Duration::from_secs(9)).await;
    assert_eq!(log(&desk).await, ["held a", "back Some(Stale)"]);
}

#[actix_rt::test]
async fn what_is_taken_back_does_not_go_out_and_what_went_out_is_not_taken_back() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.tickets.submit(TICKET, hold(ana(), 1, "a", 1)).await.expect("fresh");
    let cancelled = desk.tickets.submit(TICKET, cancel(ana(), 2, command_key(1))).await.expect("in time");
    assert_eq!(desk.tickets.submit(TICKET, cancel(ana(), 2, command_key(1))).await, Ok(cancelled), "the same again");
    desk.pass(Duration::from_secs(20)).await;
    assert_eq!(log(&desk).await, ["held a", "back None"]);
    desk.tickets.submit(TICKET, hold(ana(), 3, "b", 3)).await.expect("fresh");
    desk.pass(Duration::from_secs(9)).await;
    let late = desk.tickets.submit(TICKET, cancel(ana(), 4, command_key(3))).await.expect_err("it went out");
    assert_eq!(late.code, ErrorCode::IllegalTransition);
    assert_eq!(log(&desk).await, ["held a", "back None", "held b", "sent b"]);
}

#[actix_rt::test]
async fn a_colleague_who_uses_the_key_of_a_release_keeps_no_reply_back() {
    tokio::time::pause();
    let desk = Desk::open().await;
    desk.tickets.submit(TICKET, hold(ana(), 1, "a", 1)).await.expect("fresh");
    let key = CommandKey::of_release(TICKET.ticket, command_key(1));
    desk.tickets.submit(TICKET, Intent { key, ..note(bo(), 2) }).await.expect("a note");
    desk.pass(Duration::from_secs(10)).await;
    assert_eq!(log(&desk).await, ["held a", "sent a"]);
}
