//! The hub in figures: who may read them, that they are well-formed, that they move with what happens, and that they name nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use hub_core::wire::Codec;
use serde_json::json;
use uuid::Uuid;

use crate::fixture;
use crate::hub::TestHub;
use crate::socket::{CLOSE, PATIENCE, Socket};

const TOKEN: &str = "what-prometheus-says-to-get-in";

/// Waits until every sample of `grown` (name, label, by how much) has grown since `before`; answers what was shown then.
async fn grown_since(hub: &TestHub, before: &str, grown: &[(&str, &str, f64)]) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let after = exposition(hub).await;
        let missing: Vec<_> =
            grown.iter().filter(|(name, label, by)| sum(&after, name, label) < sum(before, name, label) + by).collect();
        if missing.is_empty() {
            return after;
        }
        assert!(Instant::now() < deadline, "did not move: {missing:?}\n{after}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn hub() -> TestHub {
    TestHub::start_with(&[("TANDEM_METRICS_TOKEN", TOKEN)]).await
}

async fn exposition(hub: &TestHub) -> String {
    let answer = hub.request("GET", "/metrics").bearer(TOKEN).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    answer.text()
}

/// Every sample by its name and labels, as written.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
            (name.to_owned(), value.parse().unwrap_or_else(|e| panic!("{e}: {line}")))
        })
        .collect()
}

/// The sum of all samples of a name whose labels hold `label`.
fn sum(text: &str, name: &str, label: &str) -> f64 {
    let of_name = |(key, _): &(String, f64)| key.split('{').next() == Some(name) && key.contains(label);
    samples(text).into_iter().filter(of_name).map(|(_, value)| value).sum()
}

#[tokio::test]
async fn figures_are_for_those_who_know_the_token_and_exist_for_nobody_without_one() {
    let plain = TestHub::shared().await;
    plain.request("GET", "/metrics").send().await.refused(404, "not_found");
    plain.request("GET", "/metrics").bearer(TOKEN).send().await.refused(404, "not_found");
    let hub = hub().await;
    let ana = hub.token("acme", "owner@acme.test").await;
    hub.request("GET", "/metrics").send().await.refused(401, "unauthenticated");
    for wrong in ["", "wrong", &TOKEN[1..], &format!("{TOKEN}x"), &ana] {
        hub.request("GET", "/metrics").bearer(wrong).send().await.refused(401, "unauthenticated");
    }
    hub.request("POST", "/metrics").bearer(TOKEN).send().await.refused(405, "not_found");
    assert!(exposition(&hub).await.contains("tandem_ready 1\n"));
}

#[actix_rt::test]
async fn every_figure_is_described_and_named_by_the_conventions() {
    let hub = hub().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let mut socket = Socket::greet(hub.address(), Codec::Json, &ana).await;
    socket.is_alive().await;
    let text = exposition(&hub).await;
    let (mut helped, mut typed) = (BTreeSet::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            assert!(help.ends_with('.') && helped.insert(name), "{line}");
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            assert!(typed.insert(name, kind).is_none(), "twice: {line}");
        } else {
            assert!(!line.starts_with('#'), "{line}");
        }
    }
    assert!(typed.len() >= 30, "{typed:?}");
    assert_eq!(helped, typed.keys().copied().collect());
    for (name, kind) in &typed {
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert!(name.starts_with("tandem_") || name.starts_with("process_"), "{name}");
        assert_eq!(*kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        assert!(["counter", "gauge", "histogram"].contains(kind), "{name} is a {kind}");
        assert!(!["_ms", "_millis", "_kb", "_count", "_sum", "_bucket"].iter().any(|end| name.ends_with(end)), "{name}");
    }
    for key in samples(&text).keys() {
        let name = key.split('{').next().expect("a name");
        let part_of = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
        let known = typed.contains_key(name) || part_of.is_some_and(|of| typed.get(of) == Some(&"histogram"));
        assert!(known, "{key} has no type");
    }
    for bound in ["le=\"0.0005\"", "le=\"5\"", "le=\"+Inf\""] {
        assert!(text.contains(&format!("tandem_journal_commit_seconds_bucket{{{bound}}}")), "{bound}\n{text}");
    }
}

