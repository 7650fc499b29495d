//! Who comes too often, too many or too slowly: told so at once, with a time to come again, and nobody else notices.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hub_core::wire::Codec;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http::Answer;
use crate::hub::TestHub;
use crate::socket::{Ended, PATIENCE, Socket};

/// Asks until it is refused; how often it was let through, and the refusal.
async fn until_refused(ask: impl AsyncFn() -> Answer) -> (usize, Answer) {
    for passed in 0..200 {
        let answer = ask().await;
        if answer.status == 429 {
            return (passed, answer);
        }
    }
    panic!("never refused");
}

fn assert_told_when(refused: &Answer) {
    let told = refused.refused(429, "rate_limited");
    assert!(told["retry_after_ms"].as_u64().is_some_and(|ms| (1..=1_000).contains(&ms)), "{told}");
    assert_eq!(refused.header("retry-after"), Some("1"));
}

#[actix_rt::test]
async fn strangers_wait_together_and_those_who_are_known_do_not_wait_for_them() {
    let settings = [
        ("TANDEM_ADDRESS_REQUESTS_PER_SECOND", "1"),
        ("TANDEM_ADDRESS_REQUESTS_BURST", "12"),
        ("TANDEM_TOKEN_REQUESTS_PER_SECOND", "100"),
        ("TANDEM_TOKEN_REQUESTS_BURST", "1000"),
        ("TANDEM_SOCKETS_PER_USER", "100"),
    ];
    let hub = TestHub::start_with(&settings).await;
    let ana = hub.token("acme", "ana@acme.test").await;
    hub.api(&ana, "GET", "/me").send().await.expect(200);
    let (passed, refused) = until_refused(async || hub.request("GET", "/api/v1/me").send().await).await;
    assert!((8..=20).contains(&passed), "{passed}");
    assert_told_when(&refused);
    // Neither nonsense nor a well-formed token of nobody's helps, nor another door.
    let unknown = format!("tdm_{}_{}", "0".repeat(32), "A".repeat(43));
    for token in ["nonsense", &unknown] {
        until_refused(async || hub.api(token, "GET", "/me").send().await).await;
    }
    let mut handshake = Socket::open(hub.address(), Codec::Json, &[]).await;
    while handshake.is_ok() {
        handshake = Socket::open(hub.address(), Codec::Json, &[]).await;
    }
    assert_eq!(handshake.err(), Some(429));
    // Those who are known shake hands all the same, if they say so at once: before `hello` nobody else can tell.
    let bearer = format!("Bearer {ana}");
    for _ in 0..20 {
        let mut socket = Socket::open(hub.address(), Codec::Json, &[("Authorization", &bearer)]).await.expect("an upgrade");
        assert_eq!(socket.ask(json!({"type": "hello", "protocol": 1})).await["type"], "welcome");
    }
    for _ in 0..20 {
        hub.api(&ana, "GET", "/me").send().await.expect(200);
    }
    for path in ["/", "/healthz", "/readyz"] {
        assert_eq!(hub.request("GET", path).send().await.status, 200, "{path}");
    }
}

#[actix_rt::test]
async fn strangers_with_a_token_count_before_they_are_answered() {
    let settings = [("TANDEM_ADDRESS_REQUESTS_PER_SECOND", "1"), ("TANDEM_ADDRESS_REQUESTS_BURST", "5")];
    let hub = TestHub::start_with(&settings).await;
    let unknown = format!("tdm_{}_{}", "0".repeat(32), "A".repeat(43));
    let began = Instant::now();
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..60 {
        all.spawn(hub.api(&unknown, "GET", "/me").send());
    }
    let statuses: Vec<u16> = all.join_all().await.iter().map(|answer| answer.status).collect();
    let passed = statuses.iter().filter(|status| **status == 401).count();
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
    let grown_back = usize::try_from(began.elapsed().as_secs()).expect("few") + 1;
    assert!((1..=5 + grown_back).contains(&passed), "{passed} in {:?}", began.elapsed());
}

