//! RFC 6455 clause by clause, over raw sockets: what each sequence of bytes is answered with, sent at once and byte by byte.
//! The opening handshake is in `ws_handshake`; what messages may say is in `ws_bad_input`.

use std::net::SocketAddr;

use hub_core::wire::Codec;
use tokio::time::timeout;

use self::Heard::{Close, CloseWithoutCode, Message, Pong};
use crate::hub::TestHub;
use crate::socket::{Ended, PATIENCE, Socket};

const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A message of the protocol that is answered by `pong` with this number.
const ASK: &[u8] = br#"{"type":"ping","id":77}"#;
const LIMIT: usize = 64 * 1024;

/// What the hub says, in order. A row that does not end with a close is followed by proof that the socket lives.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    /// A pong of RFC 6455.
    Pong(Vec<u8>),
    /// A message of the protocol: its `type`, or the `code` of an error.
    Message(String),
    Close(u16),
    CloseWithoutCode,
}

struct Row {
    clause: &'static str,
    what: String,
    sent: Vec<u8>,
    heard: Vec<Heard>,
}

fn row(clause: &'static str, what: impl Into<String>, sent: Vec<u8>, heard: impl Into<Vec<Heard>>) -> Row {
    Row { clause, what: what.into(), sent, heard: heard.into() }
}

fn answered() -> Heard {
    Message("pong".into())
}

/// A frame with its length in the shortest form, masked.
fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let form = match body.len() {
        0..126 => 0,
        126..65_536 => 2,
        _ => 8,
    };
    framed(first, body, form, [0x37, 0xfa, 0x21, 0x3d])
}

/// A frame with its length in 0, 2 or 8 bytes besides the second one.
fn framed(first: u8, body: &[u8], form: usize, mask: [u8; 4]) -> Vec<u8> {
    let length = (body.len() as u64).to_be_bytes();
    let second = match form {
        0 => u8::try_from(body.len()).expect("small"),
        2 => 126,
        _ => 127,
    };
    let mut bytes = vec![first, 0x80 | second];
    bytes.extend(&length[8 - form..]);
    bytes.extend(mask);
    bytes.extend(body.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    bytes
}

/// The header of a frame that never comes.
fn announced(first: u8, length: u64) -> Vec<u8> {
    [vec![first, 0xff], length.to_be_bytes().to_vec()].concat()
}

/// [`ASK`], padded to so many bytes.
fn padded(length: usize) -> Vec<u8> {
    let (begin, end) = (&b"{\"type\":\"ping\",\"id\":77,\"pad\":\""[..], &b"\"}"[..]);
    [begin, &vec![b'x'; length - begin.len() - end.len()], end].concat()
}

fn closing(code: u16, words: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes(), words].concat())
}

fn headers() -> Vec<Row> {
    let mut rows = vec![
        row("5.1", "unmasked text", [&[FIN | TEXT, 23][..], ASK].concat(), [Close(1002)]),
        row("5.1", "an unmasked ping", vec![FIN | PING, 0], [Close(1002)]),
        row("5.1", "an unmasked close", vec![FIN | CLOSE, 0], [Close(1002)]),
        row("5.3", "a mask of zeros", framed(FIN | TEXT, ASK, 0, [0; 4]), [answered()]),
        row("5.3", "a mask of ones", framed(FIN | TEXT, ASK, 0, [0xff; 4]), [answered()]),
        row("5.2", "reserved bits on a fragment", [frame(TEXT, b"{"), frame(FIN | 0x40, b"}")].concat(), [Close(1002)]),
        row("5.2", "a reserved bit on a ping", frame(FIN | 0x40 | PING, b""), [Close(1002)]),
    ];
    for (bit, name) in [(0x40, "1"), (0x20, "2"), (0x10, "3")] {
        rows.push(row("5.2", format!("reserved bit {name}"), frame(FIN | bit | TEXT, ASK), [Close(1002)]));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        rows.push(row("5.2", format!("reserved opcode {opcode}"), frame(FIN | opcode, b""), [Close(1002)]));
    }
    rows
}

