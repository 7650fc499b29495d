//! The client without a socket: what it says next, given what it heard.

use std::sync::Arc;

use hub_core::ids::{TicketId, UserId};
use hub_core::wire::{ClientFrame, ErrorCode, ServerFrame};
use serde_json::{Value, json};
use uuid::Uuid;

use super::shelf::Shelf;
use super::{Client, Company, Outage, TurnedAway};
use crate::fleet::{Member, Seat};
use crate::oracle::history::{Answer, Step, View};
use crate::plan::{Intent, Words};

const TICKET: &str = "00000000-0000-0000-0000-000000000005";
const STREAM: &str = "00000000-0000-0000-0000-000000000042";

fn client() -> Client {
    let user_id = UserId::new(Uuid::from_u128(1));
    let seat = Seat {
        member: Member { email: "ana@x.test".into(), token: "t".into(), user_id },
        ticket: TICKET.parse::<TicketId>().expect("an id"),
        view: View::Ticket,
    };
    let company = Company { words: Words::new(Uuid::from_u128(7), 40), tally: Arc::default(), patience_us: None };
    Client::new(seat, company, Arc::<Shelf>::default())
}

fn intent(number: u64, insists: bool) -> Intent {
    Intent { number, intended_us: 0, is_note: false, insists, measured: true, stretch: Arc::default() }
}

fn event(seq: u64) -> Value {
    let by = json!({"kind": "customer", "id": Uuid::from_u128(9), "name": "Cleo"});
    let event = json!({"type": "reply_posted", "body": format!("words {seq}"), "audience": "public", "attachments": []});
    json!({"seq": seq, "at": "2026-01-01T00:00:00.000Z", "by": by, "event": event})
}

fn hear(client: &mut Client, frame: Value) {
    client.hear(serde_json::from_value(frame).expect("a frame"), 1_000).expect("not turned away");
}

fn hear_event(client: &mut Client, seq: u64) {
    let mut frame = event(seq);
    (frame["type"], frame["topic"]) = ("event".into(), format!("ticket:{TICKET}").into());
    hear(client, frame);
}

/// What it says: type, id, and for replies based_on and force.
fn said(client: &mut Client) -> Vec<(String, u64, Option<u64>, bool)> {
    let tell = |request: hub_core::wire::client::Request| {
        let id = request.id.expect("commands have a number");
        match request.frame {
            ClientFrame::Hello { .. } => ("hello".into(), id, None, false),
            ClientFrame::Subscribe { resume, .. } => ("subscribe".into(), id, resume.map(|(after, _)| after), false),
            ClientFrame::PostReply { based_on, force, .. } => ("post_reply".into(), id, based_on, force),
            other => panic!("never says {other:?}"),
        }
    };
    client.take_out().into_iter().map(tell).collect()
}

fn post(id: u64, based_on: u64, force: bool) -> (String, u64, Option<u64>, bool) {
    ("post_reply".into(), id, Some(based_on), force)
}

fn welcome(client: &mut Client, id: u64) {
    hear(
        client,
        json!({
            "type": "welcome", "id": id, "session_id": Uuid::nil(), "node": "n", "server_time": "2026-01-01T00:00:00.000Z", "heartbeat_ms": 1,
            "user": {"id": Uuid::nil(), "name": "Ana", "email": "ana@x.test", "role": "agent"},
            "workspace": {"id": Uuid::nil(), "slug": "a", "name": "A", "workflow": {"name": "simple", "statuses": [], "reopens_to": "open"}},
            "limits": {"message_bytes": 1, "body_bytes": 1, "depth": 1, "subscriptions": 1, "commands_in_flight": 2},
        }),
    );
}

fn subscribed(client: &mut Client, id: u64, seq: u64, events: &[Value]) {
    let live = json!({"presence": [], "claim": null, "drafts": [], "clocks": []});
    hear(
        client,
        json!({
            "type": "subscribed", "id": id, "topic": format!("ticket:{TICKET}"), "stream": STREAM, "seq": seq, "live": live, "events": events,
        }),
    );
}

/// Connected and subscribed, having seen event 1; the next request is number 3.
fn live_client() -> Client {
    let mut client = client();
    client.connected();
    assert_eq!(said(&mut client), [("hello".into(), 1, None, false)]);
    welcome(&mut client, 1);
    assert_eq!(said(&mut client), [("subscribe".into(), 2, None, false)]);
    subscribed(&mut client, 2, 1, &[event(1)]);
    client
}