#[actix_rt::test]
async fn a_sign_in_that_has_ended_counts_for_its_address_again() {
    let settings = [("TANDEM_ADDRESS_REQUESTS_PER_SECOND", "1"), ("TANDEM_ADDRESS_REQUESTS_BURST", "8")];
    let hub = TestHub::start_with(&settings).await;
    let ana = hub.token("acme", "ana@acme.test").await;
    hub.api(&ana, "GET", "/me").send().await.expect(200);
    hub.api(&ana, "DELETE", "/sessions/current").send().await.expect(204);
    let (passed, refused) = until_refused(async || hub.api(&ana, "GET", "/me").send().await).await;
    assert!((4..=20).contains(&passed), "{passed}");
    assert_told_when(&refused);
}

#[actix_rt::test]
async fn handshakes_of_those_who_say_hello_do_not_count_for_their_address() {
    let settings = [
        ("TANDEM_ADDRESS_REQUESTS_PER_SECOND", "1"),
        ("TANDEM_ADDRESS_REQUESTS_BURST", "5"),
        ("TANDEM_SOCKETS_PER_USER", "100"),
    ];
    let hub = TestHub::start_with(&settings).await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let mut sockets = Vec::new();
    for _ in 0..30 {
        sockets.push(Socket::greet(hub.address(), Codec::Json, &ana).await);
    }
    let mut silent = Vec::new();
    let refused = loop {
        match Socket::open(hub.address(), Codec::Json, &[]).await {
            Ok(socket) => silent.push(socket),
            Err(status) => break status,
        }
        assert!(silent.len() < 20, "never refused");
    };
    assert_eq!(refused, 429);
}

#[actix_rt::test]
async fn a_sign_in_has_its_rate_and_a_person_has_one_for_all_doors() {
    let settings = [
        ("TANDEM_TOKEN_REQUESTS_PER_SECOND", "1"),
        ("TANDEM_TOKEN_REQUESTS_BURST", "20"),
        ("TANDEM_USER_REQUESTS_PER_SECOND", "1"),
        ("TANDEM_USER_REQUESTS_BURST", "30"),
    ];
    let hub = TestHub::start_with(&settings).await;
    let (one, two) = (hub.token("acme", "ana@acme.test").await, hub.token("acme", "ana@acme.test").await);
    let bo = hub.token("acme", "bo@acme.test").await;
    let mut socket = Socket::greet(hub.address(), Codec::MsgPack, &one).await;
    let (passed, refused) = until_refused(async || hub.api(&one, "GET", "/me").send().await).await;
    assert!((20..30).contains(&passed), "{passed}");
    assert_told_when(&refused);
    let (passed, refused) = until_refused(async || hub.api(&two, "GET", "/me").send().await).await;
    assert!(passed < 20, "{passed}: what is left of the person's rate");
    assert_told_when(&refused);
    hub.api(&bo, "GET", "/me").send().await.expect(200);
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let began = Instant::now();
        let answer = socket.ask(json!({"type": "ping"})).await;
        if answer["type"] == "error" {
            assert_eq!(answer["code"], "rate_limited", "{answer}");
            assert!(answer["retry_after_ms"].as_u64().is_some_and(|ms| (1..=1_000).contains(&ms)), "{answer}");
            fastest = fastest.min(began.elapsed());
        }
    }
    assert!(fastest < Duration::from_millis(50), "refused within 50 ms, not {fastest:?}");
}

#[actix_rt::test]
async fn a_socket_over_its_rate_is_answered_frame_by_frame_and_one_that_goes_on_regardless_is_let_go() {
    let hub = TestHub::shared().await;
    let token = hub.token("acme", "bo@acme.test").await;
    let mut socket = Socket::greet(hub.address(), Codec::Json, &token).await;
    for _ in 0..300 {
        socket.send(json!({"type": "ping"})).await;
    }
    let (mut pongs, mut refusals) = (0, 0);
    while pongs + refusals < 300 {
        let answer = socket.next().await.expect("lives on");
        match answer["code"].as_str() {
            Some("rate_limited") if answer["retry_after_ms"].as_u64().is_some_and(|ms| ms >= 1) => refusals += 1,
            None if answer["type"] == "pong" => pongs += 1,
            _ => panic!("{answer}"),
        }
    }
    assert!((59..280).contains(&pongs) && refusals > 0, "{pongs} pongs, {refusals} refusals");
    let mut flood = Socket::greet(hub.address(), Codec::Json, &token).await;
    let ping = [0x89, 0x80, 0, 0, 0, 0];
    flood.send_raw(&ping.repeat(20_000)).await;
    let (_, ended) = flood.read_to_end().await;
    // What was sent behind the last straw may break the connection before the close frame is read.
    assert!(matches!(ended, Ended::Closed(4429) | Ended::Broken), "{ended:?}");
    let deadline = Instant::now() + PATIENCE;
    while socket.ask(json!({"type": "ping"})).await["type"] != "pong" {
        assert!(Instant::now() < deadline, "it waits, and is never let through again");
    }
}