fn lengths() -> Vec<Row> {
    let mut rows = Vec::new();
    for length in [125, 126, 127, 65_535, LIMIT] {
        rows.push(row("5.2", format!("{length} bytes"), frame(FIN | TEXT, &padded(length)), [answered()]));
    }
    for (length, form) in [(0, 2), (0, 8), (125, 2), (125, 8), (126, 8), (65_535, 8)] {
        let what = format!("{length} bytes with a length of {form} bytes");
        rows.push(row("5.2", what, framed(FIN | TEXT, &vec![b' '; length], form, [0; 4]), [Close(1002)]));
    }
    for (length, code) in
        [(1 << 63, 1002), (u64::MAX, 1002), ((1 << 63) - 1, 4413), (400 << 20, 4413), (LIMIT as u64 + 1, 4413)]
    {
        rows.push(row("5.2", format!("{length} bytes, announced"), announced(FIN | BINARY, length), [Close(code)]));
    }
    let before = [frame(FIN | TEXT, ASK), frame(FIN | TEXT, ASK), announced(FIN | TEXT, 1 << 40)].concat();
    let heard = [answered(), answered(), Close(4413)];
    rows.push(row("5.2", "what came before a frame that is too large", before, heard));
    rows
}

fn fragments() -> Vec<Row> {
    let (a, b) = ASK.split_at(9);
    let half = LIMIT / 2;
    let whole = padded(LIMIT);
    let single: Vec<Vec<u8>> = ASK[1..ASK.len() - 1].iter().map(|byte| frame(CONTINUATION, &[*byte])).collect();
    let cat = |frames: &[Vec<u8>]| frames.concat();
    vec![
        row("5.4", "two fragments", cat(&[frame(TEXT, a), frame(FIN, b)]), [answered()]),
        row("5.4", "one byte each", cat(&[frame(TEXT, &ASK[..1]), single.concat(), frame(FIN, b"}")]), [answered()]),
        row("5.4", "empty fragments", cat(&[frame(TEXT, b""), frame(0, ASK), frame(0, b""), frame(FIN, b"")]), [answered()]),
        row(
            "5.4",
            "a ping in between",
            cat(&[frame(TEXT, a), frame(FIN | PING, b"x"), frame(FIN, b)]),
            [Pong(b"x".into()), answered()],
        ),
        row("5.4", "a pong in between", cat(&[frame(TEXT, a), frame(FIN | PONG, b"x"), frame(FIN, b)]), [answered()]),
        row("5.4", "a close in between", cat(&[frame(TEXT, a), closing(1001, b"")]), [Close(1001)]),
        row("5.4", "fragments up to the limit", cat(&[frame(TEXT, &whole[..half]), frame(FIN, &whole[half..])]), [answered()]),
        row("5.4", "fragments over the limit", cat(&[frame(TEXT, &whole), frame(FIN, b" ")]), [Close(4413)]),
        row(
            "5.4",
            "a fragment announced over the limit",
            cat(&[frame(TEXT, b" "), announced(FIN, LIMIT as u64)]),
            [Close(4413)],
        ),
        row(
            "5.4",
            "fragments after a whole message",
            cat(&[frame(FIN | TEXT, ASK), frame(TEXT, a), frame(FIN, b)]),
            [answered(), answered()],
        ),
        row("5.4", "a last fragment of nothing", frame(FIN, b"x"), [Close(1002)]),
        row("5.4", "a fragment of nothing", frame(CONTINUATION, b"x"), [Close(1002)]),
        row(
            "5.4",
            "a fragment after the last",
            cat(&[frame(TEXT, a), frame(FIN, b), frame(FIN, b)]),
            [answered(), Close(1002)],
        ),
        row("5.4", "text within text", cat(&[frame(TEXT, a), frame(FIN | TEXT, ASK)]), [Close(1002)]),
        row("5.4", "a beginning within a beginning", cat(&[frame(TEXT, a), frame(TEXT, a)]), [Close(1002)]),
        row("5.4", "binary within text", cat(&[frame(TEXT, a), frame(FIN | BINARY, b)]), [Close(1002)]),
        row("5.6", "binary where text is spoken", frame(FIN | BINARY, ASK), [Message("bad_frame".into())]),
        row("5.6", "an empty message", frame(FIN | TEXT, b""), [Message("bad_frame".into())]),
    ]
}