fn stale(id: u64, detail: Value) -> Value {
    json!({"type": "error", "id": id, "code": "stale", "message": "No.", "detail": detail})
}

#[test]
fn a_reply_says_what_was_seen_last() {
    let mut client = live_client();
    hear_event(&mut client, 2);
    client.want(intent(1, false), 5);
    assert_eq!(said(&mut client), [post(3, 2, false)]);
}

#[test]
fn refused_as_stale_it_reads_and_sends_the_same_key_again() {
    let mut client = live_client();
    client.want(intent(1, false), 5);
    assert_eq!(said(&mut client), [post(3, 1, false)]);
    hear(&mut client, stale(3, json!({"events": [event(2), event(3)]})));
    assert_eq!(said(&mut client), [post(4, 3, false)]);
    assert_eq!(client.history.commands.len(), 1);
}

#[test]
fn refused_as_stale_again_and_again_it_waits_longer_each_time() {
    let mut client = live_client();
    client.want(intent(1, false), 5);
    hear(&mut client, stale(3, json!({"events": [event(2)]})));
    said(&mut client);
    for (id, seq, pause_us) in [(4, 3, 5_000), (5, 4, 10_000), (6, 5, 20_000)] {
        hear(&mut client, stale(id, json!({"events": [event(seq)]})));
        assert_eq!((said(&mut client), client.wake_at_us()), (vec![], Some(1_000 + pause_us)));
        client.wake(1_000 + pause_us);
        assert_eq!(said(&mut client), [post(id + 1, seq, false)]);
    }
}

#[test]
fn refused_as_stale_an_impatient_one_insists() {
    let mut client = live_client();
    client.want(intent(1, true), 5);
    said(&mut client);
    hear(&mut client, stale(3, json!({"events": [event(2)]})));
    assert_eq!(said(&mut client), [post(4, 2, true)]);
}

#[test]
fn refused_as_stale_without_events_it_waits_until_the_topic_brings_them() {
    let mut client = live_client();
    client.want(intent(1, false), 5);
    said(&mut client);
    hear(&mut client, stale(3, json!({"reset": true})));
    assert_eq!(said(&mut client), []);
    hear_event(&mut client, 2);
    assert_eq!(said(&mut client), [post(4, 2, false)]);
}

#[test]
fn no_more_commands_are_under_way_than_the_hub_takes() {
    let mut client = live_client();
    (1..=3).for_each(|number| client.want(intent(number, false), 5));
    assert_eq!(said(&mut client), [post(3, 1, false), post(4, 1, false)]);
    hear(&mut client, json!({"type": "ack", "id": 3, "seq": 2}));
    assert_eq!(said(&mut client), [post(5, 1, false)]);
}

#[test]
fn what_was_not_answered_is_sent_again_as_it_was_after_a_reconnect() {
    let mut client = live_client();
    client.want(intent(1, false), 5);
    said(&mut client);
    hear_event(&mut client, 2);
    client.disconnected(2_000);
    client.want(intent(2, false), 6);
    client.tries_to_connect();
    client.tries_to_connect();
    client.connected();
    said(&mut client);
    welcome(&mut client, 4);
    assert_eq!(said(&mut client), [("subscribe".into(), 5, Some(2), false)]);
    subscribed(&mut client, 5, 3, &[event(3)]);
    // The first as it was, the second with what has been seen by now.
    assert_eq!(said(&mut client), [post(6, 1, false), post(7, 3, false)]);
    assert!(matches!(client.history.commands[0].attempts[0].answer, Answer::Lost));
    assert!(matches!(client.history.steps.last(), Some(Step::Tail(tail)) if tail.events.len() == 1));
    assert_eq!(client.outages, [Outage { lost_us: 2_000, back_us: Some(1_000), attempts: 2 }]);
}

#[test]
fn put_off_by_the_hub_it_tries_again_when_told() {
    let mut client = live_client();
    client.want(intent(1, false), 5);
    said(&mut client);
    hear(&mut client, json!({"type": "error", "id": 3, "code": "busy", "message": "No.", "retry_after_ms": 20}));
    assert_eq!(client.wake_at_us(), Some(21_000));
    client.wake(20_000);
    assert_eq!(said(&mut client), []);
    client.wake(21_000);
    assert_eq!(said(&mut client), [post(4, 1, false)]);
    assert_eq!(client.wake_at_us(), None);
}

