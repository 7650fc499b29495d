//! Judges frames by their headers, before their bodies are read: the frame parser behind this buffers an announced frame
//! whole before it looks at its length, so an announced 2^40 bytes would fill the memory. It also reports reserved bits in
//! a way that cannot be told from text that is no UTF-8, so they are judged here.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;

/// What the guard has seen; shared with the session, which closes accordingly.
#[derive(Clone, Default)]
pub struct Seen {
    offence: Rc<Cell<Option<Offence>>>,
}

/// Why the guard ended a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offence {
    /// A message over the limit was announced.
    TooLarge,
    /// Reserved bits are set: an extension that was not agreed on.
    ReservedBits,
}

impl Seen {
    /// What ended the stream, if the guard did.
    pub fn offence(&self) -> Option<Offence> {
        self.offence.get()
    }
}

/// A stream of bytes that ends where a frame would take its message over the limit.
pub struct HeaderGuard<S> {
    inner: S,
    scan: Scan,
    seen: Seen,
    ended: bool,
}

impl<S> HeaderGuard<S> {
    /// Guards `inner`: messages of at most `max_message` bytes, fragments together.
    pub fn new(inner: S, max_message: usize) -> (Self, Seen) {
        let seen = Seen::default();
        (Self { inner, scan: Scan::new(max_message), seen: seen.clone(), ended: false }, seen)
    }
}

impl<S: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Stream for HeaderGuard<S> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match Pin::new(&mut self.inner).poll_next(cx) {
            Poll::Ready(Some(Ok(chunk))) => {
                if let Err(offence) = self.scan.feed(&chunk) {
                    self.ended = true;
                    self.seen.offence.set(Some(offence));
                    return Poll::Ready(Some(Err(PayloadError::Overflow)));
                }
                Poll::Ready(Some(Ok(chunk)))
            }
            other => other,
        }
    }
}

/// Walks over frames: reads headers, skips bodies, sums the fragments of a message.
struct Scan {
    max_message: u64,
    /// The bytes of a header that is not complete yet.
    header: Vec<u8>,
    /// Bytes of the current body still to come.
    body_left: u64,
    /// What the message that is open weighs so far.
    message: u64,
}

impl Scan {
    const fn new(max_message: usize) -> Self {
        Self { max_message: max_message as u64, header: Vec::new(), body_left: 0, message: 0 }
    }

    fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Offence> {
        while !bytes.is_empty() {
            if self.body_left > 0 {
                let skipped = self.body_left.min(bytes.len() as u64);
                self.body_left -= skipped;
                bytes = &bytes[usize::try_from(skipped).unwrap_or(bytes.len())..];
                continue;
            }
            self.header.push(bytes[0]);
            bytes = &bytes[1..];
            if let Some(header) = Header::parse(&self.header) {
                self.header.clear();
                self.enter(header)?;
            }
        }
        Ok(())
    }

    fn enter(&mut self, header: Header) -> Result<(), Offence> {
        if header.has_reserved_bits {
            return Err(Offence::ReservedBits);
        }
        self.body_left = header.length;
        match header.kind {
            Kind::Control => return if header.length > self.max_message { Err(Offence::TooLarge) } else { Ok(()) },
            Kind::First => self.message = header.length,
            Kind::Continuation => self.message = self.message.saturating_add(header.length),
        }
        if self.message > self.max_message { Err(Offence::TooLarge) } else { Ok(()) }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    First,
    Continuation,
    Control,
}

struct Header {
    kind: Kind,
    has_reserved_bits: bool,
    length: u64,
}

impl Header {
    /// The header, once all its bytes are there: two, the extended length, the mask.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let [first, second, rest @ ..] = bytes else { return None };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let extended = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if rest.len() < extended + mask {
            return None;
        }
        let length = match extended {
            0 => u64::from(second & 0x7f),
            _ => rest[..extended].iter().fold(0, |length, byte| (length << 8) | u64::from(*byte)),
        };
        let kind = match first & 0x0f {
            0 => Kind::Continuation,
            1 | 2 => Kind::First,
            _ => Kind::Control,
        };
        Some(Self { kind, has_reserved_bits: first & 0x70 != 0, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame, its body all zeros.
    fn frame(first: u8, announced: u64, sent: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match announced {
            0..126 => bytes.push(0x80 | announced as u8),
            126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend((announced as u16).to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend(announced.to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        bytes.extend(vec![0; sent]);
        bytes
    }

    fn verdicts(bytes: &[u8]) -> [Result<(), Offence>; 2] {
        let whole = Scan::new(65_536).feed(bytes);
        let mut scan = Scan::new(65_536);
        [whole, bytes.chunks(1).try_for_each(|byte| scan.feed(byte))]
    }

    #[test]
    fn a_frame_is_judged_by_its_header_alone() {
        assert_eq!(verdicts(&frame(0x82, 65_536, 65_536)), [Ok(()); 2]);
        assert_eq!(verdicts(&frame(0x82, 65_537, 0)), [Err(Offence::TooLarge); 2]);
        assert_eq!(verdicts(&frame(0x82, 1 << 40, 0)), [Err(Offence::TooLarge); 2]);
        assert_eq!(verdicts(&frame(0x89, u64::MAX, 0)), [Err(Offence::TooLarge); 2]);
    }

    #[test]
    fn reserved_bits_are_refused() {
        for first in [0xc2, 0xa2, 0x92] {
            assert_eq!(verdicts(&frame(first, 1, 1)), [Err(Offence::ReservedBits); 2]);
        }
    }

    #[test]
    fn fragments_are_summed_and_a_ping_between_them_is_not() {
        let parts = |last: u64| {
            [frame(0x02, 40_000, 40_000), frame(0x89, 5, 5), frame(0x80, last, usize::try_from(last).expect("small"))].concat()
        };
        assert_eq!(verdicts(&parts(25_536)), [Ok(()); 2]);
        assert_eq!(verdicts(&parts(25_537)), [Err(Offence::TooLarge); 2]);
        let again = [frame(0x82, 60_000, 60_000), frame(0x82, 60_000, 60_000)].concat();
        assert_eq!(verdicts(&again), [Ok(()); 2]);
    }
}
