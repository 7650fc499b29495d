//! Opening a socket: who gets in, in which words, and how those who do not are told.

use hub_core::wire::Codec;
use serde_json::json;

use crate::hub::TestHub;
use crate::socket::{Ended, Socket};

#[actix_rt::test]
async fn both_codecs_are_greeted_with_the_same_words() {
    let hub = TestHub::shared().await;
    let token = hub.token("acme", "ana@acme.test").await;
    for codec in Codec::ALL {
        let mut socket = Socket::open(hub.address(), codec, &[]).await.expect("an upgrade");
        let hello = json!({"type": "hello", "protocol": 1, "token": token, "client": {"name": "test", "version": "1"}});
        let welcome = socket.ask(hello).await;
        assert_eq!(welcome["type"], "welcome");
        assert_eq!(welcome["user"]["email"], "ana@acme.test");
        assert_eq!(welcome["user"]["role"], "agent");
        assert_eq!(welcome["workspace"]["slug"], "acme");
        assert_eq!(welcome["workspace"]["workflow"]["name"], "simple");
        assert_eq!(welcome["limits"]["message_bytes"], 65_536);
        assert!(welcome["heartbeat_ms"].is_u64() && welcome["server_time"].is_string());
        socket.is_alive().await;
        let again = socket.ask(json!({"type": "hello", "protocol": 1, "token": token})).await;
        assert_eq!(again["code"], "invalid");
        socket.is_alive().await;
    }
}

#[actix_rt::test]
async fn a_bearer_token_or_a_cookie_of_our_own_page_is_enough() {
    let hub = TestHub::shared().await;
    let token = hub.token("acme", "cleo@customer.test").await;
    let (bearer, cookie) = (format!("Bearer {token}"), format!("tandem={token}"));
    let origin = hub.url();
    for headers in [vec![("Authorization", bearer.as_str())], vec![("Cookie", cookie.as_str()), ("Origin", origin.as_str())]] {
        let mut socket = Socket::open(hub.address(), Codec::Json, &headers).await.expect("an upgrade");
        let welcome = socket.ask(json!({"type": "hello", "protocol": 1})).await;
        assert_eq!(welcome["user"]["role"], "customer", "{headers:?}");
    }
}

#[actix_rt::test]
async fn a_page_that_is_not_ours_gets_no_socket() {
    let hub = TestHub::shared().await;
    let token = hub.token("acme", "cleo@customer.test").await;
    let cookie = format!("tandem={token}");
    let port = hub.address().port();
    let foreign = [
        "null".to_owned(),
        "http://evil.example".to_owned(),
        format!("http://127.0.0.1:{}", port.wrapping_add(1)),
        format!("https://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}.evil.example"),
    ];
    for origin in &foreign {
        for headers in [vec![("Cookie", cookie.as_str()), ("Origin", origin)], vec![("Origin", origin)]] {
            let refused = Socket::open(hub.address(), Codec::Json, &headers).await.err();
            assert_eq!(refused, Some(403), "{headers:?}");
        }
    }
    assert_eq!(Socket::open(hub.address(), Codec::Json, &[("Cookie", &cookie)]).await.err(), Some(403));
}

#[actix_rt::test]
async fn without_a_common_subprotocol_there_is_no_socket() {
    let hub = TestHub::shared().await;
    for offer in [vec![], vec![("Sec-WebSocket-Protocol", "tandem.v2.json, chat")]] {
        assert_eq!(Socket::open_raw(hub.address(), Codec::Json, &offer).await.err(), Some(400));
    }
    let offer = [("Sec-WebSocket-Protocol", "chat, tandem.v1.json, tandem.v1.msgpack")];
    Socket::open_raw(hub.address(), Codec::Json, &offer).await.expect("the first that both know");
}

#[actix_rt::test]
async fn who_cannot_say_hello_is_told_why_and_let_go() {
    let hub = TestHub::shared().await;
    let unknown_token = format!("tdm_{}_{}", "0".repeat(32), "A".repeat(43));
    for (frame, code, close) in [
        (json!({"type": "hello", "protocol": 1}), "unauthenticated", 4401),
        (json!({"type": "hello", "protocol": 1, "token": "nonsense"}), "unauthenticated", 4401),
        (json!({"type": "hello", "protocol": 1, "token": unknown_token}), "unauthenticated", 4401),
        (json!({"type": "hello", "protocol": 2, "token": "x"}), "unsupported_version", 4400),
        (json!({"type": "hello"}), "invalid", 4400),
    ] {
        let mut socket = Socket::open(hub.address(), Codec::MsgPack, &[]).await.expect("an upgrade");
        let answer = socket.ask(frame.clone()).await;
        assert_eq!(answer["code"], code, "{frame}");
        assert_eq!(socket.read_to_end().await, (vec![], Ended::Closed(close)), "{frame}");
    }
    let mut socket = Socket::open(hub.address(), Codec::Json, &[]).await.expect("an upgrade");
    socket.send(json!({"type": "ping"})).await;
    assert_eq!(socket.read_to_end().await, (vec![], Ended::Closed(4400)));
}

#[actix_rt::test]
async fn who_says_nothing_is_let_go_after_a_while() {
    let hub = TestHub::shared().await;
    let mut socket = Socket::open(hub.address(), Codec::Json, &[]).await.expect("an upgrade");
    assert_eq!(socket.read_to_end().await, (vec![], Ended::Closed(4401)));
}

#[actix_rt::test]
async fn signing_out_closes_the_sockets_of_that_sign_in_and_no_other() {
    let hub = TestHub::shared().await;
    let (gone, stays) = (hub.token("acme", "dan@customer.test").await, hub.token("acme", "dan@customer.test").await);
    let mut closed = Socket::greet(hub.address(), Codec::Json, &gone).await;
    let mut open = Socket::greet(hub.address(), Codec::Json, &stays).await;
    let began = std::time::Instant::now();
    hub.api(&gone, "DELETE", "/sessions/current").send().await;
    assert_eq!(closed.read_to_end().await.1, Ended::Closed(4401));
    assert!(began.elapsed().as_secs_f64() < 2.0, "{:?}", began.elapsed());
    open.is_alive().await;
}

#[actix_rt::test]
async fn a_sign_in_that_is_ended_behind_the_hubs_back_closes_its_sockets_too() {
    let hub = TestHub::start().await;
    let token = hub.token("acme", "dan@customer.test").await;
    let mut socket = Socket::greet(hub.address(), Codec::Json, &token).await;
    let behind = hub.database().superuser().await;
    behind.batch_execute("UPDATE sessions SET revoked_at = now()").await.expect("revoked");
    assert_eq!(socket.read_to_end().await.1, Ended::Closed(4401));
}

#[actix_rt::test]
async fn a_hub_that_stops_says_goodbye_first() {
    let hub = TestHub::start().await;
    let token = hub.token("acme", "ana@acme.test").await;
    let mut socket = Socket::greet(hub.address(), Codec::Json, &token).await;
    let stopping = actix_rt::spawn(hub.leave());
    let (frames, ended) = socket.read_to_end().await;
    assert_eq!(frames.last().map(|frame| frame["type"].clone()), Some(json!("goodbye")));
    assert!(frames.last().is_some_and(|frame| frame["reconnect_after_ms"].is_u64()));
    assert_eq!(ended, Ended::Closed(1012));
    stopping.await.expect("joins").0.expect("a clean stop");
}
