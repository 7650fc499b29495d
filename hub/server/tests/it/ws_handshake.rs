//! The opening handshake of RFC 6455, section 4, over raw connections: what is asked, and the head of the answer.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::hub::TestHub;
use crate::socket::PATIENCE;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A handshake as it should be: each line can be replaced, dropped or doubled.
const GOOD: [(&str, &str); 6] = [
    ("Host", "localhost"),
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Protocol", "tandem.v1.json"),
];

/// The head of the answer, in small letters.
async fn ask(address: SocketAddr, start: &str, headers: &[(&str, &str)]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("listens");
    let mut head = format!("{start}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await.expect("the hub reads");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(timeout(PATIENCE, stream.read_u8()).await.expect("an answer").expect("a head"));
    }
    String::from_utf8(answer).expect("text").to_lowercase()
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

/// The good handshake with other values for one header; none drops it.
fn with<'a>(name: &'a str, values: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let others = GOOD.into_iter().filter(|(known, _)| *known != name);
    others.chain(values.iter().map(|value| (name, *value))).collect()
}

#[actix_rt::test]
async fn a_good_handshake_is_answered_as_the_rfc_says() {
    let hub = TestHub::shared().await;
    let head = ask(hub.address(), "GET /ws HTTP/1.1", &GOOD).await;
    assert_eq!(status(&head), 101, "{head}");
    for line in [
        "upgrade: websocket",
        "connection: upgrade",
        "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=",
        "sec-websocket-protocol: tandem.v1.json",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {head}");
    }
    // An extension may be offered; none is agreed on.
    let offer = [GOOD.as_slice(), &[("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")]].concat();
    let head = ask(hub.address(), "GET /ws HTTP/1.1", &offer).await;
    assert!(status(&head) == 101 && !head.contains("sec-websocket-extensions"), "{head}");
}

#[actix_rt::test]
async fn every_line_of_a_handshake_counts() {
    let hub = TestHub::shared().await;
    let rows: [(&str, &[&str], u16); 30] = [
        ("Host", &[], 400),
        ("Host", &["a", "b"], 400),
        ("Connection", &[], 400),
        ("Connection", &["keep-alive"], 400),
        ("Connection", &["keep-alive, Upgrade"], 101),
        ("Connection", &["UPGRADE"], 101),
        ("Upgrade", &[], 400),
        ("Upgrade", &["h2c"], 400),
        ("Upgrade", &["notwebsocket"], 400),
        ("Upgrade", &["WebSocket"], 101),
        ("Sec-WebSocket-Version", &[], 426),
        ("Sec-WebSocket-Version", &["0"], 426),
        ("Sec-WebSocket-Version", &["8"], 426),
        ("Sec-WebSocket-Version", &["12"], 426),
        ("Sec-WebSocket-Version", &["14"], 426),
        ("Sec-WebSocket-Version", &["13, 8"], 426),
        ("Sec-WebSocket-Version", &["13", "8"], 426),
        ("Sec-WebSocket-Version", &["thirteen"], 426),
        ("Sec-WebSocket-Key", &[], 400),
        ("Sec-WebSocket-Key", &[""], 400),
        ("Sec-WebSocket-Key", &["c2hvcnQ="], 400),
        ("Sec-WebSocket-Key", &["dGhlIHNhbXBsZSBub25jZSEh"], 400),
        ("Sec-WebSocket-Key", &["not base64, not at all!!"], 400),
        ("Sec-WebSocket-Key", &["dGhlIHNhbXBsZSBub25jZQ"], 400),
        ("Sec-WebSocket-Key", &[KEY, KEY], 400),
        ("Sec-WebSocket-Protocol", &[], 400),
        ("Sec-WebSocket-Protocol", &["tandem.v2.json, chat"], 400),
        ("Sec-WebSocket-Protocol", &["TANDEM.V1.JSON"], 400),
        ("Sec-WebSocket-Protocol", &["chat", "tandem.v1.msgpack"], 101),
        ("Sec-WebSocket-Protocol", &["chat, tandem.v1.msgpack, tandem.v1.json"], 101),
    ];
    for (name, values, expected) in rows {
        let head = ask(hub.address(), "GET /ws HTTP/1.1", &with(name, values)).await;
        assert_eq!(status(&head), expected, "{name}: {values:?}\n{head}");
        if expected == 426 {
            assert!(head.contains("\r\nsec-websocket-version: 13\r\n"), "{head}");
        }
        if matches!(expected, 400 | 426) && name != "Host" {
            assert!(head.contains("application/problem+json"), "{head}");
        }
    }
}

#[actix_rt::test]
async fn only_a_get_in_http_1_1_at_the_right_address_opens_a_socket() {
    let hub = TestHub::shared().await;
    for (start, expected) in [
        ("GET /ws HTTP/1.0", 400),
        ("POST /ws HTTP/1.1", 405),
        ("PUT /ws HTTP/1.1", 405),
        ("HEAD /ws HTTP/1.1", 405),
        ("OPTIONS /ws HTTP/1.1", 405),
        ("GET /api/v1/ws HTTP/1.1", 404),
        ("GET /ws?token=x HTTP/1.1", 101),
    ] {
        let head = ask(hub.address(), start, &GOOD).await;
        assert_eq!(status(&head), expected, "{start}\n{head}");
    }
}