#[actix_rt::test]
async fn figures_move_with_what_happens_and_name_nobody() {
    let hub = hub().await;
    let (ana, cleo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "cleo@customer.test").await);
    let before = exposition(&hub).await;
    let wrong = json!({"workspace": "acme", "email": "bo@acme.test", "password": "wrong", "grant": "token"});
    hub.request("POST", "/api/v1/sessions").json(&wrong).send().await.refused(401, "unauthenticated");
    let ticket = hub.ticket(&cleo, "The printer whispers").await;
    let id = ticket["id"].as_str().expect("an id").to_owned();
    hub.api(&ana, "GET", &format!("/tickets/{id}")).send().await.expect(200);
    let mut socket = Socket::greet(hub.address(), Codec::MsgPack, &ana).await;
    assert_eq!(socket.ask(json!({"type": "subscribe", "topic": format!("ticket:{id}")})).await["type"], "subscribed");
    let note =
        json!({"type": "post_reply", "key": Uuid::new_v4(), "ticket_id": id, "body": "Listening.", "audience": "internal"});
    assert_eq!(socket.ask(note).await["type"], "ack");
    assert_eq!(socket.event().await["seq"], 2);
    hub.api(&ana, "PUT", &format!("/tickets/{id}/read")).json(&json!({"seq": 2})).send().await.expect(200);
    let blind = json!({"type": "post_reply", "key": Uuid::new_v4(), "ticket_id": id, "body": "Hm.", "audience": "public"});
    assert_eq!(socket.ask(blind).await["code"], "invalid");
    actors::faults::panic_at_next_command(id.parse().expect("an id"));
    let note = json!({"type": "post_reply", "key": Uuid::new_v4(), "ticket_id": id, "body": "Hm.", "audience": "internal"});
    assert_eq!(socket.ask(note).await["code"], "unavailable");

    let grown = [
        ("tandem_sign_ins_total", "outcome=\"wrong\"", 1.0),
        ("tandem_http_requests_total", "route=\"/api/v1/tickets/{id}\"", 1.0),
        ("tandem_http_requests_total", "status=\"4xx\"", 1.0),
        ("tandem_http_requests_total", "method=\"PUT\"", 1.0),
        ("tandem_http_request_seconds_count", "route=\"/ws\"", 1.0),
        ("tandem_refusals_total", "code=\"unauthenticated\"", 1.0),
        ("tandem_refusals_total", "code=\"invalid\"", 1.0),
        ("tandem_frames_in_total", "type=\"post_reply\"", 2.0),
        ("tandem_frames_in_total", "type=\"hello\"", 1.0),
        ("tandem_frames_out_total", "type=\"welcome\"", 1.0),
        ("tandem_frames_out_total", "type=\"subscribed\"", 1.0),
        ("tandem_frames_out_total", "type=\"event\"", 1.0),
        ("tandem_frames_out_total", "type=\"ack\"", 1.0),
        ("tandem_ticket_activations_total", "", 1.0),
        ("tandem_ticket_panics_total", "", 1.0),
        ("tandem_journal_commit_seconds_count", "", 2.0),
        ("tandem_command_seconds_count", "", 2.0),
        ("tandem_journal_batch_appends_sum", "", 2.0),
        ("tandem_delivery_seconds_count", "", 1.0),
        ("tandem_event_loop_stall_seconds_count", "loop=\"worker\"", 1.0),
        ("tandem_event_loop_stall_seconds_count", "loop=\"shard\"", 1.0),
        ("tandem_ticket_read_seconds_count", "", 1.0),
        ("tandem_connections_opened_total", "", 3.0),
        ("tandem_sockets_opened_total", "", 1.0),
    ];
    let after = grown_since(&hub, &before, &grown).await;
    assert_eq!(sum(&after, "tandem_sockets_greeted", ""), 1.0);
    assert!(sum(&after, "tandem_connections_open", "") >= 1.0);
    let permits = sum(&after, "tandem_command_permits", "");
    assert!((32.0..=2_000.0).contains(&permits), "as many as are answered promptly: {permits}");
    for waiting in ["tandem_subscribes_waiting", "tandem_ticket_reads_waiting", "tandem_journal_queue_appends"] {
        assert!(after.contains(&format!("# TYPE {waiting} gauge")), "{waiting}");
    }
    assert!(sum(&after, "process_resident_memory_bytes", "") > 1_000_000.0);
    assert!(sum(&after, "process_open_fds", "") > 3.0);

    let strangers = [fixture::ACME.uuid().to_string(), "acme".into(), "ana@".into(), "Ana".into(), "printer".into(), id, ana];
    for name in strangers {
        assert!(!after.contains(&name), "{name} is told to whoever scrapes");
    }
    drop(socket);
    let deadline = Instant::now() + PATIENCE;
    while sum(&exposition(&hub).await, "tandem_sockets_greeted", "") > 0.0 {
        assert!(Instant::now() < deadline, "a closed socket is still counted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[actix_rt::test]
async fn how_sockets_end_is_told_by_code() {
    let hub = hub().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let before = exposition(&hub).await;
    let mut leaving = Socket::greet(hub.address(), Codec::Json, &ana).await;
    leaving.send_frame(0x80 | CLOSE, &1_000_u16.to_be_bytes()).await;
    drop(Socket::greet(hub.address(), Codec::Json, &ana).await);
    let mut rude = Socket::open(hub.address(), Codec::Json, &[]).await.expect("an upgrade");
    rude.send(json!({"type": "ping"})).await;
    let mut unmasked = Socket::greet(hub.address(), Codec::Json, &ana).await;
    unmasked.send_raw(&[0x81, 0x01, b'x']).await;
    let ends = ["client", "lost", "4400", "1002"].map(|code| format!("code=\"{code}\""));
    let grown: Vec<_> = ends.iter().map(|label| ("tandem_sockets_closed_total", label.as_str(), 1.0)).collect();
    grown_since(&hub, &before, &grown).await;
}

#[actix_rt::test]
async fn tickets_that_cannot_be_read_or_keep_panicking_are_told() {
    let hub = hub().await;
    let (ana, cleo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "cleo@customer.test").await);
    let (sick, torn) = (hub.ticket(&cleo, "Sick").await, hub.ticket(&cleo, "Torn").await);
    let before = exposition(&hub).await;
    let mut socket = Socket::greet(hub.address(), Codec::Json, &ana).await;
    let id = sick["id"].as_str().expect("an id").parse().expect("an id");
    for _ in 0..3 {
        actors::faults::panic_at_next_command(id);
        let note = json!({"type": "post_reply", "key": Uuid::new_v4(), "ticket_id": sick["id"], "body": "Hm.", "audience": "internal"});
        assert_eq!(socket.ask(note).await["code"], "unavailable");
    }
    let another = hub.beside(&[("TANDEM_METRICS_TOKEN", TOKEN)]).await;
    let ruin = format!("UPDATE tickets SET state = '{{}}' WHERE id = '{}'", torn["id"].as_str().expect("an id"));
    hub.database().superuser().await.batch_execute(&ruin).await.expect("ruined");
    let mut socket = Socket::greet(another.address(), Codec::Json, &ana).await;
    let topic = format!("ticket:{}", torn["id"].as_str().expect("an id"));
    assert_eq!(socket.ask(json!({"type": "subscribe", "topic": topic})).await["code"], "unavailable");
    let grown = [
        ("tandem_ticket_panics_total", "", 3.0),
        ("tandem_ticket_quarantines_total", "", 1.0),
        ("tandem_ticket_read_failures_total", "", 1.0),
    ];
    grown_since(&hub, &before, &grown).await;
}

/// Two sockets stop reading while some megabytes happen: one reads on and misses nothing, the other is cut off.
#[actix_rt::test]
async fn slow_readers_are_told_as_left_behind_resynchronised_and_cut() {
    let fast = [("TANDEM_METRICS_TOKEN", TOKEN), ("TANDEM_SOCKET_FRAMES_BURST", "2000")];
    let hub = TestHub::start_with(&fast).await;
    let (ana, cleo) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "cleo@customer.test").await);
    let ticket = hub.ticket(&cleo, "A flood").await;
    let topic = json!({"type": "subscribe", "topic": format!("ticket:{}", ticket["id"].as_str().expect("an id"))});
    let mut late = Socket::greet(hub.address(), Codec::MsgPack, &ana).await;
    let mut never = Socket::greet(hub.address(), Codec::MsgPack, &ana).await;
    for socket in [&mut late, &mut never] {
        assert_eq!(socket.ask(topic.clone()).await["type"], "subscribed");
    }
    let mut writer = Socket::greet(hub.address(), Codec::Json, &ana).await;
    let before = exposition(&hub).await;
    let behind =
        |text: &str| sum(text, "tandem_topics_left_behind_total", "") - sum(&before, "tandem_topics_left_behind_total", "");
    let (body, deadline, mut last) = ("x".repeat(32_000), Instant::now() + PATIENCE, 1);
    while behind(&exposition(&hub).await) < 2.0 {
        assert!(Instant::now() < deadline, "nobody was left behind after {last} events");
        for _ in 0..20 {
            let note = json!({"type": "post_reply", "key": Uuid::new_v4(), "ticket_id": ticket["id"], "body": body, "audience": "internal"});
            last = writer.ask(note).await["seq"].as_u64().expect("an ack");
        }
    }
    let mut seen = 1;
    while seen < last {
        let frame = late.next().await.expect("stays open");
        match (frame["type"].as_str(), frame["reset"].as_bool()) {
            (Some("event"), _) => assert_eq!(frame["seq"], seen + 1),
            (Some("subscribed"), None) => assert_eq!(
                frame["events"].as_array().map_or(0, Vec::len) as u64 + seen,
                frame["seq"].as_u64().expect("a number")
            ),
            (Some("subscribed"), Some(true)) => {}
            _ => continue,
        }
        seen = frame["seq"].as_u64().expect("a number");
    }
    let grown = [
        ("tandem_outbox_overflows_total", "", 2.0),
        ("tandem_topics_resynchronised_total", "", 1.0),
        ("tandem_sockets_cut_total", "", 1.0),
        ("tandem_sockets_closed_total", "code=\"lost\"", 1.0),
    ];
    grown_since(&hub, &before, &grown).await;
    drop(never);
}