#[test]
fn what_was_refused_or_kept_for_longer_than_anybody_waits_is_given_up() {
    let mut client = live_client();
    client.company.patience_us = Some(500);
    (1..=3).for_each(|number| client.want(Intent { intended_us: 900, ..intent(number, false) }, 1_000));
    assert_eq!(said(&mut client).len(), 2, "for the third it had no hand free");
    let busy = |id| json!({"type": "error", "id": id, "code": "busy", "message": "No.", "retry_after_ms": 20});
    // Nobody waits so long: what is refused now is given up, too.
    client.hear(serde_json::from_value(busy(3)).expect("a frame"), 1_401).expect("not turned away");
    assert_eq!((said(&mut client), client.wake_at_us()), (vec![], None));
    assert_eq!(client.company.tally.given_up.load(std::sync::atomic::Ordering::Relaxed), 2);
    assert!(client.history.commands[2].attempts.is_empty());
}

#[test]
fn a_subscribe_that_was_put_off_is_tried_again() {
    let mut client = client();
    client.connected();
    welcome(&mut client, 1);
    said(&mut client);
    hear(&mut client, json!({"type": "error", "id": 2, "code": "busy", "message": "No.", "retry_after_ms": 20}));
    client.wake(21_000);
    assert_eq!(said(&mut client), [("subscribe".into(), 3, None, false)]);
}

#[test]
fn a_refused_hello_or_subscribe_ends_it_with_words() {
    let refused = |id: u64, code: &str| -> ServerFrame {
        serde_json::from_value(json!({"type": "error", "id": id, "code": code, "message": "No."})).expect("a frame")
    };
    let mut greeting = client();
    greeting.connected();
    let TurnedAway { code, words } = greeting.hear(refused(1, "unauthenticated"), 5).expect_err("refused");
    assert_eq!(code, ErrorCode::Unauthenticated);
    assert!(words.contains("ana@x.test"), "{words}");
    let mut subscribing = client();
    subscribing.connected();
    welcome(&mut subscribing, 1);
    assert_eq!(subscribing.hear(refused(2, "not_found"), 5).expect_err("refused").code, ErrorCode::NotFound);
}

#[test]
fn answers_to_nothing_are_noted() {
    let mut client = live_client();
    client.want(intent(1, false), 5);
    said(&mut client);
    hear(&mut client, json!({"type": "ack", "id": 3, "seq": 2}));
    assert!(client.history.oddities.is_empty());
    hear(&mut client, json!({"type": "ack", "id": 3, "seq": 2}));
    hear(&mut client, json!({"type": "error", "id": 9, "code": "busy", "message": "No."}));
    hear(&mut client, json!({"type": "error", "code": "bad_frame", "message": "No."}));
    subscribed(&mut client, 77, 1, &[]);
    assert_eq!(client.history.oddities.len(), 4, "{:?}", client.history.oddities);
}

#[test]
fn a_command_refused_for_good_is_settled_and_not_sent_again() {
    let mut client = live_client();
    client.want(intent(1, false), 5);
    said(&mut client);
    hear(&mut client, json!({"type": "error", "id": 3, "code": "forbidden", "message": "No."}));
    assert_eq!(said(&mut client), []);
    assert_eq!(client.company.tally.settled.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert_eq!(client.company.tally.refusals()["forbidden"], 1);
}

#[test]
fn only_what_nothing_kept_counts_as_the_drivers_own_lateness() {
    let mut client = live_client();
    // Due before the client was subscribed, at 1,000; due after it; and beyond what the hub takes at once.
    for intended_us in [500, 1_500, 1_600] {
        client.want(Intent { intended_us, ..intent(intended_us, false) }, 1_700);
    }
    assert_eq!(client.company.tally.held_back.load(std::sync::atomic::Ordering::Relaxed), 2);
    let (.., lateness_us) = client.finish();
    assert_eq!(lateness_us, [200]);
}

#[test]
fn fallen_silent_it_sends_no_command_again() {
    let mut client = live_client();
    client.want(intent(1, false), 5);
    said(&mut client);
    client.fall_silent();
    hear(&mut client, stale(3, json!({"events": [event(2)]})));
    client.want(intent(2, false), 6);
    assert_eq!(said(&mut client), []);
}
