//! Everything a client can get wrong on a socket: each gets exactly what the protocol says, and the connection lives where
//! the protocol says it lives.

use hub_core::wire::Codec;
use serde_json::{Value, json};

use crate::hub::TestHub;
use crate::socket::{BINARY, CLOSE, Ended, Socket, TEXT};

async fn greeted(codec: Codec) -> Socket {
    let hub = TestHub::shared().await;
    let token = hub.token("acme", "lead@acme.test").await;
    Socket::greet(hub.address(), codec, &token).await
}

#[actix_rt::test]
async fn messages_that_do_not_decode_are_answered_and_the_tenth_closes() {
    for (codec, messages) in [
        (
            Codec::Json,
            [&b"{"[..], b"{} {}", b"[1]", b"{\"a\":1,\"a\":2}", b"nul", b"{\"id\":1,}", b"\"x\"", b"7", b"{\"a\":\"\\ud800\"}"],
        ),
        (
            Codec::MsgPack,
            [
                &[0xc1][..],
                &[0x80, 0x80],
                &[0x91, 1],
                &[0x82, 0xa1, b'a', 1, 0xa1, b'a', 2],
                &[0x81],
                &[0xdf, 0xff, 0xff, 0xff, 0xff],
                &[0x81, 1, 1],
                &[0xc4, 1, 1],
                &[0xa5, b'x'],
            ],
        ),
    ] {
        let mut socket = greeted(codec).await;
        for message in messages {
            socket.send_bytes(message).await;
            let answer = socket.next().await.expect("lives on");
            assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!("bad_frame")), "{codec:?} {message:?}");
        }
        socket.is_alive().await;
        socket.send_bytes(messages[0]).await;
        let (frames, ended) = socket.read_to_end().await;
        assert_eq!(frames.len(), 1);
        assert_eq!(ended, Ended::Closed(4400));
    }
}