fn control_frames() -> Vec<Row> {
    let long = vec![b'p'; 125];
    let mut rows = vec![
        row("5.5", "a ping of 126 bytes", framed(FIN | PING, &[0; 126], 2, [0; 4]), [Close(1002)]),
        row("5.5", "a pong of 126 bytes", framed(FIN | PONG, &[0; 126], 2, [0; 4]), [Close(1002)]),
        row("5.5", "a close of 126 bytes", framed(FIN | CLOSE, &[3; 126], 2, [0; 4]), [Close(1002)]),
        row("5.5", "a ping announced with 64 bits", vec![FIN | PING, 0xff], [Close(1002)]),
        row("5.5", "a fragmented ping", frame(PING, b"x"), [Close(1002)]),
        row("5.5", "a fragmented pong", frame(PONG, b"x"), [Close(1002)]),
        row("5.5", "a fragmented close", frame(CLOSE, b""), [Close(1002)]),
        row("5.5.2", "a ping without a body", frame(FIN | PING, b""), [Pong(vec![])]),
        row("5.5.2", "a ping of 125 bytes", frame(FIN | PING, &long), [Pong(long.clone())]),
        row("5.5.2", "a ping that is no text", frame(FIN | PING, b"\xff\x00\xfe"), [Pong(b"\xff\x00\xfe".into())]),
        row(
            "5.5.2",
            "three pings",
            [frame(FIN | PING, b"1"), frame(FIN | PING, b"2"), frame(FIN | PING, b"3")].concat(),
            ["1", "2", "3"].map(|n| Pong(n.into())),
        ),
        row("5.5.3", "a pong nobody asked for", [frame(FIN | PONG, b"?"), frame(FIN | TEXT, ASK)].concat(), [answered()]),
        row("5.5.1", "a close without a code", frame(FIN | CLOSE, b""), [CloseWithoutCode]),
        row("5.5.1", "a close with words", closing(1000, "Tschüß".as_bytes()), [Close(1000)]),
        row("5.5.1", "a close with as many words as it may have", closing(1000, &[b'w'; 123]), [Close(1000)]),
        row("5.5.1", "nothing after a close", [closing(1000, b""), frame(FIN | TEXT, ASK)].concat(), [Close(1000)]),
        row("5.5.1", "not even a breach", [closing(1000, b""), vec![0xff; 20]].concat(), [Close(1000)]),
        row("7.4", "a close with half a code", frame(FIN | CLOSE, &[3]), [Close(1002)]),
        row("8.1", "a close with words that are no UTF-8", closing(1000, b"ok \xff"), [Close(1007)]),
        row("8.1", "a close with half a character", closing(1000, b"\xe2\x82"), [Close(1007)]),
    ];
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
        rows.push(row("7.4.1", format!("close code {code}"), closing(code, b""), [Close(code)]));
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        rows.push(row("7.4.2", format!("close code {code}"), closing(code, b""), [Close(1002)]));
    }
    rows
}

fn text() -> Vec<Row> {
    let ask = r#"{"type":"ping","id":77,"x":"é€𝕳"}"#.as_bytes();
    let cut = |at: usize| [frame(TEXT, &ask[..at]), frame(FIN, &ask[at..])].concat();
    let mut rows: Vec<Row> = (ask.len() - 11..ask.len())
        .map(|at| row("5.6", format!("characters cut at byte {at}"), cut(at), [answered()]))
        .collect();
    let bad: [(&str, &[u8]); 8] = [
        ("a byte that is none", b"\xff"),
        ("a lone continuation", b"\x80"),
        ("an overlong slash", b"\xc0\xaf"),
        ("an overlong NUL", b"\xe0\x80\x80"),
        ("half a surrogate pair", b"\xed\xa0\x80"),
        ("a whole surrogate pair", b"\xed\xa1\x8c\xed\xbe\xb4"),
        ("beyond the last character", b"\xf4\x90\x80\x80"),
        ("a character cut off", b"{\"a\":\"\xe2\x82"),
    ];
    for (what, bytes) in bad {
        rows.push(row("8.1", what, frame(FIN | TEXT, bytes), [Close(1007)]));
        let split = [frame(TEXT, &bytes[..1]), frame(FIN, &bytes[1..])].concat();
        rows.push(row("8.1", format!("{what}, in fragments"), split, [Close(1007)]));
    }
    rows.push(row("8.1", "as soon as it shows", frame(TEXT, b"\xed\xa0"), [Close(1007)]));
    rows.push(row("8.1", "in the middle", [frame(TEXT, b"\xe2"), frame(0, b"(")].concat(), [Close(1007)]));
    rows
}