#[actix_rt::test]
async fn a_storm_of_handshakes_is_told_to_come_again_and_those_who_are_in_notice_nothing() {
    let settings = [("TANDEM_HANDSHAKES_PER_SECOND", "1"), ("TANDEM_HANDSHAKES_BURST", "3")];
    let hub = TestHub::start_with(&settings).await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let mut inside = Socket::greet(hub.address(), Codec::Json, &ana).await;
    let mut refused = String::new();
    for _ in 0..10 {
        refused = handshake(hub.address()).await;
        if !refused.starts_with("http/1.1 101") {
            break;
        }
    }
    assert!(refused.starts_with("http/1.1 503") && refused.contains("\r\nretry-after: 1\r\n"), "{refused}");
    inside.is_alive().await;
    hub.api(&ana, "GET", "/me").send().await.expect(200);
    let deadline = Instant::now() + PATIENCE;
    while Socket::open(hub.address(), Codec::Json, &[]).await.is_err() {
        assert!(Instant::now() < deadline, "the storm is over, and nobody gets in");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Shakes hands and answers the head of the answer, in small letters.
async fn handshake(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.expect("listens");
    let asked = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: tandem.v1.json\r\n\r\n";
    stream.write_all(asked.as_bytes()).await.expect("the hub reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, stream.read_u8()).await.expect("an answer").expect("a head"));
    }
    String::from_utf8(head).expect("text").to_lowercase()
}

#[actix_rt::test]
async fn one_connection_too_many_is_told_so_and_makes_room_when_another_leaves() {
    let hub = TestHub::start_with(&[("TANDEM_CONNECTIONS_PER_ADDRESS", "4")]).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(TcpStream::connect(hub.address()).await.expect("listens"));
    }
    let deadline = Instant::now() + PATIENCE;
    let refused = loop {
        let answer = hub.request("GET", "/healthz").send().await;
        if answer.status == 503 {
            break answer;
        }
        assert!(Instant::now() < deadline, "never refused");
    };
    refused.refused(503, "busy");
    assert_eq!(refused.header("retry-after"), Some("5"));
    held.clear();
    while hub.request("GET", "/healthz").send().await.status != 200 {
        assert!(Instant::now() < deadline, "nobody makes room");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[actix_rt::test]
async fn half_open_handshakes_by_the_hundred_hold_nobody_up_and_are_let_go() {
    let hub = TestHub::start().await;
    let ana = hub.token("acme", "ana@acme.test").await;
    let mut held = Vec::new();
    for n in 0..300 {
        let mut stream = TcpStream::connect(hub.address()).await.expect("listens");
        let half: &[u8] = match n % 3 {
            0 => b"",
            1 => b"GET /ws HT",
            _ => b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhl",
        };
        stream.write_all(half).await.expect("the hub reads");
        held.push(stream);
    }
    let began = Instant::now();
    let mut good = Socket::greet(hub.address(), Codec::MsgPack, &ana).await;
    good.is_alive().await;
    hub.api(&ana, "GET", "/tickets").send().await.expect(200);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    // One of them trickles: a head has to be whole in time, however busily it comes.
    let mut trickle = held.pop().expect("three hundred");
    let trickling = async {
        let mut answer = Vec::new();
        loop {
            tokio::select! {
                read = trickle.read_buf(&mut answer) => {
                    if matches!(read, Ok(0) | Err(_)) {
                        return;
                    }
                }
                () = tokio::time::sleep(Duration::from_millis(100)) => {
                    // Whether it is still read shows above.
                    let _ = trickle.write_all(b"x").await;
                }
            }
        }
    };
    timeout(PATIENCE, trickling).await.expect("the one that trickles is let go");
    for mut stream in held {
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("let go");
        assert!(read.is_err() || answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "{answer:?}");
    }
    good.is_alive().await;
}
