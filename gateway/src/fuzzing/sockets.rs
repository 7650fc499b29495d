//! The bytes of a socket: the judge of frames, held against the frame parser that stands behind it, and the putting together
//! of fragments.

use actix_http::ws::{OpCode, Parser};
use bytes::BytesMut;
use hub_core::wire::MAX_CLIENT_MESSAGE_BYTES;

use super::{Kind, kind};
use crate::ws::fuzzing::{BadText, End, Fragments, Judge, Whole};

/// Longest header of a frame.
const HEADER: usize = 14;

pub fn judge(bytes: &[u8]) -> Kind {
    let whole = Judge::new(MAX_CLIENT_MESSAGE_BYTES).feed(bytes);
    // Cut at places that the bytes themselves choose: the same verdict.
    let mut split = Judge::new(MAX_CLIENT_MESSAGE_BYTES);
    let verdict = pieces(bytes).try_for_each(|piece| split.feed(piece));
    let offence = |verdict: Result<(), End>| verdict.err().map(|end| end.offence);
    assert_eq!(offence(whole), offence(verdict), "however it is split");
    let good = whole.map_or_else(|end| &bytes[..end.good], |()| bytes);
    kind((offence(whole).map(|offence| offence.map(|offence| offence as u8)), parsed(good, whole.is_err())))
}

/// What passed the judge holds nothing that the parser refuses or keeps; `is_end`: and it ends with a whole frame.
fn parsed(good: &[u8], is_end: bool) -> Vec<u8> {
    let (mut buffer, mut open, mut kinds) = (BytesMut::from(good), None, Vec::new());
    while let Some((is_last, opcode, body)) =
        Parser::parse(&mut buffer, true, MAX_CLIENT_MESSAGE_BYTES).expect("what the judge lets through, the parser reads")
    {
        let length = body.as_ref().map_or(0, BytesMut::len);
        let (name, message) = match (opcode, open) {
            (OpCode::Text | OpCode::Binary, None) => (0, length),
            (OpCode::Continue, Some(open)) => (1, open + length),
            (OpCode::Ping | OpCode::Pong, _) if is_last && length <= 125 => {
                kinds.push(2);
                continue;
            }
            (OpCode::Close, _) if is_last && length <= 125 => {
                Parser::try_parse_close_payload(&body.unwrap_or_default()).expect("a close that may be sent");
                assert!(buffer.is_empty(), "a close frame is the last");
                (3, 0)
            }
            (opcode, open) => panic!("{opcode:?} of {length} bytes where {open:?} is open"),
        };
        assert!(message <= MAX_CLIENT_MESSAGE_BYTES, "a message of {message} bytes");
        open = (!is_last).then_some(message);
        kinds.push(name);
    }
    assert!(buffer.len() < MAX_CLIENT_MESSAGE_BYTES + HEADER, "{} bytes are kept", buffer.len());
    assert!(!is_end || buffer.is_empty(), "half a frame was let through");
    kinds.truncate(6);
    kinds
}

/// Text in fragments is what it would be whole, or no text at all.
pub fn fragments(bytes: &[u8]) -> Kind {
    for is_text in [true, false] {
        let whole = put_together(is_text, bytes);
        let is_good = !is_text || std::str::from_utf8(bytes).is_ok();
        match whole {
            Ok(Some(Whole::Text(all))) => assert!(is_text && is_good && all == bytes),
            Ok(Some(Whole::Binary(all))) => assert!(!is_text && all == bytes),
            Ok(None) => panic!("an end without a message"),
            Err(BadText) => assert!(!is_good),
        }
    }
    kind((bytes.len().checked_ilog2(), std::str::from_utf8(bytes).err().map(|error| error.error_len())))
}

fn put_together(is_text: bool, bytes: &[u8]) -> Result<Option<Whole>, BadText> {
    let mut open = Fragments::default();
    open.begin(is_text, b"")?;
    pieces(bytes).try_for_each(|piece| open.go_on(piece))?;
    open.end(b"")
}

/// The bytes, cut where they say so themselves.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let first = *rest.first()?;
        let length = match first % 4 {
            0 => 1,
            1 => 2,
            _ => usize::from(first),
        };
        let (piece, left) = rest.split_at(length.clamp(1, rest.len()));
        rest = left;
        Some(piece)
    })
}