#[actix_rt::test]
async fn every_clause_is_kept_however_the_bytes_come() {
    let hub = TestHub::start_with(&[("TANDEM_SOCKET_FRAMES_BURST", "1000"), ("TANDEM_SOCKETS_PER_USER", "1000")]).await;
    let token = hub.token("acme", "lead@acme.test").await;
    let rows = [headers(), lengths(), fragments(), control_frames(), text()];
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    assert!(rows.len() > 120, "{}", rows.len());
    // A few at a time: most of the time they wait for a connection to end.
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let (address, token) = (hub.address(), token.clone());
        let some: Vec<_> = rows.by_ref().take(16).map(|row| actix_rt::spawn(keep(address, token.clone(), row))).collect();
        for row in some {
            row.await.expect("kept");
        }
    }
}

async fn keep(address: SocketAddr, token: String, Row { clause, what, sent, heard }: Row) {
    // Byte by byte where that ends today.
    let pieces = if sent.len() < 400 { [sent.len(), 1] } else { [sent.len(), 1_460] };
    for piece in pieces {
        let mut socket = Socket::greet(address, Codec::Json, &token).await;
        for part in sent.chunks(piece) {
            socket.send_raw(part).await;
        }
        let said = listen(&mut socket, heard.len()).await;
        assert_eq!(said, heard, "{clause}: {what}, in pieces of {piece}");
        if matches!(said.last(), Some(Close(_) | CloseWithoutCode)) {
            let after = timeout(PATIENCE, socket.next_frame()).await.expect("the connection ends");
            assert_eq!(after, Err(Ended::Broken), "{clause}: {what}");
        } else {
            socket.is_alive().await;
        }
    }
}

async fn listen(socket: &mut Socket, count: usize) -> Vec<Heard> {
    let mut said = Vec::new();
    while said.len() < count {
        let frame = timeout(PATIENCE, socket.next_frame()).await.expect("an answer within 20 s");
        match frame {
            Ok((PING, _)) => {}
            Ok((PONG, body)) => said.push(Pong(body)),
            Ok((CLOSE, body)) => said.push(match body.as_slice() {
                [high, low, ..] => Close(u16::from_be_bytes([*high, *low])),
                _ => CloseWithoutCode,
            }),
            Ok((TEXT, body)) => {
                let frame: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
                let name = if frame["type"] == "error" { &frame["code"] } else { &frame["type"] };
                said.push(Message(name.as_str().expect("text").to_owned()));
            }
            Ok((opcode, _)) => panic!("opcode {opcode} after {said:?}"),
            Err(ended) => panic!("{ended:?} after {said:?}"),
        }
    }
    said
}

#[actix_rt::test]
async fn who_announces_much_and_sends_it_costs_no_memory() {
    const MIB: usize = 1 << 20;
    let hub = TestHub::shared().await;
    let token = hub.token("acme", "lead@acme.test").await;
    let mut socket = Socket::greet(hub.address(), Codec::MsgPack, &token).await;
    let before = resident_bytes();
    socket.send_raw(&[announced(FIN | BINARY, 400 << 20), vec![0; 4]].concat()).await;
    let piece = vec![0; MIB];
    let mut most = 0;
    for _ in 0..400 {
        // It closes, and throws away what still comes until the connection is gone.
        if !timeout(PATIENCE, socket.try_send_raw(&piece)).await.is_ok_and(|sent| sent.is_ok()) {
            break;
        }
        most = most.max(resident_bytes().saturating_sub(before));
    }
    // Other stories run beside this one; four hundred is what holding it would take.
    assert!(most < 150 * MIB, "{} MiB", most / MIB);
    assert_eq!(listen(&mut socket, 1).await, [Close(4413)]);
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells");
    let pages: usize = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4_096
}