#[actix_rt::test]
async fn a_frame_of_the_wrong_kind_is_no_frame() {
    let mut socket = greeted(Codec::Json).await;
    socket.send_frame(0x80 | BINARY, br#"{"type":"ping","id":1}"#).await;
    assert_eq!(socket.next().await.expect("lives on")["code"], "bad_frame");
    socket.is_alive().await;
}

#[actix_rt::test]
async fn depth_sixteen_passes_and_seventeen_does_not() {
    let mut socket = greeted(Codec::Json).await;
    let nested = |depth: usize| (0..depth - 1).fold(json!({}), |inner, _| json!({ "x": inner }));
    let unknown = socket.ask(json!({"type": "dance", "x": nested(15)})).await;
    assert_eq!(unknown["code"], "unknown_type");
    socket.send(json!({"type": "dance", "x": nested(16)})).await;
    assert_eq!(socket.next().await.expect("lives on")["code"], "bad_frame");
    socket.send_bytes(&[vec![b'['; 60_000], vec![b']'; 5_000]].concat()).await;
    assert_eq!(socket.next().await.expect("lives on")["code"], "bad_frame");
    socket.is_alive().await;
}

#[actix_rt::test]
async fn unknown_types_and_wrong_fields_are_answered_by_number() {
    let mut socket = greeted(Codec::MsgPack).await;
    for (frame, code, fields) in [
        (json!({"type": "take_a_break", "ticket_id": "x"}), "unknown_type", None),
        (json!({"type": "subscribe"}), "invalid", Some(json!(["topic"]))),
        (json!({"type": "subscribe", "topic": "ticket:7"}), "invalid", Some(json!(["topic"]))),
        (json!({"type": "post_reply", "body": 7}), "invalid", Some(json!(["audience", "body", "key", "ticket_id"]))),
        (json!({"type": "subscribe", "topic": "workspace", "after": -1, "stream": null}), "invalid", Some(json!(["after"]))),
    ] {
        let answer = socket.ask(frame.clone()).await;
        assert_eq!(answer["code"], code, "{frame}");
        let named = answer["detail"]["fields"].as_object().map(|f| json!(f.keys().collect::<Vec<_>>()));
        assert_eq!(named, fields, "{frame}");
        assert!(answer["message"].as_str().is_some_and(|words| !words.is_empty()));
    }
    socket.is_alive().await;
}

#[actix_rt::test]
async fn a_message_over_the_limit_closes_with_4413_before_it_is_read() {
    let announced = |length: u64| [vec![0x82, 0x80 | 127], length.to_be_bytes().to_vec(), vec![0; 4]].concat();
    for length in [64 * 1024 + 1, 400 << 20, 1 << 40] {
        let mut socket = greeted(Codec::MsgPack).await;
        socket.send_raw(&announced(length)).await;
        assert_eq!(socket.read_to_end().await, (vec![], Ended::Closed(4413)), "{length}");
    }
    let mut socket = greeted(Codec::MsgPack).await;
    socket.send_frame(BINARY, &vec![0; 40_000]).await;
    socket.send_frame(0x80, &vec![0; 40_000]).await;
    assert_eq!(socket.read_to_end().await, (vec![], Ended::Closed(4413)));
}

#[actix_rt::test]
async fn a_message_at_the_limit_is_read_whole_and_in_fragments() {
    let mut socket = greeted(Codec::Json).await;
    let frame = json!({"type": "ping", "id": 77, "pad": ""}).to_string();
    let padded = frame.replace("\"pad\":\"\"", &format!("\"pad\":\"{}\"", "é".repeat((64 * 1024 - frame.len()) / 2)));
    let bytes = padded.as_bytes();
    assert!(bytes.len() > 64 * 1024 - 2 && bytes.len() <= 64 * 1024);
    socket.send_bytes(bytes).await;
    assert_eq!(socket.next().await.expect("a pong")["id"], 77);
    // Cut in the middle of a character, with a ping in between.
    socket.send_frame(TEXT, &bytes[..40_001]).await;
    socket.send_frame(0x89, b"still here").await;
    socket.send_frame(0x00, &bytes[40_001..50_002]).await;
    socket.send_frame(0x80, &bytes[50_002..]).await;
    assert_eq!(socket.next().await.expect("a pong")["id"], 77);
}

#[actix_rt::test]
async fn breaches_of_rfc_6455_close_with_1002() {
    let unmasked = vec![0x81, 2, b'{', b'}'];
    let reserved = vec![0xc1, 0x80, 0, 0, 0, 0];
    let opcode = vec![0x83, 0x80, 0, 0, 0, 0];
    let long_control = [vec![0x89, 0x80 | 126, 0, 200, 0, 0, 0, 0], vec![0; 200]].concat();
    let split_control = vec![0x09, 0x80, 0, 0, 0, 0];
    let continues_nothing = vec![0x80, 0x80, 0, 0, 0, 0];
    for bytes in [unmasked, reserved, opcode, long_control, split_control, continues_nothing] {
        let mut socket = greeted(Codec::Json).await;
        socket.send_raw(&bytes).await;
        assert_eq!(socket.read_to_end().await, (vec![], Ended::Closed(1002)), "{:x?}", &bytes[..4]);
    }
}

#[actix_rt::test]
async fn text_that_is_no_utf8_closes_with_1007() {
    for bytes in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"{\"x\":\"\xe2\x82\"}"] {
        let mut whole = greeted(Codec::Json).await;
        whole.send_bytes(bytes).await;
        assert_eq!(whole.read_to_end().await, (vec![], Ended::Closed(1007)), "{bytes:?}");
        let mut split = greeted(Codec::Json).await;
        split.send_frame(TEXT, &bytes[..1]).await;
        split.send_frame(0x80, &bytes[1..]).await;
        assert_eq!(split.read_to_end().await, (vec![], Ended::Closed(1007)), "{bytes:?}");
    }
}

#[actix_rt::test]
async fn a_close_is_answered() {
    let mut socket = greeted(Codec::Json).await;
    socket.send_frame(0x80 | CLOSE, &1000_u16.to_be_bytes()).await;
    assert_eq!(socket.read_to_end().await, (vec![], Ended::Closed(1000)));
}

#[actix_rt::test]
async fn text_is_kept_to_the_code_point() {
    let hub = TestHub::shared().await;
    let customer = hub.token("acme", "cleo@customer.test").await;
    let ticket = hub.ticket(&customer, "Characters").await;
    let mut socket = Socket::greet(hub.address(), Codec::MsgPack, &customer).await;
    let topic = format!("thread:{}", ticket["id"].as_str().expect("an id"));
    socket.ask(json!({"type": "subscribe", "topic": topic})).await;
    for body in ["e\u{301} é", "👩‍👩‍👧‍👦", "שלום \u{202e}abc", "\u{feff}x", "a\r\nb\tc", "\u{1}\u{7f}", "𝕳", "\u{10ffff}"]
    {
        let key = uuid::Uuid::new_v4();
        let frame = json!({"type": "post_reply", "key": key, "ticket_id": ticket["id"], "body": body, "audience": "public"});
        assert_eq!(socket.ask(frame).await["type"], "ack", "{body:?}");
        let event = socket.event().await;
        assert_eq!(event["event"]["body"], Value::from(body));
    }
    let nul = json!({"type": "post_reply", "key": uuid::Uuid::new_v4(), "ticket_id": ticket["id"], "body": "a\u{0}", "audience": "public"});
    assert_eq!(socket.ask(nul).await["code"], "invalid");
}
